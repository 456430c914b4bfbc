"""The job that counts completeness and asks the rules, a batch of schools a step."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from khue.kernel import faults, jobs, permissions
from khue.kernel.jobs import Step
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.province.quality import sweeping
from khue.register.fields import counting

KIND = "quality.check"


@jobs.kind(KIND, _("Kiểm tra chất lượng dữ liệu"))
def check(job: Job, actor: Actor) -> Iterator[Step]:
    """Ask every rule of one school, or of those in the actor's place; the platform itself asks all of them every night.

    Progress is the last school done, so a killed job goes on with the next; asking a school twice changes nothing.
    """
    now = datetime.fromisoformat(job.parameters["at"])
    school_id = job.parameters.get("school")
    permissions.demand(actor, "quality.run", on=permissions.ANYWHERE if school_id is None else school_id, at=now)
    day = local_day(now)
    ids = counting.school_ids(on=day) if school_id is None else [school_id]
    if actor.schools is not None:
        ids = [pk for pk in ids if pk in actor.schools]
    left = [pk for pk in ids if pk > job.cursor.get("after", 0)]
    result = {"found": 0, "opened": 0, "mended": 0, **job.result}
    for at in range(0, len(left), sweeping.SCHOOLS_A_STEP):
        batch = left[at : at + sweeping.SCHOOLS_A_STEP]
        counting.count_schools(batch, on=day)
        faults.hit("quality.check.after_counting")
        for found, opened, mended in sweeping.sweep(batch, on=day).values():
            result = {"found": result["found"] + found, "opened": result["opened"] + opened, "mended": result["mended"] + mended}
        done = len(ids) - len(left) + at + len(batch)
        faults.hit("quality.check.after_batch")
        yield Step(done=done, total=len(ids), cursor={"after": batch[-1]}, result=result)
    if actor.schools is None and school_id is None:
        counting.sum_up(on=day)
        sweeping.sum_up(on=day)
    yield Step(done=len(ids), total=len(ids), cursor={"after": ids[-1] if ids else 0}, result=result, result_url=reverse("quality:index"))
