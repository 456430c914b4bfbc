"""Reads: periods, a period's board, a school's submission with its differences. Nothing leaves the actor's place."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from khue.kernel import permissions
from khue.kernel.errors import NotFound
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.kernel.text import fold
from khue.province.periods import comparing, vault
from khue.province.periods.comparing import Change
from khue.province.periods.models import (
    ReportPeriod,
    SchoolSnapshot,
    SnapshotComparison,
    State,
    Submission,
    SubmissionAct,
)
from khue.register.fields import annex
from khue.register.orgs.models import UnitKind

PAGE = 50
TONES = {State.WAITING: "warn", State.CHECKING: "info", State.RETURNED: "bad", State.UNLOCKED: "warn", State.CONFIRMED: "good"}
PERIOD_TONES = {
    ReportPeriod.State.OPEN: "info", ReportPeriod.State.FREEZING: "warn", ReportPeriod.State.FROZEN: "accent", ReportPeriod.State.CLOSED: "good",
}  # fmt: skip
OBJECTS: dict[str, str | Promise] = {
    "school": _("Trường"), "class": _("Lớp"), "staff": _("Nhân sự"), "learner": _("Học sinh"), "result": _("Kết quả học tập"),
}  # fmt: skip
LATE = "late"


@dataclass(frozen=True, slots=True)
class PeriodLine:
    """One period with how far the schools of the actor's place have come; `signed` counts what their heads signed and stands."""

    period: ReportPeriod
    total: int
    waiting: int
    checking: int
    returned: int
    confirmed: int
    late: int

    @property
    def percent(self) -> int:
        """Return whole percent confirmed."""
        return 100 * self.confirmed // self.total if self.total else 0


def _mine(actor: Actor) -> Q:
    return Q() if actor.schools is None else Q(school_id__in=list(actor.schools))


def due(period: ReportPeriod, kind: str) -> date | None:
    """Return the day by which a kind of unit is to have done its step, or None."""
    told = period.dues.get(kind)
    return date.fromisoformat(told) if told else None


def is_late(held: Submission, day: date) -> bool:
    """Return whether a submission's school signed after its day, or has not and the day is over."""
    until = due(held.period, UnitKind.SCHOOL)
    if until is None:
        return False
    signed = local_day(held.signed_at) if held.signed_at else None
    return (signed or day) > until


def _late(period: ReportPeriod, day: date) -> Q:
    """Return the condition of `is_late` for one period."""
    until = due(period, UnitKind.SCHOOL)
    if until is None:
        return Q(pk__in=[])
    after = datetime.combine(until, datetime.max.time(), tzinfo=timezone.get_default_timezone())
    return Q(signed_at__gt=after) | (Q(signed_at=None) if day > until else Q(pk__in=[]))


def periods(actor: Actor, *, at: datetime) -> list[PeriodLine]:
    """Return the latest periods with their counts in the actor's place: two statements."""
    permissions.demand(actor, "periods.view", on=permissions.ANYWHERE, at=at)
    found = list(ReportPeriod.objects.order_by("-reference_on", "-pk")[:60])
    lates = Q()
    for period in found:
        lates |= Q(period=period) & _late(period, local_day(at))
    counted = {
        row["period_id"]: row
        for row in Submission.objects.filter(_mine(actor), period__in=found).values("period_id").annotate(
            total=Count("pk"), waiting=Count("pk", filter=Q(state=State.WAITING)), checking=Count("pk", filter=Q(state=State.CHECKING)),
            returned=Count("pk", filter=Q(state__in=[State.RETURNED, State.UNLOCKED])), confirmed=Count("pk", filter=Q(state=State.CONFIRMED)),
            late=Count("pk", filter=lates),
        )
    }  # fmt: skip
    names = ("total", "waiting", "checking", "returned", "confirmed", "late")
    return [PeriodLine(period, *(counted.get(period.pk, {}).get(name, 0) for name in names)) for period in found]


def period(actor: Actor, uid: UUID, *, at: datetime) -> ReportPeriod:
    """Return one period with its job; raises NotAllowed, NotFound."""
    permissions.demand(actor, "periods.view", on=permissions.ANYWHERE, at=at)
    found = ReportPeriod.objects.select_related("job").filter(uid=uid).first()
    if found is None:
        raise NotFound()
    return found


@dataclass(frozen=True, slots=True)
class Board:
    """A period's board: counts by state, one page of schools, and what this person may decide on it."""

    period: ReportPeriod
    counts: dict[str, int]
    rows: Sequence[Submission]
    total: int
    first: int
    state: str
    words: str
    body: int | None
    bodies: Sequence[tuple[int, str, int]] = ()

    @property
    def following(self) -> int | None:
        """Return where the next page begins, or None."""
        return self.first + PAGE if self.first + PAGE < self.total else None


def board(actor: Actor, uid: UUID, *, at: datetime, state: str = "", words: str = "", body: int | None = None, first: int = 0) -> Board:
    """Return a period's board within the actor's place: four statements, whatever the number of schools."""
    found = period(actor, uid, at=at)
    mine = Submission.objects.filter(_mine(actor), period=found)
    late = _late(found, local_day(at))
    by_body = list(
        mine.filter(state=State.CHECKING).values("at_unit_id", "at_unit__name").annotate(n=Count("pk")).order_by("-n", "at_unit__name")[:12]
    )
    counts = mine.aggregate(
        total=Count("pk"), late=Count("pk", filter=late), **{one.value: Count("pk", filter=Q(state=one)) for one in State}
    )
    chosen = _narrowed(mine, state, words, body, late)
    rows = list(
        chosen.select_related("school", "at_unit", "snapshot").defer("snapshot__faults", "snapshot__difference")
        .order_by("school__name_fold", "pk")[first : first + PAGE]
    )  # fmt: skip
    for row in rows:
        row.period = found
    plain = not (words or body)
    total = counts[state if state else "total"] if plain else first + len(rows) + (1 if len(rows) == PAGE else 0)
    bodies = [(row["at_unit_id"], row["at_unit__name"], row["n"]) for row in by_body]
    return Board(found, counts, rows, total, first, state, words, body, bodies)


