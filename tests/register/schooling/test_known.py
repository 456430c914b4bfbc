"""As it was on D, as known on E: one reading for pages and API, out of the history the database writes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.utils import timezone

from khue.kernel.database import scope
from khue.kernel.database.known import end_of, known, remember
from khue.kernel.permissions import system_actor
from khue.register.orgs import known as units
from khue.register.orgs import queries
from khue.register.orgs import services as orgs
from khue.register.orgs.models import UnitTie
from khue.register.orgs.services import UnitDraft
from khue.register.people.models import Kinship, Person
from khue.register.schooling import known as reading
from khue.register.schooling.models import ClassGroup, Placement
from tests import factories

D = date(2025, 11, 10)
SYSTEM = system_actor("test")


def rewind(table, days):
    """Let what was written so far be known since so many days before; the app may add history, not change it."""
    with connection.cursor() as cursor:
        cursor.execute("select column_name from information_schema.columns where table_name = %s and column_name not in ('pgh_id', 'pgh_created_at', 'name_fold', 'search')", [table])
        columns = ", ".join(f'"{name}"' for (name,) in cursor.fetchall())
        cursor.execute(f'insert into "{table}" (pgh_created_at, {columns}) select pgh_created_at - make_interval(days => %s), {columns} from "{table}"', [days])


class Past:
    """A class in which one learner was entered ten days ago and has moved, been renamed and been joined since."""

    def __init__(self):
        self.here = factories.school()
        self.group = factories.class_group(self.here)
        [self.first] = factories.learners(self.group, 1)
        self.post = factories.post(self.here, "Trần Thị Bình")
        for table in ("people_personhistory", "schooling_placementhistory", "schooling_classgrouphistory", "staff_posthistory", "orgs_unithistory"):
            rewind(table, 10)
        Person.objects.filter(pk=self.first.pk).update(name="Nguyễn Văn Ân", born_on=date(2013, 1, 1), born_precision="year")
        Placement.objects.filter(learner=self.first).update(valid=factories.period(date(2025, 9, 5), date(2025, 11, 1)), closed="dropout")
        self.late = factories.person("Lê Thị Muộn", school=self.here)
        Placement.objects.create(
            learner=self.late, school=self.here, class_group=self.group, school_year=2025, valid=factories.SCHOOL_YEAR, opened="entry"
        )
        self.clerk = factories.account("clerk", self.here)
        self.today = timezone.localdate()
        self.then = self.today - timedelta(days=5)

    def read(self, object_, uid, known_on, on=D):
        return reading.as_known(factories.actor_of(self.clerk, at=timezone.now()), object_, uid, on=on, known_on=known_on, at=timezone.now())


@pytest.fixture
def past(everything):
    return Past()


def facts(found):
    return {fact.code: (fact.then, fact.now) for fact in found.facts}


def test_a_class_then_and_now(past):
    found = past.read("lop", past.group.uid, past.then)
    assert [(line.text, line.then, line.now) for line in found.lines] == [("Nguyễn Văn An", True, False), ("Lê Thị Muộn", False, True)]
    assert facts(found)["learners"] == ("1", "1") and found.lines[0].detail == "nay là Nguyễn Văn Ân"
    now = past.read("lop", past.group.uid, past.today)
    assert [(line.text, line.then) for line in now.lines] == [("Lê Thị Muộn", True)]
    before = past.read("lop", past.group.uid, past.today - timedelta(days=30))
    assert not before.was_known and facts(before)["learners"] == ("0", "1")


def test_a_learner_then_and_now_with_dates_as_far_as_known(past):
    found = facts(past.read("hoc-sinh", past.first.uid, past.then))
    assert found["name"] == ("Nguyễn Văn An", "Nguyễn Văn Ân") and found["born_on"] == ("01/03/2013", "2013")
    assert found["class"] == (f"{past.group.name}, {past.here.name}", "")
    [line] = past.read("hoc-sinh", past.first.uid, past.then).lines
    assert "31/05/2026" in line.detail and "01/11/2025" in line.detail and line.then and line.now


def test_counts_of_a_school_and_a_post(past):
    found = facts(past.read("truong", past.here.uid, past.then, on=date(2025, 10, 1)))
    assert found["learners"] == ("1", "2") and found["posts"] == ("1", "1")
    assert facts(past.read("can-bo", past.post.uid, past.then))["name"] == ("Trần Thị Bình", "Trần Thị Bình")


def test_a_moment_belongs_to_the_day_of_the_province(past):
    assert end_of(date(2025, 11, 10)) == datetime.fromisoformat("2025-11-11T00:00:00+07:00")
    assert known(Person, [past.first.pk], at=timezone.now() + timedelta(seconds=5)).get().name == "Nguyễn Văn Ân"


def test_pages_and_api_say_the_same(past, counted):
    client = factories.client_of(past.clerk)
    address = f"/nhu-da-biet/lop/{past.group.uid}/?ngay=2025-11-10&biet={past.then.isoformat()}"
    client.get(address)
    page = client.get(address).content.decode()
    assert "Nguyễn Văn An" in page and 'name="biet"' in page
    for object_, uid in (("lop", past.group.uid), ("truong", past.here.uid), ("hoc-sinh", past.first.uid), ("can-bo", past.post.uid)):
        with counted() as count:
            assert client.get(f"/nhu-da-biet/{object_}/{uid}/?biet={past.then.isoformat()}").status_code == 200
        assert count.total <= 6, (object_, count.statements)
    body = client.get(f"/api/v1/as-known/classes/{past.group.uid}", {"on": "2025-11-10", "known_on": past.then.isoformat()}).json()
    found = past.read("lop", past.group.uid, past.then)
    assert [(line["text"], line["then"], line["now"]) for line in body["lines"]] == [(line.text, line.then, line.now) for line in found.lines]
    assert client.get("/nhu-da-biet/khac/" + str(past.group.uid) + "/").status_code == 404
    stranger = factories.client_of(factories.account("clerk", factories.school("Trường khác")))
    for object_, uid in (("lop", past.group.uid), ("hoc-sinh", past.first.uid), ("can-bo", past.post.uid)):
        assert stranger.get(f"/nhu-da-biet/{object_}/{uid}/").status_code == 404


# -- guardianship and units ----------------------------------------------------------------------------------


class Family:
    """A guardian tie known for ten days, corrected since, and one entered since."""

    def __init__(self):
        self.here = factories.school()
        self.group = factories.class_group(self.here)
        [self.child] = factories.learners(self.group, 1)
        self.father = factories.person("Nguyễn Văn Cha", school=self.here)
        self.mother = factories.person("Trần Thị Mẹ", school=self.here)
        self.first = Kinship.objects.create(
            guardian=self.father, learner=self.child, relation="father", school_id=self.here.pk, valid=factories.period(date(2025, 9, 1))
        )
        for table in ("people_personhistory", "schooling_placementhistory", "people_kinshiphistory", "orgs_unithistory"):
            rewind(table, 10)
        Person.objects.filter(pk=self.father.pk).update(name="Nguyễn Văn Chú")
        Kinship.objects.filter(pk=self.first.pk).update(relation="guardian", may_see=False, valid=factories.period(date(2025, 9, 1), date(2025, 11, 1)))
        Kinship.objects.create(
            guardian=self.mother, learner=self.child, relation="mother", school_id=self.here.pk, valid=factories.period(date(2025, 9, 1))
        )
        self.clerk = factories.account("clerk", self.here)
        self.today = timezone.localdate()
        self.then = self.today - timedelta(days=5)

    def read(self, known_on, on=D):
        found = reading.as_known(factories.actor_of(self.clerk, at=timezone.now()), "hoc-sinh", self.child.uid, on=on, known_on=known_on, at=timezone.now())
        return [(line.text, line.then, line.now, line.detail) for line in found.family]


def test_guardians_then_and_now(everything):
    family = Family()
    [father, mother] = family.read(family.then)
    assert father == ("Nguyễn Văn Cha", True, False, "Cha, được xem kết quả, từ 01/09/2025")
    assert mother[:3] == ("Trần Thị Mẹ", False, True)
    [father, mother] = family.read(family.then, on=date(2025, 10, 1))
    assert father[1:3] == (True, True)
    assert father[3] == (
        "khi đó: Cha, được xem kết quả, từ 01/09/2025; nay: Người giám hộ, không được xem kết quả, 01/09/2025 – 01/11/2025"
    )
    assert [line[0] for line in family.read(family.today)] == ["Trần Thị Mẹ"]
    assert [line[1:3] for line in family.read(family.today - timedelta(days=30))] == [(False, True)]
    assert family.read(family.then, on=date(2025, 8, 1)) == []


def test_guardians_on_page_and_api_within_the_place(everything, counted):
    family = Family()
    client = factories.client_of(family.clerk)
    address = f"/nhu-da-biet/hoc-sinh/{family.child.uid}/?ngay=2025-11-10&biet={family.then.isoformat()}"
    client.get(address)
    with counted() as count:
        page = client.get(address).content.decode()
    assert count.total <= 6 and "Cha mẹ, người giám hộ ngày ấy" in page and "Nguyễn Văn Cha" in page
    body = client.get(f"/api/v1/as-known/learners/{family.child.uid}", {"on": "2025-11-10", "known_on": family.then.isoformat()}).json()
    assert [(line["text"], line["then"], line["now"]) for line in body["family"]] == [("Nguyễn Văn Cha", True, False), ("Trần Thị Mẹ", False, True)]
    with connection.cursor() as cursor, scope.opened(schools=[family.here.pk + 10_000]):
        cursor.execute("select khue_ties_known(%s, now())", [family.child.pk])
        assert cursor.fetchone()[0] in ("[]", [])


class Tree:
    """A province of two districts with a school that went from one to the other, was renamed and joined since."""

    def __init__(self, now):
        def make(kind, name, code=None, parent=None, located=None, levels=()):
            return orgs.create_unit(actor=SYSTEM, draft=UnitDraft(kind, name, code, parent, located, levels), on=date(2000, 9, 5), now=now)

        self.province = make("province", "Tỉnh A", "X1")
        self.east, self.west = make("district", "Huyện Đông", "X01", self.province), make("district", "Huyện Tây", "X02", self.province)
        self.commune = make("commune", "Xã Một", "00901", self.east)
        self.school = make("school", "Trường THCS Cũ", None, self.east, self.commune, ("lower_secondary",))
        factories.learners(factories.class_group(self.school), 2)
        for table in ("orgs_unithistory", "orgs_unitnamehistory", "orgs_unittiehistory", "schooling_placementhistory"):
            rewind(table, 10)
        orgs.rename_unit(actor=SYSTEM, unit_id=self.school.pk, name="Trường THCS Mới", on=date(2025, 9, 1), now=now, reason="quyết định")
        orgs.set_parent(actor=SYSTEM, child_id=self.school.pk, parent_id=self.west.pk, on=date(2025, 9, 1), now=now, reason="quyết định")
        factories.learners(ClassGroup.objects.get(school=self.school), 3)
        self.other = make("school", "Trường THCS Nhập Sau", None, self.west, self.commune, ("lower_secondary",))
        self.today = timezone.localdate()
        self.then = self.today - timedelta(days=5)
        self.officer = factories.account("province_officer", self.province)
        self.actor = factories.actor_of(self.officer, at=timezone.now())

    def below(self, unit, known_on, on=D):
        return {node.name: (node.numbers["schools"], node.numbers["learners"]) for node in units.children(self.actor, unit.uid, day=on, known_on=known_on)}


@pytest.fixture
def tree(everything, now):
    return Tree(now)


def test_the_tree_and_its_counts_then_and_now(tree):
    assert tree.below(tree.province, tree.then) == {"Huyện Đông": (1, 2), "Huyện Tây": (0, 0)}
    assert tree.below(tree.province, tree.today) == {"Huyện Đông": (0, 0), "Huyện Tây": (2, 5)}
    assert tree.below(tree.east, tree.then) == {"Trường THCS Cũ": (1, 2), "Xã Một": (0, 0)}
    assert tree.below(tree.west, tree.today) == {"Trường THCS Mới": (1, 5), "Trường THCS Nhập Sau": (1, 0)}
    # a day before the change, as known now: the old name at the old place, with those who were there
    assert tree.below(tree.east, tree.today, on=date(2025, 8, 31))["Trường THCS Cũ"] == (1, 0)
    assert tree.below(tree.province, tree.today - timedelta(days=30)) == {}
    assert [node.name for node in units.path_to(tree.actor, tree.school.uid, day=D, known_on=tree.then)] == ["Tỉnh A", "Huyện Đông", "Trường THCS Cũ"]
    assert [node.name for node in units.path_to(tree.actor, tree.school.uid, day=D, known_on=tree.today)] == ["Tỉnh A", "Huyện Tây", "Trường THCS Mới"]


@pytest.mark.parametrize("on", [D, date(2025, 8, 31), date(1999, 1, 1)])
def test_what_is_known_now_is_what_the_tree_says(tree, on):
    for unit in (None, tree.province, tree.east, tree.west):
        uid = unit and unit.uid
        assert units.children(tree.actor, uid, day=on, known_on=tree.today) == queries.children(tree.actor, uid, day=on)
    known_way = units.path_to(tree.actor, tree.school.uid, day=on, known_on=tree.today)
    assert known_way == queries.path_to(tree.actor, tree.school.uid, day=on)


def test_counts_by_two_maps_then_and_now(tree, counted):
    def by(kind, known_on, map_day=D):
        found = units.counts_by_map(tree.actor, day=D, map_day=map_day, kind=kind, known_on=known_on)
        return {node.name: (node.numbers["schools"], node.numbers["learners"]) for node in found.rows}, found.total

    assert by("district", tree.then) == ({"Huyện Đông": (1, 2)}, {"schools": 1, "learners": 2})
    assert by("commune", tree.then)[0] == {"Xã Một": (1, 2)}
    assert by("commune", tree.then, date(1999, 1, 1)) == ({"": (1, 2)}, {"schools": 1, "learners": 2})  # the map does not know them yet
    for kind in ("province", "district", "commune"):
        for map_day in (D, date(2025, 8, 31), date(1999, 1, 1)):
            now = queries.counts_by_map(tree.actor, day=D, map_day=map_day, kind=kind)
            assert units.counts_by_map(tree.actor, day=D, map_day=map_day, kind=kind, known_on=tree.today) == now
    client = factories.client_of(tree.officer)
    address = f"/don-vi/so-lieu/?ngay=2025-11-10&ban_do1=2025-11-10&biet={tree.then.isoformat()}"
    client.get(address)
    with counted() as count:
        page = client.get(address).content.decode()
    assert count.total <= 6 and "Hai bản đồ khớp nhau" in page and f'value="{tree.then.isoformat()}"' in page


def test_units_on_pages_and_api(tree, counted):
    client = factories.client_of(tree.officer)
    biet = f"biet={tree.then.isoformat()}"
    for address, holds, lacks in (
        (f"/don-vi/?ngay=2025-11-10&{biet}&mo={tree.east.uid}", "Trường THCS Cũ", "Trường THCS Mới"),
        (f"/don-vi/nhanh/{tree.east.uid}/?ngay=2025-11-10&{biet}", "Trường THCS Cũ", "Trường THCS Mới"),
        (f"/don-vi/?ngay=2025-11-10&mo={tree.west.uid}", "Trường THCS Mới", "Trường THCS Cũ"),
        (f"/nhu-da-biet/don-vi/{tree.province.uid}/?ngay=2025-11-10&{biet}", "1 trường, nay 0", "Xã Một"),
        (f"/nhu-da-biet/truong/{tree.school.uid}/?ngay=2025-11-10&{biet}", "Huyện Đông", "Xã Hai"),
    ):
        client.get(address)
        with counted() as count:
            page = client.get(address).content.decode()
        assert count.total <= 6, (address, count.statements)
        assert holds in page and lacks not in page, address
    assert f"{biet}&amp;mo=" in client.get(f"/don-vi/?ngay=2025-11-10&{biet}").content.decode()
    body = client.get("/api/v1/tree", {"day": "2025-11-10", "parent": str(tree.province.uid), "known_on": tree.then.isoformat()}).json()
    assert {one["name"]: (one["schools"], one["learners"]) for one in body} == tree.below(tree.province, tree.then)
    told = client.get(f"/api/v1/as-known/units/{tree.school.uid}", {"on": "2025-11-10", "known_on": tree.then.isoformat()}).json()
    said = {fact["code"]: (fact["then"], fact["now"]) for fact in told["facts"]}
    assert said["name"] == ("Trường THCS Cũ", "Trường THCS Mới") and said["administered"] == ("Huyện Đông", "Huyện Tây")
    assert said["learners"] == ("2", "5")


def test_a_stranger_s_tree_is_her_own(tree):
    other = factories.client_of(factories.account("clerk", factories.school("Trường khác")))
    assert other.get(f"/nhu-da-biet/don-vi/{tree.province.uid}/").status_code == 404
    assert other.get("/api/v1/tree", {"parent": str(tree.province.uid), "known_on": tree.then.isoformat()}).json() == []


def test_history_begins_with_what_stands(everything, tree):
    """A table that begins to keep history remembers each row once, since it was written; run again it adds nothing."""
    with connection.cursor() as cursor:
        cursor.execute("create temporary table told (like orgs_unittie including defaults)")
        cursor.execute("insert into told select * from orgs_unittie")
        cursor.execute("create temporary table told_history (like orgs_unittiehistory including defaults)")
        cursor.execute("select set_config('search_path', 'pg_temp, public', true)")
        cursor.execute("create temporary sequence told_ids")
        cursor.execute("alter table told_history alter pgh_id set default nextval('told_ids')")
        cursor.execute("select current_schema()")
        assert cursor.fetchone()[0].startswith("pg_temp")
        for _again in range(2):
            remember(SimpleNamespace(connection=connection), "told", "told_history", size=3)
            cursor.execute("select count(*), count(*) filter (where h.pgh_created_at = t.changed_at and h.valid = t.valid) from told t join told_history h on h.pgh_obj_id = t.id")
            assert cursor.fetchone() == (UnitTie.objects.count(), UnitTie.objects.count())
