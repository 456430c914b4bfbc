"""The report of what is missing or wrong: totals for the page, rows for the file, a few rows of each kind to open."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from khue.gateway.exchange.ministry.mapping import KEYS, Values
from khue.gateway.exchange.ministry.spec import Table
from khue.register.fields.checking import PROBLEMS, Violation

SAMPLES = 50
"""So many rows of each field and problem can be opened from the page; all of them are in the file."""
HEADER = ("cap_hoc", "doi_tuong", "ma_truong", "ban_ghi", "ky_hieu", "ten_truong_du_lieu", "van_de")
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def neutral(text: str) -> str:
    """Return a cell of a CSV file that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


@dataclass(slots=True)
class Kind:
    """One field of one object with one problem: how often, and the first rows."""

    level: str
    object: str
    symbol: str
    name: str
    problem: str
    count: int = 0
    rows: list[dict[str, str]] = field(default_factory=list)


class Reporter:
    """Collects violations while records are written; the full list streams to a CSV file."""

    def __init__(self, path: Path) -> None:
        self._sink = open(path, "w", encoding="utf-8-sig", newline="")  # noqa: SIM115 - closed by __exit__
        self._writer = csv.writer(self._sink)
        self._writer.writerow(HEADER)
        self.kinds: dict[tuple[str, str, str, str], Kind] = {}
        self.records: Counter[tuple[str, str]] = Counter()
        self.faulty: Counter[tuple[str, str]] = Counter()

    def __enter__(self) -> Reporter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._sink.close()

    def add(self, table: Table, values: Values, violations: list[Violation]) -> None:
        """Count one record and note what is wrong with it; rows hold codes and uids, no names and no values."""
        self.records[table.level, table.object] += 1
        if not violations:
            return
        self.faulty[table.level, table.object] += 1
        record = " ".join(str(values.get(symbol) or "?") for symbol in KEYS[table.object][1:]) or str(values.get("TRUONG_ID"))
        school = str(values.get("TRUONG_ID") or "")
        for one in violations:
            kind = self._kind(table, one)
            kind.count += 1
            row = {"school": school, "record": record, "uid": str(values.get("_uid") or "")}
            if len(kind.rows) < SAMPLES:
                kind.rows.append(row)
            self._writer.writerow(
                [table.level, table.object, neutral(school), neutral(record), one.symbol, kind.name, str(PROBLEMS[one.problem])]
            )

    def _kind(self, table: Table, one: Violation) -> Kind:
        key = (table.level, table.object, one.symbol, one.problem)
        if key not in self.kinds:
            head, _dot, inner = one.symbol.partition(".")
            field_ = table.fields.get(head)
            name = field_.name if field_ else head
            if inner and field_:
                name = next((f"{name}: {child.name}" for child in field_.children if child.symbol == inner), name)
            self.kinds[key] = Kind(table.level, table.object, one.symbol, name, one.problem)
        return self.kinds[key]

    def totals(self) -> dict[str, Any]:
        """Return the report without its rows."""
        kinds = sorted(self.kinds.values(), key=lambda k: (-k.count, k.level, k.object, k.symbol))
        return {
            "records": {f"{level}.{object_}": count for (level, object_), count in sorted(self.records.items())},
            "faulty": {f"{level}.{object_}": count for (level, object_), count in sorted(self.faulty.items())},
            "record_count": sum(self.records.values()),
            "faulty_count": sum(self.faulty.values()),
            "violation_count": sum(kind.count for kind in kinds),
            "violations": [
                {"level": k.level, "object": k.object, "symbol": k.symbol, "name": k.name, "problem": k.problem, "count": k.count}
                for k in kinds
            ],
        }

    def with_rows(self) -> dict[str, Any]:
        """Return the report with the first rows of each kind."""
        report = self.totals()
        for shown in report["violations"]:
            shown["rows"] = self.kinds[shown["level"], shown["object"], shown["symbol"], shown["problem"]].rows
        return report
