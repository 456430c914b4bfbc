"""The nightly search for files of one person, some schools a step."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db import connection
from django.urls import reverse
from django.utils.translation import gettext as _now_
from django.utils.translation import gettext_lazy as _

from khue.kernel import faults, jobs, permissions
from khue.kernel.jobs import Step
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.orgs.models import Unit
from khue.register.people.doubles import finding, services
from khue.register.people.models import Double

KIND = "people.doubles"
SCHOOLS_A_STEP = 20


def start(*, actor: Actor, now: datetime) -> Job:
    """Queue the search over every school; the same night gives the same job."""
    permissions.demand(actor, "people.find_doubles", on=permissions.ANYWHERE, at=now)
    key = f"{KIND}:{local_day(now).isoformat()}" if actor.is_system else None
    return jobs.start(KIND, actor=actor, title=_now_("Tìm hồ sơ trùng"), at=now, parameters={"at": now.isoformat()}, key=key)


@jobs.kind(KIND, _("Tìm hồ sơ trùng"))
def search(job: Job, actor: Actor) -> Iterator[Step]:
    """Bring the work-list of each school up to date; killed, it goes on with the next school, and twice changes nothing."""
    now = datetime.fromisoformat(job.parameters["at"])
    permissions.demand(actor, "people.find_doubles", on=permissions.ANYWHERE, at=now)
    day = local_day(now)
    ids = list(Unit.objects.schools().on(day).order_by("pk").values_list("pk", flat=True))
    left = [pk for pk in ids if pk > job.cursor.get("after", 0)]
    found = int((job.result or {}).get("found", 0))
    for at in range(0, len(left), SCHOOLS_A_STEP):
        batch = left[at : at + SCHOOLS_A_STEP]
        found += sweep(batch, day=day)
        faults.hit("people.doubles.after_batch")
        yield Step(done=len(ids) - len(left) + at + len(batch), total=len(ids), cursor={"after": batch[-1]}, result={"found": found})
    yield Step(
        done=len(ids), total=len(ids), cursor={"after": ids[-1] if ids else 0}, result={"found": found}, result_url=reverse("people:doubles")
    )


def sweep(schools: list[int], *, day: object) -> int:
    """Settle what is found in these schools with what is open: new pairs open, those no longer alike get their day.

    Returns how many pairs were found. Pairs that stay as they are are not written.
    """
    pairs = {(pair.first, pair.second): pair for pair in finding.pairs_of(schools)}
    with connection.cursor() as cursor:
        cursor.execute(
            "select d.id, d.first_id, d.second_id, d.confidence, d.gone_on is null from people_double d"
            " join people_person a on a.id = d.first_id join people_person b on b.id = d.second_id"
            " where a.school_id = any(%(s)s) or b.school_id = any(%(s)s)",
            {"s": schools},
        )
        held = {(first, second): (pk, confidence, is_open) for pk, first, second, confidence, is_open in cursor.fetchall()}
    for key, pair in pairs.items():
        known = held.get(key)
        if known is None or not known[2] or known[1] != pair.confidence:
            services.keep(pair, day=day)
    gone = [pk for key, (pk, _confidence, is_open) in held.items() if is_open and key not in pairs]
    if gone:
        Double.objects.filter(pk__in=gone).update(gone_on=day)
    return len(pairs)
