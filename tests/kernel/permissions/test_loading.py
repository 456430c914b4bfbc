"""The actor of a request: her place, her people, and the scope that goes with them."""

from datetime import date

import pytest
from django.db import connection, transaction

from khue.kernel.database import scope
from khue.kernel.database.fields import period
from khue.kernel.errors import NotAllowed, NotFound
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import demand, loading, right
from khue.register.people.models import Person
from tests import factories

RIGHT = right("test.read", "Xem", {"principal": "unit", "guardian": "own_child"})


def test_a_principal_sees_her_school_only(everything, counted):
    here, there = factories.school(), factories.school("Trường THCS Lê Lợi")
    own = factories.learners(factories.class_group(here), 2)
    factories.learners(factories.class_group(there), 2)
    account = factories.account("principal", here)
    with transaction.atomic(), counted() as count:
        actor, actors = loading.load(account.pk, None, at=factories.NOW, is_strong=False, open_scope=True)
    assert count.total == 1 and actors == [actor]
    assert actor.schools == {here.pk}
    assert {p.pk for p in Person.objects.all()} == {p.pk for p in own}
    demand(actor, "test.read", on=own[0], at=factories.NOW)


def test_a_guardian_sees_her_children_only(everything):
    group = factories.class_group(factories.school())
    child, other = factories.learners(group, 2)
    account = factories.guardian(child)
    with scope.opened():  # as a request does: nothing is visible while the actor is being loaded
        actor, _ = loading.load(account.pk, None, at=factories.NOW, is_strong=False, open_scope=True)
        assert [p.pk for p in Person.objects.exclude(pk=account.person_id)] == [child.pk]
    demand(actor, "test.read", on=child, at=factories.NOW)
    with pytest.raises(NotFound):
        demand(actor, "test.read", on=other, at=factories.NOW)


def test_an_ended_grant_and_a_closed_account_are_nobody(everything):
    here = factories.school()
    ended = factories.account("principal", here, valid=period(date(2020, 1, 1), date(2025, 11, 10)))
    assert loading.load(ended.pk, None, at=factories.NOW, is_strong=False)[0] is None
    closed = factories.account("clerk", here, is_active=False)
    assert loading.load(closed.pk, None, at=factories.NOW, is_strong=False)[0] is None
    with pytest.raises(NotAllowed):
        demand(factories.actor_of(factories.account("clerk", here)), "test.read", on=here, at=factories.NOW)


def test_the_province_passes_by_a_flag(everything):
    factories.learners(factories.class_group(factories.school()), 2)
    account = factories.account("province_officer", factories.province())
    actor, _ = loading.load(account.pk, None, at=factories.NOW, is_strong=False, open_scope=True)
    assert actor.schools is None
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('khue.all')")
        assert cursor.fetchone() == ("on",)


def test_a_changed_password_ends_other_sessions(everything):
    account = factories.account("clerk", factories.school())
    client = factories.client_of(account)
    assert client.get("/lop/").status_code == 200
    account.set_password("mot-mat-khau-khac-han")
    account.save()
    assert client.get("/lop/").status_code in (302, 403)
    assert "khue.grant" not in client.session and not client.session.keys()


def test_a_closed_account_ends_inside_its_session(everything):
    account = factories.account("clerk", factories.school())
    client = factories.client_of(account)
    account.is_active = False
    account.save()
    assert client.get("/lop/").status_code in (302, 403)


def test_work_without_a_school_is_seen_by_who_started_it(everything, monkeypatch):
    from django.utils import timezone

    monkeypatch.setattr(timezone, "now", lambda: factories.NOW)
    commune = factories.unit("commune", "Xã Tân Hạnh", parent=factories.province())
    mine, other = (factories.account("commune_officer", commune) for _number in range(2))
    jobs = [Job.objects.create(kind="exchange.check", title=f"Việc {number}", account_id=one.pk) for number, one in enumerate((mine, other))]
    client = factories.client_of(mine)
    page = client.get("/viec-cua-toi/").content.decode()
    assert "Việc 0" in page and "Việc 1" not in page
    assert [client.get(f"/viec/{job.uid}/").status_code for job in jobs] == [200, 404]
    with scope.opened():
        loading.load(mine.pk, None, at=factories.NOW, is_strong=False, open_scope=True)
        assert [job.pk for job in Job.objects.all()] == [jobs[0].pk]
        scope.close()
        assert not Job.objects.exists()
