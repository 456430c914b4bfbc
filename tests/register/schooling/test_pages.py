"""Pages of classes, learners and transfers: what they show, to whom, at what cost."""

import pytest
from django.db import connection

from khue.kernel.audit.models import Look
from khue.register.people.models import Kinship, Person
from khue.register.schooling.models import ClassGroup, Placement, Transfer
from khue.school.teaching.models import Assignment
from tests import factories


@pytest.fixture(autouse=True)
def at_test_time(monkeypatch):
    from django.utils import timezone

    monkeypatch.setattr(timezone, "now", lambda: factories.NOW)


@pytest.fixture
def here(everything):
    return factories.school()


@pytest.mark.parametrize("size", [3, 40])
def test_a_class_page_costs_the_same_whatever_its_size(here, counted, size):
    group = factories.class_group(here)
    factories.learners(group, size)
    client = factories.client_of(factories.account("clerk", here))
    client.get(f"/lop/{group.uid}/")
    with counted() as count:
        page = client.get(f"/lop/{group.uid}/")
    assert page.status_code == 200 and page.content.decode().count('scope="row"') == size
    assert count.total <= 5, count.statements  # session, actor, class, members, the look


def test_the_file_shows_and_notes_who_looked(here):
    group = factories.class_group(here)
    [child] = factories.learners(group, 1)
    page = factories.client_of(factories.account("clerk", here)).get(f"/hoc-sinh/{child.uid}/")
    assert child.name in page.content.decode() and child.code in page.content.decode()
    look = Look.objects.get(person_id=child.pk)
    assert (look.role, look.what, look.count) == ("clerk", "file", 1)


def test_another_school_s_pages_look_absent(here):
    group = factories.class_group(here)
    [child] = factories.learners(group, 1)
    other = factories.client_of(factories.account("clerk", factories.school("Trường khác")))
    for address in (f"/lop/{group.uid}/", f"/hoc-sinh/{child.uid}/", f"/hoc-sinh/{child.uid}/chuyen-truong/", f"/lop/{group.uid}/ma-moi/"):
        page = other.get(address)
        assert page.status_code == 404, address
        assert child.name not in page.content.decode()


def test_a_clerk_opens_a_class_and_adds_a_learner_without_a_number(here):
    client = factories.client_of(factories.account("clerk", here))
    client.post("/lop/moi/", {"name": "8A5", "grade": "8"})
    group = ClassGroup.objects.get(name="8A5")
    answer = client.post(f"/lop/{group.uid}/hoc-sinh-moi/", {"name": "  Đặng  Thị Bé ", "born_on": "05/09/2012", "sex": "2"})
    child = Person.objects.get(name="Đặng Thị Bé")
    assert answer.status_code == 302 and str(child.uid) in answer["Location"]
    assert client.post("/lop/moi/", {"name": "8A5", "grade": "8"}).status_code == 422
    assert client.post("/lop/moi/", {"name": "3A", "grade": "3"}).status_code == 422


def test_a_guardian_gets_a_code_once(here):
    group = factories.class_group(here)
    [child] = factories.learners(group, 1)
    client = factories.client_of(factories.account("clerk", here))
    page = client.post(f"/hoc-sinh/{child.uid}/phu-huynh/", {"name": "Nguyễn Thị Mai", "relation": "mother"})
    assert page.status_code == 200 and "k-code" in page.content.decode()
    assert Kinship.objects.get(learner=child).guardian.name == "Nguyễn Thị Mai"
    again = client.post(f"/hoc-sinh/{child.uid}/phu-huynh/", {"name": "Nguyễn Thị Mai", "relation": "mother"})
    assert again.status_code == 422
    slips = client.post(f"/lop/{group.uid}/ma-moi/")
    assert slips.content.decode().count("k-code") == 1


