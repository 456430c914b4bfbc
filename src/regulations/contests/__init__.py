"""Contests for gifted pupils (học sinh giỏi): caps of prizes and sizes of teams.

One door: `rules_for(year=2025).prize_caps(…)`, by the school year of the contest. A province's own contest
uses the same functions with its own `Shares`.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from regulations.contests import tt_17_2023, tt_23_2025
from regulations.contests.texts import TEXTS
from regulations.contests.tt_17_2023 import PrizeCaps, Shares
from regulations.core import cites, none_in_force

if TYPE_CHECKING:
    import polars

__all__ = ["OPERATIONS", "RULE_SETS", "TEXTS", "PrizeCaps", "Shares", "apply", "rules_for"]

RULE_SETS: tuple[ModuleType, ...] = (tt_17_2023, tt_23_2025)
CITING_MODULES: tuple[ModuleType, ...] = RULE_SETS


def rules_for(*, year: int) -> ModuleType:
    """Return the regulation of contests held in the school year that begins in `year`.

    Raises NoRuleInForce before 2023: the regulation before TT 17/2023 was not read.
    """
    for rules in RULE_SETS:
        if rules.governs(year=year):
            return rules
    raise none_in_force("rules of contests", since=RULE_SETS[0].FIRST_YEAR, name="year", year=year)


def apply(frame: polars.DataFrame | polars.LazyFrame, *, year: int, **settings: Any) -> polars.DataFrame:
    """Return the caps of prizes of every row for `year`; see `regulations.contests.frames`.

    Raises NoRuleInForce for a year without rules.
    """
    from regulations.contests import frames

    return frames.apply(rules_for(year=year), frame, **settings)


def _prize_caps(data: dict[str, Any], name: str) -> dict[str, int]:
    caps = tt_17_2023.prize_caps(data["candidates"])
    return {
        "max_prizes": caps.prizes,
        "max_first_to_third": caps.first_to_third,
        "max_first": caps.first,
    }


OPERATIONS = {"prize_caps": cites(tt_17_2023.INSTRUMENT, 32)(_prize_caps)}
"""The operations of the vectors' format that this subject answers."""
