"""Sets of learners and placements: found surest first, placed once a day, moved, undone."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from khue.kernel.database import scope
from khue.register.people import numbers
from khue.register.people.models import Person
from khue.register.schooling import bulk
from khue.register.schooling.models import Placement
from tests import factories

pytestmark = pytest.mark.usefixtures("everything")


@pytest.fixture
def group():
    return factories.class_group(factories.school())


def test_a_learner_is_found_by_code_number_and_name(group):
    [an, binh] = factories.learners(group, 2)
    Person.objects.filter(pk=an.pk).update(personal_index=numbers.blind_index("086300000001"))
    rows = [
        {"n": 0, "code": an.code, "index": None, "fold": "ai do", "born": None}, {"n": 1, "code": None, "index": numbers.blind_index("086300000001"), "fold": "x", "born": None},
        {"n": 2, "code": None, "index": None, "fold": "tran thi binh", "born": binh.born_on}, {"n": 3, "code": None, "index": None, "fold": "tran thi binh", "born": date(2000, 1, 1)},
    ]  # fmt: skip
    found = bulk.match_learners(rows, school_id=group.school_id, school_year=group.school_year)
    assert {n: [(hit["how"], hit["id"]) for hit in hits] for n, hits in found.items()} == {0: [(1, an.pk)], 1: [(2, an.pk)], 2: [(3, binh.pk)]}
    assert found[2][0]["class_group_id"] == group.pk and found[2][0]["place_from"] == date(2025, 9, 5)


def test_another_schools_learner_is_not_seen_but_her_school_is_named(group):
    other = factories.class_group(factories.school("Trường THCS Lê Lợi"))
    [far] = factories.learners(other, 1)
    with scope.opened(schools=[group.school_id]):
        row = {"n": 5, "code": far.code, "index": None, "fold": "x", "born": None}
        assert bulk.match_learners([row], school_id=group.school_id, school_year=2025) == {}
        assert bulk.held_elsewhere([{"n": 5, "code": far.code, "index": None}, {"n": 6, "code": "0", "index": None}]) == {5: "Trường THCS Lê Lợi"}
        assert not Person.objects.filter(pk=far.pk).exists()


def test_one_main_place_a_day(group):
    [one] = factories.learners(group, 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.place([{"learner_id": one.pk, "class_group_id": group.pk, "from_day": date(2025, 10, 1), "until": date(2026, 5, 31)}])


def test_move_and_its_undo(group):
    other = factories.class_group(group.school)
    [one] = factories.learners(group, 1)
    old = Placement.objects.get(learner=one)
    assert bulk.close([(old.pk, old.version + 1, date(2025, 11, 1))]) == set()
    assert bulk.close([(old.pk, old.version, date(2025, 11, 1))]) == {old.pk}
    made = bulk.place([{"learner_id": one.pk, "class_group_id": other.pk, "from_day": date(2025, 11, 1), "until": date(2026, 5, 31), "roll_number": 7}], opened="move")
    assert bulk.undo_places([(made[one.pk], 9)]) == set() and bulk.undo_places([(made[one.pk], 1)]) == {made[one.pk]}
    bulk.reopen([(old.pk, date(2025, 9, 5), date(2026, 5, 31))])
    old.refresh_from_db()
    assert old.valid.upper == date(2026, 5, 31) and old.closed == ""
    assert Placement.objects.get(pk=made[one.pk]).closed == "undone"


def test_a_place_that_had_not_begun_is_emptied(group):
    [one] = factories.learners(group, 1)
    held = Placement.objects.get(learner=one)
    bulk.close([(held.pk, held.version, date(2025, 8, 1))])
    held.refresh_from_db()
    assert held.valid.isempty
