"""Writes: open and change a period, approve to sign, confirm, return, ask for unlocking and decide it, end a period.

Who checks is said by the submission's path: the bodies over the school on the reference day. A body that has ended
since is stood in for by whoever is over the school today; the province may act for a body below it with a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from khue.kernel import audit, events, jobs, ledger, permissions, text
from khue.kernel.errors import DomainError, Invalid, NotFound, Stale
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.province.periods import freezing
from khue.province.periods.events import SubmissionMoved
from khue.province.periods.freezing import act_of
from khue.province.periods.models import (
    PeriodKind,
    ReportPeriod,
    State,
    Submission,
    SubmissionAct,
    SubmissionApproval,
)
from khue.register.orgs.models import Unit, UnitKind, UnitReach
from khue.register.people.models import Person
from khue.register.staff.models import Position, Post

TIERS = (UnitKind.SCHOOL, UnitKind.COMMUNE, UnitKind.DISTRICT, UnitKind.PROVINCE)
"""Kinds of units that may have a day of their own in a period."""


class AlreadyFrozen(DomainError):
    """The period's snapshots are being taken or taken; its dates no longer move."""

    code, status = "periods.already-frozen", 409
    title = _("Kỳ này đã chốt nên không đổi được nữa.")
    advice = _("Hãy mở một kỳ đột xuất nếu cần thu số liệu theo ngày khác.")


class OneAYear(DomainError):
    """A period of this kind is there for this school year."""

    code, status = "periods.one-a-year", 409
    title = _("Năm học này đã có kỳ cùng loại.")
    advice = _("Hãy sửa kỳ đã mở, hoặc mở kỳ đột xuất.")


class NothingToSign(DomainError):
    """No snapshot of the school waits for its head's signature."""

    code, status = "periods.nothing-to-sign", 409
    title = _("Không có bản chốt nào của trường đang chờ ký.")
    advice = _("Hãy tải lại trang để xem hồ sơ đang ở bước nào.")


class NotTheHead(DomainError):
    """Only whoever is head of the school on the day signs. Facts: school."""

    code, status = "periods.not-the-head", 409
    title = _("Chỉ hiệu trưởng đương nhiệm của %(school)s ký được số liệu này.")
    advice = _("Hãy nhờ văn thư kiểm tra vị trí hiệu trưởng trong danh sách nhân sự.")


class NotAtHer(DomainError):
    """The submission is not at the actor's body now. Facts: state."""

    code, status = "periods.not-at-her", 409
    title = _("Hồ sơ này không ở bước mà bạn xử lý: %(state)s.")
    advice = _("Hãy tải lại trang để xem hồ sơ đang ở đâu.")


