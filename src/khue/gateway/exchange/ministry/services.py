"""Asking for the ministry's file."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from khue.kernel import audit, jobs, ledger, permissions
from khue.kernel.files.models import StoredFile
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import Actor


@transaction.atomic
def ask(*, actor: Actor, school_year: int, now: datetime, xlsx: bool = True) -> Job:
    """Queue the job that writes the file of a school year."""
    from khue.gateway.exchange.ministry.work import KIND

    permissions.demand(actor, "exchange.ministry_file", at=now)
    title = _("Tệp gửi Bộ năm học %(first)s–%(last)s") % {"first": school_year, "last": school_year + 1}
    job = jobs.start(KIND, actor=actor, title=title, at=now, parameters={"school_year": school_year, "at": now.isoformat(), "xlsx": xlsx})
    audit.record(actor, "exchange.ministry_file.ask", on=job, at=now, school_year=school_year)
    return job


@transaction.atomic
def give(*, actor: Actor, job: Job, kept: StoredFile, now: datetime) -> None:
    """Note in audit and ledger that a package was given out again: each leaving of the data is told, not the first alone."""
    from khue.gateway.exchange.ministry.writing import CHAIN

    permissions.demand(actor, "exchange.ministry_file", at=now)
    body = {"job": str(job.uid), "file": kept.name, "sha256": kept.sha256}
    ledger.append(ledger.chain_for(CHAIN), act="exchange.ministry_file.given", body=body, actor=actor, at=now)
    audit.record(actor, "exchange.ministry_file.give", on=job, at=now, file=kept.name, sha256=kept.sha256)
