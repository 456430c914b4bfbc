"""What the homeroom teacher decides: conduct, or qualities and competences, comments, and grounds of the titles."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from khue.kernel import audit, ledger, permissions
from khue.kernel.errors import Invalid, NotFound
from khue.kernel.ids import uid7
from khue.kernel.permissions import Actor
from khue.register.schooling.models import ClassGroup
from khue.school.gradebook import assessed, cells, judging, recount
from khue.school.gradebook.errors import TermClosed
from khue.school.gradebook.judging import quality_codes
from khue.school.gradebook.models import Closing, Term
from khue.school.gradebook.services.marks import is_uuid
from regulations import assessment

ACT = "gradebook.conduct.set"
CONDUCT_LEVELS = ("tot", "kha", "dat", "chua_dat")
LETTERS = ("T", "Đ", "C")
RANKED_CONDUCT_LEVELS = ("tot", "kha", "trung_binh", "yeu")
"""Under Circular 58/2011 and its like, where the whole year (term 0) is rated too."""
GROUNDS = ("outstanding", "progress", "recognised")
"""Grounds of the primary titles (TT 27/2020, Art. 13), set for the year."""


@dataclass(frozen=True, slots=True)
class ConductChange:
    """One learner's conduct as the homeroom teacher wants it; None leaves a part as it is.

    version    the version of the row she saw, 0 for none
    qualities  letter by code, "" to withdraw; qualities_mid likewise
    grounds    of the year (term 0): names of `GROUNDS` that hold
    """

    learner: str
    version: int = 0
    level: str | None = None
    qualities: Mapping[str, str] | None = None
    qualities_mid: Mapping[str, str] | None = None
    comment: str | None = None
    grounds: Sequence[str] | None = None


@dataclass(slots=True)
class ConductSaved:
    """Learners written, and those somebody else wrote meanwhile: (uid, field, theirs, mine)."""

    changed: list[str] = field(default_factory=list)
    conflicts: list[tuple[str, str, Any, Any]] = field(default_factory=list)


@dataclass(slots=True)
class _Row:
    learner_id: int
    version: int
    values: dict[str, Any]


def held_closing(actor: Actor, class_group: UUID | str, term: int) -> Closing:
    """Return the locked Closing of a class's term within the actor's schools; made when it is new."""
    group = ClassGroup.objects.filter(uid=class_group).first()
    if group is None or not actor.covers_school(group.school_id):
        raise NotFound()
    Closing.objects.bulk_create(
        [Closing(class_group=group, school_id=group.school_id, school_year=group.school_year, term=term)],
        ignore_conflicts=True,
    )
    found = Closing.objects.select_for_update(of=("self",)).get(class_group=group, term=term)
    found.class_group = group
    return found


@transaction.atomic
def save_conduct(
    *, actor: Actor, class_group: UUID | str, term: int, changes: Sequence[ConductChange], now: datetime
) -> ConductSaved:
    """Write conduct or qualities of a class's learners, merged field by field: at most ten statements.

    Raises NotFound, NotAllowed unless the actor is the class's homeroom teacher, TermClosed, Invalid for a
    level or letter that is none.
    """
    closing = held_closing(actor, class_group, term)
    permissions.demand(actor, "gradebook.rate_conduct", on=closing, at=now)
    if closing.closed_at is not None:
        raise TermClosed()
    rows = _rows(closing, [change.learner for change in changes])
    answer, entries, written = ConductSaved(), [], []
    for change in changes:
        row = rows.get(change.learner)
        if row is None:
            raise NotFound()
        moved = {
            name: new
            for name, new in _wanted(closing, change, row).items()
            if new != row.values[name] and not _clashes(change, row, name, new, answer)
        }
        if moved:
            old = {name: row.values[name] for name in moved}
            entries.append({"learner": change.learner, "old": old, "new": moved})
            row.values.update(moved)
            written.append(row)
            answer.changed.append(change.learner)
    if written:
        ledger.append(closing, act=ACT, body={"term": term, "conduct": entries}, actor=actor, at=now)
        _store(closing, written)
        audit.record(actor, ACT, on=closing, at=now, term=term, learners=len(written), sequence=closing.ledger_seq)
    return answer


def _clashes(change: ConductChange, row: _Row, name: str, new: Any, answer: ConductSaved) -> bool:
    if row.version == change.version or not row.values[name]:
        return False
    answer.conflicts.append((change.learner, name, row.values[name], new))
    return True


def _wanted(closing: Closing, change: ConductChange, row: _Row) -> dict[str, Any]:
    """Return the fields of a change that were sent, checked."""
    wanted: dict[str, Any] = {}
    if change.level is not None:
        levels = conduct_levels(closing.class_group)
        if closing.term == Term.YEAR and levels != RANKED_CONDUCT_LEVELS:
            raise Invalid(fields={"level": [_("Kết quả rèn luyện cả năm tính từ hai học kỳ, không nhập riêng.")]})
        if change.level not in ("", *levels):
            names = ", ".join(assessment.label(code) for code in levels)
            raise Invalid(fields={"level": [_("Chọn một trong các mức: %(names)s.") % {"names": names}]})
        wanted["level"] = change.level
    for name in ("qualities", "qualities_mid"):
        letters = getattr(change, name)
        if letters is not None:
            group = closing.class_group
            known = quality_codes(group.grade, group.school_year) if group.grade in range(1, 6) else ()
            if any(code not in known or letter not in ("", *LETTERS) for code, letter in letters.items()):
                raise Invalid(fields={name: [_("Phẩm chất, năng lực ghi T, Đ hoặc C.")]})
            merged = {**row.values[name], **letters}
            wanted[name] = {code: letter for code, letter in merged.items() if letter}
    if change.comment is not None:
        try:
            wanted["comment"] = cells.parse("score", "comment", change.comment)
        except cells.Refused as why:
            raise Invalid(fields={"comment": [why.sentence]}) from why
    if change.grounds is not None and closing.term == Term.YEAR:
        kept = {name: value for name, value in row.values["decisions"].items() if name not in GROUNDS}
        wanted["decisions"] = {**kept, **{name: True for name in GROUNDS if name in change.grounds}}
    return wanted


def conduct_levels(group: ClassGroup) -> tuple[str, ...]:
    """Return the conduct levels a class is rated in by the circular of its grade and year."""
    return conduct_levels_of(group.grade, group.school_year)


def conduct_levels_of(grade: int, school_year: int) -> tuple[str, ...]:
    """Return the conduct levels of a grade in a year."""
    rules = judging.rules_in_force(grade, school_year)
    return RANKED_CONDUCT_LEVELS if recount.is_ranked(rules) else CONDUCT_LEVELS


def _rows(closing: Closing, learners: Sequence[str]) -> dict[str, _Row]:
    """Return the conduct rows of these learners of the class by uid, empty ones for those without."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            select coalesce(p.uid, f.uid)::text, s.learner_id, coalesce(c.version, 0), coalesce(c.level, ''),
                   coalesce(c.qualities, '{{}}'), coalesce(c.qualities_mid, '{{}}'), coalesce(c.comment, ''),
                   coalesce(c.decisions, '{{}}')
              from schooling_placement s {assessed.named("s.learner_id")}
              left join gradebook_conduct c on c.learner_id = s.learner_id and c.class_group_id = s.class_group_id
                   and c.term = %(term)s
             where s.class_group_id = %(class)s and s.is_main and coalesce(p.uid, f.uid) = any(%(learners)s::uuid[])
            """,
            {
                "class": closing.class_group_id, "term": closing.term,
                "learners": [uid for uid in learners if is_uuid(uid)], **assessed.parameters(closing.school_year),
            },
        )  # fmt: skip
        rows = cursor.fetchall()
    names = ("level", "qualities", "qualities_mid", "comment", "decisions")
    return {
        row[0]: _Row(row[1], row[2], {
            name: json.loads(value) if isinstance(value, str) and name in ("qualities", "qualities_mid", "decisions") else value
            for name, value in zip(names, row[3:], strict=True)
        })
        for row in rows
    }  # fmt: skip


def _store(closing: Closing, rows: Sequence[_Row]) -> None:
    values = [{"uid": str(uid7()), "learner_id": row.learner_id, **row.values} for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            insert into gradebook_conduct (uid, version, class_group_id, learner_id, school_id, school_year, term, level,
                   qualities, qualities_mid, comment, decisions)
            select n.uid, 1, %s, n.learner_id, %s, %s, %s, n.level, n.qualities, n.qualities_mid, n.comment, n.decisions
              from jsonb_to_recordset(%s::jsonb) as n(uid uuid, learner_id bigint, level text, qualities jsonb,
                   qualities_mid jsonb, comment text, decisions jsonb)
            on conflict (class_group_id, learner_id, term) do update
               set level = excluded.level, qualities = excluded.qualities, qualities_mid = excluded.qualities_mid,
                   comment = excluded.comment, decisions = excluded.decisions
            """,
            [
                closing.class_group_id, closing.school_id, closing.school_year, closing.term,
                json.dumps(values, ensure_ascii=False),
            ],
        )  # fmt: skip


def conduct_choices(*, is_ranked: bool) -> list[tuple[str, str]]:
    """Return the four conduct levels with their names; `is_ranked` under rules of Circular 58/2011's kind."""
    return [(code, assessment.label(code)) for code in (RANKED_CONDUCT_LEVELS if is_ranked else CONDUCT_LEVELS)]
