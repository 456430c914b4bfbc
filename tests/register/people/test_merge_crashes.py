"""Merging and taking apart survive a kill at every point: whole or not at all, and once."""

from __future__ import annotations

from datetime import date

import pytest

from khue.kernel.database import scope
from khue.kernel.ledger.models import Entry
from khue.register.people.doubles import finding, services
from khue.register.people.models import Merge, MergeMove, Person
from khue.register.schooling.models import Placement
from tests import factories
from tests.harness import crash

NOW = factories.NOW


class Merging:
    """A merge of two files with a place each, then its undoing."""

    name = "merging"

    def __init__(self):
        with scope.everything():
            self.here = factories.school()
            self.group = factories.class_group(self.here)
            self.officer = factories.actor_of(factories.account("province_officer", factories.province()))
            self.clerk = factories.actor_of(factories.account("clerk", self.here))
        self.merges: dict[int, Merge] = {}
        self.people: dict[int, tuple[int, int]] = {}

    def prepare(self, round: int) -> None:
        with scope.everything():
            born = date(2013, 1 + round % 12, 1 + round % 28)
            pair = [factories.person(f"Nguyễn Thị Ánh {'abcdefghijklmnopqrstuvwxyz'[round % 26]}", school=self.here, born_on=born, sex="2") for _n in range(2)]
            for number, who in enumerate(pair):
                Placement.objects.create(
                    learner=who, school=self.here, class_group=self.group, school_year=2025, opened="entry",
                    valid=factories.period(date(2025, 9, 5 + number), date(2026, 5, 31)),
                )  # fmt: skip
            double = services.keep(finding.weighed(pair[0].pk, pair[1].pk), day=NOW.date())
            self.merges[round] = services.propose(actor=self.clerk, uid=double.uid, keep_first=True, reason="Nhập hai lần", now=NOW)
            self.people[round] = (pair[0].pk, pair[1].pk)

    def act(self, round: int, acknowledge: crash.Acknowledge) -> None:
        made = self.merges[round]
        with scope.everything():
            if Merge.objects.get(pk=made.pk).state in ("proposed", "done"):
                services.decide(actor=self.officer, uid=made.uid, version=made.version, accept=True, answer="", now=NOW)
        acknowledge("merged")
        with scope.everything():
            held = Merge.objects.get(pk=made.pk)
            services.undo(actor=self.officer, uid=made.uid, version=held.version, reason="Gộp nhầm người", now=NOW)
        acknowledge("parted")

    def check(self, round: int, acknowledged: list[str]) -> list[str]:
        survivor, absorbed = self.people[round]
        with scope.everything():
            merge = Merge.objects.get(pk=self.merges[round].pk)
            places = list(Placement.objects.filter(learner_id__in=[survivor, absorbed]).order_by("pk").values_list("learner_id", "valid"))
            into = Person.objects.get(pk=absorbed).merged_into_id
            entries = sorted(Entry.objects.filter(person_id=survivor, act__startswith="people.").values_list("act", flat=True))
            moves = MergeMove.objects.filter(merge=merge).count()
        apart = [(survivor, date(2025, 9, 5)), (absorbed, date(2025, 9, 6))]
        seen = [(who, None if valid.isempty else valid.lower) for who, valid in places]
        wanted = {
            "proposed": (apart, None, []),
            "done": ([(survivor, date(2025, 9, 5)), (survivor, None)], survivor, ["people.merge"]),
            "undone": (apart, None, ["people.merge", "people.part"]),
        }.get(merge.state)
        if wanted is None:
            return [f"the merge was left {merge.state}"]
        wrong = [f"{merge.state}: {seen} {into} {entries}"] if (seen, into, entries) != wanted else []
        if (moves == 0) != (merge.state == "proposed"):
            wrong.append(f"{merge.state} with {moves} moves")
        if "parted" in acknowledged and merge.state != "undone":
            wrong.append("said to be apart and is not")
        if "merged" in acknowledged and merge.state == "proposed":
            wrong.append("said to be merged and is not")
        return wrong

    def check_whole(self, round: int) -> list[str]:
        with scope.everything():
            state = Merge.objects.get(pk=self.merges[round].pk).state
        return [] if state == "undone" else [f"never finished: {state}"]


class MergesInTwo(Merging):
    """Broken: the file is absorbed in one transaction and its rows follow in another."""

    name = "merging in two transactions"

    def act(self, round: int, acknowledge: crash.Acknowledge) -> None:
        survivor, absorbed = self.people[round]
        with scope.everything():
            Person.objects.filter(pk=absorbed).update(merged_into_id=survivor)
        services.faults.hit("people.merge.after_lock")
        super().act(round, acknowledge)


@pytest.mark.alone
def test_merging_survives_every_kill(fresh_database):
    report = crash.survives(Merging(), chances=1)
    assert report.faults == []
    assert report.points >= {
        "people.merge.after_lock", "people.merge.after_cut", "people.merge.after_move", "people.merge.after_person", "people.merge.before_commit",
        "people.undo.after_lock", "people.undo.after_move", "people.undo.before_commit",
    }  # fmt: skip


@pytest.mark.alone
def test_the_harness_sees_a_merge_in_two_halves(fresh_database):
    report = crash.survives(MergesInTwo(), chances=0, only={"people.merge.after_lock"})
    assert report.faults
