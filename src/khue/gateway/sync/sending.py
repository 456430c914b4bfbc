"""Sending what waits: batches in the order receivers need, per-record answers, back-off, dead letters.

A batch is sent from rows that were committed before and answered in the same transaction that removes them: a kill
between the two sends it again, and the receiver, which ignores a version it has, says so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When
from django.utils import timezone

from khue.gateway.sync import records
from khue.gateway.sync.adapters import ACCEPTED, REFUSED, Adapter, Answer, Outgoing, open_adapter
from khue.gateway.sync.models import DeliveredRecord, QueuedRecord, SyncChannel
from khue.gateway.sync.transport import Denied, Unreachable
from khue.kernel import faults
from khue.province.periods import vault
from khue.register.orgs.models import Unit

MOST_ATTEMPTS = 12
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
DENIED_WAIT = timedelta(hours=1)
_ORDER = Case(*[When(object=name, then=Value(n)) for n, name in enumerate(records.OBJECTS)], default=Value(99), output_field=IntegerField())


def wait(failures: int) -> timedelta:
    """Return how long to wait after so many failures: a minute, doubled each time, six hours at most."""
    return min(FIRST_WAIT * 2 ** min(max(failures - 1, 0), 12), LONGEST_WAIT)


def due(channel: SyncChannel, now: datetime) -> QuerySet[QueuedRecord]:
    """Return the rows of a channel that may go now."""
    return QueuedRecord.objects.filter(channel=channel, state=QueuedRecord.State.WAITING, next_try_at__lte=now)


def send(channel: SyncChannel, *, school_year: int, now: datetime) -> Counter[str] | None:
    """Send one batch in the caller's transaction; returns how it was answered, None where nothing waits or the channel rests.

    What the receiver did not answer stays as it was; the channel rests then, longer each time.
    """
    held = SyncChannel.objects.select_for_update(of=("self",)).get(pk=channel.pk)
    if not held.is_active or (held.paused_until is not None and held.paused_until > now):
        return None
    batch = _batch(held, now)
    if not batch:
        return None
    try:
        with open_adapter(held) as adapter:
            answers = adapter.push(batch[0].object, _outgoing(batch, school_year))
    except (Unreachable, Denied) as error:
        _rest(held, error, now)
        return Counter({"unreachable": len(batch)})
    faults.hit("sync.send.after_answer")
    counts = settle(held, batch, answers, now=now)
    faults.hit("sync.send.before_commit")
    held.failures, held.paused_until, held.last_ok_at, held.last_error = 0, None, now, ""
    held.save(update_fields=["failures", "paused_until", "last_ok_at", "last_error"])
    return counts


def _batch(channel: SyncChannel, now: datetime) -> list[QueuedRecord]:
    """Return the next rows of one object, those receivers need first before others; CANCEL goes the other way round by itself later."""
    first = due(channel, now).annotate(turn=_ORDER).order_by("turn", "id").values_list("object", flat=True).first()
    if first is None:
        return []
    rows = due(channel, now).filter(object=first).select_for_update(skip_locked=True, of=("self",)).order_by("id")
    return list(rows[: channel.batch_size])


def _outgoing(batch: Sequence[QueuedRecord], school_year: int) -> list[Outgoing]:
    codes = dict(Unit.objects.filter(pk__in={row.school_id for row in batch}).values_list("pk", "code"))
    zone = timezone.get_default_timezone()
    return [
        Outgoing(
            row.record_id, row.event, row.sent_version, row.noticed_at.astimezone(zone), row.level, row.object, codes.get(row.school_id, ""), school_year,
            row.key, records.plain(row.level, row.object, vault.get(row.body, sha256=bytes(row.sha256).hex())) if row.body and row.sha256 else {},
        )
        for row in batch
    ]  # fmt: skip


def _rest(channel: SyncChannel, error: Exception, now: datetime) -> None:
    channel.failures += 1
    channel.paused_until = now + (DENIED_WAIT if isinstance(error, Denied) else wait(channel.failures))
    channel.last_error = f"{type(error).__name__.lower()}: {error}"[:300]
    channel.save(update_fields=["failures", "paused_until", "last_error"])


_TAKEN = """
insert into sync_deliveredrecord (channel_id, record_id, school_id, object, sha256, version, is_cancelled, code, answered_at)
select q.channel_id, q.record_id, q.school_id, q.object, coalesce(q.sha256, ''::bytea), q.sent_version, q.event = 'CANCEL', n.code, %(now)s
  from unnest(%(ids)s::bigint[], %(versions)s::int[], %(codes)s::text[]) as n(id, version, code)
  join sync_queuedrecord q on q.id = n.id and q.sent_version = n.version
    on conflict (channel_id, record_id) do update
   set school_id = excluded.school_id, sha256 = excluded.sha256, version = excluded.version, is_cancelled = excluded.is_cancelled,
       code = excluded.code, answered_at = excluded.answered_at
 where sync_deliveredrecord.version < excluded.version
