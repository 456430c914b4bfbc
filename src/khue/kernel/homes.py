"""Where each field of the sector database lives: every app says which fields it is the home of.

An app keeps a file `homes.csv` beside its models and declares it in its wiring with one line:

    homes.declare("people", __file__)

Columns: object (school, class, staff, learner, result, or a kind of record) and symbol as QĐ 4998 prints them;
home as app.Model.column, the column being `facts` or `body` where the value is kept by its symbol; via, how the
object's row reaches that model ("" for the row itself); privacy, retention, section (place in forms), topic (which of
the 21 groups of NĐ 88/2026/NĐ-CP, Art. 5); filled, an SQL expression over the object's frame that is not null where
there is a value ("" for the column or key itself, "-" where it is counted with its parent).

The kernel knows no school and no learner: it keeps what the apps say. Who checks that every field has one home and not
two is `khue.register.fields`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

PRIVACY = ("open", "internal", "personal", "restricted")
"""Classes of privacy, each closed to more people than the one before."""
KEYED = ("facts", "body")
"""Columns that hold values by symbol."""


@dataclass(frozen=True, slots=True)
class Home:
    """The one place a field of an object lives. `owner` is the label of the app that declared it."""

    object: str
    symbol: str
    model: str
    column: str
    via: str
    privacy: str
    retention: str
    section: str
    topic: int
    filled: str
    owner: str

    @property
    def is_keyed(self) -> bool:
        """Return whether the value is one of many in a column of values by symbol."""
        return self.column in KEYED

    @property
    def path(self) -> str:
        """Return the home as a person reads it: people.Person.name, orgs.Unit.facts[FAX], fields.Record(site).body[TEN]."""
        if self.column == "body":
            return f"{self.model}({self.object if self.via in ('', 'list') else self.via}).body[{self.symbol}]"
        return f"{self.model}.{self.column}[{self.symbol}]" if self.is_keyed else f"{self.model}.{self.column}"


@dataclass(frozen=True, slots=True)
class Frame:
    """How the rows of an object are counted in SQL.

    source     what follows FROM, with the aliases the `filled` expressions use; parameter %(day)s
    school     expression of the school's id
    level      expression of the level
    row, uid   expressions of the row's id and outside identifier
    person     expression of the person it is about, or "null"
    aliases    alias of each way to a model: {"": "u", "person": "p"}
    """

    source: str
    school: str
    level: str
    row: str
    uid: str
    person: str
    aliases: dict[str, str]


_FILES: dict[str, Path] = {}
_FRAMES: dict[str, Frame] = {}


def declare(app: str, module_file: str) -> None:
    """Say that `homes.csv` beside this module lists the fields `app` is the home of."""
    path = Path(module_file).with_name("homes.csv")
    if _FILES.setdefault(app, path) != path:
        raise ValueError(f"homes: {app} is declared twice")
    declared.cache_clear()
    by_field.cache_clear()


def frame(object_: str, made: Frame) -> None:
    """Say how the rows of an object are counted."""
    if _FRAMES.setdefault(object_, made) is not made:
        raise ValueError(f"homes: the frame of {object_} is declared twice")


def frames() -> dict[str, Frame]:
    """Return the frame of each object that has one."""
    return dict(_FRAMES)


def _read(app: str, path: Path) -> Iterator[Home]:
    with open(path, encoding="utf-8", newline="") as source:
        for row in csv.DictReader(source):
            model, _, column = row["home"].rpartition(".")
            yield Home(
                row["object"], row["symbol"], model, column, row["via"], row["privacy"], row["retention"], row["section"],
                int(row["topic"]), row["filled"], app,
            )  # fmt: skip


@lru_cache(maxsize=1)
def declared() -> tuple[Home, ...]:
    """Return every home of every app, as declared; nothing is checked here."""
    return tuple(home for app, path in _FILES.items() for home in _read(app, path))


@lru_cache(maxsize=1)
def by_field() -> dict[tuple[str, str], Home]:
    """Return the home of each (object, symbol)."""
    return {(home.object, home.symbol): home for home in declared()}
