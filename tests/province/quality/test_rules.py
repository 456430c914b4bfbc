"""Every rule finds what was planted for it, and nothing in a school where all is right."""

from datetime import date

import pytest

from khue.kernel.calendar.models import SchoolYear
from khue.kernel.database.fields import period
from khue.kernel.permissions import system_actor
from khue.province.quality import checks, rules, services, sweeping
from khue.province.quality.models import Finding, Rule, Score
from khue.register.fields import counting
from khue.register.fields.models import ExtensionField, Record
from khue.register.orgs import reach
from khue.register.orgs.models import Unit
from khue.register.people import numbers
from khue.register.people.models import Kinship, Person
from khue.register.schooling.models import ClassGroup, Placement
from khue.register.staff.models import Post
from khue.school.teaching.models import Assignment
from tests import factories

pytestmark = pytest.mark.usefixtures("everything")
DAY = date(2025, 11, 10)
SYSTEM = system_actor("test")


class Here:
    """A school where everything a rule asks for is right."""

    def __init__(self) -> None:
        commune = Unit.objects.filter(code="29512").first() or factories.unit("commune", "Phường An Hội", code="29512", parent=factories.province())
        self.school = factories.school(commune=commune)
        Unit.objects.filter(pk=self.school.pk).update(commune_code="29512", address="Số 1 đường Trường học", facts={"MA_LOAI_HINH_TRUONG": "1"})
        SchoolYear.objects.get_or_create(year=2025, defaults={"valid": period(date(2025, 9, 5), date(2026, 5, 31)), "second_term_on": date(2026, 1, 19)})
        self.head = factories.post(self.school, "Ngô Thị Hạnh", "principal", contract_kind="permanent")
        self.teacher = factories.post(self.school, "Trần Văn Bảy", contract_kind="permanent", subject_code="toan")
        self.group = factories.class_group(self.school, grade=7, homeroom=self.teacher)
        self.learners = factories.learners(self.group, 3)
        reach.rebuild()
        for who, year in ((self.head.person, 1980), (self.teacher.person, 1985)):
            self._complete(who, f"086{'1'}{year % 100:02d}", date(year, 4, 2), "2")
        for who in self.learners:
            self._complete(who, f"086{'2'}{who.born_on.year % 100:02d}", who.born_on, "1", phone="0912345678")

    def _complete(self, who: Person, head: str, born: date, sex: str, **fields) -> None:
        number = f"{head}{who.pk % 10**6:06d}"
        Person.objects.filter(pk=who.pk).update(
            personal_number=numbers.encrypt(number), personal_index=numbers.blind_index(number), born_on=born, sex=sex,
            ethnic_group="01", nationality="VN", commune_code="29512", **fields,
        )  # fmt: skip

    def sweep(self, day: date = DAY) -> dict[str, int]:
        """Return how much each rule finds that finds something."""
        counting.count_schools([self.school.pk], on=day)
        return {code: told[0] for code, told in sweeping.sweep([self.school.pk], on=day).items() if told[0]}

    def found(self, code: str) -> list[tuple[int, str]]:
        return sorted(Finding.objects.filter(rule__code=code, school_id=self.school.pk, mended_on=None).values_list("row_id", "symbol"))


@pytest.fixture
def here():
    return Here()


def test_the_shipped_rules_are_there_and_each_kind_is_known():
    assert set(Rule.objects.values_list("code", flat=True)) == {row["code"] for row in rules.shipped()}
    assert {row["kind"] for row in rules.shipped()} == set(checks.CHECKS)
    assert rules.ensure_rules() == 0


def test_a_school_where_all_is_right_has_no_finding_and_the_whole_score(here):
    assert here.sweep() == {}
    assert list(Score.objects.filter(school_id=here.school.pk).values_list("level", "rows", "faulty", "doubtful", "per_mille")) == [
        ("lower_secondary", 7, 0, 0, 1000)
    ]


def _no_field(here):
    Unit.objects.filter(pk=here.school.pk).update(facts={}, address="")
    return {"school-missing": [(here.school.pk, "DIA_CHI"), (here.school.pk, "MA_LOAI_HINH_TRUONG")]}


def _no_head(here):
    Post.objects.filter(pk=here.head.pk).update(valid=period(date(2000, 1, 1), date(2025, 11, 1)))
    return {"school-missing": [(here.school.pk, "HIEU_TRUONG")]}


