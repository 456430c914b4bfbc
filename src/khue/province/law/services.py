"""Starting comparisons and recomputations as work in the background. Neither writes anything but its own job and its list."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from khue.kernel import audit, files, jobs, permissions
from khue.kernel.errors import Invalid
from khue.kernel.jobs import Step
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import Actor
from khue.province.law import comparing, recomputing
from khue.province.law.comparing import Side, Totals
from khue.register.orgs.models import Unit
from khue.school.gradebook import terms

COMPARE, RECOMPUTE = "law.compare", "law.recompute"
PURPOSE = "law"
KEPT_FOR = timedelta(days=90)
"""How long the list of learners of a run is kept; its totals name nobody and stay. Our choice, no law sets it."""
SWEPT = "swept"


def school_of(code: str) -> Unit | None:
    """Return the school of a code, None for "". Raises Invalid for a code no school has."""
    if not code:
        return None
    school = Unit.objects.schools().filter(code=code).first()
    if school is None:
        raise Invalid(fields={"school": [_("Không có trường nào mang mã này.")]})
    return school


@transaction.atomic
def start_compare(
    *, actor: Actor, before: Side, after: Side, year: int, school: Unit | None, draft: Mapping[str, Any] | None, now: datetime
) -> Job:
    """Queue a comparison of a closed year under two rule sets, of one school or of the province.

    draft   the data of `after`, where it is a draft

    Raises NotAllowed, NotComparable for two that decide no grade in common.
    """
    permissions.demand(actor, "law.compare", on=permissions.ANYWHERE, at=now)
    grades = comparing.grades_of(before, after)
    reach = comparing.reach(grades, year, school.pk if school else None)
    parameters = {
        "before": before.id, "after": after.id, "draft": dict(draft) if draft is not None else None, "year": year,
        "school": school.pk if school else None, "classes": list(reach.class_ids), "open_classes": reach.open_classes,
        "names": [before.name, after.name], "school_name": school.name if school else "",
    }  # fmt: skip
    title = _("So sánh %(before)s với %(after)s, năm học %(year)s") % {
        "before": before.name, "after": after.name, "year": terms.year_title(year)
    }  # fmt: skip
    job = jobs.start(COMPARE, actor=actor, title=title, at=now, parameters=parameters, total=len(reach.class_ids))
    audit.record(actor, "law.compare.start", on=job, at=now, before=before.id, after=after.id, year=year)
    return job


@transaction.atomic
def start_recompute(*, actor: Actor, year: int, school: Unit | None, now: datetime) -> Job:
    """Queue a recomputation of a closed year, of one school or of the province. Raises NotAllowed."""
    permissions.demand(actor, "law.recompute", on=permissions.ANYWHERE, at=now)
    classes = recomputing.closed_classes(year, school.pk if school else None)
    parameters = {
        "year": year, "school": school.pk if school else None, "classes": classes, "school_name": school.name if school else "",
    }  # fmt: skip
    title = _("Tính lại để đối chiếu, năm học %(year)s") % {"year": terms.year_title(year)}
    job = jobs.start(RECOMPUTE, actor=actor, title=title, at=now, parameters=parameters, total=len(classes))
    audit.record(actor, "law.recompute.start", on=job, at=now, year=year)
    return job


def sides_of(parameters: Mapping[str, Any]) -> tuple[Side, Side]:
    """Return the two sides of a comparison from its job's parameters."""
    before = comparing.side_of(parameters["before"])
    after = comparing.draft_side(parameters["draft"]) if parameters["draft"] is not None else comparing.side_of(parameters["after"])
    return before, after


def _part(rows: list[dict[str, Any]], name: str, actor: Actor) -> list[Any]:
    """Store a part of a list and return what the job's result keeps of it: its hash and how many rows."""
    content = json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()
    stored = files.store(content, name=name, content_type="application/json", purpose=PURPOSE, account_id=actor.account_id)
    return [stored.sha256, len(rows)]


