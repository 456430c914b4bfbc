"""A change of school: both agree, one transaction, nothing copied, the code unchanged."""

from datetime import date

import pytest
from django.db import connection, transaction

from khue.kernel.audit.models import Act
from khue.kernel.database import scope
from khue.kernel.errors import NotFound
from khue.kernel.events.models import Event
from khue.register.people.models import Kinship, Person
from khue.register.schooling import queries, services
from khue.register.schooling.models import Placement, Transfer
from tests import factories

NOW, TODAY = factories.NOW, date(2025, 11, 10)


@pytest.fixture
def two(everything):
    here, there = factories.school(), factories.school("Trường THCS Lê Lợi")
    group, target = factories.class_group(here, grade=7), factories.class_group(there, grade=7)
    [learner] = factories.learners(group, 1)
    a = factories.actor_of(factories.account("principal", here))
    b = factories.actor_of(factories.account("principal", there))
    return here, there, target, learner, a, b


def visible(actor):
    return scope.opened(schools=actor.schools, people=actor.people)


def test_the_file_is_open_to_the_new_school_at_once(two):
    here, there, target, learner, a, b = two
    with visible(b):
        assert not Person.objects.filter(pk=learner.pk).exists()
        found = services.find_for_transfer(actor=b, code=learner.code, born_on=learner.born_on, now=NOW)
        asked = services.ask_transfer(actor=b, learner=found, to_school=there, effective_on=TODAY, reason="Theo gia đình", now=NOW)
        services.agree(actor=b, uid=asked.uid, to_class=target, now=NOW)
    with visible(a):
        done = services.agree(actor=a, uid=asked.uid, now=NOW)
        assert done.state == Transfer.State.DONE
        assert not Person.objects.filter(pk=learner.pk).exists()
    with visible(b):
        seen = Person.objects.get(pk=learner.pk)
        assert seen.code == learner.code and seen.school_id == there.pk
        old, new = Placement.objects.filter(learner=learner).order_by("valid")
    assert (old.school_id, old.closed, old.valid.upper) == (here.pk, "transfer", TODAY)
    assert (new.school_id, new.opened, new.valid.lower, new.class_group_id) == (there.pk, "transfer", TODAY, target.pk)
    assert Event.objects.filter(kind="schooling.learner-transferred").count() == 1
    assert {act.act for act in Act.objects.filter(person_id=learner.pk)} >= {"schooling.transfer.ask", "schooling.transfer.agree", "schooling.transfer.done"}


def test_one_side_alone_moves_nobody(two):
    here, there, target, learner, a, b = two
    asked = services.ask_transfer(actor=a, learner=learner, to_school=there, effective_on=TODAY, reason="", now=NOW)
    for _ in range(2):
        services.agree(actor=a, uid=asked.uid, now=NOW)
    assert Placement.objects.get(learner=learner).closed == ""
    with pytest.raises(services.TransferOpen), transaction.atomic():
        services.ask_transfer(actor=a, learner=learner, to_school=there, effective_on=TODAY, reason="", now=NOW)


def test_a_later_day_waits_for_it(two):
    here, there, target, learner, a, b = two
    asked = services.ask_transfer(actor=a, learner=learner, to_school=there, effective_on=date(2025, 11, 20), reason="", now=NOW)
    services.agree(actor=a, uid=asked.uid, now=NOW)
    assert services.agree(actor=b, uid=asked.uid, to_class=target, now=NOW).state == Transfer.State.ACCEPTED
    assert services.perform_due(actor=a, now=NOW) == 0
    later = NOW.replace(day=20)
    assert services.perform_due(actor=a, now=later) == 1
    assert services.perform_due(actor=a, now=later) == 0
    assert Placement.objects.get(learner=learner, school=there).valid.lower == date(2025, 11, 20)


def test_a_third_school_sees_and_does_nothing(two):
    here, there, target, learner, a, b = two
    other = factories.actor_of(factories.account("principal", factories.school("Trường THCS Trần Phú")))
    asked = services.ask_transfer(actor=a, learner=learner, to_school=there, effective_on=TODAY, reason="", now=NOW)
    with visible(other):
        assert not Transfer.objects.exists()
        for act in (services.agree, services.refuse):
            with pytest.raises(NotFound):
                act(actor=other, uid=asked.uid, now=NOW, **({"answer": "x"} if act is services.refuse else {}))
        with pytest.raises(NotFound):
            services.find_for_transfer(actor=other, code=learner.code, born_on=date(2000, 1, 1), now=NOW)


def test_a_refusal_ends_it_and_says_why(two):
    here, there, target, learner, a, b = two
    asked = services.ask_transfer(actor=a, learner=learner, to_school=there, effective_on=TODAY, reason="", now=NOW)
    assert services.refuse(actor=b, uid=asked.uid, answer="Hết chỗ", now=NOW).answer == "Hết chỗ"
    with pytest.raises(services.TransferEnded):
        services.agree(actor=a, uid=asked.uid, now=NOW)


def test_a_learner_is_in_one_class_a_day(two):
    here, there, target, learner, a, b = two
    with pytest.raises(services.AlreadyPlaced):
        services.place(actor=b, learner=learner, group=target, from_day=TODAY, until=date(2026, 5, 31), now=NOW)
    left = services.leave(actor=a, learner=learner, on=TODAY, closed="dropout", reason="Gia đình chuyển nhà", now=NOW)
    assert left.closed == "dropout"
    with pytest.raises(services.NotPlaced):
        services.leave(actor=a, learner=learner, on=date(2025, 12, 1), closed="dropout", reason="", now=NOW)


def test_her_guardians_go_along_unless_the_old_school_still_needs_them(two):
    here, there, target, learner, a, b = two
    [sibling] = factories.learners(factories.class_group(here, grade=8), 1)
    mother, father = (factories.person(name, school=here) for name in ("Võ Thị Mai", "Nguyễn Văn Ba"))
    teacher = factories.post(here, "Lê Thị Tám").person
    for who, child, relation in (
        (mother, learner, "mother"), (father, learner, "father"), (father, sibling, "father"), (teacher, learner, "guardian"),
    ):  # fmt: skip
        Kinship.objects.create(guardian=who, learner=child, relation=relation, school_id=here.pk, valid=factories.EVER)
    asked = services.ask_transfer(actor=a, learner=learner, to_school=there, effective_on=TODAY, reason="Chuyển nhà", now=NOW)
    services.agree(actor=a, uid=asked.uid, now=NOW)
    services.agree(actor=b, uid=asked.uid, to_class=target, now=NOW)
    assert [Person.objects.get(pk=one.pk).school_id for one in (mother, father, teacher)] == [there.pk, here.pk, here.pk]
    with visible(b):
        file = queries.learner_file(b, str(learner.uid), at=NOW)
        assert {tie.name for tie in file.guardians} == {"Võ Thị Mai", "Nguyễn Văn Ba", "Lê Thị Tám"}
        assert not Person.objects.filter(pk__in=[father.pk, teacher.pk]).exists()
    with visible(a), connection.cursor() as cursor:
        cursor.execute("select khue_ties(%s), khue_ties(%s)", [learner.pk, sibling.pk])
        gone, own = cursor.fetchone()
    assert gone in ([], "[]") and "Nguyễn Văn Ba" in str(own)
