"""The weeks of many classes, teachers or rooms as PDF (Typst) and as XLSX, a sheet each."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _

from khue.kernel.sealing.typeset import Template
from khue.school.timetable import queries, weeks
from khue.school.timetable.models import Lesson, Timetable

_TEMPLATE = Template(Path(__file__).parent / "sheets.typ")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Sheet:
    """One week: its name, its days, its lines as (session, period, count of the session or 0, cells of (subject, detail))."""

    name: str
    days: Sequence[str]
    lines: Sequence[tuple[str, str, int, Sequence[Sequence[tuple[str, str]]]]]


def sheets(held: Timetable, lessons: Sequence[Lesson], by: str) -> list[Sheet]:
    """Return the week of everybody who has lessons."""
    grid = weeks.grid_of(held.pattern)
    found = []
    for who, name in queries.people_of(lessons, by):
        days, lines = queries.table(held.pattern, grid, [one for one in lessons if queries.is_of(one, by, who)])
        found.append(Sheet(name, days, [
            (line.session, str(line.period + 1), line.count if line.is_first else 0, [[_told(one, by) for one in cell.lessons] for cell in line.cells])
            for line in lines
        ]))  # fmt: skip
    return found


def _told(one: queries.Shown, by: str) -> tuple[str, str]:
    parts = {"class": (one.teacher, one.room), "teacher": (one.group, one.room), "room": (one.group, one.teacher)}[by]
    return one.subject, ", ".join(filter(None, parts))


def heading(by: str) -> str:
    """Return the words before a name."""
    return {"class": _("Thời khoá biểu lớp"), "teacher": _("Lịch dạy"), "room": _("Lịch phòng")}[by]


def days_of(held: Timetable) -> str:
    """Return from when the version holds."""
    return _("Áp dụng từ %(day)s") % {"day": f"{held.valid.lower:%d/%m/%Y}"} if held.valid else _("Bản nháp")


def pdf(held: Timetable, found: Sequence[Sheet], by: str, *, at: datetime) -> bytes:
    """Return the wall sheets, a page each, as tagged PDF/A."""
    data: dict[str, Any] = {
        "title": f"{heading(by)} {held.title}", "school": held.school.name, "days": days_of(held), "heading": heading(by),
        "session": _("Buổi"), "period": _("Tiết"),
        "sheets": [
            {"name": one.name, "days": list(one.days), "lines": [
                {"session": session, "period": number, "count": count,
                 "cells": [[{"subject": subject, "detail": detail} for subject, detail in cell] for cell in cells]}
                for session, number, count, cells in one.lines
            ]}
            for one in found
        ],
    }  # fmt: skip
    return _TEMPLATE.render(data, created_at=at)


def xlsx(held: Timetable, found: Sequence[Sheet], by: str) -> bytes:
    """Return a workbook with a sheet each; names are made fit for Excel and unique."""
    sink = io.BytesIO()
    book = xlsxwriter.Workbook(sink, {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False})
    bold = book.add_format({"bold": True, "border": 1, "align": "center", "valign": "vcenter", "text_wrap": True})
    plain = book.add_format({"border": 1, "align": "center", "valign": "vcenter", "text_wrap": True})
    title = book.add_format({"bold": True, "font_size": 14})
    taken: set[str] = set()
    for one in found:
        page = book.add_worksheet(_sheet_name(one.name, taken))
        page.set_landscape()
        page.fit_to_pages(1, 1)
        page.set_column(0, 1, 7)
        page.set_column(2, 2 + len(one.days), 20)
        page.write_string(0, 0, f"{heading(by)} {one.name}", title)
        page.write_string(1, 0, f"{held.school.name}. {days_of(held)}")
        for column, text in enumerate([_("Buổi"), _("Tiết"), *one.days]):
            page.write_string(3, column, text, bold)
        for row, (session, number, _count, cells) in enumerate(one.lines, 4):
            page.write_string(row, 0, session, plain)
            page.write_string(row, 1, number, plain)
            for column, cell in enumerate(cells, 2):
                page.write_string(row, column, "\n".join(f"{subject}\n{detail}".strip() for subject, detail in cell), plain)
    if not found:
        book.add_worksheet(_("Trống"))
    book.close()
    return sink.getvalue()


def _sheet_name(name: str, taken: set[str]) -> str:
    base = "".join("-" if letter in "[]:*?/\\'" else letter for letter in name)[:28] or "-"
    found, number = base, 2
    while found.casefold() in taken:
        found, number = f"{base[:25]} {number}", number + 1
    taken.add(found.casefold())
    return found
