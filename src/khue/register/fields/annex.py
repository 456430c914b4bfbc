"""The field tables of QĐ 4998/QĐ-BGDĐT as data: every row of the annex, and the tables made of them.

`data/qd4998_fields.csv` is the annex row by row; `objects.csv` names the object a table is about; `required.csv` marks
what a record cannot be without (the annex marks nothing; K until the ministry says so); `lists.csv` names our code list
behind a symbol; `readings.csv` holds the places where the annex contradicts itself and what we take; `own_fields.csv`
holds the few fields records need beside the annex; `kinds.csv` the kinds of record there are. No database here.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

DATA = Path(__file__).parent / "data"
INSTRUMENT = "4998/QĐ-BGDĐT"
LEVELS = ("preschool", "primary", "lower_secondary", "upper_secondary", "continuing", "higher")
MAIN = {
    ("preschool", "school"): "TRMN.1.1", ("primary", "school"): "TRC1.1.1", ("lower_secondary", "school"): "TRC2.1.1",
    ("upper_secondary", "school"): "TRC3.1.1", ("continuing", "school"): "TTGDTX.1.1", ("continuing", "other_centre"): "TTK.1.1",
    ("continuing", "community_centre"): "TTHTCĐ.1.1",
    ("preschool", "class"): "LOPMN1.1", ("primary", "class"): "LOPC1.1.1", ("lower_secondary", "class"): "LOPC2.1.1",
    ("upper_secondary", "class"): "LOPC3.1.1", ("continuing", "class"): "LOPGDTX.1.1",
    ("preschool", "staff"): "GVMN.1.1", ("primary", "staff"): "GVC1.1.1", ("lower_secondary", "staff"): "GVC2.1.1",
    ("upper_secondary", "staff"): "GVC3.1.1", ("continuing", "staff"): "GVGDTX.1.1",
    ("preschool", "learner"): "HSMN.1.1", ("primary", "learner"): "HSC1.1.1", ("lower_secondary", "learner"): "HSC2.1.1",
    ("upper_secondary", "learner"): "HSC3.1.1", ("continuing", "learner"): "HSGDTX.1.1",
    ("primary", "result"): "KQHTC1", ("lower_secondary", "result"): "KQHTC.2.1.2", ("upper_secondary", "result"): "KQHTC.3.1.2",
    ("continuing", "result"): "KQHTGDTX.1.2",
    ("lower_secondary", "retest"): "DIEMTHILAIC.2.1.3", ("upper_secondary", "retest"): "DIEMTHILAI.1.3", ("continuing", "retest"): "DIEMTHILAI.1.3",
    ("upper_secondary", "independent_candidate"): "TSTUDO.1.4", ("continuing", "independent_candidate"): "TSTUDO.1.4",
    ("upper_secondary", "graduation"): "XETTOTNGHIEP.1.5", ("continuing", "graduation"): "XETTOTNGHIEP.1.5",
    ("primary", "eqms_start"): "EQMSDN.1.1", ("primary", "eqms_mid"): "EQMSGN.1.1", ("primary", "eqms_end"): "EQMSCN.1.1",
    ("continuing", "land"): "DD.1.1", ("continuing", "room"): "PH.1.1",
}  # fmt: skip
"""The annex's code of each table that leaves as a file of its own, by level and name of the file."""

_MISPRINTS = {"KQHTC2.2.1": "KQHTC.2.2.1", "KQHTX.2.1": "KQHTTX.2.1"}
"""Tables the annex refers to by a code it prints otherwise."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the annex as printed; `number` counts from 1, `turn` the same symbol within its table."""

    number: int
    level: str
    group_no: str
    group: str
    tier: str
    object_code: str
    title: str
    name: str
    symbol: str
    type: str
    length: str
    list_ref: str
    note: str
    object: str
    turn: int


