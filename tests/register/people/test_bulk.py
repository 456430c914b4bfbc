"""Sets of people: codes, keys, encryption, changes by version, families, withdrawal."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from khue.kernel import ids, text
from khue.register.people import bulk, numbers
from khue.register.people.models import Kinship, Person
from tests import factories

pytestmark = pytest.mark.usefixtures("everything")
NAMES = ("Nguyễn Thị Hoà", "Đặng Ân", "H'Hen Niê", "Ưng Hoàng Phúc", "Lê Thị Ánh Tuyết", "An", "Trần  Ngọc-Ánh".replace("  ", " "), "Ăn Ơ Êmê")


@pytest.fixture
def here():
    return factories.school()


@pytest.mark.parametrize("name", NAMES)
def test_composed_keys_equal_the_law(name):
    assert bulk.sort_key(name) == text.sort_key(name) and bulk.fold(name) == text.fold(name)


def test_people_come_in_order_with_codes_and_encrypted_numbers(here):
    made = bulk.create([{"name": name, "personal_number": f"08630000{n:04d}", "born_on": date(2013, 1, 1 + n)} for n, name in enumerate(NAMES)], school_id=here.pk)
    people = [Person.objects.get(pk=one.id) for one in made]
    assert [p.name for p in people] == list(NAMES) and [p.code for p in people] == [one.code for one in made]
    assert all(ids.is_checked(p.code) and p.version == 1 and p.school_id == here.pk and p.facts == {} for p in people)
    assert [p.sort_key for p in people] == [text.sort_key(name) for name in NAMES] and people[0].name_fold == text.fold(NAMES[0])
    assert numbers.decrypt(people[3].personal_number) == "086300000003" and people[3].personal_index == numbers.blind_index("086300000003")
    assert bulk.create([], school_id=here.pk) == []


def test_a_personal_number_is_of_one_person(here):
    bulk.create([{"name": "An", "personal_number": "086300000001"}], school_id=here.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.create([{"name": "Bình", "personal_number": "086300000001"}], school_id=here.pk)
    assert Person.objects.count() == 1


def test_a_change_touches_its_fields_and_only_the_version_seen(here):
    one, two = (p.id for p in bulk.create([{"name": "An", "phone": "0911"}, {"name": "Bình", "phone": "0922"}], school_id=here.pk))
    Person.objects.filter(pk=two).update(address="đã đổi")
    versions = bulk.change([{"id": one, "version": 1, "name": "Ân", "personal_number": "086300000009"}, {"id": two, "version": 1, "phone": "0933"}])
    assert versions == {one: 2}
    first, second = Person.objects.get(pk=one), Person.objects.get(pk=two)
    assert (first.name, first.sort_key, first.phone) == ("Ân", text.sort_key("Ân"), "0911") and numbers.decrypt(first.personal_number) == "086300000009"
    assert second.phone == "0922"
    assert bulk.change([{"id": one, "version": 2, "personal_number": "", "born_on": None}]) == {one: 3}
    assert Person.objects.get(pk=one).personal_index is None


def test_guardians_are_shared_corrected_and_never_doubled(here):
    learners = bulk.create([{"name": "Anh"}, {"name": "Em"}], school_id=here.pk)
    rows = [{"learner_id": p.id, "relation": "mother", "name": "Lê Thị Tư", "phone": "0911222333"} for p in learners]
    rows.append({"learner_id": learners[0].id, "relation": "father", "name": "Võ Văn Năm", "phone": ""})
    ties = bulk.tie_guardians(rows, school_id=here.pk, on=date(2025, 9, 5))
    assert len({t.guardian_id for t in ties}) == 2 and all(t.is_new_tie for t in ties)
    again = bulk.tie_guardians([*rows[:1], {**rows[1], "phone": "0999888777"}], school_id=here.pk, on=date(2025, 10, 1))
    assert [t.is_new_tie for t in again] == [False, False] and Kinship.objects.count() == 3
    assert Person.objects.get(name="Lê Thị Tư").phone == "0999888777"
    bulk.end_ties([t.kinship_id for t in ties])
    assert not Kinship.objects.exclude(valid__isempty=True).exists()


def test_withdrawal_keeps_the_row_and_can_be_taken_back(here):
    [one] = bulk.create([{"name": "An", "facts": {"TON_GIAO": "1"}}], school_id=here.pk)
    bulk.withdraw([one.id], batch="b1")
    assert Person.objects.get(pk=one.id).facts == {"TON_GIAO": "1", "withdrawn": "b1"}
    bulk.revive([one.id])
    assert Person.objects.get(pk=one.id).facts == {"TON_GIAO": "1"}
