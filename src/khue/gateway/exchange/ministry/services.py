"""Asking for the ministry's file."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from khue.kernel import audit, jobs, permissions
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
