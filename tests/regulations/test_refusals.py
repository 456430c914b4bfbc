"""A refusal says which article needs the input it refuses."""

from __future__ import annotations

import pytest

from regulations import assessment
from regulations.assessment import PrimarySubject, SubjectResult
from regulations.core import RuleError


def subjects(**changes) -> list[SubjectResult]:
    return [SubjectResult(**{"code": "toan", "kind": "score", "term1": 80, "term2": 80, **changes})]


LEVELS = [
    # rule, input, code, place in 22/2021, place in 43/2021 (None: not refused there)
    ("required_regular_marks", {"periods_per_year": -1}, "out-of-range", "6.3.b", "6.3.b"),
    ("class_duty", {"kind": "score", "periods_per_year": -1}, "out-of-range", "7.1", "7.1"),
    (
        "subject_term_average",
        {"regular": [], "midterm": 80, "final": 80},
        "incomplete-marks",
        "6.3.b",
        "6.3.b",
    ),
    (
        "subject_term_average",
        {"regular": [101], "midterm": 80, "final": 80},
        "out-of-range",
        "9.1.b",
        "9.1.b",
    ),
    (
        "subject_term_average",
        {"regular": [80], "midterm": 101, "final": 80},
        "out-of-range",
        "9.1.b",
        "9.1.b",
    ),
    (
        "subject_term_average",
        {"regular": [80], "midterm": 80, "final": None},
        "incomplete-marks",
        "9.1.b",
        "9.1.b",
    ),
    ("subject_year_average", {"term1": 101, "term2": 80}, "out-of-range", "9.1.b", "9.1.b"),
    ("subject_year_average", {"term1": 80, "term2": None}, "incomplete-marks", "9.1.b", "9.1.b"),
    (
        "comment_subject_term",
        {"regular": ["x"], "midterm": "dat", "final": "dat"},
        "unknown-value",
        "9.1.a",
        "9.1.a",
    ),
    (
        "comment_subject_term",
        {"regular": ["dat"], "midterm": "x", "final": "dat"},
        "unknown-value",
        "9.1.a",
        "9.1.a",
    ),
    (
        "comment_subject_term",
        {"regular": ["dat"], "midterm": "dat", "final": "dat", "required_regular": -1},
        "out-of-range",
        "6.3.a",
        "6.3.a",
    ),
    ("comment_subject_year", {"term1": "x", "term2": "dat"}, "unknown-value", "9.1.a", "9.1.a"),
    ("comment_subject_year", {"term2": None}, "incomplete-marks", "9.1.a", "9.1.a"),
    ("learning_level", {"scored": {}, "comments": {}}, "incomplete-marks", "9.2", "9.2"),
    ("learning_level", {"scored": {"a": 101}, "comments": {}}, "out-of-range", "9.2", "9.2"),
    ("learning_level", {"scored": {"a": 80}, "comments": {"b": "x"}}, "unknown-value", "9.2", None),
    ("learning_level", {"scored": {"a": 80}, "comments": {}, "reading": "x"}, "unknown-value", "9.3", "9.3"),
    ("learning_level", {"scored": {"a": 80}, "comments": {}, "min_count": -1}, "out-of-range", "9.2", "9.2"),
    ("conduct_year", {"term1": "x", "term2": "tot"}, "unknown-value", "8.2.b", "8.2.b"),
    ("conduct_year", {"term1": "tot", "term2": None}, "incomplete-marks", "8.2.b", "8.2.b"),
    ("award", {"conduct": "x", "learning": "tot", "scored": {}}, "unknown-value", "15.1", "14.1"),
    ("award", {"conduct": "tot", "learning": "x", "scored": {}}, "unknown-value", "15.1", "14.1"),
    ("award", {"conduct": "tot", "learning": "tot", "scored": {"a": 101}}, "out-of-range", "15.1", "14.1"),
    ("retestable_subjects", {"scored": {"a": 101}, "comments": {}}, "out-of-range", "14", "12"),
    ("retestable_subjects", {"scored": {}, "comments": {"a": "x"}}, "unknown-value", "14", "12"),
    ("promotion", {"conduct": "x", "learning": "tot", "absences": 0}, "unknown-value", "12.1.a", "11.1.a"),
    ("promotion", {"conduct": "tot", "learning": "x", "absences": 0}, "unknown-value", "12.1.b", "11.1.b"),
    ("promotion", {"conduct": "tot", "learning": "tot", "absences": -1}, "out-of-range", "12.1.c", "11.1.c"),
    (
        "promotion",
        {"conduct": "tot", "learning": "tot", "absences": 0, "learning_after_retest": "x"},
        "unknown-value",
        "14",
        "12",
    ),
    (
        "promotion",
        {"conduct": "tot", "learning": "tot", "absences": 0, "conduct_after_summer": "x"},
        "unknown-value",
        "13",
        "13",
    ),
    (
        "promotion",
        {
            "conduct": "tot",
            "learning": "tot",
            "absences": 0,
            "is_individual_plan": True,
            "principal_decision": "x",
        },
        "unknown-value",
        "12.4",
        "11.4",
    ),
    ("term_results", {"subjects": subjects(term1=None), "term": 1}, "incomplete-marks", "9.1", "9.1"),
    ("term_results", {"subjects": subjects(), "term": 3}, "out-of-range", "9.1", "9.1"),
    ("term_results", {"subjects": subjects(), "term": 1, "conduct": "x"}, "unknown-value", "8.2.a", "8.2.a"),
    (
        "year_results",
        {"subjects": subjects(), "conduct1": "tot", "conduct2": "tot", "absences": None},
        "incomplete-marks",
        "12.1.c",
        "11.1.c",
    ),
    (
        "year_results",
        {"subjects": subjects(retest=50), "conduct1": "tot", "conduct2": "tot", "absences": 0},
        "not-retestable",
        "14",
        "12",
    ),
]


