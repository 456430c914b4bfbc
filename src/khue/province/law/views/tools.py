"""Pages of the province: comparing two rule sets over a closed year, and recomputing what was sealed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from khue.kernel import audit
from khue.kernel.jobs.models import Job
from khue.kernel.permissions.loading import local_day
from khue.province.law import chart, forms, queries, services
from khue.province.law.comparing import Totals
from khue.province.law.recomputing import ABOUTS
from khue.school.gradebook import subjects, terms
from khue.school.gradebook.explain import label
from regulations import assessment
from regulations.core import RuleError


@require_http_methods(["GET", "POST"])
def compare(request: HttpRequest) -> HttpResponse:
    """Ask for a comparison; list the actor's own."""
    now = timezone.now()
    found = queries.runs(request.actor, services.COMPARE, now=now)
    last = terms.school_year_of(local_day(now)) - 1
    form = forms.CompareForm(request.POST or None, request.FILES or None, initial={"year": last, "before": assessment.RULE_SETS[0].id})
    if request.method == "POST" and form.is_valid():
        before, after = form.cleaned_data["sides"]
        job = services.start_compare(
            actor=request.actor, before=before, after=after, year=form.cleaned_data["year"], school=form.cleaned_data["school"],
            draft=form.cleaned_data["draft"], now=now,
        )  # fmt: skip
        return redirect("law:comparison", uid=job.uid)
    return render(request, "law/compare.html", {"form": form, "runs": found}, status=422 if form.errors else 200)


@require_safe
def comparison(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show a comparison: progress, totals by grade, the shift between levels, and who is decided differently."""
    now = timezone.now()
    job = queries.run(request.actor, services.COMPARE, uid, now=now)
    if not job.result:
        return render(request, "law/comparison.html", {"job": job, "parameters": job.parameters, "year_title": _year(job)})
    totals = Totals.of_data(job.result["totals"])
    about = request.GET.get("ve", "learning")
    about = about if about in _judged() else "learning"
    page = queries.page(request.actor, job, _number(request), now=now)
    reasons = queries.reasons(request.actor, job, page.rows, now=now) if page.rows else {}
    audit.looked(request, [(one.learner_id, one.school_id) for one in page.people.values()], "compare")
    return render(
        request, "law/comparison.html",
        {
            "job": job, "parameters": job.parameters, "year_title": _year(job), "totals": totals, "page": page,
            "kept_days": services.KEPT_FOR.days, "about": about, "about_title": str(_judged()[about]), "shift": chart.shift(totals.shift.get(about, {})),
            "tabs": [
                {"title": title, "url": f"?ve={code}", "is_active": code == about, "count": totals.abouts.get(code, 0)}
                for code, title in _judged().items()
                if code in totals.shift
            ],
            "grades": [(number, grade["learners"], grade["different"]) for number, grade in sorted(totals.grades.items())],
            "errors": [(side, _error(code), count) for side, some in totals.errors.items() for code, count in some.items()],
            "rows": [_differing(row, page, reasons.get(row["learner_id"], [])) for row in page.rows],
        },
    )  # fmt: skip


def _judged() -> dict[str, str]:
    return {"learning": _("Học tập"), "conduct": _("Rèn luyện"), "award": _("Danh hiệu"), "promotion": _("Lên lớp")}


def _error(code: str) -> str:
    return {
        "incomplete-marks": _("thiếu điểm hoặc thiếu đánh giá quy định này cần"), "out-of-range": _("giá trị ngoài thang"),
        "unknown-value": _("mức hoặc mã quy định này không có"), "not-retestable": _("kiểm tra lại không đúng đối tượng"),
        "draft-unusable": _("các con số của dự thảo không tính được, ví dụ tổng hệ số bằng 0"),
    }.get(code, code)  # fmt: skip


def _year(job: Job) -> str:
    return terms.year_title(int(job.parameters["year"]))


def _number(request: HttpRequest) -> int:
    asked = request.GET.get("trang", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 1


def _differing(row: Any, page: queries.Page, reasons: list[Any]) -> dict[str, Any]:
    who = page.people.get((row["learner_id"], row["class_id"]))
    titles = _judged()
    return {
        "who": who, "grade": row["grade"],
        "changes": [(titles[about], label(row["before"][about]), label(row["after"][about])) for about in row["abouts"]],
        "why": [(titles[one.about], one) for one in reasons],
    }  # fmt: skip


@require_http_methods(["GET", "POST"])
def recompute(request: HttpRequest) -> HttpResponse:
    """Ask for a recomputation of a closed year; list the actor's own."""
    now = timezone.now()
    found = queries.runs(request.actor, services.RECOMPUTE, now=now)
    form = forms.YearForm(request.POST or None, initial={"year": terms.school_year_of(local_day(now)) - 1})
    if request.method == "POST" and form.is_valid():
        job = services.start_recompute(actor=request.actor, year=form.cleaned_data["year"], school=form.cleaned_data["school"], now=now)
        return redirect("law:recomputation", uid=job.uid)
    return render(request, "law/recompute.html", {"form": form, "runs": found}, status=422 if form.errors else 200)


@require_safe
def recomputation(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show what a recomputation found, and how a correction is made."""
    now = timezone.now()
    job = queries.run(request.actor, services.RECOMPUTE, uid, now=now)
    values: dict[str, Any] = {"job": job, "parameters": job.parameters, "year_title": _year(job)}
    if job.result:
        page = queries.page(request.actor, job, _number(request), now=now)
        audit.looked(request, [(one.learner_id, one.school_id) for one in page.people.values()], "recompute")
        values |= {"page": page, "rows": [_found(row, page) for row in page.rows], "kept_days": services.KEPT_FOR.days}
    return render(request, "law/recomputation.html", values)


def _found(row: Any, page: queries.Page) -> dict[str, Any]:
    about, subject = str(ABOUTS[row["about"]]), subjects.name(row["subject"]) if row["subject"] else ""
    return {
        "who": page.people.get((row["learner_id"], row["class_id"])), "term": terms.title(row["term"]),
        "what": f"{about}: {subject}" if subject else about, "sealed": _value(row["sealed"]), "again": _value(row["again"]),
    }  # fmt: skip


def _value(value: str) -> str:
    if value.isdigit() and len(value) <= 3:
        return assessment.show_mark(int(value))
    try:
        return label(value)
    except RuleError:
        return value
