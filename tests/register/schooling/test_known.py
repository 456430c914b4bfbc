"""As it was on D, as known on E: one reading for pages and API, out of the history the database writes."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from khue.kernel.database.known import end_of, known
from khue.register.people.models import Person
from khue.register.schooling import known as reading
from khue.register.schooling.models import Placement
from tests import factories

D = date(2025, 11, 10)


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
