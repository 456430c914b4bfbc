"""Freezing, signing and freezing again survive a kill at every point: nothing half, nothing twice."""

from __future__ import annotations

import pytest
from django.utils import timezone

from khue.kernel import jobs
from khue.kernel.database import scope
from khue.kernel.ledger.models import Entry
from khue.province.periods import freezing, services, verifying
from khue.province.periods.models import ReportPeriod, SchoolSnapshot, Submission
from tests.harness import crash
from tests.province.periods import conftest


class Freeze:
    """Freezing a period of three schools, one school a step."""

    name = "freezing"

    def __init__(self, ground):
        self.ground = ground
        self.periods: dict[int, int] = {}

    def prepare(self, round: int) -> None:
        with scope.opened(everything=True):
            self.periods[round] = self.ground.open(kind="ad_hoc", name=f"Kỳ {round}").pk

    def act(self, round: int, acknowledge: crash.Acknowledge) -> None:
        freezing.SCHOOLS_A_STEP = 1
        with scope.opened(everything=True):
            job = freezing.queue(ReportPeriod.objects.get(pk=self.periods[round]), actor=self.ground.officer, now=timezone.now())
        jobs.run(job.pk, clock=timezone.now)
        acknowledge("done")

    def check(self, round: int, acknowledged: list[str]) -> list[str]:
        with scope.opened(everything=True):
            held = Submission.objects.filter(period_id=self.periods[round])
            chains = {f"periods_submission:{one.uid}" for one in held}
            wrong = []
            if SchoolSnapshot.objects.filter(period_id=self.periods[round]).count() != len(held):
                wrong.append("snapshots and submissions differ")
            if set(Entry.objects.filter(chain__in=chains, act="periods.freeze").values_list("chain", flat=True)) != chains:
                wrong.append("a submission without its ledger entry")
            if "done" in acknowledged and len(held) != 3:
                wrong.append(f"acknowledged with {len(held)} schools")
        return wrong

    def check_whole(self, round: int) -> list[str]:
        with scope.opened(everything=True):
            period = ReportPeriod.objects.get(pk=self.periods[round])
            wrong = [] if period.state == "frozen" else [f"the period is {period.state}"]
            return wrong + verifying.verify(period).faults


class FreezesTwice(Freeze):
    """Broken: a school's snapshot is taken without asking whether it is there."""

    name = "freezes without looking"

    def act(self, round: int, acknowledge: crash.Acknowledge) -> None:
        with scope.opened(everything=True):
            period = ReportPeriod.objects.get(pk=self.periods[round])
        for pk in [one.pk for one in self.ground.schools]:
            with scope.opened(everything=True):
                freezing.take(period, [pk], actor=self.ground.officer, now=timezone.now())
            freezing.faults.hit("periods.freeze.before_commit")
        acknowledge("done")

    def check_whole(self, round: int) -> list[str]:
        with scope.opened(everything=True):
            return [] if ReportPeriod.objects.get(pk=self.periods[round]).state == "frozen" else ["never finished"]


@pytest.fixture
def committed(fresh_database, keys):
    with scope.opened(everything=True):
        return conftest.make(size=1)


@pytest.mark.alone
def test_freezing_survives_every_kill(committed):
    report = crash.survives(Freeze(committed), chances=2, times=2)
    assert report.faults == []
    assert report.points >= {"periods.freeze.after_read", "periods.freeze.after_snapshots", "periods.freeze.before_commit", "periods.freeze.after_root"}


@pytest.mark.alone
def test_the_harness_sees_a_freezing_that_never_ends(committed):
    report = crash.survives(FreezesTwice(committed), chances=0, only={"periods.freeze.before_commit"})
    assert any("never finished" in fault for fault in report.faults)


class Sign:
    """A head's approval signs two snapshots."""

    name = "signing"

    def __init__(self, ground):
        self.ground = ground
        self.jobs: dict[int, int] = {}
        self.held: dict[int, list[int]] = {}

    def prepare(self, round: int) -> None:
        with scope.opened(everything=True):
            periods = [self.ground.open(kind="ad_hoc", name=f"Kỳ {round} {n}") for n in range(2)]
            for period in periods:
                ReportPeriod.objects.filter(pk=period.pk).update(state="freezing")
                freezing.take(period, [self.ground.schools[0].pk], actor=self.ground.officer, now=timezone.now())
            held = [self.ground.submission(period) for period in periods]
            approval = services.approve(actor=self.ground.actor("head0"), documents=[(str(one.uid), one.snapshot.sha256) for one in held], now=timezone.now())
            self.jobs[round], self.held[round] = approval.job_id, [one.pk for one in held]

    def act(self, round: int, acknowledge: crash.Acknowledge) -> None:
        jobs.run(self.jobs[round], clock=timezone.now)
        acknowledge("done")

    def check(self, round: int, acknowledged: list[str]) -> list[str]:
        wrong = []
        with scope.opened(everything=True):
            for one in Submission.objects.filter(pk__in=self.held[round]):
                signatures = one.signatures.count()
                entries = Entry.objects.filter(chain=f"periods_submission:{one.uid}", act="periods.sign").count()
                if signatures != entries or signatures != (one.state == "checking"):
                    wrong.append(f"{signatures} signatures, {entries} entries, {one.state}")
                if "done" in acknowledged and signatures != 1:
                    wrong.append("acknowledged and not signed")
        return wrong

    def check_whole(self, round: int) -> list[str]:
        with scope.opened(everything=True):
            return [] if Submission.objects.filter(pk__in=self.held[round], state="checking").count() == 2 else ["not all signed"]


@pytest.mark.alone
def test_signing_survives_every_kill(committed):
    report = crash.survives(Sign(committed), chances=1, times=1)
    assert report.faults == []
    assert report.points >= {"periods.sign.after_signing", "periods.sign.before_commit", "periods.sign.before_progress"}
