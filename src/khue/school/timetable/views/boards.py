"""Pages of one version: the board and its moves, what is broken, comparing, chains, publishing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from khue.kernel import permissions, text
from khue.kernel.errors import DomainError, Invalid
from khue.kernel.permissions.loading import local_day
from khue.school.timetable import forms, overview, problems, queries, services, weeks
from khue.school.timetable.models import Timetable
from khue.school.timetable.services.publishing import first_monday
from khue.school.timetable.views.planning import add_errors, planning_day


def _version(request: HttpRequest) -> int:
    version = text.whole(request.POST.get("version"))
    if version is None:
        raise Invalid(fields={"version": [str(_("Nội dung gửi lên không đọc được. Hãy tải lại trang."))]})
    return version


def _place(code: str) -> tuple[int, int, int]:
    try:
        day, half, period = forms.place_of(code)
    except ValueError:
        raise Invalid(fields={"place": [str(_("Không đọc được tiết muốn chuyển tới."))]}) from None
    return day, half, period


def _back(request: HttpRequest, uid: UUID) -> HttpResponse:
    kept = {name: request.POST[name][:60] for name in ("xem", "ai") if request.POST.get(name)}
    return redirect(reverse("timetable:board", args=[uid]) + (f"?{urlencode(kept)}" if kept else ""))


@require_safe
def board(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show the week of one class, teacher or room; with a lesson chosen, what each slot would mean for it."""
    now = timezone.now()
    held = queries.version(request.actor, uid, at=now)
    by = queries.BY.get(request.GET.get("xem", ""), "class")
    key = request.GET.get("tiet", "")
    may_plan = held.state == Timetable.State.DRAFT and permissions.allowed(request.actor, "timetable.plan", on=held, at=now)
    chosen, rooms = None, []
    if key and may_plan and not held.is_solving:
        built, found = queries.options(request.actor, held, key, at=now)
        lessons = [row for rows in built.rows.values() for row in rows]
        shown = queries.board(held, lessons, by=by, who=request.GET.get("ai", ""))
        for line in shown.lines:
            for cell in line.cells:
                cell.option = found.get(cell.place)
        chosen = queries.shown(built.rows[key][0])
        place = problems.place_of(built.rows[key][0])
        rooms = overview.rooms_for(built, key) if place is not None else []
    else:
        shown = queries.board(held, queries.lessons_of(request.actor, held, at=now), by=by, who=request.GET.get("ai", ""))
    codes = {value: code for code, value in queries.BY.items()}
    tabs = [
        {"title": title, "url": f"?xem={codes[name]}", "is_active": name == by}
        for name, title in (("class", _("Theo lớp")), ("teacher", _("Theo giáo viên")), ("room", _("Theo phòng")))
    ]
    values = {
        "held": held, "board": shown, "chosen": chosen, "rooms": rooms, "here": "-".join(map(str, place)) if rooms else "", "tabs": tabs, "by": codes[by], "may_plan": may_plan, "may_edit": may_plan and not held.is_solving,
        "may_publish": may_plan and permissions.allowed(request.actor, "timetable.publish", on=held, at=now),
        "missing": held.lessons_count - held.placed, "cost": f"{held.cost / 100:.1f}".replace(".", ","), "solve_form": forms.SolveForm(),
        "progress": _progress(held), "clash": may_plan and not held.is_solving and (held.log or {}).get("clash"),
    }  # fmt: skip
    return render(request, "timetable/_grid.html" if request.headers.get("X-Khue-Part") == "grid" else "timetable/board.html", values)