@dataclass(frozen=True, slots=True)
class Field:
    """One field: symbol, Vietnamese name, type (string, enum, boolean, integer, decimal, date, list), greatest length.

    list_code  our code list its values come from; "" where none is at hand
    children   fields of the records inside a list; empty where the annex gives none
    child      the object those records are of; "" for other types
    """

    symbol: str
    name: str
    type: str
    length: int | None
    list_code: str
    is_required: bool
    children: tuple[Field, ...] = ()
    child: str = ""

    @property
    def label(self) -> str:
        """Return the name as a teacher says it: what is chosen from a list is not called a code."""
        if self.type == "enum" and self.name.startswith("Mã "):
            return self.name[3:4].upper() + self.name[4:]
        return self.name


@dataclass(frozen=True, slots=True)
class Table:
    """The fields of one object at one level, by symbol, in the annex's order; `subject` is the object of their homes."""

    level: str
    object: str
    code: str
    title: str
    fields: Mapping[str, Field]
    subject: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record: of which object's fields, whose (school, staff, learner), and which lists of it it fills."""

    code: str
    object: str
    owner: str
    fills: tuple[str, ...]
    title: str
    privacy: str
    retention: str
    is_yearly: bool

    @property
    def is_personal(self) -> bool:
        """Return whether a record belongs to one person."""
        return self.owner in ("staff", "learner")


