"""Circular 32/2020/TT-BGDĐT: the charter of secondary schools, in force 01/11/2020 to 09/5/2026.

Transfers followed decision 51/2002/QĐ-BGDĐT with circular 50/2021, which set no days for the steps.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from regulations.core import Citation, Outcome, Reason, cites
from regulations.enrolment.base import Step, check_class, check_count, deadline
from regulations.enrolment.base import classes_needed as count_classes
from regulations.enrolment.base import entry_age as age_of_entry

ID = "enrol.tt32-2020"
INSTRUMENT = "32/2020/TT-BGDĐT"
TRANSFERS = "51/2002/QĐ-BGDĐT"
TITLE = "Điều lệ trường trung học cơ sở, trường trung học phổ thông và trường phổ thông có nhiều cấp học"
LEVELS = ("lower_secondary", "upper_secondary")
FIRST_DAY, LAST_DAY = date(2020, 11, 1), date(2026, 5, 9)
FIRST_YEAR, LAST_YEAR = 2020, 2025
VERSION = 1

CLASS_SIZE = 45
OVER_AGE = 3
MOST_REPEATS = 3

OVER_AGE_GROUNDS = ("ethnic-minority", "disability", "disadvantaged", "returning-from-abroad")

STEPS: dict[str, Step] = {}

CLASSES, ENTRY = Citation(INSTRUMENT, 16), Citation(INSTRUMENT, 33)


def governs(*, level: str, year: int) -> bool:
    """Return whether it governs the level in the school year that begins in `year`."""
    return level in LEVELS and FIRST_YEAR <= year <= LAST_YEAR


def governs_on(*, level: str, day: date) -> bool:
    """Return whether it governs a transfer of the level on that day."""
    return level in LEVELS and FIRST_DAY <= day <= LAST_DAY


@cites(INSTRUMENT, article=33)
def entry_age(*, birth_year: int, year: int, grade: int, grounds: bool = False, shift: int = 0) -> Outcome:
    """Return how a child's age stands to grade 6 or 10; see `base.entry_age`."""
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
def class_size(learners: int, *, province_most: int | None = None) -> Outcome:
    """Return whether a class keeps within 45 learners, or within the province's lower number."""
    most = CLASS_SIZE if province_most is None else min(CLASS_SIZE, province_most)
    return check_class(learners, most, CLASSES)


@cites(INSTRUMENT, article=16)
def classes_needed(learners: int) -> int:
    """Return the least number of classes of at most 45 for so many learners."""
    return count_classes(learners, CLASS_SIZE, CLASSES)


@cites(INSTRUMENT, article=33)
def may_repeat(times: int) -> Outcome:
    """Return whether a learner who repeated `times` in this level may repeat again: "duoc" or "khong_duoc"."""
    check_count("times", times, ENTRY)
    facts = {"got": times, "most": MOST_REPEATS}
    if times >= MOST_REPEATS:
        return Outcome("khong_duoc", (Reason("repeated-too-often", ENTRY, facts),))
    return Outcome("duoc", (Reason("may-repeat", ENTRY, facts),))


@cites(TRANSFERS)
def transfer_deadline(
    step: str, received_on: date, *, same_province: bool = True, holidays: Collection[date] | None = None
) -> date:
    """Raise NotDefined: the decision set no days."""
    return deadline(
        STEPS, step, received_on, same_province=same_province, holidays=holidays, at=Citation(TRANSFERS)
    )
