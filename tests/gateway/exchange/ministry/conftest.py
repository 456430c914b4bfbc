"""A small school of each level with everything the file tells, complete and correct."""

import pytest

from khue.register.orgs import reach
from khue.register.orgs.models import Unit, UnitTie
from khue.register.people import numbers
from khue.register.people.models import Kinship, Person
from khue.school.gradebook.models import Result
from khue.school.teaching.models import Assignment
from tests import factories

FULL_SCHOOL = {"MA_LOAI_HINH_TRUONG": "1", "SO_DIEM_TRUONG": 1, "IS_NGUON_NUOC_SACH": True}


def complete(person, *, number):
    Person.objects.filter(pk=person.pk).update(
        personal_number=numbers.encrypt(number), ethnic_group="01", nationality="VN", commune_code="29512",
        born_on=person.born_on or "1985-04-02", sex=person.sex if person.sex != "0" else "2",
    )  # fmt: skip


def result(group, learner, term, **fields):
    return Result.objects.create(
        learner=learner, class_group=group, school_id=group.school_id, school_year=group.school_year, term=term,
        rule_set="x", input_hash="0" * 64, **fields,
    )  # fmt: skip


@pytest.fixture
def province(everything):
    unit = factories.unit("province", "Tỉnh Vĩnh Long", code="86")
    commune = factories.unit("commune", "Phường An Hội", code="29512", parent=unit)
    return unit, commune


def plant(commune, name, level, grade, *, subjects):
    here = factories.school(name, levels=(level,), commune=commune)
    Unit.objects.filter(pk=here.pk).update(commune_code="29512", address="Số 1 đường Trường học", facts=FULL_SCHOOL)
    here.refresh_from_db()
    head = factories.post(here, "Ngô Thị Hạnh", "principal")
    teacher = factories.post(here, "Trần Văn Bảy", subject_code="toan", contract_kind="permanent")
    group = factories.class_group(here, grade=grade, name=f"{grade}A", homeroom=teacher)
    learners = factories.learners(group, 3)
    for number, person in enumerate([head.person, teacher.person, *learners]):
        complete(person, number=f"0860{15 + number:02d}{here.pk % 10**4:04d}{number:02d}")
    mother = factories.person("Nguyễn Thị Mai", phone="0912345678", born_on="1985-01-01")
    Kinship.objects.create(guardian=mother, learner=learners[0], relation="mother", school_id=here.pk, valid=factories.EVER)
    Assignment.objects.create(post=teacher, class_group=group, school_id=here.pk, school_year=2025, subject_code="toan", periods=4, valid=factories.SCHOOL_YEAR)
    for learner in learners:
        for term in (1, 2, 0):
            result(group, learner, term, **subjects(term))
    return here


def marks(term):
    told = {"toan": {"kind": "score", "result": 83, "comment": ""}, "giao_duc_the_chat": {"kind": "comment", "result": "dat"}}
    if term == 0:
        told = {"toan": {"kind": "score", "term1": 83, "term2": 90, "year": 88}, "giao_duc_the_chat": {"kind": "comment", "year": "dat"}}
    year = {"award": "hoc_sinh_gioi", "promotion": "len_lop"} if term == 0 else {}
    return {"learning": "tot", "conduct": "kha", "subjects": told, "absences_excused": 2, "comment": "Chăm học", **year}


def levels(term):
    told = {"toan": {"kind": "level_and_test", "result": "T", "test": 90}, "dao_duc": {"kind": "level", "result": "H"}}
    year = {"learning": "hoan_thanh_tot", "award": "hoc_sinh_tieu_bieu", "promotion": "len_lop"} if term == 0 else {}
    return {"subjects": told, **year}


@pytest.fixture
def three_schools(province):
    _unit, commune = province
    planted = {
        "primary": plant(commune, "Trường TH An Hội", "primary", 5, subjects=levels),
        "lower_secondary": plant(commune, "Trường THCS An Hội", "lower_secondary", 7, subjects=marks),
        "upper_secondary": plant(commune, "Trường THPT An Hội", "upper_secondary", 10, subjects=marks),
    }
    reach.rebuild()
    assert UnitTie.objects.count() >= 4
    return planted
