"""Public holidays of Vietnam, working days, and deadlines counted in them.

The Labour Code names the holidays; the lunar ones come from a table, since their astronomy is no law. When
a holiday falls on the weekly rest the next working day is off instead; what the government moves beyond that
(a Monday off for a Saturday worked) is data by year.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from functools import cache

from regulations.core import NoRuleInForce, OutOfRange, UnknownValue, cites

LABOUR_CODE = "45/2019/QH14"
LABOUR_CODE_2012 = "10/2012/QH13"
CIVIL_CODE = "91/2015/QH13"

SATURDAY, SUNDAY = 5, 6
DAY = timedelta(days=1)

TET = {
    2013: (2, 10), 2014: (1, 31), 2015: (2, 19), 2016: (2, 8), 2017: (1, 28), 2018: (2, 16), 2019: (2, 5),
    2020: (1, 25), 2021: (2, 12), 2022: (2, 1), 2023: (1, 22), 2024: (2, 10), 2025: (1, 29), 2026: (2, 17),
    2027: (2, 6), 2028: (1, 26), 2029: (2, 13), 2030: (2, 2), 2031: (1, 23), 2032: (2, 11), 2033: (1, 31),
    2034: (2, 19), 2035: (2, 8), 2036: (1, 28), 2037: (2, 15), 2038: (2, 4), 2039: (1, 24), 2040: (2, 12),
    2041: (2, 1), 2042: (1, 22), 2043: (2, 10), 2044: (1, 30), 2045: (2, 17), 2046: (2, 6), 2047: (1, 26),
    2048: (2, 14), 2049: (2, 2), 2050: (1, 23),
}  # fmt: skip
"""Year to (month, day) of the first day of the first lunar month."""

HUNG_KINGS = {
    2013: (4, 19), 2014: (4, 9), 2015: (4, 28), 2016: (4, 16), 2017: (4, 6), 2018: (4, 25), 2019: (4, 14),
    2020: (4, 2), 2021: (4, 21), 2022: (4, 10), 2023: (4, 29), 2024: (4, 18), 2025: (4, 7), 2026: (4, 26),
    2027: (4, 16), 2028: (4, 4), 2029: (4, 23), 2030: (4, 12), 2031: (4, 1), 2032: (4, 19), 2033: (4, 9),
    2034: (4, 28), 2035: (4, 17), 2036: (4, 6), 2037: (4, 24), 2038: (4, 13), 2039: (4, 3), 2040: (4, 20),
    2041: (4, 10), 2042: (4, 29), 2043: (4, 19), 2044: (4, 7), 2045: (4, 26), 2046: (4, 15), 2047: (4, 4),
    2048: (4, 22), 2049: (4, 11), 2050: (4, 1),
}  # fmt: skip
"""Year to (month, day) of the tenth day of the third lunar month."""

FIRST_YEAR, LAST_YEAR = min(TET), max(TET)

TET_FROM, TET_TO = -1, 3
"""Our reading: the five days of Tết are its eve and four days; the government may choose others."""

NATIONAL_DAY_SECOND = {0: 1, 1: -1, 2: -1, 3: 1, 4: -1, 5: -1, 6: 1}
"""Weekday of 2 September (Monday is 0) to the side on which its second day lies.

Our reading: the government's choices so far, carried on; a year decided otherwise is an entry in SWAPS."""

NATIONAL_DAY_SECOND_SINCE = 2021
CULTURE_DAY_SINCE = 2026
TET_SATURDAY_BACK_SINCE = 2014
"""Since then the government takes a Tết Saturday's substitute before the holiday, a Sunday's after it."""

SWAPS = {
    2013: ((date(2013, 4, 29), date(2013, 5, 4)),),
    2014: ((date(2014, 5, 2), date(2014, 4, 26)), (date(2014, 9, 1), date(2014, 9, 6))),
    2015: (
        (date(2015, 1, 2), date(2014, 12, 27)),
        (date(2015, 2, 16), date(2015, 2, 14)),
        (date(2015, 4, 29), date(2015, 4, 25)),
    ),
    2018: ((date(2018, 12, 31), date(2019, 1, 5)),),
    2019: ((date(2019, 4, 29), date(2019, 5, 4)),),
    2024: ((date(2024, 4, 29), date(2024, 5, 4)),),
    2025: ((date(2025, 5, 2), date(2025, 4, 26)),),
    2026: ((date(2026, 8, 31), date(2026, 8, 22)),),
}
"""Year to (day off, Saturday worked for it), as the government announced them to public bodies."""

WORKED_SATURDAYS = frozenset(worked for swaps in SWAPS.values() for _, worked in swaps)