@pytest.mark.parametrize(("rule", "given", "code", "place", "continuing"), LEVELS)
def test_places_of_refusals_under_circulars_22_and_43(rule, given, code, place, continuing):
    for rule_set, wanted in (
        ("secondary.tt22-2021", f"22/2021/TT-BGDĐT#{place}"),
        ("gdtx.tt43-2021", continuing and f"43/2021/TT-BGDĐT#{continuing}"),
    ):
        if wanted is None:
            getattr(assessment.rule_set(rule_set), rule)(**given)
            continue
        with pytest.raises(RuleError) as refused:
            getattr(assessment.rule_set(rule_set), rule)(**given)
        assert (refused.value.code, str(refused.value.citation)) == (code, wanted)


RANKS = [
    ("subject_term_average", {"regular": [], "final": 80, "periodic": [80]}, "incomplete-marks", "11.1.a"),
    ("subject_term_average", {"regular": [101], "final": 80, "periodic": [80]}, "out-of-range", "11.1.a"),
    ("subject_term_average", {"regular": [80], "final": 80, "periodic": [101]}, "out-of-range", "11.1.a"),
    (
        "subject_term_average",
        {"regular": [80], "final": None, "periodic": [80]},
        "incomplete-marks",
        "11.1.a",
    ),
    ("subject_year_average", {"term1": 101, "term2": 80}, "out-of-range", "11.1.b"),
    ("subject_year_average", {"term1": 80, "term2": None}, "incomplete-marks", "11.1.b"),
    ("overall_average", {"scored": {}}, "incomplete-marks", "11.2"),
    ("overall_average", {"scored": {"a": 101}}, "out-of-range", "11.2"),
    (
        "comment_subject_term",
        {"tests": ["x"], "final": "dat", "required_total": 1},
        "unknown-value",
        "10.2.a",
    ),
    (
        "comment_subject_term",
        {"tests": ["dat"], "final": "x", "required_total": 1},
        "unknown-value",
        "10.2.a",
    ),
    (
        "comment_subject_term",
        {"tests": ["dat"], "final": "dat", "required_total": -1},
        "out-of-range",
        "10.2.a",
    ),
    ("comment_subject_year", {"term1": "x", "term2": "dat"}, "unknown-value", "10.2.b"),
    ("comment_subject_year", {"term2": None}, "incomplete-marks", "10.2.b"),
    ("learning_level", {"scored": {}, "comments": {}}, "incomplete-marks", "11.2"),
    ("learning_level", {"scored": {"a": 80}, "comments": {"b": "x"}}, "unknown-value", "13"),
    (
        "learning_level",
        {"scored": {"a": 80}, "comments": {}, "specialised_subject": "z"},
        "incomplete-marks",
        "13",
    ),
    ("award", {"conduct": "x", "learning": "gioi"}, "unknown-value", "18"),
    ("award", {"conduct": "tot", "learning": "x"}, "unknown-value", "18"),
    ("promotion", {"conduct": "x", "learning": "gioi", "absences": 0}, "unknown-value", "15.1"),
    ("promotion", {"conduct": "tot", "learning": "x", "absences": 0}, "unknown-value", "15.1"),
    ("promotion", {"conduct": "tot", "learning": "gioi", "absences": -1}, "out-of-range", "15.1.b"),
    (
        "promotion",
        {"conduct": "tot", "learning": "gioi", "absences": 0, "learning_after_retest": "x"},
        "unknown-value",
        "16",
    ),
    (
        "promotion",
        {"conduct": "tot", "learning": "gioi", "absences": 0, "conduct_after_summer": "x"},
        "unknown-value",
        "17",
    ),
    ("retestable_subjects", {"scored": {"a": 101}, "comments": {}}, "out-of-range", "16"),
    ("retestable_subjects", {"scored": {}, "comments": {"a": "x"}}, "unknown-value", "16"),
    ("term_results", {"subjects": subjects(), "term": 1, "conduct": "x"}, "unknown-value", "4"),
    ("term_results", {"subjects": subjects(term1=None), "term": 1}, "incomplete-marks", "11.1"),
    (
        "year_results",
        {"subjects": subjects(), "conduct1": "tot", "conduct2": "tot", "conduct_year": "x", "absences": 0},
        "unknown-value",
        "4",
    ),
    (
        "year_results",
        {
            "subjects": subjects(),
            "conduct1": "tot",
            "conduct2": "tot",
            "conduct_year": "tot",
            "absences": None,
        },
        "incomplete-marks",
        "15.1.b",
    ),
    (
        "year_results",
        {
            "subjects": subjects(retest=50),
            "conduct1": "tot",
            "conduct2": "tot",
            "conduct_year": "tot",
            "absences": 0,
        },
        "not-retestable",
        "16",
    ),
]


