"""What a family sees of a child's marks: her own, never a rank or an average of others (TT 15/2026, Art. 22)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from khue.kernel import permissions
from khue.kernel.database import scope
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.people.models import Person
from khue.school.gradebook import cells, judging, subjects, terms
from khue.school.gradebook.cells import Marks
from khue.school.gradebook.judging import Why
from khue.school.gradebook.queries.history import ENTRIES, slot_changes
from khue.school.gradebook.queries.registers import brought, overlay
from khue.school.gradebook.queries.results import label, show_result

CHANGES = 30
LOOKS = 30


@dataclass(frozen=True, slots=True)
class ChildSubject:
    """One subject of one term as a family reads it: (name of cell, value) pairs, and the term's result."""

    code: str
    name: str
    cells: tuple[tuple[str, str], ...]
    outcome: str
    comment: str


@dataclass(frozen=True, slots=True)
class ChildTerm:
    """One term: its subjects while it runs and after."""

    school_year: int
    term: int
    title: str
    class_name: str
    subjects: tuple[ChildSubject, ...]
    qualities_mid: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ChildResult:
    """A closed result with why. `revision` above 1: it was corrected, `reason` says why. `qualities`: primary school."""

    school_year: int
    term: int
    title: str
    learning: str
    conduct: str
    award: str
    promotion: str
    subjects: tuple[tuple[str, str], ...]
    why: tuple[Why, ...]
    absences: tuple[int, int]
    comment: str
    revision: int
    reason: str
    qualities: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ChildChange:
    """One change of one of the child's marks: who, when, both values."""

    at: datetime
    who: str
    subject: str
    cell: str
    old: str
    new: str
    reason: str


@dataclass(frozen=True, slots=True)
class ChildLook:
    """Who looked at the child's file on one day."""

    who: str
    role: str
    what: str
    last_at: datetime
    count: int


@dataclass(frozen=True, slots=True)
class ChildResults:
    """Everything a family sees of one child's marks."""

    terms: tuple[ChildTerm, ...]
    results: tuple[ChildResult, ...]
    changes: tuple[ChildChange, ...]
    looks: tuple[ChildLook, ...]


_MARKS = """
select
 (select json_agg(json_build_array(r.school_year, r.term, g.name, g.grade, r.subject_code, r.kind, r.rule_set,
         r.regular_count, 'gradebook_register:' || r.uid::text, l.regular, l.midterm, l.final, l.levels, l.comment,
         l.states, l.stamps, l.is_exempt, l.average, l.level,
         (select json_agg(json_build_array(k.slot, k.new_value) order by k.decided_at, k.id) from gradebook_correction k
           where k.register_id = r.id and k.learner_id = l.learner_id and k.state = 'done'), l.carried) order by r.term, r.subject_code)
    from gradebook_line l
    join gradebook_register r on r.id = l.register_id
    join schooling_classgroup g on g.id = r.class_group_id
   where l.learner_id = %(learner)s and l.school_year = %(year)s),
 (select json_agg(to_jsonb(q) || jsonb_build_object('grade', g.grade) order by q.school_year desc, q.term)
    from (select school_year, term, learning, conduct, award, promotion, subjects, because, absences_excused,
                 absences_unexcused, comment, revision, reason, qualities, class_group_id
            from gradebook_result where learner_id = %(learner)s and is_current and frozen_at is not null) q
    join schooling_classgroup g on g.id = q.class_group_id),
 (select json_agg(json_build_array(c.term, g.name, c.qualities_mid)) from gradebook_conduct c
    join schooling_classgroup g on g.id = c.class_group_id
   where c.learner_id = %(learner)s and c.school_year = %(year)s and c.qualities_mid <> '{}')
"""
_TRACES = f"""
select
 (select json_agg(json_build_array(x.chain, x.at, x.document, x.who, x.sequence) order by x.at desc, x.sequence desc)
    from (select * from ({ENTRIES}) y order by y.at desc, y.sequence desc limit {CHANGES}) x),
 (select json_agg(json_build_array(o.actor_name, o.role, o.what, o.last_at, o.count) order by o.last_at desc)
    from (select * from audit_look where person_id = %(person)s order by last_at desc limit {LOOKS}) o)
"""


