"""The reform of 1 July 2025 on three provinces: conserved, idempotent, the same people on both maps."""

import gzip
from datetime import date, timedelta

import pytest

from khue.kernel.audit.models import Act
from khue.kernel.errors import NotAllowed
from khue.kernel.ledger.models import Entry
from khue.kernel.permissions import system_actor
from khue.register.orgs import queries, reach, reform, services
from khue.register.orgs.models import (
    Reform,
    ReformQuestion,
    Relation,
    Succession,
    Unit,
    UnitKind,
    UnitName,
    UnitTie,
)
from khue.register.orgs.reform import conversion
from khue.register.orgs.services import UnitDraft
from tests import factories
from tests.register.orgs.test_tree import assert_reach_is_the_closure

pytestmark = pytest.mark.usefixtures("everything")

SYSTEM = system_actor("test")
OLD = ("83", "84", "86")
DAY = date(2025, 7, 1)
EVE = date(2025, 6, 30)


@pytest.fixture(scope="module")
def old_tree(common):
    return reform.load_old_tree(actor=SYSTEM, provinces=OLD, now=factories.NOW)


def kinds_on(day):
    return {kind: Unit.objects.on(day).filter(kind=kind).count() for kind in ("province", "district", "commune")}


def schools(now, *, every=1):
    """Plant one school of each kind in every n-th old commune, as the old tree had them."""
    drafts = []
    ties = UnitTie.objects.filter(parent__kind="district", child__kind="commune").select_related("parent", "child").order_by("child__code")
    province = {t.child_id: t.parent for t in UnitTie.objects.filter(parent__kind="province").select_related("parent")}
    for number, tie in enumerate(ties):
        if number % every == 0:
            drafts.append(UnitDraft("school", f"TH {tie.child.name}", None, tie.parent, tie.child, ("primary",)))
        if number % (every * 5) == 0:
            drafts.append(UnitDraft("school", f"THPT {tie.child.name}", None, province[tie.parent_id], tie.child, ("upper_secondary",)))
    return services.create_units(actor=SYSTEM, drafts=drafts, on=date(2000, 9, 5), now=now)


def carry_out(now, **fields):
    return reform.apply(actor=SYSTEM, code="sap-xep-2025-86", name="Sắp xếp 2025", provinces=["86"], now=now, **fields)


def test_the_old_tree_is_loaded_once(old_tree, now):
    assert old_tree == {"province": 3, "district": 26, "commune": 354}
    assert reform.load_old_tree(actor=SYSTEM, provinces=OLD, now=now) == {"province": 0, "district": 0, "commune": 0}
    assert {u.name for u in Unit.objects.filter(kind="province")} == {"Tỉnh Bến Tre", "Tỉnh Trà Vinh", "Tỉnh Vĩnh Long"}


def test_three_provinces_become_one_with_124_communes(old_tree, now):
    done = carry_out(now)
    assert kinds_on(EVE) == {"province": 3, "district": 26, "commune": 354}
    assert kinds_on(DAY) == {"province": 1, "district": 0, "commune": 124}
    assert done.summary["before"] == kinds_on(EVE)
    assert done.summary["after"] == kinds_on(DAY)
    listed = {item.code for item in conversion.lists.listings() if item.code == "communes"}
    assert listed == {"communes"}
    wanted = {row["code"]: row["name_vi"] for row in conversion.lists.rows("communes_2025.csv") if row["province_code"] == "86"}
    names = {n.unit.code: n.name for n in UnitName.objects.filter(unit__kind="commune", valid__contains=DAY).select_related("unit")}
    assert names == wanted
    parents = set(UnitTie.objects.filter(child__kind="commune", valid__contains=DAY).values_list("parent__code", flat=True))
    assert parents == {"86"}


def test_every_old_unit_stays_has_a_successor_or_ends_by_decision(old_tree, now):
    carry_out(now)
    for unit in Unit.objects.on(EVE).filter(kind__in=["province", "district", "commune"]):
        after = list(Succession.objects.filter(source=unit, on=DAY))
        stays = unit.valid.upper is None
        assert stays or after, unit
        for one in after:
            if one.target is None:
                assert (one.kind, unit.kind) == ("end", "district")
            else:
                assert DAY in one.target.valid
        assert sum(not one.is_whole for one in after) != 1  # a part is never alone
    assert_reach_is_the_closure(date(2000, 1, 1), EVE, DAY, DAY + timedelta(1))
    assert reach.rebuild() == (0, 0)


def test_the_rehearsal_says_what_happens_and_writes_nothing(old_tree, now, counted):
    schools(now, every=20)
    before = (Unit.objects.count(), UnitTie.objects.count(), Succession.objects.count())
    with counted() as count:
        plan = reform.rehearse(actor=SYSTEM, provinces=["86"], now=now)
    assert count.total <= 6
    assert (Unit.objects.count(), UnitTie.objects.count(), Succession.objects.count()) == before
    done = carry_out(now)
    said, did = plan.summary(), done.summary
    assert {k: said[k] for k in did if k != "questions"} == {k: did[k] for k in did if k != "questions"}


