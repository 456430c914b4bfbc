"""Reads: channels and how they fare, the share of schools synchronised, dead letters, subscriptions. For the province only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Count, OuterRef, Q, Subquery

from khue.gateway.sync.models import (
    QueuedRecord,
    SyncChannel,
    SyncFile,
    SyncTurn,
    WebhookDelivery,
    WebhookSubscription,
)
from khue.kernel import permissions
from khue.kernel.errors import NotFound
from khue.kernel.permissions import Actor

PAGE = 50
FRESH = timedelta(hours=36)
"""A channel's schools count as synchronised when its last whole turn is no older."""


@dataclass(frozen=True, slots=True)
class Line:
    """One channel: what waits, what is dead, how many schools are through (S-17)."""

    channel: SyncChannel
    waiting: int
    dead: int
    schools: int
    behind: int
    turn: SyncTurn | None
    is_fresh: bool

    @property
    def share(self) -> int:
        """Return whole percent of schools synchronised: read in the last turn, nothing waiting, nothing refused."""
        if not self.is_fresh or not self.schools:
            return 0
        return 100 * (self.schools - self.behind) // self.schools

    @property
    def synchronised(self) -> int:
        """Return how many schools are synchronised."""
        return self.schools - self.behind if self.is_fresh else 0

    @property
    def is_equal(self) -> bool | None:
        """Return whether both ends counted the same after the last turn; None where the receiver does not tell."""
        if self.turn is None or not self.turn.theirs:
            return None
        return self.turn.ours == self.turn.theirs


def channels(actor: Actor, *, at: datetime) -> list[Line]:
    """Return every channel with its state: three statements."""
    permissions.demand(actor, "sync.view", at=at)
    last = SyncTurn.objects.filter(channel=OuterRef("pk"), finished_at__isnull=False).order_by("-started_at").values("pk")[:1]
    found = list(SyncChannel.objects.annotate(last_turn=Subquery(last)).order_by("name", "pk"))
    turns = {turn.pk: turn for turn in SyncTurn.objects.filter(pk__in=[one.last_turn for one in found if one.last_turn])}
    return [_line(one, turns.get(one.last_turn), queue, at) for queue in [_queue(found)] for one in found]


def _queue(found: Sequence[SyncChannel]) -> dict[int, dict[str, int]]:
    """Return what waits, what is dead and how many schools are behind, by channel."""
    rows = QueuedRecord.objects.filter(channel__in=found).values("channel_id").annotate(
        waiting=Count("pk", filter=Q(state=QueuedRecord.State.WAITING)), dead=Count("pk", filter=Q(state=QueuedRecord.State.DEAD)),
        behind=Count("school_id", distinct=True),
    )  # fmt: skip
    return {row["channel_id"]: row for row in rows}


def _line(one: SyncChannel, turn: SyncTurn | None, queue: dict[int, dict[str, int]], at: datetime) -> Line:
    held = queue.get(one.pk, {"waiting": 0, "dead": 0, "behind": 0})
    schools = int(turn.planned.get("schools", 0)) if turn else 0
    fresh = turn is not None and turn.planned_at is not None and turn.planned_at > at - FRESH
    return Line(one, held["waiting"], held["dead"], schools, min(held["behind"], schools), turn, fresh)


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter, with the school it is of."""

    uid: UUID
    record_id: str
    object: str
    school: str
    event: str
    version: int
    attempts: int
    code: str
    message: str
    noticed_at: datetime


def letters(actor: Actor, channel: SyncChannel, *, at: datetime, first: int = 0) -> Sequence[Letter]:
    """Return a channel's dead letters, the latest first: one statement."""
    permissions.demand(actor, "sync.view", at=at)
    with connection.cursor() as cursor:
        cursor.execute(
            "select q.uid, q.record_id, q.object, u.name, q.event, q.sent_version, q.attempts, q.code, q.message, q.noticed_at"
            " from sync_queuedrecord q join orgs_unit u on u.id = q.school_id where q.channel_id = %s and q.state = 'dead'"
            " order by q.noticed_at desc, q.id limit %s offset %s",
            [channel.pk, PAGE, first],
        )
        return [Letter(*row) for row in cursor.fetchall()]


def channel(actor: Actor, uid: UUID, *, at: datetime) -> tuple[Line, list[SyncTurn]]:
    """Return one channel and its latest turns: three statements. Raises NotFound."""
    permissions.demand(actor, "sync.view", at=at)
    found = SyncChannel.objects.filter(uid=uid).first()
    if found is None:
        raise NotFound()
    turns = list(SyncTurn.objects.filter(channel=found).select_related("job").order_by("-started_at")[:8])
    last = next((turn for turn in turns if turn.finished_at is not None), None)
    return _line(found, last, _queue([found]), at), turns


def file(actor: Actor, uid: UUID, *, at: datetime) -> SyncFile:
    """Return a workbook of a channel carried by hand; raises NotFound. Who may take it is asked with a second factor."""
    permissions.demand(actor, "sync.manage", at=at)
    found = SyncFile.objects.select_related("file", "channel").filter(file__uid=uid).first()
    if found is None:
        raise NotFound()
    return found


@dataclass(frozen=True, slots=True)
class Subscribed:
    """One subscription with what it waits for."""

    held: WebhookSubscription
    waiting: int
    dead: int
    taken: int


def subscriptions(actor: Actor, *, at: datetime) -> list[Subscribed]:
    """Return every subscription with its counts: one statement."""
    permissions.demand(actor, "sync.webhooks", at=at)
    state = WebhookDelivery.State
    found = WebhookSubscription.objects.annotate(
        n_waiting=Count("deliveries", filter=Q(deliveries__state=state.WAITING)), n_dead=Count("deliveries", filter=Q(deliveries__state=state.DEAD)),
        n_taken=Count("deliveries", filter=Q(deliveries__state=state.TAKEN) & ~Q(deliveries__attempts=0)),
    ).order_by("-is_active", "name", "pk")  # fmt: skip
    return [Subscribed(one, one.n_waiting, one.n_dead, one.n_taken) for one in found]
