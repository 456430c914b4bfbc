"""Entering school: ages, class sizes, places by zone and the days of a transfer."""

import json
from datetime import date
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulations import enrolment
from regulations.core import NoRuleInForce, OutOfRange, UnknownValue
from regulations.enrolment import Application, NotDefined, place_by_zone, zone_balance

VECTORS = json.loads(files("regulations.enrolment").joinpath("vectors/enrolment.json").read_text("utf-8"))

primary = enrolment.rules_for(level="primary", year=2025)
secondary = enrolment.rules_for(level="lower_secondary", year=2025)
general = enrolment.rules_for(level="primary", year=2026)


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["id"])
def test_vectors(case):
    assert enrolment.OPERATIONS[case["input"]["op"]](case["input"], case["rule_set"]) == case["expected"]


@pytest.mark.parametrize(
    "level, year, name",
    [
        ("primary", 2020, "28/2020"),
        ("primary", 2025, "28/2020"),
        ("primary", 2026, "15/2026"),
        ("lower_secondary", 2020, "32/2020"),
        ("upper_secondary", 2025, "32/2020"),
        ("upper_secondary", 2026, "15/2026"),
    ],
)
def test_level_and_year_decide(level, year, name):
    assert enrolment.rules_for(level=level, year=year).INSTRUMENT.startswith(name)
    assert sum(rules.governs(level=level, year=year) for rules in enrolment.RULE_SETS) == 1


@pytest.mark.parametrize("level, year", [("primary", 2019), ("upper_secondary", 2019), ("preschool", 2026)])
def test_no_charter_is_refused(level, year):
    with pytest.raises(NoRuleInForce):
        enrolment.rules_for(level=level, year=year)


@pytest.mark.parametrize(
    "level, day, name",
    [
        ("primary", date(2026, 5, 9), "28/2020"),
        ("primary", date(2026, 5, 10), "15/2026"),
        ("lower_secondary", date(2020, 11, 1), "32/2020"),
        ("upper_secondary", date(2026, 5, 10), "15/2026"),
    ],
)
def test_the_day_decides_for_a_transfer(level, day, name):
    assert enrolment.transfer_rules_for(level=level, day=day).INSTRUMENT.startswith(name)


@pytest.mark.parametrize("level, day", [("primary", date(2020, 10, 19)), ("preschool", date(2026, 9, 1))])
def test_no_transfer_rules_are_refused(level, day):
    with pytest.raises(NoRuleInForce):
        enrolment.transfer_rules_for(level=level, day=day)


# ages


@pytest.mark.parametrize("grade, age", [(1, 6), (6, 11), (10, 15)])
@pytest.mark.parametrize(
    "years, grounds, level",
    [
        (-1, True, "thieu_tuoi"),
        (0, False, "dung_tuoi"),
        (1, False, "qua_tuoi_can_can_cu"),
        (1, True, "dien_dac_biet"),
        (3, True, "dien_dac_biet"),
        (4, True, "can_quyet_dinh"),
        (4, False, "qua_tuoi_can_can_cu"),
    ],
)
def test_entry_ages_both_sides(grade, age, years, grounds, level):
    outcome = general.entry_age(birth_year=2026 - age - years, year=2026, grade=grade, grounds=grounds)
    assert outcome.level == level
    assert outcome.because[0].facts["most"] == age + 3
    old = primary if grade == 1 else secondary
    before = old.entry_age(birth_year=2025 - age - years, year=2025, grade=grade, grounds=grounds)
    assert before.level == level


def test_a_year_repeated_or_skipped_moves_the_age():
    assert general.entry_age(birth_year=2014, year=2026, grade=6, shift=1).level == "dung_tuoi"
    assert general.entry_age(birth_year=2016, year=2026, grade=6, shift=-1).level == "dung_tuoi"


@pytest.mark.parametrize(
    "wrong, error",
    [
        ({"grade": 2}, UnknownValue),
        ({"birth_year": "2020"}, OutOfRange),
        ({"birth_year": 2027}, OutOfRange),
        ({"year": None}, OutOfRange),
        ({"shift": None}, OutOfRange),
    ],
)
def test_wrong_ages_are_refused(wrong, error):
    with pytest.raises(error):
        general.entry_age(**({"birth_year": 2020, "year": 2026, "grade": 1} | wrong))


