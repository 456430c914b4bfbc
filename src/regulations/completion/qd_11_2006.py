"""Decision 11/2006/QĐ-BGDĐT: lower-secondary graduation with a rank, to the school year 2023-2024.

From general knowledge of the regulation, checked against the published cases.
"""

from __future__ import annotations

from regulations.completion.base import NOT_RECOGNISED
from regulations.core import Citation, Outcome, Reason, UnknownValue, cites

ID = "thcs.qd11-2006"
INSTRUMENT = "11/2006/QĐ-BGDĐT"
TITLE = "Quy chế xét công nhận tốt nghiệp trung học cơ sở"
FIRST_YEAR, LAST_YEAR = 2006, 2023
VERSION = 1

ROUNDS = 2

CONDUCT = ("yeu", "trung_binh", "kha", "tot")
LEARNING = ("kem", "yeu", "trung_binh", "kha", "gioi")
"""Levels of grade 9, lowest first."""

RANKS = (("gioi", "tot", "gioi"), ("kha", "kha", "kha"), ("trung_binh", "trung_binh", "trung_binh"))
"""(rank, least conduct, least learning), highest first."""

PLACE = Citation(INSTRUMENT)


def governs(*, year: int) -> bool:
    """Return whether it governs the school year that begins in `year`."""
    return FIRST_YEAR <= year <= LAST_YEAR


@cites(INSTRUMENT)
def rank(*, conduct: str, learning: str) -> Outcome:
    """Return the rank of graduation, "gioi", "kha" or "trung_binh", or "khong_cong_nhan".

    conduct, learning   grade 9's levels; raises UnknownValue for a code of neither list
    """
    for name, value, levels in (("conduct", conduct, CONDUCT), ("learning", learning, LEARNING)):
        if value not in levels:
            raise UnknownValue(
                f"unknown {name}: {value!r}", citation=PLACE, name=name, got=value, choices=levels
            )
    facts = {"conduct": conduct, "learning": learning}
    for level, least_conduct, least_learning in RANKS:
        enough_conduct = CONDUCT.index(conduct) >= CONDUCT.index(least_conduct)
        if enough_conduct and LEARNING.index(learning) >= LEARNING.index(least_learning):
            return Outcome(level, (Reason("lower-secondary-rank", PLACE, facts),))
    return Outcome(NOT_RECOGNISED, (Reason("lower-secondary-levels-too-low", PLACE, facts),))
