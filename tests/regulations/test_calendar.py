"""Holidays, working days, deadlines and school years."""

import json
from datetime import date, timedelta
from importlib.resources import files

import holidays as published
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulations import calendar
from regulations.core import NoRuleInForce, OutOfRange, UnknownValue

VECTORS = json.loads(files("regulations.calendar").joinpath("vectors/days.json").read_text("utf-8"))

days = st.dates(date(2014, 1, 1), date(2049, 6, 30))


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["id"])
def test_vectors(case):
    operation = calendar.OPERATIONS[case["input"]["op"]]
    assert operation(case["input"], case["rule_set"]) == case["expected"]


@pytest.mark.parametrize("year", range(calendar.FIRST_YEAR, calendar.LAST_YEAR + 1))
def test_weekdays_off_agree_with_a_calendar_kept_by_others(year):
    theirs = {day for day in published.country_holidays("VN", years=year) if day.weekday() < 5}
    assert {day for day in calendar.days_off(year) if day.weekday() < 5} == theirs


def test_holidays_are_named():
    named = calendar.statutory_holidays(2026)
    assert list(named.values()).count("tet") == 5
    assert named[date(2026, 11, 24)] == "culture"
    assert date(2025, 11, 24) not in calendar.statutory_holidays(2025)
    assert list(named) == sorted(named)
    assert [day for day, code in calendar.statutory_holidays(2020).items() if code == "national"] == [
        date(2020, 9, 2)
    ]


def test_a_day_moved_is_off_and_its_saturday_is_worked():
    assert not calendar.is_working_day(date(2026, 8, 31))
    assert calendar.is_working_day(date(2026, 8, 22))
    assert calendar.is_working_day(date(2026, 8, 31), holidays=[])
    assert not calendar.is_working_day(date(2026, 8, 22), holidays=[])


@pytest.mark.parametrize("year", [2012, 2051])
def test_a_year_without_a_table_is_refused(year):
    with pytest.raises(NoRuleInForce) as refused:
        calendar.statutory_holidays(year)
    assert refused.value.facts["year"] == year


def test_working_days_go_by_the_tables_unless_told():
    assert calendar.add_working_days(date(2026, 2, 13), 1) == date(2026, 2, 23)
    assert (
        calendar.OPERATIONS["add_working_days"]({"from": "2026-02-13", "days": 1}, "calendar") == "2026-02-23"
    )
    assert calendar.add_working_days(date(2026, 2, 13), 1, holidays=[]) == date(2026, 2, 16)
    assert calendar.add_working_days(date(2026, 2, 14), 0) == date(2026, 2, 14)


@pytest.mark.parametrize("wrong", [-1, "3", None, True])
def test_a_wrong_number_of_days_is_refused(wrong):
    with pytest.raises(OutOfRange):
        calendar.add_working_days(date(2026, 9, 1), wrong)
    with pytest.raises(OutOfRange):
        calendar.add_calendar_days(date(2026, 9, 1), wrong)


@pytest.mark.parametrize("wrong", ["2026-02-30", "10/9/2026", "20260910", None, 20260910])
def test_a_wrong_date_is_refused(wrong):
    with pytest.raises(UnknownValue):
        calendar.read_day(wrong)


def test_a_deadline_on_a_day_of_rest_moves_on():
    assert calendar.next_working_day(date(2026, 4, 25)) == date(2026, 4, 28)
    assert calendar.next_working_day(date(2026, 4, 24)) == date(2026, 4, 24)


@given(days, st.integers(0, 60))
def test_adding_and_counting_working_days_agree(start, number):
    end = calendar.add_working_days(start, number)
    assert calendar.working_days_between(start, end) == number
    assert number == 0 or calendar.is_working_day(end)


@given(days, st.integers(0, 400))
def test_calendar_days_are_days(start, number):
    assert calendar.add_calendar_days(start, number) - start == timedelta(days=number)


def test_working_days_between_is_zero_backwards():
    assert calendar.working_days_between(date(2026, 9, 10), date(2026, 9, 1)) == 0


@pytest.mark.parametrize(
    "day, year", [(date(2026, 7, 31), 2025), (date(2026, 8, 1), 2026), (date(2027, 1, 1), 2026)]
)
def test_school_year_of(day, year):
    assert calendar.school_year_of(day) == year


def test_where_the_school_year_begins_is_a_setting():
    assert calendar.school_year_of(date(2026, 6, 1), begins=(6, 1)) == 2026
    assert calendar.school_year_of(date(2026, 5, 31), begins=(6, 1)) == 2025


def test_the_frame_of_a_year_with_a_decision():
    plan = calendar.year_plan(2025)
    assert (plan.decision, plan.weeks) == ("2269/QĐ-BGDĐT", (18, 17))
    assert plan.gathering_early_on == date(2025, 8, 22)
    assert plan.gathering_on == date(2025, 8, 29)
    assert plan.opening_on == date(2025, 9, 5)
    assert (plan.term1_ends_by, plan.term2_ends_by) == (date(2026, 1, 18), date(2026, 5, 31))


def test_the_frame_of_a_year_without_a_decision_says_so():
    plan = calendar.year_plan(2030)
    assert plan.decision is None
    assert plan.closes_by == date(2031, 5, 31)


def test_teaching_weeks_pass_over_a_week_without_teaching():
    tet = [date(2026, 2, 16) + timedelta(days=ahead) for ahead in range(5)]
    weeks = calendar.teaching_weeks(date(2026, 2, 11), 3, breaks=tet)
    assert weeks == (date(2026, 2, 9), date(2026, 2, 23), date(2026, 3, 2))
    assert calendar.teaching_weeks(date(2026, 2, 11), 2, breaks=tet[:4])[1] == date(2026, 2, 16)


def test_a_term_without_weeks_is_refused():
    with pytest.raises(OutOfRange):
        calendar.teaching_weeks(date(2026, 9, 7), 0)
