"""Entering school: ages, class sizes, places by zone, and the days of a transfer.

Two doors: `rules_for(level="primary", year=2025).entry_age(…)` by school year, and
`transfer_rules_for(level="primary", day=…).transfer_deadline(…)` by the day a transfer was asked for.
"""

from __future__ import annotations

from datetime import date
from types import ModuleType
from typing import TYPE_CHECKING, Any

from regulations.core import UnknownValue, cites, none_in_force
from regulations.enrolment import base, tt_15_2026, tt_28_2020, tt_32_2020, zoning
from regulations.enrolment.base import NotDefined, Step
from regulations.enrolment.texts import TEXTS
from regulations.enrolment.zoning import CRITERIA, Application, ZoneResult, place_by_zone, zone_balance

if TYPE_CHECKING:
    import polars

__all__ = [
    "CRITERIA",
    "LEVEL_NAMES",
    "OPERATIONS",
    "RULE_SETS",
    "TEXTS",
    "Application",
    "NotDefined",
    "Step",
    "ZoneResult",
    "apply",
    "class_sizes",
    "place_by_zone",
    "rules_for",
    "transfer_rules_for",
    "zone_balance",
]

RULE_SETS: tuple[ModuleType, ...] = (tt_28_2020, tt_32_2020, tt_15_2026)
CITING_MODULES: tuple[ModuleType, ...] = (*RULE_SETS, zoning)

LEVEL_NAMES = {
    base.ON_TIME: "đúng tuổi",
    base.UNDER_AGE: "thiếu tuổi",
    base.OVER_AGE: "quá tuổi: cần căn cứ",
    base.SPECIAL: "được nhận (diện đặc biệt)",
    base.DECISION: "cần người có thẩm quyền quyết định",
}
"""Code of an entry age to its Vietnamese name."""

GRADES = {"lớp 1": 1, "lớp 6": 6, "lớp 10": 10}


def rules_for(*, level: str, year: int) -> ModuleType:
    """Return the charter of the level for the school year that begins in `year`.

    level   "primary", "lower_secondary" or "upper_secondary"; raises NoRuleInForce for any other,
            and before 2020: the charters before those of 2020 were not read
    """
    for rules in RULE_SETS:
        if rules.governs(level=level, year=year):
            return rules
    firsts = [rules.FIRST_YEAR for rules in RULE_SETS if level in rules.LEVELS]
    raise none_in_force("charter", since=min(firsts, default=None), name="year", level=level, year=year)


def transfer_rules_for(*, level: str, day: date) -> ModuleType:
    """Return the rules of a transfer asked for on `day`; raise NoRuleInForce without any."""
    for rules in RULE_SETS:
        if rules.governs_on(level=level, day=day):
            return rules
    firsts = [rules.FIRST_DAY for rules in RULE_SETS if level in rules.LEVELS]
    raise none_in_force("rules of transfer", since=min(firsts, default=None), name="day", level=level, day=day)


def apply(frame: polars.DataFrame | polars.LazyFrame, *, level: str, year: int) -> polars.DataFrame:
    """Return how the age of every child stands to the first grade; see `regulations.enrolment.frames.entry_ages`."""
    from regulations.enrolment import frames

    return frames.entry_ages(rules_for(level=level, year=year), frame, year=year)


def class_sizes(
    frame: polars.DataFrame | polars.LazyFrame, *, level: str, year: int, province_most: int | None = None
) -> polars.DataFrame:
    """Return whether every class keeps within its size; see `regulations.enrolment.frames.class_sizes`."""
    from regulations.enrolment import frames

    rules = rules_for(level=level, year=year)
    return frames.class_sizes(rules, frame, level=level, province_most=province_most)


def _entry_age(data: dict[str, Any], name: str) -> str:
    if data.get("level") not in GRADES:
        raise UnknownValue(f"unknown level {data.get('level')!r}", name="level", got=data.get("level"))
    # The ages are the law's and the three years over are every charter's, so the year needs no charter here.
    outcome = base.entry_age(
        grade=GRADES[data["level"]],
        birth_year=data["birth_year"],
        year=data["school_year_start"],
        grounds=data.get("special_ground", False),
        over_age=tt_28_2020.OVER_AGE,
        shift=data.get("shift", 0),
        at=base.AGES,
    )
    return LEVEL_NAMES[outcome.level]


OPERATIONS = {"entry_age": cites(base.LAW, 28)(_entry_age)}
"""The operations of the vectors' format that this subject answers."""