def child_results(actor: Actor, learner: Person, *, now: datetime, school_year: int | None = None) -> ChildResults:
    """Return a child's marks, results with why, and who changed and looked at them: two statements.

    Her guardians and herself ask; nobody else's data is read into the answer. Registers and their ledger
    lie outside a family's row-level scope, so after the right is asked they are read in system scope, by
    her own lines only, and only her cells leave it. Raises NotFound, NotAllowed.
    """
    permissions.demand(actor, "gradebook.view_child", on=learner, at=now)
    year = school_year or terms.school_year_of(local_day(now))
    with scope.opened(everything=True), connection.cursor() as cursor:
        cursor.execute(_MARKS, {"learner": learner.pk, "year": year})
        rows, results, middle = (_parsed(part) for part in cursor.fetchone())
        chains = [row[8] for row in rows]
        cursor.execute(_TRACES, {"chains": chains, "learner": str(learner.uid), "year": year, "person": learner.pk})
        entries, looks = (_parsed(part) for part in cursor.fetchone())
    return ChildResults(
        _terms(rows, middle), tuple(_result(one) for one in results), _changes(rows, entries, str(learner.uid)),
        tuple(ChildLook(who, role, what, datetime.fromisoformat(at), count) for who, role, what, at, count in looks),
    )  # fmt: skip


def _parsed(part: Any) -> list[Any]:
    """Return a part of a JSON answer as a list; nothing is an empty one."""
    return list(json.loads(part) if isinstance(part, str) else part or ())


def _letters(given: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return qualities and competences in words, in the order they are assessed."""
    return tuple((subjects.quality_name(code), letter) for code, letter in given.items())


def _terms(rows: list[Any], middle: list[Any]) -> tuple[ChildTerm, ...]:
    half_way = {(term, name): _letters(given) for term, name, given in middle}
    found: dict[tuple[int, int, str], list[ChildSubject]] = {}
    grades: dict[tuple[int, int, str], int] = {}
    for row in rows:
        year, term, class_name, grade, code, kind, rule_set, count = row[:8]
        sheet = cells.sheet(
            kind=kind, regular_count=count, rule_set=rule_set, subject=code, grade=grade, term=term
        )
        marks = Marks(*row[9:19])
        overlay(sheet, marks, row[19] or ())
        shown = tuple(
            (_cell_title(slot, brought(row[20], marks, slot)), cells.show(value))
            for slot in sheet.slots
            if slot != "comment" and (value := cells.value_of(kind, marks, slot))
        )
        key = (year, term, class_name)
        grades[key] = grade
        found.setdefault(key, []).append(
            ChildSubject(code, subjects.name(code, grade), shown, cells.outcome(kind, marks), marks.comment)
        )
    return tuple(
        ChildTerm(
            year, term, terms.title(term), class_name,
            tuple(sorted(items, key=lambda one: subjects.order(grades[year, term, class_name]).get(one.code, 999))),
            half_way.get((term, class_name), ()),
        )
        for (year, term, class_name), items in found.items()
    )  # fmt: skip


def _cell_title(slot: str, came_from: str) -> str:
    """Return the name of a cell, with the former class a mark was brought from."""
    name = cells.title(slot).capitalize()
    return _("%(cell)s (từ lớp %(where)s)") % {"cell": name, "where": came_from} if came_from else name


def _changes(rows: list[Any], entries: list[Any], learner: str) -> tuple[ChildChange, ...]:
    subject_of = {row[8]: subjects.name(row[4], row[3]) for row in rows}
    return tuple(
        ChildChange(
            datetime.fromisoformat(change.at), change.who, subject_of[chain], cells.title(slot),  # type: ignore[arg-type]
            change.old if slot == "comment" else cells.show(change.old),
            change.new if slot == "comment" else cells.show(change.new), change.reason,
        )
        for chain, slot, change in slot_changes(entries, learner)[:CHANGES]
    )  # fmt: skip


def _result(one: Mapping[str, Any]) -> ChildResult:
    codes = subjects.sorted_codes(one["subjects"], one["grade"])
    names = {code: subjects.name(code, one["grade"]) for code in codes}
    return ChildResult(
        one["school_year"], one["term"], terms.title(one["term"]), label(one["learning"]), label(one["conduct"]),
        label(one["award"]), label(one["promotion"]),
        tuple((names[code], show_result(one["subjects"][code])) for code in codes),
        judging.why(one["because"], names), (one["absences_excused"], one["absences_unexcused"]), one["comment"],
        one["revision"], one["reason"], _letters(one["qualities"]),
    )  # fmt: skip