class ReasonNeeded(Invalid):
    """The act needs a reason in words."""

    code = "periods.reason-needed"
    title = _("Hãy ghi rõ lý do hoặc nhận xét.")
    advice = _("Một câu ngắn là đủ; trường và cấp trên đều đọc được.")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a period is to be; `dues` by kind of unit."""

    kind: str
    name: str
    school_year: int
    reference_on: date
    freezes_at: datetime
    dues: dict[str, date]
    levels: Sequence[str]
    objects: Sequence[str]


def _checked(plan: Plan) -> dict[str, Any]:
    """Return the columns of a plan; raises Invalid where days are out of order or nothing is asked."""
    wrong: dict[str, list[str]] = {}
    if timezone.localtime(plan.freezes_at).date() < plan.reference_on:
        wrong["freezes_at"] = [str(_("Không chốt trước ngày số liệu."))]
    if not plan.levels:
        wrong["levels"] = [str(_("Hãy chọn ít nhất một cấp học."))]
    if not plan.objects:
        wrong["objects"] = [str(_("Hãy chọn ít nhất một loại bản ghi."))]
    if "school" not in plan.dues:
        wrong["due_school"] = [str(_("Hãy ghi hạn của trường."))]
    days = [plan.dues[tier] for tier in TIERS if tier in plan.dues]
    if days != sorted(days) or (days and days[0] < timezone.localtime(plan.freezes_at).date()):
        wrong["due_school"] = [str(_("Hạn phải sau ngày chốt, và hạn của cấp trên không sớm hơn cấp dưới."))]
    if wrong:
        raise Invalid(fields=wrong)
    return {
        "kind": plan.kind, "name": text.clean(plan.name)[:120], "school_year": plan.school_year, "reference_on": plan.reference_on,
        "freezes_at": plan.freezes_at, "dues": {tier: day.isoformat() for tier, day in sorted(plan.dues.items())},
        "levels": sorted(plan.levels), "objects_taken": sorted(plan.objects),
    }  # fmt: skip


@transaction.atomic
def open_period(*, actor: Actor, plan: Plan, now: datetime) -> ReportPeriod:
    """Open a period. Raises NotAllowed, Invalid, OneAYear."""
    permissions.demand(actor, "periods.manage", at=now)
    values = _checked(plan)
    if plan.kind != PeriodKind.AD_HOC and ReportPeriod.objects.filter(kind=plan.kind, school_year=plan.school_year).exists():
        raise OneAYear()
    made = ReportPeriod.objects.create(**values, opened_by=actor.name[:120])
    ledger.append(made, act="periods.open", body=values, actor=actor, at=now)
    audit.record(actor, "periods.period.open", on=made, at=now, kind=made.kind, school_year=made.school_year)
    return made


@transaction.atomic
def change_period(*, actor: Actor, uid: UUID, version: int, plan: Plan, now: datetime) -> ReportPeriod:
    """Change a period that is not frozen; kind and school year stay. Raises AlreadyFrozen, Stale, Invalid."""
    permissions.demand(actor, "periods.manage", at=now)
    held = _period(uid)
    if held.state != ReportPeriod.State.OPEN:
        raise AlreadyFrozen()
    if held.version != version:
        raise Stale(mine=version, theirs=held.version)
    values = _checked(plan) | {"kind": held.kind, "school_year": held.school_year}
    for name, value in values.items():
        setattr(held, name, value)
    held.save(update_fields=list(values))
    ledger.append(held, act="periods.change", body=values, actor=actor, at=now)
    audit.record(actor, "periods.period.change", on=held, at=now)
    return held


def _period(uid: UUID) -> ReportPeriod:
    held = ReportPeriod.objects.select_for_update(of=("self",)).filter(uid=uid).first()
    if held is None:
        raise NotFound()
    return held


@transaction.atomic
def freeze_now(*, actor: Actor, uid: UUID, now: datetime) -> Job:
    """Start freezing at once, before the period's moment. Raises NotAllowed; asking again gives the same job."""
    permissions.demand(actor, "periods.manage", at=now)
    held = _period(uid)
    audit.record(actor, "periods.period.freeze_now", on=held, at=now)
    return freezing.queue(held, actor=actor, now=now)


@transaction.atomic
def close_period(*, actor: Actor, uid: UUID, now: datetime) -> ReportPeriod:
    """End a frozen period: nothing of it moves any more. Raises AlreadyFrozen unless it is frozen and not ended."""
    permissions.demand(actor, "periods.manage", at=now)
    held = _period(uid)
    if held.state != ReportPeriod.State.FROZEN:
        raise AlreadyFrozen()
    held.state, held.closed_at = ReportPeriod.State.CLOSED, now
    held.save(update_fields=["state", "closed_at"])
    ledger.append(held, act="periods.close", body={"root": held.root}, actor=actor, at=now)
    audit.record(actor, "periods.period.close", on=held, at=now)
    return held


# -- the school --------------------------------------------------------------------------------------------


@transaction.atomic
def approve(*, actor: Actor, documents: Sequence[tuple[str, str]], now: datetime) -> SubmissionApproval:
    """Approve the signing of some snapshots of one school and start the job that signs them.

    documents  (submission uid, SHA-256) as the head was shown them; where they differ from what waits, Stale

    Raises NothingToSign, NotTheHead, Stale, NoRecentCheckpoint while the ledger does not leave the machine.
    """
    permissions.demand(actor, "periods.sign", on=permissions.ANYWHERE, at=now)
    wanted = dict(documents)
    held = list(
        Submission.objects.select_for_update(of=("self",)).select_related("school", "snapshot").filter(uid__in=list(wanted)).order_by("pk")
    )
    if not held or len(held) != len(wanted):
        raise NotFound()
    for one in held:
        permissions.demand(actor, "periods.sign", on=one, at=now)
    ledger.require_recent_checkpoint(now)
    waiting = [one for one in held if one.state == State.WAITING]
    if not waiting:
        raise NothingToSign()
    if any(one.snapshot.sha256 != wanted[str(one.uid)] for one in waiting):
        raise Stale(mine="", theirs="")
    school = waiting[0].school
    if any(one.school_id != school.pk for one in waiting):
        raise NotFound()
    approval = SubmissionApproval.objects.create(
        school=school, account_id=actor.account_id, signer_name=_head(actor, school, now), approved_at=now,
        documents=[[one.pk, one.snapshot.sha256] for one in waiting],
    )  # fmt: skip
    approval.job = jobs.start(
        "periods.sign", actor=actor, title=str(_("Ký số liệu: %(school)s")) % {"school": school.name}, at=now, school_id=school.pk,
        parameters={"approval": approval.pk}, total=len(waiting), key=f"periods.sign:{approval.uid}",
    )  # fmt: skip
    approval.save(update_fields=["job"])
    audit.record(actor, "periods.approval.create", on=approval, at=now, count=len(waiting))
    return approval


