"""What changed since a receiver last answered: hashes of all records beside what it holds, by one staging table and sets.

Bytes of an unchanged record are made, hashed and forgotten; nothing is written for it. Only what differs is put into
the queue, with a higher version: NEW, UPDATE, or CANCEL for what is no longer there.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import connection

from khue.gateway.sync import records
from khue.gateway.sync.models import RECORD_ID, SyncChannel
from khue.kernel import faults
from khue.province.periods import vault
from khue.province.periods.records import SchoolRecords

SHORT = {"preschool": "mn", "primary": "th", "lower_secondary": "thcs", "upper_secondary": "thpt", "continuing": "gdtx"}

_STAGE = """
create temporary table sync_staged (n int, record_id text collate "C", school_id bigint, sha256 bytea) on commit drop
"""
_CHANGED = """
select s.n, case when d.record_id is null or d.is_cancelled then 'NEW' else 'UPDATE' end,
       greatest(coalesce(d.version, 0), coalesce(q.sent_version, 0)) + 1
  from sync_staged s
  left join sync_deliveredrecord d on d.channel_id = %(channel)s and d.record_id = s.record_id
  left join sync_queuedrecord q on q.channel_id = %(channel)s and q.record_id = s.record_id
 where case when q.id is not null then q.sha256 when d.is_cancelled then null else d.sha256 end is distinct from s.sha256
"""
_QUEUE = """
insert into sync_queuedrecord (uid, version, changed_at, channel_id, record_id, school_id, level, object, key, event, sent_version, sha256, body,
       noticed_at, state, attempts, next_try_at, code, message)
select gen_random_uuid(), 1, now(), %(channel)s, n.record_id, n.school_id, n.level, n.object, n.key, n.event, n.sent_version, n.sha256, n.body,
       %(now)s, 'waiting', 0, %(now)s, '', ''
  from unnest(%(ids)s::text[], %(schools)s::bigint[], %(levels)s::text[], %(objects)s::text[], %(keys)s::text[], %(events)s::text[],
              %(versions)s::int[], %(hashes)s::bytea[], %(bodies)s::bytea[])
       as n(record_id, school_id, level, object, key, event, sent_version, sha256, body)
    on conflict (channel_id, record_id) do update
   set school_id = excluded.school_id, level = excluded.level, object = excluded.object, key = excluded.key, event = excluded.event, sent_version = excluded.sent_version, sha256 = excluded.sha256, body = excluded.body,
       noticed_at = excluded.noticed_at, state = 'waiting', attempts = 0, next_try_at = excluded.next_try_at, code = '', message = ''
"""
_GONE = """
with gone as (
  select coalesce(q.record_id, d.record_id) as record_id, coalesce(q.school_id, d.school_id) as school_id,
         coalesce(q.level, '') as level, coalesce(q.object, d.object) as object, coalesce(q.key, '') as key,
         greatest(coalesce(d.version, 0), coalesce(q.sent_version, 0)) + 1 as sent_version
    from (select * from sync_deliveredrecord where channel_id = %(channel)s and school_id = any(%(schools)s) and not is_cancelled) d
    full join (select * from sync_queuedrecord where channel_id = %(channel)s and school_id = any(%(schools)s)) q on q.record_id = d.record_id
   where coalesce(q.event, '') <> 'CANCEL'
     and not exists (select 1 from sync_staged s where s.record_id = coalesce(q.record_id, d.record_id))
)
insert into sync_queuedrecord (uid, version, changed_at, channel_id, record_id, school_id, level, object, key, event, sent_version, sha256, body,
       noticed_at, state, attempts, next_try_at, code, message)
select gen_random_uuid(), 1, now(), %(channel)s, record_id, school_id, level, object, key, 'CANCEL', sent_version, null, null,
       %(now)s, 'waiting', 0, %(now)s, '', '' from gone
    on conflict (channel_id, record_id) do update
   set event = 'CANCEL', sent_version = excluded.sent_version, sha256 = null, body = null, noticed_at = excluded.noticed_at, state = 'waiting',
       attempts = 0, next_try_at = excluded.next_try_at, code = '', message = ''
"""


class Staged(NamedTuple):
    """One record as it is today: the name receivers know it by, and its hash."""

    record_id: str
    school_id: int
    level: str
    object: str
    key: str
    sha256: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Planned:
    """What a look over some schools found: records by NEW, UPDATE, CANCEL, unchanged, faulty."""

    counts: Counter[str]


def record_id(school_code: str, level: str, object_: str, key: str) -> str:
    """Return IdBanGhi: school, level, object, key; a long key ends in its hash. The same for ever for the same record."""
    name = ":".join((school_code, SHORT.get(level, level), object_, key))
    if len(name) <= RECORD_ID:
        return name
    return name[: RECORD_ID - 33] + "~" + hashlib.sha256(name.encode()).hexdigest()[:32]


def staged(found: SchoolRecords) -> list[Staged]:
    """Return a school's records with their names and hashes."""
    return [
        Staged(record_id(found.code, line.level, line.object, line.key), found.school_id, line.level, line.object, line.key,
               hashlib.sha256(line.body).digest(), line.body)
        for line in found.lines
    ]  # fmt: skip


def plan(channel: SyncChannel, ids: Sequence[int], *, school_year: int, day: date, now: datetime) -> Planned:
    """Put what changed in these schools into the channel's queue, in the caller's transaction."""
    rows: list[Staged] = []
    faulty = 0
    for found in records.read(ids, school_year, day, channel.levels, channel.objects_sent):
        rows += staged(found)
        faulty += sum(found.faults.values())
    counts = compare(channel, rows, ids, now=now)
    counts["faults"] = faulty
    return Planned(counts)


def compare(channel: SyncChannel, rows: Sequence[Staged], ids: Sequence[int], *, now: datetime) -> Counter[str]:
    """Set the records of some schools beside what the receiver holds and queue the differences: see `plan`."""
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        with cursor.copy("copy sync_staged (n, record_id, school_id, sha256) from stdin with (format binary)") as sink:  # type: ignore[attr-defined]
            sink.set_types(["int4", "text", "int8", "bytea"])
            for n, row in enumerate(rows):
                sink.write_row((n, row.record_id, row.school_id, row.sha256))
        cursor.execute("analyze sync_staged")
        faults.hit("sync.plan.after_stage")
        cursor.execute(_CHANGED, {"channel": channel.pk})
        changed = cursor.fetchall()
        counts = Counter(event for _n, event, _version in changed)
        if changed:
            cursor.execute(_QUEUE, {"channel": channel.pk, "now": now, **_columns(rows, changed)})
        cursor.execute(_GONE, {"channel": channel.pk, "schools": list(ids), "now": now})
        counts["CANCEL"] = cursor.rowcount
        cursor.execute("drop table sync_staged")
    counts["unchanged"] = len(rows) - len(changed)
    faults.hit("sync.plan.after_queue")
    return counts


def _columns(rows: Sequence[Staged], changed: Sequence[tuple[int, str, int]]) -> dict[str, list[Any]]:
    chosen = [rows[n] for n, _event, _version in changed]
    return {
        "ids": [row.record_id for row in chosen], "schools": [row.school_id for row in chosen], "levels": [row.level for row in chosen],
        "objects": [row.object for row in chosen], "keys": [row.key for row in chosen], "events": [event for _n, event, _v in changed],
        "versions": [version for _n, _event, version in changed], "hashes": [row.sha256 for row in chosen],
        "bodies": [vault.put(row.body, level=1) for row in chosen],
    }  # fmt: skip