def _narrowed(found: QuerySet[Submission], state: str, words: str, body: int | None, late: Q) -> QuerySet[Submission]:
    if state == LATE:
        found = found.filter(late)
    elif state in State.values:
        found = found.filter(state=state)
    if words:
        found = found.filter(Q(school__name_fold__contains=fold(words)) | Q(school__code=words.strip()))
    return found.filter(at_unit_id=body) if body is not None else found


@dataclass(frozen=True, slots=True)
class View:
    """A submission for its page: what was frozen, who did what, what may be done now."""

    held: Submission
    acts: Sequence[SubmissionAct]
    snapshots: Sequence[SchoolSnapshot]
    comparison: SnapshotComparison | None


def submission(actor: Actor, uid: UUID, *, at: datetime) -> View:
    """Return one submission: four statements. Raises NotFound outside the actor's place."""
    names = RawSQL("array(select u.name from unnest(periods_submission.path) with ordinality p(id, n) join orgs_unit u on u.id = p.id order by p.n)", [])
    held = (
        Submission.objects.select_related("period", "school", "snapshot__signature", "at_unit").annotate(path_names=names)
        .filter(_mine(actor), uid=uid).first()
    )  # fmt: skip
    if held is None:
        raise NotFound()
    permissions.demand(actor, "periods.view", on=held, at=at)
    acts = list(held.acts.select_related("unit", "snapshot").order_by("-id")[:100])
    snapshots = list(SchoolSnapshot.objects.filter(period_id=held.period_id, school_id=held.school_id).order_by("-number"))
    comparison = SnapshotComparison.objects.filter(snapshot_id=held.snapshot_id).defer("changes").order_by("-compared_at").first()
    return View(held, acts, snapshots, comparison)


@dataclass(frozen=True, slots=True)
class Difference:
    """Changes between two documents of a school, one page of them, with totals of all."""

    held: Submission
    before: SchoolSnapshot
    after: SchoolSnapshot | None
    compared_at: datetime | None
    totals: dict[str, dict[str, int]]
    rows: Sequence[Change]
    total: int
    first: int

    @property
    def following(self) -> int | None:
        """Return where the next page begins, or None."""
        return self.first + PAGE if self.first + PAGE < self.total else None


def difference(actor: Actor, uid: UUID, *, at: datetime, number: int | None = None, object_: str = "", first: int = 0) -> Difference:
    """Return what snapshot `number` changed against the one before; None compares the standing one with later data.

    Two statements. Raises NotFound where there is nothing to compare.
    """
    held = Submission.objects.select_related("period", "school", "snapshot").filter(_mine(actor), uid=uid).first()
    if held is None:
        raise NotFound()
    permissions.demand(actor, "periods.view", on=held, at=at)
    if number is None:
        last = SnapshotComparison.objects.filter(snapshot_id=held.snapshot_id).order_by("-compared_at").first()
        if last is None:
            raise NotFound()
        found = [Change.of(plain) for plain in json.loads(vault.get(last.changes))]
        before, after, when, sums = held.snapshot, None, last.compared_at, last.totals
    else:
        both = list(
            SchoolSnapshot.objects.select_related("content")
            .filter(period_id=held.period_id, school_id=held.school_id, number__in=[number - 1, number]).order_by("number")
        )  # fmt: skip
        if len(both) != 2:
            raise NotFound()
        before, after, when, sums = both[0], both[1], None, both[1].difference
        found = list(
            comparing.changes(vault.get(before.content.body, sha256=before.sha256), vault.get(after.content.body, sha256=after.sha256))
        )
    chosen = [one for one in found if not object_ or one.object == object_]
    return Difference(held, before, after, when, sums, chosen[first : first + PAGE], len(chosen), first)


def document(actor: Actor, uid: UUID, *, number: int, at: datetime) -> tuple[Submission, SchoolSnapshot, bytes]:
    """Return a snapshot's document as it was frozen, checked against its hash. Raises NotFound, DamagedContent."""
    held = Submission.objects.select_related("period", "school").filter(_mine(actor), uid=uid).first()
    if held is None:
        raise NotFound()
    permissions.demand(actor, "periods.view", on=held, at=at)
    found = SchoolSnapshot.objects.select_related("content").filter(period_id=held.period_id, school_id=held.school_id, number=number).first()
    if found is None:
        raise NotFound()
    return held, found, vault.get(found.content.body, sha256=found.sha256)


def label(level: str, object_: str, symbol: str) -> str:
    """Return a symbol's Vietnamese name in its field table; the symbol itself where the table has none."""
    try:
        known = annex.table(level, object_).fields.get(symbol.partition(".")[0])
    except KeyError:
        known = None
    return known.name if known is not None else symbol


def told(value: Any) -> str:
    """Return a value of a record as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(_("có")) if value else str(_("không"))
    if isinstance(value, list):
        return "; ".join(", ".join(f"{name} {told(one)}" for name, one in item.items()) if isinstance(item, dict) else told(item) for item in value)
    return str(value)