@jobs.kind(COMPARE, gettext_lazy("So sánh kết quả theo hai bộ quy định"))
def compare(job: Job, actor: Actor) -> Iterator[Step]:
    """Compare the classes in `parameters["classes"]`, set after set."""
    permissions.demand(actor, "law.compare", on=permissions.ANYWHERE, at=timezone.now())
    before, after = sides_of(job.parameters)
    classes = [int(pk) for pk in job.parameters["classes"]]
    result = dict(job.result) or {"totals": Totals().as_data(), "parts": []}
    address = reverse("law:comparison", args=[job.uid])
    start = int(job.cursor.get("place", 0))
    if not classes:
        yield Step(done=0, result=result, result_url=address, message=_("Không có lớp nào đã khoá năm học này."))
        return
    for place, totals, found, _rows in comparing.compare(before, after, int(job.parameters["year"]), classes, start=start):
        counted = Totals.of_data(result["totals"])
        counted.merge(totals)
        result = {"totals": counted.as_data(), "parts": list(result.get("parts", []))}
        if found:
            rows = [{key: value for key, value in asdict(one).items() if key != "why"} for one in found]
            result["parts"].append(_part(rows, f"so-sanh-{place}.json", actor))
        message = _("%(different)s trong %(learners)s em có kết quả khác.") % {
            "different": counted.different, "learners": counted.learners
        }  # fmt: skip
        yield Step(done=place, cursor={"place": place}, total=len(classes), message=message, result=result, result_url=address)


@jobs.kind(RECOMPUTE, gettext_lazy("Tính lại năm học đã khoá để đối chiếu"))
def recompute(job: Job, actor: Actor) -> Iterator[Step]:
    """Recompute the classes in `parameters["classes"]`, set after set."""
    permissions.demand(actor, "law.recompute", on=permissions.ANYWHERE, at=timezone.now())
    classes = [int(pk) for pk in job.parameters["classes"]]
    result = dict(job.result) or {"learners": 0, "differences": 0, "parts": []}
    address = reverse("law:recomputation", args=[job.uid])
    start = int(job.cursor.get("place", 0))
    if not classes:
        yield Step(done=0, result=result, result_url=address, message=_("Không có lớp nào đã khoá năm học này."))
        return
    for place, learners, found in recomputing.recompute(int(job.parameters["year"]), classes, start=start):
        result = {
            "learners": result["learners"] + learners, "differences": result["differences"] + len(found), "parts": list(result.get("parts", [])),
        }  # fmt: skip
        if found:
            rows = [{key: value for key, value in asdict(one).items() if key != "learner"} for one in found]
            result["parts"].append(_part(rows, f"tinh-lai-{place}.json", actor))
        message = _("%(differences)s chỗ khác trong hồ sơ của %(learners)s em.") % {
            "differences": result["differences"], "learners": result["learners"]
        }  # fmt: skip
        yield Step(done=place, cursor={"place": place}, total=len(classes), message=message, result=result, result_url=address)


def sweep(*, now: datetime) -> int:
    """Remove the lists of runs that ended (or were last heard of) more than `KEPT_FOR` ago; return how many runs lost theirs.

    Each run is one transaction, its result first and the bytes after commit: a second start finds the rest. Bytes that a
    younger run lists as well stay until it goes.
    """
    old = Job.objects.filter(kind__in=[COMPARE, RECOMPUTE]).annotate(last=Coalesce("finished_at", "changed_at"))
    swept = 0
    for pk in old.filter(last__lt=now - KEPT_FOR, result__has_key="parts").values_list("pk", flat=True):
        with transaction.atomic():
            job = Job.objects.select_for_update(of=("self",)).get(pk=pk)
            digests = {digest for digest, _count in job.result.get("parts", [])}
            job.result = {key: value for key, value in job.result.items() if key != "parts"} | {SWEPT: now.date().isoformat()}
            job.save(update_fields=["result"])
            audit.record(permissions.system_actor("worker"), "law.list.swept", on=job, at=now, parts=len(digests))
        files.forget(digests - _listed(digests), purpose=PURPOSE)
        swept += 1
    return swept


def _listed(digests: set[str]) -> set[str]:
    """Return those of the hashes that a run still lists."""
    kept = Job.objects.filter(kind__in=[COMPARE, RECOMPUTE], result__has_key="parts").values_list("result__parts", flat=True)
    return digests & {digest for parts in kept for digest, _count in parts}
