"""Canonical records of schools: one JSON an object named by the symbols of QĐ 4998/QĐ-BGDĐT.

The mapping is the ministry file's; here its values become canonical bytes with a key, for snapshots and for the queue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from khue.gateway.exchange.ministry import mapping, reading, spec
from khue.kernel.codes import queries as codes
from khue.kernel.codes.shipped import TWO_TIERS_ON
from khue.kernel.ledger import canonical
from khue.province.periods.records import Line, SchoolRecords
from khue.register.fields.checking import Lists, check
from khue.register.orgs.models import level_of_grade

OBJECTS = ("school", "class", "staff", "learner", "result")
"""In the order a receiver needs them: what is pointed to before what points."""


def read(
    ids: Sequence[int], school_year: int, day: date, levels: Sequence[str], objects: Sequence[str]
) -> Iterator[SchoolRecords]:
    """Yield the records of these schools as of the day: see `periods.records.Reader`."""
    on = max(day, TWO_TIERS_ON)
    lists = codes.tables(spec.list_codes(), on=on)
    communes = dict(codes.items("communes", on=on).values_list("code", "parent_code"))
    for rows in reading.read(ids, school_year=school_year, day=day, communes=communes):
        yield _school(rows, levels, objects, lists)


def _school(rows: reading.SchoolRows, levels: Sequence[str], objects: Sequence[str], lists: Lists) -> SchoolRecords:
    lines: list[Line] = []
    faults: Counter[tuple[str, str, str, str]] = Counter()
    seen: set[tuple[str, str, str]] = set()
    taught = {level_of_grade(group.grade) for group in rows.classes}
    for level in spec.LEVELS:
        if level not in levels or (level not in rows.unit.levels and level not in taught):
            continue
        for object_ in spec.objects(level):
            if object_ not in objects or object_ not in mapping.RECORDS:
                continue
            table = spec.table(level, object_)
            for values in mapping.RECORDS[object_](rows, level):
                record, wrong = check(table, values, lists)
                for one in wrong:
                    faults[level, object_, one.symbol, one.problem] += 1
                key = key_of(object_, values)
                if (level, object_, key) in seen:
                    faults[level, object_, mapping.KEYS[object_][-1], "twice"] += 1
                    continue
                seen.add((level, object_, key))
                lines.append(Line(level, object_, key, canonical.encode(_exact(record))))
    return SchoolRecords(rows.unit.pk, rows.unit.code, lines, faults)


def key_of(object_: str, values: Mapping[str, Any]) -> str:
    """Return what names a record within its school, without tabs and line ends."""
    if object_ == "school":
        return "-"
    return " ".join(" ".join(str(values.get(symbol) or "?").split()) for symbol in mapping.KEYS[object_][1:])


def _exact(value: Any) -> Any:
    """Return a value without floats: what is hashed holds decimals as text."""
    kind = type(value)
    if kind is float:
        return Decimal(repr(value))
    if kind is dict:
        return {name: _exact(item) for name, item in value.items()}
    if kind is list:
        return [_exact(item) for item in value]
    return value


@lru_cache(maxsize=64)
def _decimals(level: str, object_: str) -> frozenset[tuple[str, str]]:
    table = spec.table(level, object_)
    found = {("", field.symbol) for field in table.fields.values() if field.type == "decimal"}
    return frozenset(found | {(field.symbol, child.symbol) for field in table.fields.values() for child in field.children if child.type == "decimal"})


def plain(level: str, object_: str, body: bytes) -> dict[str, Any]:
    """Return a canonical record as it leaves: decimals are numbers again."""
    record = canonical.decode(body)
    for place, symbol in _decimals(level, object_):
        for item in [record] if not place else record.get(place, []):
            if isinstance(item.get(symbol), str):
                number = float(item[symbol])
                item[symbol] = int(number) if number.is_integer() else number
    return record


