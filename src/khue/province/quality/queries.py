"""Reads: scores and trend, what is open by rule, work-lists, who has entered and locked, personal numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection
from django.urls import reverse

from khue.kernel import permissions
from khue.kernel.errors import NotFound
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.province.quality.models import Deadline, Rule, Score
from khue.register.fields import annex
from khue.register.orgs.models import Unit

TREND_DAYS = 30
LINES_A_PAGE = 100
NUMBER_RULES = {
    "learner": ("learner-number-missing", "learner-number-doubt", "number-twice", "MA_CONG_DAN_ID"),
    "staff": ("staff-number-missing", "staff-number-doubt", "", "SO_CMTND"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SchoolScore:
    """One school's (or level's) score of its last day: 0 to 1000, records looked at, faulty and doubtful ones."""

    uid: UUID | None
    name: str
    level: str
    on: date
    rows: int
    faulty: int
    doubtful: int
    per_mille: int

    @property
    def percent(self) -> float:
        """Return the score in per cent."""
        return self.per_mille / 10


@dataclass(frozen=True, slots=True)
class RuleCount:
    """A rule with what is open of it in the actor's place, and since when the oldest."""

    rule: Rule
    open: int
    oldest: date | None


@dataclass(frozen=True, slots=True)
class Line:
    """One finding in a work-list, with the way to the field."""

    school_name: str
    name: str
    code: str
    symbol: str
    detail: dict[str, Any]
    first_seen: date
    url: str
    person_id: int | None
    school_id: int
    object: str = ""

    @property
    def field_name(self) -> str:
        """Return the field's name as people say it; an extension's or an unknown one's symbol."""
        return _field_names().get((self.object, self.symbol), self.symbol)


@lru_cache(maxsize=1)
def _field_names() -> dict[tuple[str, str], str]:
    """Return the names of the fields of schools, classes, staff and learners by object and symbol."""
    return {(table.subject, symbol): field.label for table in annex.tables() if table.subject == table.object for symbol, field in table.fields.items()}


