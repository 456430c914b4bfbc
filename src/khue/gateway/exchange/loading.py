"""From a batch's stored file to parsed rows, with the rows nothing has happened to since they were last imported."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection

from khue.gateway.exchange.kinds import KINDS, Kind
from khue.gateway.exchange.kinds.base import Context, Field, Parsed, parse_rows
from khue.gateway.exchange.kinds.learners import classes_of
from khue.gateway.exchange.models import ImportBatch
from khue.gateway.exchange.sheets import Book, RawCell, Sheet, digest_rows, open_book
from khue.gateway.exchange.sheets.cells import as_text
from khue.kernel import files, text
from khue.kernel.calendar.models import SchoolYear
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from regulations import calendar

ENGINE = 1
"""Raised when the same cells would mean something else, so that no old fingerprint lets a row pass."""


_LAST: dict[str, Book] = {}
"""The book opened last, by its hash: upload, check and apply of one file come one after the other."""


def keep_open(sha256: str, book: Book) -> None:
    """Keep a book at hand, instead of the one kept before."""
    _LAST.clear()
    _LAST[sha256] = book


def book_of(batch: ImportBatch) -> Book:
    """Return the batch's file, opened; its bytes are checked against their hash when they are read."""
    sha256 = batch.file.sha256
    book = _LAST.get(sha256)
    if book is None:
        book = open_book(files.read(batch.file), name=batch.file.name)
        keep_open(sha256, book)
    return book


def year_days(school_year: int) -> tuple[date, date]:
    """Return the first day of a school year and the day after its last: the province's dates, else the ministry's frame."""
    row = SchoolYear.objects.filter(year=school_year).values_list("valid", flat=True).first()
    if row is not None:
        return row.lower, row.upper
    plan = calendar.year_plan(school_year)
    return plan.opening_on, plan.closes_by


def context_of(batch: ImportBatch, actor: Actor, now: datetime) -> Context:
    """Return what planning knows of a batch's days; a new placement begins on the day chosen, else with the year."""
    start, end = year_days(batch.school_year)
    chosen = batch.options.get("from_day")
    from_day = date.fromisoformat(chosen) if chosen else start
    return Context(batch, actor, now, local_day(now), max(start, min(from_day, end - timedelta(days=1))), end)


@dataclass(slots=True)
class Loaded:
    """A batch's rows: `parsed` holds only those that must be looked at, `unchanged` counts the others."""

    kind: Kind
    sheet: Sheet
    parsed: Parsed
    unchanged: int
    ignored: int
    total: int


def field_columns(batch: ImportBatch) -> dict[str, int]:
    """Return field code to column of the batch's mapping (stored by column)."""
    return {code: int(column) for column, code in batch.mapping.items() if code}


def load(batch: ImportBatch, context: Context) -> Loaded:
    """Read, fingerprint, drop what is known, parse the rest and let the kind prepare.

    Raises SheetRefused, KeyError for a sheet that is not there.
    """
    kind = KINDS[batch.kind]
    book = book_of(batch)
    sheet = book.sheet(batch.sheet)
    mapping = field_columns(batch)
    first = batch.header_last + 1
    numbers, rows, ignored = data_rows(sheet.rows[first:], first + 1, list(mapping.values()))
    fingerprints = digest_rows(rows, fingerprint_key(batch, context))
    known = known_rows(batch, fingerprints) if kind.code == "learners" else {}
    if known:
        context.seen.update((("person", person), numbers[n]) for n, person in known.items())
        left = [n for n in range(len(rows)) if n not in known]
        rows, numbers, fingerprints = [rows[n] for n in left], [numbers[n] for n in left], [fingerprints[n] for n in left]
    parsed = parse_rows(kind.fields, rows, numbers, fingerprints, mapping)
    if hasattr(kind, "read_extra"):
        parsed.extra.update(kind.read_extra(book))
    if rows:
        kind.prepare(context, parsed)
    return Loaded(kind, sheet, parsed, len(known), ignored, len(numbers) + len(known))


def data_rows(rows: Sequence[list[RawCell]], start: int, columns: Sequence[int]) -> tuple[list[int], list[list[RawCell]], int]:
    """Return (row numbers as the user counts them, rows, how many were left out).

    Left out: empty rows, the row of column numbers under a heading, and lines of a footer (a total, a place for
    signatures), which fill one of the mapped columns with the words footers begin with.
    """
    numbers: list[int] = []
    kept: list[list[RawCell]] = []
    ignored = 0
    first, second = (*columns, 0, 0)[:2] if len(columns) > 1 else (0, 0)
    for number, row in enumerate(rows, start):
        width, filled, last = len(row), 0, 0
        if kept and max(first, second) < width and first != second and row[first] and row[second]:
            numbers.append(number)
            kept.append(row)
            continue
        for column in columns:
            if column < width and row[column] not in ("", None):
                filled, last = filled + 1, column
                if filled > 1:
                    break
        if filled < 2:
            if not filled or not as_text(row[last]):
                continue
            if len(columns) > 1 and _FOOTER.match(text.fold(as_text(row[last]))):
                ignored += 1
                continue
        if not kept and _is_numbering(row, columns):
            continue
        numbers.append(number)
        kept.append(row)
    return numbers, kept, ignored


