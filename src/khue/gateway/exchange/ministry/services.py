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


@transaction.atomic
def ask_to_take(*, actor: Actor, content: bytes, name: str, school_year: int, now: datetime, level: str = "", object_: str = "", unit: str = "") -> Job:
    """Keep a file of QĐ 4998 records and queue taking it in. Raises SheetRefused for what is no such file, NotAllowed."""
    from khue.gateway.exchange.ministry import sources
    from khue.gateway.exchange.ministry.work import TAKE
    from khue.kernel import files

    permissions.demand(actor, "exchange.take_ministry", on=permissions.ANYWHERE, at=now)
    found = sources.read(content, name=name, level=level, object_=object_)
    sources.check_manifest(content, school_year=school_year)
    place = actor.unit_id if actor.unit_id in (actor.schools or ()) else None
    kept = files.store(content, name=name[-200:], content_type="application/x-khue-ministry", purpose="exchange.ministry.take", school_id=place, account_id=actor.account_id)
    parameters = {"file": kept.pk, "school_year": school_year, "at": now.isoformat(), "level": level, "object": object_, "unit": unit}
    job = jobs.start(TAKE, actor=actor, title=_("Nhập tệp bản ghi theo QĐ 4998"), at=now, school_id=place, parameters=parameters)
    audit.record(actor, "exchange.ministry.ask_to_take", on=job, at=now, records=sum(len(rows) for rows in found.values()), sha256=kept.sha256)
    return job