def read(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a file in `data/`."""
    with open(DATA / name, encoding="utf-8-sig", newline="") as source:
        yield from csv.DictReader(source)


def _plain(text: str) -> str:
    return " ".join(text.split())


@lru_cache(maxsize=1)
def rows() -> tuple[Row, ...]:
    """Return every row of the annex in its order."""
    objects = {(r["level"], r["object_code"], r["tier"]): r["object"] for r in read("objects.csv")}
    seen: Counter[tuple[str, str, str, str]] = Counter()
    found = []
    for number, r in enumerate(read("qd4998_fields.csv"), start=1):
        key = (r["level"], r["object_code"], r["tier"], r["symbol"])
        seen[key] += 1
        found.append(
            Row(
                number, r["level"], r["group_no"], _plain(r["group_vi"]), r["tier"], r["object_code"], _plain(r["object_vi"]),
                _plain(r["field_vi"]), r["symbol"], r["type"], r["length"], r["list_ref"], _plain(r["note"]), objects[key[:3]], seen[key],
            )
        )  # fmt: skip
    return tuple(found)


@lru_cache(maxsize=1)
def kinds() -> dict[str, Kind]:
    """Return the kinds of record by code."""
    return {
        r["code"]: Kind(r["code"], r["object"], r["owner"], tuple(r["fills"].split()), r["title"], r["privacy"], r["retention"], r["is_yearly"] == "1")
        for r in read("kinds.csv")
    } | {kind.code: kind for kind in _higher()}


def _higher() -> Iterator[Kind]:
    """Yield a kind for each table of colleges and universities: they have no screens of their own."""
    seen: set[str] = set()
    known = {r["object"] for r in read("kinds.csv")}
    for row in rows():
        if row.level == "higher" and row.object not in seen | known:
            seen.add(row.object)
            yield Kind(row.object, row.object, "school", (), row.title, "internal", "permanent", False)


@lru_cache(maxsize=512)
def kinds_filling(symbol: str) -> list[Kind]:
    """Return the kinds whose records fill a list."""
    return [kind for kind in kinds().values() if symbol in kind.fills]


@lru_cache(maxsize=1)
def _tables() -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows():
        for level in (row.level, "*") if row.tier != "1" else (row.level,):  # child tables are printed once, for every level
            known = found.setdefault((level, row.object_code), [])
            if level == row.level or all(row.symbol != one.symbol for one in known):
                known.append(row)
    return found


def _holds(levels: str, level: str) -> bool:
    return levels == "*" or level in levels.split()


@lru_cache(maxsize=64)
def table(level: str, name: str) -> Table:
    """Return the table of a level that leaves as a file of that name."""
    code = MAIN[level, name]
    found = _tables()[level, code]
    return _table(level, name, code, found[0].object, found)


@lru_cache(maxsize=128)
def table_of(object_: str, level: str = "") -> Table:
    """Return the fields of an object at a level; for records ("" level) of all levels together, own fields last."""
    found = [row for row in rows() if row.object == object_ and (not level or row.level == level) and row.symbol]
    code = found[0].object_code if found else object_
    made = _table(level or (found[0].level if found else ""), object_, code, object_, found)
    fields = dict(made.fields)
    for own in read("own_fields.csv"):
        if own["object"] == object_:
            length = int(own["length"]) if own["length"] else None
            fields[own["symbol"]] = Field(own["symbol"], own["field_vi"], own["type"], length, own["list"], False)
    if object_ == "health":
        fields |= {s: f for s, f in table_of("learner").fields.items() if s in HEALTH}
    if object_ == "result_extra":
        fields |= {s: f for s, f in table_of("result").fields.items() if s in RESULT_EXTRA}
    title = made.title or next((kind.title for kind in kinds().values() if kind.object == object_), object_)
    return Table(level, object_, code, title, fields, object_)


HEALTH = ("CHIEU_CAO", "CAN_NANG", "CHI_SO_BMI", "NHOM_MAU", "BENH_VE_MAT", "BENH_BAM_SINH", "BENH_COT_SONG", "BENH_COI_XUONG")
"""Symbols of the learner's table that are measured on a day and kept as records of health."""
RESULT_EXTRA = ("DIEM_TONG_KET", "KHEN_THUONG", "KY_LUAT", "IS_DU_XET_TOT_NGHIEP", "IS_LOAI_TOT_NGHIEP", "IS_DU_THI_XET_TOT_NGHIEP")
"""Symbols of the result's table the gradebook has no column for: kept as records beside it."""
RECORDS_OF = {"learner": ("health", HEALTH), "result": ("result_extra", RESULT_EXTRA)}
"""Per object, the kind of record that holds some of its symbols."""


def _table(level: str, name: str, code: str, subject: str, found: list[Row]) -> Table:
    required = {r["symbol"] for r in read("required.csv") if r["object"] == subject and _holds(r["levels"], level)}
    readings = {r["symbol"]: r for r in read("readings.csv") if (r["level"], r["object"]) == (level, subject)}
    fields: dict[str, Field] = {}
    for row in found:
        if row.symbol and row.symbol not in fields:
            fields[row.symbol] = _field(row, readings.get(row.symbol), row.symbol in required)
    title = "" if not found else found[0].group if subject in ("school", "class", "staff", "learner") else found[0].title
    return Table(level, name, code, title, fields, subject)


@lru_cache(maxsize=8)
def _lists(level: str) -> Mapping[str, str]:
    return {row["symbol"]: row["list"] for row in read("lists.csv") if _holds(row["level"], level)}


def _field(row: Row, reading: dict[str, str] | None, is_required: bool) -> Field:
    kind, size = (reading["type"], reading["length"]) if reading else (row.type, row.length)
    children: tuple[Field, ...] = ()
    child = ""
    if kind == "list":
        inner = _inner(row)
        if inner:
            child = inner[0].object
            children = tuple(_field(one, None, False) for one in inner)
        else:  # a reference to a record of another table: its code
            kind, size = "string", "60"
    length = int(size) if size.isdigit() else None
    list_code = _lists(row.level).get(row.symbol, "") if kind == "enum" or row.symbol == "MA_KHOI" else ""
    return Field(row.symbol, row.name, kind or "string", length, list_code, is_required, children, child)


def _inner(row: Row) -> list[Row]:
    """Return the rows of the records inside a list; none where it refers to a record of another table."""
    if row.level == "higher" or row.list_ref == "TTT.1.1":
        return []
    code = _MISPRINTS.get(row.list_ref, row.list_ref)
    found = [r for r in _tables().get((row.level, code)) or _tables().get(("*", code)) or [] if r.symbol]
    distinct = {r.symbol: r for r in reversed(found)}
    return list(reversed(distinct.values()))


def tables(levels: tuple[str, ...] = LEVELS[:5]) -> Iterator[Table]:
    """Yield every table that leaves as a file, level by level."""
    for level in levels:
        for known, name in MAIN:
            if known == level:
                yield table(level, name)


def list_codes() -> set[str]:
    """Return the code lists the tables refer to."""
    return {row["list"] for row in read("lists.csv")} | {row["list"] for row in read("own_fields.csv") if row["list"]}


def readings() -> Iterator[dict[str, str]]:
    """Yield where the annex contradicts itself and what we take."""
    yield from read("readings.csv")
