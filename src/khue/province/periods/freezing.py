"""Taking snapshots: every school of a period in a job, a few a step; one school again when it was returned or unlocked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from khue.kernel import audit, events, faults, jobs, ledger, permissions
from khue.kernel.errors import NotFound
from khue.kernel.jobs import Step
from khue.kernel.jobs.models import Job
from khue.kernel.ledger import canonical
from khue.kernel.permissions import Actor, system_actor
from khue.province.periods import comparing, records, vault
from khue.province.periods.events import PeriodFrozen
from khue.province.periods.models import (
    ReportPeriod,
    SchoolSnapshot,
    SnapshotComparison,
    SnapshotContent,
    State,
    Submission,
    SubmissionAct,
)
from khue.province.periods.records import SchoolRecords
from khue.register.orgs.models import Unit, UnitKind, UnitReach

SCHOOLS_A_STEP = 10
ENDED_EARLY = (Job.State.FAILED, Job.State.STOPPED)
FREEZE, REFREEZE, COMPARE = "periods.freeze", "periods.refreeze", "periods.compare"


def school_ids(period: ReportPeriod) -> list[int]:
    """Return the schools that existed on the reference day at a level the period asks, by id."""
    found = Unit.objects.schools().on(period.reference_on).filter(levels__overlap=period.levels)
    return list(found.order_by("pk").values_list("pk", flat=True))


def paths(ids: Sequence[int], day: date) -> dict[int, list[int]]:
    """Return for each school the bodies above it on that day, nearest first: as many as the tree had, never a number of tiers."""
    found: dict[int, list[int]] = {pk: [] for pk in ids}
    rows = UnitReach.objects.filter(descendant_id__in=list(ids), depth__gt=0, valid__contains=day).exclude(ancestor__kind=UnitKind.MINISTRY)
    for school, above in rows.order_by("descendant_id", "depth").values_list("descendant_id", "ancestor_id"):
        found[school].append(above)
    if not all(found.values()):  # a school nobody was put over is checked by the province itself
        top = Unit.objects.on(day).filter(kind=UnitKind.PROVINCE).order_by("pk").first()
        found = {pk: above or ([top.pk] if top else []) for pk, above in found.items()}
    return found


def read(period: ReportPeriod, ids: Sequence[int]) -> Iterator[tuple[SchoolRecords, bytes]]:
    """Yield the records of these schools as of the period's day, each with its document."""
    wanted = {"day": period.reference_on, "levels": period.levels, "objects": period.objects_taken}
    for found in records.read(ids, school_year=period.school_year, **wanted):
        yield found, records.document(found, school_year=period.school_year, **wanted)


def _contents(period: ReportPeriod, found: Sequence[tuple[SchoolRecords, bytes]]) -> dict[tuple[int, str], SnapshotContent]:
    """Put the documents away, equal ones once; returns them by (school, hash)."""
    rows = [
        SnapshotContent(sha256=vault.digest(content), school_id=one.school_id, size=len(content), body=vault.put(content, level=3))
        for one, content in found
    ]
    SnapshotContent.objects.bulk_create(rows, ignore_conflicts=True)
    kept = SnapshotContent.objects.filter(school_id__in=[row.school_id for row in rows], sha256__in=[row.sha256 for row in rows])
    return {(row.school_id, row.sha256): row for row in kept.defer("body")}


def _faults(found: SchoolRecords) -> list[dict[str, object]]:
    return [
        {"level": level, "object": object_, "symbol": symbol, "problem": problem, "count": count}
        for (level, object_, symbol, problem), count in sorted(found.faults.items(), key=lambda item: (-item[1], item[0]))
    ]


def take(period: ReportPeriod, ids: Sequence[int], *, actor: Actor, now: datetime) -> int:
    """Take the first snapshots of some schools in the caller's transaction; those that have one are passed over."""
    done = set(Submission.objects.filter(period=period, school_id__in=list(ids)).values_list("school_id", flat=True))
    wanted = [pk for pk in ids if pk not in done]
    if not wanted:
        return 0
    found = list(read(period, wanted))
    faults.hit("periods.freeze.after_read")
    kept = _contents(period, found)
    above = paths(wanted, period.reference_on)
    snapshots = [
        SchoolSnapshot(
            period=period, school_id=one.school_id, number=1, content=kept[one.school_id, vault.digest(content)], sha256=vault.digest(content),
            taken_at=now, taken_by=actor.name, counts=one.counts, faults=_faults(one),
        )
        for one, content in found
    ]  # fmt: skip
    SchoolSnapshot.objects.bulk_create(snapshots)
    faults.hit("periods.freeze.after_snapshots")
    submissions = [
        Submission(period=period, school_id=one.school_id, school_year=period.school_year, snapshot=one, path=above[one.school_id])
        for one in snapshots
    ]
    Submission.objects.bulk_create(submissions)
    SubmissionAct.objects.bulk_create([act_of(one, SubmissionAct.Act.FREEZE, actor=actor, now=now) for one in submissions])
    drafts = [ledger.Draft(one, "periods.freeze", sealed(one, period)) for one in submissions]
    ledger.append_many(drafts, actor=actor, at=now)
    faults.hit("periods.freeze.before_commit")
    return len(submissions)


