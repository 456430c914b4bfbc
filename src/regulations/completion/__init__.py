"""Completing lower secondary: three forms of one fact, chosen by the school year.

`rules_for(year=2024).recognised(…)` (before 2024: `.rank(…)`), and `completed(evidence)` for everyone who only
needs to know that a learner has finished grade 9.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from regulations.completion import base, fact, qd_11_2006, tt_15_2026, tt_31_2023
from regulations.completion.fact import Completion, completed, evidence_of
from regulations.completion.texts import TEXTS
from regulations.core import UnknownValue, cites, none_in_force

if TYPE_CHECKING:
    import polars

__all__ = [
    "OPERATIONS",
    "RULE_SETS",
    "TEXTS",
    "Completion",
    "apply",
    "completed",
    "evidence_of",
    "rules_for",
]

RULE_SETS: tuple[ModuleType, ...] = (qd_11_2006, tt_31_2023, tt_15_2026)
"""Every regulation of lower-secondary completion, oldest first."""

CITING_MODULES: tuple[ModuleType, ...] = (*RULE_SETS, fact)

CODES = {
    "Tốt": "tot",
    "T": "tot",
    "Khá": "kha",
    "K": "kha",
    "G": "gioi",
    "Giỏi": "gioi",
    "Tb": "trung_binh",
    "TB": "trung_binh",
    "Trung bình": "trung_binh",
    "Y": "yeu",
    "Yếu": "yeu",
    "Kém": "kem",
    "Kem": "kem",
}
RANK_NAMES = {
    "gioi": "Giỏi",
    "kha": "Khá",
    "trung_binh": "Trung bình",
    "khong_cong_nhan": "không công nhận",
}


def rules_for(*, year: int) -> ModuleType:
    """Return the regulation for the school year that begins in `year`; raise NoRuleInForce before 2006."""
    for rules in RULE_SETS:
        if rules.governs(year=year):
            return rules
    raise none_in_force("rules of lower-secondary completion", since=RULE_SETS[0].FIRST_YEAR, name="year", year=year)


def apply(frame: polars.DataFrame | polars.LazyFrame, *, year: int, **settings: Any) -> polars.DataFrame:
    """Return the completion of every row for `year`; see `regulations.completion.frames`.

    Raises NoRuleInForce for a year without rules.
    """
    from regulations.completion import frames

    return frames.apply(rules_for(year=year), frame, **settings)


def _code(written: object, name: str) -> str:
    if not isinstance(written, str) or written not in CODES:
        raise UnknownValue(f"unknown {name}: {written!r}", name=name, got=written)
    return CODES[written]


def _lower_secondary_rank(data: dict[str, Any], name: str) -> str:
    outcome = qd_11_2006.rank(
        conduct=_code(data.get("conduct9"), "conduct9"), learning=_code(data.get("learning9"), "learning9")
    )
    return RANK_NAMES[outcome.level]


def _recognised(data: dict[str, Any], name: str) -> bool:
    given = {key: value for key, value in data.items() if key != "op"}
    return bool(tt_31_2023.recognised(**given).level == base.RECOGNISED)


def _confirmed(data: dict[str, Any], name: str) -> bool:
    given = {key: value for key, value in data.items() if key not in ("op", "stream")}
    return bool(tt_15_2026.recognised(**given).level == base.RECOGNISED)


OPERATIONS = {
    "lower_secondary_rank": cites(qd_11_2006.INSTRUMENT)(_lower_secondary_rank),
    "lower_secondary_recognised": cites(tt_31_2023.INSTRUMENT, 4)(_recognised),
    (tt_15_2026.ID, "lower_secondary_recognised"): cites(tt_15_2026.INSTRUMENT)(_confirmed),
}
"""The operations of the vectors' format that this subject answers."""
