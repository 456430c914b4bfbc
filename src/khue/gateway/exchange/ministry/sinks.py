"""Where records go: JSON, one record a line, and sheets of a workbook. Both stream."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import xlsxwriter

from khue.gateway.exchange.ministry.spec import Table, objects, table
from khue.register.fields import catalogue
from khue.register.fields.models import ExtensionField

SHEET_ROWS = 1_000_000
"""A sheet takes 1,048,576 rows; beyond this another one begins."""
SHEETS = {
    "school": "Truong", "class": "Lop", "staff": "Nhan su", "learner": "Hoc sinh", "result": "Ket qua", "other_centre": "Trung tam khac",
    "community_centre": "TT hoc tap cong dong", "retest": "Thi lai", "independent_candidate": "Thi sinh tu do", "graduation": "Xet tot nghiep",
    "eqms_start": "EQMS dau nam", "eqms_mid": "EQMS giua nam", "eqms_end": "EQMS cuoi nam", "land": "Dat dai", "room": "Phong hoc",
}  # fmt: skip
NUMBERS = ("integer", "decimal")


def canonical(record: dict[str, Any] | list[Any]) -> str:
    """Return a record as canonical JSON: names sorted, no white space, NFC text as it is, numbers shortest."""
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


class JsonSink:
    """An array of records in a file, one record a line."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._sink: TextIO = open(path, "w", encoding="utf-8", newline="\n")  # noqa: SIM115 - closed by close()
        self._first = True
        self._sink.write("[")

    def add(self, record: dict[str, Any]) -> None:
        """Write one record."""
        self._sink.write("\n" if self._first else ",\n")
        self._first = False
        self._sink.write(canonical(record))

    def close(self) -> None:
        """End the array."""
        self._sink.write("\n]\n")
        self._sink.close()


class Workbook:
    """One workbook a level, a sheet an object: symbols in the first line, Vietnamese names in the second.

    Text is written as text with the quote mark of a spreadsheet's own "this is text", so nothing in it is ever
    a formula, a number or a link; codes and identifiers keep their noughts. Lists are their canonical JSON.
    """

    def __init__(self, path: Path, level: str, extensions: Sequence[ExtensionField] = ()) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
        self._book = xlsxwriter.Workbook(str(path), options)
        self._text = self._book.add_format({"num_format": "@"})
        self._guarded = self._book.add_format({"num_format": "@", "quote_prefix": True})
        self._head = self._book.add_format({"bold": True, "num_format": "@"})
        self._level, self._extensions = level, extensions
        self._parts: dict[str, _Sheet] = {}
        self._books: dict[str, Any] = {}

    def sheet(self, object_: str) -> _Sheet:
        """Return the sheet of an object, made when it is first asked for."""
        if object_ not in self._parts:
            fields = catalogue.extended(table(self._level, object_), self._extensions, level=self._level)
            self._parts[object_] = _Sheet(self._book, fields, self._text, self._guarded, self._head)
        return self._parts[object_]

    def close(self) -> None:
        """Write the workbook; every object has its sheet, empty or not."""
        for object_ in objects(self._level):
            self.sheet(object_)
        self._book.close()


class _Sheet:
    def __init__(self, book: Any, fields: Table, text: Any, guarded: Any, head: Any) -> None:
        self._book, self._table, self._text, self._guarded, self._head = book, fields, text, guarded, head
        self._columns = {symbol: index for index, symbol in enumerate(fields.fields)}
        self._number = 0
        self._begin()

    def _begin(self) -> None:
        self._number += 1
        name = SHEETS[self._table.object] + (f" {self._number}" if self._number > 1 else "")
        self._sheet = self._book.add_worksheet(name)
        self._sheet.freeze_panes(2, 0)
        for symbol, column in self._columns.items():
            self._sheet.write_string(0, column, symbol, self._head)
        for symbol, column in self._columns.items():
            self._sheet.write_string(1, column, self._table.fields[symbol].name, self._head)
        self._row = 2

    def add(self, record: dict[str, Any]) -> None:
        """Write one record as a line."""
        if self._row >= SHEET_ROWS:
            self._begin()
        for symbol, column in self._columns.items():
            value = record.get(symbol)
            if value is None:
                continue
            kind = self._table.fields[symbol].type
            if isinstance(value, bool):
                self._sheet.write_number(self._row, column, int(value))
            elif kind in NUMBERS and isinstance(value, int | float):
                self._sheet.write_number(self._row, column, value)
            else:
                shown = canonical(value) if isinstance(value, list) else str(value)
                style = self._guarded if shown[:1] in "=+-@\t\r" else self._text
                self._sheet.write_string(self._row, column, shown, style)
        self._row += 1
