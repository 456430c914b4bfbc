"""What a reader is told, operations of the vectors' format, and the whole chain."""

from __future__ import annotations

import pytest
from tests.regulations.marks import T22, T27, T58, scored
from tests.regulations.test_assessment_levels import year
from tests.regulations.test_assessment_primary import primary, pupils_year
from tests.regulations.test_assessment_ranks import old_year

from regulations import assessment
from regulations.assessment import (
    NotDefined,
    SubjectResult,
    explain,
    explain_all,
    label,
    operations,
    show_mark,
)
from regulations.assessment.base import RuleSet
from regulations.core import (
    Citation,
    Outcome,
    Reason,
    UnknownValue,
)

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
