"""Counting how complete each field is: set SQL over the frames, a batch of schools at a time.

Columns are counted by their `filled` expression, values by symbol from the keys there are, so that a row with few facts
costs little. The counts of a school and level are one row of `Completeness`; a row without a school is their sum.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from khue.kernel import homes
from khue.kernel.homes import Frame, Home
from khue.kernel.permissions import Actor
from khue.register.fields import annex
from khue.register.fields.models import Completeness
from khue.register.orgs.models import Unit
from khue.register.schooling.mine import school_year_of

SCHOOLS_A_STEP = 100
Key = tuple[int, str, str]
"""School id, level, object."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many rows have a field; `of` 0 where there is no row, and no share is told."""

    filled: int
    of: int

    @property
    def percent(self) -> float | None:
        """Return the share in per cent with one decimal, or None without rows."""
        return round(100 * self.filled / self.of, 1) if self.of else None


def school_ids(*, on: date) -> list[int]:
    """Return the schools and centres that exist on a day."""
    return list(Unit.objects.schools().on(on).order_by("pk").values_list("pk", flat=True))


def _run(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def expression(home: Home, frame: Frame) -> str | None:
    """Return the SQL that is not null where a row has the field; None where it is counted by its key or its parent."""
    if home.filled == "-" or (not home.filled and (home.is_keyed or home.via not in frame.aliases)):
        return None
    if home.filled:
        return home.filled
    return f"nullif({frame.aliases[home.via]}.{_column(home)}::text, '')"


def _column(home: Home) -> str:
    from django.apps import apps

    return apps.get_model(home.model)._meta.get_field(home.column).column  # type: ignore[union-attr]


def count_schools(ids: Sequence[int], *, on: date) -> int:
    """Count everything of these schools as of a day and put it in the place of what was counted before; returns rows."""
    totals: Counter[Key] = Counter()
    filled: dict[Key, Counter[str]] = defaultdict(Counter)
    values = {"day": on, "year": school_year_of(on), "schools": list(ids)}
    for object_, frame in homes.frames().items():
        _count_columns(object_, frame, values, totals, filled)
        _count_facts(object_, frame, values, filled)
        if object_ in ("school", "staff", "learner", "result"):
            _count_lists(object_, frame, values, filled)
    _count_records(values, totals, filled)
    Completeness.objects.filter(school_id__in=list(ids)).delete()
    rows = [
        Completeness(school_id=school, level=level, object=object_, total=total, filled=dict(filled[school, level, object_]), counted_on=on)
        for (school, level, object_), total in sorted(totals.items())
    ]
    Completeness.objects.bulk_create(rows, batch_size=1000)
    return len(rows)


def _count_columns(object_: str, frame: Frame, values: dict[str, Any], totals: Counter[Key], filled: dict[Key, Counter[str]]) -> None:
    asked = {h.symbol: sql for h in homes.declared() if h.object == object_ and (sql := expression(h, frame))}
    counts = "".join(f", count({sql})" for sql in asked.values())
    sql = f"select {frame.school}, {frame.level}, count(*){counts} from {frame.source} and {frame.school} = any(%(schools)s) group by 1, 2"
    for school, level, total, *numbers in _run(sql, values):
        key = (school, level, object_)
        totals[key] += total
        filled[key].update({symbol: n for symbol, n in zip(asked, numbers, strict=True) if n})


def _count_facts(object_: str, frame: Frame, values: dict[str, Any], filled: dict[Key, Counter[str]]) -> None:
    ways = {h.via for h in homes.declared() if h.object == object_ and h.column == "facts" and not h.filled}
    if object_ in _EXTENDED_VIA:
        ways.add(_EXTENDED_VIA[object_])
    for via in ways:
        alias = frame.aliases[via]
        sql = (
            f"select f.school, f.level, e.key, count(*) from (select {frame.school} as school, {frame.level} as level, {alias}.facts as facts"
            f" from {frame.source} and {frame.school} = any(%(schools)s) and {alias}.facts <> '{{}}') f"
            " cross join lateral jsonb_each_text(f.facts) e where e.value <> '' group by 1, 2, 3"
        )
        for school, level, symbol, number in _run(sql, values):
            filled[school, level, object_][symbol] += number


_EXTENDED_VIA = {"school": "", "class": "", "staff": "", "learner": "person"}


def _count_lists(object_: str, frame: Frame, values: dict[str, Any], filled: dict[Key, Counter[str]]) -> None:
    """Count rows that have at least one record in a list, and those that have a symbol in a record beside them."""
    of_person = object_ != "school"
    join = "x.person_id = f.person" if of_person else "x.school_id = f.school and x.person_id is null"
    beside = annex.RECORDS_OF.get(object_, ("", ()))[0]
    kinds = {kind.code: kind for kind in annex.kinds().values() if kind.code == beside or (object_ != "result" and kind.owner == object_)}
    sql = (
        "select f.school, f.level, x.kind, e.key, count(distinct f.row) from"
        f" (select {frame.school} as school, {frame.level} as level, {frame.row} as row, {frame.person} as person"
        f" from {frame.source} and {frame.school} = any(%(schools)s)) f join fields_record x on {join}"
        " and x.withdrawn_at is null and (x.school_year is null or x.school_year = %(year)s or x.valid @> %(day)s::date)"
        " cross join lateral jsonb_each_text(x.body || '{\"\": \"1\"}') e where e.value <> '' group by 1, 2, 3, 4"
    )
    for school, level, kind, symbol, number in _run(sql, values):
        if kind not in kinds:
            continue
        told = filled[school, level, object_]
        if symbol == "":
            for name in kinds[kind].fills:
                told[name] = max(told[name], number)
        elif kind == beside:
            told[symbol] += number


def _count_records(values: dict[str, Any], totals: Counter[Key], filled: dict[Key, Counter[str]]) -> None:
    kinds = annex.kinds()
    sql = (
        "select x.school_id, x.kind, e.key, count(*) from fields_record x cross join lateral jsonb_each_text(x.body || '{\"\": \"1\"}') e"
        " where x.school_id = any(%(schools)s) and x.withdrawn_at is null and e.value <> '' group by 1, 2, 3"
    )
    for school, kind, symbol, number in _run(sql, values):
        if kind not in kinds:
            continue
        key = (school, "", kinds[kind].object)
        if symbol == "":
            totals[key] += number
        else:
            filled[key][symbol] += number
    for key in [key for key in totals if key[1] == ""]:  # what a record says by its own row: its school, its person, its class
        for home in homes.declared():
            if home.object == key[2] and home.filled.startswith(("u.", "r.")):
                filled[key][home.symbol] = totals[key]


def sum_up(*, on: date) -> int:
    """Make the rows of the whole installation from those of the schools; returns how many."""
    totals: Counter[tuple[str, str]] = Counter()
    filled: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for level, object_, total, told in Completeness.objects.exclude(school=None).values_list("level", "object", "total", "filled").iterator():
        totals[level, object_] += total
        filled[level, object_].update(told)
    Completeness.objects.filter(school=None).delete()
    Completeness.objects.bulk_create(
        Completeness(school=None, level=level, object=object_, total=total, filled=dict(filled[level, object_]), counted_on=on)
        for (level, object_), total in sorted(totals.items())
    )
    return len(totals)


def count_all(*, on: date) -> int:
    """Count every school in one go, for commands and tests; the nightly work goes in steps. Returns schools counted."""
    ids = school_ids(on=on)
    for at in range(0, len(ids), SCHOOLS_A_STEP):
        count_schools(ids[at : at + SCHOOLS_A_STEP], on=on)
    sum_up(on=on)
    return len(ids)


class Told:
    """What was counted, summed over a place: the share of each field at a level."""

    def __init__(self, rows: Sequence[tuple[str, str, int, dict[str, int], date]]) -> None:
        self._totals: Counter[tuple[str, str]] = Counter()
        self._filled: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self.counted_on: date | None = None
        for level, object_, total, told, day in rows:
            self._totals[object_, level] += total
            self._filled[object_, level].update(told)
            self.counted_on = day if self.counted_on is None else min(day, self.counted_on)

    def share(self, object_: str, symbol: str, level: str) -> Share:
        """Return the share of a field at a level; records are counted for all levels together."""
        for key in ((object_, level), (object_, "")):
            if key in self._totals:
                return Share(self._filled[key][symbol], self._totals[key])
        return Share(0, 0)


    def symbols(self, object_: str, level: str) -> list[Share]:
        """Return the share of every field of an object's table at a level, none where nothing was counted."""
        if (object_, level) not in self._totals:
            return []
        return [self.share(object_, symbol, level) for symbol in annex.table_of(object_, level).fields]


def told(actor: Actor, *, school_id: int | None = None) -> Told:
    """Return the counts of the actor's place, or of one school of it: one statement."""
    found = Completeness.objects.all()
    if school_id is not None:
        found = found.filter(school_id=school_id)
        if not actor.covers_school(school_id):
            found = found.none()
    elif actor.schools is None:
        found = found.filter(school=None)
    else:
        found = found.filter(school_id__in=actor.schools)
    return Told(list(found.values_list("level", "object", "total", "filled", "counted_on")))
