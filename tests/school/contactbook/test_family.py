"""A parent sees her own children, with who changed and looked; no rank, no average, no other child."""

import pytest
from django.utils import timezone

from khue.school.gradebook.models import Line, Register
from khue.school.gradebook.services.marks import CellChange, save_cells
from khue.school.gradebook.services.registers import open_registers
from tests import factories

NOW = factories.NOW


@pytest.fixture
def family(everything, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    here = factories.school()
    group = factories.class_group(here, grade=7)
    mine, other = factories.learners(group, 2)
    teacher = factories.teacher(here, group, "toan")
    open_registers(actor=factories.actor_of(factories.account("principal", here)), class_group=group, term=1, now=NOW)
    register = Register.objects.get(class_group=group, subject_code="toan", term=1)
    save_cells(
        actor=factories.actor_of(teacher), register=register.uid, now=NOW,
        changes=[CellChange(str(mine.uid), "r1", "8,5"), CellChange(str(other.uid), "r1", "3,7")],
    )
    return mine, other, teacher, factories.client_of(factories.guardian(mine)), here


def test_her_marks_and_who_entered_them(family):
    mine, other, teacher, client, here = family
    page = client.get(f"/gia-dinh/{mine.uid}/").content.decode()
    assert "8,5" in page and teacher.name in page
    assert other.name not in page and "3,7" not in page
    assert mine.name in client.get("/gia-dinh/").content.decode()
    assert mine.name in client.get("/").content.decode()


def test_who_looked_is_shown(family):
    mine, other, teacher, client, here = family
    clerk = factories.account("clerk", here)
    factories.client_of(clerk).get(f"/hoc-sinh/{mine.uid}/")
    assert clerk.name in client.get(f"/gia-dinh/{mine.uid}/").content.decode()


def test_another_child_looks_absent(family):
    mine, other, teacher, client, here = family
    assert client.get(f"/gia-dinh/{other.uid}/").status_code == 404
    assert client.get(f"/hoc-sinh/{other.uid}/").status_code == 404


def test_two_children_in_two_schools_stand_on_one_page(family):
    mine, other, teacher, client, here = family
    there = factories.school("Trường THCS Lê Lợi")
    [second] = factories.learners(factories.class_group(there, name="8C"), 1)
    from khue.register.people.models import Kinship, Person

    guardian = Person.objects.get(wards__learner=mine)
    Kinship.objects.create(guardian=guardian, learner=second, relation="mother", school_id=there.pk, valid=factories.EVER)
    page = client.get("/gia-dinh/").content.decode()
    assert "Lê Lợi" in page and here.name in page


def test_the_pages_cost_the_same_whatever_the_class(family, counted):
    mine, other, teacher, client, here = family
    client.get(f"/gia-dinh/{mine.uid}/")
    with counted() as count:
        assert client.get(f"/gia-dinh/{mine.uid}/").status_code == 200
    factories.learners(mine.placements.get().class_group, 20)
    with counted() as again:
        client.get(f"/gia-dinh/{mine.uid}/")
    assert count.total == again.total <= 6, count.statements
    assert Line.objects.filter(learner=mine).count() > 5


def test_a_teacher_has_no_family_page(family):
    mine, other, teacher, client, here = family
    assert factories.client_of(teacher).get(f"/gia-dinh/{mine.uid}/").status_code in (403, 404)