def _head(actor: Actor, school: Unit, now: datetime) -> str:
    is_head = Post.objects.filter(
        person_id=actor.person_id or 0, school_id=school.pk, position=Position.PRINCIPAL, valid__contains=local_day(now)
    ).exists()
    if not is_head:
        raise NotTheHead(school=school.name)
    return Person.objects.get(pk=actor.person_id).name


@transaction.atomic
def freeze_again(*, actor: Actor, uid: UUID, reason: str, now: datetime) -> Job:
    """Start taking the school's snapshot again. Raises NotAtHer unless it was returned or unlocked, ReasonNeeded."""
    held = _submission(actor, uid, "periods.prepare", now)
    if held.state not in (State.RETURNED, State.UNLOCKED):
        raise NotAtHer(state=held.get_state_display())
    return jobs.start(
        freezing.REFREEZE, actor=actor, title=str(_("Chốt lại số liệu: %(school)s")) % {"school": held.school.name}, at=now, school_id=held.school_id,
        parameters={"submission": held.pk, "reason": _reason(reason)}, total=1, key=f"{freezing.REFREEZE}:{held.uid}:{held.snapshot.number + 1}",
    )  # fmt: skip


@transaction.atomic
def ask_unlock(*, actor: Actor, uid: UUID, reason: str, now: datetime) -> Submission:
    """Ask the bodies above to open what the school signed. Raises NotAtHer, ReasonNeeded."""
    held = _submission(actor, uid, "periods.prepare", now)
    if held.state not in (State.CHECKING, State.CONFIRMED) or held.unlock_reason or held.period.state == ReportPeriod.State.CLOSED:
        raise NotAtHer(state=held.get_state_display())
    held.unlock_reason = _reason(reason)[:500]
    held.save(update_fields=["unlock_reason"])
    _note(held, SubmissionAct.Act.ASK_UNLOCK, actor=actor, now=now, text=held.unlock_reason)
    return held


@transaction.atomic
def compare(*, actor: Actor, uid: UUID, now: datetime) -> Job:
    """Start setting a school's standing snapshot against the register of now; one a minute."""
    held = _submission(actor, uid, "periods.view", now)
    return jobs.start(
        freezing.COMPARE, actor=actor, title=str(_("So với hiện nay: %(school)s")) % {"school": held.school.name}, at=now, school_id=held.school_id,
        parameters={"submission": held.pk}, total=1, key=f"{freezing.COMPARE}:{held.uid}:{actor.account_id}:{now:%Y%m%d%H%M}",
    )  # fmt: skip


# -- the bodies above --------------------------------------------------------------------------------------


@transaction.atomic
def confirm(*, actor: Actor, documents: Sequence[tuple[str, int]], now: datetime, reason: str = "") -> list[Submission]:
    """Confirm some submissions, each of which moves to the next body above, or is confirmed at the top.

    documents  (uid, version) as they were shown
    reason     needed where the province acts for a body below it

    Raises NotFound, NotAtHer, Stale, ReasonNeeded; nothing of the act is kept then.
    """
    return [_confirm(actor, UUID(uid), version, reason, now) for uid, version in sorted(documents)]


def _confirm(actor: Actor, uid: UUID, version: int, reason: str, now: datetime) -> Submission:
    held = _submission(actor, uid, "periods.check", now)
    if held.state != State.CHECKING:
        raise NotAtHer(state=held.get_state_display())
    if held.version != version:
        raise Stale(mine=version, theirs=held.version)
    unit = _deciding(actor, held, now, reason)
    held.step += 1
    if held.step >= len(held.path):
        held.state, held.confirmed_at, held.at_unit = State.CONFIRMED, now, None
    else:
        held.at_unit_id = held.path[held.step]
    held.save(update_fields=["step", "state", "confirmed_at", "at_unit"])
    _note(held, SubmissionAct.Act.CONFIRM, actor=actor, now=now, unit_id=unit, text=text.clean(reason))
    return held


