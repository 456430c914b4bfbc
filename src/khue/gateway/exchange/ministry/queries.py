"""Reading what was written for the ministry: the packages, their reports, the rows of one field."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from khue.kernel import files, permissions
from khue.kernel.errors import NotFound
from khue.kernel.files.models import StoredFile
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import Actor

KIND = "exchange.ministry_file"


def packages(actor: Actor, *, at: datetime) -> QuerySet[Job]:
    """Return the jobs that wrote or write files, latest first."""
    permissions.demand(actor, KIND, at=at)
    return Job.objects.filter(kind=KIND).order_by("-pk")


def package(actor: Actor, uid: UUID, *, at: datetime) -> Job:
    """Return one job; raises NotFound."""
    found = packages(actor, at=at).filter(uid=uid).first()
    if found is None:
        raise NotFound()
    return found


def stored(job: Job, what: str) -> StoredFile:
    """Return the package or the report of a job that is done; raises NotFound."""
    kept = StoredFile.objects.filter(pk=job.result.get(what) or 0).first()
    if kept is None:
        raise NotFound()
    return kept


def report(job: Job) -> dict[str, Any]:
    """Return the stored report of a job; raises NotFound."""
    return dict(json.loads(files.read(stored(job, "report"))))


def taken(actor: Actor, uid: UUID, *, at: datetime) -> Job:
    """Return one job that took records in: the actor's own, or any of her school's; raises NotFound."""
    permissions.demand(actor, "exchange.take_ministry", on=permissions.ANYWHERE, at=at)
    found = Job.objects.filter(kind="exchange.ministry_take", uid=uid).first()
    if found is None or (found.account_id != actor.account_id and not (found.school_id and actor.covers_school(found.school_id))):
        raise NotFound()
    return found
