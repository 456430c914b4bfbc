"""Writing the ministry's file: records of every object and level, checked field by field, in a folder.

    for step in steps(actor=…, school_year=2025, folder=Path("out"), now=…): …      # a few schools a step
    report = write_ministry_files(actor=…, school_year=2025, folder=Path("out"), now=…)

The folder gets `<level>/<object>.json`, `<level>.xlsx`, `bao-cao.csv` (every missing or wrong field), `bao-cao.json`
and `manifest.json` with the hash of each file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from khue.gateway.exchange.ministry import mapping, reading, reports, sinks, spec
from khue.kernel import audit, ledger, permissions
from khue.kernel.codes import queries as codes
from khue.kernel.codes.shipped import TWO_TIERS_ON
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.fields import catalogue
from khue.register.fields.checking import Violation, check
from khue.register.fields.models import ExtensionField, Record
from khue.register.fields.queries import level_of
from khue.register.orgs.models import Unit

SCHOOLS_A_STEP = 10
CHAIN = "exchange.ministry"


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the writing stands: schools done of all; the report at the end."""

    done: int
    total: int
    records: int
    report: dict[str, Any] | None = None


def write_ministry_files(
    *, actor: Actor, school_year: int, folder: Path | str, now: datetime, schools: Sequence[int] | None = None, xlsx: bool = True
) -> dict[str, Any]:
    """Write everything in the caller's transaction and return the report with totals; see `steps`."""
    *_before, last = steps(actor=actor, school_year=school_year, folder=Path(folder), now=now, schools=schools, xlsx=xlsx)
    assert last.report is not None
    return last.report


def steps(
    *, actor: Actor, school_year: int, folder: Path, now: datetime, schools: Sequence[int] | None = None, xlsx: bool = True
) -> Iterator[Progress]:
    """Write the file a few schools at a time, then note in audit and ledger what left; yields after each step.

    schools  ids to narrow it to; None for all in the actor's place

    Each school is read in one transaction, so its records belong together. Raises NotAllowed, SecondFactorNeeded.
    """
    permissions.demand(actor, "exchange.ministry_file", at=now)
    first, last_day = reading.days_of(school_year)
    day = min(max(local_day(now), first), last_day)
    chosen = list(schools) if schools is not None else (None if actor.schools is None else sorted(actor.schools))
    ids = reading.school_ids(school_year, only=chosen)
    folder.mkdir(parents=True, exist_ok=True)
    lists = codes.tables(spec.list_codes(), on=max(day, TWO_TIERS_ON))
    communes = dict(codes.items("communes", on=max(day, TWO_TIERS_ON)).values_list("code", "parent_code"))
    with ExitStack() as stack:
        reporter = stack.enter_context(reports.Reporter(folder / "bao-cao.csv"))
        writer = _Writer(folder, reporter, lists, catalogue.extensions(on=day), xlsx=xlsx)
        stack.callback(writer.close)
        for at in range(0, len(ids), SCHOOLS_A_STEP):
            for rows in reading.read(ids[at : at + SCHOOLS_A_STEP], school_year=school_year, day=day, communes=communes):
                writer.school(rows)
            yield Progress(min(at + SCHOOLS_A_STEP, len(ids)), len(ids), sum(reporter.records.values()))
        if chosen is None:
            _write_higher(folder, reporter)
    report = _finish(actor, folder, reporter, school_year=school_year, day=day, schools=len(ids), now=now)
    yield Progress(len(ids), len(ids), report["record_count"], report)


class _Writer:
    """Holds the open files of all levels and objects."""

    def __init__(
        self, folder: Path, reporter: reports.Reporter, lists: dict[str, dict[str, str]], extensions: Sequence[ExtensionField], *, xlsx: bool
    ) -> None:
        self.reporter, self.lists = reporter, lists
        self.json = {(t.level, t.object): sinks.JsonSink(folder / t.level / f"{t.object}.json") for t in spec.tables()}
        self.books = {level: sinks.Workbook(folder / f"{level}.xlsx", level, extensions) for level in spec.LEVELS} if xlsx else {}
        self.seen: set[tuple[str, ...]] = set()

    def school(self, rows: reading.SchoolRows) -> None:
        """Write everything of one school."""
        self.seen.clear()
        taught = {level_of(group.grade, rows.unit.kind) for group in rows.classes}
        for level in spec.LEVELS:
            if level not in rows.unit.levels and level not in taught:
                continue
            for object_ in spec.objects(level):
                fields = catalogue.extended(spec.table(level, object_), rows.extensions, level=level)
                for values in mapping.RECORDS.get(object_, mapping.nothing)(rows, level):
                    self.record(fields, values)

    def record(self, fields: spec.Table, values: mapping.Values) -> None:
        """Check and write one record."""
        record, wrong = check(fields, values, self.lists)
        key = (fields.level, fields.object, *(str(values.get(symbol)) for symbol in mapping.KEYS[fields.object]))
        if key in self.seen:
            wrong.append(Violation(mapping.KEYS[fields.object][-1], "twice"))
        self.seen.add(key)
        self.reporter.add(fields, values, wrong)
        self.json[fields.level, fields.object].add(record)
        if self.books:
            self.books[fields.level].sheet(fields.object).add(record)

    def close(self) -> None:
        """End every file."""
        for sink in self.json.values():
            sink.close()
        for book in self.books.values():
            book.close()


def _write_higher(folder: Path, reporter: reports.Reporter) -> None:
    """Write the records of colleges and universities, a file a table; they are held to their fields when they come in."""
    found = Record.objects.living().filter(school__kind="college").order_by("kind", "school__code", "pk")
    open_sinks: dict[str, sinks.JsonSink] = {}
    try:
        for record in found.iterator():
            if record.kind not in open_sinks:
                open_sinks[record.kind] = sinks.JsonSink(folder / "higher" / f"{record.kind}.json")
            open_sinks[record.kind].add(record.body)
            reporter.records["higher", record.kind] += 1
    finally:
        for sink in open_sinks.values():
            sink.close()


def _finish(
    actor: Actor, folder: Path, reporter: reports.Reporter, *, school_year: int, day: date, schools: int, now: datetime
) -> dict[str, Any]:
    head = {"instrument": spec.INSTRUMENT, "school_year": school_year, "day": day.isoformat(), "schools": schools}
    (folder / "bao-cao.json").write_text(json.dumps({**head, **reporter.with_rows()}, ensure_ascii=False, indent=1), encoding="utf-8")
    files = {
        path.relative_to(folder).as_posix(): {"sha256": digest(path), "size": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }
    totals = reporter.totals()
    manifest = {**head, "made_at": now.isoformat(), "records": totals["records"], "violations": totals["violation_count"], "files": files}
    text = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True)
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    seal = hashlib.sha256(text.encode()).hexdigest()
    body = {"school_year": school_year, "day": day.isoformat(), "records": totals["record_count"], "violations": totals["violation_count"], "manifest_sha256": seal}
    audit.record(actor, "exchange.ministry_file.write", on=None, at=now, **body)
    ledger.append(ledger.chain_for(CHAIN), act="exchange.ministry_file", body=body, actor=actor, at=now)
    return {**head, **totals, "manifest_sha256": seal, "files": files, "readings": list(spec.readings())}


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with open(path, "rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def schools_named(codes_: Sequence[str]) -> list[int]:
    """Return the ids of schools by their codes."""
    return list(Unit.objects.schools().filter(code__in=list(codes_)).values_list("pk", flat=True))