@pytest.mark.parametrize(("rule", "given", "code", "place"), RANKS)
@pytest.mark.parametrize(
    "rule_set", ["secondary.tt58-2011", "secondary.tt58-2011+tt26-2020", "gdtx.qd02-2007+tt26-2014"]
)
def test_places_of_refusals_under_circular_58_and_those_like_it(rule_set, rule, given, code, place):
    rules = assessment.rule_set(rule_set)
    wanted = "02/2007/QĐ-BGDĐT" if rules.programme == "continuing" else f"58/2011/TT-BGDĐT#{place}"
    if "tt26-2020" in rule_set and "periodic" in given:
        given = {name: value for name, value in given.items() if name != "periodic"} | {
            "midterm": given["periodic"][0]
        }
    with pytest.raises(RuleError) as refused:
        getattr(rules, rule)(**given)
    assert (refused.value.code, str(refused.value.citation)) == (code, wanted)


def pupils() -> list[PrimarySubject]:
    return [PrimarySubject("dao_duc", {"cuoi_nam": "T"}, {})]


def ended(subject: str = "T", quality: str = "T", **tests: int) -> dict:
    return {"subjects": {"a": subject}, "qualities": {"q": quality}, "final_tests": tests}


PRIMARY = [
    ("subjects_with_periodic_test", {"grade": 6, "period": "cuoi_nam"}, "out-of-range", "7.1.b"),
    ("subjects_with_periodic_test", {"grade": 4, "period": "x"}, "unknown-value", "7.1.b"),
    ("year_level", ended("x"), "unknown-value", "9.2.a"),
    ("year_level", ended(quality="x"), "unknown-value", "9.2.a"),
    ("year_level", ended(a=75), "out-of-range", "9.2.a"),
    ("year_level", {**ended(), "subjects": {}}, "incomplete-marks", "9.2.a"),
    ("year_level", {**ended(), "qualities": {}}, "incomplete-marks", "9.2.a"),
    ("promotion", {"level": "x"}, "unknown-value", "11.2"),
    ("promotion", {"level": "chua_hoan_thanh", "level_after_help": "x"}, "unknown-value", "11.2"),
    ("promotion", {"level": "chua_hoan_thanh", "principal_decision": "x"}, "unknown-value", "11.2"),
    ("award", {"level": "x"}, "unknown-value", "13.1.a"),
    ("combine_test_parts", {"parts": []}, "incomplete-marks", "7.1.c"),
    ("combine_test_parts", {"parts": [75]}, "out-of-range", "7.1.c"),
    ("missing", {"grade": 9, "subjects": pupils(), "period": "cuoi_nam"}, "out-of-range", "7.1.b"),
]


@pytest.mark.parametrize(("rule", "given", "code", "place"), PRIMARY)
def test_places_of_refusals_under_circular_27(rule, given, code, place):
    with pytest.raises(RuleError) as refused:
        getattr(assessment.rule_set("primary.tt27-2020"), rule)(**given)
    assert (refused.value.code, str(refused.value.citation)) == (code, f"27/2020/TT-BGDĐT#{place}")


OLD_PRIMARY = [
    ("subjects_with_periodic_test", {"grade": 6, "period": "cuoi_nam"}, "out-of-range", "10"),
    ("subjects_with_periodic_test", {"grade": 4, "period": "x"}, "unknown-value", "10"),
    ("promotion", {"level": "x"}, "unknown-value", "14"),
    ("promotion", {"level": "chua_hoan_thanh", "level_after_help": "x"}, "unknown-value", "14"),
    ("promotion", {"level": "chua_hoan_thanh", "principal_decision": "x"}, "unknown-value", "14"),
    ("missing", {"grade": 9, "subjects": pupils(), "period": "cuoi_nam"}, "out-of-range", "10"),
    ("class_programme_completed", ended("x", "Đ"), "unknown-value", "14"),
    ("class_programme_completed", ended("HT", "x"), "unknown-value", "14"),
    ("class_programme_completed", ended("HT", "Đ", a=75), "out-of-range", "14"),
    ("class_programme_completed", {**ended("HT", "Đ"), "subjects": {}}, "incomplete-marks", "14"),
]


@pytest.mark.parametrize(("rule", "given", "code", "place"), OLD_PRIMARY)
@pytest.mark.parametrize("rule_set", ["primary.tt22-2016", "primary.tt30-2014"])
def test_places_of_refusals_under_circular_30(rule_set, rule, given, code, place):
    with pytest.raises(RuleError) as refused:
        getattr(assessment.rule_set(rule_set), rule)(**given)
    assert (refused.value.code, str(refused.value.citation)) == (code, f"30/2014/TT-BGDĐT#{place}")
