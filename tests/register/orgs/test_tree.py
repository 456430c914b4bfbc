"""The tree: dated ties, names, codes given once; its closure equals a recursive query on every day."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from khue.kernel.audit.models import Act
from khue.kernel.database.fields import period
from khue.kernel.errors import NotAllowed, SecondFactorNeeded, Stale
from khue.kernel.events.models import Event
from khue.kernel.permissions import system_actor
from khue.register.orgs import reach, services
from khue.register.orgs.models import Relation, Unit, UnitKind, UnitName, UnitReach, UnitTie
from khue.register.orgs.services import UnitDraft
from tests import factories

pytestmark = pytest.mark.usefixtures("everything")

SYSTEM = system_actor("test")
BEGIN = date(2000, 1, 1)


def make(kind, name, code=None, parent=None, *, on=BEGIN, now, **fields):
    return services.create_unit(actor=SYSTEM, draft=UnitDraft(kind, name, code, parent, **fields), on=on, now=now)


@pytest.fixture
def tree(now):
    province = make("province", "Tỉnh A", "X1", now=now)
    east, west = (make("district", name, code, province, now=now) for name, code in (("Huyện Đông", "X01"), ("Huyện Tây", "X02")))
    commune = make("commune", "Xã Một", "00901", east, now=now)
    school = make("school", "Trường THCS Một", None, east, now=now, located_in=commune, levels=("lower_secondary", "primary"))
    return {"province": province, "east": east, "west": west, "commune": commune, "school": school}


def closure_by_recursion(day):
    with connection.cursor() as cursor:
        cursor.execute(
            "with recursive r(a, d, n) as (select id, id, 0 from orgs_unit where valid @> %(day)s::date union all"
            " select t.parent_id, r.d, r.n + 1 from r join orgs_unittie t on t.child_id = r.a and t.relation = 'administers'"
            " and t.valid @> %(day)s::date) select a, d, n from r",
            {"day": day},
        )
        return set(cursor.fetchall())


def assert_reach_is_the_closure(*days):
    for day in days:
        kept = set(UnitReach.objects.filter(valid__contains=day).values_list("ancestor_id", "descendant_id", "depth"))
        assert kept == closure_by_recursion(day), day


def days_around(*days):
    return [day + timedelta(step) for day in days for step in (-1, 0, 1)]


def test_a_school_gets_a_code_of_province_commune_and_number(tree, now):
    second = make("school", "Trường THCS Hai", None, tree["commune"], now=now)
    assert (tree["school"].code, second.code) == ("X100901001", "X100901002")
    assert tree["school"].levels == ["primary", "lower_secondary"]
    assert tree["school"].commune_code == "00901"


def test_codes_come_once_for_ever(tree, now):
    services.close_unit(actor=SYSTEM, unit_id=tree["school"].pk, on=date(2020, 7, 1), reason="giải thể", now=now)
    with pytest.raises(services.CodeTaken):
        make("school", "Trường khác", tree["school"].code, tree["east"], now=now)
    with pytest.raises(services.CodeNeeded):
        make("commune", "Xã không mã", None, tree["east"], now=now)
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        Unit.objects.filter(pk=tree["school"].pk).update(code="9")
    with pytest.raises(DatabaseError), transaction.atomic():
        Unit.objects.filter(pk=tree["school"].pk).delete()


def test_a_new_code_is_never_that_of_a_closed_school(tree, now):
    services.close_unit(actor=SYSTEM, unit_id=tree["school"].pk, on=date(2020, 7, 1), reason="giải thể", now=now)
    other = make("school", "Trường THCS Một mới", None, tree["east"], located_in=tree["commune"], now=now)
    assert other.code != tree["school"].code


def test_rename_keeps_the_old_name_and_the_code(tree, now):
    school = services.rename_unit(actor=SYSTEM, unit_id=tree["school"].pk, name="  Trường  THCS Lê Lợi ", on=date(2015, 9, 1), now=now)
    assert school.name == "Trường THCS Lê Lợi"
    assert school.code == tree["school"].code
    names = [(n.name, n.valid.lower, n.valid.upper) for n in UnitName.objects.filter(unit=school).order_by("valid")]
    assert names == [("Trường THCS Một", BEGIN, date(2015, 9, 1)), ("Trường THCS Lê Lợi", date(2015, 9, 1), None)]
    with pytest.raises(services.LaterChange):
        services.rename_unit(actor=SYSTEM, unit_id=school.pk, name="Khác", on=date(2010, 1, 1), now=now)
    with pytest.raises(Stale):
        services.rename_unit(actor=SYSTEM, unit_id=school.pk, name="Khác", on=date(2020, 1, 1), now=now, version=1)


def test_another_parent_from_a_day(tree, now):
    moved = date(2010, 7, 1)
    services.set_parent(actor=SYSTEM, child_id=tree["school"].pk, parent_id=tree["west"].pk, on=moved, now=now)
    parents = UnitTie.objects.filter(child=tree["school"], relation=Relation.ADMINISTERS).order_by("valid")
    assert [(t.parent_id, t.valid.lower, t.valid.upper) for t in parents] == [
        (tree["east"].pk, BEGIN, moved), (tree["west"].pk, moved, None)
    ]  # fmt: skip
    assert_reach_is_the_closure(*days_around(BEGIN, moved))
    with pytest.raises(services.LaterChange):
        services.set_parent(actor=SYSTEM, child_id=tree["school"].pk, parent_id=tree["east"].pk, on=date(2005, 1, 1), now=now)


def test_no_cycle_today_or_later(tree, now):
    with pytest.raises(services.WouldCycle):
        services.set_parent(actor=SYSTEM, child_id=tree["province"].pk, parent_id=tree["commune"].pk, on=date(2010, 1, 1), now=now)
    services.set_parent(actor=SYSTEM, child_id=tree["west"].pk, parent_id=tree["east"].pk, on=date(2030, 1, 1), now=now)
    with pytest.raises(services.WouldCycle):  # no cycle that day, but one from 2030 on
        services.set_parent(actor=SYSTEM, child_id=tree["east"].pk, parent_id=tree["west"].pk, on=date(2010, 1, 1), now=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        UnitTie.objects.create(parent=tree["east"], child=tree["east"], relation="professional", relation_no=1, valid=period(BEGIN))


def test_closing_needs_an_empty_unit_and_ends_names_and_ties(tree, now):
    day = date(2022, 7, 1)
    with pytest.raises(services.StillHasUnits):
        services.close_unit(actor=SYSTEM, unit_id=tree["east"].pk, on=day, reason="kết thúc", now=now)
    services.close_unit(actor=SYSTEM, unit_id=tree["school"].pk, on=day, reason="giải thể", now=now)
    assert not UnitTie.objects.filter(child=tree["school"], valid__contains=day).exists()
    assert UnitTie.objects.filter(child=tree["school"], valid__contains=day - timedelta(1)).count() == 2
    assert_reach_is_the_closure(*days_around(BEGIN, day))
    with pytest.raises(services.NotThatDay):
        services.rename_unit(actor=SYSTEM, unit_id=tree["school"].pk, name="Muộn", on=day, now=now)


def test_merging_ends_the_sources_and_names_the_successor(tree, now):
    day = date(2022, 7, 1)
    other = make("school", "Trường THCS Hai", None, tree["east"], located_in=tree["commune"], now=now)
    [made] = services.merge_units(actor=SYSTEM, source_ids=[other.pk], target_id=tree["school"].pk, on=day, reason="QĐ 12", now=now)
    assert (made.source_id, made.target_id, made.is_whole) == (other.pk, tree["school"].pk, True)
    assert Unit.objects.get(pk=other.pk).valid.upper == day
    assert_reach_is_the_closure(*days_around(day))


def test_partial_and_whole_rebuild_agree_and_the_second_writes_nothing(tree, now):
    for step, (child, parent) in enumerate([("commune", "west"), ("school", "west"), ("school", "east"), ("commune", "east")]):
        day = date(2005 + step, 3, 1)
        services.set_parent(actor=SYSTEM, child_id=tree[child].pk, parent_id=tree[parent].pk, on=day, now=now)
    assert reach.rebuild() == (0, 0)
    assert_reach_is_the_closure(*(date(2000 + n, 6, 1) for n in range(12)))
    UnitReach.objects.filter(descendant=tree["school"], ancestor=tree["province"]).delete()
    removed, added = reach.rebuild()
    assert (removed, added > 0) == (0, True)
    assert_reach_is_the_closure(*(date(2000 + n, 6, 1) for n in range(12)))


def test_rights_follow_the_tree_of_the_day(tree, now):
    office = factories.account("commune_officer", tree["west"])
    assert tree["school"].pk not in factories.actor_of(office).schools
    services.set_parent(actor=SYSTEM, child_id=tree["school"].pk, parent_id=tree["west"].pk, on=date(2025, 9, 1), now=now)
    assert tree["school"].pk in factories.actor_of(office).schools


@pytest.mark.parametrize("role", ["principal", "clerk", "commune_officer", "province_director", "guardian"])
def test_who_may_not_change_the_tree(role, tree, now):
    actor = factories.actor_of(factories.account(role, tree["school"] if role != "guardian" else None))
    with pytest.raises(NotAllowed):
        services.rename_unit(actor=actor, unit_id=tree["school"].pk, name="Của tôi", on=date(2025, 1, 1), now=now)
    assert Unit.objects.get(pk=tree["school"].pk).name == "Trường THCS Một"


def test_the_officer_needs_a_second_factor_and_leaves_a_trace(tree, now):
    account = factories.account("province_officer", tree["province"])
    with pytest.raises(SecondFactorNeeded):
        services.rename_unit(actor=factories.actor_of(account, is_strong=False), unit_id=tree["school"].pk, name="B", on=date(2025, 1, 1), now=now)
    services.rename_unit(actor=factories.actor_of(account), unit_id=tree["school"].pk, name="B", on=date(2025, 1, 1), now=now)
    act = Act.objects.filter(act="orgs.unit.rename").latest("id")
    assert (act.account_id, act.target_id, act.facts["was"]) == (account.pk, tree["school"].pk, "Trường THCS Một")
    assert Event.objects.filter(kind="orgs.unit-changed", body__unit_id=tree["school"].pk, body__act="rename").exists()


def test_many_units_in_a_fixed_number_of_statements(tree, now, counted):
    def drafts(n):
        return [UnitDraft(UnitKind.SCHOOL, f"Trường {i}", None, tree["east"], tree["commune"]) for i in range(n)]

    with counted() as few:
        services.create_units(actor=SYSTEM, drafts=drafts(30), on=BEGIN, now=now)
    with counted() as many:
        services.create_units(actor=SYSTEM, drafts=drafts(200), on=BEGIN, now=now)
    assert len({unit.code for unit in Unit.objects.filter(kind="school")}) == 231
    assert many.total == few.total
    assert_reach_is_the_closure(date(2001, 1, 1))
