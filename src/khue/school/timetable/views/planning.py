"""Pages of the preparation: versions, the checklist, the week, rooms, wishes."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from khue.kernel import permissions, text
from khue.kernel.errors import DomainError, Invalid, NotFound
from khue.kernel.permissions.loading import local_day
from khue.register.schooling.mine import school_year_of
from khue.school.timetable import catalogue, forms, queries, services, weeks
from khue.school.timetable.models import Timetable


def planning_day(today: date) -> date:
    """Return the day whose assignments count: today, or the first weeks of a year that has not begun."""
    year = school_year_of(today)
    return max(today, date(year, 9, 5))


def add_errors(form: Any, refusal: DomainError) -> None:
    """Put a refusal on its form: at the fields it names, else above."""
    fields = refusal.facts.get("fields", {}) if isinstance(refusal, Invalid) else {}
    for name, sentences in fields.items():
        form.add_error(name if name in form.fields else None, sentences)
    if not fields:
        form.add_error(None, f"{refusal.sentence} {refusal.next_step}".strip())


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show the versions of the school and what to do next."""
    now = timezone.now()
    found = queries.versions(request.actor, at=now)
    today = local_day(now)
    current = next((one for one in found if one.state == Timetable.State.PUBLISHED and one.valid and today in one.valid), None)
    return render(request, "timetable/index.html", {
        "versions": found, "current": current, "may_plan": permissions.holds(request.actor, "timetable.plan"),
        "may_cover": permissions.holds(request.actor, "timetable.cover"),
    })  # fmt: skip


@require_safe
def checklist(request: HttpRequest) -> HttpResponse:
    """Show what is there and what is missing before the solver can begin."""
    now = timezone.now()
    permissions.demand(request.actor, "timetable.plan", on=request.actor.unit_id, at=now)
    day = planning_day(local_day(now))
    found = queries.checklist(request.actor, on=day, school_year=school_year_of(day), at=now)
    steps = [
        {"title": _("Khung tuần"), "url": reverse("timetable:week"), "count": 1 if found.pattern else 0, "detail": _("Số tiết mỗi buổi, chào cờ, giờ vào tiết")},
        {"title": _("Lớp"), "url": reverse("schooling:classes"), "count": found.classes, "detail": _("Các lớp của năm học")},
        {"title": _("Phân công"), "url": reverse("teaching:board"), "count": found.periods, "detail": _("Tổng số tiết mỗi tuần đã phân công")},
        {"title": _("Phòng"), "url": reverse("timetable:rooms"), "count": found.rooms, "detail": _("Phòng bộ môn, sân tập; không bắt buộc")},
        {"title": _("Yêu cầu"), "url": reverse("timetable:rules"), "count": found.rules, "detail": _("Điều bắt buộc và điều mong muốn")},
    ]  # fmt: skip
    return render(request, "timetable/checklist.html", {"setup": found, "steps": steps, "on": day})


