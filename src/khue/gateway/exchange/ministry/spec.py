"""Which tables of QĐ 4998/QĐ-BGDĐT leave as files; the tables themselves are `khue.register.fields.annex`."""

from __future__ import annotations

from collections.abc import Iterator

from khue.register.fields import annex
from khue.register.fields.annex import INSTRUMENT, Field, Table, list_codes, readings, table

__all__ = ["INSTRUMENT", "LEVELS", "Field", "Table", "list_codes", "objects", "readings", "table", "tables"]

LEVELS = annex.LEVELS[:5]
"""Levels with screens of their own; colleges and universities leave by `records`."""


def objects(level: str) -> tuple[str, ...]:
    """Return the names of the files of a level, in their order."""
    return tuple(name for known, name in annex.MAIN if known == level)


def tables() -> Iterator[Table]:
    """Yield every table we send, level by level."""
    yield from annex.tables(LEVELS)
