"""What a snapshot is made of: canonical lines of the register, read by whoever knows how records leave.

The mapping to the symbols of QĐ 4998/QĐ-BGDĐT lives in the gateway, above this app; it registers its reader here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from khue.kernel.ledger import canonical
from khue.kernel.registries import Registry


class Line(NamedTuple):
    """One record: its level, its object, its key within the school, its canonical bytes."""

    level: str
    object: str
    key: str
    body: bytes


@dataclass(slots=True)
class SchoolRecords:
    """All records of one school in order, and what the field tables find wrong: (level, object, symbol, problem) → times."""

    school_id: int
    code: str
    lines: list[Line]
    faults: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)

    @property
    def counts(self) -> dict[str, int]:
        """Return "level.object" → records."""
        return dict(sorted(Counter(f"{line.level}.{line.object}" for line in self.lines).items()))


Reader = Callable[[Sequence[int], int, date, Sequence[str], Sequence[str]], Iterator[SchoolRecords]]
"""(school ids, school year, reference day, levels, objects) → the records of each school, in the order of ids."""

READERS: Registry[Reader] = Registry("readers of records")
STANDARD = "qd4998"


def read(
    ids: Sequence[int], *, school_year: int, day: date, levels: Sequence[str], objects: Sequence[str]
) -> Iterator[SchoolRecords]:
    """Yield the records of these schools as of the day, in a fixed number of statements for all of them."""
    yield from READERS[STANDARD](ids, school_year, day, levels, objects)


def document(records: SchoolRecords, *, school_year: int, day: date, levels: Sequence[str], objects: Sequence[str]) -> bytes:
    """Return the snapshot's document: a canonical head, then a canonical line a record, each ended by a newline.

    It holds no moment, so equal data make equal bytes. A line is `level TAB object TAB key TAB canonical JSON`.
    """
    head = canonical.encode(
        {"format": "khue.snapshot.1", "school": records.code, "school_year": school_year, "day": day, "levels": sorted(levels), "objects": sorted(objects)}
    )
    parts = [head]
    for line in sorted(records.lines):
        parts.append("\t".join((line.level, line.object, line.key)).encode() + b"\t" + line.body)
    return b"\n".join(parts) + b"\n"


def parse(content: bytes) -> tuple[dict[str, Any], dict[tuple[str, str, str], bytes]]:
    """Return a document's head and its records by (level, object, key)."""
    head, *lines = content.rstrip(b"\n").split(b"\n")
    found = {}
    for line in lines:
        level, object_, key, body = line.split(b"\t", 3)
        found[level.decode(), object_.decode(), key.decode()] = body
    return canonical.decode(head), found
