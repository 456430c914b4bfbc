"""Writing entries: one statement an act, in the transaction and under the row lock of the caller."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db import connection
from django.utils.translation import gettext_lazy as _

from khue.kernel.errors import DomainError
from khue.kernel.ledger import canonical
from khue.kernel.ledger.chain import entry_hash
from khue.kernel.ledger.models import Chain, Entry
from khue.kernel.permissions.actors import Actor

VIETNAM = timedelta(hours=7)
YEAR_BEGINS = 8
"""Entries whose row has no school year belong to the one of their moment; it begins in August here."""


class HeadMoved(DomainError):
    """The chain's head is not where the caller read it: the row was not locked, or read before the lock."""

    code, status = "ledger.head-moved", 503
    title = _("Hệ thống đang bận ở đúng chỗ này.")
    advice = _("Hãy bấm lại sau vài giây; nội dung đã nhập vẫn còn.")


class ChainRow(Protocol):
    """A locked row that heads a chain: see `models.Chained`."""

    pk: Any
    ledger_seq: int
    ledger_head: bytes | memoryview


@dataclass(frozen=True, slots=True)
class Draft:
    """One entry to write with `append_many`; arguments as of `append`."""

    row: Any
    act: str
    body: Any
    person_id: int | None = None


def chain_key(row: Any) -> str:
    """Return the key of the chain a row heads."""
    if isinstance(row, Chain):
        return row.chain_key
    return f"{row._meta.db_table}:{row.uid}"


def chain_for(name: str, *, school_id: int | None = None) -> Chain:
    """Return the locked chain `name` of one school, or of the whole installation; made when it is new.

    name  lower-case, stable: rights, exports, regulations. Row-level security lets only the scope of the
          school, or system scope for the installation's own, write into it.
    """
    key = name if school_id is None else f"{name}:school-{school_id}"
    Chain.objects.bulk_create([Chain(chain_key=key, school_id=school_id)], ignore_conflicts=True)
    return Chain.objects.select_for_update(of=("self",)).get(chain_key=key)


def actor_reference(actor: Actor) -> dict[str, Any]:
    """Return how entries name an actor: account, role and grant, or the part of the platform that acts."""
    if actor.account_id is None:
        return {"role": actor.role, "system": actor.name}
    return {"account": actor.account_id, "grant": actor.grant_id, "role": actor.role}


def append(
    row: Any,
    *,
    act: str,
    body: Any,
    actor: Actor,
    at: datetime,
    person_id: int | None = None,
    save: bool = True,
) -> Entry:
    """Add one entry to the chain that the locked `row` heads, and move the head.

    act        stable: app.thing.verb
    body       what changed, before and after, as values with a canonical form; marks in tenths, no names
    person_id  the person it is about, who may see the entry with her guardians
    save       False leaves writing the row's ledger_seq and ledger_head to the caller's own UPDATE

    Costs one statement. Raises HeadMoved when the row was not read under its lock, NotCanonical for a
    body without a canonical form.
    """
    entry = _next(Draft(row, act, body, person_id), actor_reference(actor), at, canonical.moment(at))
    values, digest, before = _values(entry), bytes(entry.hash), bytes(entry.previous)
    insert = f"insert into ledger_entry ({', '.join(COLUMNS)}) values ({', '.join(['%s'] * len(COLUMNS))})"
    with connection.cursor() as cursor:
        if not save:
            cursor.execute(insert, values)
        else:
            table = connection.ops.quote_name(row._meta.db_table)
            cursor.execute(
                f"with moved as (update {table} set ledger_seq = %s, ledger_head = %s"
                " where id = %s and ledger_seq = %s and ledger_head = %s returning id)"
                f" insert into ledger_entry ({', '.join(COLUMNS)})"
                f" select {', '.join(['%s'] * len(COLUMNS))} from moved",
                [entry.sequence, digest, row.pk, row.ledger_seq, before, *values],
            )
        if cursor.rowcount != 1:
            raise HeadMoved(chain=entry.chain)
    row.ledger_seq, row.ledger_head = entry.sequence, entry.hash
    return entry


