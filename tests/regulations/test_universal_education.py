"""Universal education and literacy: exact ratios on both sides of every threshold."""

import json
from datetime import date
from fractions import Fraction
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulations import universal_education
from regulations.core import IncompleteMarks, NoRuleInForce, OutOfRange, UnknownValue
from regulations.universal_education import NobodyToCount, NotConfigured, Share

VECTORS = json.loads(
    files("regulations.universal_education").joinpath("vectors/universal_education.json").read_text("utf-8")
)

rules = universal_education.rules_for(year=2025)
young = universal_education.preschool35_for(year=2025)


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["id"])
def test_vectors(case):
    operation = universal_education.OPERATIONS[case["input"]["op"]]
    got = operation(case["input"], case["rule_set"])
    assert (type(got), got) == (type(case["expected"]), case["expected"])


def test_the_year_decides():
    assert universal_education.rules_for(year=2014) is rules
    with pytest.raises(NoRuleInForce):
        universal_education.rules_for(year=2013)
    with pytest.raises(NoRuleInForce):
        universal_education.preschool35_for(year=2024)


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(0, 100))
def test_shares_are_exact(part, whole, percent):
    assert Share("x", part, whole).reaches(percent) is (Fraction(part, whole) * 100 >= percent)


# preschool


def preschool(**changes):
    given = {
        "difficult": False,
        "children": 1000,
        "at_school": 950,
        "of_finishing_age": 1000,
        "finished": 850,
    }
    return rules.preschool5_commune(**(given | changes))


@pytest.mark.parametrize(
    "changes, level",
    [
        ({}, "dat"),
        ({"at_school": 949}, "khong_dat"),
        ({"finished": 849}, "khong_dat"),
        ({"difficult": True, "at_school": 900, "finished": 800}, "dat"),
        ({"difficult": True, "at_school": 899}, "khong_dat"),
        ({"difficult": True, "finished": 799}, "khong_dat"),
    ],
)
def test_preschool_both_sides(changes, level):
    outcome = preschool(**changes)
    assert outcome.level == level
    assert len(outcome.because) == 2
    assert outcome.because[0].facts["whole"] == 1000


@pytest.mark.parametrize(
    "changes, error",
    [
        ({"at_school": None}, IncompleteMarks),
        ({"children": None}, IncompleteMarks),
        ({"at_school": 1001}, OutOfRange),
        ({"at_school": -1}, OutOfRange),
        ({"at_school": "950"}, OutOfRange),
        ({"children": 0, "at_school": 0}, NobodyToCount),
    ],
)
def test_wrong_counts_are_named(changes, error):
    with pytest.raises(error) as refused:
        preschool(**changes)
    assert refused.value.facts["name"] == "at_school"
    assert str(refused.value.citation) == "20/2014/NĐ-CP#6"


# primary


def primary(**changes):
    given = {
        "difficult": False,
        "six": 1000,
        "six_entered": 980,
        "fourteen": 1000,
        "fourteen_finished": 800,
        "eleven": 1000,
        "eleven_finished": 900,
        "eleven_in_primary": 100,
    }
    return rules.primary_level_commune(**(given | changes))


HARD = {"difficult": True, "fourteen_finished": 700, "eleven_finished": 800, "eleven_in_primary": 200}


@pytest.mark.parametrize(
    "changes, level",
    [
        ({}, 3),
        ({"six_entered": 979}, 2),
        ({"six_entered": 949}, 1),
        ({"six_entered": 899}, 0),
        ({"fourteen_finished": 799}, 0),
        ({"eleven_finished": 899, "eleven_in_primary": 101}, 2),
        ({"eleven_finished": 800, "eleven_in_primary": 200}, 2),
        ({"eleven_finished": 799, "eleven_in_primary": 201}, 1),
        ({"eleven_in_primary": 99}, 1),
        (HARD, 3),
        (HARD | {"fourteen_finished": 699}, 0),
        (HARD | {"eleven_finished": 799, "eleven_in_primary": 201}, 2),
        (HARD | {"eleven_finished": 699, "eleven_in_primary": 301}, 1),
        (HARD | {"six_entered": 899}, 0),
    ],
)
def test_primary_both_sides(changes, level):
    outcome = primary(**changes)
    assert universal_education.level_number(outcome) == level
    failed = [reason for reason in outcome.because if reason.code.endswith("below")]
    assert bool(failed) is (level < 3)


def test_whether_level_3_wants_every_child_in_class_is_a_setting():
    codes = [reason.code for reason in primary(level3_all_in_primary=False).because]
    assert codes.count("primary-others-in-class-reached") == 1
    assert [reason.code for reason in primary().because].count("primary-others-in-class-reached") == 2


def test_more_children_than_there_are_is_refused():
    with pytest.raises(OutOfRange):
        primary(eleven_in_primary=101)


# lower secondary


def lower_secondary(**changes):
    given = {
        "difficult": False,
        "primary_level": 1,
        "literacy_level": 1,
        "aged_15_18": 1000,
        "completed": 950,
        "in_upper_secondary": 800,
    }
    return rules.lower_secondary_level_commune(**(given | changes))


@pytest.mark.parametrize(
    "changes, level",
    [
        ({}, 3),
        ({"in_upper_secondary": 799}, 2),
        ({"completed": 949}, 2),
        ({"completed": 900}, 2),
        ({"completed": 899}, 1),
        ({"completed": 800}, 1),
        ({"completed": 799}, 0),
        ({"primary_level": 0}, 0),
        ({"literacy_level": 0}, 0),
        ({"difficult": True, "completed": 900, "in_upper_secondary": 700}, 3),
        ({"difficult": True, "completed": 899}, 2),
        ({"difficult": True, "completed": 799}, 1),
        ({"difficult": True, "completed": 699}, 0),
        ({"difficult": True, "in_upper_secondary": 699}, 2),
    ],
)
def test_lower_secondary_both_sides(changes, level):
    assert universal_education.level_number(lower_secondary(**changes)) == level


