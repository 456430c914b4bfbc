"""Ranks and the year under Circular 58/2011, as amended or followed."""

from __future__ import annotations

import pytest
from tests.regulations.marks import Q02, T26, T58, codes

from regulations.assessment import (
    NotRetestable,
    SubjectResult,
)
from regulations.core import (
    IncompleteMarks,
    UnknownValue,
)

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
