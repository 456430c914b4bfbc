"""Circular 15/2026/TT-BGDĐT: one charter for all general schools, in force 10/5/2026.

Days of a transfer are those of the published draft, ages and sizes those of the charters it replaced, until
somebody has read its text; see docs/open-questions.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from regulations.core import Citation, NoRuleInForce, Outcome, cites
from regulations.enrolment import tt_28_2020 as primary
from regulations.enrolment import tt_32_2020 as secondary
from regulations.enrolment.base import Step, check_class, deadline
from regulations.enrolment.base import classes_needed as count_classes
from regulations.enrolment.base import entry_age as age_of_entry

ID = "enrol.tt15-2026"
INSTRUMENT = "15/2026/TT-BGDĐT"
TITLE = "Điều lệ trường tiểu học, trung học cơ sở, trung học phổ thông và trường phổ thông có nhiều cấp học"
LEVELS = ("primary", "lower_secondary", "upper_secondary")
FIRST_DAY, LAST_DAY = date(2026, 5, 10), None
FIRST_YEAR, LAST_YEAR = 2026, None
VERSION = 1

# Our reading: the numbers of the charters replaced are restated.
CLASS_SIZES = {
    "primary": primary.CLASS_SIZE,
    "lower_secondary": secondary.CLASS_SIZE,
    "upper_secondary": secondary.CLASS_SIZE,
}
OVER_AGE = primary.OVER_AGE

STEPS = {
    "answer": Step(5, working=False, other=8),
    "hand-over": Step(3, working=False),
    "placement": Step(5),
}
"""Our reading: "ngày" are calendar days where the draft does not say working days."""

PLACE = Citation(INSTRUMENT)


def governs(*, level: str, year: int) -> bool:
    """Return whether it governs the level in the school year that begins in `year`."""
    return level in LEVELS and year >= FIRST_YEAR


def governs_on(*, level: str, day: date) -> bool:
    """Return whether it governs a transfer of the level on that day."""
    return level in LEVELS and day >= FIRST_DAY


@cites(INSTRUMENT)
def entry_age(*, birth_year: int, year: int, grade: int, grounds: bool = False, shift: int = 0) -> Outcome:
    """Return how a child's age stands to grade 1, 6 or 10; see `base.entry_age`."""
    return age_of_entry(
        grade=grade,
        birth_year=birth_year,
        year=year,
        grounds=grounds,
        over_age=OVER_AGE,
        shift=shift,
        at=PLACE,
    )


@cites(INSTRUMENT)
def class_size(learners: int, *, level: str, province_most: int | None = None) -> Outcome:
    """Return whether a class of the level keeps within its size, or the province's lower number."""
    most = _size(level)
    return check_class(learners, most if province_most is None else min(most, province_most), PLACE)


@cites(INSTRUMENT)
def classes_needed(learners: int, *, level: str) -> int:
    """Return the least number of classes of the level for so many learners."""
    return count_classes(learners, _size(level), PLACE)


@cites(INSTRUMENT)
def transfer_deadline(
    step: str,
    received_on: date,
    *,
    same_province: bool = True,
    holidays: Collection[date] | None = None,
    steps: Mapping[str, Step] = STEPS,
) -> date:
    """Return the last day of a step: "answer", "hand-over" or "placement"; else NotDefined.

    steps   the days once the text is read; the default is the draft's
    """
    return deadline(steps, step, received_on, same_province=same_province, holidays=holidays, at=PLACE)


def _size(level: str) -> int:
    if level not in CLASS_SIZES:
        raise NoRuleInForce(f"no class size for {level!r}", citation=PLACE, name="level", got=level)
    return CLASS_SIZES[level]