_FOOTER = re.compile(
    r"(tong (cong|so)|cong:|nguoi (lap|ghi)|hieu truong|thu truong|ke toan|van thu|ki ten|ky ten|\(ki|\(ky|ghi chu|danh sach (nay )?(co|gom)"
    r"|.{0,40}ngay .{1,8} thang .{1,8} nam|luu y|an dinh danh sach)"
)


def _is_numbering(row: Sequence[RawCell], columns: Sequence[int]) -> bool:
    values = [as_text(row[c]).strip("()[] ") for c in columns if c < len(row)]
    return all((value.isdigit() and int(value) < 100) or len(value) <= 1 for value in values)


def fingerprint_key(batch: ImportBatch, context: Context) -> bytes:
    """Return the key of the batch's fingerprints: what besides the cells decides what a row means."""
    context.data["classes"] = classes_of(context)
    document = [
        ENGINE, batch.kind, batch.school_id, batch.school_year, sorted(batch.mapping.items()), batch.options,
        sorted((name, *group) for name, group in context.data["classes"].items()), context.from_day.isoformat(),
    ]  # fmt: skip
    return hashlib.blake2b(json.dumps(document, default=str, sort_keys=True).encode(), digest_size=32).digest()


# One table a statement, and the comparison in Python: no join whose plan depends on whether the tables were
# analysed since they were filled.
_TRACES = """
select array_agg(replace(r.fingerprint::text, '-', '')), array_agg(r.object_id), array_agg(r.object_version),
       array_agg(coalesce(r.second_id, 0)), array_agg(coalesce(r.second_version, 0)),
       {families}
  from exchange_importrow r
 where r.fingerprint = any(%s::uuid[]) and r.school_id = %s and r.is_applied
   and r.batch_id in (select id from exchange_importbatch where school_id = %s and state in ('applied', 'applying'))
"""


_FAMILIES = "coalesce(jsonb_object_agg(r.object_id, r.detail -> 'family') filter (where r.detail ? 'family'), '{}')"


def known_rows(batch: ImportBatch, fingerprints: Sequence[str]) -> dict[int, int]:
    """Return index to person of the rows whose cells were imported before and whose person and place did not move since.

    Of equal rows in one file only the first can be known: the others are twins.
    """
    first: dict[str, int] = {}
    for n, fingerprint in enumerate(fingerprints):
        if fingerprint not in first:
            first[fingerprint] = n
    if not first:
        return {}
    with connection.cursor() as cursor:
        cursor.execute("select exists (select 1 from exchange_importrow where school_id = %s and is_applied)", [batch.school_id])
        if not cursor.fetchone()[0]:
            return {}
        has_families = any(code.endswith("_name") for code in batch.mapping.values())
        cursor.execute(_TRACES.format(families=_FAMILIES if has_families else "'{}'::jsonb"), ["{" + ",".join(first) + "}", batch.school_id, batch.school_id])
        found, people, versions, places, place_versions, families = cursor.fetchone()
    if not found:
        return {}
    families = json.loads(families) if isinstance(families, str) else families
    kin = [tie for ties in families.values() for tie in ties]
    person_now = _versions("people_person", {*people, *(tie[0] for tie in kin)})
    place_now = _versions("schooling_placement", set(places) - {0})
    kin_now = _versions("people_kinship", {tie[2] for tie in kin})
    known: dict[int, int] = {}
    for fingerprint, person, version, place, place_version in zip(found, people, versions, places, place_versions, strict=True):
        if person_now.get(person) != version or (place and place_now.get(place) != place_version):
            continue
        ties = families.get(str(person), ()) if families else ()
        if all(person_now.get(tie[0]) == tie[1] and kin_now.get(tie[2]) == tie[3] for tie in ties):
            known[first[fingerprint]] = person
    return known


def _versions(table: str, keys: set[int]) -> dict[int, int]:
    if not keys:
        return {}
    with connection.cursor() as cursor:
        listed = "{" + ",".join(map(str, keys)) + "}"
        cursor.execute(f"select array_agg(id), array_agg(version) from {table} where id = any(%s::bigint[])", [listed])
        found, versions = cursor.fetchone()
    return dict(zip(found or (), versions or (), strict=True))


def required_missing(kind: Kind, fields: set[str]) -> list[Field]:
    """Return the fields a mapping still lacks; parts of a name or a date stand for the whole."""
    missing = [one for one in kind.fields if one.is_required and one.code not in fields]
    by_code = {one.code: one for one in kind.fields}
    if kind.code == "learners":
        if not fields & {"name", "given"}:
            missing.append(by_code["name"])
        if not fields & {"born_on", "born_year"}:
            missing.append(by_code["born_on"])
    if kind.code == "marks" and not fields & {"code", "name"}:
        missing.append(by_code["name"])
    if kind.code == "assignments" and not fields & {"classes", "group"}:
        missing.append(by_code["classes"])
    return missing
