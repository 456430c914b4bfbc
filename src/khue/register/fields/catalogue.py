"""The data catalogue: every field of QĐ 4998, every own field and every field added later, with its home.

`entries()` are the 2,233 rows of the annex; `problems()` says which have no home or two, and which homes name a model
or a column that is not there. Nothing here reads the database but `extensions()`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist

from khue.kernel import homes
from khue.kernel.homes import Home
from khue.register.fields import annex
from khue.register.fields.annex import Field, Table
from khue.register.fields.models import ExtensionField
from khue.register.fields.sections import OBJECTS, PRIVACY, RETENTION, SECTIONS, TOPICS

EXTENDED = {"school": "orgs.Unit", "class": "schooling.ClassGroup", "staff": "staff.Post", "learner": "people.Person"}
"""The model whose `facts` hold the fields added to an object; those of a kind of record are in its body."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the catalogue. `number` is the row of the annex, 0 for a field added later.

    object   the object of the home; object_code the annex's table
    """

    number: int
    level: str
    group_no: str
    group: str
    object: str
    object_code: str
    symbol: str
    name: str
    type: str
    length: int | None
    list_code: str
    home: Home

    @property
    def key(self) -> tuple[str, str]:
        """Return what names the field whatever the level."""
        return self.object, self.symbol

    @property
    def topic(self) -> int:
        """Return the group of NĐ 88/2026: classes count to the group of their level."""
        if self.home.topic == 3 and self.level in _LEVEL_TOPICS:
            return _LEVEL_TOPICS[self.level]
        return self.home.topic


_LEVEL_TOPICS = {"preschool": 2, "continuing": 4}


def entries() -> Iterator[Entry]:
    """Yield the catalogue's lines of the annex, row by row; raises KeyError for a row without a home."""
    known = homes.by_field()
    for row in annex.rows():
        table = annex.table_of(row.object, row.level)
        field = table.fields.get(row.symbol)
        yield Entry(
            row.number, row.level, row.group_no, row.group, row.object, row.object_code, row.symbol, row.name,
            field.type if field else "", field.length if field else None, field.list_code if field else "",
            known[row.object, row.symbol],
        )  # fmt: skip


def own_entries() -> Iterator[Entry]:
    """Yield the fields records need beside the annex."""
    known = homes.by_field()
    for row in annex.read("own_fields.csv"):
        length = int(row["length"]) if row["length"] else None
        yield Entry(
            0, "", "", "", row["object"], row["object"], row["symbol"], row["field_vi"], row["type"], length, row["list"],
            known[row["object"], row["symbol"]],
        )  # fmt: skip


def extension_home(row: ExtensionField) -> Home:
    """Return the home of a field added later: the facts of its object's row, or the body of the record."""
    model = EXTENDED.get(row.object)
    return Home(
        row.object, row.symbol, model or "fields.Record", "facts" if model else "body", "", row.privacy, row.retention, row.section,
        row.topic, "", "fields",
    )  # fmt: skip


def extension_entries(rows: Iterable[ExtensionField]) -> Iterator[Entry]:
    """Yield the lines of fields added later, one a level where they are for some."""
    for row in rows:
        for level in row.levels or [""]:
            yield Entry(0, level, "", "", row.object, "", row.symbol, row.name, row.type, row.length, row.list_code, extension_home(row))


def extensions(*, on: date, object_: str = "") -> list[ExtensionField]:
    """Return the fields added to an object (to all) that hold on a day: one statement."""
    found = ExtensionField.objects.filter(valid__contains=on)
    if object_:
        found = found.filter(object=object_)
    return list(found.order_by("object", "pk"))


def extended(table: Table, rows: Iterable[ExtensionField], *, level: str = "") -> Table:
    """Return a table with the fields added to its object."""
    added = {
        row.symbol: Field(row.symbol, row.name, row.type, row.length, row.list_code, row.is_required)
        for row in rows
        if row.object == table.subject and (not row.levels or not level or level in row.levels)
    }
    return Table(table.level, table.object, table.code, table.title, {**table.fields, **added}, table.subject) if added else table


def homes_of(object_: str, rows: Iterable[ExtensionField] = ()) -> dict[str, Home]:
    """Return the home of each symbol of an object, with those of fields added later."""
    return _declared_of(object_) | {row.symbol: extension_home(row) for row in rows if row.object == object_}


_DECLARED: dict[str, tuple[tuple[Home, ...], dict[str, Home]]] = {}


def _declared_of(object_: str) -> dict[str, Home]:
    """Return the declared homes of an object, sorted out once for as long as the declarations are the same."""
    every = homes.declared()
    kept = _DECLARED.get(object_)
    if kept is None or kept[0] is not every:
        kept = _DECLARED[object_] = (every, {home.symbol: home for home in every if home.object == object_ and home.symbol})
    return kept[1]


def problems() -> list[str]:
    """Return what is wrong with the homes: fields without one or with two, homes of nothing, unknown words or columns."""
    found = list(_wrong_homes())
    fields = {(row.object, row.symbol) for row in annex.rows()} | {(r["object"], r["symbol"]) for r in annex.read("own_fields.csv")}
    count = Counter((home.object, home.symbol) for home in homes.declared())
    found += [f"{object_}.{symbol}: no home" for object_, symbol in sorted(fields - set(count))]
    found += [f"{key[0]}.{key[1]}: {times} homes" for key, times in sorted(count.items()) if times > 1]
    found += [f"{object_}.{symbol}: the home of a field nobody knows" for object_, symbol in sorted(set(count) - fields)]
    return found


def _wrong_homes() -> Iterator[str]:
    for home in homes.declared():
        where = f"{home.object}.{home.symbol}"
        app = home.model.partition(".")[0]
        if app != home.owner:
            yield f"{where}: {home.owner} declares a home of {app}"
        try:
            column = apps.get_model(home.model)._meta.get_field(home.column)
        except (LookupError, FieldDoesNotExist):
            yield f"{where}: there is no {home.model}.{home.column}"
            continue
        if home.is_keyed != (column.get_internal_type() == "JSONField" and home.column in homes.KEYED):
            yield f"{where}: {home.model}.{home.column} holds no values by symbol"
        if home.privacy not in PRIVACY or home.retention not in RETENTION or home.section not in SECTIONS or home.topic not in TOPICS:
            yield f"{where}: a word for privacy, retention, section or topic is unknown"


def object_name(object_: str) -> str:
    """Return what an object is called."""
    if object_ in OBJECTS:
        return str(OBJECTS[object_])
    kind = next((kind for kind in annex.kinds().values() if kind.object == object_), None)
    return kind.title if kind else annex.table_of(object_).title or object_