def _no_homeroom(here):
    ClassGroup.objects.filter(pk=here.group.pk).update(homeroom=None)
    return {"class-missing": [(here.group.pk, "GIAO_VIEN_ID")]}


def _no_birth_date(here):
    Person.objects.filter(pk=here.learners[0].pk).update(born_on=None, ethnic_group="")
    return {"learner-missing": [(here.learners[0].pk, "MA_DAN_TOC"), (here.learners[0].pk, "NGAY_SINH")]}


def _no_number(here):
    Person.objects.filter(pk__in=[here.learners[1].pk, here.head.person_id]).update(personal_number=None, personal_index=None)
    return {"learner-number-missing": [(here.learners[1].pk, "MA_CONG_DAN_ID")], "staff-number-missing": [(here.head.pk, "SO_CMTND")]}


def _wrong_values(here):
    who = here.learners[0]
    facts = {"IS_DOI_VIEN": "?", "NGAY_CAP": "hôm qua", "TEN_TAT": "x" * 21, "MA_DIEN_CHINH_SACH": "khong_co", "THU_TU": "xa"}
    Person.objects.filter(pk=who.pk).update(facts=facts, ethnic_group="99", name="N" * 60)
    return {"learner-unfit": sorted((who.pk, s) for s in ("IS_DOI_VIEN", "NGAY_CAP", "TEN_TAT", "MA_DIEN_CHINH_SACH", "MA_DAN_TOC", "HO_TEN"))}


def _wrong_school(here):
    Unit.objects.filter(pk=here.school.pk).update(facts={"MA_LOAI_HINH_TRUONG": "77", "FAX": "0" * 21, "KIEM_DINH_CAP_DO": "hai", "IS_DIEN_LUOI": True})
    return {"school-unfit": sorted((here.school.pk, s) for s in ("MA_LOAI_HINH_TRUONG", "FAX", "KIEM_DINH_CAP_DO"))}


def _doubt(here):
    Person.objects.filter(pk=here.learners[0].pk).update(born_on=date(2012, 3, 1))
    Person.objects.filter(pk=here.teacher.person_id).update(sex="1")
    return {"learner-number-doubt": [(here.learners[0].pk, "MA_CONG_DAN_ID")], "staff-number-doubt": [(here.teacher.pk, "SO_CMTND")]}


def _twice(here):
    first, second = here.learners[:2]
    Person.objects.filter(pk=second.pk).update(name=first.name.upper(), born_on=first.born_on)
    return {"person-twice": sorted((who.pk, "HO_TEN") for who in (first, second))}


def _too_old(here):
    number = f"086208{here.learners[2].pk % 10**6:06d}"
    Person.objects.filter(pk=here.learners[2].pk).update(
        born_on=date(2008, 3, 1), personal_number=numbers.encrypt(number), personal_index=numbers.blind_index(number)
    )
    return {"grade-age": [(here.learners[2].pk, "NGAY_SINH")]}


def _empty_class(here):
    group = factories.class_group(here.school, grade=8, homeroom=factories.post(here.school, "Lê Thị Ba", contract_kind="fixed"))
    here._complete(group.homeroom.person, "086190", date(1990, 1, 1), "2")
    return {"class-empty": [(group.pk, "")]}


def _two_homerooms(here):
    group = factories.class_group(here.school, grade=8, homeroom=here.teacher)
    return {"homeroom-twice": sorted([(here.group.pk, "GIAO_VIEN_ID"), (group.pk, "GIAO_VIEN_ID")]), "class-empty": [(group.pk, "")]}


def _homeroom_left(here):
    other = factories.post(here.school, "Lê Thị Ba", contract_kind="fixed")
    Post.objects.filter(pk=other.pk).update(valid=period(date(2020, 1, 1), date(2025, 10, 1)))
    ClassGroup.objects.filter(pk=here.group.pk).update(homeroom=other)
    return {"homeroom-post": [(here.group.pk, "GIAO_VIEN_ID")]}


def _two_posts(here):
    other = factories.school("Trường THCS Lê Lợi")
    Post.objects.create(person=here.teacher.person, school=other, position="teacher", contract_kind="permanent", load_percent=40, valid=factories.EVER)
    return {"post-load": [(here.teacher.pk, "")], "post-contract": [(here.teacher.pk, "MA_HINH_THUC_HOP_DONG")]}


