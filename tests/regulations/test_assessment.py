"""Which circular governs, and what a subject assesses and comes to."""

from __future__ import annotations

from fractions import Fraction

import pytest
from tests.regulations.marks import Q02, T22, T22P, T26, T27, T30, T43, T58

from regulations import assessment
from regulations.core import (
    IncompleteMarks,
    NoRuleInForce,
    OutOfRange,
    UnknownValue,
)

# Which circular governs


@pytest.mark.parametrize(
    ("grade", "year", "programme", "expected"),
    [
        *((grade, year, "general", "secondary.tt22-2021") for grade, year in T22.first_year.items()),
        *(
            (grade, year - 1, "general", "secondary.tt58-2011+tt26-2020")
            for grade, year in T22.first_year.items()
        ),
        *((grade, 2020, "general", "secondary.tt58-2011+tt26-2020") for grade in range(6, 13)),
        *((grade, 2019, "general", "secondary.tt58-2011") for grade in range(6, 13)),
        *((grade, 2011, "general", "secondary.tt58-2011") for grade in range(6, 13)),
        *((grade, year, "general", "primary.tt27-2020") for grade, year in T27.first_year.items()),
        *((grade, year - 1, "general", "primary.tt22-2016") for grade, year in T27.first_year.items()),
        *((grade, 2016, "general", "primary.tt22-2016") for grade in range(1, 6)),
        *((grade, 2015, "general", "primary.tt30-2014") for grade in range(1, 6)),
        *((grade, 2014, "general", "primary.tt30-2014") for grade in range(1, 6)),
        *((grade, year, "continuing", "gdtx.tt43-2021") for grade, year in T43.first_year.items()),
        *(
            (grade, year - 1, "continuing", "gdtx.qd02-2007+tt26-2014")
            for grade, year in T43.first_year.items()
        ),
        *((grade, 2007, "continuing", "gdtx.qd02-2007+tt26-2014") for grade in range(6, 13)),
    ],
)
def test_the_cohort_decides_which_circular_governs(grade, year, programme, expected):
    assert assessment.rules_for(grade=grade, year=year, programme=programme).id == expected


@pytest.mark.parametrize(
    ("grade", "year", "programme"),
    [
        (6, 2010, "general"),
        (1, 2013, "general"),
        (13, 2025, "general"),
        (0, 2025, "general"),
        (5, 2025, "continuing"),
        (6, 2006, "continuing"),
    ],
)
def test_no_circular_is_no_guess(grade, year, programme):
    with pytest.raises(NoRuleInForce) as refusal:
        assessment.rules_for(grade=grade, year=year, programme=programme)
    assert refusal.value.facts == {"grade": grade, "year": year, "programme": programme}


def test_at_most_one_circular_governs_a_grade_and_year():
    for programme in ("general", "continuing"):
        for grade in range(1, 13):
            for year in range(2005, 2030):
                governing = [
                    rules
                    for rules in assessment.RULE_SETS
                    if rules.programme == programme and rules.governs(grade=grade, year=year)
                ]
                assert len(governing) <= 1, (grade, year, governing)


def test_a_rule_set_is_found_by_the_id_kept_with_a_result():
    for rules in (*assessment.RULE_SETS, assessment.PRESCHOOL_GROUPS, assessment.GROWTH):
        assert assessment.rule_set(rules.id) is rules
        assert rules.id in repr(rules)
        assert rules.version >= 1 and rules.is_official
    with pytest.raises(UnknownValue):
        assessment.rule_set("secondary.tt0-1900")
    assert T26.amends == T58.instrument and T22P.amends == T30.instrument


# Numbers of marks


@pytest.mark.parametrize(("periods", "marks"), [(0, 2), (35, 2), (36, 3), (70, 3), (71, 4), (140, 4)])
def test_regular_marks_by_periods(periods, marks):
    for rules in (T22, T43, T26):
        assert rules.required_regular_marks(periods_per_year=periods) == marks


@pytest.mark.parametrize("periods", [-1, True, "35", 35.0, None])
def test_periods_that_are_no_count_are_refused(periods):
    with pytest.raises((OutOfRange, IncompleteMarks)):
        T22.required_regular_marks(periods_per_year=periods)


@pytest.mark.parametrize(
    ("kind", "periods", "specialised", "expected"),
    [
        ("score", 35, False, (2, (45, 45))),
        ("score", 70, False, (3, (45, 45))),
        ("score", 71, False, (4, (60, 90))),
        ("score", 140, True, (4, (60, 120))),
        ("comment", 140, False, (2, (60, 90))),
    ],
)
def test_what_a_subject_must_assess_in_a_term(kind, periods, specialised, expected):
    duty = T22.class_duty(kind=kind, periods_per_year=periods, is_specialised=specialised)
    assert (duty.regular, duty.test_minutes) == expected
    assert (duty.midterm, duty.final) == (1, 1)


@pytest.mark.parametrize(
    ("periods", "tests"),
    [(Fraction(1, 2), 2), (1, 2), (Fraction(3, 2), 3), (Fraction(29, 10), 3), (3, 4), (5, 4)],
)
def test_regular_tests_by_periods_a_week(periods, tests):
    assert T58.required_regular_tests(periods_per_week=periods) == tests


@pytest.mark.parametrize("periods", [0, -1, "2", None])
def test_periods_a_week_that_are_none_are_refused(periods):
    with pytest.raises(OutOfRange):
        T58.required_regular_tests(periods_per_week=periods)


@pytest.mark.parametrize("rules", [T22, T58, T43, Q02], ids=repr)
def test_a_test_missed_without_make_up(rules):
    assert rules.missed_periodic(kind="score") == 0
    assert rules.missed_periodic(kind="comment") == "chua_dat"
    with pytest.raises(UnknownValue):
        rules.missed_periodic(kind="mark")


