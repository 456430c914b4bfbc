"""Results of a class with why, and of one learner: as they stand before closing, as they were frozen after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from khue.kernel import permissions
from khue.kernel.errors import NotFound
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.school.gradebook import cells, judging, recount, subjects
from khue.school.gradebook.gathering import ClassTerm, class_terms
from khue.school.gradebook.judging import Judged, Missing, Why
from khue.school.gradebook.models import Result
from regulations import assessment


@dataclass(frozen=True, slots=True)
class Seen:
    """A class as rights are asked about it, with the homeroom relation already read."""

    pk: int
    class_group_id: int
    school_id: int
    is_homeroom: bool


@dataclass(frozen=True, slots=True)
class ClassHead:
    """What a page on a class begins with."""

    id: int
    uid: str
    name: str
    grade: int
    school_id: int
    school_year: int
    homeroom: str
    is_homeroom: bool
    closing_uid: str


@dataclass(frozen=True, slots=True)
class SubjectShown:
    """One subject's result in a row: 8,2, Đ, T with its test; "" while there is none."""

    code: str
    shown: str
    is_missing: bool


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One learner of the class: what is decided, why, and what is missing; `conduct_rated` as the homeroom teacher entered it."""

    uid: str
    name: str
    learner_id: int
    subjects: tuple[SubjectShown, ...]
    learning: str
    learning_name: str
    conduct: str
    conduct_name: str
    conduct_rated: str
    conduct_version: int
    award: str
    award_name: str
    promotion: str
    promotion_name: str
    why: tuple[Why, ...]
    missing: tuple[Missing, ...]
    absences: tuple[int, int]
    comment: str
    qualities: Mapping[str, str]
    qualities_mid: Mapping[str, str]
    decisions: Mapping[str, Any]
    revision: int


@dataclass(frozen=True, slots=True)
class ClassResults:
    """A class's term or year. `closed_at`, `closed_by` "" while it is open; then rows are what would come out now.

    is_ranked        by rules of Circular 58/2011's kind, with their levels of conduct
    has_year_conduct  the homeroom teacher decides the conduct of the year herself; other rules derive it from the terms
    """

    head: ClassHead
    term: int
    is_primary: bool
    is_ranked: bool
    has_year_conduct: bool
    subjects: tuple[tuple[str, str], ...]
    rows: tuple[ResultRow, ...]
    closed_at: str
    closed_by: str
    closed_terms: frozenset[int]
    missing: tuple[Missing, ...]


_HEAD = """
select g.id, g.uid::text, g.name, g.grade, g.school_id, g.school_year,
       coalesce((select n.name from staff_post t join people_person n on n.id = t.person_id where t.id = g.homeroom_id), ''),
       exists (select 1 from staff_post h where h.id = g.homeroom_id and h.person_id = %(person)s and h.valid @> %(day)s::date),
       coalesce((select c.uid::text from gradebook_closing c where c.class_group_id = g.id and c.term = %(term)s), '')
  from schooling_classgroup g where g.uid = %(uid)s
