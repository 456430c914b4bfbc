"""Killed at every fault point and at random; two clerks at once; the same order twice. Nothing half, nothing lost."""

from __future__ import annotations

import os
import random
import threading
import traceback
from datetime import datetime

import pytest
from django.db import connection, connections

from khue.gateway.exchange import services, work
from khue.gateway.exchange.models import ImportBatch, ImportRow, State, What
from khue.kernel import faults, jobs
from khue.kernel.database import scope
from khue.register.people.models import Person
from khue.register.schooling.models import Placement
from tests import factories
from tests.gateway.exchange import books

COUNT = 30
POINTS = (
    "exchange.apply.after_read", "exchange.learners.after_people", "exchange.learners.after_places#2", "exchange.apply.after_plan",
    "exchange.apply.after_write#3", "exchange.apply.after_rows", "exchange.apply.before_commit#2", "exchange.apply.after_commit",
    "exchange.apply.before_finish",
)  # fmt: skip


def child(job_id: int, now: datetime, armed: str) -> int:
    """Run a job in a process of its own that may kill itself; return 0, or -9 where it did."""
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        try:
            faults._armed = faults.Armed(armed) if armed else None
            work.UNIT = 8
            jobs.run(job_id, clock=lambda: now)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, -9)
    return code


@pytest.fixture
def prepared(fresh_database, tmp_path, now):
    """A checked batch of thirty learners and its clerk, committed."""
    with scope.opened(everything=True):
        here = factories.school()
        group = factories.class_group(here, name="7A1")
        clerk = factories.actor_of(factories.account("clerk", here))
    path = tmp_path / "hs.xlsx"
    path.write_bytes(books.xlsx(books.learners(COUNT)))
    report = services.import_file(clerk, here, "learners", path, now=now, school_year=factories.YEAR, apply=False)
    assert report.checked[What.NEW] == COUNT
    return here, group, clerk, report.batch


def ordered(clerk, batch, now) -> int:
    with scope.opened(everything=True):
        return services.start_apply(actor=clerk, uid=batch.uid, now=now).pk


def whole_units(group, batch) -> int:
    """Check that what is there is a number of whole units, each with people, places and its way back; return how many rows."""
    with scope.opened(everything=True):
        places = Placement.objects.filter(class_group=group, valid__isempty=False)
        people, rows = Person.objects.filter(placements__in=places).distinct().count(), ImportRow.objects.filter(batch=batch, is_applied=True).count()
        assert places.count() == people == rows and Person.objects.count() == rows
        return rows


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_writing_goes_on_and_ends_whole(prepared, now, point):
    _here, group, clerk, batch = prepared
    job = ordered(clerk, batch, now)
    assert child(job, now, f"kill={point}") == -9
    assert whole_units(group, batch) in (0, 8, 16, 24, COUNT)
    assert child(job, now, "") == 0
    assert whole_units(group, batch) == COUNT
    with scope.opened(everything=True):
        batch.refresh_from_db()
        assert batch.state == State.APPLIED and batch.applied[What.NEW] == COUNT


def test_killed_at_random_until_it_is_done(prepared, now):
    _here, group, clerk, batch = prepared
    job, chance = ordered(clerk, batch, now), random.Random(11)
    for _turn in range(40):
        if child(job, now, f"chance=0.12/{chance.randrange(10**6)}") == 0:
            break
        whole_units(group, batch)
    assert whole_units(group, batch) == COUNT


def test_killed_while_undoing_goes_on(prepared, now):
    _here, _group, clerk, batch = prepared
    assert child(ordered(clerk, batch, now), now, "") == 0
    with scope.opened(everything=True):
        job = services.start_undo(actor=clerk, uid=batch.uid, now=now).pk
    assert child(job, now, "kill=exchange.undo.after_unit#2") == -9
    assert child(job, now, "kill=exchange.undo.after_commit") in (0, -9)
    child(job, now, "")
    with scope.opened(everything=True):
        batch.refresh_from_db()
        assert batch.state == State.UNDONE and batch.applied["undone"] == COUNT
        assert not Placement.objects.filter(valid__isempty=False).exists()


