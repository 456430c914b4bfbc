"""The jobs: a turn over all schools (plan, send, compare counters), sending what waits, a comparison record by record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from khue.gateway.exchange.ministry import reading
from khue.gateway.sync import planning, records, sending
from khue.gateway.sync.adapters import open_adapter
from khue.gateway.sync.models import SyncChannel, SyncTurn
from khue.gateway.sync.transport import Denied, Unreachable
from khue.kernel import audit, faults, jobs, permissions
from khue.kernel.jobs import Step
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import Actor, system_actor
from khue.kernel.permissions.loading import local_day
from regulations import calendar

TURN, SEND, RECONCILE = "sync.turn", "sync.send", "sync.reconcile"
SCHOOLS_A_STEP = 20


@jobs.kind(TURN, _("Đồng bộ thay đổi"))
def turn(job: Job, actor: Actor) -> Iterator[Step]:
    """Look over every school, queue what changed, send it, then set both ends' counters side by side."""
    now = timezone.now()
    permissions.demand(actor, "sync.manage", at=now)
    channel = SyncChannel.objects.get(pk=job.parameters["channel"])
    school_year = job.parameters["school_year"]
    first, last = reading.days_of(school_year)
    day = min(max(local_day(now), first), last)
    held, _fresh = SyncTurn.objects.get_or_create(job=job, defaults={"channel": channel, "school_year": school_year, "started_at": now})
    ids = reading.school_ids(school_year)
    cursor = dict(job.cursor)
    planned = Counter(cursor.get("planned", {}))
    if not cursor.get("is_planned"):
        rest = [pk for pk in ids if pk > cursor.get("after", 0)]
        done = len(ids) - len(rest)
        for at in range(0, len(rest), SCHOOLS_A_STEP):
            chosen = rest[at : at + SCHOOLS_A_STEP]
            planned += planning.plan(channel, chosen, school_year=school_year, day=day, now=timezone.now()).counts
            done += len(chosen)
            cursor = {"after": chosen[-1], "planned": dict(planned)}
            yield Step(done=done, total=len(ids), cursor=cursor, message=str(_("Đã đọc %(count)s trường.") % {"count": done}))
        held.planned_at, held.planned = timezone.now(), {**planned, "schools": len(ids)}
        held.save(update_fields=["planned_at", "planned"])
        cursor = {"is_planned": True, "planned": dict(planned)}
        yield Step(done=len(ids), total=len(ids), cursor=cursor)
    yield from _send(channel, school_year, len(ids), cursor)
    _finish(held, channel, actor)
    faults.hit("sync.turn.before_end")
    yield Step(done=len(ids), total=len(ids), cursor=cursor, result=dict(planned), result_url=reverse("sync:channel", args=[channel.uid]))


def _send(channel: SyncChannel, school_year: int, done: int, cursor: dict[str, object]) -> Iterator[Step]:
    """Send batch by batch until nothing may go; each batch is a step, and the counts of answers are kept in the cursor."""
    told: Counter[str] = Counter(cursor.get("answered", {}))  # type: ignore[arg-type]
    while True:
        counts = sending.send(channel, school_year=school_year, now=timezone.now())
        if counts is None:
            break
        told += counts
        cursor["answered"] = dict(told)
        yield Step(done=done, cursor=dict(cursor), message=str(_("Đã gửi %(count)s bản ghi.") % {"count": told["accepted"]}))
        if counts.get("unreachable"):
            break


def _finish(held: SyncTurn, channel: SyncChannel, actor: Actor) -> None:
    now = timezone.now()
    held.theirs, held.ours = sending.ask(channel, now=now), sending.counters(channel)
    held.answered = held.job.cursor.get("answered", {}) if held.job else {}
    held.finished_at = now
    held.save(update_fields=["theirs", "ours", "answered", "finished_at"])
    audit.record(actor, "sync.turn.finish", on=held, at=now, planned=held.planned, answered=held.answered)


@jobs.kind(SEND, _("Gửi bản ghi đang chờ"))
def send(job: Job, actor: Actor) -> Iterator[Step]:
    """Send what waits on a channel."""
    permissions.demand(actor, "sync.manage", at=timezone.now())
    channel = SyncChannel.objects.get(pk=job.parameters["channel"])
    yield from _send(channel, job.parameters["school_year"], 0, dict(job.cursor))
    sending.ask(channel, now=timezone.now())
    yield Step(done=1, total=1, cursor=job.cursor, result_url=reverse("sync:channel", args=[channel.uid]))


@jobs.kind(RECONCILE, _("Đối chiếu từng bản ghi với bên nhận"))
def reconcile(job: Job, actor: Actor) -> Iterator[Step]:
    """Set both ends side by side, object by object; what the other end lacks is sent by the next turn."""
    permissions.demand(actor, "sync.manage", at=timezone.now())
    channel = SyncChannel.objects.get(pk=job.parameters["channel"])
    told: dict[str, dict[str, int]] = dict(job.cursor.get("told", {}))
    chosen = [one for one in records.OBJECTS if one in channel.objects_sent]
    for number, object_ in enumerate(chosen, 1):
        if object_ in told:
            continue
        try:
            with open_adapter(channel) as adapter:
                told[object_] = sending.reconcile(channel, adapter, object_, now=timezone.now())
        except (Unreachable, Denied) as error:
            told[object_] = {"read": 0, "again": 0, "strange": 0, "failed": 1}
            SyncChannel.objects.filter(pk=channel.pk).update(last_error=str(error)[:300])
        yield Step(done=number, total=len(chosen), cursor={"told": told}, result={"told": told}, result_url=reverse("sync:channel", args=[channel.uid]))
    audit.record(actor, "sync.channel.reconcile", on=channel, at=timezone.now(), told=told)
    yield Step(done=len(chosen), total=len(chosen), cursor={"told": told})


def start_turn(channel: SyncChannel, *, actor: Actor, now: datetime) -> Job:
    """Queue a turn of a channel; one at a time, so that a second asking within its minute finds the first."""
    running = Job.objects.filter(kind=TURN, parameters__channel=channel.pk, state__in=[Job.State.WAITING, Job.State.RUNNING]).order_by("pk").first()
    if running is not None:
        return running
    return jobs.start(
        TURN, actor=actor, title=str(_("Đồng bộ: %(name)s")) % {"name": channel.name}, at=now,
        parameters={"channel": channel.pk, "school_year": calendar.school_year_of(local_day(now))}, key=f"{TURN}:{channel.uid}:{now:%Y%m%d%H%M}",
    )  # fmt: skip


def start_send(channel: SyncChannel, *, actor: Actor, now: datetime) -> Job:
    """Queue the sending of what waits; one a minute."""
    return jobs.start(
        SEND, actor=actor, title=str(_("Gửi: %(name)s")) % {"name": channel.name}, at=now,
        parameters={"channel": channel.pk, "school_year": calendar.school_year_of(local_day(now))}, key=f"{SEND}:{channel.uid}:{now:%Y%m%d%H%M}",
    )  # fmt: skip


def start_night(*, now: datetime) -> list[Job]:
    """Queue the nightly turn of every channel in use."""
    return [start_turn(channel, actor=system_actor("sync"), now=now) for channel in SyncChannel.objects.filter(is_active=True).order_by("pk")]


def start_waiting(*, now: datetime) -> list[Job]:
    """Queue the sending of channels that rested long enough and have something to send."""
    found = SyncChannel.objects.filter(is_active=True).exclude(paused_until__gt=now).order_by("pk")
    return [start_send(channel, actor=system_actor("sync"), now=now) for channel in found if sending.due(channel, now).exists()]
