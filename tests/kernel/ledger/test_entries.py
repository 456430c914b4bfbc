"""Entries in the database: what one act costs, who may write and see, and that heads never fork."""

from __future__ import annotations

import threading
from datetime import datetime
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from khue.kernel import ledger
from khue.kernel.database import scope
from khue.kernel.ledger.models import Chain, Entry
from khue.kernel.permissions import system_actor

from .conftest import TEACHER


@pytest.fixture
def chain(everything: None) -> Chain:
    return ledger.chain_for("rights", school_id=11)


def add(row: Any, now: datetime, value: int = 1, **how: Any) -> Entry:
    return ledger.append(row, act="test.thing.set", body={"value": value}, actor=TEACHER, at=now, **how)


def test_an_entry_continues_its_chain_and_moves_the_head(chain: Chain, now: datetime) -> None:
    first, second = add(chain, now, 1), add(chain, now, 2)
    stored = ledger.history(chain)
    assert [(e.sequence, bytes(e.previous), bytes(e.hash)) for e in stored] == [
        (1, bytes(32), first.hash),
        (2, first.hash, second.hash),
    ]
    assert stored[1].document == {
        "actor": {"account": 7, "grant": 70, "role": "subject_teacher"},
        "data": {"value": 2},
    }
    assert (stored[0].school_id, stored[0].school_year) == (11, 2025)
    chain.refresh_from_db()
    assert (chain.ledger_seq, bytes(chain.ledger_head)) == (2, second.hash)


def test_one_act_costs_one_statement(chain: Chain, now: datetime, counted: Any) -> None:
    with counted() as count:
        add(chain, now)
    assert count.total == 1


def test_many_entries_cost_two_statements_whatever_their_number(
    everything: None, now: datetime, counted: Any
) -> None:
    rows = [ledger.chain_for(f"many{number}", school_id=11) for number in range(30)]
    drafts = [ledger.Draft(rows[n % 30], "test.thing.set", {"value": n}, person_id=n) for n in range(90)]
    with counted() as count:
        made = ledger.append_many(drafts, actor=TEACHER, at=now)
    assert (count.total, len(made)) == (2, 90)
    for row in rows:
        entries = ledger.history(row)
        assert [e.sequence for e in entries] == [1, 2, 3]
        assert bytes(entries[1].previous) == bytes(entries[0].hash)
        fresh = Chain.objects.get(pk=row.pk)
        assert (fresh.ledger_seq, bytes(fresh.ledger_head)) == (3, bytes(entries[2].hash))
    assert ledger.append_many([], actor=TEACHER, at=now) == []


def test_the_head_may_ride_on_the_callers_own_save(chain: Chain, now: datetime) -> None:
    entry = add(chain, now, save=False)
    assert Chain.objects.get(pk=chain.pk).ledger_seq == 0
    chain.save(update_fields=["ledger_seq", "ledger_head"])
    fresh = Chain.objects.get(pk=chain.pk)
    assert (fresh.ledger_seq, bytes(fresh.ledger_head)) == (1, entry.hash)


def test_a_row_read_before_its_lock_is_refused(chain: Chain, now: datetime) -> None:
    stale = Chain.objects.get(pk=chain.pk)
    add(chain, now)
    with pytest.raises(ledger.HeadMoved):
        add(stale, now)
    stale.refresh_from_db()
    stale.ledger_seq -= 1
    with pytest.raises(ledger.HeadMoved), transaction.atomic():
        ledger.append_many([ledger.Draft(stale, "test.thing.set", 1)], actor=TEACHER, at=now)
    assert len(ledger.history(chain)) == 1


def test_a_float_is_refused_before_anything_is_written(chain: Chain, now: datetime) -> None:
    from khue.kernel.ledger.canonical import NotCanonical

    with pytest.raises(NotCanonical):
        ledger.append(chain, act="test.thing.set", body={"mark": 8.5}, actor=TEACHER, at=now)
    assert ledger.history(chain) == []


def test_the_platform_itself_is_named_by_its_part(chain: Chain, now: datetime) -> None:
    actor = system_actor("job:gradebook.close_term")
    entry = ledger.append(chain, act="test.thing.set", body=None, actor=actor, at=now)
    assert entry.document["actor"] == {"role": "system", "system": "job:gradebook.close_term"}


@pytest.mark.parametrize(
    ("at", "year"),
    [("2025-07-31T16:59:59Z", 2024), ("2025-07-31T17:00:00Z", 2025), ("2026-06-01T00:00:00Z", 2025)],
)
def test_entries_without_a_school_year_fall_into_that_of_vietnams_date(
    chain: Chain, at: str, year: int
) -> None:
    assert add(chain, datetime.fromisoformat(at)).school_year == year


@pytest.mark.parametrize(
    "statement",
    [
        "update ledger_entry set act = 'x'",
        "delete from ledger_entry",
        "truncate ledger_entry",
        "update ledger_entry_2025 set act = 'x'",
        "delete from ledger_entry_2025",
        "truncate ledger_entry_2025",
        "insert into ledger_entry_2025 select * from ledger_entry limit 1",
        "alter table ledger_entry disable trigger all",
        "drop table ledger_entry_2025",
        "update ledger_checkpoint set at = now()",
        "delete from ledger_checkpoint",
        "update ledger_receipt set witness = 'x'",
        "delete from ledger_chain",
        "update ledger_chain set chain_key = 'x'",
    ],
)
def test_the_application_cannot_change_what_was_written(chain: Chain, now: datetime, statement: str) -> None:
    add(chain, now)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert len(ledger.history(chain)) == 1


@pytest.mark.parametrize(
    "statement",
    ["update ledger_entry set act = 'x'", "delete from ledger_entry_2025", "truncate ledger_entry",
     "truncate ledger_entry_2025", "truncate ledger_checkpoint cascade"],
)  # fmt: skip
def test_not_even_the_owner_does_by_mistake(
    book: Any, databases: Any, fresh_database: str, statement: str
) -> None:
    with databases.connect("khue_owner", fresh_database) as owner, pytest.raises(psycopg.Error):
        owner.execute(statement)


def test_entries_are_seen_in_their_school_and_by_whom_they_are_about(chain: Chain, now: datetime) -> None:
    add(chain, now, person_id=5)
    for schools, people, seen in (({11}, (), 1), ({12}, (), 0), ((), {5}, 1), ((), {6}, 0), ((), (), 0)):
        with scope.opened(schools=schools, people=people):
            assert Entry.objects.count() == seen


def test_a_school_cannot_write_into_the_chain_of_another(chain: Chain, now: datetime) -> None:
    with pytest.raises(ledger.HeadMoved), scope.opened(schools={12}):  # the row is not to be seen there
        add(chain, now)
    with pytest.raises(DatabaseError), scope.opened(schools={12}):
        add(chain, now, save=False)
    with pytest.raises(DatabaseError), scope.opened(schools={12}):
        ledger.chain_for("rights")


def test_thirty_writers_of_one_chain_make_one_chain(fresh_database: str, now: datetime) -> None:
    failed: list[BaseException] = []

    def write() -> None:
        try:
            for value in range(5):
                with scope.everything():
                    add(ledger.chain_for("rights", school_id=11), now, value)
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with scope.everything():
        chain = ledger.chain_for("rights", school_id=11)
        entries = ledger.history(chain)
        assert [e.sequence for e in entries] == list(range(1, 151))
        assert all(bytes(b.previous) == bytes(a.hash) for a, b in pairwise(entries))
        assert bytes(chain.ledger_head) == bytes(entries[-1].hash)
