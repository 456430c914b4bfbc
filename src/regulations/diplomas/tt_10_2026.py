"""Circular 10/2026/TT-BGDĐT: managing diplomas and certificates from 15/4/2026.

Its days are those of the published draft until somebody has read its text; see docs/open-questions.md.
What it is not known to change is as circular 21/2019 has it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from regulations.calendar import add_calendar_days, add_working_days
from regulations.core import Citation, UnknownValue, cites
from regulations.diplomas.tt_21_2019 import (
    CORRECTION_GROUNDS,
    CORRECTION_PAPERS,
    REVOCATION_GROUNDS,
    correction,
    lookup_allowed,
    revocation,
)

ID = "diploma.tt10-2026"
INSTRUMENT = "10/2026/TT-BGDĐT"
TITLE = "Quy chế quản lý văn bằng, chứng chỉ của hệ thống giáo dục quốc dân (2026)"
FIRST_DAY, LAST_DAY = date(2026, 4, 15), None
VERSION = 1

ISSUE_DAYS = {"thpt": 30, "certificate": 30}
DIGITAL_DAYS = 5
DECISION_WORKING_DAYS = 3
COPY_WORKING_DAYS = 1

PLACE = Citation(INSTRUMENT)

__all__ = [
    "COPY_WORKING_DAYS",
    "CORRECTION_GROUNDS",
    "CORRECTION_PAPERS",
    "DECISION_WORKING_DAYS",
    "DIGITAL_DAYS",
    "FIRST_DAY",
    "ID",
    "INSTRUMENT",
    "ISSUE_DAYS",
    "LAST_DAY",
    "REVOCATION_GROUNDS",
    "TITLE",
    "VERSION",
    "copy_deadline",
    "correction",
    "decision_deadline",
    "governs",
    "issue_deadline",
    "lookup_allowed",
    "revocation",
]


def governs(*, day: date) -> bool:
    """Return whether it governs an act of that day."""
    return day >= FIRST_DAY


@cites(INSTRUMENT)
def issue_deadline(kind: str, decided_on: date, *, digital: bool = False, days: int | None = None) -> date:
    """Return the last day to issue: 30 days on paper, 5 for the digital diploma.

    days   the number once the text is read; None takes the draft's

    Raises UnknownValue for an unknown kind and for the lower-secondary diploma, which ended with 2025.
    """
    if kind not in ISSUE_DAYS:
        raise UnknownValue(
            f"no deadline for {kind!r}", citation=PLACE, name="kind", got=kind, choices=tuple(ISSUE_DAYS)
        )
    usual = DIGITAL_DAYS if digital else ISSUE_DAYS[kind]
    return add_calendar_days(decided_on, usual if days is None else days)


@cites(INSTRUMENT)
def decision_deadline(requested_on: date, *, holidays: Collection[date] | None = None) -> date:
    """Return the last day to decide a correction or a re-issue: three working days."""
    return add_working_days(requested_on, DECISION_WORKING_DAYS, holidays=holidays)


@cites(INSTRUMENT)
def copy_deadline(requested_on: date, *, holidays: Collection[date] | None = None) -> date:
    """Return the last day to hand out a copy from the register: the next working day."""
    return add_working_days(requested_on, COPY_WORKING_DAYS, holidays=holidays)
