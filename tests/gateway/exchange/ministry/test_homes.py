"""Every field of levels 1 to 5 filled anywhere comes out under its symbol, read through its home."""

import json
from datetime import date

import pytest

from khue.gateway.exchange.ministry import mapping, spec, writing
from khue.kernel import homes
from khue.kernel.codes.shipped import listings
from khue.kernel.database.fields import period
from khue.kernel.permissions import system_actor
from khue.register.fields import annex, catalogue, services, telling
from khue.register.fields.models import ExtensionField, Record
from khue.register.orgs import reach
from khue.register.orgs.models import Unit
from khue.register.people import numbers
from khue.register.people.models import Kinship, Person
from khue.register.schooling.models import ClassGroup, Placement
from khue.register.staff.models import Post
from khue.school.gradebook.models import Result
from khue.school.teaching.models import Assignment
from tests import factories

pytestmark = pytest.mark.usefixtures("everything")
LISTS = {one.code: [item.code for item in one.items] for one in listings()}
GRADES = {"preschool": 0, "primary": 5, "lower_secondary": 7, "upper_secondary": 10, "continuing": 10}
SUBJECTS = {"toan": {"kind": "score", "result": 83, "year": 88}}


def sample(field):
    """Return a value that fits a field."""
    if field.list_code:
        return LISTS[field.list_code][0]
    size = field.length or 20
    return {"boolean": True, "integer": 3, "decimal": 2.5 if size >= 3 else 2, "date": "2024-05-06"}.get(field.type, "x" * min(size, 6))


def body(kind):
    made = {}
    for symbol, field in services.body_fields(kind).items():
        made[symbol] = [{child.symbol: sample(child) for child in field.children}] if field.type == "list" else sample(field)
    return made | ({"DIEM_TONG_KET": "8.5"} if kind.code == "result_extra" else {})  # text at some levels, a number at others


def fill(level, commune, *, kind="", place=""):
    """Make a school of a level in which every field has a value at its home."""
    unit = factories.unit("centre" if level == "continuing" else "school", f"Đơn vị {level} {place}", parent=commune, levels=[level])
    facts = {s: sample(f) for name in ("school", "other_centre", "community_centre") if (level, name) in annex.MAIN
             for s, f in annex.table(level, name).fields.items() if homes.by_field()["school", s].column == "facts"}  # fmt: skip
    Unit.objects.filter(pk=unit.pk).update(commune_code="29512", address="Số 1", facts={**facts, **({"MA_LOAI_TRUNG_TAM": kind} if kind else {})})
    head = factories.post(unit, "Ngô Thị Hạnh", "principal")
    Person.objects.filter(pk=head.person_id).update(phone="0270", email="hanh@x.vn")
    post = factories.post(unit, "Trần Văn Bảy", subject_code="toan", contract_kind="permanent")
    group = factories.class_group(unit, grade=GRADES[level], name="1A", homeroom=post)
    group_facts = {s: sample(f) for s, f in annex.table(level, "class").fields.items() if homes.by_field()["class", s].column == "facts"}
    ClassGroup.objects.filter(pk=group.pk).update(code="L1A", facts=group_facts)
    [learner] = factories.learners(group, 1)
    Placement.objects.filter(learner=learner).update(opened="repetition" if level != "preschool" else "entry")
    Post.objects.filter(pk=post.pk).update(facts=_facts("staff", level, "staff.Post"))
    for number, (who, object_) in enumerate(((post.person, "staff"), (learner, "learner"))):
        Person.objects.filter(pk=who.pk).update(
            facts=_facts(object_, level, "people.Person"), personal_number=numbers.encrypt(f"0860{unit.pk % 10**6:06d}{number:02d}"), ethnic_group="01",
            nationality="VN", commune_code="29512", phone="0912", email="a@b.vn", born_on=date(2012, 3, 1), sex="1", birth_place="Bến Tre",
        )  # fmt: skip
    for relation in ("father", "mother", "guardian"):
        Kinship.objects.create(guardian=factories.person("Cha Mẹ", born_on=date(1980, 1, 1)), learner=learner, relation=relation, school_id=unit.pk, valid=factories.EVER)
    Assignment.objects.create(post=post, class_group=group, school_id=unit.pk, school_year=2025, subject_code="toan", periods=4, valid=factories.SCHOOL_YEAR)
    for term in (1, 2, 0):
        Result.objects.create(
            learner=learner, class_group=group, school_id=unit.pk, school_year=2025, term=term, rule_set="x", input_hash="0" * 64,
            learning="hoan_thanh_tot" if level == "primary" else "tot",
            conduct="tot", award="hoc_sinh_xuat_sac", promotion="len_lop", subjects=SUBJECTS, comment="Chăm", absences_excused=1,
        )  # fmt: skip
    for known in annex.kinds().values():
        if known.object.startswith("h_"):
            continue
        owner = {"school": None, "staff": post.person, "learner": learner}[known.owner]
        for term in ("0", "1", "2") if known.code == "result_extra" else ("",):
            told = {**body(known), **({"HOC_KY": term} if term else {})}
            Record.objects.create(
                kind=known.code, school=unit, person=owner, class_group=group if known.owner == "learner" else None,
                school_year=2025 if known.is_yearly else None, valid=period(date(2025, 9, 6)), body=told,
            )  # fmt: skip
    return unit