@cites(LABOUR_CODE, article=112, clause=1)
@cache
def statutory_holidays(year: int) -> dict[date, str]:
    """Return the holidays of a calendar year with their codes, before anything is moved.

    Codes: new-year, tet, hung-kings, reunification, labour, national, culture. Raises NoRuleInForce for a
    year whose lunar days are not in the table (2013 to 2050).
    """
    if year not in TET:
        raise NoRuleInForce(f"no table of holidays for {year}", year=year, first=FIRST_YEAR, last=LAST_YEAR)
    tet, hung_kings, national = date(year, *TET[year]), date(year, *HUNG_KINGS[year]), date(year, 9, 2)
    holidays = {date(year, 1, 1): "new-year"}
    holidays |= {tet + delta * DAY: "tet" for delta in range(TET_FROM, TET_TO + 1)}
    holidays |= {hung_kings: "hung-kings", date(year, 4, 30): "reunification", date(year, 5, 1): "labour"}
    holidays[national] = "national"
    if year >= NATIONAL_DAY_SECOND_SINCE:
        holidays[national + NATIONAL_DAY_SECOND[national.weekday()] * DAY] = "national"
    if year >= CULTURE_DAY_SINCE:
        holidays[date(year, 11, 24)] = "culture"
    return dict(sorted(holidays.items()))


@cites(LABOUR_CODE, article=111, clause=3)
@cache
def days_off(year: int) -> frozenset[date]:
    """Return the days of a year on which public bodies rest besides the weekly rest, substitutes included.

    Holidays that fall on a Saturday or Sunday are in it too. Raises NoRuleInForce as `statutory_holidays`.
    """
    named = statutory_holidays(year)
    off = set(named)
    for day, code in named.items():
        if day.weekday() in (SATURDAY, SUNDAY) and not _second_national_day(day):
            back = code == "tet" and day.weekday() == SATURDAY and year >= TET_SATURDAY_BACK_SINCE
            off.add(_substitute(day, off, -DAY if back else DAY))
    return frozenset(off | {moved for moved, _ in SWAPS.get(year, ())})


@cites(LABOUR_CODE, article=111, clause=3)
def is_working_day(day: date, *, holidays: Collection[date] | None = None) -> bool:
    """Return whether public bodies work on the day.

    holidays   the days off to go by besides Saturdays and Sundays; None takes the tables of this module,
               with the Saturdays worked for a day off moved
    """
    if holidays is not None:
        return day.weekday() not in (SATURDAY, SUNDAY) and day not in holidays
    if day in WORKED_SATURDAYS:
        return True
    return day.weekday() not in (SATURDAY, SUNDAY) and day not in days_off(day.year)


@cites(CIVIL_CODE, article=147)
def add_working_days(start: date, days: int, *, holidays: Collection[date] | None = None) -> date:
    """Return the last day of a period of `days` working days; the day of receipt is day 0.

    Raises OutOfRange for a negative number and NoRuleInForce beyond the tables when `holidays` is None.
    """
    _check_days(days)
    day = start
    while days:
        day += DAY
        days -= is_working_day(day, holidays=holidays)
    return day


@cites(CIVIL_CODE, article=147)
def add_calendar_days(start: date, days: int) -> date:
    """Return the last day of a period of `days` days of any kind; the day of the event is day 0.

    Raises OutOfRange for a negative number.
    """
    _check_days(days)
    return start + days * DAY


@cites(CIVIL_CODE, article=148, clause=5)
def next_working_day(day: date, *, holidays: Collection[date] | None = None) -> date:
    """Return the day itself or, when it is a day of rest, the first working day after it."""
    while not is_working_day(day, holidays=holidays):
        day += DAY
    return day


@cites(CIVIL_CODE, article=147)
def working_days_between(start: date, end: date, *, holidays: Collection[date] | None = None) -> int:
    """Return how many working days lie after `start` up to and with `end`; 0 when `end` is not later."""
    return sum(
        is_working_day(start + ahead * DAY, holidays=holidays) for ahead in range(1, (end - start).days + 1)
    )


@cites(CIVIL_CODE, article=147)
def read_day(text: object) -> date:
    """Return a date written `2026-09-10`; raise UnknownValue for anything else."""
    try:
        return date.fromisoformat(text) if isinstance(text, str) and len(text) == 10 else _refuse(text)
    except ValueError:
        return _refuse(text)


def _refuse(text: object) -> date:
    raise UnknownValue(f"not a date: {text!r}", got=text)


def _check_days(days: object) -> None:
    if type(days) is not int or days < 0:
        raise OutOfRange(f"not a number of days: {days!r}", name="days", got=days)


def _second_national_day(day: date) -> bool:
    """Return whether it is the second day of National Day, which the government already places."""
    return day.month == 9 and day.day != 2


def _substitute(day: date, off: Collection[date], step: timedelta) -> date:
    """Return the nearest weekday in the step's direction that is not off."""
    while day in off or day.weekday() in (SATURDAY, SUNDAY):
        day += step
    return day
