"""Pages of the ministry's file: ask for it, watch it, read its report, take it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from khue.gateway.exchange.ministry import forms, queries, services, taking
from khue.gateway.exchange.sheets.limits import SheetRefused
from khue.kernel import files, permissions
from khue.kernel.permissions.loading import local_day
from khue.register.fields import sections
from khue.register.fields.checking import PROBLEMS
from regulations import calendar

LEVEL_NAMES = sections.LEVELS
OBJECT_NAMES = {
    **sections.OBJECTS, "other_centre": _("Trung tâm khác"), "community_centre": _("Trung tâm học tập cộng đồng"), "retest": _("Thi lại"),
    "independent_candidate": _("Thí sinh tự do"), "graduation": _("Xét tốt nghiệp"), "eqms_start": _("EQMS đầu năm"),
    "eqms_mid": _("EQMS giữa năm"), "eqms_end": _("EQMS cuối năm"), "land": _("Đất đai"), "room": _("Phòng học"),
}  # fmt: skip


@require_http_methods(["GET", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """Ask for a file; list those there are."""
    now = timezone.now()
    permissions.demand(request.actor, "exchange.ministry_file", at=now)  # type: ignore[attr-defined]
    form = forms.AskForm(request.POST or None, initial={"school_year": calendar.school_year_of(local_day(now)), "xlsx": True})
    if request.method == "POST" and form.is_valid():
        job = services.ask(actor=request.actor, now=now, **form.cleaned_data)  # type: ignore[attr-defined]
        return redirect("exchange:ministry:report", uid=job.uid)
    found = list(queries.packages(request.actor, at=now)[:50])  # type: ignore[attr-defined]
    return render(request, "ministry/index.html", {"form": form, "packages": found}, status=422 if form.errors else 200)


@require_safe
def report(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show a file's progress, then its report: totals, and the rows of one kind of fault."""
    now = timezone.now()
    job = queries.package(request.actor, uid, at=now)  # type: ignore[attr-defined]
    found = queries.report(job) if job.result.get("report") else None
    values: dict[str, Any] = {"job": job, "report": found}
    if found is not None:
        chosen = _chosen(found, request.GET.get("loi", ""))
        values |= {
            "records": _records(found), "chosen": chosen, "violations": [_shown(one) for one in found["violations"][:300]],
            "more": max(0, len(found["violations"]) - 300),
        }  # fmt: skip
    return render(request, "ministry/report.html", values)


def _key(one: dict[str, Any]) -> str:
    return ":".join((one["level"], one["object"], one["symbol"], one["problem"]))


def _shown(one: dict[str, Any]) -> dict[str, Any]:
    return {
        **one, "key": _key(one), "level_name": LEVEL_NAMES[one["level"]], "object_name": OBJECT_NAMES[one["object"]],
        "problem_name": PROBLEMS[one["problem"]],
    }  # fmt: skip


def _chosen(found: dict[str, Any], key: str) -> dict[str, Any] | None:
    one = next((one for one in found["violations"] if _key(one) == key), None)
    if one is None:
        return None
    rows = [{**row, "url": _address(one["object"], row["uid"])} for row in one["rows"]]
    return {**_shown(one), "rows": rows, "hidden": one["count"] - len(rows)}


def _address(object_: str, uid: str) -> str:
    """Return where the row is mended."""
    if not uid:
        return ""
    return {
        "class": lambda: reverse("schooling:class", args=[uid]),
        "learner": lambda: reverse("schooling:learner", args=[uid]),
        "result": lambda: reverse("schooling:learner", args=[uid]),
        "school": lambda: reverse("orgs:unit", args=[uid]),
    }.get(object_, lambda: "")()


def _records(found: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for level, level_name in LEVEL_NAMES.items():
        for object_, object_name in OBJECT_NAMES.items():
            count = found["records"].get(f"{level}.{object_}")
            if count:
                rows.append({"level": level_name, "object": object_name, "count": count, "faulty": found["faulty"].get(f"{level}.{object_}", 0)})
    return rows


@require_safe
def package(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Give the package out; its making and each giving are in audit and ledger."""
    now = timezone.now()
    job = queries.package(request.actor, uid, at=now)  # type: ignore[attr-defined]
    kept = queries.stored(job, "package")
    content = files.read(kept)
    if request.method == "GET":
        services.give(actor=request.actor, job=job, kept=kept, now=now)  # type: ignore[attr-defined]
    response = HttpResponse(content, content_type=kept.content_type)
    response["Content-Disposition"] = f'attachment; filename="{kept.name}"'
    return response


@require_http_methods(["GET", "POST"])
def take(request: HttpRequest) -> HttpResponse:
    """Bring a file of QĐ 4998 records in."""
    now = timezone.now()
    permissions.demand(request.actor, "exchange.take_ministry", on=permissions.ANYWHERE, at=now)  # type: ignore[attr-defined]
    form = forms.TakeForm(request.POST or None, request.FILES or None, initial={"school_year": calendar.school_year_of(local_day(now))})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            job = services.ask_to_take(
                actor=request.actor, content=values["file"].read(), name=values["file"].name, school_year=values["school_year"], now=now,  # type: ignore[attr-defined]
                level=values["level"], unit=values["unit"],
            )  # fmt: skip
            return redirect("exchange:ministry:taken", uid=job.uid)
        except SheetRefused as refusal:
            form.add_error("file", f"{refusal.sentence} {refusal.next_step}")
    return render(request, "ministry/take.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
def taken(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show what became of the records of a file: counts, and what was not taken with the reason."""
    job = queries.taken(request.actor, uid, at=timezone.now())  # type: ignore[attr-defined]
    counts, problems = job.result.get("counts", {}), job.result.get("problems", [])
    return render(request, "ministry/taken.html", {
        "job": job, "is_done": job.finished_at is not None,
        "stats": [(title, counts.get(code, 0)) for code, title in (("same", _("Không đổi")), ("changed", _("Đã sửa")), ("made", _("Thêm mới")), ("refused", _("Không nhận")))],
        "problems": [
            {**one, "level_name": LEVEL_NAMES.get(one["level"], one["level"]), "object_name": OBJECT_NAMES.get(one["object"], one["object"]),
             "problem_name": taking.REASONS.get(one["problem"], one["problem"])}
            for one in problems[:500]
        ],
        "more": max(0, counts.get("problems", 0) - 500),
    })  # fmt: skip
