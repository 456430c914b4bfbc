"""What the charters share: entry ages, class sizes and steps of a transfer as data with one engine each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from regulations.calendar import add_calendar_days, add_working_days
from regulations.core import Citation, Outcome, OutOfRange, Reason, RuleError, UnknownValue

LAW = "43/2019/QH14"
AGES = Citation(LAW, 28)

ENTRY_AGES = {1: 6, 6: 11, 10: 15}
"""Grade to age in the calendar year the school year begins (Education Law 2019, Article 28)."""

ON_TIME, UNDER_AGE = "dung_tuoi", "thieu_tuoi"
OVER_AGE, SPECIAL, DECISION = "qua_tuoi_can_can_cu", "dien_dac_biet", "can_quyet_dinh"

WITHIN, OVER = "trong_muc", "vuot_muc"


class NotDefined(RuleError):
    """The instrument knows no such step or number; a person decides."""

    code = "not-defined"


@dataclass(frozen=True, slots=True)
class Step:
    """One limit of a transfer: so many days, working days or of any kind; `other` in another province."""

    days: int
    working: bool = True
    other: int | None = None


def entry_age(
    *,
    grade: int,
    birth_year: int,
    year: int,
    grounds: bool,
    over_age: int,
    shift: int,
    at: Citation,
) -> Outcome:
    """Return how a child's age stands to a first grade.

    grade      1, 6 or 10; raises UnknownValue for any other
    year       the school year's beginning
    grounds    whether one of the listed grounds for over-age entry is shown
    over_age   how many years over the listed grounds allow
    shift      years repeated less years skipped before, which move the expected age
    """
    if grade not in ENTRY_AGES:
        raise UnknownValue(f"no entry age for grade {grade!r}", citation=at, name="grade", got=grade)
    for name, value in (("birth_year", birth_year), ("year", year), ("shift", shift)):
        if type(value) is not int:
            raise OutOfRange(f"{name}: {value!r}", citation=at, name=name, got=value)
    age, expected = year - birth_year, ENTRY_AGES[grade] + shift
    facts = {"age": age, "expected": expected, "grade": grade, "most": expected + over_age}
    if age < 0:
        raise OutOfRange(f"born after the year: {birth_year}", citation=at, name="birth_year", got=birth_year)
    if age == expected:
        return Outcome(ON_TIME, (Reason("entry-age-right", at, facts),))
    if age < expected:
        return Outcome(UNDER_AGE, (Reason("entry-age-under", at, facts),))
    if not grounds:
        return Outcome(OVER_AGE, (Reason("entry-age-over-needs-ground", at, facts),))
    if age <= expected + over_age:
        return Outcome(SPECIAL, (Reason("entry-age-over-with-ground", at, facts),))
    return Outcome(DECISION, (Reason("entry-age-needs-decision", at, facts),))


def check_class(learners: int, most: int, at: Citation) -> Outcome:
    """Return whether a class keeps within its size: "trong_muc" or "vuot_muc"."""
    check_count("learners", learners, at)
    facts = {"got": learners, "most": most}
    if learners > most:
        return Outcome(OVER, (Reason("class-too-large", at, facts),))
    return Outcome(WITHIN, (Reason("class-within-size", at, facts),))


def classes_needed(learners: int, most: int, at: Citation) -> int:
    """Return the least number of classes for so many learners."""
    check_count("learners", learners, at)
    return -(-learners // most)


def deadline(
    steps: Mapping[str, Step],
    step: str,
    received_on: date,
    *,
    same_province: bool,
    holidays: Collection[date] | None,
    at: Citation,
) -> date:
    """Return the last day of a step of a transfer; the day of receipt is day 0.

    Raises NotDefined for a step the instrument sets no days for.
    """
    if step not in steps:
        raise NotDefined(f"no days for {step!r}", citation=at, name="step", got=step, choices=tuple(steps))
    rule = steps[step]
    days = rule.days if same_province or rule.other is None else rule.other
    if rule.working:
        return add_working_days(received_on, days, holidays=holidays)
    return add_calendar_days(received_on, days)


def check_count(name: str, value: object, at: Citation) -> None:
    """Raise OutOfRange unless the value is a whole number from 0."""
    if type(value) is not int or value < 0:
        raise OutOfRange(f"{name}: {value!r}", citation=at, name=name, got=value)
