"""What differs between two documents: records that came, went or changed, field by field."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from khue.province.periods.records import parse

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
HIDDEN = frozenset({"MA_CONG_DAN_ID", "SO_CMTND"})
"""Symbols whose values are told only as changed: personal numbers."""
STORED = 2000
"""So many changes of a comparison are kept in full; the totals count all."""


@dataclass(frozen=True, slots=True)
class Change:
    """One record that differs; `fields` are (symbol, before, after), None where there was no value."""

    level: str
    object: str
    key: str
    what: str
    fields: tuple[tuple[str, Any, Any], ...] = ()

    def plain(self) -> list[Any]:
        """Return it as JSON keeps it."""
        return [self.level, self.object, self.key, self.what, [list(one) for one in self.fields]]

    @classmethod
    def of(cls, plain: list[Any]) -> Change:
        """Return what `plain` gave."""
        return cls(plain[0], plain[1], plain[2], plain[3], tuple((a, b, c) for a, b, c in plain[4]))


def changes(before: bytes, after: bytes) -> Iterator[Change]:
    """Yield the differences in the order of level, object and key."""
    old, new = parse(before)[1], parse(after)[1]
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        if was == now:
            continue
        what = ADDED if was is None else REMOVED if now is None else CHANGED
        yield Change(*key, what, tuple(_fields(was, now)) if what == CHANGED else ())


def _fields(was: bytes | None, now: bytes | None) -> Iterator[tuple[str, Any, Any]]:
    old, new = json.loads(was or b"{}"), json.loads(now or b"{}")
    for symbol in sorted(old.keys() | new.keys()):
        if old.get(symbol) != new.get(symbol):
            hidden = symbol in HIDDEN
            yield symbol, _shown(old.get(symbol), hidden), _shown(new.get(symbol), hidden)


def _shown(value: Any, hidden: bool) -> Any:
    return "•••" + str(value)[-3:] if hidden and value else value


def totals(found: list[Change]) -> dict[str, dict[str, int]]:
    """Return "level.object" → {"added", "removed", "changed"}, only where something differs."""
    counted: dict[str, dict[str, int]] = defaultdict(lambda: {ADDED: 0, REMOVED: 0, CHANGED: 0})
    for one in found:
        counted[f"{one.level}.{one.object}"][one.what] += 1
    return dict(sorted(counted.items()))