"""


def class_head(actor: Actor, uid: UUID | str, right: str, *, now: datetime, term: int = 1) -> ClassHead:
    """Return the head of a class the actor has this right on: one statement. Raises NotFound, NotAllowed."""
    day: date = local_day(now)
    with connection.cursor() as cursor:
        cursor.execute(_HEAD, {"uid": str(uid), "person": actor.person_id, "day": day, "term": term})
        row = cursor.fetchone()
    if row is None or not actor.covers_school(row[4]):
        raise NotFound()
    head = ClassHead(*row)
    permissions.demand(actor, right, on=Seen(head.id, head.id, head.school_id, head.is_homeroom), at=now)
    return head


def class_results(actor: Actor, uid: UUID | str, *, term: int, now: datetime) -> ClassResults:
    """Return a class's results of a term (1, 2) or the year (0), each with why: two statements.

    Raises NotFound, NotAllowed.
    """
    head = class_head(actor, uid, "gradebook.view_results", now=now, term=term)
    [group] = class_terms([head.id], school_year=head.school_year, term=term)
    rules = judging.rules_of(group)
    is_ranked = recount.is_ranked(rules)
    judged = judging.judge_year(group, rules) if term == 0 else judging.judge_term(group, rules)
    codes = _codes(group, judged)
    names = {code: subjects.name(code, group.grade) for code in codes}
    rows = tuple(_row(group, one, codes, names) for one in judged)
    closed_at, closed_by = group.closed.get(term, ("", ""))
    return ClassResults(
        head, term, judging.is_primary(rules), is_ranked, is_ranked and rules.needs_conduct, tuple(names.items()), rows, closed_at, closed_by,
        frozenset(group.closed), () if group.is_closed else tuple(gap for row in rows for gap in row.missing),
    )  # fmt: skip


def _codes(group: ClassTerm, judged: list[Judged]) -> list[str]:
    if group.term:
        return subjects.sorted_codes({book.subject for book in group.books}, group.grade)
    return subjects.sorted_codes({code for one in judged for code in one.subjects}, group.grade)


def _row(group: ClassTerm, judged: Judged, codes: list[str], names: Mapping[str, str]) -> ResultRow:
    learner = judged.learner
    frozen = learner.results.get(group.term) if group.is_closed else None
    source = frozen or {
        "subjects": judged.subjects, "learning": judged.learning, "conduct": judged.conduct, "award": judged.award,
        "promotion": judged.promotion, "because": judged.because, "comment": judged.comment,
        "absences_excused": judged.absences[0], "absences_unexcused": judged.absences[1], "revision": 0,
        "qualities": judged.qualities,
    }  # fmt: skip
    return ResultRow(
        uid=learner.uid, name=learner.name, learner_id=learner.id,
        subjects=tuple(_subject(code, source["subjects"].get(code)) for code in codes),
        learning=source["learning"], learning_name=label(source["learning"]), conduct=source["conduct"],
        conduct_name=label(source["conduct"]), conduct_rated=learner.conduct, conduct_version=learner.conduct_version,
        award=source["award"], award_name=label(source["award"]), promotion=source["promotion"], promotion_name=label(source["promotion"]),
        why=judging.why(source["because"], names), missing=() if frozen else tuple(judged.missing),
        absences=(source["absences_excused"], source["absences_unexcused"]), comment=source["comment"],
        qualities=source["qualities"], qualities_mid=learner.qualities_mid, decisions=learner.decisions, revision=source["revision"],
    )  # fmt: skip


def label(code: str) -> str:
    """Return the name of a result code, "" for none."""
    return assessment.label(code) if code else ""


def _subject(code: str, found: Mapping[str, Any] | None) -> SubjectShown:
    shown = show_result(found)
    return SubjectShown(code, shown, not shown)


def show_result(found: Mapping[str, Any] | None) -> str:
    """Return a subject's result as the screen writes it: 8,2; Đ; T · 9 with the mark of its test; "miễn"."""
    if not found:
        return ""
    if found.get("exempt"):
        return "miễn"
    result = found.get("result", found.get("year"))
    if result is None:
        return ""
    if isinstance(result, int):
        return assessment.show_mark(result)
    test = found.get("test")
    shown = cells.show(cells.PASS_OF_RULE.get(result, result))
    return f"{shown} · {test // 10}" if test else shown


def learner_results(actor: Actor, learner_id: int, *, now: datetime) -> list[Result]:
    """Return the current results of one learner, newest year first, as far as the actor's scope reaches.

    For pages of her file: her present school sees all of them, wherever they were made. Who may open a file
    is asked by the caller's page; rows outside the scope do not come.
    """
    found = Result.objects.filter(learner_id=learner_id, is_current=True, frozen_at__isnull=False)
    if actor.schools is not None and learner_id not in actor.people:
        found = found.filter(learner__school_id__in=actor.schools) | found.filter(school_id__in=actor.schools)
    return list(found.select_related("class_group").order_by("-school_year", "term").distinct())