def sealed(held: Submission, period: ReportPeriod) -> dict[str, object]:
    """Return what the ledger says of a snapshot."""
    return {
        "period": period.uid, "number": held.snapshot.number, "sha256": held.snapshot.sha256, "counts": held.snapshot.counts,
        "day": period.reference_on, "path": list(held.path),
    }  # fmt: skip


def act_of(held: Submission, act: str, *, actor: Actor, now: datetime, unit_id: int | None = None, text: str = "") -> SubmissionAct:
    """Return an unsaved act with a submission as it stands."""
    return SubmissionAct(
        submission=held, school_id=held.school_id, act=act, snapshot_id=held.snapshot_id, unit_id=unit_id, account_id=actor.account_id,
        actor_name=actor.name[:120], role=actor.role, at=now, text=text[:2000],
    )  # fmt: skip


def root_of(period: ReportPeriod) -> tuple[str, dict[str, int]]:
    """Return the hash over all first snapshots in the order of school codes, and the sums of their counts."""
    digest, sums = hashlib.sha256(), {"schools": 0}
    rows = SchoolSnapshot.objects.filter(period=period, number=1).order_by("school__code", "school_id")
    for code, sha256, counts in rows.values_list("school__code", "sha256", "counts").iterator(chunk_size=500):
        digest.update(f"{code} {sha256}\n".encode())
        sums["schools"] += 1
        for name, count in counts.items():
            sums[name] = sums.get(name, 0) + count
    return digest.hexdigest(), sums


@jobs.kind(FREEZE, _("Chốt số liệu của kỳ"))
def freeze(job: Job, actor: Actor) -> Iterator[Step]:
    """Take the snapshot of every school of a period, then seal the whole under one root."""
    now = timezone.now()
    permissions.demand(actor, "periods.manage", at=now)
    period = ReportPeriod.objects.get(pk=job.parameters["period"])
    ids = school_ids(period)
    after, done = job.cursor.get("after", 0), job.cursor.get("done", 0)
    rest = [pk for pk in ids if pk > after]
    for at in range(0, len(rest), SCHOOLS_A_STEP):
        chosen = rest[at : at + SCHOOLS_A_STEP]
        take(period, chosen, actor=actor, now=timezone.now())
        done += len(chosen)
        yield Step(done=done, total=len(ids), cursor={"after": chosen[-1], "done": done})
    _finish(period, actor, timezone.now())
    faults.hit("periods.freeze.after_root")
    yield Step(
        done=len(ids), total=len(ids), cursor={"after": ids[-1] if ids else 0, "done": len(ids)},
        result={"schools": len(ids)}, result_url=reverse("periods:board", args=[period.uid]),
    )  # fmt: skip


def _finish(period: ReportPeriod, actor: Actor, now: datetime) -> None:
    held = ReportPeriod.objects.select_for_update(of=("self",)).get(pk=period.pk)
    if held.state != ReportPeriod.State.FREEZING:
        return
    held.root, held.counts = root_of(held)
    held.state, held.frozen_at = ReportPeriod.State.FROZEN, now
    held.save(update_fields=["root", "counts", "state", "frozen_at"])
    ledger.append(held, act="periods.root", body={"root": held.root, "counts": held.counts}, actor=actor, at=now)
    audit.record(actor, "periods.period.freeze", on=held, at=now, root=held.root, schools=held.counts["schools"])
    events.publish(PeriodFrozen(str(held.uid), held.root), at=now)


@jobs.kind(REFREEZE, _("Chốt lại số liệu của trường"))
def refreeze(job: Job, actor: Actor) -> Iterator[Step]:
    """Take one school's snapshot again after it was returned or unlocked, with what differs from the one before."""
    held = Submission.objects.select_related("period").get(pk=job.parameters["submission"])
    take_again(held.pk, reason=job.parameters["reason"], actor=actor, now=timezone.now())
    faults.hit("periods.refreeze.before_progress")
    yield Step(done=1, total=1, result_url=reverse("periods:submission", args=[held.uid]))


@transaction.atomic
def take_again(submission_id: int, *, reason: str, actor: Actor, now: datetime) -> bool:
    """Take a school's snapshot again; False where the submission no longer waits for one. Raises NotAllowed, NotFound."""
    held = Submission.objects.select_for_update(of=("self",)).select_related("period", "snapshot__content").get(pk=submission_id)
    permissions.demand(actor, "periods.prepare", on=held, at=now)
    if held.state not in (State.RETURNED, State.UNLOCKED):
        return False
    found = list(read(held.period, [held.school_id]))
    if not found:
        raise NotFound()
    one, content = found[0]
    kept = _contents(held.period, found)[held.school_id, vault.digest(content)]
    before = vault.get(held.snapshot.content.body, sha256=held.snapshot.sha256)
    faults.hit("periods.refreeze.after_read")
    held.snapshot = SchoolSnapshot.objects.create(
        period=held.period, school_id=held.school_id, number=held.snapshot.number + 1, content=kept, sha256=kept.sha256, taken_at=now,
        taken_by=actor.name[:120], reason=reason[:500], counts=one.counts, faults=_faults(one),
        difference=comparing.totals(list(comparing.changes(before, content))),
    )  # fmt: skip
    held.state, held.step, held.at_unit, held.signed_at, held.confirmed_at = State.WAITING, 0, None, None, None
    held.save(update_fields=["snapshot", "state", "step", "at_unit", "signed_at", "confirmed_at"])
    act_of(held, SubmissionAct.Act.REFREEZE, actor=actor, now=now, text=reason).save()
    ledger.append(held, act="periods.refreeze", body={**sealed(held, held.period), "reason": reason}, actor=actor, at=now)
    audit.record(actor, "periods.submission.refreeze", on=held, at=now, reason=reason, sha256=kept.sha256)
    return True