@require_safe
def whole(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show the week of all classes, or of all teachers, in one table to read and to print."""
    now = timezone.now()
    held = queries.version(request.actor, uid, at=now)
    by = "teacher" if request.GET.get("xem") == "gv" else "class"
    shown = overview.whole(held, queries.lessons_of(request.actor, held, at=now), by=by)
    tabs = [
        {"title": title, "url": f"?xem={code}", "is_active": name == by}
        for code, name, title in (("lop", "class", _("Các lớp")), ("gv", "teacher", _("Các giáo viên")))
    ]
    return render(request, "timetable/whole.html", {"held": held, "whole": shown, "tabs": tabs})


def _progress(held: Any) -> list[dict[str, Any]]:
    """Return the last improvements of the solver's run."""
    return [
        {"seconds": seconds, "missing": missing, "hard": hard, "cost": f"{cost:.1f}".replace(".", ",")}
        for seconds, missing, hard, cost in ((held.log or {}).get("log") or [])[-6:]
    ]


@require_POST
def move(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Move a lesson; place "0-1-2", or empty to take it off the grid."""
    code = request.POST.get("place", "")
    services.move(
        actor=request.actor, uid=uid, key=request.POST.get("key", ""), place=_place(code) if code else None, version=_version(request),
        room=request.POST.get("room"), now=timezone.now(),
    )  # fmt: skip
    return _back(request, uid)


@require_POST
def pin(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Pin a lesson or let it go."""
    services.pin(
        actor=request.actor, uid=uid, key=request.POST.get("key", ""), pinned=request.POST.get("pinned") == "1", version=_version(request),
        now=timezone.now(),
    )  # fmt: skip
    return _back(request, uid)


@require_POST
def undo(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take the last change back."""
    services.undo(actor=request.actor, uid=uid, version=_version(request), now=timezone.now())
    return _back(request, uid)


@require_POST
def refresh(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Draw the lessons from the register again."""
    now = timezone.now()
    services.refresh(actor=request.actor, uid=uid, version=_version(request), on=planning_day(local_day(now)), now=now)
    return _back(request, uid)


@require_POST
def solve(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Give the version to the solver."""
    form = forms.SolveForm(request.POST)
    if not form.is_valid():
        raise Invalid(fields={name: [str(one) for one in errors] for name, errors in form.errors.items()})
    job = services.start_solving(
        actor=request.actor, uid=uid, version=_version(request), seconds=form.cleaned_data["seconds"], seed=form.cleaned_data["seed"],
        keeps=form.cleaned_data["keeps"], now=timezone.now(),
    )  # fmt: skip
    return redirect("job", job.uid)


@require_safe
def broken(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show what a version breaks, in words."""
    now = timezone.now()
    held = queries.version(request.actor, uid, at=now)
    found = queries.broken(request.actor, held, at=now)
    return render(request, "timetable/broken.html", {
        "held": held, "broken": found, "clash": (held.log or {}).get("clash"), "may_edit": held.state == Timetable.State.DRAFT and not held.is_solving,
    })  # fmt: skip


@require_safe
def compare(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show what changes from one version to another; without `voi` from the one it was drawn from."""
    now = timezone.now()
    held = queries.version(request.actor, uid, at=now)
    asked = request.GET.get("voi", "") or (str(held.base.uid) if held.base else "")
    other, changes = None, []
    if asked:
        try:
            other = queries.version(request.actor, UUID(asked), at=now)
        except ValueError:
            raise Invalid(fields={"voi": [str(_("Không đọc được bản muốn so sánh."))]}) from None
        changes = queries.compare(request.actor, other, held, at=now)
    others = [one for one in queries.versions(request.actor, at=now) if one.pk != held.pk and one.school_id == held.school_id] if not asked else []
    return render(request, "timetable/compare.html", {"held": held, "other": other, "changes": changes, "others": others})


@require_http_methods(["GET", "POST"])
def chains(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Propose chains of swaps that free a teacher for a session; POST makes one of them."""
    now = timezone.now()
    if request.method == "POST":
        spots = {key: _place(code) for key, code in (item.rsplit("=", 1) for item in request.POST.getlist("move")[:40] if "=" in item)}
        services.place_chain(actor=request.actor, uid=uid, spots=spots, version=_version(request), now=now)
        return _back(request, uid)
    held = queries.version(request.actor, uid, at=now)
    permissions.demand(request.actor, "timetable.plan", on=held, at=now)
    grid = weeks.grid_of(held.pattern)
    sessions = [(f"{day}-{half}", weeks.session_name(day, half)) for day, half in grid.sessions]
    who, when = request.GET.get("ai", ""), request.GET.get("buoi", "")
    values: dict[str, Any] = {"held": held, "sessions": sessions, "who": who, "when": when, "asked": False}
    if who and when in dict(sessions):
        day, half = map(int, when.split("-"))
        found = queries.chains(request.actor, held, who, (day, half), at=now)
        values |= {"asked": True, "is_free": found is None, "chains": [_told(one) for one in found or ()], "session": dict(sessions)[when]}
    else:
        values["people"] = queries.people_of(queries.lessons_of(request.actor, held, at=now), "teacher")
    return render(request, "timetable/chains.html", values)


def _told(chain: Any) -> dict[str, Any]:
    moves = [
        {"name": one.name, "before": weeks.place_name(one.before), "after": weeks.place_name(one.after), "value": f"{one.key}={'-'.join(map(str, one.after))}"}
        for one in chain.moves
    ]
    return {"moves": moves, "cost": f"{chain.cost:+.1f}".replace(".", ","), "is_better": chain.cost < 0}


@require_http_methods(["GET", "POST"])
def publish(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Publish a version from a day."""
    now = timezone.now()
    held = queries.version(request.actor, uid, at=now)
    permissions.demand(request.actor, "timetable.publish", on=held, at=now)
    form = forms.PublishForm(request.POST or None, initial={"on": first_monday(planning_day(local_day(now)))})
    if request.method == "POST" and form.is_valid():
        try:
            services.publish(actor=request.actor, uid=uid, version=_version(request), on=form.cleaned_data["on"], now=now)
            return redirect("timetable:board", uid)
        except DomainError as refusal:
            add_errors(form, refusal)
    changes = queries.compare(request.actor, held.base, held, at=now) if held.base else []
    return render(request, "timetable/publish.html", {
        "form": form, "held": held, "changes": changes[:200], "count": len(changes), "missing": held.lessons_count - held.placed,
    }, status=422 if form.errors else 200)  # fmt: skip