def test_the_same_reform_twice_is_one(old_tree, now):
    first = carry_out(now)
    numbers = (Succession.objects.count(), UnitTie.objects.count(), Act.objects.filter(act="orgs.reform.apply").count())
    second = carry_out(now + timedelta(hours=1))
    assert (first.pk, second.applied_at) == (second.pk, now)
    assert (Succession.objects.count(), UnitTie.objects.count(), Act.objects.filter(act="orgs.reform.apply").count()) == numbers
    with pytest.raises(reform.services.AlreadyReformed):
        reform.apply(actor=SYSTEM, code="another-code", provinces=["86"], now=now)
    assert Entry.objects.filter(chain="orgs.reforms", act="orgs.reform.apply").count() == 1


def test_schools_go_to_commune_or_province_by_level(old_tree, now):
    planted = schools(now, every=10)
    carry_out(now)
    for school in planted:
        school.refresh_from_db()
        parent = UnitTie.objects.select_related("parent").get(child=school, relation=Relation.ADMINISTERS, valid__contains=DAY).parent
        ground = UnitTie.objects.select_related("parent").get(child=school, relation=Relation.LOCATED, valid__contains=DAY).parent
        assert DAY in ground.valid
        assert school.commune_code == ground.code
        assert parent == (ground if school.levels == ["primary"] else Unit.objects.get(kind="province", code="86"))
        was = UnitTie.objects.select_related("parent").get(child=school, relation=Relation.ADMINISTERS, valid__contains=EVE).parent
        assert was.kind == ("district" if school.levels == ["primary"] else "province")


def split_commune():
    by_old = {}
    for part in reform.shipped().of_old_provinces(OLD).parts:
        by_old.setdefault(part.old_code, []).append(part)
    return next((code, parts) for code, parts in sorted(by_old.items()) if len(parts) > 1)


def test_a_school_in_a_divided_commune_is_listed_and_decided(old_tree, now):
    code, parts = split_commune()
    ground = Unit.objects.get(kind="commune", code=code)
    district = UnitTie.objects.get(child=ground, relation=Relation.ADMINISTERS).parent
    school = services.create_unit(actor=SYSTEM, draft=UnitDraft("school", "THCS Giáp Ranh", None, district, ground, ("lower_secondary",)), on=date(2000, 9, 5), now=now)
    done = carry_out(now)
    question = ReformQuestion.objects.get(reform=done, school=school)
    default = next(part.new_code for part in parts if part.is_default)
    assert (question.proposed.code, sorted(question.options)) == (default, sorted(p.new_code for p in parts))
    assert done.summary["open_questions"] == 1
    other = next(option for option in question.options if option != default)
    with pytest.raises(reform.services.NotAnOption):
        reform.decide(actor=SYSTEM, question_id=question.pk, commune_code="00004", now=now)
    reform.decide(actor=SYSTEM, question_id=question.pk, commune_code=other, now=now)
    ties = UnitTie.objects.filter(child=school, valid__contains=DAY)
    assert {t.parent.code for t in ties} == {other}
    assert UnitTie.objects.filter(child=school).count() == 4  # two before the day, two from it
    assert_reach_is_the_closure(EVE, DAY)


def test_a_school_known_by_its_district_only_is_a_question_too(old_tree, now):
    district = Unit.objects.filter(kind="district").order_by("code").first()
    school = services.create_unit(actor=SYSTEM, draft=UnitDraft("school", "TH Không rõ xã", None, district, levels=("primary",)), on=date(2010, 9, 5), now=now)
    done = carry_out(now)
    question = ReformQuestion.objects.get(reform=done, school=school)
    assert question.proposed.kind == "province"
    reform.decide(actor=SYSTEM, question_id=question.pk, commune_code=question.options[0], now=now)
    school.refresh_from_db()
    assert school.commune_code == question.options[0]


def test_the_same_people_on_the_map_of_then_and_of_now(old_tree, now):
    planted = schools(now, every=7)
    group = factories.class_group(planted[0], grade=3)
    factories.learners(group, 5)
    factories.learners(factories.class_group(planted[3], grade=4), 7)
    carry_out(now)
    day = date(2025, 11, 10)
    for kind, map_day in (("district", EVE), ("commune", EVE), ("province", EVE), ("commune", DAY), ("province", DAY)):
        counted = queries.counts_by_map(SYSTEM, day=day, map_day=map_day, kind=kind)
        assert (counted.total["schools"], counted.total["learners"]) == (len(planted), 12), (kind, map_day)
        assert sum(row.numbers["schools"] for row in counted.rows) == len(planted)
        assert all(row.uid is not None for row in counted.rows)
    by_district = queries.counts_by_map(SYSTEM, day=day, map_day=EVE, kind="district")
    assert {row.kind for row in by_district.rows} == {"district"}


