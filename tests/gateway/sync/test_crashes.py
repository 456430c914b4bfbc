"""A turn killed anywhere goes on: both ends agree, nothing is taken twice, nothing is forgotten."""

from __future__ import annotations

import pytest
from django.utils import timezone

from khue.gateway.sync import sending, work
from khue.gateway.sync.models import DeliveredRecord, QueuedRecord, SyncChannel
from khue.kernel import jobs
from khue.kernel.database import scope
from khue.kernel.permissions import system_actor
from khue.register.people.models import Person
from tests.gateway.sync.conftest import channel
from tests.harness import crash
from tests.province.periods.conftest import make


class Turn:
    """Each round changes every learner of a school and runs a turn in small steps."""

    name = "turn"

    def __init__(self, ground, held, other_end):
        self.ground, self.held, self.other_end = ground, held, other_end
        self.jobs: dict[int, int] = {}

    def prepare(self, round: int) -> None:
        here = self.ground.schools[0]
        with scope.opened(everything=True):
            Person.objects.filter(pk__in=[one.pk for one in self.ground.learners[here.pk]]).update(birth_place=f"Nơi {round}")
            SyncChannel.objects.filter(pk=self.held.pk).update(paused_until=None)
            job = jobs.start(work.TURN, actor=system_actor("test"), title="x", at=timezone.now(), parameters={"channel": self.held.pk, "school_year": 2025})
            self.jobs[round] = job.pk

    def act(self, round: int, acknowledge: crash.Acknowledge) -> None:
        work.SCHOOLS_A_STEP = 2
        jobs.run(self.jobs[round], clock=timezone.now)
        acknowledge("done")

    def check(self, round: int, acknowledged: list[str]) -> list[str]:
        wrong = []
        with scope.opened(everything=True):
            for record_id, version in DeliveredRecord.objects.filter(channel=self.held).values_list("record_id", "version"):
                theirs = self.other_end.held(record_id)
                if theirs is None or theirs["version"] < version:
                    wrong.append(f"{record_id}: we hold {version} for delivered, they hold {theirs and theirs['version']}")
        taken = [(name, version) for name, version, _event, code in self.other_end.log() if code == "00"]
        if len(taken) != len(set(taken)):
            wrong.append("a version was taken twice")
        return wrong

    def check_whole(self, round: int) -> list[str]:
        with scope.opened(everything=True):
            wrong = [f"{n} rows wait" for n in [QueuedRecord.objects.filter(channel=self.held).count()] if n]
            if sending.counters(self.held) != self.other_end.counts():
                wrong.append("the counters differ")
        here = self.ground.schools[0]
        for learner in self.ground.learners[here.pk]:
            told = self.other_end.held(f"{here.code}:thcs:learner:{learner.code}")
            if told is None or f"Nơi {round}" not in str(told["body"]):
                wrong.append(f"{learner.code}: they do not know of round {round}")
        return wrong


class BooksBeforeSending(Turn):
    """Broken: the queue is emptied and only then sent, so a kill between the two loses records."""

    name = "books before sending"

    def act(self, round: int, acknowledge: crash.Acknowledge) -> None:
        push = sending._outgoing

        def booked(batch, school_year):
            told = push(batch, school_year)
            sending.settle(self.held, batch, [sending.Answer(row.record_id, sending.ACCEPTED) for row in batch], now=timezone.now())
            from django.db import connection

            connection.cursor().execute("commit; begin; select set_config('khue.all', 'on', true)")
            sending.faults.hit("sync.test.booked")
            return told

        sending._outgoing = booked
        super().act(round, acknowledge)


@pytest.fixture
def committed(fresh_database, keys, other_end):
    with scope.opened(everything=True):
        ground = make(size=2)
        held = channel(other_end, batch_size=5)
        job = jobs.start(work.TURN, actor=system_actor("test"), title="x", at=timezone.now(), parameters={"channel": held.pk, "school_year": 2025})
    jobs.run(job.pk, clock=timezone.now)  # so that every round has the same to send
    return ground, held, other_end


@pytest.mark.alone
def test_a_turn_survives_every_kill(committed):
    report = crash.survives(Turn(*committed), chances=1, times=2)
    assert report.faults == []
    assert report.points >= {"sync.plan.after_stage", "sync.plan.after_queue", "sync.send.after_answer", "sync.send.before_commit", "sync.turn.before_end"}


@pytest.mark.alone
def test_the_harness_sees_books_written_before_sending(committed):
    report = crash.survives(BooksBeforeSending(*committed), chances=0, only={"sync.test.booked"})
    assert any("they hold" in fault or "do not know" in fault for fault in report.faults), report.faults
