"""The programme of 2018 as data."""

from __future__ import annotations

import pytest

from regulations import curriculum
from regulations.assessment.tt_27_2020 import TERM_END_TESTS
from regulations.core import NoRuleInForce, OutOfRange, UnknownValue


def test_the_subjects_of_a_lower_secondary_grade():
    subjects = {one.code: one for one in curriculum.subjects_for(7, 2025)}
    compulsory = [one for one in subjects.values() if one.role == "compulsory" and one.kind == "score"]
    assert len(compulsory) == 8
    assert subjects["nghe_thuat"].kind == "comment" and subjects["toan"].periods_per_year == 140
    assert subjects["giao_duc_dia_phuong"].role == "compulsory_activity"


def test_upper_secondary_has_nine_subjects_to_choose_from():
    subjects = curriculum.subjects_for(10, 2022)
    assert len([one for one in subjects if one.role == "choose_4_of_9"]) == 9
    assert {one.kind for one in subjects if one.code in ("am_nhac", "mi_thuat")} == {"comment"}


@pytest.mark.parametrize("grade", range(1, 6))
def test_primary_subjects_with_tests_are_those_of_the_circular(grade):
    subjects = curriculum.subjects_for(grade, 2025)
    tested = {one.code for one in subjects if one.kind == "level_and_test" and one.code != "tieng_dan_toc"}
    assert tested == set(TERM_END_TESTS[grade])
    assert {one.kind for one in subjects} == {"level", "level_and_test"}


@pytest.mark.parametrize("grade", curriculum.FIRST_YEAR)
def test_a_grade_has_the_programme_from_its_year(grade):
    first = curriculum.FIRST_YEAR[grade]
    subjects = curriculum.subjects_for(grade, first)
    assert len({one.code for one in subjects}) == len(subjects) > 5
    assert all(one.grade == grade and one.periods_per_year > 0 and one.name_en for one in subjects)
    with pytest.raises(NoRuleInForce):
        curriculum.subjects_for(grade, first - 1)


def test_what_is_not_there_is_refused():
    with pytest.raises(OutOfRange):
        curriculum.subjects_for(13, 2025)
    for given in ({"code": "astronomy"}, {"code": "khoa_hoc", "grade": 7}):
        with pytest.raises(UnknownValue):
            curriculum.subject(**given)
    assert curriculum.find_subject("astronomy") is None and curriculum.find_quality("bravery") is None


def test_a_subject_by_code():
    assert curriculum.subject("toan").grade == 1
    assert curriculum.subject("toan", grade=9).periods_per_year == 140
    assert curriculum.subject("ngoai_ngu_1").name_vi == "Ngoại ngữ 1"
    assert curriculum.subject("tieng_dan_toc", grade=6).role == "elective"


def test_qualities_and_competences():
    assert [one.code for one in curriculum.qualities(2020)] == [
        "yeu_nuoc",
        "nhan_ai",
        "cham_chi",
        "trung_thuc",
        "trach_nhiem",
    ]
    assert [len(curriculum.competences(grade, 2025)) for grade in range(1, 6)] == [8, 8, 10, 10, 10]
    young = {one.code for one in curriculum.competences(2, 2025)}
    assert len(curriculum.competences(3, 2025)) == 10 and {"cong_nghe", "tin_hoc"}.isdisjoint(young)
    assert curriculum.find_quality("tin_hoc").kind == "nang_luc_dac_thu"
    for grade in (0, 6):
        with pytest.raises(OutOfRange):
            curriculum.competences(grade, 2025)
    with pytest.raises(NoRuleInForce):
        curriculum.qualities(2019)
