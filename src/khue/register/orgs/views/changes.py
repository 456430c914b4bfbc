"""Pages that change the tree: open, rename, move, change, close a unit. One service each, dated and with its reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from khue.kernel import permissions
from khue.kernel.errors import Invalid, Stale
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.orgs import forms, queries, services
from khue.register.orgs.models import Unit
from khue.register.orgs.services import SCHOOL_KINDS, UnitDraft

REFUSED = (
    services.CodeTaken, services.CodeNeeded, services.WouldCycle, services.LaterChange, services.StillHasUnits,
    services.NotThatDay, services.UnknownParent, Stale, Invalid,
)  # fmt: skip
"""Refusals the form says beside what was typed."""
Act = Callable[[Actor, Unit, dict[str, Any], datetime], Unit]


def _asked(request: HttpRequest, uid: UUID) -> tuple[Actor, Unit, datetime]:
    """Ask for the right to change the tree, and return the actor, the unit within her place, and now."""
    now, actor = timezone.now(), request.actor  # type: ignore[attr-defined]
    permissions.demand(actor, "orgs.change_tree", at=now)
    found = Unit.objects.get(pk=queries.unit_on(actor, uid, day=local_day(now)).id)
    return actor, found, now


def _answer(
    request: HttpRequest, uid: UUID, kind: type[forms.ChangeForm], act: Act, words: dict[str, Any],
    initial: Callable[[Unit], dict[str, Any]] = lambda unit: {},
) -> HttpResponse:  # fmt: skip
    """Show the form of one change; POST does it and shows the unit on the day it holds from."""
    actor, unit, now = _asked(request, uid)
    first = {"on": local_day(now), "version": unit.version, **initial(unit)}
    form = kind(request.POST if request.method == "POST" else None, initial=first)
    if kind is forms.AttributesForm and unit.kind not in SCHOOL_KINDS:
        del form.fields["levels"]
    if request.method == "POST" and form.is_valid():
        try:
            done = act(actor, unit, form.cleaned_data, now)
        except REFUSED as refusal:
            form.add_error(None, f"{refusal.sentence} {refusal.next_step}".strip())
        else:
            messages.success(request, words["done"])
            day: date = form.cleaned_data.get("on") or local_day(now)
            return redirect(f"{reverse('orgs:unit', args=[done.uid])}?ngay={day.isoformat()}")
    values = {"form": form, "unit": unit, "back": reverse("orgs:unit", args=[uid]), **words}
    return render(request, "orgs/change.html", values, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def open_under(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Open a unit under this one."""

    def act(actor: Actor, unit: Unit, given: dict[str, Any], now: datetime) -> Unit:
        draft = UnitDraft(
            kind=given["kind"], name=given["name"], code=given["code"].strip() or None, parent=unit,
            levels=tuple(given["levels"]) if given["kind"] in SCHOOL_KINDS else (), address=given["address"],
        )  # fmt: skip
        return services.create_unit(actor=actor, draft=draft, on=given["on"], now=now, reason=given["reason"])

    return _answer(request, uid, forms.OpenForm, act, {
        "title": _("Lập đơn vị trực thuộc"), "submit": _("Lập đơn vị"), "done": _("Đã lập đơn vị."),
        "consequences": [_("Mã được cấp một lần và giữ suốt đời đơn vị, kể cả khi đổi tên, sáp nhập.")],
    })  # fmt: skip


@require_http_methods(["GET", "POST"])
def rename(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Give a unit another name from a day."""

    def act(actor: Actor, unit: Unit, given: dict[str, Any], now: datetime) -> Unit:
        return services.rename_unit(
            actor=actor, unit_id=unit.pk, name=given["name"], on=given["on"], now=now, version=given["version"],
            reason=given["reason"],
        )  # fmt: skip

    return _answer(request, uid, forms.RenameForm, act, {
        "title": _("Đổi tên đơn vị"), "submit": _("Đổi tên"), "done": _("Đã đổi tên."),
        "consequences": [_("Tên cũ vẫn tìm thấy; giấy tờ trước ngày này giữ tên cũ.")],
    }, lambda unit: {"name": unit.name})  # fmt: skip


@require_http_methods(["GET", "POST"])
def move(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Put a unit under another from a day."""

    def act(actor: Actor, unit: Unit, given: dict[str, Any], now: datetime) -> Unit:
        parent = queries.holder(actor, given["parent"], day=given["on"])
        if parent is None:
            raise services.UnknownParent(parent_code=given["parent"].strip())
        services.set_parent(
            actor=actor, child_id=unit.pk, parent_id=parent.id, on=given["on"], now=now, version=given["version"],
            reason=given["reason"],
        )  # fmt: skip
        return unit

    return _answer(request, uid, forms.MoveForm, act, {
        "title": _("Đổi đơn vị quản lý"), "submit": _("Chuyển đơn vị"), "done": _("Đã chuyển đơn vị."),
        "consequences": [_("Từ ngày này người của đơn vị quản lý mới thấy đơn vị; đơn vị quản lý cũ không thấy nữa.")],
    })  # fmt: skip


@require_http_methods(["GET", "POST"])
def commune(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Let a school lie in another commune from a day."""

    def act(actor: Actor, unit: Unit, given: dict[str, Any], now: datetime) -> Unit:
        return services.change_commune(
            actor=actor, unit_id=unit.pk, commune_code=given["commune"], on=given["on"], now=now, version=given["version"],
            reason=given["reason"],
        )  # fmt: skip

    return _answer(request, uid, forms.CommuneForm, act, {
        "title": _("Đổi xã"), "submit": _("Đổi xã"), "done": _("Đã đổi xã."),
        "consequences": [_("Mã trường giữ nguyên. Nếu xã quản lý trường thì từ ngày này xã mới quản lý.")],
    })  # fmt: skip


@require_http_methods(["GET", "POST"])
def attributes(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Change the levels and the address of a unit."""

    def act(actor: Actor, unit: Unit, given: dict[str, Any], now: datetime) -> Unit:
        return services.change_unit(
            actor=actor, unit_id=unit.pk, levels=given.get("levels", []), address=given["address"], reason=given["reason"],
            now=now, version=given["version"],
        )  # fmt: skip

    return _answer(request, uid, forms.AttributesForm, act, {
        "title": _("Sửa thông tin đơn vị"), "submit": _("Lưu thông tin"), "done": _("Đã lưu thông tin đơn vị."),
        "consequences": [],
    }, lambda unit: {"levels": unit.levels, "address": unit.address})  # fmt: skip


@require_http_methods(["GET", "POST"])
def close(request: HttpRequest, uid: UUID) -> HttpResponse:
    """End a unit."""

    def act(actor: Actor, unit: Unit, given: dict[str, Any], now: datetime) -> Unit:
        return services.close_unit(
            actor=actor, unit_id=unit.pk, on=given["on"], reason=given["reason"], now=now, version=given["version"]
        )

    return _answer(request, uid, forms.CloseForm, act, {
        "title": _("Kết thúc hoạt động của đơn vị"), "submit": _("Kết thúc hoạt động"), "is_danger": True,
        "done": _("Đã ghi ngày kết thúc."),
        "consequences": [
            _("Từ ngày này đơn vị không còn trên cây; mã, tên và hồ sơ được giữ mãi."),
            _("Đơn vị còn trực thuộc phải chuyển đi hoặc kết thúc trước."),
        ],
    })  # fmt: skip