def test_a_transfer_goes_through_the_pages(here):
    there = factories.school("Trường THCS Lê Lợi")
    group, target = factories.class_group(here), factories.class_group(there)
    [child] = factories.learners(group, 1)
    ours, theirs = (factories.client_of(factories.account("principal", s)) for s in (here, there))
    answer = theirs.post("/chuyen-truong/tiep-nhan/", {"code": child.code, "born_on": child.born_on.strftime("%d/%m/%Y")})
    address = answer["Location"]
    assert theirs.get(address).status_code == 200
    assert theirs.get(f"/hoc-sinh/{child.uid}/").status_code == 404
    assert theirs.post(address, {"to_class": str(target.uid)}).status_code == 302
    assert ours.post(address, {}).status_code == 302
    assert Transfer.objects.get().state == "done"
    assert theirs.get(f"/hoc-sinh/{child.uid}/").status_code == 200
    assert ours.get(f"/hoc-sinh/{child.uid}/").status_code == 404
    wrong = theirs.post("/chuyen-truong/tiep-nhan/", {"code": child.code, "born_on": "01/01/1999"})
    assert wrong.status_code == 422


def test_lists_and_search_stay_within_the_place(here):
    group = factories.class_group(here)
    [child] = factories.learners(group, 1)
    factories.learners(factories.class_group(factories.school("Trường khác")), 1)
    client = factories.client_of(factories.account("clerk", here))
    assert client.get("/lop/").content.decode().count('scope="row"') == 1
    from khue.kernel.menus import SEARCH

    actor = factories.actor_of(factories.account("clerk", here))
    assert [hit.title for hit in SEARCH["learners"](actor, "nguyen an", 10)] == [child.name]
    assert connection.in_atomic_block


def test_a_homeroom_teacher_opens_the_files_of_her_class_and_of_classes_she_teaches(everything):
    here = factories.school()
    own, taught, other = (factories.class_group(here, name=name) for name in ("7A", "7B", "7C"))
    [mine], [pupil], [stranger] = (factories.learners(group, 1) for group in (own, taught, other))
    for who, name in ((mine, "Zq Văn An"), (pupil, "Zq Văn Bình"), (stranger, "Zq Văn Cường")):
        type(who).objects.filter(pk=who.pk).update(name=name)
    account = factories.homeroom_teacher(own)
    post = type(own).objects.select_related("homeroom").get(pk=own.pk).homeroom
    Assignment.objects.create(
        post=post, class_group=taught, school_id=here.pk, school_year=2025, subject_code="toan", periods=4, valid=factories.SCHOOL_YEAR
    )
    client = factories.client_of(account, role="homeroom_teacher")
    assert [client.get(f"/hoc-sinh/{one.uid}/").status_code for one in (mine, pupil, stranger)] == [200, 200, 403]
    found = client.get("/tim/?q=zq").content.decode()
    assert "Zq Văn An" in found and "Zq Văn Bình" in found and "Zq Văn Cường" not in found
    listed = client.get("/api/v1/learners").json()["items"]
    assert {one["name"] for one in listed} == {"Zq Văn An", "Zq Văn Bình"}
    links = [f"/hoc-sinh/{who.uid}/" in client.get(f"/lop/{group.uid}/").content.decode() for who, group in ((mine, own), (stranger, other))]
    assert links == [True, False]
    Placement.objects.filter(learner=mine).update(closed="move")
    assert client.get(f"/hoc-sinh/{mine.uid}/").status_code == 403




def test_a_learner_changes_class_on_a_page(here):
    group, other, elsewhere = (factories.class_group(here, name=name, grade=grade) for name, grade in (("7A", 7), ("7B", 7), ("8A", 8)))
    [learner] = factories.learners(group, 1)
    client = factories.client_of(factories.account("clerk", here))
    page = f"/hoc-sinh/{learner.uid}/doi-lop/"
    assert page in client.get(f"/hoc-sinh/{learner.uid}/").content.decode()
    form = {"group": other.uid, "on": "10/11/2025", "reason": "Theo nguyện vọng gia đình"}
    for wrong in ({"group": elsewhere.uid}, {"on": "11/11/2025"}, {"reason": ""}, {"on": "1"}):
        assert client.post(page, form | wrong).status_code == 422, wrong
    assert client.post(page, form).status_code == 302
    old, new = Placement.objects.filter(learner=learner).order_by("valid")
    assert (old.closed, new.opened, new.class_group_id) == ("move", "move", other.pk)
    teacher = factories.client_of(factories.homeroom_teacher(other), role="homeroom_teacher")
    assert teacher.get(page).status_code == 403 and page not in teacher.get(f"/hoc-sinh/{learner.uid}/").content.decode()