@jobs.kind(COMPARE, _("So bản chốt với dữ liệu hiện nay"))
def compare(job: Job, actor: Actor) -> Iterator[Step]:
    """Set a school's standing snapshot, or those of a whole frozen period, against the register of now."""
    now = timezone.now()
    permissions.demand(actor, "periods.view", on=permissions.ANYWHERE, at=now)
    chosen = Submission.objects.filter(pk=job.parameters["submission"]) if "submission" in job.parameters else Submission.objects.filter(
        period_id=job.parameters["period"], pk__gt=job.cursor.get("after", 0)
    )  # fmt: skip
    held = list(chosen.order_by("pk").values_list("pk", flat=True))
    if "submission" in job.parameters and not held:
        raise NotFound()
    done = job.cursor.get("done", 0)
    total = done + len(held)
    for at in range(0, len(held), SCHOOLS_A_STEP):
        part = held[at : at + SCHOOLS_A_STEP]
        _compare(part, actor=actor, now=now)
        done += len(part)
        yield Step(done=done, total=total, cursor={"after": part[-1], "done": done})


def _compare(ids: Sequence[int], *, actor: Actor, now: datetime) -> None:
    """Compare some submissions; a comparison equal to the last one is not written again."""
    held = list(Submission.objects.filter(pk__in=list(ids)).select_related("period", "snapshot__content").order_by("school_id"))
    for one in held:
        permissions.demand(actor, "periods.view", on=one, at=now)
    by_school = {one.school_id: one for one in held}
    last = dict(
        SnapshotComparison.objects.filter(snapshot_id__in=[one.snapshot_id for one in held]).order_by("snapshot_id", "compared_at")
        .values_list("snapshot_id", "sha256")
    )  # fmt: skip
    for found, content in read(held[0].period, [one.school_id for one in held]):
        one, sha256 = by_school[found.school_id], vault.digest(content)
        if last.get(one.snapshot_id, one.snapshot.sha256) == sha256:
            continue
        different = list(comparing.changes(vault.get(one.snapshot.content.body, sha256=one.snapshot.sha256), content))
        SnapshotComparison.objects.create(
            snapshot=one.snapshot, school_id=one.school_id, compared_at=now, sha256=sha256, totals=comparing.totals(different),
            changes=vault.put(canonical.encode([change.plain() for change in different[: comparing.STORED]])),
        )  # fmt: skip


def compare_frozen(*, now: datetime) -> list[Job]:
    """Queue the nightly comparison of every frozen period; once a period and day."""
    day = timezone.localtime(now).date()
    return [
        jobs.start(
            COMPARE, actor=system_actor("periods"), title=str(_("So bản chốt với dữ liệu hiện nay")), at=now, parameters={"period": period.pk},
            key=f"{COMPARE}:{period.uid}:{day}",
        )
        for period in ReportPeriod.objects.filter(state=ReportPeriod.State.FROZEN).order_by("pk")
    ]  # fmt: skip


def freeze_due(*, now: datetime) -> list[Job]:
    """Queue the freezing of every period whose moment has come, and again of one whose job ended before its end."""
    broken = Q(state=ReportPeriod.State.FREEZING, job__state__in=ENDED_EARLY)
    due = ReportPeriod.objects.filter(Q(state=ReportPeriod.State.OPEN, freezes_at__lte=now) | broken)
    return [queue(period, actor=system_actor("periods"), now=now) for period in due.order_by("freezes_at", "pk")]


@transaction.atomic
def queue(period: ReportPeriod, *, actor: Actor, now: datetime) -> Job:
    """Set a period to freezing and queue its job; one that waits, runs or is done is returned as it is."""
    held = ReportPeriod.objects.select_for_update(of=("self",)).get(pk=period.pk)
    former = held.job
    if former is not None and former.state not in ENDED_EARLY:
        return former
    held.state = ReportPeriod.State.FREEZING
    held.job = jobs.start(
        FREEZE, actor=actor, title=str(_("Chốt số liệu: %(name)s")) % {"name": held.name}, at=now, parameters={"period": held.pk},
        key=f"{FREEZE}:{held.uid}:{former.pk if former else 0}",
    )  # fmt: skip
    held.save(update_fields=["state", "job"])
    return held.job
