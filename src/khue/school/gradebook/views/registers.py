"""The list of my registers, the grid of one, saving cells with and without JavaScript, one learner's line."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from khue.kernel import audit, permissions, text
from khue.kernel.errors import Invalid
from khue.school.gradebook import cells, queries, services, terms
from khue.school.gradebook.queries.registers import Grid, GridRow
from khue.school.gradebook.services import CellChange, Saved

_FIELD = re.compile(r"(\d{1,3})-(r[1-8]|mid|fin|comment|mid_test|fin_test)\Z")


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Show the registers of the term that the actor teaches or leads, those with gaps first."""
    now = timezone.now()
    term = chosen_term(request)
    lines = queries.my_registers(request.actor, now=now, term=term)
    mine = [line for line in lines if line.is_taught]
    others = [line for line in lines if not line.is_taught]
    return render(
        request,
        "gradebook/index.html",
        {
            "mine": mine, "others": others, "term": term, "term_title": terms.title(term),
            "tabs": term_tabs(reverse("gradebook:index"), term, years=False),
            "gaps": sum(1 for line in mine if line.missing),
        },
    )  # fmt: skip


def chosen_term(request: HttpRequest, *, years: bool = False) -> int:
    """Return the term of the address (`?ky=1`), else the one that runs."""
    asked = request.GET.get("ky", "")
    if asked in ("1", "2") or (years and asked == "0"):
        return int(asked)
    return terms.term_of(timezone.localdate())


def term_tabs(address: str, term: int, *, years: bool) -> list[dict[str, Any]]:
    """Return the tabs of the two terms, and of the year."""
    choices = (1, 2, 0) if years else (1, 2)
    return [{"title": terms.title(one), "url": f"{address}?ky={one}", "is_active": one == term} for one in choices]


