"""The hostile corpus with its verdicts, and the harmless twins that must be read."""

from __future__ import annotations

import io
import resource
import time
import unicodedata
import zipfile
from datetime import date

import openpyxl
import pytest

from khue.gateway.exchange import loading, mapping
from khue.gateway.exchange.kinds import KINDS
from khue.gateway.exchange.sheets import Limits, SheetRefused, open_book
from khue.gateway.exchange.sheets import limits as rules
from tests.gateway.exchange import books

ROWS = books.learners(3)
GOOD = books.xlsx(ROWS)


def bomb() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as book:
        with zipfile.ZipFile(io.BytesIO(GOOD)) as source:
            for member in source.infolist():
                book.writestr(member.filename, source.read(member))
        entry = zipfile.ZipInfo("xl/media/a.xml")
        entry.compress_type = zipfile.ZIP_DEFLATED
        with book.open(entry, "w", force_zip64=True) as member:
            for _ in range(450):
                member.write(b"<a>" + b" " * (2**20 - 3))
    return sink.getvalue()


def extra(name: str, data: bytes = b"x") -> bytes:
    return books.rezip(GOOD, lambda _n, d: d, {name: data})


def sheet_xml(change) -> bytes:
    return books.rezip(GOOD, lambda name, data: change(data) if name == "xl/worksheets/sheet1.xml" else data)


def linked() -> bytes:
    sink = io.BytesIO(GOOD)
    with zipfile.ZipFile(sink, "a") as book:
        entry = zipfile.ZipInfo("xl/link")
        entry.external_attr = 0o120777 << 16
        book.writestr(entry, "/etc/passwd")
    return sink.getvalue()


def many_members() -> bytes:
    return books.rezip(GOOD, lambda _n, d: d, {f"xl/media/{n}.bin": b"" for n in range(3100)})


def false_dimension() -> bytes:
    return sheet_xml(lambda d: d.replace(b'<dimension ref="A1:I4"/>', b'<dimension ref="A1:XFD1048576"/>'))