def test_the_vectors_operation_refuses_another_level():
    with pytest.raises(UnknownValue):
        enrolment.OPERATIONS["entry_age"]({"level": "lớp 2"}, "enrol.age")


# class sizes


@pytest.mark.parametrize("learners, level", [(35, "trong_muc"), (36, "vuot_muc")])
def test_primary_classes(learners, level):
    assert primary.class_size(learners).level == level
    assert general.class_size(learners, level="primary").level == level
    assert secondary.class_size(learners, province_most=35).level == level
    assert general.class_size(learners, level="upper_secondary", province_most=35).level == level


@pytest.mark.parametrize("learners, level", [(45, "trong_muc"), (46, "vuot_muc")])
def test_secondary_classes(learners, level):
    assert secondary.class_size(learners).level == level
    assert secondary.class_size(learners, province_most=50).level == level
    assert general.class_size(learners, level="lower_secondary").level == level


@pytest.mark.parametrize(
    "learners, disabled, more, causes",
    [
        (35, 2, False, ["class-within-size"]),
        (35, 3, False, ["too-many-disabled-in-class"]),
        (36, 3, False, ["class-too-large", "too-many-disabled-in-class"]),
        (35, 3, True, ["class-within-size"]),
    ],
)
def test_inclusive_classes(learners, disabled, more, causes):
    outcome = primary.class_size(learners, disabled=disabled, principal_allows_more=more)
    assert [reason.code for reason in outcome.because] == causes


@pytest.mark.parametrize(
    "learners, levels, exception, causes",
    [
        (15, 2, False, ["class-within-size"]),
        (16, 2, False, ["class-too-large"]),
        (15, 3, False, ["too-many-grades-in-class"]),
        (15, 3, True, ["class-within-size"]),
        (16, 4, True, ["class-too-large", "too-many-grades-in-class"]),
    ],
)
def test_multi_grade_classes(learners, levels, exception, causes):
    outcome = primary.multi_grade_class(learners, levels=levels, exception=exception)
    assert [reason.code for reason in outcome.because] == causes
    assert outcome.level == ("trong_muc" if causes == ["class-within-size"] else "vuot_muc")


@given(st.integers(0, 5000))
def test_as_many_classes_as_are_needed_and_no_more(learners):
    classes = primary.classes_needed(learners)
    assert classes * 35 >= learners > (classes - 1) * 35 or classes == learners == 0
    assert general.classes_needed(learners, level="primary") == classes
    assert secondary.classes_needed(learners) == general.classes_needed(learners, level="upper_secondary")


def test_wrong_classes_are_refused():
    for wrong in (-1, None, "35"):
        with pytest.raises(OutOfRange):
            primary.class_size(wrong)
        with pytest.raises(OutOfRange):
            primary.classes_needed(wrong)
    with pytest.raises(OutOfRange):
        primary.class_size(30, disabled=-1)
    with pytest.raises(NoRuleInForce):
        general.class_size(30, level="preschool")


@pytest.mark.parametrize("times, level", [(0, "duoc"), (2, "duoc"), (3, "khong_duoc")])
def test_repeating_a_grade(times, level):
    assert secondary.may_repeat(times).level == level


# transfers


@pytest.mark.parametrize("step", ["answer", "hand-over", "placement"])
def test_primary_transfers_took_three_working_days_a_step(step):
    assert primary.transfer_deadline(step, date(2025, 8, 28)) == date(2025, 9, 4)
    assert primary.transfer_deadline(
        step, date(2026, 8, 31), holidays=[date(2026, 9, 1), date(2026, 9, 2)]
    ) == date(2026, 9, 7)


def test_transfers_since_may_2026():
    asked = date(2026, 9, 10)
    assert general.transfer_deadline("answer", asked) == date(2026, 9, 15)
    assert general.transfer_deadline("answer", asked, same_province=False) == date(2026, 9, 18)
    assert general.transfer_deadline("hand-over", asked, same_province=False) == date(2026, 9, 13)
    assert general.transfer_deadline("placement", asked) == date(2026, 9, 17)


