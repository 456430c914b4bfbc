"""Pages of the tree: one query or one service each. GET never writes; dates are in the address."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from khue.kernel import permissions, text
from khue.kernel.codes.shipped import TWO_TIERS_ON
from khue.kernel.errors import NotFound
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.orgs import forms, known, measures, places, queries
from khue.register.orgs.models import Level, ReformQuestion
from khue.register.orgs.reform import services as reforms
from khue.register.orgs.services import SCHOOL_KINDS

EVE = TWO_TIERS_ON - timedelta(1)
KINDS = ("province", "district", "commune")
HAPPENINGS = {
    "name": _("Mang tên"),
    "administers": _("Thuộc quản lý của"),
    "professional": _("Chịu quản lý chuyên môn của"),
    "located": _("Đặt tại"),
    "from": _("Tiếp nhận"),
    "to": _("Nhập vào"),
    "self": _("Hợp thành đơn vị mới, giữ mã:"),
    "end": _("Kết thúc hoạt động"),
}


def _demand(request: HttpRequest) -> date:
    """Ask for the right to see the tree and return today."""
    now = timezone.now()
    permissions.demand(request.actor, "orgs.view_tree", at=now)  # type: ignore[attr-defined]
    return local_day(now)


def _jumps(day: date, today: date) -> list[dict[str, Any]]:
    """Return the days people ask for most: today, the eve and the day of the two-tier government."""
    return [
        {"title": _("Hôm nay"), "url": f"?ngay={today.isoformat()}", "is_active": day == today},
        {"title": _("Ngày 01/7/2025"), "url": f"?ngay={TWO_TIERS_ON.isoformat()}", "is_active": day == TWO_TIERS_ON},
        {"title": _("Ngày 30/6/2025"), "url": f"?ngay={EVE.isoformat()}", "is_active": day == EVE},
    ]


def _way(actor: Actor, opened: UUID, day: date, known_on: date, today: date) -> list[queries.Node]:
    """Return the way down to a unit below the ministry, by what is known today or was known at the end of an earlier day."""
    found = known.path_to(actor, opened, day=day, known_on=known_on) if known_on < today else queries.path_to(actor, opened, day=day)
    return [node for node in found if node.kind != "ministry"]


def _children(actor: Actor, parent: UUID | None, day: date, known_on: date, today: date, depth: int = 0) -> list[queries.Node]:
    if known_on < today:
        return known.children(actor, parent, day=day, known_on=known_on, depth=depth)
    return queries.children(actor, parent, day=day, depth=depth)


def _address(day: date, known_on: date, today: date) -> str:
    """Return both dates for the addresses of a page; the second only where it is not today."""
    return urlencode({"ngay": day.isoformat(), **({"biet": known_on.isoformat()} if known_on < today else {})})


@require_safe
def tree(request: HttpRequest) -> HttpResponse:
    """Show the tree on a day: the roots, or one branch opened with the way down to it."""
    today = _demand(request)
    actor, day, opened = request.actor, forms.month_of(request, "thang", forms.day_of(request, "ngay", today)), forms.uid_of(request, "mo")  # type: ignore[attr-defined]
    known_on = min(forms.day_of(request, "biet", today), today)
    path = _way(actor, opened, day, known_on, today) if opened else []
    nodes = _children(actor, opened if path else None, day, known_on, today)
    return render(request, "orgs/tree.html", {
        "day": day, "today": today, "path": path, "rows": nodes, "depth": 0, "jumps": _jumps(day, today),
        "reforms": queries.reforms(), "opened": path[-1] if path else None, "is_lost": bool(opened and not path),
        "totals": [(m.title, sum(node.numbers[m.code] for node in nodes)) for m in measures.of(known=known_on < today)],
        "drawing": places.draw(nodes, day=day), "slider": forms.slider(day, today),
        "known_on": known_on, "is_past": known_on < today, "address": _address(day, known_on, today),
    })  # fmt: skip


@require_safe
def branch(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Return the rows under one unit, to be put below its row."""
    today = _demand(request)
    depth = min(text.whole(request.GET.get("cap")) or 1, 6)
    day = forms.day_of(request, "ngay", today)
    known_on = min(forms.day_of(request, "biet", today), today)
    nodes = _children(request.actor, uid, day, known_on, today, depth)  # type: ignore[attr-defined]
    return render(request, "orgs/_rows.html", {"rows": nodes, "depth": depth, "address": _address(day, known_on, today)})