def _rows(sql: str, values: Sequence[Any] | dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def _place(actor: Actor) -> dict[str, Any]:
    return {"all": actor.schools is None, "schools": sorted(actor.schools or ())}


_IN_PLACE = "(%(all)s or {column} = any(%(schools)s))"


def per_mille(rows: int, faulty: int, doubtful: int) -> int:
    """Return the score of so many rows: a faulty one counts whole, a doubtful one half."""
    return max(0, int(1000 * (1 - (faulty + doubtful / 2) / rows))) if rows else 1000


def scores(actor: Actor, *, at: datetime, limit: int = 50) -> list[SchoolScore]:
    """Return the last score of each school in the actor's place, the worst first: one statement."""
    permissions.demand(actor, "quality.view", on=permissions.ANYWHERE, at=at)
    found = _rows(
        "with last as (select school_id, max(\"on\") as day from quality_score where school_id is not null and "
        + _IN_PLACE.format(column="school_id")
        + " group by 1) select u.uid, u.name, min(s.level), l.day, sum(s.rows), sum(s.faulty), sum(s.doubtful) from last l"
        " join quality_score s on s.school_id = l.school_id and s.\"on\" = l.day join orgs_unit u on u.id = l.school_id group by u.id, l.day"
        " order by (sum(s.faulty) + sum(s.doubtful) / 2.0) / greatest(sum(s.rows), 1) desc, u.name limit %(limit)s",
        {**_place(actor), "limit": limit},
    )
    return [SchoolScore(uid, name, level, day, int(n), int(f), int(d), per_mille(int(n), int(f), int(d))) for uid, name, level, day, n, f, d in found]


def trend(actor: Actor, *, at: datetime) -> list[Score]:
    """Return the scores of the last days by level: of the whole installation, or summed over the actor's schools."""
    permissions.demand(actor, "quality.view", on=permissions.ANYWHERE, at=at)
    where = "school_id is null" if actor.schools is None else "school_id = any(%(schools)s)"
    found = _rows(
        f"select \"on\", level, sum(rows), sum(faulty), sum(doubtful), sum(opened), sum(mended) from quality_score where {where}"
        " and \"on\" > %(day)s::date - %(days)s group by 1, 2 order by 1, 2",
        {**_place(actor), "day": local_day(at), "days": TREND_DAYS},
    )
    return [
        Score(on=day, level=level, rows=int(n), faulty=int(f), doubtful=int(d), opened=int(o), mended=int(m), per_mille=per_mille(int(n), int(f), int(d)))
        for day, level, n, f, d, o, m in found
    ]


def open_by_rule(actor: Actor, *, at: datetime, school_id: int | None = None) -> list[RuleCount]:
    """Return every rule with how much of it is open in the actor's place or at one school: one statement."""
    permissions.demand(actor, "quality.view", on=permissions.ANYWHERE if school_id is None else school_id, at=at)
    where = _IN_PLACE.format(column="f.school_id") if school_id is None else "f.school_id = %(school)s"
    rules = Rule.objects.raw(
        "select r.*, coalesce(f.n, 0) as open, f.oldest from quality_rule r left join (select f.rule_id, count(*) as n, min(f.first_seen) as oldest"
        f" from quality_finding f where f.mended_on is null and {where} group by 1) f on f.rule_id = r.id order by r.sort, r.id",
        {**_place(actor), "school": school_id},
    )
    return [RuleCount(rule, rule.open, rule.oldest) for rule in rules]  # type: ignore[attr-defined]


def rule(actor: Actor, code: str, *, at: datetime) -> Rule:
    """Return one rule; raises NotFound."""
    permissions.demand(actor, "quality.view", on=permissions.ANYWHERE, at=at)
    found = Rule.objects.filter(code=code).first()
    if found is None:
        raise NotFound()
    return found


_ADDRESSES = {"school": "fields:school", "class": "fields:class", "staff": "fields:staff", "learner": "fields:learner"}


def address(object_: str, uid: UUID | str, symbol: str) -> str:
    """Return where a field is mended: the form of its row, at the field."""
    return reverse(_ADDRESSES[object_], args=[uid]) + (f"#o-{symbol}" if symbol else "")


def work_list(actor: Actor, rule: Rule, *, at: datetime, school_id: int | None = None, page: int = 1) -> tuple[list[Line], int]:
    """Return one page of what is open of a rule, oldest first, and how much there is: one statement."""
    permissions.demand(actor, "quality.view", on=permissions.ANYWHERE if school_id is None else school_id, at=at)
    where = _IN_PLACE.format(column="f.school_id") if school_id is None else "f.school_id = %(school)s"
    found = _rows(
        "select u.name, coalesce(p.name, g.name, u.name), coalesce(p.code, g.code, u.code), f.symbol, f.detail::text, f.first_seen, f.row_uid,"
        " f.person_id, f.school_id, count(*) over () from quality_finding f join orgs_unit u on u.id = f.school_id"
        " left join people_person p on p.id = f.person_id left join schooling_classgroup g on %(object)s = 'class' and g.id = f.row_id"
        f" where f.rule_id = %(rule)s and f.mended_on is null and {where} order by f.first_seen, u.name, coalesce(p.sort_key, g.name, ''), f.symbol, f.id"
        " limit %(limit)s offset %(offset)s",
        {**_place(actor), "school": school_id, "rule": rule.pk, "object": rule.object, "limit": LINES_A_PAGE, "offset": LINES_A_PAGE * (page - 1)},
    )
    lines = [
        Line(school, name, code, symbol, _json(detail), first, address(rule.object, uid, symbol), person, school_pk, rule.object)
        for school, name, code, symbol, detail, first, uid, person, school_pk, _count in found
    ]
    return lines, found[0][-1] if found else 0


def _json(text: str) -> dict[str, Any]:
    import json

    return dict(json.loads(text))


@dataclass(frozen=True, slots=True)
class Entered:
    """How far one school is with a term: classes, registers with and without marks, classes closed, and the days due."""

    uid: UUID
    name: str
    classes: int
    registers: int
    begun: int
    closed: int
    enter_by: date | None
    lock_by: date | None
    required_missing: int

    def state(self, day: date) -> str:
        """Return locked, late-lock, late-enter, entering, or nothing where the school has no class."""
        if not self.classes:
            return "nothing"
        if self.closed >= self.classes:
            return "locked"
        if self.lock_by is not None and day > self.lock_by:
            return "late-lock"
        if self.enter_by is not None and day > self.enter_by and self.begun < self.registers:
            return "late-enter"
        return "entering"


def entered(actor: Actor, *, school_year: int, term: int, at: datetime) -> list[Entered]:
    """Return for each school of the actor's place how far it is with a term, those that lag first: two statements."""
    permissions.demand(actor, "quality.view", on=permissions.ANYWHERE, at=at)
    due = {(d.stage, d.level): d.due_on for d in Deadline.objects.filter(school_year=school_year, term=term)}
    found = _rows(
        "with groups as (select g.school_id, count(*) as n from schooling_classgroup g where g.school_year = %(year)s and "
        + _IN_PLACE.format(column="g.school_id")
        + " and not g.facts ? 'withdrawn' group by 1),"
        " books as (select r.school_id, count(*) as n, count(*) filter (where r.ledger_seq > 0) as begun from gradebook_register r"
        " where r.school_year = %(year)s and r.term = %(term)s and "
        + _IN_PLACE.format(column="r.school_id")
        + " group by 1), locks as (select c.school_id, count(*) as n from gradebook_closing c where c.school_year = %(year)s and c.term = %(term)s"
        " and c.closed_at is not null and " + _IN_PLACE.format(column="c.school_id")
        + " group by 1), missing as (select f.school_id, count(*) as n from quality_finding f join quality_rule q on q.id = f.rule_id"
        " where f.mended_on is null and q.kind = 'required' and " + _IN_PLACE.format(column="f.school_id") + " group by 1)"
        " select u.uid, u.name, coalesce(u.levels[1], ''), g.n, coalesce(b.n, 0), coalesce(b.begun, 0), coalesce(l.n, 0), coalesce(m.n, 0)"
        " from groups g join orgs_unit u on u.id = g.school_id left join books b on b.school_id = g.school_id"
        " left join locks l on l.school_id = g.school_id left join missing m on m.school_id = g.school_id order by u.name",
        {**_place(actor), "year": school_year, "term": term},
    )
    lines = [
        Entered(uid, name, n, books, begun, closed, due.get(("enter", level), due.get(("enter", ""))), due.get(("lock", level), due.get(("lock", ""))), missing)
        for uid, name, level, n, books, begun, closed, missing in found
    ]
    order = ("late-lock", "late-enter", "entering", "nothing", "locked")
    return sorted(lines, key=lambda line: (order.index(line.state(local_day(at))), line.begun / max(line.registers, 1)))


@dataclass(frozen=True, slots=True)
class Numbers:
    """The personal numbers of one school: of learners or staff how many there are, have one, lack it, are in doubt, are double."""

    uid: UUID
    name: str
    object: str
    total: int
    filled: int
    missing: int
    doubtful: int
    twice: int

    @property
    def percent(self) -> float:
        """Return the share that has a number without doubt, in per cent."""
        return round(100 * max(0, self.filled - self.doubtful - self.twice) / self.total, 1) if self.total else 100.0


def personal_numbers(actor: Actor, object_: str, *, at: datetime) -> list[Numbers]:
    """Return the personal numbers school by school, the worst first: one statement."""
    permissions.demand(actor, "quality.view", on=permissions.ANYWHERE, at=at)
    missing, doubt, twice, symbol = NUMBER_RULES[object_]
    found = _rows(
        "with told as (select c.school_id, sum(c.total) as n, sum(coalesce((c.filled ->> %(symbol)s)::int, 0)) as has from fields_completeness c"
        " where c.object = %(object)s and c.school_id is not null and " + _IN_PLACE.format(column="c.school_id")
        + " group by 1), bad as (select f.school_id, count(*) filter (where r.code = %(missing)s) as missing,"
        " count(*) filter (where r.code = %(doubt)s) as doubt, count(*) filter (where r.code = %(twice)s) as twice"
        " from quality_finding f join quality_rule r on r.id = f.rule_id where f.mended_on is null and r.code in (%(missing)s, %(doubt)s, %(twice)s)"
        " and " + _IN_PLACE.format(column="f.school_id") + " group by 1)"
        " select u.uid, u.name, t.n, t.has, coalesce(b.missing, 0), coalesce(b.doubt, 0), coalesce(b.twice, 0) from told t"
        " join orgs_unit u on u.id = t.school_id left join bad b on b.school_id = t.school_id"
        " order by coalesce(b.missing + b.doubt + b.twice, 0) desc, u.name",
        {**_place(actor), "object": object_, "symbol": symbol, "missing": missing, "doubt": doubt, "twice": twice},
    )
    return [Numbers(uid, name, object_, int(n), int(has), lacking, doubts, double) for uid, name, n, has, lacking, doubts, double in found]


def school(actor: Actor, uid: str, *, at: datetime) -> Unit:
    """Return a school by what an address says; raises NotFound outside the actor's place."""
    found = Unit.objects.schools().filter(uid=uid).first()
    if found is None:
        raise NotFound()
    permissions.demand(actor, "quality.view", on=found, at=at)
    return found