def _facts(object_, level, model):
    fields = annex.table(level, object_).fields
    return {s: sample(f) for s, f in fields.items() if (home := homes.by_field()[object_, s]).column == "facts" and home.model == model}


@pytest.fixture
def filled(now, tmp_path):
    province = factories.unit("province", "Tỉnh Vĩnh Long", code="86")
    commune = factories.unit("commune", "Phường An Hội", code="29512", parent=province)
    for level in spec.LEVELS:
        fill(level, commune)
    fill("continuing", commune, kind="ttngth", place="ngoại ngữ")
    fill("continuing", commune, kind="tthtcd", place="cộng đồng")
    reach.rebuild()
    report = writing.write_ministry_files(actor=system_actor("test"), school_year=2025, folder=tmp_path / "out", now=now, xlsx=False)
    return tmp_path / "out", report


NOT_AT_ONCE = {
    ("primary", "result", "MA_HANH_KIEM"), ("primary", "result", "IS_REN_LUYEN_LAI"),  # primary school has qualities instead
}  # fmt: skip


def test_every_field_of_five_levels_comes_out_under_its_symbol(filled):
    out, _report = filled
    missing = []
    for table in spec.tables():
        written = json.loads((out / table.level / f"{table.object}.json").read_text(encoding="utf-8"))
        assert written, (table.level, table.object)
        told = set().union(*written)
        missing += [(table.level, table.object, s) for s in table.fields if s not in told and (table.level, table.object, s) not in NOT_AT_ONCE]
        for field in table.fields.values():
            rows = [row for one in written for row in one.get(field.symbol, [])] if field.children else []
            inner = set().union(*rows) if rows else set()
            missing += [(table.level, table.object, f"{field.symbol}.{c.symbol}") for c in field.children if c.symbol not in inner and _told(field, c)]
    assert missing == []


def _told(field, child):
    """Return whether a child is told for the one class there is: counts of other grades are absent, not 0."""
    return field.symbol != "DN_DTRLOPHSS" or child.symbol.startswith("LOP5_") or child.symbol == "DIEM_TRUONG_ID"


def test_no_value_that_fits_is_refused_on_the_way_out(filled):
    _out, report = filled
    assert [one for one in report["violations"] if one["problem"] != "missing"] == []


def test_every_home_that_is_a_column_has_a_teller():
    known = {object_: set(tellers) for object_, tellers in telling.TELLERS.items()}
    known["class"] |= {"MON_HOCS"}
    known["staff"] |= {"SO_TIET_THUC_DAY_TUAN"}
    known["result"] = set(mapping._RESULT)
    untold = [
        (h.object, h.symbol) for h in homes.declared()
        if h.object in ("school", "class", "staff", "learner", "result") and not h.is_keyed and h.symbol not in known[h.object]
    ]  # fmt: skip
    assert untold == []


def test_a_field_added_later_leaves_with_the_file(three_schools, tmp_path, now):
    ExtensionField.objects.create(
        object="learner", symbol="CO_MAY_TINH", name="Có máy tính ở nhà", type="boolean", privacy="personal", retention="register",
        section="study", topic=13, levels=["primary"], valid=factories.EVER, symbol_no=1,
    )  # fmt: skip
    Person.objects.filter(placements__isnull=False).update(facts={"CO_MAY_TINH": True})
    writing.write_ministry_files(actor=system_actor("test"), school_year=2025, folder=tmp_path / "out", now=now)
    for level, told in (("primary", True), ("lower_secondary", None)):
        written = json.loads((tmp_path / "out" / level / "learner.json").read_text(encoding="utf-8"))
        assert {one.get("CO_MAY_TINH") for one in written} == {told}
    import openpyxl

    sheet = openpyxl.load_workbook(tmp_path / "out" / "primary.xlsx")["Hoc sinh"]
    assert sheet[1][-1].value == "CO_MAY_TINH"


def test_the_homes_of_the_ministrys_tables_are_those_of_the_catalogue():
    for table in spec.tables():
        known = catalogue.homes_of(table.subject)
        assert set(table.fields) <= set(known), (table.level, table.object)
