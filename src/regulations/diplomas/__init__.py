"""Diplomas and certificates: numbers, deadlines, blanks, who issues and who serves them.

One door: `rules_for(day=…).issue_deadline(…)`, by the day of the act. Numbers, blanks and offices hold across
both regimes and are reached directly.
"""

from __future__ import annotations

from datetime import date
from types import ModuleType
from typing import TYPE_CHECKING

from regulations.core import none_in_force
from regulations.diplomas import authority, base, tt_10_2026, tt_21_2019
from regulations.diplomas.authority import issuer_of, server_of
from regulations.diplomas.base import (
    BlankBalance,
    WrongState,
    blank_balance,
    check_entry_numbers,
    check_state,
    ended_on,
    next_entry_number,
    show_entry_number,
)
from regulations.diplomas.texts import TEXTS

if TYPE_CHECKING:
    import polars

__all__ = [
    "OPERATIONS",
    "RULE_SETS",
    "TEXTS",
    "BlankBalance",
    "WrongState",
    "apply",
    "blank_balance",
    "blank_balances",
    "check_entry_numbers",
    "check_state",
    "ended_on",
    "issuer_of",
    "next_entry_number",
    "rules_for",
    "server_of",
    "show_entry_number",
]

RULE_SETS: tuple[ModuleType, ...] = (tt_21_2019, tt_10_2026)
CITING_MODULES: tuple[ModuleType, ...] = (*RULE_SETS, base, authority)

OPERATIONS: dict[str, object] = {}
"""The vectors' format has no operation of this subject alone; its days are `calendar`'s."""


def rules_for(*, day: date) -> ModuleType:
    """Return the regime that governs an act of that day; raise NoRuleInForce before 15/01/2020."""
    for rules in RULE_SETS:
        if rules.governs(day=day):
            return rules
    raise none_in_force("rules of diplomas", since=RULE_SETS[0].FIRST_DAY, name="day", day=day)


def apply(
    frame: polars.DataFrame | polars.LazyFrame, *, day: date, days: int | None = None
) -> polars.DataFrame:
    """Return the last day to issue each diploma by the regime of `day`; see `regulations.diplomas.frames`."""
    from regulations.diplomas import frames

    return frames.apply(rules_for(day=day), frame, days=days)


def blank_balances(frame: polars.DataFrame | polars.LazyFrame) -> polars.DataFrame:
    """Return whether the blanks of each unit balance; see `regulations.diplomas.frames`."""
    from regulations.diplomas import frames

    return frames.blank_balances(frame)