def _no_contract(here):
    Post.objects.filter(pk=here.teacher.pk).update(contract_kind="")
    return {"post-contract": [(here.teacher.pk, "MA_HINH_THUC_HOP_DONG")]}


def _teaches_after_leaving(here):
    gone = factories.post(here.school, "Lê Thị Ba")
    Assignment.objects.create(post=gone, class_group=here.group, school_id=here.school.pk, school_year=2025, subject_code="toan", periods=4, valid=factories.SCHOOL_YEAR)
    Post.objects.filter(pk=gone.pk).update(valid=period(date(2020, 1, 1), date(2025, 10, 1)))
    return {"teacher-without-post": [(gone.pk, "")]}


def _lost(here):
    Placement.objects.filter(learner=here.learners[0]).update(valid=period(date(2025, 9, 5), date(2025, 10, 1)))
    return {"conservation": [(here.learners[0].pk, "")]}


def _no_phone(here):
    Person.objects.filter(pk=here.learners[0].pk).update(phone="")
    return {"no-contact": [(here.learners[0].pk, "DIEN_THOAI_LIEN_HE")]}


def _sites(here):
    Unit.objects.filter(pk=here.school.pk).update(facts={"MA_LOAI_HINH_TRUONG": "1", "SO_DIEM_TRUONG": 3})
    Record.objects.create(kind="site", school=here.school, valid=factories.EVER, body={"TEN": "Điểm lẻ"})
    return {"sites-count": [(here.school.pk, "SO_DIEM_TRUONG")]}


PLANTED = [_no_field, _no_head, _no_homeroom, _no_birth_date, _no_number, _wrong_values, _wrong_school, _doubt, _twice, _too_old, _empty_class,
           _two_homerooms, _homeroom_left, _two_posts, _no_contract, _teaches_after_leaving, _lost, _no_phone, _sites]  # fmt: skip


@pytest.mark.parametrize("plant", PLANTED, ids=lambda function: function.__name__.strip("_"))
def test_each_planted_fault_is_found_and_nothing_else(here, plant):
    expected = plant(here)
    told = here.sweep()
    assert {code: here.found(code) for code in told} == expected


def test_every_rule_is_tried_but_those_a_constraint_proves(here):
    tried = set()
    for plant in PLANTED:
        tried |= set(plant(Here()))
    assert {row["code"] for row in rules.shipped()} - tried == {"class-unfit", "class-size", "staff-missing", "staff-unfit", "number-twice", "one-place"}


def test_a_full_class_and_wrong_staff_are_found(here):
    Rule.objects.filter(code="class-size").update(parameters={"lower_secondary": 2})
    Post.objects.filter(pk=here.teacher.pk).update(contract_kind="gi_do", facts={"HE_SO_LUONG": "cao"})
    Person.objects.filter(pk=here.teacher.person_id).update(sex="0")
    ClassGroup.objects.filter(pk=here.group.pk).update(facts={"IS_BAN_TRU": "co the"})
    here.sweep()
    assert here.found("class-size") == [(here.group.pk, "MA_LOP")]
    assert here.found("staff-unfit") == [(here.teacher.pk, "HE_SO_LUONG"), (here.teacher.pk, "MA_HINH_THUC_HOP_DONG")]
    assert here.found("staff-missing") == [(here.teacher.pk, "MA_GIOI_TINH")]
    assert here.found("class-unfit") == [(here.group.pk, "IS_BAN_TRU")]


def test_a_guardians_telephone_counts(here):
    mother = factories.person("Nguyễn Thị Mai", phone="0987654321")
    Kinship.objects.create(guardian=mother, learner=here.learners[0], relation="mother", school_id=here.school.pk, valid=factories.EVER)
    Person.objects.filter(pk=here.learners[0].pk).update(phone="")
    assert here.sweep() == {}


def test_a_field_added_later_is_held_to_its_type_and_asked_for(here):
    ExtensionField.objects.create(
        object="learner", symbol="CO_MAY_TINH", name="Có máy tính ở nhà", type="boolean", is_required=True, privacy="personal", retention="register",
        section="study", topic=13, levels=["lower_secondary"], valid=factories.EVER, symbol_no=1,
    )  # fmt: skip
    Person.objects.filter(pk=here.learners[0].pk).update(facts={"CO_MAY_TINH": "hai cái"})
    Person.objects.filter(pk=here.learners[1].pk).update(facts={"CO_MAY_TINH": True})
    here.sweep()
    assert here.found("learner-unfit") == [(here.learners[0].pk, "CO_MAY_TINH")]
    assert here.found("learner-missing") == [(here.learners[2].pk, "CO_MAY_TINH")]