def test_a_school_younger_than_the_map_is_shown_apart(old_tree, now):
    carry_out(now)
    commune = Unit.objects.filter(kind="commune").on(DAY).order_by("code").first()
    services.create_unit(actor=SYSTEM, draft=UnitDraft("school", "TH Mới", None, commune, levels=("primary",)), on=date(2025, 9, 1), now=now)
    then = queries.counts_by_map(SYSTEM, day=date(2025, 10, 1), map_day=EVE, kind="district")
    [outside] = [row for row in then.rows if row.uid is None]
    assert (outside.numbers["schools"], then.total["schools"]) == (1, 1)


def test_former_names_and_codes_are_found(old_tree, now):
    carry_out(now)
    hits = queries.look_up(SYSTEM, "ben tre")
    assert any(hit.kind == "province" and hit.code == "83" and hit.successors == ("Tỉnh Vĩnh Long",) for hit in hits)
    [by_code] = [hit for hit in queries.look_up(SYSTEM, "84") if hit.kind == "province"]
    assert by_code.matched == "Tỉnh Trà Vinh"
    district = Unit.objects.filter(kind="district").first()
    assert any(hit.code == district.code and hit.until == DAY for hit in queries.look_up(SYSTEM, district.name))


def test_a_table_that_forgets_a_commune_is_refused(old_tree, now):
    table = reform.shipped()
    short = conversion.Table(tuple(part for part in table.parts if part.old_code != "28759"))
    forgotten = Unit.objects.get(kind="commune", code="28759")
    with pytest.raises(reform.NotConserved) as refused:
        carry_out(now, table=short)
    assert any(forgotten.code in line for line in refused.value.facts["lost"])
    assert kinds_on(DAY)["district"] == 26
    assert not Reform.objects.filter(state="applied").exists()


def test_only_the_province_carries_it_out(old_tree, now):
    school = schools(now, every=400)[0]
    for role in ("principal", "commune_officer", "province_director"):
        with pytest.raises(NotAllowed):
            reform.rehearse(actor=factories.actor_of(factories.account(role, school)), provinces=["86"], now=now)


def test_the_published_layout_is_read(tmp_path):
    lines = [
        "Đơn vị hành chính từ ngày 01/7/2025,,,Đơn vị hành chính trước ngày 01/7/2025,,,,,",
        '"Tỉnh, thành phố",Tên Xã mới,Mã Xã mới,Tên Xã cũ,Mã Xã cũ,Ghi chú,Quận/huyện,Tỉnh cũ,',
        "TỈNH A  ,,,,,,,,",
        "Tỉnh A (01),Xã Mới,00004,Xã Cũ,00004,Nhập toàn bộ,Huyện B (001),Tỉnh A (01),",
        "Tỉnh A (01),Xã Mới,00004,Xã Chia,00007,Nhập một phần  diện tích,Huyện B (001),Tỉnh A (01),",
        'Tỉnh A (01),Xã Hai,00010,Xã Chia,00007,"Nhập một phần diện tích, toàn bộ dân số",Huyện B (001),Tỉnh C (02),',
        "Tỉnh A (01),Đặc khu Đảo,00020,,,Sắp xếp toàn bộ huyện Đảo thành đặc khu Đảo,Huyện Đảo (002),Tỉnh A (01),",
        "Tỉnh A (01),Xã Hai,00010,Bãi bồi,,Nhập toàn bộ,Huyện B (001),Tỉnh A (01),",
    ]
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    table = reform.read(path)
    assert [(p.old_code, p.new_code, p.is_whole, p.is_default) for p in table.parts] == [
        ("00004", "00004", True, True), ("00007", "00004", False, False), ("00007", "00010", False, True), ("", "00020", True, True)
    ]  # fmt: skip
    assert len(table.remarks) == 2  # land that is no unit; a row with another province than its district
    with pytest.raises(conversion.UnknownLayout):
        (tmp_path / "other.csv").write_text("a,b\n1,2\n")
        reform.read(tmp_path / "other.csv")


def test_islands_without_communes_become_special_zones(now):
    table = reform.shipped()
    islands = [part for part in table.parts if not part.old_code]
    assert sorted(part.new_name for part in islands) == [
        "Đặc khu Bạch Long Vĩ", "Đặc khu Côn Đảo", "Đặc khu Cồn Cỏ", "Đặc khu Hoàng Sa", "Đặc khu Lý Sơn"
    ]  # fmt: skip
    reform.load_old_tree(actor=SYSTEM, provinces=["48", "49"], now=now)
    done = reform.apply(actor=SYSTEM, code="48", provinces=["48"], now=now)
    assert done.summary["after"] == {"province": 1, "district": 0, "commune": 94}
    [hoang_sa] = Succession.objects.filter(kind="convert", source__kind=UnitKind.DISTRICT)
    assert (hoang_sa.source.name, hoang_sa.target.name) == ("Huyện Hoàng Sa", "Đặc khu Hoàng Sa")


def test_the_tables_own_defaults_name_one_part_each():
    by_old = {}
    for part in reform.shipped().parts:
        by_old.setdefault(part.old_code or part.district_code, []).append(part.is_default)
    assert all(sum(group) == 1 for group in by_old.values())
