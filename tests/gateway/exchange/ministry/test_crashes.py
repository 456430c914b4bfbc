"""Taking a file of records in, killed anywhere: each school is taken whole or not at all, and again to the end everything is there once."""

from __future__ import annotations

import contextlib
import json
from types import SimpleNamespace

import pytest
from django.utils import timezone

from khue.gateway.exchange.ministry import services, taking, work
from khue.kernel import jobs
from khue.kernel.database import scope
from khue.kernel.permissions import system_actor
from khue.register.people.models import Kinship, Person
from khue.register.schooling.models import ClassGroup, Placement
from tests import factories
from tests.harness import crash

SYSTEM = system_actor("test")
LEARNERS = 3


class Take:
    """Each round brings new learners, with a father each, into a class of each school."""

    name = "taking records"

    def __init__(self, schools, first=0):
        self.schools, self.first = schools, first
        self.jobs: dict[int, int] = {}

    def codes(self, round: int, n: int) -> list[str]:
        return [f"44{self.first + round:03d}{n:02d}{one:03d}" for one in range(LEARNERS)]

    def prepare(self, round: int) -> None:
        rows = [
            {"TRUONG_ID": school.code, "HOC_SINH_ID": code, "MA_LOP": "7A", "MA_KHOI": "07", "HO_TEN": f"Đỗ Văn {'ABC'[one]}", "NGAY_SINH": "2013-02-03",
             "MA_GIOI_TINH": "1", "MA_DAN_TOC": "01", "TEN_CHA": "Đỗ Văn Ba", "LIST_KHEN_THUONG": [{"NOI_DUNG": "Giỏi"}]}
            for n, school in enumerate(self.schools) for one, code in enumerate(self.codes(round, n))
        ]  # fmt: skip
        with scope.everything():
            self.jobs[round] = services.ask_to_take(
                actor=SYSTEM, content=json.dumps(rows).encode(), name="lower_secondary/learner.json", school_year=2025, now=timezone.now()
            ).pk

    def act(self, round: int, acknowledge: crash.Acknowledge) -> None:
        jobs.run(self.jobs[round], clock=timezone.now)
        acknowledge("done")

    def counts(self, round: int) -> list[tuple[int, int, int]]:
        with scope.everything():
            found = []
            for n in range(len(self.schools)):
                people = Person.objects.filter(facts__MA_CU__in=self.codes(round, n))
                found.append((people.count(), Placement.objects.filter(learner__in=people).count(), Kinship.objects.filter(learner__in=people).count()))
            return found

    def check(self, round: int, acknowledged: list[str]) -> list[str]:
        whole = (LEARNERS,) * 3
        wrong = [f"school {n} is half there: {one}" for n, one in enumerate(self.counts(round)) if one not in ((0, 0, 0), whole)]
        if "done" in acknowledged and self.counts(round) != [whole] * len(self.schools):
            wrong.append(f"acknowledged with {self.counts(round)}")
        return wrong

    def check_whole(self, round: int) -> list[str]:
        return [] if self.counts(round) == [(LEARNERS,) * 3] * len(self.schools) else [f"there are {self.counts(round)}"]


class ByHalves(Take):
    """Broken: each person is committed by herself, before her school is done."""

    name = "taking by halves"

    def act(self, round: int, acknowledge: crash.Acknowledge) -> None:
        make = taking._School._make

        def committed(*args):
            made = make(*args)
            from django.db import connection

            with connection.cursor() as cursor:
                cursor.execute("commit; begin; select set_config('khue.all', 'on', true)")
            work.faults.hit("exchange.ministry_take.test_committed")
            return made

        taking._School._make = committed
        taking.transaction = SimpleNamespace(atomic=contextlib.nullcontext)
        super().act(round, acknowledge)


@pytest.fixture
def schools(fresh_database):
    with scope.everything():
        province = factories.unit("province", "Tỉnh Vĩnh Long", code="86")
        commune = factories.unit("commune", "Phường An Hội", code="29512", parent=province)
        made = [factories.school(f"Trường THCS {n}", commune=commune) for n in range(2)]
        for one in made:
            ClassGroup.objects.filter(pk=factories.class_group(one, grade=7, name="7A").pk).update(code="7A")
    return made


@pytest.mark.alone
def test_taking_survives_every_kill_and_the_harness_sees_people_taken_one_by_one(schools):
    report = crash.survives(Take(schools), chances=1)
    assert report.faults == []
    assert report.points >= {"exchange.ministry_take.after_school", "exchange.ministry_take.before_commit"}
    report = crash.survives(ByHalves(schools[:1], 50), chances=0, only={"exchange.ministry_take.test_committed"})
    assert any("half there" in fault for fault in report.faults), report.faults