@pytest.mark.parametrize(
    "changes", [{"primary_level": 4}, {"literacy_level": 3}, {"primary_level": -1}, {"literacy_level": None}]
)
def test_levels_that_do_not_exist_are_refused(changes):
    with pytest.raises(OutOfRange):
        lower_secondary(**changes)


# literacy


@pytest.mark.parametrize(
    "difficult, literate1, literate2, level",
    [
        (False, {"15-35": 900}, {"15-60": 900}, 2),
        (False, {"15-35": 900}, {"15-60": 899}, 1),
        (False, {"15-35": 899}, {"15-60": 900}, 0),
        (True, {"15-25": 900}, {"15-35": 900}, 2),
        (True, {"15-25": 900}, {"15-35": 899}, 1),
        (True, {"15-25": 899}, {"15-35": 900}, 0),
    ],
)
def test_literacy_both_sides(difficult, literate1, literate2, level):
    population = dict.fromkeys(["15-25", "15-35", "15-60"], 1000)
    outcome = rules.literacy_level_commune(
        difficult=difficult, population=population, literate1=literate1, literate2=literate2
    )
    assert universal_education.level_number(outcome) == level


def test_a_missing_age_group_is_named():
    with pytest.raises(IncompleteMarks) as refused:
        rules.literacy_level_commune(difficult=False, population={"15-35": 1}, literate1={}, literate2={})
    assert refused.value.facts["name"] == "literate1.15-35"


@pytest.mark.parametrize(
    "grade, stage, level",
    [(0, 0, 0), (2, 0, 0), (3, 0, 1), (4, 0, 1), (5, 0, 2), (0, 1, 1), (0, 2, 2), (3, 2, 2), (5, 1, 2)],
)
def test_literate_persons(grade, stage, level):
    assert rules.literate_person(grade_completed=grade, literacy_stage=stage) == level


@pytest.mark.parametrize("wrong", [{"grade_completed": 13}, {"literacy_stage": 3}, {"grade_completed": None}])
def test_wrong_persons_are_refused(wrong):
    with pytest.raises(OutOfRange):
        rules.literate_person(**({"grade_completed": 0, "literacy_stage": 0} | wrong))


# who counts


@pytest.mark.parametrize(
    "residence, months, state, disability, counted",
    [
        ("permanent", 0, "present", None, True),
        ("other", 6, "present", None, True),
        ("other", 5, "present", None, False),
        ("permanent", 12, "moved", None, False),
        ("permanent", 12, "dead", None, False),
        ("permanent", 12, "present", "able", True),
        ("permanent", 12, "present", "unable", False),
    ],
)
def test_who_counts(residence, months, state, disability, counted):
    assert (
        rules.counts(residence=residence, months_present=months, state=state, disability=disability)
        is counted
    )


@pytest.mark.parametrize(
    "wrong, error",
    [
        ({"residence": "hotel"}, UnknownValue),
        ({"state": "away"}, UnknownValue),
        ({"disability": "some"}, UnknownValue),
        ({"months_present": -1}, OutOfRange),
        ({"months_present": None}, OutOfRange),
    ],
)
def test_wrong_residents_are_refused(wrong, error):
    with pytest.raises(error):
        rules.counts(**({"residence": "permanent", "months_present": 1, "state": "present"} | wrong))


def test_ages_are_counted_by_year():
    assert rules.age(2026, 2015) == 11
    assert rules.age(2026, 2026) == 0
    for wrong in (2027, "2015"):
        with pytest.raises(OutOfRange):
            rules.age(2026, wrong)


# districts and provinces


@pytest.mark.parametrize("standard", sorted(rules.AGGREGATE))
@pytest.mark.parametrize("level", ["district", "province"])
def test_aggregates_both_sides(standard, level):
    needed = rules.AGGREGATE[standard][level]
    assert rules.aggregate_recognised(standard, level=level, recognised=needed, units=100).level == "dat"
    assert (
        rules.aggregate_recognised(standard, level=level, recognised=needed - 1, units=100).level
        == "khong_dat"
    )


def test_two_tiers_wait_for_a_ratio():
    with pytest.raises(NotConfigured):
        rules.aggregate_recognised("thcs1", level="province_from_communes", recognised=9, units=10)
    outcome = rules.aggregate_recognised(
        "thcs1", level="province_from_communes", recognised=9, units=10, percent=90
    )
    assert outcome.level == "dat"


@pytest.mark.parametrize("wrong", [{"standard": "thcs4"}, {"level": "hamlet"}])
def test_unknown_aggregates_are_refused(wrong):
    given = {"standard": "thcs1", "level": "district"} | wrong
    with pytest.raises(UnknownValue):
        rules.aggregate_recognised(given["standard"], level=given["level"], recognised=9, units=10)


def test_the_report_has_a_day():
    assert rules.report_before(2026) == date(2026, 10, 10)


# ages 3 to 5


def test_ages_3_to_5_wait_for_a_threshold():
    with pytest.raises(NotConfigured):
        young.preschool35_commune(children=10, at_school=9, percent=None)
    assert young.preschool35_commune(children=10, at_school=9, percent=90).level == "dat"
    assert young.preschool35_commune(children=10, at_school=9, percent=91).level == "khong_dat"


@pytest.mark.parametrize("year, percent", [(2027, 0), (2028, 50), (2029, 50), (2030, 100), (2035, 100)])
def test_national_targets(year, percent):
    assert young.national_target(year) == percent