def test_findings_open_mend_and_open_again(here):
    learner = here.learners[0]
    Person.objects.filter(pk=learner.pk).update(ethnic_group="")
    here.sweep(DAY)
    first = Finding.objects.get(rule__code="learner-missing")
    assert (first.first_seen, first.mended_on, first.version) == (DAY, None, 1)
    here.sweep(date(2025, 11, 11))
    first.refresh_from_db()
    assert (first.first_seen, first.version) == (DAY, 1)  # a quiet night writes nothing
    Person.objects.filter(pk=learner.pk).update(ethnic_group="01")
    here.sweep(date(2025, 11, 12))
    first.refresh_from_db()
    assert first.mended_on == date(2025, 11, 12)
    score = Score.objects.get(school_id=here.school.pk, on=date(2025, 11, 12))
    assert (score.per_mille, score.mended) == (1000, 1)
    assert Score.objects.get(school_id=here.school.pk, on=DAY).per_mille == 857  # one of seven rows
    Person.objects.filter(pk=learner.pk).update(ethnic_group="")
    here.sweep(date(2025, 11, 20))
    first.refresh_from_db()
    assert (first.first_seen, first.mended_on) == (date(2025, 11, 20), None)
    assert Finding.objects.count() == 1


def test_a_rule_turned_off_closes_what_it_left_open(here, now):
    Person.objects.filter(pk=here.learners[0].pk).update(phone="")
    here.sweep()
    rule = Rule.objects.get(code="no-contact")
    services.change_rule(actor=SYSTEM, code=rule.code, version=rule.version, severity="notice", parameters={}, is_on=False, now=now, reason="Không cần")
    assert here.sweep() == {}
    assert not Finding.objects.filter(mended_on=None).exists()


CONSERVED = [
    ([("2025-09-05", "2026-05-31", "")], None),
    ([("2024-09-05", "2025-05-31", "year_end"), ("2025-09-05", "2026-05-31", "")], None),
    ([("2024-09-05", "2025-05-31", ""), ("2025-09-05", "2026-05-31", "")], None),
    ([("2024-09-05", "2025-05-31", "year_end")], "not-enrolled"),
    ([("2025-09-05", "2025-10-20", "transfer")], None),
    ([("2025-09-05", "2025-10-01", "transfer")], "in-transit"),
    ([("2025-09-05", "2025-10-01", "transfer"), ("2025-10-03", "2026-05-31", "")], None),
    ([("2025-09-05", "2025-10-01", "dropout")], None),
    ([("2025-09-05", "2025-10-01", "leave")], None),
    ([("2025-09-05", "2025-10-01", "died")], None),
    ([("2025-09-05", "2025-10-01", "died"), ("2025-10-05", "2026-05-31", "")], "after-death"),
    ([("2025-09-05", "2025-10-01", "move"), ("2025-10-01", "2026-05-31", "")], None),
    ([("2025-09-05", "2025-10-01", "move"), ("2025-10-08", "2026-05-31", "")], "no-reason"),
    ([("2025-09-05", "2025-10-01", "")], "no-reason"),
    ([("2025-09-05", "2025-10-01", "undone")], None),
    ([("2020-09-05", "2024-05-31", "completed")], None),
]


@pytest.mark.parametrize(("way", "problem"), CONSERVED)
def test_each_learner_is_in_one_state_on_every_day(here, way, problem):
    who = factories.person("Đỗ Văn Em", school=here.school, born_on=date(2013, 5, 5), sex="1")
    for first, last, closed in way:
        Placement.objects.create(
            learner=who, school=here.school, class_group=here.group, school_year=int(first[:4]), opened="entry", closed=closed,
            valid=period(date.fromisoformat(first), date.fromisoformat(last)),
        )  # fmt: skip
    rule = Rule.objects.get(code="conservation")
    sweeping.sweep([here.school.pk], on=DAY, rules=[rule])
    found = Finding.objects.filter(rule=rule, row_id=who.pk).first()
    assert (found.detail["problem"] if found else None) == problem
