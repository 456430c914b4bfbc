"""Reading what results are made of, for any number of classes by one statement."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.db import connection

from khue.school.gradebook import assessed, cells
from khue.school.gradebook.cells import Given, Sheet
from khue.school.gradebook.queries.registers import overlay


@dataclass(frozen=True, slots=True)
class Book:
    """One register of a class: its ruling and its row's id."""

    id: int
    subject: str
    sheet: Sheet
    is_locked: bool


@dataclass(slots=True)
class Learner:
    """One learner of a class with everything a result is made of.

    lines     lines by subject code, done corrections put over them
    conduct   of the term; version 0 while there is no row
    absences  half-day sessions of the term, in former classes too: with leave, without
    results   the current results of the year by term, from whatever class they came
    """

    id: int
    uid: str
    name: str
    lines: dict[str, Given] = field(default_factory=dict)
    conduct: str = ""
    conduct_version: int = 0
    qualities: dict[str, str] = field(default_factory=dict)
    qualities_mid: dict[str, str] = field(default_factory=dict)
    comment: str = ""
    decisions: dict[str, Any] = field(default_factory=dict)
    absences: tuple[int, int] = (0, 0)
    results: dict[int, dict[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class ClassTerm:
    """One class in one term, or its year (term 0)."""

    id: int
    uid: str
    name: str
    grade: int
    school_id: int
    school_year: int
    term: int
    homeroom_id: int | None
    books: list[Book] = field(default_factory=list)
    learners: list[Learner] = field(default_factory=list)
    closed: dict[int, tuple[str, str]] = field(default_factory=dict)

    @property
    def is_closed(self) -> bool:
        """Return whether this term (or the year) is closed."""
        return self.term in self.closed


_LOAD = f"""
with g as (select * from schooling_classgroup where id = any(%(classes)s)),
     p as (select distinct s.class_group_id, s.learner_id from schooling_placement s
            where s.class_group_id = any(%(classes)s) and s.is_main
              and (s.learner_id = any(%(also)s) or {assessed.assesses("s", term="%(term)s")})),
     r as (select * from gradebook_register where class_group_id = any(%(classes)s) and term = %(term)s)
select
 (select json_agg(json_build_array(g.id, g.uid, g.name, g.grade, g.school_id, g.school_year, g.homeroom_id)
         order by g.school_id, g.grade, g.name, g.id) from g),
 (select json_agg(json_build_array(r.class_group_id, r.id, r.subject_code, r.kind, r.rule_set, r.regular_count,
         r.locked_at is not null)) from r),
 (select json_agg(json_build_array(m.class_group_id, m.learner_id, coalesce(coalesce(n.uid, f.uid)::text, ''), coalesce(n.name, f.name, ''))
         order by coalesce(n.sort_key, f.sort_key), m.learner_id) from p m {assessed.named("m.learner_id", "n")}),
 (select json_agg(json_build_array(l.register_id, l.learner_id, l.regular, l.midterm, l.final, l.levels, l.comment,
         l.states, l.is_exempt)) from gradebook_line l join r on r.id = l.register_id where not %(sets)s),
 (select json_agg(json_build_array(k.register_id, k.learner_id, k.slot, k.new_value) order by k.decided_at, k.id)
    from gradebook_correction k join r on r.id = k.register_id where k.state = 'done'),
 (select json_agg(json_build_array(c.class_group_id, c.learner_id, c.level, c.version, c.qualities, c.qualities_mid,
         c.comment, c.decisions)) from gradebook_conduct c
   where c.class_group_id = any(%(classes)s) and c.term = %(term)s),
 (select json_agg(json_build_array(a.class_group_id, a.learner_id, a.excused, a.unexcused)) from (
    select p.class_group_id, p.learner_id, count(*) filter (where b.is_excused) as excused,
           count(*) filter (where not b.is_excused) as unexcused
      from p join gradebook_absence b on b.learner_id = p.learner_id and b.school_year = %(year)s and b.term = %(term)s
     group by 1, 2) a),
 (select json_agg(json_build_array(q.learner_id, q.term, q.class_group_id, q.learning, q.conduct, q.award, q.promotion,
         q.subjects, q.qualities, q.because, q.absences_excused, q.absences_unexcused, q.comment, q.revision, q.rule_set,
         q.snapshot -> 'decisions'))
    from gradebook_result q join p on p.learner_id = q.learner_id
   where q.school_year = %(year)s and q.is_current and q.term = any(%(terms)s)),
 (select json_agg(json_build_array(c.class_group_id, c.term, c.closed_at, c.closed_by))
    from gradebook_closing c where c.class_group_id = any(%(classes)s) and c.closed_at is not null)
"""
_LINES = """
select l.register_id, l.learner_id, l.regular, l.midterm, l.final, l.levels, l.comment, l.states, l.is_exempt
  from gradebook_line l where l.register_id = any(%s)
"""
RESULT_COLUMNS = (
    "class_group_id", "learning", "conduct", "award", "promotion", "subjects", "qualities", "because",
    "absences_excused", "absences_unexcused", "comment", "revision", "rule_set", "decisions",
)  # fmt: skip


def class_terms(
    class_ids: Iterable[int], *, school_year: int, term: int, also: Iterable[int] = (), in_sets: bool = False
) -> list[ClassTerm]:
    """Return these classes in a term with their learners, marks, conduct and absences: one statement.

    With term 0 the results of both terms come along instead of marks. `also` are learners (by id) to bring
    although they have left the class since. With `in_sets` the lines come by a statement of their own in the
    binary form: for hundreds of learners that is several times faster than JSON.
    """
    values: dict[str, Any] = {
        "classes": list(class_ids), "term": term, **assessed.parameters(school_year),
        "terms": [0, 1, 2] if term == 0 else [term], "also": list(also), "sets": in_sets,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_LOAD, values)
        parts = [_parsed(part) for part in cursor.fetchone()]
    classes = {
        pk: ClassTerm(pk, uid, name, grade, school_id, year, term, homeroom_id)
        for pk, uid, name, grade, school_id, year, homeroom_id in parts[0]
    }
    sheets: dict[int, Book] = {}
    for class_id, pk, subject, kind, rule_set, count, is_locked in parts[1]:
        sheet = cells.sheet(
            kind=kind, regular_count=count, rule_set=rule_set, subject=subject, grade=classes[class_id].grade, term=term
        )
        sheets[pk] = Book(pk, subject, sheet, is_locked)
        classes[class_id].books.append(sheets[pk])
    learners = _learners(classes, parts[2])
    if in_sets:
        connection.ensure_connection()
        with psycopg.Cursor(connection.connection) as binary:
            binary.format = psycopg.pq.Format.BINARY
            parts[3] = binary.execute(_LINES, [list(sheets)]).fetchall()
    _put_lines(classes, learners, sheets, parts[3], parts[4])
    _put_rest(learners, parts[5], parts[6], parts[7])
    for class_id, closed_term, at, who in parts[8]:
        classes[class_id].closed[closed_term] = (at, who)
    return list(classes.values())


def _parsed(part: Any) -> list[Any]:
    if part is None:
        return []
    return list(json.loads(part)) if isinstance(part, str) else list(part)


def _learners(classes: dict[int, ClassTerm], rows: list[Any]) -> dict[tuple[int, int], Learner]:
    found = {}
    for class_id, pk, uid, name in rows:
        found[class_id, pk] = learner = Learner(pk, uid, name)
        classes[class_id].learners.append(learner)
    return found


def _put_lines(
    classes: dict[int, ClassTerm], learners: dict[tuple[int, int], Learner], sheets: dict[int, Book],
    lines: list[Any], corrections: list[Any],
) -> None:  # fmt: skip
    class_of = {book.id: one.id for one in classes.values() for book in one.books}
    corrected: dict[tuple[int, int], list[tuple[str, str]]] = defaultdict(list)
    for register, learner_id, slot, value in corrections:
        corrected[register, learner_id].append((slot, value))
    for register, learner_id, *values in lines:
        learner = learners.get((class_of[register], learner_id))
        if learner is None:
            continue
        line, book = Given(*values), sheets[register]
        if (register, learner_id) in corrected:
            marks = line.marks()
            overlay(book.sheet, marks, corrected[register, learner_id])
            line = cells.given_of(marks)
        learner.lines[book.subject] = line


def _put_rest(
    learners: dict[tuple[int, int], Learner], conducts: list[Any], absences: list[Any], results: list[Any]
) -> None:
    for class_id, learner_id, level, version, qualities, middle, comment, decisions in conducts:
        if learner := learners.get((class_id, learner_id)):
            learner.conduct, learner.conduct_version, learner.comment = level, version, comment
            learner.qualities, learner.qualities_mid, learner.decisions = qualities, middle, decisions
    for class_id, learner_id, excused, unexcused in absences:
        if learner := learners.get((class_id, learner_id)):
            learner.absences = (excused, unexcused)
    by_id: dict[int, list[Learner]] = defaultdict(list)
    for (_class_id, learner_id), learner in learners.items():
        by_id[learner_id].append(learner)
    own = {(class_id, learner_id) for class_id, learner_id in learners}
    for learner_id, term, *values in sorted(results, key=lambda row: (row[2], row[0]) in own):
        for learner in by_id[learner_id]:
            learner.results[term] = dict(zip(RESULT_COLUMNS, values, strict=True))
