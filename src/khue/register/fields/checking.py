"""Checking one record against its table: every missing or wrong field, and the value in its canonical form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from khue.register.fields.annex import Field, Table

PROBLEMS = {
    "missing": _("Thiếu"),
    "too-long": _("Dài quá quy định"),
    "not-in-list": _("Không có trong danh mục"),
    "not-a-date": _("Không phải ngày"),
    "partial-date": _("Ngày chưa đủ"),
    "not-a-number": _("Không phải số"),
    "not-yes-no": _("Không phải có hoặc không"),
    "not-a-list": _("Không phải danh sách"),
    "unknown-field": _("Trường dữ liệu không có trong bảng"),
    "twice": _("Mã trùng với bản ghi khác"),
}
YES, NO = frozenset({True, "1", "true", "có", "x"}), frozenset({False, "0", "false", "không"})
_INTEGER = re.compile(r"-?\d{1,18}")
_DECIMAL = re.compile(r"-?\d{1,15}([.,]\d{1,6})?")


@dataclass(frozen=True, slots=True)
class Partial:
    """A date of which only the year, or the month, is known (`text` as YYYY or YYYY-MM)."""

    text: str


@dataclass(frozen=True, slots=True)
class Violation:
    """One wrong or missing field of a record; `symbol` has the list before it for a field inside a list."""

    symbol: str
    problem: str


class Wrong(Exception):
    """A value does not fit its field."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


Lists = Mapping[str, Mapping[str, str]]


def _text(value: Any, field: Field, lists: Lists) -> str:
    if isinstance(value, bool):
        value = int(value)
    text = unicodedata.normalize("NFC", str(value)).strip()
    if field.length is not None and len(text) > field.length:
        raise Wrong("too-long")
    if field.list_code and lists.get(field.list_code):
        return _member(text, lists[field.list_code])
    return text


def _member(text: str, known: Mapping[str, str]) -> str:
    """Return the code as the list writes it: leading noughts are forgiven, nothing else."""
    if text in known:
        return text
    bare = text.lstrip("0")
    found = next((code for code in known if code.lstrip("0") == bare), None) if bare else None
    if found is None:
        raise Wrong("not-in-list")
    return found


def _boolean(value: Any, field: Field, lists: Lists) -> bool:
    key = value.strip().lower() if isinstance(value, str) else value
    if isinstance(key, str | bool | int):
        if key in YES:
            return True
        if key in NO:
            return False
    raise Wrong("not-yes-no")


def _integer(value: Any, field: Field, lists: Lists) -> int:
    if isinstance(value, bool) or not _INTEGER.fullmatch(str(value).strip()):
        raise Wrong("not-a-number")
    if field.length is not None and len(str(value).strip().lstrip("-")) > field.length:
        raise Wrong("too-long")
    return int(str(value).strip())


def _decimal(value: Any, field: Field, lists: Lists) -> float | int:
    text = str(value).strip()
    if isinstance(value, bool) or not _DECIMAL.fullmatch(text):
        raise Wrong("not-a-number")
    if field.length is not None and len(text) > field.length:
        raise Wrong("too-long")
    number = float(text.replace(",", "."))  # the shortest text that reads back: 8.3 leaves as 8.3
    return int(number) if number.is_integer() else number


def _date(value: Any, field: Field, lists: Lists) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Partial):
        raise Wrong("partial-date")
    text = str(value).strip()
    day, month, year = [*text.split("/"), "", ""][:3] if "/" in text else ("", "", "")
    try:
        return date.fromisoformat(text if not year else f"{year}-{month:0>2}-{day:0>2}").isoformat()
    except ValueError:
        raise Wrong("not-a-date") from None


_KINDS: dict[str, Callable[[Any, Field, Lists], Any]] = {
    "string": _text, "enum": _text, "boolean": _boolean, "integer": _integer, "decimal": _decimal, "date": _date, "": _text,
}  # fmt: skip


def is_empty(value: Any) -> bool:
    """Return whether a value says nothing: None, an empty or blank string, an empty list."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def check(table: Table, values: Mapping[str, Any], lists: Lists) -> tuple[dict[str, Any], list[Violation]]:
    """Return the record in canonical form and what is wrong with it.

    A value that does not fit is left out of the record and named; nothing is bent to fit. Empty fields are left
    out and named only where the field is required.
    """
    record: dict[str, Any] = {}
    wrong: list[Violation] = []
    for symbol, field in table.fields.items():
        value = values.get(symbol)
        if is_empty(value):
            if field.is_required:
                wrong.append(Violation(symbol, "missing"))
            continue
        if field.type == "list":
            kept = _children(field, value, lists, wrong)
            if kept:
                record[symbol] = kept
            continue
        try:
            record[symbol] = _KINDS[field.type](value, field, lists)
        except Wrong as bad:
            wrong.append(Violation(symbol, bad.problem))
    return record, wrong


def _children(field: Field, value: Any, lists: Lists, wrong: list[Violation]) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        wrong.append(Violation(field.symbol, "not-a-list"))
        return []
    kept = []
    for item in value:
        inner: dict[str, Any] = {}
        for child in field.children:
            if is_empty(item.get(child.symbol)):
                continue
            try:
                inner[child.symbol] = _KINDS.get(child.type, _text)(item[child.symbol], child, lists)
            except Wrong as bad:
                wrong.append(Violation(f"{field.symbol}.{child.symbol}", bad.problem))
        if inner:
            kept.append(inner)
    return kept
