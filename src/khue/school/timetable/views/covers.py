"""Pages of absences: who is away, and who takes the lessons."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from khue.kernel.errors import DomainError, Invalid
from khue.kernel.permissions.loading import local_day
from khue.school.timetable import forms, queries, services
from khue.school.timetable.names import subject_title
from khue.school.timetable.views.planning import add_errors


@require_http_methods(["GET", "POST"])
def absences(request: HttpRequest) -> HttpResponse:
    """List absences that are not over and note a new one."""
    now = timezone.now()
    today = local_day(now)
    posts = queries.teachers(request.actor, on=today, at=now)
    form = forms.AbsenceForm(request.POST or None, posts=posts, initial={"first": today, "last": today})
    if request.method == "POST" and form.is_valid():
        got = form.cleaned_data
        try:
            made = services.add_absence(
                actor=request.actor, post=next(post for post in posts if str(post.uid) == got["post"]), first=got["first"], last=got["last"],
                note=got["note"], now=now,
            )  # fmt: skip
            return redirect("timetable:absence", made.uid)
        except DomainError as refusal:
            add_errors(form, refusal)
    found = queries.absences(request.actor, on=today, at=now)
    return render(request, "timetable/absences.html", {"form": form, "absences": found}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def absence(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show the lessons of an absence with proposals; POST decides one."""
    now = timezone.now()
    if request.method == "POST":
        choice = request.POST.get("choice", "")
        kind, _sep, post = choice.partition(":")
        services.decide_cover(
            actor=request.actor, absence=uid, lesson=_uid(request.POST.get("lesson", "")), on=_day(request.POST.get("on", "")), kind=kind,
            post=_uid(post) if post else None, now=now,
        )  # fmt: skip
        return redirect("timetable:absence", uid)
    held = queries.absence(request.actor, uid, at=now)
    found = queries.open_lessons(request.actor, held, at=now)
    days: dict[date, list[object]] = {}
    for one in found:
        days.setdefault(one.on, []).append({"open": one, "shown": queries.shown(one.lesson), "subject": subject_title(one.lesson.subject_code)})
    return render(request, "timetable/absence.html", {"held": held, "days": list(days.items()), "left": sum(one.cover is None for one in found)})


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise Invalid(fields={"on": [str(_("Không đọc được ngày."))]}) from None


def _uid(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise Invalid(fields={"lesson": [str(_("Nội dung gửi lên không đọc được. Hãy tải lại trang."))]}) from None


@require_POST
def withdraw(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take an absence back."""
    services.withdraw_absence(actor=request.actor, uid=uid, now=timezone.now())
    return redirect("timetable:absences")
