"""Writes: asking for a check, changing a rule, setting the day something is due."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from khue.kernel import audit, jobs, permissions
from khue.kernel.database.fields import period
from khue.kernel.errors import Invalid, NotFound, Stale
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.province.quality.models import Deadline, Rule, Severity


def start_nightly(*, actor: Actor, now: datetime) -> Job:
    """Queue the check of all schools; the same night gives the same job."""
    permissions.demand(actor, "quality.run", on=permissions.ANYWHERE, at=now)
    return _start(actor, now, key=f"quality.check:{local_day(now).isoformat()}")


@transaction.atomic
def ask(*, actor: Actor, now: datetime) -> Job:
    """Queue a check of the actor's schools."""
    permissions.demand(actor, "quality.run", on=permissions.ANYWHERE, at=now)
    job = _start(actor, now, key=None)
    audit.record(actor, "quality.check.ask", on=job, at=now)
    return job


def _start(actor: Actor, now: datetime, *, key: str | None) -> Job:
    school_id = actor.unit_id if actor.unit_id in (actor.schools or ()) else None
    return jobs.start(
        "quality.check", actor=actor, title=_("Kiểm tra chất lượng dữ liệu"), at=now, school_id=school_id,
        parameters={"at": now.isoformat(), **({"school": school_id} if school_id else {})}, key=key,
    )  # fmt: skip


@transaction.atomic
def change_rule(
    *, actor: Actor, code: str, version: int, severity: str, parameters: dict[str, Any], is_on: bool, now: datetime, reason: str
) -> Rule:
    """Set how bad a rule's findings are, its parameters, and whether it holds from today on.

    Raises Stale, NotFound, Invalid for a parameter the rule does not have or a value of another type.
    """
    permissions.demand(actor, "quality.set", at=now)
    rule = Rule.objects.select_for_update(of=("self",)).filter(code=code).first()
    if rule is None:
        raise NotFound()
    if rule.version != version:
        raise Stale(theirs=rule.version, mine=version)
    if severity not in Severity.values or set(parameters) != set(rule.parameters):
        raise Invalid(fields={"parameters": [_("Tham số không đúng với quy tắc này.")]})
    if any(type(parameters[name]) is not type(value) for name, value in rule.parameters.items()):
        raise Invalid(fields={"parameters": [_("Tham số không đúng kiểu.")]})
    before = {"severity": rule.severity, "parameters": rule.parameters, "is_on": local_day(now) in rule.valid}
    rule.severity, rule.parameters = severity, parameters
    if is_on and local_day(now) not in rule.valid:
        rule.valid = period(local_day(now))
    elif not is_on and local_day(now) in rule.valid:
        rule.valid = period(rule.valid.lower, local_day(now))
    rule.save(update_fields=["severity", "parameters", "valid"])
    audit.record(actor, "quality.rule.change", on=rule, at=now, reason=reason, code=code, before=before)
    rule.refresh_from_db(fields=["version"])
    return rule


@transaction.atomic
def set_deadline(*, actor: Actor, school_year: int, term: int, stage: str, due_on: date, now: datetime, level: str = "") -> Deadline:
    """Say by which day a term's registers are to be entered or closed."""
    permissions.demand(actor, "quality.set", at=now)
    if stage not in Deadline.Stage.values or term not in (1, 2):
        raise Invalid(fields={"stage": [_("Chọn việc và học kỳ.")]})
    made, _fresh = Deadline.objects.update_or_create(
        school_year=school_year, term=term, stage=stage, level=level, defaults={"due_on": due_on}
    )
    audit.record(actor, "quality.deadline.set", on=made, at=now, school_year=school_year, term=term, stage=stage, due_on=due_on.isoformat())
    return made