@transaction.atomic
def send_back(*, actor: Actor, uid: UUID, version: int, remarks: str, now: datetime) -> Submission:
    """Return a submission to its school with remarks. Raises NotAtHer, Stale, ReasonNeeded."""
    held = _submission(actor, uid, "periods.check", now)
    if held.state != State.CHECKING:
        raise NotAtHer(state=held.get_state_display())
    if held.version != version:
        raise Stale(mine=version, theirs=held.version)
    words = _reason(remarks)
    unit = _deciding(actor, held, now, words)
    held.state, held.remarks, held.at_unit, held.unlock_reason = State.RETURNED, words, None, ""
    held.save(update_fields=["state", "remarks", "at_unit", "unlock_reason"])
    _note(held, SubmissionAct.Act.RETURN, actor=actor, now=now, unit_id=unit, text=words)
    return held


@transaction.atomic
def decide_unlock(*, actor: Actor, uid: UUID, version: int, is_granted: bool, reason: str, now: datetime) -> Submission:
    """Open a submission whose school asked for it, or refuse, with a reason. Raises NotAtHer, Stale, ReasonNeeded.

    The body that has it decides; what the top confirmed only the top opens.
    """
    held = _submission(actor, uid, "periods.check", now)
    if not held.unlock_reason or held.state not in (State.CHECKING, State.CONFIRMED):
        raise NotAtHer(state=held.get_state_display())
    if held.version != version:
        raise Stale(mine=version, theirs=held.version)
    words = _reason(reason)
    unit = _deciding(actor, held, now, words)
    held.unlock_reason = ""
    if is_granted:
        held.state, held.at_unit, held.confirmed_at, held.remarks = State.UNLOCKED, None, None, words
    held.save(update_fields=["unlock_reason", "state", "at_unit", "confirmed_at", "remarks"])
    act = SubmissionAct.Act.UNLOCK if is_granted else SubmissionAct.Act.REFUSE_UNLOCK
    _note(held, act, actor=actor, now=now, unit_id=unit, text=words)
    return held


def _submission(actor: Actor, uid: UUID, right: str, now: datetime) -> Submission:
    held = (
        Submission.objects.select_for_update(of=("self",)).select_related("period", "school", "snapshot").filter(uid=uid).first()
    )
    if held is None:
        raise NotFound()
    permissions.demand(actor, right, on=held, at=now)
    if held.period.state == ReportPeriod.State.CLOSED and right != "periods.view":
        raise AlreadyFrozen()
    return held


def _deciding(actor: Actor, held: Submission, now: datetime, reason: str) -> int | None:
    """Return the body in whose name the actor decides; raises NotAtHer, ReasonNeeded."""
    at = held.path[min(held.step, len(held.path) - 1)] if held.path else None
    if actor.unit_id is not None and actor.unit_id == at:
        return at
    body = Unit.objects.filter(pk=at or 0).first()
    if actor.schools is None:
        if body is None or body.kind == UnitKind.PROVINCE:
            return at
        _reason(reason)  # for a body below: only with a reason, which the school reads too
        return at
    ended = body is not None and body.valid.upper is not None and body.valid.upper <= local_day(now)
    if ended and body.kind != UnitKind.PROVINCE and _is_over(actor.unit_id, held.school_id, local_day(now)):
        return at
    raise NotAtHer(state=held.get_state_display())


def _is_over(unit_id: int | None, school_id: int, day: date) -> bool:
    return UnitReach.objects.filter(ancestor_id=unit_id or 0, descendant_id=school_id, depth__gt=0, valid__contains=day).exists()


def _reason(words: str) -> str:
    found = text.clean(words)
    if len(found) < 3:
        raise ReasonNeeded(fields={"reason": [str(ReasonNeeded.title)]})
    return found[:2000]


def _note(held: Submission, act: str, *, actor: Actor, now: datetime, unit_id: int | None = None, text: str = "") -> None:
    """Keep an act in the list, the ledger, the audit and the outbox."""
    act_of(held, act, actor=actor, now=now, unit_id=unit_id, text=text).save()
    body = {"state": held.state, "step": held.step, "unit": unit_id, "sha256": held.snapshot.sha256, "text": text}
    ledger.append(held, act=f"periods.{act}", body=body, actor=actor, at=now)
    audit.record(actor, f"periods.submission.{act}", on=held, at=now, reason=text[:500], state=held.state)
    moved = SubmissionMoved(str(held.period.uid), str(held.uid), held.school_id, act, held.state, held.snapshot.sha256)
    events.publish(moved, at=now)
