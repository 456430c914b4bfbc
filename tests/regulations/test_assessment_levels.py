"""Levels, conduct, titles, promotion and the year under Circular 22/2021 and those that follow it."""

from __future__ import annotations

import pytest
from tests.regulations.marks import T22, T43, T58, codes, level, scored

from regulations.assessment import (
    NotRetestable,
    SubjectResult,
    TermMarks,
)
from regulations.core import (
    IncompleteMarks,
    OutOfRange,
    UnknownValue,
)

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


def test_one_comment_subject_not_passed_is_no_reason_against_dat():
    outcome = T22.learning_level(scored=scored(*(40,) * 8), comments={"a": "chua_dat", "b": "dat"})
    assert outcome.level == "chua_dat" and codes(outcome) == ["too-few-subjects-reach"]


def test_a_mark_exactly_at_the_high_mark_counts_in_the_reason():
    outcome = T22.learning_level(scored=scored(80, 80, 79, 79, 79, 79, 79, 79), comments={})
    assert outcome.because[-1].code == "too-few-subjects-reach"
    assert outcome.because[-1].facts == {"count": 2, "needed": 6, "threshold": 80, "level": "tot"}