def test_two_clerks_write_the_same_list_at_once(prepared, now, tmp_path):
    here, group, clerk, first = prepared
    path = tmp_path / "cung-mot-lop.xlsx"
    path.write_bytes(books.xlsx(books.learners(COUNT)))
    with scope.opened(everything=True):
        other = factories.actor_of(factories.account("clerk", here))
    second = services.import_file(other, here, "learners", path, now=now, school_year=factories.YEAR, apply=False).batch
    orders = [ordered(clerk, first, now), ordered(other, second, now)]
    failures: list[BaseException] = []

    def write(batch: ImportBatch, actor: object) -> None:
        try:
            services.drive(work.apply, batch.pk, actor, now)
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write, args=pair) for pair in ((first, clerk), (second, other))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and len(set(orders)) == 2
    with scope.opened(everything=True):
        assert Placement.objects.filter(class_group=group).count() == COUNT == Person.objects.count()
        counts = [ImportBatch.objects.get(pk=b.pk).applied for b in (first, second)]
        assert sorted(c.get(What.NEW, 0) for c in counts) == [0, COUNT]


def test_the_same_file_again_writes_no_row_and_next_to_no_wal(prepared, now, tmp_path):
    here, _group, clerk, batch = prepared
    assert child(ordered(clerk, batch, now), now, "") == 0
    path = tmp_path / "hs.xlsx"

    def tuples() -> list[tuple]:
        with connection.cursor() as cursor:
            cursor.execute("select pg_stat_force_next_flush()")
            cursor.execute("select pg_stat_clear_snapshot()")
            cursor.execute(
                "select relname, n_tup_ins, n_tup_upd, n_tup_del from pg_stat_user_tables where relname like any"
                " (array['people_%%', 'schooling_%%', 'staff_%%', 'exchange_importrow']) order by relname"
            )
            return cursor.fetchall()

    def wal() -> int | None:
        """Return what this session wrote so far, where the server says it (PostgreSQL 18 or newer)."""
        if connection.pg_version < 180000:
            return None
        with connection.cursor() as cursor:
            cursor.execute("select pg_stat_force_next_flush()")
            cursor.execute("select wal_bytes from pg_stat_get_backend_wal(pg_backend_pid())")
            return int(cursor.fetchone()[0])

    import time

    time.sleep(1.2)
    before, start = tuples(), wal()
    report = services.import_file(clerk, here, "learners", path, now=now, school_year=factories.YEAR)
    end = wal()
    time.sleep(1.2)
    assert report.checked[What.UNCHANGED] == COUNT and report.applied == {}
    assert tuples() == before
    if start is not None and end is not None:
        assert end - start < 150_000  # the batch itself, its audit rows, the result file's row


def test_conflict_names_the_row(prepared, now, tmp_path):
    here, _group, clerk, batch = prepared
    services_apply = ordered(clerk, batch, now)
    assert child(services_apply, now, "") == 0
    rows = books.learners(COUNT)
    rows[3][8] = "0977000111"
    path = tmp_path / "sua.xlsx"
    path.write_bytes(books.xlsx(rows))
    report = services.import_file(clerk, here, "learners", path, now=now, school_year=factories.YEAR, apply=False)
    with scope.opened(everything=True):
        person = Person.objects.get(phone="0900000002")
        Person.objects.filter(pk=person.pk).update(phone="0933222111")
    ordered(clerk, report.batch, now)
    services.drive(work.apply, report.batch.pk, clerk, now)
    with scope.opened(everything=True):
        row = ImportRow.objects.get(batch=report.batch, number=4)
        assert row.what == What.CONFLICT and row.detail["reasons"][0]["code"] == "moved-meanwhile"
        assert Person.objects.get(pk=person.pk).phone == "0933222111"
