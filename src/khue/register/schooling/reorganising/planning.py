"""Mergers decided before their day: written down, done on that day by the worker, withdrawn before it.

On the day the same act runs as for today (`merge_schools`), by its day even when it could only be done later; what keeps it
from being done is kept with the plan and shown, and it is tried again each hour.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from khue.kernel import audit, faults, permissions
from khue.kernel.database import scope
from khue.kernel.errors import DomainError, Invalid, NotFound
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.orgs.models import Unit
from khue.register.schooling.models import SchoolPlan
from khue.register.schooling.reorganising.moving import merge_schools


class AlreadyPlanned(DomainError):
    """One of the two schools ends by another plan before or on that day. Facts: school, on."""

    code, status = "schooling.already-planned", 409
    title = _("%(school)s đã có kế hoạch sáp nhập từ ngày %(on)s.")
    advice = _("Hãy rút kế hoạch ấy trước, hoặc chọn trường nhận khác.")


@transaction.atomic
def plan_merge(*, actor: Actor, source_id: int, target_id: int, on: date, reason: str, now: datetime) -> SchoolPlan:
    """Write down that one school takes over another whole from a day to come; nothing moves yet.

    Raises Invalid for a day that is not to come, NotFound for a school that is not there on that day, AlreadyPlanned.
    """
    permissions.demand(actor, "orgs.change_tree", at=now)
    if on <= local_day(now):
        raise Invalid(fields={"on": [str(_("Ngày đã đến thì thực hiện ngay, không lập kế hoạch."))]})
    with scope.opened(everything=True):
        held = {unit.pk: unit for unit in Unit.objects.select_for_update(of=("self",)).schools().on(on).filter(pk__in=[source_id, target_id]).order_by("pk")}
        if len(held) != 2:
            raise NotFound()
        other = SchoolPlan.objects.filter(state=SchoolPlan.State.PLANNED, source_id__in=held).exclude(source_id=target_id, on__gt=on).first()
        if other is not None:
            raise AlreadyPlanned(school=held[other.source_id].name, on=other.on.strftime("%d/%m/%Y"))
        plan = SchoolPlan.objects.create(
            source=held[source_id], target=held[target_id], on=on, reason=reason[:300], planned_by=actor.account_id, planned_name=actor.name[:120],
            planned_at=now,
        )  # fmt: skip
        audit.record(actor, "schooling.school.plan", on=plan, at=now, reason=reason, source=held[source_id].code, target=held[target_id].code, on_day=on.isoformat())
    return plan


@transaction.atomic
def withdraw(*, actor: Actor, uid: UUID, now: datetime) -> SchoolPlan:
    """Take a plan back before it is done; twice is harmless. Raises NotFound for one that was done or is not there."""
    permissions.demand(actor, "orgs.change_tree", at=now)
    plan = SchoolPlan.objects.select_for_update(of=("self",)).select_related("source", "target").filter(uid=uid).first()
    if plan is None or plan.state == SchoolPlan.State.DONE or (actor.schools is not None and plan.source_id not in actor.schools):
        raise NotFound()
    if plan.state == SchoolPlan.State.PLANNED:
        plan.state = SchoolPlan.State.WITHDRAWN
        plan.save(update_fields=["state"])
        audit.record(actor, "schooling.school.unplan", on=plan, at=now, source=plan.source.code, target=plan.target.code)
    return plan


def perform_planned(*, actor: Actor, now: datetime) -> tuple[int, int]:
    """Do the plans whose day has come, each in a transaction of its own; returns how many were done and how many could not.

    Harmless to run twice or at once: a plan is locked while it is done.
    """
    done = failed = 0
    for pk in SchoolPlan.objects.filter(state=SchoolPlan.State.PLANNED, on__lte=local_day(now)).order_by("on", "pk").values_list("pk", flat=True):
        try:
            done += _perform(actor, pk, now)
        except DomainError as refusal:
            failed += 1
            SchoolPlan.objects.filter(pk=pk, state=SchoolPlan.State.PLANNED).update(problem=f"{refusal.sentence} {refusal.next_step}".strip()[:300])
    return done, failed


@transaction.atomic
def _perform(actor: Actor, pk: int, now: datetime) -> int:
    plan = SchoolPlan.objects.select_for_update(of=("self",)).get(pk=pk)
    if plan.state != SchoolPlan.State.PLANNED:
        return 0
    merge_schools(actor=actor, source_ids=[plan.source_id], target_id=plan.target_id, on=plan.on, reason=plan.reason, now=now)  # settles the plan
    faults.hit("schooling.plan.before_commit")
    return 1
