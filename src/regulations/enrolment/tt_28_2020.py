"""Circular 28/2020/TT-BGDĐT: the primary school's charter, in force 20/10/2020 to 09/5/2026."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from regulations.core import Citation, Outcome, Reason, cites
from regulations.enrolment.base import (
    OVER,
    Step,
    check_class,
    check_count,
    deadline,
)
from regulations.enrolment.base import classes_needed as count_classes
from regulations.enrolment.base import entry_age as age_of_entry

ID = "enrol.tt28-2020"
INSTRUMENT = "28/2020/TT-BGDĐT"
TITLE = "Điều lệ trường tiểu học"
LEVELS = ("primary",)
FIRST_DAY, LAST_DAY = date(2020, 10, 20), date(2026, 5, 9)
FIRST_YEAR, LAST_YEAR = 2020, 2025
VERSION = 1

CLASS_SIZE = 35
INCLUSIVE_MOST = 2
MULTI_GRADE_LEVELS, MULTI_GRADE_LEVELS_BY_EXCEPTION, MULTI_GRADE_SIZE = 2, 3, 15
OVER_AGE = 3

OVER_AGE_GROUNDS = (
    "disability",
    "underdeveloped",
    "difficult-area",
    "ethnic-minority",
    "orphan",
    "returning-from-abroad",
    "child-of-foreigner",
)

STEPS = {"answer": Step(3), "hand-over": Step(3), "placement": Step(3)}
"""Receiving school's answer, sending school's file, placement: working days each (Article 36)."""

CLASSES, ENTRY, TRANSFER = Citation(INSTRUMENT, 16), Citation(INSTRUMENT, 33), Citation(INSTRUMENT, 36)


def governs(*, level: str, year: int) -> bool:
    """Return whether it governs the level in the school year that begins in `year`."""
    return level in LEVELS and FIRST_YEAR <= year <= LAST_YEAR


def governs_on(*, level: str, day: date) -> bool:
    """Return whether it governs a transfer of the level on that day."""
    return level in LEVELS and FIRST_DAY <= day <= LAST_DAY


@cites(INSTRUMENT, article=33)
def entry_age(
    *, birth_year: int, year: int, grade: int = 1, grounds: bool = False, shift: int = 0
) -> Outcome:
    """Return how a child's age stands to grade 1; see `base.entry_age`."""
    return age_of_entry(
        grade=grade,
        birth_year=birth_year,
        year=year,
        grounds=grounds,
        over_age=OVER_AGE,
        shift=shift,
        at=ENTRY,
    )


@cites(INSTRUMENT, article=16)
def class_size(learners: int, *, disabled: int = 0, principal_allows_more: bool = False) -> Outcome:
    """Return whether a class keeps within 35 learners and an inclusive one within 2 who are disabled."""
    check_count("disabled", disabled, CLASSES)
    outcome = check_class(learners, CLASS_SIZE, CLASSES)
    if disabled > INCLUSIVE_MOST and not principal_allows_more:
        reason = Reason("too-many-disabled-in-class", CLASSES, {"got": disabled, "most": INCLUSIVE_MOST})
        return Outcome(OVER, (*(outcome.because if outcome.level == OVER else ()), reason))
    return outcome


@cites(INSTRUMENT, article=16)
def multi_grade_class(learners: int, *, levels: int, exception: bool = False) -> Outcome:
    """Return whether a class of several grades keeps within 15 learners and 2 levels, 3 by exception."""
    most_levels = MULTI_GRADE_LEVELS_BY_EXCEPTION if exception else MULTI_GRADE_LEVELS
    check_count("levels", levels, CLASSES)
    outcome = check_class(learners, MULTI_GRADE_SIZE, CLASSES)
    if levels > most_levels:
        reason = Reason("too-many-grades-in-class", CLASSES, {"got": levels, "most": most_levels})
        return Outcome(OVER, (*(outcome.because if outcome.level == OVER else ()), reason))
    return outcome


@cites(INSTRUMENT, article=16)
def classes_needed(learners: int) -> int:
    """Return the least number of classes of at most 35 for so many learners."""
    return count_classes(learners, CLASS_SIZE, CLASSES)


@cites(INSTRUMENT, article=36)
def transfer_deadline(
    step: str, received_on: date, *, same_province: bool = True, holidays: Collection[date] | None = None
) -> date:
    """Return the last day of a step: "answer", "hand-over" or "placement"; else NotDefined."""
    return deadline(STEPS, step, received_on, same_province=same_province, holidays=holidays, at=TRANSFER)
