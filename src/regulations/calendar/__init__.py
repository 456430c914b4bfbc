"""Days that the law counts: holidays, working days, deadlines, school years and their terms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from regulations.calendar.days import (
    CIVIL_CODE,
    FIRST_YEAR,
    LAST_YEAR,
    add_calendar_days,
    add_working_days,
    days_off,
    is_working_day,
    next_working_day,
    read_day,
    statutory_holidays,
    working_days_between,
)
from regulations.calendar.school_years import (
    YearPlan,
    school_year_of,
    teaching_weeks,
    year_plan,
)
from regulations.core import cites

__all__ = [
    "FIRST_YEAR",
    "LAST_YEAR",
    "OPERATIONS",
    "YearPlan",
    "add_calendar_days",
    "add_working_days",
    "days_off",
    "is_working_day",
    "next_working_day",
    "read_day",
    "school_year_of",
    "statutory_holidays",
    "teaching_weeks",
    "working_days_between",
    "year_plan",
]


def _add_working_days(data: dict[str, Any], rule_set: str) -> str:
    holidays: frozenset[date] | None = None
    if data.get("holidays") is not None:
        holidays = frozenset(read_day(day) for day in data["holidays"])
    return add_working_days(read_day(data["from"]), data["days"], holidays=holidays).isoformat()


def _add_calendar_days(data: dict[str, Any], rule_set: str) -> str:
    return add_calendar_days(read_day(data["from"]), data["days"]).isoformat()


OPERATIONS: dict[str, Callable[[dict[str, Any], str], Any]] = {
    "add_working_days": cites(CIVIL_CODE, article=147)(_add_working_days),
    "add_calendar_days": cites(CIVIL_CODE, article=147)(_add_calendar_days),
}
"""The operations of the vectors' format that this subject answers."""
