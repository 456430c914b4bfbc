"""The field tables of QĐ 4998/QĐ-BGDĐT for general education, as data: symbols, types, lengths, lists, what must be there.

`data/qd4998_fields.csv` is the annex field by field; `required.csv` marks what a record cannot be without (the
annex marks nothing; K until the ministry says so); `lists.csv` names our code list behind a symbol; `readings.csv`
holds the few places where the annex contradicts itself and what we take.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

DATA = Path(__file__).parent / "data"
INSTRUMENT = "4998/QĐ-BGDĐT"
LEVELS = ("primary", "lower_secondary", "upper_secondary")
OBJECTS = ("school", "class", "staff", "learner", "result")
TABLES = {
    ("primary", "school"): "TRC1.1.1", ("lower_secondary", "school"): "TRC2.1.1", ("upper_secondary", "school"): "TRC3.1.1",
    ("primary", "class"): "LOPC1.1.1", ("lower_secondary", "class"): "LOPC2.1.1", ("upper_secondary", "class"): "LOPC3.1.1",
    ("primary", "staff"): "GVC1.1.1", ("lower_secondary", "staff"): "GVC2.1.1", ("upper_secondary", "staff"): "GVC3.1.1",
    ("primary", "learner"): "HSC1.1.1", ("lower_secondary", "learner"): "HSC2.1.1", ("upper_secondary", "learner"): "HSC3.1.1",
    ("primary", "result"): "KQHTC1", ("lower_secondary", "result"): "KQHTC.2.1.2", ("upper_secondary", "result"): "KQHTC.3.1.2",
}  # fmt: skip
"""The annex's object code of each level and object we send."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: symbol, Vietnamese name, type (string, enum, boolean, integer, decimal, date, list), greatest length.

    list_code  our code list its values come from; "" where none is at hand
    children   fields of the records inside a list; empty where the annex gives none
    """

    symbol: str
    name: str
    type: str
    length: int | None
    list_code: str
    is_required: bool
    children: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """The fields of one object at one level, by symbol, in the annex's order."""

    level: str
    object: str
    code: str
    title: str
    fields: Mapping[str, Field]


def _rows(name: str) -> Iterator[dict[str, str]]:
    with open(DATA / name, encoding="utf-8-sig", newline="") as source:
        yield from csv.DictReader(source)


@lru_cache(maxsize=1)
def _annex() -> dict[tuple[str, str], list[dict[str, str]]]:
    found: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in _rows("qd4998_fields.csv"):
        found.setdefault((row["level"], row["object_code"]), []).append(row)
        if row["tier"] == "2":  # child tables are printed once and meant for every level
            found.setdefault(("*", row["object_code"]), []).append(row)
    return found


def _holds(levels: str, level: str) -> bool:
    return levels == "*" or level in levels.split()


@lru_cache(maxsize=32)
def table(level: str, object_: str) -> Table:
    """Return the fields of an object at a level."""
    code = TABLES[level, object_]
    rows = _annex()[level, code]
    required = {r["symbol"] for r in _rows("required.csv") if r["object"] == object_ and _holds(r["levels"], level)}
    readings = {r["symbol"]: r for r in _rows("readings.csv") if (r["level"], r["object"]) == (level, object_)}
    fields: dict[str, Field] = {}
    for row in rows:
        fields.setdefault(row["symbol"], _field(level, {**row, **_taken(readings.get(row["symbol"]))}, row["symbol"] in required))
    title = rows[0]["group_vi"] if object_ != "result" else rows[0]["object_vi"]
    return Table(level, object_, code, " ".join(title.split()), fields)


def _taken(reading: dict[str, str] | None) -> dict[str, str]:
    return {"type": reading["type"], "length": reading["length"]} if reading else {}


@lru_cache(maxsize=8)
def _lists(level: str) -> Mapping[str, str]:
    return {row["symbol"]: row["list"] for row in _rows("lists.csv") if _holds(row["level"], level)}


def _field(level: str, row: dict[str, str], is_required: bool) -> Field:
    lists = _lists(level)
    children: tuple[Field, ...] = ()
    if row["type"] == "list":
        inner = _annex().get((level, row["list_ref"])) or _annex().get(("*", row["list_ref"])) or []
        distinct = {r["symbol"]: r for r in reversed(inner)}
        children = tuple(_field(level, r, False) for r in reversed(distinct.values()))
    length = int(row["length"]) if row["length"].isdigit() else None
    list_code = lists.get(row["symbol"], "") if row["type"] == "enum" or row["symbol"] == "MA_KHOI" else ""
    return Field(row["symbol"], " ".join(row["field_vi"].split()), row["type"], length, list_code, is_required, children)


def tables() -> Iterator[Table]:
    """Yield every table we send, level by level."""
    for level in LEVELS:
        for object_ in OBJECTS:
            yield table(level, object_)


def list_codes() -> set[str]:
    """Return the code lists the tables refer to."""
    return {row["list"] for row in _rows("lists.csv")}


def readings() -> Iterator[dict[str, str]]:
    """Yield where the annex contradicts itself and what we take."""
    yield from _rows("readings.csv")
