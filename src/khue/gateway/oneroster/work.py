"""The job that writes a school's bundle; it is taken through a counted door."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from khue.gateway.oneroster import bundle, queries
from khue.kernel import audit, faults, files, jobs
from khue.kernel.jobs import Step
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import Actor
from khue.register.orgs.models import Unit

EXPORT = "oneroster.export"


@jobs.kind(EXPORT, _("Xuất gói OneRoster"))
def export(job: Job, actor: Actor) -> Iterator[Step]:
    """Write the bundle of one school, whole or what changed since a day; run again it leaves one more file and one result."""
    now = timezone.now()
    school = Unit.objects.schools().get(pk=job.parameters["school"])
    reading = queries.reading_of(actor, at=now, right="oneroster.export", school_id=school.pk)
    told = job.parameters.get("since")
    since = datetime.combine(date.fromisoformat(told), time.min, tzinfo=timezone.get_default_timezone()) if told else None
    content, records = bundle.write(reading, source=school.code, with_marks=bool(job.parameters.get("marks")), since=since)
    faults.hit("oneroster.export.before_store")
    kept = files.store(
        content, name=f"oneroster-{school.code}-{reading.year}{'-delta' if since else ''}.zip", content_type="application/zip", purpose="oneroster.bundle", school_id=school.pk,
        account_id=actor.account_id,
    )  # fmt: skip
    audit.record(actor, "oneroster.bundle.write", on=kept, at=now, school_id=school.pk, records=records, marks=bool(job.parameters.get("marks")), since=told or "")
    yield Step(done=1, total=1, result={"file": kept.pk, "records": records}, result_url=reverse("oneroster:bundle", args=[job.uid]))
