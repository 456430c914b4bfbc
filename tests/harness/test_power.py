"""A power cut in the middle of an import, a merge, a reform, a freeze and a sync loses nothing that was acknowledged and leaves nothing half.

And the same asked twice at once does it once.
"""

from __future__ import annotations

import contextlib
import os
import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
from django.db import connections
from django.utils import timezone

from khue.gateway.exchange import services as imports
from khue.gateway.sync import work as sync_work
from khue.gateway.sync.receiver import Receiver
from khue.kernel import files, jobs
from khue.kernel.database import scope
from khue.kernel.permissions import system_actor
from khue.province.periods import freezing
from khue.province.periods.models import ReportPeriod, SchoolSnapshot, Submission
from tests import factories
from tests.gateway.exchange import books
from tests.gateway.sync.conftest import channel, keys, other_end, papers  # noqa: F401 - fixtures
from tests.gateway.sync.test_crashes import Turn
from tests.harness import crash, flows, power
from tests.province.periods.conftest import Ground, make
from tests.province.periods.test_crashes import Freeze
from tests.register.orgs.test_reform_crashes import Carry
from tests.register.people.test_merge_crashes import Merging


@pytest.fixture
def plugged(databases, django_db_blocker):
    """`with plugged() as mains`: the cluster, for the process that runs the test and not the one that started it."""

    @contextlib.contextmanager
    def opened():
        with contextlib.closing(power.Mains(databases)) as mains, django_db_blocker.unblock():
            yield mains

    return opened


@dataclass
class Given:
    """What the acts work on: a folder, the receiver at the other end, and three schools made once."""

    folder: Path
    receiver: Receiver

    @cached_property
    def ground(self) -> Ground:
        with scope.opened(everything=True):
            return make(size=1)


def _turn(given: Given) -> Turn:
    with scope.opened(everything=True):
        given.ground  # noqa: B018 - the schools first: the turn sends them
        held = channel(given.receiver, batch_size=5)
        job = jobs.start(sync_work.TURN, actor=system_actor("test"), title="x", at=timezone.now(), parameters={"channel": held.pk, "school_year": 2025})
    jobs.run(job.pk, clock=timezone.now)
    return Turn(given.ground, held, given.receiver)


FLOWS = {
    "sync": _turn,
    "freeze": lambda given: Freeze(given.ground),
    "import": lambda given: flows.Sheet(given.folder),
    "merge": lambda given: Merging(),
    "schools": lambda given: flows.Schools(),
    "reform": lambda given: Carry(),
}
"""In this order they share a database: those that count every school come first."""


@pytest.mark.alone
def test_a_power_cut_loses_nothing_and_leaves_nothing_half(plugged, tmp_path, keys, other_end):  # noqa: F811
    with plugged() as mains:
        assert mains.settings() == power.KEPT
        with mains.database("khue_power") as database:
            given = Given(tmp_path, other_end)
            for seed, (name, made) in enumerate(FLOWS.items(), start=1):
                report = power.survives(made(given), mains, name=database, points=1, chances=1, seed=seed)
                assert report.faults == [], name
                assert sum(report.killed_at.values()) == 2 and report.killed_by_chance == 1, (name, report)


class Unkept(flows.Schools):
    """Broken: it commits without waiting for the disk and says that it is done."""

    name = "says done before the disk has it"

    def act(self, round: int, acknowledge: crash.Acknowledge) -> None:
        from django.db import connection

        connection.cursor().execute("set synchronous_commit = off")
        super().act(round, acknowledge)


@pytest.mark.alone
def test_the_harness_sees_what_was_never_on_the_disk(plugged):
    with plugged() as mains, mains.lazy(), mains.database("khue_power_unkept") as database:
        report = power.survives(Unkept(), mains, name=database, points=0, chances=0)
    assert any("acknowledged and not done" in fault for fault in report.faults), report


@pytest.mark.alone
def test_merging_schools_survives_every_kill_and_the_harness_sees_it_done_by_parts(fresh_database):
    report = crash.survives(flows.Schools(), chances=1, times=1)
    assert report.faults == []
    assert report.points >= {"schooling.merge.after_learners", "schooling.merge.after_posts", "schooling.merge.after_units"}
    report = crash.survives(flows.MergesByParts(), chances=0, only={"schooling.merge.after_posts"})
    assert any("ended: False, but" in fault for fault in report.faults), report.faults


# -- what is on the disk before a commit ------------------------------------------------------------------------


