"""Pages of the teaching assignment."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from khue.kernel import permissions, text
from khue.kernel.calendar.models import SchoolYear
from khue.kernel.errors import DomainError, Invalid, NotFound
from khue.kernel.permissions.loading import local_day
from khue.register.schooling.models import ClassGroup
from khue.school.teaching import forms, queries, services, subjects
from regulations import calendar


@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """Show who teaches what, a table a grade; cells without a teacher stand out."""
    now = timezone.now()
    permissions.demand(request.actor, "teaching.view_assignments", on=permissions.ANYWHERE, at=now)
    today = local_day(now)
    year = text.whole(request.GET.get("nam"), low=1990, high=2200) or calendar.school_year_of(today)
    school = queries.school_of(request.actor, code=text.clean(request.GET.get("truong", "")))
    boards, on = [], today
    if school is not None:
        on = max(today, date(year, 9, 5)) if today < date(year + 1, 6, 1) else date(year + 1, 5, 15)
        boards = queries.board(request.actor, school, school_year=year, on=on, at=now)
    return render(request, "teaching/board.html", {
        "school": school, "boards": boards, "year": year, "on": on, "gaps": sum(one.gaps for one in boards),
        "may_assign": school is not None and permissions.allowed(request.actor, "teaching.assign", on=school, at=now),
        "may_import": permissions.holds(request.actor, "teaching.assign"),
    })  # fmt: skip


@require_http_methods(["GET", "POST"])
def assign(request: HttpRequest, uid: UUID, subject: str) -> HttpResponse:
    """Give a class a teacher for a subject."""
    now = timezone.now()
    group = ClassGroup.objects.select_related("school").filter(uid=uid).first()
    if group is None:
        raise NotFound()
    permissions.demand(request.actor, "teaching.assign", on=group, at=now)
    if subject not in queries.programme(group.grade, group.school_year) and queries.programme(group.grade, group.school_year):
        raise NotFound()
    today = local_day(now)
    held = list(group.assignments.filter(subject_code=subject, valid__contains=max(today, date(group.school_year, 9, 5))).select_related("post__person"))
    posts = queries.teachers(group.school_id, at=now)
    start, until = _days(group.school_year)
    form = forms.AssignForm(
        request.POST or None, posts=posts, is_taught=bool(held),
        initial={"from_day": max(start, today), "periods": held[0].periods if held else None, "replaces": bool(held)},
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        try:
            services.assign(
                actor=request.actor, post=next(p for p in posts if str(p.uid) == form.cleaned_data["post"]), group=group, subject_code=subject,
                periods=form.cleaned_data["periods"], from_day=form.cleaned_data["from_day"], until=until, now=now,
                replacing=held[0] if held and form.cleaned_data.get("replaces") else None,
            )  # fmt: skip
            return redirect("teaching:board")
        except DomainError as refusal:
            form.add_error(None, f"{refusal.sentence} {refusal.next_step}".strip())
    return render(request, "teaching/assign.html", {
        "form": form, "group": group, "subject": subjects.title_of(subject, grade=group.grade), "held": held,
        "submit": _("Phân công"), "cancel_url": "/phan-cong/",
    }, status=422 if form.errors else 200)  # fmt: skip


@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Change the periods of an assignment or end it today."""
    now = timezone.now()
    found = queries.assignment(request.actor, uid, at=now)
    permissions.demand(request.actor, "teaching.assign", on=found, at=now)
    form = forms.ChangeForm(request.POST or None, initial={"periods": found.periods})
    if request.method == "POST":
        version = text.whole(request.POST.get("version"))
        if version is None:
            raise Invalid(fields={"version": [str(_("Nội dung gửi lên không đọc được. Hãy tải lại trang."))]})
        if request.POST.get("act") == "end":
            services.end_assignment(actor=request.actor, uid=str(uid), version=version, on=local_day(now), now=now)
            return redirect("teaching:board")
        if form.is_valid():
            services.change_periods(actor=request.actor, uid=str(uid), version=version, periods=form.cleaned_data["periods"], now=now)
            return redirect("teaching:board")
    values = {"form": form, "found": found, "subject": subjects.title_of(found.subject_code, grade=found.class_group.grade), "cancel_url": "/phan-cong/"}
    return render(request, "teaching/change.html", values, status=422 if form.errors else 200)


def _days(school_year: int) -> tuple[date, date]:
    year = SchoolYear.objects.filter(year=school_year).first()
    if year is not None:
        return year.valid.lower, year.valid.upper
    plan = calendar.year_plan(school_year)
    return plan.opening_on, plan.closes_by