HOSTILE = {
    "unpacks to 450 MB": (bomb, rules.Unsafe),
    "says it is small": (lambda: books.with_false_size(GOOD, "xl/worksheets/sheet1.xml", 100), rules.SheetRefused),
    "path out of its folder": (lambda: extra("../../etc/cron.d/x"), rules.Unsafe),
    "absolute path": (lambda: extra("/etc/x"), rules.Unsafe),
    "backslash path": (lambda: extra("..\\x"), rules.Unsafe),
    "twin member": (lambda: extra("XL/Workbook.XML"), rules.Unsafe),
    "symbolic link": (linked, rules.Unsafe),
    "three thousand members": (many_members, rules.TooBig),
    "entities": (lambda: sheet_xml(lambda d: d.replace(b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet', 1)), rules.Unsafe),
    "another encoding inside": (lambda: sheet_xml(lambda d: d.decode().encode("utf-16")), rules.Unsafe),
    "a cell in the far corner": (lambda: sheet_xml(lambda d: d.replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>')), rules.TooBig),
    "a far column": (lambda: sheet_xml(lambda d: d.replace(b'r="A1"', b'r="XFD1"', 1)), rules.TooBig),
    "a million repeated rows": (lambda: books.ods(books.ods_row(["x", "y"], repeated=1_048_576)), rules.TooBig),
    "a billion repeated cells": (lambda: books.ods('<table:table-row table:number-rows-repeated="100000"><table:table-cell office:value-type="string" table:number-columns-repeated="16384"/></table:table-row>'), rules.TooBig),
    "cut off": (lambda: GOOD[: len(GOOD) // 2], rules.Damaged),
    "not a workbook": (lambda: books.rezip(GOOD, lambda n, d: None if n == "xl/workbook.xml" else d), rules.UnknownKind),
    "an OLE file of noise": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(range(256)) * 50, rules.Damaged),
    "a web page called xls": (lambda: b"<html><table><tr><td>Ho ten</td></tr></table></html>", rules.WebPage),
    "a PDF": (lambda: b"%PDF-1.7 ...", rules.UnknownKind),
    "a program": (lambda: b"MZ\x90\x00\x03", rules.UnknownKind),
    "zeros": (lambda: bytes(5000), rules.UnknownKind),
    "nothing": (lambda: b"", rules.Damaged),
    "an endless CSV cell": (lambda: b'Ho ten,Lop\n"' + b"a" * 300_000, rules.Damaged),
    "a CSV of 200,000 rows": (lambda: b"a,b\n" * 200_000, rules.TooBig),
    "a CSV of 2,000 columns": (lambda: b"a," * 2_000 + b"\n", rules.TooBig),
    "thirty-one megabytes": (lambda: b"a,b\n" * (31 * 2**18), rules.TooBig),
    "a thousand sheets": (lambda: books.xlsx(ROWS, sheets={f"T{n}": [["a"]] for n in range(300)}), rules.TooBig),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_in_time_and_memory(name):
    make, expected = HOSTILE[name]
    content = make()
    before, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(expected) as caught:
        open_book(content, name="tep.csv" if "CSV" in name or "megabytes" in name else "tep.xlsx")
    assert caught.value.sentence and "%(" not in caught.value.sentence
    assert time.process_time() - before < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 900_000  # kilobytes: at most twice the unpacked limit


def test_a_locked_workbook_is_named_so():
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600)
    with pytest.raises(rules.Locked):
        open_book(content)


def merged_form() -> bytes:
    rows = [["SỞ GIÁO DỤC VÀ ĐÀO TẠO VĨNH LONG"], ["TRƯỜNG THCS NGUYỄN HUỆ"], [], ["DANH SÁCH HỌC SINH NĂM HỌC 2025-2026"], [],
            ["STT", "Họ và tên", "Ngày sinh", "", "", "Nữ", "Lớp", "Cha", "", "Mẹ", ""], ["", "", "Ngày", "Tháng", "Năm", "", "", "Họ tên", "Điện thoại", "Họ tên", "Điện thoại"],
            [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [1, "Nguyễn Thị An", 5, 9, 2013, "x", "7A1", "Nguyễn Văn Ba", 912345678, "Lê Thị Tư", "0988777666"],
            ["", "Tổng cộng: 1 học sinh"], ["", "", "", "", "", "", "Người lập biểu"]]  # fmt: skip
    merges = [(0, 0, 0, 10, rows[0][0]), (5, 0, 6, 0, "STT"), (5, 1, 6, 1, "Họ và tên"), (5, 2, 5, 4, "Ngày sinh"), (5, 5, 6, 5, "Nữ"), (5, 6, 6, 6, "Lớp"),
              (5, 7, 5, 8, "Cha"), (5, 9, 5, 10, "Mẹ")]  # fmt: skip
    blank = [["" if r in (5, 6) and any(m[0] <= r <= m[2] and m[1] <= c <= m[3] for m in merges) else v for c, v in enumerate(line)] for r, line in enumerate(rows)]
    return books.xlsx(blank, merges=merges)


def guessed(content: bytes, kind: str = "learners", name: str = "a.csv", sheet: str | None = None):
    book = open_book(content, name=name)
    page = book.sheet(sheet or book.names[0])
    heading = mapping.find_heading(page, KINDS[kind].fields)
    assert heading is not None
    return book, heading, {g.field: g.column for g in mapping.guess(heading.labels, KINDS[kind].fields, {}) if g.field}


def test_a_form_with_motto_merged_heading_and_footer_is_read():
    book, heading, found = guessed(merged_form())
    assert (heading.first, heading.last) == (5, 6)
    rows = book.sheet("Danh sách").rows
    assert loading.data_rows(rows[7:], 8, list(found.values()))[::2] == ([9], 2)
    assert found == {"name": 1, "born_day": 2, "born_month": 3, "born_year": 4, "female": 5, "group": 6, "father_name": 7, "father_phone": 8, "mother_name": 9, "mother_phone": 10}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1258"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_in_every_usual_dress(encoding, delimiter):
    rows = [["Họ và tên", "Lớp", "Ngày sinh"], ["Trần Văn Sơn", "7A1", "05/09/2013"], ["Lê, Thị; Hoa", "7A1", "06/09/2013"]]
    if encoding == "cp1258":  # Windows-1258 writes tones as marks of their own
        text = "\r\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
        marks = "\u0300\u0301\u0303\u0309\u0323"
        content = b"".join(
            unicodedata.normalize("NFC", "".join(c for c in unicodedata.normalize("NFD", letter) if c not in marks)).encode("cp1258")
            + "".join(c for c in unicodedata.normalize("NFD", letter) if c in marks).encode("cp1258")
            for letter in text
        )
    else:
        content = books.text_csv(rows, delimiter=delimiter, encoding=encoding)
    book, _heading, found = guessed(content)
    assert {"name", "group", "born_on"} <= set(found)
    from khue.gateway.exchange.sheets.cells import as_text

    assert [as_text(cell) for cell in book.sheet("CSV").rows[1]] == ["Trần Văn Sơn", "7A1", "05/09/2013"]
    assert book.sheet("CSV").rows[2][0].count(",") == 1


def test_a_workbook_of_200_sheets_is_read_and_the_right_one_found():
    book = open_book(books.xlsx([["Ghi chú"]], name="Bìa", sheets={**{f"Tổ {n}": [["Kế hoạch"]] for n in range(198)}, "Học sinh": ROWS}))
    from khue.gateway.exchange.services import best_sheet

    assert len(book.names) == 200 and best_sheet(book, KINDS["learners"], {})[0] == "Học sinh"


def test_formulas_give_their_last_value_and_are_flagged():
    rows = [*ROWS[:2], [2, "Lê Văn Bình", "{=DATE(2013,1,2)}", "Nam", "7A1"]]
    book = open_book(books.xlsx(rows))
    sheet = book.sheet("Danh sách")
    assert sheet.formulas == ("C3",) and sheet.rows[2][2] == 7


def test_a_false_dimension_is_ignored_and_text_dates_and_real_dates_read_alike():
    assert len(open_book(false_dimension()).sheet("Danh sách").rows) == 4
    book = open_book(books.xlsx([["Họ và tên", "Ngày sinh", "Lớp"], ["An Văn", date(2013, 9, 5), "7A1"], ["Bình Văn", "05/09/2013", "7A1"]]))
    from khue.gateway.exchange.sheets.cells import as_date

    assert {as_date(row[1]).on for row in book.sheet("Danh sách").rows[1:]} == {date(2013, 9, 5)}


def test_ods_and_openpyxl_workbooks_are_read():
    content = books.ods(books.ods_row(["Họ và tên", "Ngày sinh", "Lớp"]) + books.ods_row(["Lê Văn An", "05/09/2013", "7A1"]) + books.ods_row([], repeated=1_000_000))
    assert guessed(content)[0].kind == "ods"
    sink, book = io.BytesIO(), openpyxl.Workbook()
    for row in ROWS:
        book.active.append(row)
    book.save(sink)
    assert len(open_book(sink.getvalue()).sheet("Sheet").rows) == 4


def test_limits_are_told_in_numbers():
    with pytest.raises(SheetRefused) as caught:
        open_book(b"a,b\n" * 50, name="a.csv", limits=Limits(rows=10))
    assert "50" in caught.value.sentence and "10" in caught.value.sentence
