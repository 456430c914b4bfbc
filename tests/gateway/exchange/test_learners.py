"""Learners come in, come again, change and go back."""

from __future__ import annotations

from datetime import date

import pytest

from khue.gateway.exchange import services
from khue.gateway.exchange.models import ImportBatch, ImportRow, State, What
from khue.register.people.models import Kinship, Person
from khue.register.schooling.models import Placement
from tests import factories
from tests.gateway.exchange import books

pytestmark = pytest.mark.usefixtures("everything")


@pytest.fixture
def here():
    return factories.school()


@pytest.fixture
def clerk(here):
    return factories.actor_of(factories.account("clerk", here))


def run(clerk, here, tmp_path, content, now, *, kind="learners", name="hs.xlsx", **more):
    path = tmp_path / name
    path.write_bytes(content)
    return services.import_file(clerk, here, kind, path, now=now, school_year=factories.YEAR, **more)


def test_first_import_makes_people_and_places(here, clerk, tmp_path, now):
    group = factories.class_group(here, name="7A1")
    report = run(clerk, here, tmp_path, books.xlsx(books.learners(25)), now)
    assert report.checked[What.NEW] == 25 and report.applied[What.NEW] == 25 and report.problems == []
    assert report.batch.state == State.APPLIED
    placed = Placement.objects.filter(class_group=group).select_related("learner")
    assert placed.count() == 25
    first = placed.get(learner__name="Nguyễn Thị An").learner
    assert first.born_on == date(2013, 1, 1) and first.sex == "2" and first.ethnic_group == "01" and first.phone == "0900000000"
    assert first.personal_number is not None and first.sort_key and first.school_id == here.pk


def test_same_file_again_changes_nothing(here, clerk, tmp_path, now):
    factories.class_group(here, name="7A1")
    content = books.xlsx(books.learners(25))
    run(clerk, here, tmp_path, content, now)
    before = sorted(Person.objects.values_list("id", "version")), sorted(Placement.objects.values_list("id", "version"))
    report = run(clerk, here, tmp_path, content, now)
    assert report.checked == {"total": 25, "unchanged": 25, "ignored": 0} | {k: 0 for k in report.checked if k not in ("total", "unchanged")}
    assert (sorted(Person.objects.values_list("id", "version")), sorted(Placement.objects.values_list("id", "version"))) == before
    assert not ImportRow.objects.filter(batch=report.batch).exists()


def test_changed_cell_is_shown_before_and_after_and_undone(here, clerk, tmp_path, now):
    factories.class_group(here, name="7A1")
    rows = books.learners(5)
    run(clerk, here, tmp_path, books.xlsx(rows), now)
    rows[2][8] = "0988 777 666"
    report = run(clerk, here, tmp_path, books.xlsx(rows), now)
    assert (report.applied[What.CHANGED], report.applied[What.UNCHANGED]) == (1, 4)
    row = ImportRow.objects.get(batch=report.batch, what=What.CHANGED)
    assert row.detail["diff"] == {"phone": ["0900000001", "0988777666"]}
    undo(clerk, report.batch, now)
    assert Person.objects.filter(phone="0900000001").exists() and not Person.objects.filter(phone="0988777666").exists()


def undo(clerk, batch, now):
    services.start_undo(actor=clerk, uid=batch.uid, now=now)
    services.drive(services.work.undo, batch.pk, clerk, now)


def test_undo_of_new_learners_closes_places_and_keeps_codes(here, clerk, tmp_path, now):
    group = factories.class_group(here, name="7A1")
    report = run(clerk, here, tmp_path, books.xlsx(books.learners(4)), now)
    codes = sorted(Person.objects.filter(placements__class_group=group).values_list("code", flat=True))
    undo(clerk, report.batch, now)
    assert ImportBatch.objects.get(pk=report.batch.pk).state == State.UNDONE
    places = Placement.objects.filter(class_group=group)
    assert {p.closed for p in places} == {"undone"} and all(p.valid.isempty for p in places)
    assert sorted(Person.objects.filter(facts__withdrawn=str(report.batch.uid)).values_list("code", flat=True)) == codes
    again = run(clerk, here, tmp_path, books.xlsx(books.learners(4)), now)
    assert again.applied[What.NEW] == 4
    assert sorted(Person.objects.filter(placements__class_group=group, placements__valid__contains=now.date()).values_list("code", flat=True)) == codes


def test_families_come_along_and_siblings_share_a_parent(here, clerk, tmp_path, now):
    factories.class_group(here, name="7A1")
    head = [*books.LEARNER_HEAD[:5], "Họ tên cha", "SĐT cha", "Họ tên mẹ", "SĐT mẹ"]
    rows = [head, [1, "Nguyễn Văn An", "01/02/2013", "Nam", "7A1", "Nguyễn Văn Ba", "0911222333", "Lê Thị Tư", ""],
            [2, "Nguyễn Thị Bé", "01/02/2013", "Nữ", "7A1", "Nguyễn Văn Ba", "0911222333", "", ""]]
    report = run(clerk, here, tmp_path, books.xlsx(rows), now)
    assert report.applied[What.NEW] == 2, report.problems
    assert Kinship.objects.count() == 3 and Person.objects.filter(name="Nguyễn Văn Ba").count() == 1
    again = run(clerk, here, tmp_path, books.xlsx(rows), now)
    assert again.checked[What.UNCHANGED] == 2
    rows[1][8] = "0944555666"
    third = run(clerk, here, tmp_path, books.xlsx(rows), now)
    assert third.applied[What.CHANGED] == 1 and Person.objects.get(name="Lê Thị Tư").phone == "0944555666"
