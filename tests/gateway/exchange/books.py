"""Workbooks and CSV files made on the spot, ugly and hostile ones too. Nothing here is stored in the tree."""

from __future__ import annotations

import csv
import io
import struct
import zipfile
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

import xlsxwriter


def xlsx(rows: Sequence[Sequence[Any]], *, name: str = "Danh sách", merges: Iterable[tuple[int, int, int, int, str]] = (), sheets: dict[str, Sequence[Sequence[Any]]] | None = None) -> bytes:
    """Return a workbook; dates are real dates, merges are (row, column, row, column, text)."""
    sink = io.BytesIO()
    book = xlsxwriter.Workbook(sink, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    dated = book.add_format({"num_format": "dd/mm/yyyy"})
    for title, lines in {name: rows, **(sheets or {})}.items():
        page = book.add_worksheet(title)
        if title == name:
            for top, left, bottom, right, text in merges:
                page.merge_range(top, left, bottom, right, text)
        for r, line in enumerate(lines):
            for c, value in enumerate(line):
                if isinstance(value, date):
                    page.write_datetime(r, c, value, dated)
                elif isinstance(value, str) and value.startswith("{="):
                    page.write_formula(r, c, value.strip("{}"), None, 7)
                elif value not in ("", None):
                    page.write(r, c, value)
    book.close()
    return sink.getvalue()


def text_csv(rows: Sequence[Sequence[Any]], *, delimiter: str = ",", encoding: str = "utf-8-sig") -> bytes:
    """Return a CSV file."""
    sink = io.StringIO()
    csv.writer(sink, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return sink.getvalue().encode(encoding)


def rezip(content: bytes, change: Callable[[str, bytes], bytes | None], extra: dict[str, bytes] | None = None) -> bytes:
    """Return a workbook with members changed, dropped (None) or added."""
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.infolist():
            data = change(member.filename, source.read(member))
            if data is not None:
                target.writestr(member.filename, data)
        for name, data in (extra or {}).items():
            target.writestr(name, data)
    return sink.getvalue()


def ods(rows: str) -> bytes:
    """Return an ODS whose table body is the given XML."""
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content'
        ' xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
        ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">'
        f'<office:body><office:spreadsheet><table:table table:name="Lop">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        '<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    )
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        book.writestr("content.xml", content)
        book.writestr("META-INF/manifest.xml", manifest)
    return sink.getvalue()


def ods_row(cells: Sequence[str], repeated: int = 1) -> str:
    """Return one row of text cells."""
    body = "".join(f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in cells)
    return f'<table:table-row table:number-rows-repeated="{repeated}">{body}</table:table-row>'


def with_false_size(content: bytes, member: str, size: int) -> bytes:
    """Return a zip whose directory says another unpacked size for a member than it has."""
    data = bytearray(content)
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        start = 0
        while (at := data.find(signature, start)) >= 0:
            name_at = at + (46 if signature == b"PK\x01\x02" else 30)
            if data[name_at : name_at + len(member)] == member.encode():
                struct.pack_into("<I", data, at + offset, size)
            start = at + 4
    return bytes(data)


LEARNER_HEAD = ["STT", "Họ và tên", "Ngày sinh", "Giới tính", "Lớp", "Số định danh cá nhân", "Dân tộc", "Địa chỉ", "Điện thoại"]


def learners(count: int, *, group: str = "7A1", year: int = 2013, start: int = 0) -> list[list[Any]]:
    """Return a heading and rows of learners of grade 7 in 2025, all different."""
    given = ("An", "Bình", "Cường", "Dũng", "Đức", "Giang", "Hoà", "Khoa", "Lan", "Mai")
    family = ("Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Võ", "Đặng", "Bùi")
    rows: list[list[Any]] = [LEARNER_HEAD]
    for n in range(start, start + count):
        name = f"{family[n % 8]} {'Văn' if n % 2 else 'Thị'} {given[n // 8 % 10]}{'' if n < 640 else ' ' + given[n // 640 % 10]}"
        sex = "Nam" if n % 2 else "Nữ"
        number = f"0{86 - 10 * (n % 2)}{2 if n % 2 else 3}{year % 100:02d}{n:06d}"
        rows.append([n + 1, name, f"{1 + n % 28:02d}/{1 + n // 28 % 12:02d}/{year}", sex, group, number[:12], "Kinh", f"{n} đường Lê Lợi", f"09{n:08d}"])
    return rows