"""


def settle(channel: SyncChannel, batch: Sequence[QueuedRecord], answers: Iterable[Answer], *, now: datetime) -> Counter[str]:
    """Write down the answers: taken rows leave the queue, refused ones stay as dead letters, others go again later."""
    told = {answer.record_id: answer for answer in answers}
    taken, counts, later = [], Counter[str](), defaultdict(list)
    for row in batch:
        answer = told.get(row.record_id, Answer(row.record_id, "later"))
        row.code, row.message, row.attempts = answer.code, answer.message, row.attempts + 1
        if answer.verdict == ACCEPTED:
            taken.append(row)
            counts[ACCEPTED] += 1
            continue
        gives_up = answer.verdict == REFUSED or row.attempts >= MOST_ATTEMPTS
        row.state = QueuedRecord.State.DEAD if gives_up else QueuedRecord.State.WAITING
        row.next_try_at = now + wait(row.attempts)
        counts["dead" if gives_up else "later"] += 1
        later[row.state].append(row)
    with connection.cursor() as cursor:
        if taken:
            cursor.execute(_TAKEN, {
                "now": now, "ids": [row.pk for row in taken], "versions": [row.sent_version for row in taken], "codes": [row.code for row in taken],
            })  # fmt: skip
            cursor.execute("delete from sync_queuedrecord where id = any(%s)", [[row.pk for row in taken]])
    for rows in later.values():
        QueuedRecord.objects.bulk_update(rows, ["state", "attempts", "next_try_at", "code", "message"])
    return counts


def counters(channel: SyncChannel) -> dict[str, int]:
    """Return how many live records of each object the receiver holds by our own books."""
    rows = DeliveredRecord.objects.filter(channel=channel, is_cancelled=False).values_list("object").annotate(n=Count("pk"))
    return dict(sorted(rows))


def waiting(channel: SyncChannel) -> dict[str, int]:
    """Return how many rows wait and how many are dead."""
    return QueuedRecord.objects.filter(channel=channel).aggregate(
        waiting=Count("pk", filter=Q(state=QueuedRecord.State.WAITING)), dead=Count("pk", filter=Q(state=QueuedRecord.State.DEAD))
    )


def ask(channel: SyncChannel, *, now: datetime) -> dict[str, int]:
    """Ask the receiver for its counters and keep them on the channel; {} where it does not tell or is not there."""
    try:
        with open_adapter(channel) as adapter:
            status = adapter.status()
    except (Unreachable, Denied) as error:
        SyncChannel.objects.filter(pk=channel.pk).update(last_error=f"{type(error).__name__.lower()}: {error}"[:300])
        return {}
    counts = {name: count for name, count in (status.counts or {}).items() if count}
    SyncChannel.objects.filter(pk=channel.pk).update(theirs=counts, theirs_at=now, last_ok_at=now)
    return counts


# -- record by record --------------------------------------------------------------------------------------

_HELD = 'create temporary table sync_held (record_id text collate "C", version int, is_cancelled bool) on commit drop'
_FORGET = """
update sync_deliveredrecord d set sha256 = ''::bytea, version = greatest(d.version, coalesce(h.version, 0)), answered_at = %(now)s
  from sync_deliveredrecord o left join sync_held h on h.record_id = o.record_id
 where o.id = d.id and d.channel_id = %(channel)s and d.object = %(object)s and d.sha256 <> ''::bytea
   and ((not d.is_cancelled and (h.record_id is null or h.is_cancelled or h.version <> d.version)))
"""
_STRANGE = """
select count(*) from sync_held h where not h.is_cancelled and not exists (
  select 1 from sync_deliveredrecord d where d.channel_id = %(channel)s and d.record_id = h.record_id and not d.is_cancelled)
  and not exists (select 1 from sync_queuedrecord q where q.channel_id = %(channel)s and q.record_id = h.record_id)
"""


def reconcile(channel: SyncChannel, adapter: Adapter, object_: str, *, now: datetime) -> dict[str, int]:
    """Set what the receiver holds of one object beside our books, record by record, in the caller's transaction.

    What it lacks, cancelled, or holds in another version is forgotten here, so that the next turn sends it again with a
    higher version. Returns how many were read, are sent again, and are live there though we know nothing of them.
    """
    read, after = 0, ""
    with connection.cursor() as cursor:
        cursor.execute(_HELD)
        while True:
            page = adapter.pull(object_, after)
            with cursor.copy("copy sync_held (record_id, version, is_cancelled) from stdin") as sink:  # type: ignore[attr-defined]
                for row in page.records:
                    sink.write_row((row.record_id, row.version, row.is_cancelled))
            read += len(page.records)
            if not page.following or not page.records:
                break
            after = page.following
        cursor.execute(_FORGET, {"channel": channel.pk, "object": object_, "now": now})
        again = cursor.rowcount
        cursor.execute(_STRANGE, {"channel": channel.pk})
        strange = int(cursor.fetchone()[0])
        cursor.execute("drop table sync_held")
    return {"read": read, "again": again, "strange": strange}