@require_safe
def counts(request: HttpRequest) -> HttpResponse:
    """Count the same schools and learners by two maps, side by side; as known today or at the end of an earlier day."""
    today = _demand(request)
    actor, day, known_on = request.actor, forms.day_of(request, "ngay", today), min(forms.day_of(request, "biet", today), today)  # type: ignore[attr-defined]
    maps = []
    for number, (map_day, kind) in enumerate(((EVE, "district"), (max(today, TWO_TIERS_ON), "commune")), start=1):
        asked = request.GET.get(f"cap{number}", "")
        chosen = {"day": day, "map_day": forms.day_of(request, f"ban_do{number}", map_day), "kind": asked if asked in KINDS else kind}
        maps.append(known.counts_by_map(actor, known_on=known_on, **chosen) if known_on < today else queries.counts_by_map(actor, **chosen))
    counted = measures.of(known=known_on < today)
    columns = [{"key": "name", "title": _("Đơn vị")}] + [{"key": m.code, "title": m.title, "is_number": True} for m in counted]
    return render(request, "orgs/counts.html", {
        "day": day, "maps": [_table(one) for one in maps], "columns": columns, "kinds": queries.MAP_KINDS,
        "is_equal": maps[0].total == maps[1].total, "today": today, "known_on": known_on, "is_past": known_on < today,
        "totals": [(m.title, maps[0].total[m.code], maps[1].total[m.code]) for m in counted],
    })  # fmt: skip


def _table(counted: queries.Counts) -> dict[str, Any]:
    kinds = dict(queries.MAP_KINDS)
    rows = [
        {"name": node.name or _("Chưa có trên bản đồ ngày này"), "unit_code": node.code, **node.numbers,
         "url": node.uid and f"{reverse('orgs:unit', args=[node.uid])}?ngay={counted.map_day.isoformat()}"}
        for node in counted.rows
    ]  # fmt: skip
    return {"map_day": counted.map_day, "kind": counted.kind, "kind_name": kinds[counted.kind], "rows": rows, "total": counted.total}


@require_safe
def unit(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show one unit as it was on a day, and everything that happened to it."""
    today = _demand(request)
    day = forms.day_of(request, "ngay", today)
    view = queries.unit_view(request.actor, uid, day=day)  # type: ignore[attr-defined]
    happened = [
        {"happening": one, "what": HAPPENINGS[one.what], "eve": one.on - timedelta(1), "url": reverse("orgs:unit", args=[one.uid]) if one.uid else ""}
        for one in view.happenings
    ]
    return render(request, "orgs/unit.html", {
        "unit": view.node, "view": view, "day": day, "today": today, "happened": happened,
        "numbers": [(m.title, view.node.numbers.get(m.code, 0)) for m in measures.of(known=False)],
        "level_names": [str(Level(code).label) for code in view.levels],
        "may_change": permissions.holds(request.actor, "orgs.change_tree") and not view.until,  # type: ignore[attr-defined]
        "is_school": view.node.kind in SCHOOL_KINDS,
    })  # fmt: skip


@require_safe
def find(request: HttpRequest) -> HttpResponse:
    """Find a unit by a name or code it has or had."""
    _demand(request)
    words = request.GET.get("q", "")[:80]
    hits = queries.look_up(request.actor, words) if words.strip() else []  # type: ignore[attr-defined]
    return render(request, "orgs/find.html", {"words": words, "hits": hits})


@require_safe
def reform(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Explain a reform: which old units became which, and the schools still to be placed."""
    _demand(request)
    view = queries.reform_view(request.actor, uid)  # type: ignore[attr-defined]
    return render(request, "orgs/reform.html", {
        "reform": view.reform, "view": view, "eve": view.reform.effective_on - timedelta(1),
        "may_decide": permissions.holds(request.actor, "orgs.reform"),  # type: ignore[attr-defined]
        "open_count": sum(question.decided_id is None for question in view.questions),
    })  # fmt: skip


@require_POST
def decide(request: HttpRequest, uid: UUID, question: UUID) -> HttpResponse:
    """Place a school of a divided commune."""
    now = timezone.now()
    permissions.demand(request.actor, "orgs.reform", at=now)  # type: ignore[attr-defined]
    found = ReformQuestion.objects.filter(uid=question, reform__uid=uid).values_list("pk", flat=True).first()
    form = forms.DecideForm(request.POST)
    if found is None or not form.is_valid():
        raise NotFound()
    reforms.decide(actor=request.actor, question_id=found, commune_code=form.cleaned_data["commune"], now=now)  # type: ignore[attr-defined]
    return redirect("orgs:reform", uid=uid)