@require_http_methods(["GET", "POST"])
def week(request: HttpRequest) -> HttpResponse:
    """Set the week of the school from a day on."""
    now = timezone.now()
    held = queries.pattern(request.actor, at=now)
    initial: dict[str, Any] = {"from_day": planning_day(local_day(now)), "minutes": 45, "counts_as_activity": True, "flag": "0-0-0"}
    if held is not None:
        initial = {
            "from_day": held.valid.lower, "minutes": held.minutes, "counts_as_activity": held.counts_as_activity,
            "flag": "-".join(map(str, held.flag or ())), "class_hour": "-".join(map(str, held.class_hour or ())),
            "morning_starts": " ".join(held.morning_starts), "afternoon_starts": " ".join(held.afternoon_starts),
        }  # fmt: skip
    form = forms.WeekForm(request.POST or None, held=held, initial=initial)
    if request.method == "POST" and form.is_valid():
        school = queries.own_school(request.actor, "timetable.plan", at=now)
        try:
            services.save_week(actor=request.actor, school=school, values=form.values(), from_day=form.cleaned_data["from_day"], now=now)
            return redirect("timetable:checklist")
        except DomainError as refusal:
            add_errors(form, refusal)
    days = [_(name) for name in weeks.WEEKDAYS]
    return render(request, "timetable/week.html", {"form": form, "days": days}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def rooms(request: HttpRequest) -> HttpResponse:
    """List the rooms and add one."""
    now = timezone.now()
    form = forms.RoomForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        school = queries.own_school(request.actor, "timetable.plan", at=now)
        try:
            services.save_room(actor=request.actor, school=school, values=form.cleaned_data, now=now)
            return redirect("timetable:rooms")
        except DomainError as refusal:
            add_errors(form, refusal)
    return render(request, "timetable/rooms.html", {"form": form, "rooms": queries.rooms(request.actor, at=now)}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def room(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Change a room."""
    now = timezone.now()
    held = queries.room(request.actor, uid, at=now)
    form = forms.RoomForm(request.POST or None, initial={name: getattr(held, name) for name in forms.RoomForm.Meta.fields})
    if request.method == "POST" and form.is_valid():
        try:
            services.save_room(
                actor=request.actor, school=held.school, values=form.cleaned_data, uid=str(uid), version=text.whole(request.POST.get("version")), now=now
            )
            return redirect("timetable:rooms")
        except DomainError as refusal:
            add_errors(form, refusal)
    return render(request, "timetable/room.html", {"form": form, "room": held}, status=422 if form.errors else 200)


@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    """List the wishes, and the kinds one may add."""
    now = timezone.now()
    day = planning_day(local_day(now))
    held = queries.rules(request.actor, school_year=school_year_of(day), at=now)
    names = queries.choices(request.actor, school_year=school_year_of(day), on=day, at=now)
    sections = [
        {
            "title": title, "rules": [(one, queries.told(one, names)) for one in held if one.kind.partition("_")[0] == section],
            "kinds": [kind for kind in catalogue.KINDS.values() if kind.section == section],
        }
        for section, title in catalogue.SECTIONS.items()
    ]
    return render(request, "timetable/rules.html", {"sections": sections, "count": len(held)})


@require_POST
def usual_rules(request: HttpRequest) -> HttpResponse:
    """Add the wishes nearly every school has."""
    now = timezone.now()
    school = queries.own_school(request.actor, "timetable.plan", at=now)
    services.add_usual_rules(actor=request.actor, school=school, school_year=school_year_of(planning_day(local_day(now))), now=now)
    return redirect("timetable:rules")


def _rule_form(request: HttpRequest, kind: catalogue.Kind, initial: dict[str, Any], year: int, day: date) -> forms.RuleForm:
    now = timezone.now()
    held = queries.pattern(request.actor, at=now) if "slots" in kind.parameters else None
    names = queries.choices(request.actor, school_year=year, on=day, at=now, wanted=kind.parameters)
    return forms.RuleForm(request.POST or None, kind=kind, names=names, grid=weeks.grid_of(held) if held else None, initial=initial)


@require_http_methods(["GET", "POST"])
def new_rule(request: HttpRequest, kind: str) -> HttpResponse:
    """Add a wish of one kind."""
    now = timezone.now()
    permissions.demand(request.actor, "timetable.plan", on=request.actor.unit_id, at=now)
    found = catalogue.KINDS.get(kind)
    if found is None:
        raise NotFound()
    day = planning_day(local_day(now))
    form = _rule_form(request, found, {}, school_year_of(day), day)
    if request.method == "POST" and form.is_valid():
        school = queries.own_school(request.actor, "timetable.plan", at=now)
        try:
            services.save_rule(
                actor=request.actor, school=school, school_year=school_year_of(day), kind=kind, parameters=form.parameters(),
                weight=form.weight, is_active=form.cleaned_data["is_active"], now=now,
            )  # fmt: skip
            return redirect("timetable:rules")
        except DomainError as refusal:
            add_errors(form, refusal)
    return render(request, "timetable/rule.html", {"form": form, "kind": found, "held": None}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def rule(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Change a wish."""
    now = timezone.now()
    held = queries.rule(request.actor, uid, at=now)
    kind = catalogue.KINDS[held.kind]
    initial = dict(held.parameters) | {"weight": held.weight, "is_active": held.is_active}
    if "slots" in initial:
        initial["slots"] = ["-".join(map(str, place)) for place in initial["slots"]]
    form = _rule_form(request, kind, initial, held.school_year, planning_day(local_day(now)))
    if request.method == "POST" and form.is_valid():
        try:
            services.save_rule(
                actor=request.actor, school=held.school, school_year=held.school_year, kind=held.kind, parameters=form.parameters(),
                weight=form.weight, is_active=form.cleaned_data["is_active"], now=now, uid=str(uid), version=text.whole(request.POST.get("version")),
            )  # fmt: skip
            return redirect("timetable:rules")
        except DomainError as refusal:
            add_errors(form, refusal)
    return render(request, "timetable/rule.html", {"form": form, "kind": kind, "held": held}, status=422 if form.errors else 200)


@require_POST
def drop_rule(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take a wish away."""
    services.drop_rule(actor=request.actor, uid=str(uid), now=timezone.now())
    return redirect("timetable:rules")


@require_POST
def relax_rule(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Make a demand a wish, or switch it off; leads back to the version where it stood in the way."""
    services.relax_rule(actor=request.actor, uid=str(uid), now=timezone.now())
    try:
        return redirect("timetable:board", UUID(request.POST.get("ban", "")))
    except ValueError:
        return redirect("timetable:rules")


@require_http_methods(["GET", "POST"])
def draft(request: HttpRequest) -> HttpResponse:
    """Draw up a new version."""
    now = timezone.now()
    permissions.demand(request.actor, "timetable.plan", on=request.actor.unit_id, at=now)
    found = queries.versions(request.actor, at=now)
    day = planning_day(local_day(now))
    base = next((str(one.uid) for one in found if one.state == Timetable.State.PUBLISHED), "")
    form = forms.DraftForm(
        request.POST or None, versions=found,
        initial={"on": day, "base": base, "title": _("Bản %(number)s") % {"number": len(found) + 1}},
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        school = queries.own_school(request.actor, "timetable.plan", at=now)
        try:
            made = services.draft(
                actor=request.actor, school=school, school_year=school_year_of(form.cleaned_data["on"]),
                title=form.cleaned_data["title"], on=form.cleaned_data["on"], base=form.cleaned_data["base"] or None, now=now,
            )  # fmt: skip
            return redirect("timetable:board", made.uid)
        except DomainError as refusal:
            add_errors(form, refusal)
    return render(request, "timetable/draft.html", {"form": form}, status=422 if form.errors else 200)
