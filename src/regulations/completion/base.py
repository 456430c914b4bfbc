"""What the three regulations of lower-secondary completion share: results and checks of input."""

from __future__ import annotations

from regulations.core import Citation, Outcome, OutOfRange, Reason

RECOGNISED, NOT_RECOGNISED = "cong_nhan", "khong_cong_nhan"

OLDEST_AGE = 130
"""A greater number is no age but a mistake."""


def check_age(age: object, at: Citation) -> int:
    """Return an age in years; raise OutOfRange for what is none."""
    if type(age) is not int or not 0 <= age <= OLDEST_AGE:
        raise OutOfRange(f"not an age: {age!r}", citation=at, name="age_by_year", got=age)
    return age


def conclude(against: list[Reason], at: Citation) -> Outcome:
    """Return the recognition: refused for the causes named, else granted."""
    if against:
        return Outcome(NOT_RECOGNISED, tuple(against))
    return Outcome(RECOGNISED, (Reason("completion-conditions-met", at),))
