"""The first and the last day, year or exam of every rule set, and their neighbours."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from regulations import admission, completion, contests, diplomas, enrolment, graduation, universal_education
from regulations.core import NoRuleInForce

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


BEFORE = [
    (lambda: enrolment.rules_for(level="primary", year=2019), 2020),
    (lambda: enrolment.rules_for(level="upper_secondary", year=2000), 2020),
    (lambda: enrolment.transfer_rules_for(level="primary", day=date(2020, 10, 19)), date(2020, 10, 20)),
    (lambda: enrolment.transfer_rules_for(level="lower_secondary", day=date(2020, 10, 31)), date(2020, 11, 1)),
    (lambda: enrolment.rules_for(level="preschool", year=2025), None),
    (lambda: enrolment.transfer_rules_for(level="", day=date(2026, 1, 1)), None),
    (lambda: contests.rules_for(year=2022), 2023),
    (lambda: admission.rules_for(year=2013), 2014), (lambda: admission.specialised_for(year=2022), 2023),
    (lambda: completion.rules_for(year=2005), 2006), (lambda: graduation.rules_for(year=2014), 2015),
    (lambda: graduation.format_for(year=2024), 2025), (lambda: diplomas.rules_for(day=date(2020, 1, 14)), date(2020, 1, 15)),
    (lambda: universal_education.rules_for(year=2013), 2014), (lambda: universal_education.preschool35_for(year=2024), 2025),
]  # fmt: skip


@pytest.mark.parametrize(("ask", "since"), BEFORE)
def test_what_was_not_read_is_refused_with_its_reason(ask, since):
    """Charters before 2020 and contests before 2023 are in no source of ours: nothing later is put in their place."""
    with pytest.raises(NoRuleInForce) as refused:
        ask()
    assert refused.value.code == "no-rule-in-force"
    assert refused.value.facts["since"] == since and refused.value.facts["name"] in ("year", "day")
    assert ("there is no such rule set" if since is None else f"the rule sets read begin with {since}") in str(refused.value)