@require_GET
def register(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show one register as a grid of inputs: a plain form that the controller in gradebook.js takes over."""
    grid = queries.register_grid(request.actor, uid, now=timezone.now())
    audit.looked(request, ((pk, grid.school_id) for pk in grid.learner_ids), "marks")
    return _page(request, grid)


def _page(
    request: HttpRequest, grid: Grid, *, saved: Saved | None = None, typed: dict[tuple[str, str], str] | None = None,
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    context = {
        "grid": grid, "columns": columns(grid), "rows": shown_rows(grid, saved, typed or {}), "words": words(),
        "problems": problems(grid, saved), "term_title": terms.title(grid.term),
        "year_title": terms.year_title(grid.school_year), "show_outcome": grid.kind != "level",
        "may_import": grid.may_write and permissions.holds(request.actor, "exchange.import_marks"),
    }  # fmt: skip
    return render(request, "gradebook/register.html", context, status=status)


def columns(grid: Grid) -> list[dict[str, Any]]:
    """Return the head of each column: short on screen, long for readers."""
    short = {
        "mid": _("GK"), "fin": _("CK"), "comment": _("Nhận xét"), "mid_test": _("KT giữa kỳ"), "fin_test": _("KT cuối kỳ"),
    }  # fmt: skip
    return [
        {
            "slot": slot, "short": short.get(slot, f"TX{slot[1:]}"), "title": cells.title(slot).capitalize(),
            "is_wide": slot == "comment", "mode": "decimal" if cells.holds_mark(grid.kind, slot) else "text",
        }
        for slot in grid.sheet.slots
    ]  # fmt: skip


def shown_rows(
    grid: Grid, saved: Saved | None, typed: dict[tuple[str, str], str]
) -> list[tuple[GridRow, list[dict[str, Any]]]]:
    """Return the rows with what each cell shows; after a refused save what was typed stays in its cell."""
    wrong: set[tuple[str, str]] = set()
    if saved is not None:
        wrong.update((one.learner, one.slot) for one in saved.refused)
        wrong.update((one.learner, one.slot) for one in saved.conflicts)
    result = []
    for row in grid.rows:
        shown = []
        for cell in row.cells:
            key = (row.learner, cell.slot)
            is_wrong = key in wrong
            shown.append({
                "slot": cell.slot, "value": typed.get(key, cell.shown) if is_wrong else cell.shown, "is_wrong": is_wrong,
                "is_corrected": cell.is_corrected, "was": cell.was, "came_from": cell.came_from, "is_wide": cell.slot == "comment",
                "mode": "decimal" if cells.holds_mark(grid.kind, cell.slot) else "",
            })  # fmt: skip
        result.append((row, shown))
    return result


def problems(grid: Grid, saved: Saved | None) -> list[dict[str, str]]:
    """Return what a save could not write, in sentences, for the page without JavaScript."""
    if saved is None:
        return []
    names = {row.learner: row.name for row in grid.rows}
    found = []
    for bad in saved.refused:
        found.append({
            "name": names.get(bad.learner, ""), "cell": cells.title(bad.slot) if bad.slot in cells.PLACE else bad.slot,
            "text": _("“%(typed)s”: %(why)s") % {"typed": bad.typed, "why": bad.sentence},
        })  # fmt: skip
    for clash in saved.conflicts:
        found.append({
            "name": names.get(clash.learner, ""), "cell": cells.title(clash.slot),
            "text": _("%(who)s vừa ghi %(theirs)s. Ô đang giữ %(mine)s của thầy cô: bấm Lưu lần nữa để ghi %(mine)s, "
            "hoặc sửa ô lại thành %(theirs)s.") % {
                "who": clash.who or _("Người khác"), "theirs": shown_value(clash.slot, clash.value) or _("trống"),
                "mine": shown_value(clash.slot, clash.mine) or _("trống"),
            },
        })  # fmt: skip
    return found


def shown_value(slot: str, value: str) -> str:
    """Return a value as the screen writes it."""
    return value if slot == "comment" else cells.show(value)


@require_POST
def save(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Save cells: JSON from the controller, or the whole form. A conflict is 409, with what else was saved."""
    now = timezone.now()
    if request.content_type == "application/json":
        saved = services.save_cells(actor=request.actor, register=uid, changes=json_changes(request), now=now)
        return JsonResponse(answer(saved), status=409 if saved.conflicts else 200)
    changes = form_changes(request)
    saved = services.save_cells(actor=request.actor, register=uid, changes=changes, now=now)
    if saved.conflicts or saved.refused:
        grid = queries.register_grid(request.actor, uid, now=now)
        typed = {(one.learner, one.slot): one.value for one in changes}
        return _page(request, grid, saved=saved, typed=typed, status=409 if saved.conflicts else 422)
    if saved.changed:
        text = ngettext("Đã lưu %(count)s ô.", "Đã lưu %(count)s ô.", saved.changed) % {"count": saved.changed}
    else:
        text = _("Không có ô nào thay đổi.")
    messages.success(request, text)
    return redirect("gradebook:register", uid=uid)


def json_changes(request: HttpRequest) -> list[CellChange]:
    """Return the changes of a JSON body: {"changes": [{"learner", "slot", "value", "seen"}]}; raise Invalid."""
    try:
        body = json.loads(request.body)
        return [
            CellChange(str(one["learner"]), str(one["slot"]), str(one["value"]), int(one["seen"]))
            for one in body["changes"]
        ]
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise Invalid(fields={"changes": [_("Nội dung gửi lên không đọc được.")]}) from error


def form_changes(request: HttpRequest) -> list[CellChange]:
    """Return the changes of the plain form: fields `l` name the learners in order, `3-r1` is a cell of the fourth."""
    learners = request.POST.getlist("l")
    seen = text.whole(request.POST.get("seen", "0"))
    if seen is None:
        raise Invalid(fields={"seen": [_("Nội dung gửi lên không đọc được.")]})
    changes = []
    for name, value in request.POST.items():
        found = _FIELD.match(name)
        if found and int(found[1]) < len(learners):
            changes.append(CellChange(learners[int(found[1])], found[2], str(value), seen))
    return changes


def answer(saved: Saved) -> dict[str, Any]:
    """Return what the controller and the API get: values both as kept and as shown."""
    body = asdict(saved)
    for group in ("saved", "kept", "conflicts"):
        for one in body[group]:
            one["shown"] = shown_value(one["slot"], one["value"])
    for one in body["conflicts"]:
        one["mine_shown"] = shown_value(one["slot"], one["mine"])
        one["at"] = timezone.localtime(one["at"]).strftime("%H:%M %d/%m/%Y") if one["at"] else ""
    body["at"] = timezone.localtime(saved.at).strftime("%H:%M %d/%m/%Y")
    return body


@require_GET
def line(request: HttpRequest, uid: UUID, learner: UUID) -> HttpResponse:
    """Show one learner's line: each cell, and who changed it when; after closing, where to ask for a correction."""
    found = queries.line_history(request.actor, uid, str(learner), now=timezone.now())
    audit.looked(request, [(found.learner_id, found.grid.school_id)], "marks")
    return render(
        request,
        "gradebook/line.html",
        {
            "grid": found.grid, "row": found.row, "changes": found.changes, "corrections": found.corrections,
            "choices": [
                (cell.slot, cells.title(cell.slot).capitalize(), cell.shown)
                for cell in found.row.cells
                if cell.slot not in found.row.waits_for
            ],
            "cells": [(cells.title(cell.slot).capitalize(), cell) for cell in found.row.cells],
            "term_title": terms.title(found.grid.term),
            "may_exempt": permissions.holds(request.actor, "gradebook.exempt") and found.grid.locked_at is None,
        },
    )  # fmt: skip


def words() -> dict[str, str]:
    """Return the sentences the controller says."""
    return {
        "saving": _("Đang lưu…"),
        "saved": _("Đã lưu lúc {at}"),
        "waiting": _("{count} ô chờ gửi, đang giữ trên máy này"),
        "offline": _("Mất mạng: {count} ô đang giữ trên máy này, có mạng sẽ tự gửi"),
        "signedOut": _("Phiên đăng nhập đã hết. {count} ô vẫn giữ trên máy này: hãy đăng nhập lại ở thẻ khác rồi bấm Lưu"),
        "refused": _("Chưa lưu được: {why}"),
        "mark": _("Điểm từ 0 đến 10, nhiều nhất một chữ số thập phân."),
        "comma": _("Có phải ý thầy cô là {meant}?"),
        "test": _("Điểm bài kiểm tra là số nguyên từ 1 đến 10."),
        "pass": _("Ô này ghi Đ hoặc CĐ."),
        "level": _("Ô này ghi T, H hoặc C."),
        "pasteTitle": _("Xem trước khi dán"),
        "pasteFits": _("{count} ô sẽ được ghi, trong đó {over} ô đang có giá trị khác."),
        "pasteBad": _("{count} ô không hợp lệ (tô đỏ) sẽ bị bỏ qua:"),
        "pasteOut": _("{count} ô nằm ngoài bảng sẽ bị bỏ qua."),
        "pasteTake": _("Ghi {count} ô"),
        "cancel": _("Thôi, không dán"),
        "clash": _("{name}, {cell}: {who} ghi {theirs} lúc {at}; thầy cô ghi {mine}."),
        "keepTheirs": _("Giữ {theirs}"),
        "takeMine": _("Ghi {mine}"),
        "empty": _("trống"),
        "somebody": _("Người khác"),
        "use": _("Dùng {meant}"),
        "missing": _("Còn thiếu: {count} ô"),
        "full": _("Đủ điểm"),
        "kept": _("{count} ô người khác vừa sửa đã được cập nhật."),
    }