def test_files_are_on_the_disk_before_the_commit_that_shows_them(fresh_database, tmp_path, settings, keys):  # noqa: F811
    settings.KHUE_FILES = str(tmp_path / "files")
    watch = power.Durable(Path(settings.KHUE_FILES))
    with scope.everything():
        ground = make(size=1)
        period = ground.open(kind="ad_hoc", name="Kỳ")
        here = ground.schools[0]
    path = tmp_path / "hs.xlsx"
    path.write_bytes(books.xlsx(books.learners(3)))
    with watch.watching():
        imports.import_file(ground.actor("clerk0"), here, "learners", path, now=factories.NOW, school_year=factories.YEAR)
        with scope.everything():
            job = freezing.queue(ReportPeriod.objects.get(pk=period.pk), actor=ground.officer, now=timezone.now())
        jobs.run(job.pk, clock=timezone.now)
    assert watch.faults == [] and watch.stored >= 2 and watch.commits > 3
    with scope.everything():
        assert SchoolSnapshot.objects.filter(period=period).count() == 3


@pytest.mark.parametrize("broken", ["content", "folder", "parents"])
def test_the_watch_sees_what_is_not_on_the_disk(broken, tmp_path, settings, db, monkeypatch):
    from django.db import connection, transaction

    settings.KHUE_FILES = str(tmp_path / "files")
    watch, real = power.Durable(tmp_path / "files"), os.fsync

    def forgets(handle: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{handle}"))
        skipped = {"content": path.name.startswith("."), "folder": path.is_dir() and path != tmp_path / "files", "parents": path == tmp_path / "files"}
        if not skipped[broken]:
            real(handle)
            watching(handle)

    with watch.watching(), transaction.atomic():
        watching = os.fsync
        monkeypatch.setattr(os, "fsync", forgets)
        files.write(broken.encode())
        monkeypatch.undo()
        type(connection).commit(connection) if not connection.in_atomic_block else watch._commit(lambda _: None)(connection)
    assert watch.faults, broken


# -- twice at once ----------------------------------------------------------------------------------------------


def at_once(*acts) -> list[BaseException]:
    """Run acts in threads that start together; return what they raised."""
    barrier, raised = threading.Barrier(len(acts)), []

    def run(act) -> None:
        try:
            barrier.wait()
            act()
        except BaseException as error:
            raised.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


@pytest.mark.parametrize("name", list(FLOWS))
def test_the_same_twice_at_once_is_done_once(name, fresh_database, tmp_path, keys, other_end):  # noqa: F811
    flow = FLOWS[name](Given(tmp_path, other_end))
    flow.prepare(0)
    told: list[str] = []
    raised = at_once(*[lambda: flow.act(0, told.append)] * 2)
    assert [error for error in raised if getattr(error, "status", 500) >= 500] == [], name
    assert flow.check(0, told) == [] and told, (name, raised)
    flow.act(0, told.append)  # and once more, when all is done
    assert flow.check(0, told) + flow.check_whole(0) == []


def test_the_same_file_twice_at_once_is_written_once(fresh_database, tmp_path):
    flow = flows.Sheet(tmp_path)
    flow.prepare(0)
    group, first = flow.held[0]
    with scope.everything():
        clerk = factories.actor_of(factories.account("clerk", group.school))
    second = imports.import_file(clerk, group.school, "learners", tmp_path / "hs0.xlsx", now=factories.NOW, school_year=factories.YEAR, apply=False).batch
    with scope.everything():
        again = imports.start_apply(actor=clerk, uid=second.uid, now=factories.NOW).pk
    raised = at_once(lambda: jobs.run(flow.jobs[0], clock=lambda: factories.NOW), lambda: jobs.run(again, clock=lambda: factories.NOW))
    assert raised == [] and flow.count(0)[:2] == (flows.ROWS, flows.ROWS)


def test_a_period_frozen_twice_at_once_has_one_snapshot_a_school(fresh_database, tmp_path, keys):  # noqa: F811
    flow = Freeze(Given(tmp_path, None).ground)
    flow.prepare(0)
    with scope.everything():
        queued = [freezing.queue(ReportPeriod.objects.get(pk=flow.periods[0]), actor=flow.ground.officer, now=timezone.now()).pk for _n in range(2)]
    raised = at_once(*[lambda pk=pk: jobs.run(pk, clock=timezone.now) for pk in queued])
    assert [error for error in raised if getattr(error, "status", 500) >= 500] == []
    with scope.everything():
        assert Submission.objects.filter(period_id=flow.periods[0]).count() == 3 == SchoolSnapshot.objects.filter(period_id=flow.periods[0]).count()
    assert flow.check_whole(0) == []
