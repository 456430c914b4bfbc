"""The result file: the user's own sheet, cell by cell in its order, with what became of each row beside it."""

from __future__ import annotations

import io
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _

from khue.gateway.exchange import loading
from khue.gateway.exchange.models import ImportBatch, ImportRow, What
from khue.gateway.exchange.reasons import sentence
from khue.gateway.exchange.sheets import RawCell, Sheet
from khue.gateway.exchange.sheets.cells import as_text, harmless, is_number
from khue.kernel import files
from khue.kernel.files.models import StoredFile
from khue.kernel.permissions import Actor
from khue.register.people.models import Person

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def store(batch: ImportBatch, sheet: Sheet, actor: Actor) -> StoredFile:
    """Make the file and store it for the school."""
    name = batch.file.name.rsplit(".", 1)[0] + _(" - kết quả") + ".xlsx"
    return files.store(
        build(batch, sheet), name=name, content_type=CONTENT_TYPE, purpose="exchange.result", school_id=batch.school_id,
        account_id=actor.account_id,
    )  # fmt: skip


def build(batch: ImportBatch, sheet: Sheet) -> bytes:
    """Return the workbook's bytes."""
    kept = {row.number: row for row in ImportRow.objects.filter(batch=batch)}
    codes = _codes(batch, kept)
    has_run = bool(batch.counters) or bool(kept)
    columns = list(loading.field_columns(batch).values())
    first = batch.header_last + 1
    numbers = set(loading.data_rows(sheet.rows[first:], first + 1, columns)[0]) if has_run else set()
    sink = io.BytesIO()
    book = xlsxwriter.Workbook(sink, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False})
    page = book.add_worksheet(safe_sheet_name(sheet.name))
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#EAF3FF"})
    red = book.add_format({"font_color": "#B3261E", "text_wrap": True})
    plain = book.add_format({"text_wrap": True})
    width = max((len(row) for row in sheet.rows), default=0)
    page.set_column(0, max(width - 1, 0), 16)
    page.set_column(width, width, 18)
    page.set_column(width + 1, width + 1, 60)
    page.set_column(width + 2, width + 2, 24)
    for index, row in enumerate(sheet.rows):
        for column, value in enumerate(row):
            _write(page, index, column, value)
        if index == batch.header_last:
            for column, title in enumerate((_("Kết quả"), _("Lý do"), _("Mã định danh được cấp"))):
                page.write_string(index, width + column, title, bold)
        elif index + 1 in numbers:
            what, why = outcome_of(kept.get(index + 1), batch, index + 1)
            page.write_string(index, width, str(What(what).label), red if what in (What.REFUSED, What.ASKED, What.CONFLICT) else plain)
            page.write_string(index, width + 1, why, plain)
            page.write_string(index, width + 2, codes.get(index + 1, ""))
    page.freeze_panes(batch.header_last + 1, 0)
    book.close()
    return sink.getvalue()


def outcome_of(row: ImportRow | None, batch: ImportBatch, number: int) -> tuple[str, str]:
    """Return (what became of a row, why in words). A row not kept is new where the dry run said so, else unchanged."""
    if row is None:
        fresh = batch.applied_at is None and any(first <= number <= last for first, last in batch.preview.get("new", ()))
        return What.NEW if fresh else What.UNCHANGED, ""
    detail = row.detail or {}
    words = [sentence(one["code"], one["facts"]) for one in (*detail.get("reasons", ()), *detail.get("notes", ()))]
    for name, (before, after) in detail.get("diff", {}).items():
        words.append(f"{title_of(batch.kind, name)}: {before or '…'} → {after or '…'}.")
    words += [sentence(one["code"], one["facts"]) for one in detail.get("undone", ())]
    return row.what, " ".join(words)


def title_of(kind: str, name: str) -> str:
    """Return what people call a field of a kind; a label of the kind's own making stays as it is."""
    from khue.gateway.exchange.kinds import KINDS

    return next((str(one.title) for one in KINDS[kind].fields if one.code == name), name)


def _codes(batch: ImportBatch, kept: dict[int, ImportRow]) -> dict[int, str]:
    if batch.kind not in ("learners", "staff"):
        return {}
    people = {row.object_id or 0: number for number, row in kept.items() if row.is_applied and row.what == What.NEW}
    found = Person.objects.filter(pk__in=people).values_list("pk", "code")
    return {people[pk]: code for pk, code in found}


def _write(page: Any, row: int, column: int, value: RawCell) -> None:
    if value in ("", None):
        return
    if is_number(value) and abs(value) < 1e10:  # type: ignore[arg-type, operator]
        page.write_number(row, column, value)
    else:
        page.write_string(row, column, str(harmless(value if isinstance(value, str) else as_text(value)))[:32767])


def safe_sheet_name(name: str) -> str:
    """Return a name Excel takes for a sheet."""
    return "".join(c for c in name if c not in "[]:*?/\\'")[:31] or "Sheet1"
