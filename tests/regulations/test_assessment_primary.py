"""Pupils of primary school under Circulars 27/2020, 22/2016 and 30/2014."""

from __future__ import annotations

import pytest
from tests.regulations.marks import T22P, T27, T30, codes

from regulations.assessment import (
    PrimarySubject,
)
from regulations.core import (
    IncompleteMarks,
    Outcome,
    OutOfRange,
    UnknownValue,
)

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