def test_the_days_of_a_transfer_are_a_setting_until_the_text_is_read():
    steps = {"answer": enrolment.Step(5, other=8)}
    asked = date(2026, 9, 10)
    assert general.transfer_deadline("answer", asked, steps=steps) == date(2026, 9, 17)
    assert general.transfer_deadline("answer", asked, same_province=False, steps=steps) == date(2026, 9, 22)


def test_a_step_without_days_is_not_guessed():
    with pytest.raises(NotDefined) as refused:
        secondary.transfer_deadline("answer", date(2025, 9, 10))
    assert str(refused.value.citation) == "51/2002/QĐ-BGDĐT"
    with pytest.raises(NotDefined):
        general.transfer_deadline("interview", date(2026, 9, 10))


# zones


def wish(school, criterion="zone-permanent", distance=0):
    return Application(school, criterion, distance)


def test_criteria_then_distance_decide():
    children = {
        "far": [wish("A", distance=900), wish("B", "out-of-zone")],
        "near": [wish("A", distance=100)],
        "guest": [wish("A", "zone-temporary", 1), wish("B", "out-of-zone", 5)],
        "none": [],
    }
    result = place_by_zone(children, {"A": 2, "B": 1, "C": 3}, seed="2026")
    assert result.placed == {"far": "A", "near": "A", "guest": "B"}
    assert result.without_place == ("none",)
    assert result.free == {"A": 0, "B": 0, "C": 3}
    assert result.outcomes["none"].level == "chua_co_cho"
    assert result.outcomes["near"].because[0].facts == {"school": "A"}


def test_a_commune_orders_its_own_criteria():
    children = {"a": [wish("A", "sibling-or-work")], "b": [wish("A", "zone-permanent")]}
    result = place_by_zone(children, {"A": 1}, seed="s", criteria=("sibling-or-work", "zone-permanent"))
    assert result.placed == {"a": "A"}


@pytest.mark.parametrize(
    "application, error",
    [(wish("A", "friend"), UnknownValue), (wish("A", distance=-1), OutOfRange), (wish("Q"), UnknownValue)],
)
def test_wrong_applications_are_refused(application, error):
    with pytest.raises(error):
        place_by_zone({"a": [application]}, {"A": 1}, seed="s")


@given(
    st.dictionaries(
        st.sampled_from([f"c{n}" for n in range(12)]),
        st.lists(
            st.builds(
                Application, st.sampled_from("AB"), st.sampled_from(enrolment.CRITERIA), st.integers(0, 3)
            ),
            max_size=2,
            unique_by=lambda one: one.school,
        ),
    ),
    st.integers(0, 5),
)
def test_every_child_is_counted_once(children, places):
    result = place_by_zone(children, {"A": places, "B": 2}, seed="s")
    assert set(result.placed) | set(result.without_place) == set(children)
    assert len(result.placed) + len(result.without_place) == len(children)
    assert sum(result.free.values()) == places + 2 - len(result.placed)
    assert min(result.free.values()) >= 0


def test_the_balance_of_zones():
    balance = zone_balance({"A": 106, "B": 20, "C": 5}, {"A": 3, "B": 1, "D": 1}, class_size=35)
    assert balance == {"A": -1, "B": 15, "C": -5, "D": 35}
    for wrong in (({"A": -1}, {}), ({}, {"A": "1"})):
        with pytest.raises(OutOfRange):
            zone_balance(*wrong, class_size=35)


def test_a_school_without_children_or_classes_has_a_balance():
    assert enrolment.zone_balance({"a": 0, "b": 36}, {"a": 1, "c": 0}, class_size=35) == {"a": 35, "b": -36, "c": 0}
    for children, classes in (({"a": -1}, {}), ({}, {"a": -1}), ({"a": "1"}, {})):
        with pytest.raises(OutOfRange):
            enrolment.zone_balance(children, classes, class_size=35)


def test_a_published_case_without_ground_or_shift_has_none():
    entry_age = enrolment.OPERATIONS["entry_age"]
    assert entry_age({"level": "lớp 1", "birth_year": 2018, "school_year_start": 2026}, "enrol.age") == "quá tuổi: cần căn cứ"
    assert entry_age({"level": "lớp 1", "birth_year": 2020, "school_year_start": 2026}, "enrol.age") == "đúng tuổi"