# Averages


def test_the_divisor_never_shrinks_to_what_is_there():
    with pytest.raises(IncompleteMarks) as refusal:
        T22.subject_term_average(regular=(), midterm=80, final=80)
    assert refusal.value.facts == {"name": "regular", "got": 0, "needed": 1}
    with pytest.raises(IncompleteMarks) as refusal:
        T22.subject_term_average(regular=(80, 80), midterm=80, final=80, required=3)
    assert (refusal.value.facts["got"], refusal.value.facts["needed"]) == (2, 3)
    assert str(refusal.value.citation) == "22/2021/TT-BGDĐT#6.3.b"
    assert T22.subject_term_average(regular=(80, 80, 80), midterm=80, final=80, required=3) == 80
    for missing in ({"midterm": None, "final": 80}, {"midterm": 80, "final": None}):
        with pytest.raises(IncompleteMarks):
            T22.subject_term_average(regular=(80,), **missing)
        with pytest.raises(IncompleteMarks):
            T26.subject_term_average(regular=(80,), **missing)
    for rules, rest in ((T26, {"midterm": 80}), (T58, {"periodic": (80,)})):
        with pytest.raises(IncompleteMarks):
            rules.subject_term_average(regular=(), final=80, **rest)
        with pytest.raises(IncompleteMarks):
            rules.subject_term_average(regular=(80,), **rest | {"final": None})


@pytest.mark.parametrize("mark", [-1, 101, 8.0, "8", True])
def test_what_is_no_mark_in_tenths_is_refused(mark):
    for given in (
        {"regular": (mark,), "midterm": 80, "final": 80},
        {"regular": (80,), "midterm": mark, "final": 80},
        {"regular": (80,), "midterm": 80, "final": mark},
    ):
        with pytest.raises(OutOfRange):
            T22.subject_term_average(**given)
    with pytest.raises(OutOfRange):
        T22.subject_year_average(term1=80, term2=mark)
    with pytest.raises(OutOfRange):
        T22.learning_level(scored={"toan": mark}, comments={})


def test_a_study_topic_counts_by_either_reading():
    # (80+80+100 + 2*80 + 3*80) / 8 = 82.5 tenths: the topic joins the sum and the divisor.
    given = {"regular": (80, 80), "midterm": 80, "final": 80, "topic": 100}
    assert T22.subject_term_average(**given) == 83
    assert T22.subject_term_average(**given, required=3, topic_counts_as="one_of_required") == 83
    with pytest.raises(IncompleteMarks):
        T22.subject_term_average(**given, required=3, topic_counts_as="extra")
    assert T22.subject_term_average(**given, required=2, topic_counts_as="extra") == 83
    with pytest.raises(UnknownValue):
        T22.subject_term_average(**given, topic_counts_as="both")


def test_each_topic_counts_in_continuing_education():
    given = {"regular": (70, 80), "midterm": 70, "final": 75}
    assert T43.subject_term_average(**given) == 74
    assert T43.subject_term_average(**given, topics=(100, 100)) == 79
    assert T43.subject_term_average(**given, topics=(100, 100), required=2) == 79
    with pytest.raises(IncompleteMarks):
        T43.subject_term_average(**given, topics=(100, 100), required=3)


@pytest.mark.parametrize(
    ("first", "second", "year"), [(64, 66, 65), (81, 79, 80), (80, 79, 79), (0, 1, 1), (1, 0, 0)]
)
def test_the_second_term_counts_twice(first, second, year):
    for rules in (T22, T58, T26, T43, Q02):
        assert rules.subject_year_average(term1=first, term2=second) == year
    for missing in ((None, second), (first, None)):
        with pytest.raises(IncompleteMarks):
            T22.subject_year_average(term1=missing[0], term2=missing[1])


# Comment subjects


@pytest.mark.parametrize(
    ("regular", "midterm", "final", "expected"),
    [
        (("dat", "dat"), "dat", "dat", "dat"),
        (("dat", "dat", "dat"), "dat", "dat", "dat"),
        (("dat",), "dat", "dat", "chua_dat"),
        (("dat", "chua_dat"), "dat", "dat", "chua_dat"),
        (("dat", "dat"), "chua_dat", "dat", "chua_dat"),
        (("dat", "dat"), "dat", "chua_dat", "chua_dat"),
        (("dat", "dat"), None, "dat", "chua_dat"),
        (("dat", "dat"), "dat", None, "chua_dat"),
    ],
)
def test_a_comment_subject_passes_when_everything_is_there_and_passed(regular, midterm, final, expected):
    assert T22.comment_subject_term(regular=regular, midterm=midterm, final=final) == expected


def test_a_comment_subject_of_the_year_follows_term_two():
    for rules in (T22, T58):
        assert rules.comment_subject_year(term1="chua_dat", term2="dat") == "dat"
        assert rules.comment_subject_year(term2="chua_dat") == "chua_dat"
        with pytest.raises(IncompleteMarks):
            rules.comment_subject_year(term1="dat", term2=None)
        with pytest.raises(UnknownValue):
            rules.comment_subject_year(term1="Đạt", term2="dat")


@pytest.mark.parametrize(
    ("tests", "final", "total", "expected"),
    [
        (["dat", "chua_dat"], "dat", 3, "dat"),
        (["dat", "chua_dat", "chua_dat"], "dat", 4, "chua_dat"),
        (["dat", "dat"], "dat", 4, "chua_dat"),
        (["dat", "dat"], "chua_dat", 3, "chua_dat"),
        (["dat", "dat"], None, 3, "chua_dat"),
    ],
)
def test_two_thirds_of_the_tests_and_the_term_test(tests, final, total, expected):
    assert T58.comment_subject_term(tests=tests, final=final, required_total=total) == expected
