"""School years: the framework of dates the ministry sets for each, and its terms in weeks.

A province sets its own days inside the framework; those are its data and not here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from regulations.core import OutOfRange, cites

PROGRAMME = "32/2018/TT-BGDĐT"
LAW = "43/2019/QH14"

WEEKS = (18, 17)
"""Teaching weeks of the first and the second term: 35 a year."""

YEAR_BEGINS = (8, 1)
"""Our reading: from 1 August an event belongs to the year that begins; summer retests and the graduation
exam belong to the year before."""

OPENING = (9, 5)


@dataclass(frozen=True, slots=True)
class YearPlan:
    """The ministry's framework for one school year.

    year           the calendar year in which it begins
    gathering_on   the earliest day pupils come back; `gathering_early_on` for grades 1, 9 and 12
    opening_on     the opening day
    term1_ends_by, term2_ends_by, closes_by   the last days allowed
    weeks          teaching weeks of each term
    decision       the ministry's decision, None where it is not in our data and the usual frame is assumed
    """

    year: int
    gathering_on: date
    gathering_early_on: date
    opening_on: date
    term1_ends_by: date
    term2_ends_by: date
    closes_by: date
    weeks: tuple[int, int] = WEEKS
    decision: str | None = None


FRAMES: dict[int, tuple[str, tuple[int, int], tuple[int, int], tuple[int, int]]] = {
    2020: ("2084/QĐ-BGDĐT", (1, 16), (5, 25), (5, 31)),
    2021: ("2551/QĐ-BGDĐT", (1, 16), (5, 25), (5, 31)),
    2022: ("2159/QĐ-BGDĐT", (1, 15), (5, 25), (5, 31)),
    2023: ("2171/QĐ-BGDĐT", (1, 15), (5, 25), (5, 31)),
    2024: ("2045/QĐ-BGDĐT", (1, 18), (5, 31), (5, 31)),
    2025: ("2269/QĐ-BGDĐT", (1, 18), (5, 31), (5, 31)),
}
"""Year to (decision, first term ends by, second term ends by, year closes by), month and day of the next year."""

USUAL = ((1, 18), (5, 31), (5, 31))
"""Our reading: a year without a decision in our data is laid out like the latest that has one."""


@cites(LAW)
def school_year_of(day: date, *, begins: tuple[int, int] = YEAR_BEGINS) -> int:
    """Return the year in which the school year that an event of this day belongs to begins.

    begins   month and day from which an event belongs to the year that begins
    """
    return day.year if (day.month, day.day) >= begins else day.year - 1


@cites(LAW)
def year_plan(year: int) -> YearPlan:
    """Return the framework of the school year that begins in `year`; see `YearPlan.decision`."""
    decision: str | None
    decision, term1, term2, closing = FRAMES.get(year, (None, *USUAL))
    opening = date(year, *OPENING)
    return YearPlan(
        year=year,
        gathering_on=opening - timedelta(days=7),
        gathering_early_on=opening - timedelta(days=14),
        opening_on=opening,
        term1_ends_by=date(year + 1, *term1),
        term2_ends_by=date(year + 1, *term2),
        closes_by=date(year + 1, *closing),
        decision=decision,
    )


@cites(PROGRAMME)
def teaching_weeks(starts_on: date, weeks: int, *, breaks: Collection[date] = ()) -> tuple[date, ...]:
    """Return the Mondays of `weeks` teaching weeks from the one `starts_on` lies in.

    breaks   days without teaching; a week whose Monday to Friday are all among them does not count

    Raises OutOfRange for fewer than one week.
    """
    if weeks < 1:
        raise OutOfRange("a term has at least one week", name="weeks", got=weeks)
    monday = starts_on - timedelta(days=starts_on.weekday())
    found: list[date] = []
    while len(found) < weeks:
        if not all(monday + timedelta(days=ahead) in breaks for ahead in range(5)):
            found.append(monday)
        monday += timedelta(days=7)
    return tuple(found)
