"""Circular 31/2023/TT-BGDĐT: lower-secondary graduation without ranks, school year 2024-2025."""

from __future__ import annotations

from typing import Literal

from regulations.completion.base import check_age, conclude
from regulations.core import Citation, Outcome, OutOfRange, Reason, UnknownValue, cites

ID = "thcs.tt31-2023"
INSTRUMENT = "31/2023/TT-BGDĐT"
TITLE = "Quy chế xét công nhận tốt nghiệp trung học cơ sở (2023)"
FIRST_YEAR, LAST_YEAR = 2024, 2024
VERSION = 1

Stream = Literal["GDPT", "GDTX"]

OLDEST_GENERAL = 21
YOUNGEST_CONTINUING = 15
ROUNDS = 2
"""At most, in the general stream: right after the year and before the next one."""

CONDITIONS = Citation(INSTRUMENT, 4)


def governs(*, year: int) -> bool:
    """Return whether it governs the school year that begins in `year`."""
    return FIRST_YEAR <= year <= LAST_YEAR


@cites(INSTRUMENT, article=4)
def recognised(
    *,
    age_by_year: int,
    programme_completed: bool,
    dossier_complete: bool,
    stream: Stream = "GDPT",
    round_number: int = 1,
) -> Outcome:
    """Return the recognition: "cong_nhan" or "khong_cong_nhan" with every cause against.

    age_by_year   year of recognition minus year of birth
    stream        "GDPT": at most 21; "GDTX": at least 15
    round_number  from 1; the general stream has two
    """
    age = check_age(age_by_year, CONDITIONS)
    if stream not in ("GDPT", "GDTX"):
        raise UnknownValue(f"unknown stream {stream!r}", citation=CONDITIONS, name="stream", got=stream)
    if type(round_number) is not int or round_number < 1:
        raise OutOfRange(
            f"round {round_number!r}", citation=CONDITIONS, name="round_number", got=round_number
        )
    against: list[Reason] = []
    if stream == "GDPT" and age > OLDEST_GENERAL:
        against.append(Reason("too-old-to-complete", CONDITIONS, {"got": age, "most": OLDEST_GENERAL}))
    if stream == "GDTX" and age < YOUNGEST_CONTINUING:
        against.append(
            Reason("too-young-to-complete", CONDITIONS, {"got": age, "least": YOUNGEST_CONTINUING})
        )
    if stream == "GDPT" and round_number > ROUNDS:
        against.append(Reason("no-more-rounds", CONDITIONS, {"got": round_number, "most": ROUNDS}))
    if not programme_completed:
        against.append(Reason("programme-not-completed", CONDITIONS))
    if not dossier_complete:
        against.append(Reason("dossier-incomplete", CONDITIONS))
    return conclude(against, CONDITIONS)
