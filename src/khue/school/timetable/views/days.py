"""What people read: my day, wall sheets, workbooks, calendars."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from khue.kernel import permissions
from khue.kernel.errors import NotFound
from khue.kernel.permissions.loading import local_day
from khue.school.timetable import queries, services, subscriptions, weeks
from khue.school.timetable.documents import printing


@require_safe
def my_day(request: HttpRequest) -> HttpResponse:
    """Show the day of whoever asks: lessons, covers, the classes of her children."""
    now = timezone.now()
    today = local_day(now)
    try:
        day = date.fromisoformat(request.GET.get("ngay", ""))
    except ValueError:
        day = today
    if not today - timedelta(400) <= day <= today + timedelta(400):
        day = today
    return render(request, "timetable/my_day.html", {
        "days": queries.my_day(request.actor, on=day, at=now), "day": day, "is_today": day == today, "weekday": _(weeks.WEEKDAYS[day.weekday()]),
        "before": day - timedelta(1), "after": day + timedelta(1), "has_calendar": permissions.holds(request.actor, "timetable.view"),
    })  # fmt: skip


@require_safe
def sheets(request: HttpRequest, uid: UUID, by: str, kind: str) -> HttpResponse:
    """Give out the weeks of all classes, teachers or rooms as PDF or XLSX."""
    now = timezone.now()
    if by not in queries.BY or kind not in ("pdf", "xlsx"):
        raise NotFound()
    held = queries.version(request.actor, uid, at=now)
    found = printing.sheets(held, queries.lessons_of(request.actor, held, at=now), queries.BY[by])
    body = printing.pdf(held, found, queries.BY[by], at=held.changed_at) if kind == "pdf" else printing.xlsx(held, found, queries.BY[by])
    response = HttpResponse(body, content_type="application/pdf" if kind == "pdf" else printing.XLSX)
    response["Content-Disposition"] = f'attachment; filename="thoi-khoa-bieu-{by}.{kind}"'
    return response


@require_http_methods(["GET", "POST"])
def links(request: HttpRequest) -> HttpResponse:
    """Show the secret calendar addresses one may share; POST opens one of her own posts, a class or a room."""
    now = timezone.now()
    if request.method == "POST":
        kind, thing = queries.link_target(request.actor, request.POST.get("thing", ""), on=local_day(now), at=now)
        services.open_link(actor=request.actor, kind=kind, thing=thing, now=now)
        return redirect("timetable:links")
    found = [(link, request.build_absolute_uri(reverse("timetable:feed", args=[link.token]))) for link in queries.links(request.actor, at=now)]
    return render(request, "timetable/links.html", {"links": found, "choices": queries.link_choices(request.actor, on=local_day(now), at=now)})


@require_POST
def close_link(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Close an address."""
    services.close_link(actor=request.actor, uid=uid, now=timezone.now())
    return redirect("timetable:links")


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """Give out a calendar to whoever has its secret address."""
    now = timezone.now()
    body = subscriptions.by_token(token, on=local_day(now), stamp=now)
    if body is None:
        raise NotFound()
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="lich.ics"'
    response["Cache-Control"] = "private, max-age=3600"
    return response