def append_many(drafts: Iterable[Draft], *, actor: Actor, at: datetime, save: bool = True) -> list[Entry]:
    """Add many entries, to one chain or to many, in two statements and one more for each table of heads.

    The rows of the drafts are locked by the caller; drafts of the same row are chained in their order.
    Raises as `append`.
    """
    entries: list[Entry] = []
    reference, moment = actor_reference(actor), canonical.moment(at)
    rows: dict[int, tuple[Any, int, bytes]] = {}
    for draft in drafts:
        row = draft.row
        rows.setdefault(id(row), (row, row.ledger_seq, bytes(row.ledger_head)))
        entry = _next(draft, reference, at, moment)
        row.ledger_seq, row.ledger_head = entry.sequence, entry.hash
        entries.append(entry)
    if entries:
        if save:
            _move_heads(list(rows.values()))
        _insert(entries)
    return entries


COLUMNS = (
    "school_year", "chain", "sequence", "previous", "act", "body", "at", "hash", "school_id", "person_id",
)  # fmt: skip
TYPES = ("int2", "text", "int4", "bytea", "text", "bytea", "timestamptz", "bytea", "int8", "int8")


def _next(draft: Draft, reference: dict[str, Any], at: datetime, moment: str) -> Entry:
    """Return the entry that follows the head of the draft's row; nothing is written."""
    row, key = draft.row, chain_key(draft.row)
    body = canonical.encode({"actor": reference, "data": draft.body})
    previous, sequence = bytes(row.ledger_head), row.ledger_seq + 1
    digest = entry_hash(
        chain=key, sequence=sequence, previous=previous, act=draft.act, body=body, at=moment
    )
    return Entry(
        school_year=getattr(row, "school_year", None) or _school_year(at),
        chain=key,
        sequence=sequence,
        previous=previous,
        act=draft.act,
        body=body,
        at=at,
        hash=digest,
        school_id=getattr(row, "school_id", None),
        person_id=draft.person_id,
    )


def _school_year(at: datetime) -> int:
    local = at + VIETNAM - (at.utcoffset() or timedelta())
    return local.year if local.month >= YEAR_BEGINS else local.year - 1


def _values(entry: Entry) -> list[Any]:
    return [getattr(entry, column) for column in COLUMNS]


def _insert(entries: Sequence[Entry]) -> None:
    arrays = [list(column) for column in zip(*(_values(entry) for entry in entries), strict=True)]
    unnested = ", ".join(f"%s::{kind}[]" for kind in TYPES)
    with connection.cursor() as cursor:
        cursor.execute(
            f"insert into ledger_entry ({', '.join(COLUMNS)}) select * from unnest({unnested})", arrays
        )


def _move_heads(rows: Sequence[tuple[Any, int, bytes]]) -> None:
    """Write the heads of the rows, each only where it still is what the chain was continued from."""
    by_table: dict[str, list[tuple[Any, int, bytes]]] = defaultdict(list)
    for row in rows:
        by_table[row[0]._meta.db_table].append(row)
    with connection.cursor() as cursor:
        for table, moved in by_table.items():
            cursor.execute(
                f"update {connection.ops.quote_name(table)} t set ledger_seq = n.seq, ledger_head = n.head"
                " from unnest(%s::int8[], %s::int4[], %s::bytea[], %s::int4[], %s::bytea[])"
                " as n(id, old_seq, old_head, seq, head)"
                " where t.id = n.id and t.ledger_seq = n.old_seq and t.ledger_head = n.old_head",
                [
                    [row.pk for row, _, _ in moved],
                    [sequence for _, sequence, _ in moved],
                    [head for _, _, head in moved],
                    [row.ledger_seq for row, _, _ in moved],
                    [bytes(row.ledger_head) for row, _, _ in moved],
                ],
            )
            if cursor.rowcount != len(moved):
                raise HeadMoved(table=table)


def history(row: Any) -> list[Entry]:
    """Return the entries of the chain that a row heads, oldest first; rights are asked by the caller."""
    entries = Entry.objects.filter(chain=chain_key(row))
    year = getattr(row, "school_year", None)
    if year is not None:
        entries = entries.filter(school_year=year)
    return list(entries.order_by("sequence"))
