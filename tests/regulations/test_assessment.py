"""Both sides of every boundary of the assessment circulars, their refusals and their reasons."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from regulations import assessment
from regulations.assessment import (
    LMS,
    NotDefined,
    NotRetestable,
    PrimarySubject,
    SubjectResult,
    TermMarks,
    explain,
    explain_all,
    label,
    operations,
    show_mark,
)
from regulations.assessment.base import RuleSet
from regulations.core import (
    Citation,
    IncompleteMarks,
    NoRuleInForce,
    Outcome,
    OutOfRange,
    Reason,
    UnknownValue,
)

T22 = assessment.rules_for(grade=7, year=2025)
T43 = assessment.rules_for(grade=7, year=2025, programme="continuing")
T26 = assessment.rules_for(grade=7, year=2020)
T58 = assessment.rules_for(grade=7, year=2015)
Q02 = assessment.rules_for(grade=7, year=2015, programme="continuing")
T27 = assessment.rules_for(grade=4, year=2025)
T22P = assessment.rules_for(grade=4, year=2017)
T30 = assessment.rules_for(grade=4, year=2015)


def scored(*marks: int) -> dict[str, int]:
    return {f"s{number}": mark for number, mark in enumerate(marks)}


def level(*marks: int, comments: tuple[str, ...] = (), **settings) -> str:
    results = {f"c{number}": result for number, result in enumerate(comments)}
    return T22.learning_level(scored=scored(*marks), comments=results, **settings).level


def codes(outcome: Outcome) -> list[str]:
    return [reason.code for reason in outcome.because]


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


# Levels of Circular 22


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ((80,) * 6 + (65, 65), "tot"),
        ((80,) * 5 + (79, 65, 65), "kha"),
        ((80,) * 6 + (65, 64), "kha"),
        ((65,) * 6 + (50, 50), "kha"),
        ((65,) * 5 + (64, 50, 50), "dat"),
        ((65,) * 6 + (50, 49), "dat"),
        ((50,) * 6 + (35, 35), "dat"),
        ((50,) * 5 + (49, 35, 35), "chua_dat"),
        ((50,) * 6 + (35, 34), "chua_dat"),
        ((100,) * 5, "chua_dat"),
    ],
)
def test_learning_levels_on_both_sides_of_every_threshold(marks, expected):
    assert level(*marks) == expected


@pytest.mark.parametrize(("failed", "expected"), [(0, "tot"), (1, "kha"), (2, "chua_dat")])
def test_comment_subjects_not_passed(failed, expected):
    assert level(*(85,) * 8, comments=("chua_dat",) * failed + ("dat",) * (4 - failed)) == expected


@pytest.mark.parametrize(
    ("marks", "strict", "counterfactual"),
    [
        ((80,) * 5 + (66, 67, 45), "dat", "kha"),
        ((85,) * 7 + (49,), "kha", "kha"),
        ((85,) * 7 + (34,), "dat", "dat"),
        ((70,) * 7 + (34,), "dat", "dat"),
        ((70,) * 7 + (49,), "dat", "dat"),
        ((85,) * 6 + (49, 48), "dat", "dat"),
        ((65,) * 5 + (34,), "chua_dat", "dat"),
    ],
)
def test_both_readings_of_the_adjustment_clause(marks, strict, counterfactual):
    assert level(*marks) == strict
    assert level(*marks, reading="strict") == strict
    assert level(*marks, reading="counterfactual") == counterfactual
    with pytest.raises(UnknownValue):
        level(*marks, reading="generous")


def test_whether_a_comment_subject_can_be_the_one_is_a_setting():
    failed = {"comments": ("chua_dat", "dat")}
    assert level(*(85,) * 8, **failed) == "kha"
    assert level(*(85,) * 8, **failed, adjust_for_comment=False) == "dat"
    assert level(*(85,) * 8, **failed, reading="counterfactual") == "kha"


def test_how_many_subjects_is_a_setting():
    assert level(*(80,) * 5, min_count=5) == "tot"
    with pytest.raises(OutOfRange):
        level(*(80,) * 5, min_count=-1)


def test_the_reasons_of_a_level_name_subject_got_and_needed():
    outcome = T22.learning_level(scored=scored(85, 85, 85, 85, 85, 85, 49), comments={"nghe_thuat": "dat"})
    assert (outcome.base, outcome.level, outcome.adjusted) == ("dat", "kha", True)
    assert [(one.code, str(one.citation), dict(one.facts)) for one in outcome.because] == [
        (
            "learning-conditions-met",
            "22/2021/TT-BGDĐT#9.2.c",
            {"level": "dat", "count": 6, "needed": 6, "threshold": 50, "minimum": 35},
        ),
        (
            "subject-below",
            "22/2021/TT-BGDĐT#9.2.b",
            {"subject": "s6", "got": 49, "needed": 50, "level": "kha"},
        ),
        (
            "subject-below",
            "22/2021/TT-BGDĐT#9.2.a",
            {"subject": "s6", "got": 49, "needed": 65, "level": "tot"},
        ),
        (
            "raised-one-level",
            "22/2021/TT-BGDĐT#9.3",
            {"subject": "s6", "base": "dat", "level": "kha", "without": "tot"},
        ),
    ]
    low = T22.learning_level(scored=scored(*(40,) * 8), comments={"a": "chua_dat", "b": "chua_dat"})
    assert codes(low) == [
        "too-few-subjects-reach",
        "comment-subject-not-passed",
        "comment-subject-not-passed",
    ]
    assert low.because[0].facts == {"count": 0, "needed": 6, "threshold": 50, "level": "dat"}
    assert low.because[1].facts == {"subject": "a", "level": "dat", "most": 1}
    top = T22.learning_level(scored=scored(*(90,) * 8), comments={})
    assert codes(top) == ["learning-conditions-met"]


def test_a_level_needs_a_scored_subject():
    with pytest.raises(IncompleteMarks):
        T22.learning_level(scored={}, comments={"a": "dat"})
    with pytest.raises(UnknownValue):
        T22.learning_level(scored={"toan": 80}, comments={"a": "Đạt"})


# Conduct, titles, promotion of Circular 22


@pytest.mark.parametrize("bad", ["Tốt", "gioi", None])
def test_conduct_that_is_no_level_is_refused(bad):
    for terms in ({"term1": bad, "term2": "tot"}, {"term1": "tot", "term2": bad}):
        with pytest.raises((UnknownValue, IncompleteMarks)):
            T22.conduct_year(**terms)


def test_conduct_of_the_year_says_from_what():
    outcome = T22.conduct_year(term1="chua_dat", term2="tot")
    assert outcome.level == "kha"
    assert outcome.because[0].facts == {"term1": "chua_dat", "term2": "tot", "level": "kha"}


@pytest.mark.parametrize(
    ("conduct", "learning", "marks", "award", "reasons"),
    [
        ("tot", "tot", (90,) * 6, "hoc_sinh_xuat_sac", ["award-excellent"]),
        ("tot", "tot", (90,) * 5 + (89,), "hoc_sinh_gioi", ["award-good"]),
        ("kha", "tot", (90,) * 6, "khong", ["award-conduct-below"]),
        ("tot", "kha", (90,) * 6, "khong", ["award-learning-below"]),
        ("dat", "dat", (90,) * 6, "khong", ["award-conduct-below", "award-learning-below"]),
    ],
)
def test_titles_of_the_year(conduct, learning, marks, award, reasons):
    outcome = T22.award(conduct=conduct, learning=learning, scored=scored(*marks))
    assert (outcome.level, codes(outcome)) == (award, reasons)


def test_five_subjects_do_for_the_title_in_continuing_education():
    outcome = T43.award(conduct="tot", learning="tot", scored=scored(*(90,) * 5))
    assert outcome.level == "hoc_sinh_xuat_sac"
    assert str(outcome.because[0].citation) == "43/2021/TT-BGDĐT#14.1.a"


@pytest.mark.parametrize(
    ("given", "decision", "reason", "place"),
    [
        (("tot", "tot", 46, None, None), "o_lai_lop", "too-many-absences", "12.1.c"),
        (("dat", "dat", 45, None, None), "len_lop", "promotion-conditions-met", "12.1"),
        (("chua_dat", "chua_dat", 0, None, None), "o_lai_lop", "both-not-passed", "14"),
        (("dat", "chua_dat", 0, None, None), "kiem_tra_lai", "retest-needed", "14"),
        (("dat", "chua_dat", 0, "dat", None), "len_lop", "retest-passed", "14"),
        (("dat", "chua_dat", 0, "chua_dat", None), "o_lai_lop", "retest-failed", "14"),
        (("chua_dat", "dat", 0, None, None), "ren_luyen_he", "summer-training-needed", "13"),
        (("chua_dat", "dat", 0, None, "dat"), "len_lop", "summer-training-passed", "13"),
        (("chua_dat", "dat", 0, None, "chua_dat"), "o_lai_lop", "summer-training-failed", "13"),
    ],
)
def test_promotion(given, decision, reason, place):
    conduct, learning, absences, retest, summer = given
    outcome = T22.promotion(
        conduct=conduct,
        learning=learning,
        absences=absences,
        learning_after_retest=retest,
        conduct_after_summer=summer,
    )
    assert (outcome.level, outcome.because[0].code) == (decision, reason)
    assert str(outcome.because[0].citation) == f"22/2021/TT-BGDĐT#{place}"


def test_the_principal_decides_on_a_disabled_learner():
    given = {"conduct": "tot", "learning": "chua_dat", "absences": 60, "is_individual_plan": True}
    waiting = T22.promotion(**given)
    assert (waiting.level, codes(waiting)) == ("hieu_truong_quyet_dinh", ["principal-decides"])
    decided = T22.promotion(**given, principal_decision="len_lop")
    assert (decided.level, codes(decided)) == ("len_lop", ["principal-decided"])
    with pytest.raises(UnknownValue):
        T22.promotion(**given, principal_decision="kiem_tra_lai")


@pytest.mark.parametrize(
    "given",
    [
        {"conduct": "gioi"},
        {"learning": "gioi"},
        {"learning_after_retest": "gioi"},
        {"conduct_after_summer": "gioi"},
    ],
)
def test_promotion_refuses_unknown_levels(given):
    with pytest.raises(UnknownValue):
        T22.promotion(**{"conduct": "tot", "learning": "tot", "absences": 0, **given})


@pytest.mark.parametrize(
    "given",
    [
        {"conduct": "dat"},
        {"learning": "dat"},
        {"learning_after_retest": "dat"},
        {"conduct_after_summer": "dat"},
    ],
)
def test_promotion_under_circular_58_refuses_unknown_levels(given):
    with pytest.raises(UnknownValue):
        T58.promotion(**{"conduct": "tot", "learning": "kha", "absences": 0, **given})


def test_promotion_refuses_an_impossible_count():
    with pytest.raises(OutOfRange):
        T22.promotion(conduct="tot", learning="tot", absences=-1)


def test_what_can_be_re_assessed():
    for rules in (T22, T58):
        found = rules.retestable_subjects(
            scored={"toan": 49, "ngu_van": 50}, comments={"the_duc": "chua_dat", "am_nhac": "dat"}
        )
        assert found == (("toan",), ("the_duc",))


# A year in one piece


def year(rules=T22, *, changes=None, **settings):
    subjects = {code: SubjectResult(code, "score", 85, 85) for code in ("a", "b", "c", "d", "e", "f", "g")}
    subjects["nghe_thuat"] = SubjectResult("nghe_thuat", "comment", "chua_dat", "dat")
    subjects.update(changes or {})
    given = {"conduct1": "kha", "conduct2": "tot", "absences": 3, **settings}
    return rules.year_results(subjects=subjects.values(), **given)


def test_a_year_gives_terms_year_title_and_promotion():
    results = year()
    assert results.rule_set == "secondary.tt22-2021" and results.version == 1
    assert (results.term1.learning.base, results.term1.learning.level) == ("dat", "kha")
    assert results.term1.conduct == "kha" and results.term2.learning.level == "tot"
    assert results.averages["a"] == 85 and results.comments == {"nghe_thuat": "dat"}
    assert results.conduct.level == "tot" and results.award.level == "hoc_sinh_gioi"
    assert results.promotion.level == "len_lop"
    assert results.retestable == () and results.learning_after_retest is None


def test_an_exempted_subject_is_left_out_of_every_count():
    exempt = SubjectResult("g", "score", None, None, mode="exempt")
    results = year(changes={"g": exempt})
    assert "g" not in results.averages and results.learning.level == "tot"


def test_what_is_missing_is_named():
    with pytest.raises(IncompleteMarks) as refusal:
        year(changes={"a": SubjectResult("a", "score", 85, None), "b": SubjectResult("b", "score", 85)})
    assert refusal.value.facts == {"name": "term2", "subjects": ("a", "b"), "term": 2}
    for missing in ({"conduct1": None}, {"conduct2": None}, {"absences": None}):
        with pytest.raises(IncompleteMarks):
            year(**missing)


@pytest.mark.parametrize(
    "subject",
    [
        SubjectResult("a", "mark", 85, 85),  # type: ignore[arg-type]
        SubjectResult("a", "score", 85, 85, mode="easy"),  # type: ignore[arg-type]
        SubjectResult("nghe_thuat", "comment", "dat", "Đạt"),
    ],
)
def test_an_unknown_kind_mode_or_result_is_refused(subject):
    with pytest.raises(UnknownValue):
        year(changes={subject.code: subject})


def test_a_subject_given_twice_is_refused():
    with pytest.raises(UnknownValue, match="twice"):
        year(changes={"again": SubjectResult("a", "score", 10, 10)})


def test_one_term_alone():
    subjects = [SubjectResult(code, "score", 80) for code in "abcdef"]
    results = T22.term_results(subjects=subjects, term=1)
    assert results.learning.level == "tot" and results.conduct is None
    with pytest.raises(UnknownValue):
        T22.term_results(subjects=subjects, term=1, conduct="gioi")
    with pytest.raises(OutOfRange):
        T22.term_results(subjects=subjects, term=3)
    with pytest.raises(IncompleteMarks):
        T22.term_results(subjects=subjects, term=2)


def weak(retest=None, comment=None, **settings):
    changes = {
        "a": SubjectResult("a", "score", 30, 30, retest=retest),
        "b": SubjectResult("b", "score", 45, 45),
        "nghe_thuat": SubjectResult("nghe_thuat", "comment", "dat", "chua_dat", retest=comment),
    }
    return year(changes=changes, **settings)


def test_re_assessment_replaces_the_year_result_for_the_decision_only():
    before = weak()
    assert before.learning.level == "chua_dat"
    assert before.retestable == ("a", "b", "nghe_thuat")
    assert before.promotion.level == "kiem_tra_lai"
    after = weak(retest=50, comment="dat")
    assert after.averages["a"] == 30 and after.learning.level == "chua_dat"
    assert after.learning_after_retest.level == "dat" and after.promotion.level == "len_lop"
    failed = weak(retest=34)
    assert failed.learning_after_retest.level == "chua_dat" and failed.promotion.level == "o_lai_lop"


def test_re_assessment_is_refused_where_article_14_does_not_open_it():
    passed = SubjectResult("c", "score", 85, 85, retest=90)
    with pytest.raises(NotRetestable):
        year(changes={"c": passed})
    with pytest.raises(NotRetestable):
        weak(retest=60, conduct1="chua_dat", conduct2="chua_dat")
    bad = {"a": SubjectResult("a", "score", 30, 30), "c": passed}
    bad["b"] = SubjectResult("b", "score", 30, 30)
    with pytest.raises(NotRetestable):
        year(changes=bad)
    assert weak(conduct1="chua_dat", conduct2="chua_dat").retestable == ()


def test_a_plan_of_one_s_own_leaves_promotion_to_the_principal():
    plan = SubjectResult("a", "score", 85, 85, mode="individual_plan")
    assert year(changes={"a": plan}).promotion.level == "hieu_truong_quyet_dinh"
    assert year(changes={"a": plan}, principal_decision="o_lai_lop").promotion.level == "o_lai_lop"
    assert year(is_individual_plan=True).promotion.level == "hieu_truong_quyet_dinh"


def test_summer_training_in_the_year():
    results = year(conduct1="chua_dat", conduct2="chua_dat", conduct_after_summer="dat")
    assert results.promotion.level == "len_lop"


def test_a_subject_from_its_marks():
    marks = TermMarks((80, 75, 90), 80, 85)
    subject = T22.subject("toan", term1=marks, term2=TermMarks((90,), 90, 90, topics=(90,)), retest=50)
    assert subject == SubjectResult("toan", "score", 83, 90, retest=50)
    assert T22.subject("toan", term1=marks).term2 is None


def test_continuing_education_asks_no_comment_subject():
    results = year(
        rules=T43, changes={"nghe_thuat": SubjectResult("nghe_thuat", "comment", "dat", "chua_dat")}
    )
    assert results.learning.level == "tot" and results.rule_set == "gdtx.tt43-2021"
    assert T43.learning_level(scored=scored(*(80,) * 5)).level == "tot"
    assert str(T43.promotion.citation) == "43/2021/TT-BGDĐT#11"
    assert T43.promotion(conduct="tot", learning="tot", absences=46).because[0].citation.article == 11


# Circular 58


def rank(rules=T58, comments=None, specialised=None, core=None, **marks):
    return rules.learning_level(
        scored=marks, comments=comments or {}, specialised_subject=specialised, core_subjects=core
    )


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ({"toan": 80, "ngu_van": 79, "c": 81, "d": 80}, "gioi"),
        ({"toan": 79, "ngu_van": 79, "c": 82, "d": 80}, "kha"),
        ({"toan": 80, "ngu_van": 79, "c": 79, "d": 79}, "kha"),
        ({"toan": 95, "ngu_van": 80, "c": 80, "d": 65}, "gioi"),
        ({"toan": 95, "ngu_van": 80, "c": 81, "d": 64}, "kha"),
        ({"toan": 65, "ngu_van": 65, "c": 65, "d": 65}, "kha"),
        ({"toan": 65, "ngu_van": 64, "c": 64, "d": 64}, "trung_binh"),
        ({"toan": 50, "ngu_van": 50, "c": 50, "d": 50}, "trung_binh"),
        ({"toan": 50, "ngu_van": 49, "c": 49, "d": 49}, "yeu"),
        ({"toan": 35, "ngu_van": 35, "c": 35, "d": 35}, "yeu"),
        ({"toan": 35, "ngu_van": 34, "c": 34, "d": 34}, "kem"),
        ({"toan": 50, "ngu_van": 40, "c": 30, "d": 20}, "yeu"),
        ({"toan": 50, "ngu_van": 40, "c": 31, "d": 19}, "kem"),
        ({"c": 90, "d": 90}, "yeu"),
    ],
)
def test_ranks_on_both_sides_of_every_threshold(marks, expected):
    assert rank(**marks).base == expected


@pytest.mark.parametrize(
    ("low", "others", "base", "final"),
    [
        (49, 95, "trung_binh", "kha"),
        (30, 95, "yeu", "trung_binh"),
        (34, 72, "yeu", "trung_binh"),
        (19, 78, "kem", "yeu"),
        (49, 72, "trung_binh", "trung_binh"),
        (0, 100, "kem", "kem"),
    ],
)
def test_the_four_adjustments_and_no_other(low, others, base, final):
    outcome = rank(toan=others, ngu_van=others, c=others, d=others, e=others, f=others, g=low)
    assert (outcome.base, outcome.level, outcome.adjusted) == (base, final, base != final)
    assert ("rank-adjusted" in codes(outcome)) is (base != final)


def test_a_fall_the_table_does_not_list_is_flagged():
    outcome = rank(toan=100, ngu_van=100, c=100, d=100, e=100, f=100, g=10)
    assert outcome.level == "kem" and codes(outcome)[-1] == "rank-fall-not-listed"
    assert outcome.because[-1].facts == {"subject": "g", "base": "kem", "without": "gioi"}


def test_a_comment_subject_can_be_the_one():
    outcome = rank(comments={"the_duc": "chua_dat"}, toan=70, ngu_van=70)
    assert (outcome.base, outcome.level) == ("yeu", "trung_binh")
    assert "comment-subject-not-passed" in codes(outcome)
    two = rank(comments={"the_duc": "chua_dat", "am_nhac": "chua_dat"}, toan=70, ngu_van=70)
    assert two.level == "yeu"


def test_foreign_language_is_a_core_subject_from_2020():
    marks = {"toan": 79, "ngu_van": 79, "ngoai_ngu": 82, "d": 80}
    assert rank(**marks).level == "kha"
    assert rank(T26, **marks).level == "gioi"
    assert rank(core=["d"], **marks).level == "gioi"


def test_the_specialised_subject_must_reach_the_core_mark():
    marks = {"toan": 90, "ngu_van": 80, "d": 79}
    outcome = rank(specialised="d", **marks)
    assert outcome.level == "kha" and "specialised-subject-below" in codes(outcome)
    assert rank(specialised="toan", **marks).level == "gioi"
    with pytest.raises(IncompleteMarks):
        rank(specialised="vat_li", **marks)


def test_reasons_of_a_rank():
    low = rank(toan=30, ngu_van=40, comments={})
    assert codes(low) == ["rank-conditions-met", "average-below", "no-core-subject-reaches", "subject-below"]
    assert low.average == 35 and low.because[1].facts == {"got": 35, "needed": 50, "level": "trung_binh"}
    kem = rank(toan=10, ngu_van=10)
    assert codes(kem) == ["average-below", "subject-below", "subject-below"]
    assert codes(rank(toan=90, ngu_van=90)) == ["rank-conditions-met"]
    with pytest.raises(IncompleteMarks):
        rank()


@pytest.mark.parametrize(
    ("conduct", "learning", "award"),
    [
        ("tot", "gioi", "hoc_sinh_gioi"),
        ("kha", "gioi", "hoc_sinh_tien_tien"),
        ("tot", "kha", "hoc_sinh_tien_tien"),
        ("kha", "kha", "hoc_sinh_tien_tien"),
        ("trung_binh", "gioi", "khong"),
        ("tot", "trung_binh", "khong"),
        ("yeu", "kem", "khong"),
    ],
)
def test_titles_of_circular_58(conduct, learning, award):
    assert T58.award(conduct=conduct, learning=learning).level == award


@pytest.mark.parametrize(
    ("given", "decision", "reason"),
    [
        (("trung_binh", "trung_binh", 45, None, None), "len_lop", "promotion-conditions-met"),
        (("tot", "gioi", 46, None, None), "o_lai_lop", "too-many-absences"),
        (("tot", "kem", 0, None, None), "o_lai_lop", "rank-too-low"),
        (("yeu", "yeu", 0, None, None), "o_lai_lop", "both-not-passed"),
        (("trung_binh", "yeu", 0, None, None), "kiem_tra_lai", "retest-needed"),
        (("trung_binh", "yeu", 0, "trung_binh", None), "len_lop", "retest-passed"),
        (("trung_binh", "yeu", 0, "yeu", None), "o_lai_lop", "retest-failed"),
        (("yeu", "trung_binh", 0, None, None), "ren_luyen_he", "summer-training-needed"),
        (("yeu", "gioi", 0, None, "trung_binh"), "len_lop", "summer-training-passed"),
        (("yeu", "gioi", 0, None, "yeu"), "o_lai_lop", "summer-training-failed"),
    ],
)
def test_promotion_under_circular_58(given, decision, reason):
    conduct, learning, absences, retest, summer = given
    outcome = T58.promotion(
        conduct=conduct,
        learning=learning,
        absences=absences,
        learning_after_retest=retest,
        conduct_after_summer=summer,
    )
    assert (outcome.level, outcome.because[0].code) == (decision, reason)


def old_year(rules=T58, *, low=80, retest=None, **settings):
    subjects = [SubjectResult(code, "score", 80, 80) for code in ("toan", "ngu_van", "c")]
    subjects += [SubjectResult("d", "score", low, low, retest=retest), SubjectResult("e", "score", low, low)]
    subjects.append(SubjectResult("the_duc", "comment", "dat", "dat"))
    given = {"conduct1": "tot", "conduct2": "tot", "conduct_year": "tot", "absences": 0, **settings}
    return rules.year_results(subjects=subjects, **given)


def test_a_year_of_circular_58():
    results = old_year()
    assert (results.learning.level, results.award.level, results.promotion.level) == (
        "gioi",
        "hoc_sinh_gioi",
        "len_lop",
    )
    assert codes(results.conduct) == ["conduct-set-by-person"] and results.conduct.level == "tot"
    weak_year = old_year(low=30)
    assert weak_year.learning.level == "yeu" and weak_year.retestable == ("d", "e")
    assert weak_year.promotion.level == "kiem_tra_lai"
    again = old_year(low=30, retest=60, conduct_year="kha")
    # One subject at 3.0 is left: the adjustment of clause 6 holds after the retest too.
    assert again.learning_after_retest.level == "trung_binh" and again.promotion.level == "len_lop"
    failed = old_year(low=30, retest=31, conduct_year="kha")
    assert failed.learning_after_retest.level == "yeu" and failed.promotion.level == "o_lai_lop"
    assert old_year(low=30, conduct_year="yeu").retestable == ()
    with pytest.raises(NotRetestable):
        old_year(retest=60)
    with pytest.raises(IncompleteMarks):
        old_year(conduct_year=None)
    with pytest.raises(UnknownValue):
        old_year(conduct1="Tốt")


def test_learners_who_study_alone_have_no_conduct():
    results = old_year(Q02, conduct1=None, conduct2=None, conduct_year=None)
    assert results.conduct.level == "khong_xep_loai" and results.award.level == "khong"
    assert codes(results.promotion) == ["promotion-conditions-met-learning"]
    assert codes(results.award) == ["conduct-not-rated"]
    assert old_year(Q02).award.level == "hoc_sinh_gioi"
    assert str(results.promotion.because[0].citation) == "02/2007/QĐ-BGDĐT"


# Primary


QUALITIES = {"nhan_ai": "T", "ngon_ngu": "T"}


def primary(*tests: int, subjects=("T", "T"), qualities=("T", "T")) -> Outcome:
    return T27.year_level(
        subjects=dict(zip("ab", subjects, strict=True)),
        qualities=dict(zip("xy", qualities, strict=True)),
        final_tests=dict(zip(("tieng_viet", "toan"), tests, strict=True)),
    )


@pytest.mark.parametrize(
    ("tests", "subjects", "qualities", "expected"),
    [
        ((90, 90), "TT", "TT", "hoan_thanh_xuat_sac"),
        ((90, 80), "TT", "TT", "hoan_thanh_tot"),
        ((70, 70), "TT", "TT", "hoan_thanh_tot"),
        ((70, 60), "TT", "TT", "hoan_thanh"),
        ((50, 50), "TT", "TT", "hoan_thanh"),
        ((50, 40), "TT", "TT", "chua_hoan_thanh"),
        ((100, 100), "TH", "TT", "hoan_thanh"),
        ((100, 100), "TT", "TĐ", "hoan_thanh"),
        ((100, 100), "TC", "TT", "chua_hoan_thanh"),
        ((100, 100), "TT", "TC", "chua_hoan_thanh"),
    ],
)
def test_year_levels_of_primary_pupils(tests, subjects, qualities, expected):
    assert primary(*tests, subjects=subjects, qualities=qualities).level == expected


def test_reasons_of_a_year_level():
    outcome = primary(60, 100, subjects="TH", qualities="TĐ")
    assert [(one.code, dict(one.facts)) for one in outcome.because] == [
        ("year-conditions-met", {"level": "hoan_thanh", "tests_from": 50}),
        ("subject-level-below", {"subject": "b", "got": "H", "needed": "T", "level": "hoan_thanh_tot"}),
        ("quality-below", {"quality": "y", "got": "Đ", "needed": "T", "level": "hoan_thanh_tot"}),
        ("test-below", {"subject": "tieng_viet", "got": 60, "needed": 70, "level": "hoan_thanh_tot"}),
    ]
    assert codes(primary(100, 100)) == ["year-conditions-met"]
    assert codes(primary(40, 100)) == ["test-below"]
    middling = primary(80, 100)
    assert [one.facts["level"] for one in middling.because] == ["hoan_thanh_tot", "hoan_thanh_xuat_sac"]


@pytest.mark.parametrize(
    ("mark", "valid"),
    [(10, True), (100, True), (0, False), (5, False), (75, False), (110, False), (-10, False), (True, False)],
)
def test_marks_of_primary_tests(mark, valid):
    assert T27.is_valid_test_mark(mark) is valid
    assert T30.is_valid_test_mark(mark) is valid


def test_primary_refusals():
    good = {"subjects": {"a": "T"}, "qualities": {"x": "T"}, "final_tests": {}}
    for rules, wrong in (
        (T27, {"subjects": {"a": "HT"}}),
        (T27, {"qualities": {"x": "D"}}),
        (T30, {"subjects": {"a": "HTT"}}),
    ):
        with pytest.raises(UnknownValue):
            rules.class_programme_completed(**{**good, **wrong})
    with pytest.raises(UnknownValue):
        T30.class_programme_completed(subjects={"a": "HT"}, qualities={"x": "T"}, final_tests={})
    for missing in ({"subjects": {}}, {"qualities": {}}):
        for rules in (T27, T30):
            with pytest.raises(IncompleteMarks):
                rules.class_programme_completed(**{**good, **missing})
    with pytest.raises(OutOfRange):
        T27.year_level(**{**good, "final_tests": {"toan": 75}})
    with pytest.raises(OutOfRange):
        T30.class_programme_completed(subjects={"a": "HT"}, qualities={"x": "Đ"}, final_tests={"toan": 75})
    with pytest.raises(IncompleteMarks):
        T27.combine_test_parts(())


def test_a_test_in_two_parts_is_their_mean_in_whole_points():
    assert T27.combine_test_parts((70, 80)) == 80
    assert T27.combine_test_parts((70, 90)) == 80
    assert T27.combine_test_parts((70, 70, 80)) == 70


@pytest.mark.parametrize(
    ("rules", "grade", "period", "expected"),
    [
        (T27, 1, "cuoi_hk1", ("tieng_viet", "toan")),
        (T27, 3, "giua_hk1", ()),
        (T27, 4, "giua_hk2", ("tieng_viet", "toan")),
        (T27, 3, "cuoi_nam", ("tieng_viet", "toan", "ngoai_ngu_1", "tin_hoc_cong_nghe")),
        (T30, 5, "giua_hk1", ()),
        (T22P, 5, "giua_hk1", ("tieng_viet", "toan")),
        (T22P, 3, "giua_hk1", ()),
        (T30, 3, "cuoi_nam", ("tieng_viet", "toan")),
        (T30, 4, "cuoi_nam", ("tieng_viet", "toan", "khoa_hoc", "lich_su_dia_li")),
    ],
)
def test_subjects_with_tests(rules, grade, period, expected):
    assert rules.subjects_with_periodic_test(grade=grade, period=period) == expected
    with pytest.raises(UnknownValue):
        rules.subjects_with_periodic_test(grade=grade, period="cuối năm")
    with pytest.raises(OutOfRange):
        rules.subjects_with_periodic_test(grade=6, period=period)


def test_subjects_tested_where_taught():
    found = T27.subjects_with_periodic_test(grade=1, period="cuoi_nam", has_minority_language=True)
    assert found == ("tieng_viet", "toan", "tieng_dan_toc")
    assert T30.subjects_with_periodic_test(grade=1, period="cuoi_nam", taught={"tin_hoc"}) == (
        "tieng_viet",
        "toan",
        "tin_hoc",
    )


@pytest.mark.parametrize(
    ("level", "outstanding", "progress", "recognised", "award", "reasons"),
    [
        ("hoan_thanh_xuat_sac", False, False, False, "hoc_sinh_xuat_sac", ["award-year-level"]),
        ("hoan_thanh_tot", True, False, True, "hoc_sinh_tieu_bieu", ["award-year-level"]),
        ("hoan_thanh_tot", False, True, True, "hoc_sinh_tieu_bieu", ["award-year-level"]),
        ("hoan_thanh_tot", False, False, True, "khong", ["award-needs-outstanding-or-progress"]),
        ("hoan_thanh_tot", True, True, False, "khong", ["award-needs-recognition"]),
        ("hoan_thanh", True, True, True, "khong", ["award-level-below"]),
    ],
)
def test_titles_of_primary_pupils(level, outstanding, progress, recognised, award, reasons):
    outcome = T27.award(
        level=level,
        is_outstanding_in_a_subject=outstanding,
        has_clear_progress=progress,
        is_recognised_by_class=recognised,
    )
    assert (outcome.level, codes(outcome)) == (award, reasons)


@pytest.mark.parametrize(
    ("given", "decision", "reason"),
    [
        ({"level": "hoan_thanh"}, "len_lop", "class-completed"),
        ({"level": "chua_hoan_thanh"}, "danh_gia_bo_sung", "more-help-needed"),
        (
            {"level": "chua_hoan_thanh", "level_after_help": "hoan_thanh"},
            "len_lop",
            "completed-after-help",
        ),
        (
            {"level": "chua_hoan_thanh", "level_after_help": "chua_hoan_thanh"},
            "hieu_truong_quyet_dinh",
            "principal-decides",
        ),
        (
            {
                "level": "chua_hoan_thanh",
                "level_after_help": "chua_hoan_thanh",
                "principal_decision": "len_lop",
            },
            "len_lop",
            "principal-decided",
        ),
        (
            {"level": "chua_hoan_thanh", "is_individual_plan": True},
            "hieu_truong_quyet_dinh",
            "principal-decides",
        ),
    ],
)
def test_promotion_of_primary_pupils(given, decision, reason):
    for rules in (T27, T22P, T30):
        outcome = rules.promotion(**given)
        assert (outcome.level, codes(outcome)) == (decision, [reason])
        with pytest.raises(UnknownValue):
            rules.promotion(**{**given, "principal_decision": "dat"})
        with pytest.raises(UnknownValue):
            rules.promotion(**{**given, "level_after_help": "dat"})


def pupils_year(rules=T27, *, tests=100, subject_level="T", quality="T", mode="normal", **settings):
    subjects = [
        PrimarySubject(code, {"cuoi_nam": subject_level}, {"cuoi_nam": tests} if tests else {}, mode)
        for code in ("tieng_viet", "toan")
    ]
    subjects.append(PrimarySubject("dao_duc", {"cuoi_nam": subject_level}))
    return rules.year_results(
        grade=1, subjects=subjects, qualities=dict.fromkeys(QUALITIES, quality), **settings
    )


def test_a_year_of_a_primary_pupil():
    results = pupils_year()
    assert results.level.level == "hoan_thanh_xuat_sac" and results.completion.level == "hoan_thanh"
    assert results.award.level == "hoc_sinh_xuat_sac" and results.promotion.level == "len_lop"
    assert results.tests == {"tieng_viet": 100, "toan": 100} and results.subjects["dao_duc"] == "T"
    low = pupils_year(tests=40)
    assert low.completion.level == "chua_hoan_thanh" and low.promotion.level == "danh_gia_bo_sung"
    planned = pupils_year(tests=None, subject_level="C", mode="individual_plan")
    assert planned.promotion.level == "hieu_truong_quyet_dinh"


def test_what_a_primary_year_lacks_is_named():
    with pytest.raises(IncompleteMarks) as refusal:
        pupils_year(tests=None)
    assert refusal.value.facts["tests"] == ("tieng_viet", "toan") and refusal.value.facts["subjects"] == ()
    with pytest.raises(IncompleteMarks):
        pupils_year(T30, tests=None, subject_level="HT", quality="Đ")
    gap = T27.missing(
        grade=1,
        subjects=[
            PrimarySubject("toan", tests={"cuoi_nam": 90}),
            PrimarySubject("tieng_dan_toc", mode="exempt"),
        ],
        period="cuoi_nam",
    )
    assert gap.subjects == ("toan",) and gap.tests == ()
    taught = T27.missing(
        grade=1, subjects=[PrimarySubject("tieng_dan_toc", {"cuoi_nam": "T"})], period="cuoi_nam"
    )
    assert taught.tests == ("tieng_dan_toc",)


def test_the_years_before_circular_27():
    completion, promotion = pupils_year(T22P, subject_level="HTT")
    assert (completion.level, promotion.level) == ("hoan_thanh", "len_lop")
    completion, promotion = pupils_year(T30, subject_level="CHT", quality="CĐ", tests=40)
    assert completion.level == "chua_hoan_thanh" and promotion.level == "danh_gia_bo_sung"
    assert codes(completion) == ["subject-level-below"] * 3 + ["quality-below"] * 2 + ["test-below"] * 2
    assert pupils_year(T30, subject_level="HT", quality="Đ", tests=50)[0].level == "hoan_thanh"


@pytest.mark.parametrize(
    ("level", "quality", "test", "outstanding", "award"),
    [
        ("HTT", "T", 90, False, "hoan_thanh_xuat_sac_noi_dung"),
        ("HTT", "T", 80, False, "khong"),
        ("HT", "T", 90, False, "khong"),
        ("HTT", "Đ", 90, False, "khong"),
        ("HTT", "Đ", 90, True, "thanh_tich_vuot_troi"),
    ],
)
def test_commendation_under_circular_22_of_2016(level, quality, test, outstanding, award):
    outcome = T22P.award(
        subjects={"toan": level, "dao_duc": "HTT"},
        qualities={"a": quality, "b": "T"},
        final_tests={"toan": test},
        has_outstanding_achievement=outstanding,
    )
    assert outcome.level == award


# Preschool


@pytest.mark.parametrize(
    ("given", "most"),
    [
        ({"group": "NT1"}, 15),
        ({"group": "NT2"}, 20),
        ({"group": "NT3"}, 25),
        ({"group": "MG3"}, 25),
        ({"group": "MG4"}, 30),
        ({"group": "MG5", "disabled_children": 2}, 25),
        ({"group": "NT1", "is_independent": True}, 12),
        ({"group": "NT2", "is_independent": True}, 20),
        ({"group": "NT3", "is_mixed": True}, 20),
        ({"group": "MG5", "is_mixed": True, "disabled_children": 1}, 25),
    ],
)
def test_sizes_of_preschool_groups(given, most):
    assert assessment.PRESCHOOL_GROUPS.max_group_size(**given) == most


def test_preschool_refusals():
    sizes = assessment.PRESCHOOL_GROUPS
    with pytest.raises(UnknownValue):
        sizes.max_group_size(group="5-6 tuổi")
    for children in (3, -1):
        with pytest.raises(OutOfRange):
            sizes.max_group_size(group="MG5", disabled_children=children)
    assert sizes.governs(grade=0, year=2020) and not sizes.governs(grade=0, year=2019)
    assert not sizes.governs(grade=1, year=2025) and not assessment.GROWTH.governs(grade=0, year=2025)


@pytest.mark.parametrize(
    ("indicator", "z", "age", "expected"),
    [
        ("weight_for_age", -301, None, "nhe_can_do_2"),
        ("weight_for_age", -300, None, "nhe_can_do_1"),
        ("weight_for_age", -200, None, "binh_thuong"),
        ("weight_for_age", 301, None, "can_nang_cao_hon_tuoi"),
        ("height_for_age", 400, None, "binh_thuong"),
        ("weight_for_height", 201, None, "thua_can"),
        ("weight_for_height", 300, None, "thua_can"),
        ("weight_for_height", 301, None, "beo_phi"),
        ("bmi_for_age", 101, 60, "binh_thuong"),
        ("bmi_for_age", 100, 61, "binh_thuong"),
        ("bmi_for_age", 101, 61, "thua_can"),
        ("bmi_for_age", 200, 61, "thua_can"),
        ("bmi_for_age", 201, 61, "beo_phi"),
        ("weight_for_height", 101, 61, "binh_thuong"),
        ("bmi_for_age", -201, 61, "gay_com_do_1"),
    ],
)
def test_growth_classes(indicator, z, age, expected):
    assert assessment.GROWTH.growth_class(indicator=indicator, z=z, age_months=age) == expected


def test_growth_refusals():
    with pytest.raises(OutOfRange):
        assessment.GROWTH.growth_class(indicator="bmi_for_age", z=-2.0)
    with pytest.raises(OutOfRange):
        assessment.GROWTH.growth_class(indicator="bmi_for_age", z=1, age_months=-1)
    with pytest.raises(UnknownValue):
        assessment.GROWTH.growth_class(indicator="head", z=1)
    line = LMS(Decimal(1), Decimal(10), Decimal("0.1"))
    for value in (Decimal(0), Decimal("NaN"), 10, 10.0):
        with pytest.raises(OutOfRange):
            assessment.GROWTH.z_score(indicator="bmi_for_age", value=value, lms=line)


@pytest.mark.parametrize(
    ("power", "value", "indicator", "z"),
    [
        ("1", "10", "weight_for_age", 0),
        ("1", "11", "weight_for_age", 100),
        ("1", "8", "weight_for_age", -200),
        ("1", "14", "weight_for_age", 400),
        ("1", "6.995", "weight_for_age", -301),
        ("1", "14", "height_for_age", 400),
        # (12/10)^2 = 1.44; 0.44 / (2*0.1) = 2.2
        ("2", "12", "weight_for_age", 220),
        # beyond +3: 10*sqrt(1.6) = 12.649, 10*sqrt(1.4) = 11.832; 3 + (14-12.649)/0.817 = 4.65
        ("2", "14", "weight_for_age", 465),
        # below -3: 10*sqrt(0.4) = 6.325, 10*sqrt(0.6) = 7.746; -3 - (6.325-5)/1.421 = -3.93
        ("2", "5", "weight_for_age", -393),
        ("2", "5", "height_for_age", -375),
        # power 0: ln(11/10)/0.1 = 0.953
        ("0", "11", "weight_for_age", 95),
        # 10*e^0.3 = 13.499, 10*e^0.2 = 12.214; 3 + (15-13.499)/1.285 = 4.17
        ("0", "15", "weight_for_age", 417),
    ],
)
def test_z_scores_by_the_published_formula(power, value, indicator, z):
    line = LMS(Decimal(power), Decimal(10), Decimal("0.1"))
    assert assessment.GROWTH.z_score(indicator=indicator, value=Decimal(value), lms=line) == z


# Words


def test_marks_are_printed_with_the_comma_of_the_language():
    assert show_mark(83) == "8,3" and show_mark(100) == "10,0"
    assert show_mark(5, "en") == "0.5"


def test_a_parent_reads_why():
    outcome = T22.learning_level(scored={**scored(*(85,) * 7), "tin_hoc": 49}, comments={})
    sentences = explain_all(outcome)
    assert sentences[1] == (
        "Môn Tin học được 4,9; mức Khá cần mọi môn từ 5,0 trở lên.",
        "điểm b khoản 2 Điều 9 Thông tư 22/2021/TT-BGDĐT",
    )
    assert (
        explain(outcome.because[1], "en") == "Informatics has 4.9; Fair asks every subject for 5.0 or more."
    )
    assert "Môn của trường" in explain(outcome.because[1], names={"tin_hoc": "Môn của trường"}).replace(
        "Môn Môn", "Môn"
    )
    pupil = primary(60, 100, subjects="TH", qualities="TĐ")
    assert explain(pupil.because[2]) == "y được đánh giá mức Đạt; Hoàn thành tốt cần mức Tốt."
    quality = Reason(
        "quality-below", None, {"quality": "nhan_ai", "got": "C", "needed": "Đ", "level": "hoan_thanh"}
    )
    assert explain(quality) == "Nhân ái được đánh giá mức Cần cố gắng; Hoàn thành cần mức Đạt."
    assert explain_all(Outcome("dat", (quality,)), "en")[0] == (
        "Kindness was assessed Needs effort; Completed needs Pass.",
        "",
    )
    assert (
        explain(pupil.because[3])
        == "Bài kiểm tra cuối năm môn Tiếng Việt được 6 điểm; Hoàn thành tốt cần từ 7 điểm."
    )


def test_words_that_are_not_there_are_refused():
    assert label("kha") == "Khá" and label("kha", "en") == "Fair"
    for wrong in (lambda: label("very_good"), lambda: label("kha", "fr"), lambda: explain(Reason("because"))):
        with pytest.raises(UnknownValue):
            wrong()


def test_a_rule_set_without_sets_says_so():
    class Nothing(RuleSet):
        id = "nothing"
        instrument = "1/1900"
        first_year = {}

    with pytest.raises(NotDefined):
        Nothing().apply(None)  # type: ignore[arg-type]
    assert str(Nothing().cite(1)) == "1/1900#1" and Citation("1/1900") == Nothing().cite()


# Operations beyond the published cases


def run(rule_set: str, op: str, **given):
    return assessment.OPERATIONS[rule_set, op]({"op": op, **given}, rule_set)


def test_operations_take_what_further_cases_may_bring():
    new, old = "secondary.tt22-2021", "secondary.tt58-2011"
    assert run(new, "award", conduct="Tốt", learning="Tốt") == "Học sinh Giỏi"
    assert (
        run("gdtx.tt43-2021", "promotion", conduct_year="Tốt", learning_year="Khá", absences=0) == "Lên lớp"
    )
    assert run(new, "comment_subject_term", regular=["Đạt", "Đạt"], midterm=None, final="Đạt") == "Chưa đạt"
    assert run(
        new,
        "learning_level",
        scored={"a": "8.5"},
        comment={"b": "Chưa đạt"},
        min_count=1,
        adjust_for_comment=False,
    ) == {"base": "Đạt", "final": "Đạt", "adjusted": False}
    assert run(old, "required_regular_marks", periods_per_week="1.5") == 3
    assert run(old + "+tt26-2020", "required_regular_marks", periods_per_year=70) == 3
    assert run(old, "subject_year_average", term1="5.0", term2="6.0") == "5.7"
    assert run(old, "comment_subject_year", term1=None, term2="CĐ") == "CĐ"
    assert run(old, "year_award", conduct="Trung bình", learning="Giỏi") is None
    assert run(old, "retestable_subjects", scored_year={"a": "4.9"}, comment_year={"b": "CĐ"}) == {
        "score": ["a"],
        "comment": ["b"],
    }
    assert run("primary.tt27-2020", "promotion", level="Chưa hoàn thành") == "Đánh giá bổ sung"
    assert run("primary.tt27-2020", "valid_test_mark", mark="bảy") is False
    results = {"subjects": {"a": "HTT"}, "qualities_competencies": {"b": "T"}, "final_tests": {"a": "9"}}
    assert (
        run("primary.tt22-2016", "award", **results)
        == "Hoàn thành xuất sắc các nội dung học tập và rèn luyện"
    )
    assert run("primary.tt22-2016", "award", **{**results, "final_tests": {"a": "8"}}) is None
    assert run("preschool.tt52-2020", "max_group_size", group="NT1", independent=True) == 12
    with pytest.raises(UnknownValue):
        run("preschool.tt52-2020", "max_group_size", group="7-8 tuổi")


def test_the_pipeline_takes_exemptions_and_re_assessment():
    marks = {"regular": ["8", "8"], "midterm": "8", "final": "8"}
    low = {"regular": ["3", "3"], "midterm": "3", "final": "3"}
    terms = {"term1": marks, "term2": marks}
    given = {
        "scored": {**dict.fromkeys("abcdef", terms), "g": {"term1": low, "term2": low}},
        "comment": {"m": {"term1": "Đạt", "term2": "Đạt"}},
        "conduct1": "Tốt",
        "conduct2": "Tốt",
        "absences": 0,
    }
    assert run("secondary.tt22-2021", "year_pipeline", **given)["learning_year"] == "Đạt"
    exempt = run("secondary.tt22-2021", "year_pipeline", **given, exempt=["g"])
    assert exempt["learning_year"] == "Tốt" and "g" not in exempt["year"]
    with pytest.raises(NotDefined):
        run("secondary.tt22-2021", "year_pipeline", **given, exempt=["z"])
    given["scored"] = {**given["scored"], "f": {"term1": low, "term2": low}}
    assert (
        run("secondary.tt22-2021", "year_pipeline", **given)["promotion"] == "Kiểm tra, đánh giá lại trong hè"
    )
    again = run("secondary.tt22-2021", "year_pipeline", **given, retest={"f": "5.0", "g": "5.0"})
    assert again["promotion"] == "Lên lớp"
    topics = {**marks, "topic_scores": ["10"]}
    given["scored"] = {"a": {"term1": topics, "term2": topics}}
    assert run("gdtx.tt43-2021", "year_pipeline", **given)["year"] == {"a": "8.3"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"level": "gdtx", "grade": 6, "school_year_start": 2021}, "gdtx.tt43-2021"),
        (
            {"level": "secondary", "grade": 6, "school_year_start": 2021, "programme": "continuing"},
            "gdtx.tt43-2021",
        ),
        ({"level": "upper_secondary", "grade": 10, "school_year_start": 2022}, "secondary.tt22-2021"),
    ],
)
def test_resolving_a_rule_set(given, expected):
    assert operations.resolve(given, "meta") == expected


def test_resolving_refuses_a_level_that_is_not_the_grade_s():
    for level in ("primary", "university"):
        with pytest.raises(UnknownValue):
            operations.resolve({"level": level, "grade": 6, "school_year_start": 2021}, "meta")


def test_the_whole_chain_is_told_step_by_step():
    low = SubjectResult("a", "score", 30, 30, retest=50)
    low_too = SubjectResult("b", "score", 30, 30, retest=50)
    steps = assessment.tell(T22, year(changes={"a": low, "b": low_too}), names={"a": "Âm học"})
    assert [(step.code, step.level) for step in steps] == [
        ("subject-results", ""),
        ("learning-term1", "chua_dat"),
        ("learning-term2", "chua_dat"),
        ("learning-year", "chua_dat"),
        ("conduct-year", "tot"),
        ("learning-after-retest", "dat"),
        ("award", "khong"),
        ("promotion", "len_lop"),
    ]
    assert steps[0].sentences[0] == (
        "Môn Âm học: học kì I 3,0, học kì II 3,0 (tính hệ số 2), cả năm 3,0.",
        "điểm b khoản 1 Điều 9 Thông tư 22/2021/TT-BGDĐT",
    )
    assert (
        steps[0].sentences[-1][0]
        == "Môn Nghệ thuật (Âm nhạc, Mĩ thuật): học kì I Chưa đạt, học kì II Đạt; cả năm lấy theo học kì II: Đạt."
    )
    assert (steps[-1].title, steps[-1].result) == ("Lên lớp", "Lên lớp")
    assert "learning-after-retest" not in [step.code for step in assessment.tell(T22, year())]
    assert [step.title for step in assessment.tell(T27, pupils_year(), "en")] == [
        "Result of the year",
        "Completion of the class programme",
        "Title",
        "Promotion",
    ]
    assert len(assessment.tell(T58, old_year())) == 7


def test_a_year_of_a_pupil_with_all_words():
    reason = Reason(
        "subject-level-below", None, {"subject": "toan", "got": "H", "needed": "T", "level": "hoan_thanh_tot"}
    )
    assert explain(reason) == "Môn Toán được đánh giá mức Hoàn thành; Hoàn thành tốt cần mức Hoàn thành tốt."
    assert (
        T27.class_programme_completed(subjects={"a": "T"}, qualities={"b": "T"}, final_tests={}).level
        == "hoan_thanh"
    )


@pytest.mark.parametrize(
    ("indicator", "sex", "at", "is_lying", "median"),
    [
        ("weight_for_age", "M", 0, False, "3.3464"),
        ("weight_for_age", "F", 60, False, "18.2193"),
        ("weight_for_age", "M", Decimal("12.9"), False, "9.6479"),
        ("height_for_age", "M", 24, False, "87.13"),
        ("weight_for_height", "M", Decimal("65.05"), False, "7.4563"),
        ("weight_for_height", "M", 45, True, "2.441"),
        ("weight_for_height", "F", 120, False, "22.8173"),
    ],
)
def test_lines_of_the_published_tables(indicator, sex, at, is_lying, median):
    line = assessment.GROWTH.line(indicator=indicator, sex=sex, at=at, is_lying=is_lying)
    assert str(line.median).startswith(median)
    assert assessment.GROWTH.z_score(indicator=indicator, value=line.median, lms=line) == 0


def test_outside_the_tables_nothing_is_guessed():
    for at in (61, -1):
        with pytest.raises(NoRuleInForce):
            assessment.GROWTH.line(indicator="bmi_for_age", sex="M", at=at)
    with pytest.raises(NoRuleInForce):
        assessment.GROWTH.line(indicator="weight_for_height", sex="M", at=45)
    for at in (12.5, True, "12"):
        with pytest.raises(OutOfRange):
            assessment.GROWTH.line(indicator="bmi_for_age", sex="M", at=at)
    for wrong in ({"sex": "nam"}, {"indicator": "arm"}):
        with pytest.raises(UnknownValue):
            assessment.GROWTH.line(**{"indicator": "bmi_for_age", "sex": "M", "at": 1, **wrong})


def test_a_boy_of_one_year_by_the_tables():
    line = assessment.GROWTH.line(indicator="weight_for_age", sex="M", at=12)
    # WHO's own simplified table: -2 SD 7.7 kg, +2 SD 12.0 kg for boys of 12 months.
    assert assessment.GROWTH.z_score(indicator="weight_for_age", value=Decimal("7.7"), lms=line) in range(
        -205, -194
    )
    assert assessment.GROWTH.z_score(indicator="weight_for_age", value=Decimal("12.0"), lms=line) in range(
        195, 206
    )


def test_one_comment_subject_not_passed_is_no_reason_against_dat():
    outcome = T22.learning_level(scored=scored(*(40,) * 8), comments={"a": "chua_dat", "b": "dat"})
    assert outcome.level == "chua_dat" and codes(outcome) == ["too-few-subjects-reach"]


def test_a_mark_exactly_at_the_high_mark_counts_in_the_reason():
    outcome = T22.learning_level(scored=scored(80, 80, 79, 79, 79, 79, 79, 79), comments={})
    assert outcome.because[-1].code == "too-few-subjects-reach"
    assert outcome.because[-1].facts == {"count": 2, "needed": 6, "threshold": 80, "level": "tot"}
