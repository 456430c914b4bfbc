"""Writes: ask for a school's bundle, bring one in as batches of the import."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from khue.gateway.exchange import services as imports
from khue.gateway.exchange.models import ImportBatch
from khue.gateway.oneroster import bundle, work
from khue.kernel import audit, jobs, permissions
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.orgs.models import Unit
from regulations import calendar


@dataclass(frozen=True, slots=True)
class Staged:
    """What a bundle became: batches to look at before anything is written, and learners left out for two classes."""

    batches: tuple[ImportBatch, ...]
    without_class: int


@transaction.atomic
def ask(*, actor: Actor, school: Unit, with_marks: bool, now: datetime, since: date | None = None) -> Job:
    """Start writing a school's bundle, whole or only what changed since the beginning of a day. Raises NotAllowed, NotFound."""
    permissions.demand(actor, "oneroster.export", on=school, at=now)
    audit.record(actor, "oneroster.bundle.ask", on=school, at=now, marks=with_marks, since=since.isoformat() if since else "")
    return jobs.start(
        work.EXPORT, actor=actor, title=str(_("Gói OneRoster: %(school)s")) % {"school": school.name}, at=now, school_id=school.pk,
        parameters={"school": school.pk, "marks": with_marks, "since": since.isoformat() if since else ""}, total=1,
    )  # fmt: skip


@transaction.atomic
def bring(*, actor: Actor, school: Unit, content: bytes, name: str, now: datetime) -> Staged:
    """Read a bundle and stage its classes and learners for one school; nothing is written into the register yet.

    Raises NotABundle, OfAnotherSchool, NotAllowed, NotFound.
    """
    permissions.demand(actor, "oneroster.import", on=school, at=now)
    found = bundle.sheets(bundle.read(content), school_code=school.code, school_uid=str(school.uid), school_name=school.name)
    year = calendar.school_year_of(local_day(now))
    batches = []
    for kind, sheet, count in (("classes", found.classes, found.class_count), ("learners", found.learners, found.learner_count)):
        if count:
            batches.append(imports.upload(actor=actor, school=school, kind=kind, content=sheet, name=f"{name[:60]}-{kind}.csv", school_year=year, now=now))
    audit.record(actor, "oneroster.bundle.bring", on=school, at=now, classes=found.class_count, learners=found.learner_count)
    return Staged(tuple(batches), found.without_class)
