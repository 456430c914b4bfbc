"""The first and the last day, year or exam of every rule set, and their neighbours."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from regulations import admission, completion, contests, diplomas, enrolment, graduation, universal_education

BY_YEAR = [
    *graduation.RULE_SETS, *graduation.FORMATS, *admission.RULE_SETS, admission.specialised_for(year=2025),
    *completion.RULE_SETS, *contests.RULE_SETS, *universal_education.CITING_MODULES,
]  # fmt: skip


def ends(rules) -> tuple[int, int | None]:
    if hasattr(rules, "FIRST_EXAM"):
        return rules.FIRST_EXAM, rules.LAST_EXAM
    return rules.FIRST_YEAR, rules.LAST_YEAR


@pytest.mark.parametrize("rules", BY_YEAR, ids=lambda rules: rules.ID)
def test_years_on_both_sides(rules):
    first, last = ends(rules)
    assert [rules.governs(year=year) for year in (first - 1, first, first + 1)][:2] == [False, True]
    assert rules.governs(year=2100) is (last is None)
    if last is not None:
        assert (rules.governs(year=last), rules.governs(year=last + 1)) == (True, False)


@pytest.mark.parametrize("rules", diplomas.RULE_SETS, ids=lambda rules: rules.ID)
def test_days_of_diplomas_on_both_sides(rules):
    assert (rules.governs(day=rules.FIRST_DAY - timedelta(1)), rules.governs(day=rules.FIRST_DAY)) == (False, True)
    assert rules.governs(day=date(2100, 1, 1)) is (rules.LAST_DAY is None)
    if rules.LAST_DAY is not None:
        assert (rules.governs(day=rules.LAST_DAY), rules.governs(day=rules.LAST_DAY + timedelta(1))) == (True, False)


@pytest.mark.parametrize("level", ["primary", "lower_secondary", "upper_secondary", "preschool"])
@pytest.mark.parametrize("rules", enrolment.RULE_SETS, ids=lambda rules: rules.ID)
def test_charters_on_both_sides(rules, level):
    is_its = level in rules.LEVELS
    assert rules.governs_on(level=level, day=rules.FIRST_DAY - timedelta(1)) is False
    assert rules.governs_on(level=level, day=rules.FIRST_DAY) is is_its
    assert rules.governs(level=level, year=rules.FIRST_YEAR - 1) is False
    assert rules.governs(level=level, year=rules.FIRST_YEAR) is is_its
    last_day = rules.LAST_DAY or date(2100, 1, 1)
    last_year = rules.LAST_YEAR or 2100
    assert rules.governs_on(level=level, day=last_day) is is_its
    assert rules.governs_on(level=level, day=last_day + timedelta(1)) is (is_its and rules.LAST_DAY is None)
    assert rules.governs(level=level, year=last_year) is is_its
    assert rules.governs(level=level, year=last_year + 1) is (is_its and rules.LAST_YEAR is None)
