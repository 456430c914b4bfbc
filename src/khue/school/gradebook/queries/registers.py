"""Registers: the list of mine with what is missing, and the grid of one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from khue.kernel import permissions
from khue.kernel.errors import NotAllowed, NotFound
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.school.gradebook import assessed, cells, subjects, terms
from khue.school.gradebook.assessed import SECOND
from khue.school.gradebook.cells import PLACE, Marks, Sheet
from khue.school.gradebook.models import Kind

SEES_ALL = ("principal", "vice_principal", "clerk", "group_head", "inspector")


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """One register in a list: how many learners and how many cells are still missing."""

    uid: str
    class_name: str
    class_uid: str
    grade: int
    subject: str
    subject_code: str
    term: int
    kind: str
    learners: int
    missing: int
    is_locked: bool
    is_taught: bool
    teachers: str


@dataclass(frozen=True, slots=True)
class GridCell:
    """One cell of the grid. `value` as `cells` writes it, `shown` as the screen does; `was`: before correction.

    came_from  the former class this value was brought from, "" for one given here
    """

    slot: str
    value: str
    shown: str
    stamp: int
    is_missing: bool = False
    is_corrected: bool = False
    was: str = ""
    came_from: str = ""


@dataclass(frozen=True, slots=True)
class GridRow:
    """One learner of the grid. `learner` is "" for one whose file another school holds now.

    waits_for    cells with a correction that is not decided yet
    corrections  (asked at, state, reason) of every correction of the line
    """

    number: int
    learner: str
    name: str
    cells: tuple[GridCell, ...]
    outcome: str
    missing: tuple[str, ...]
    is_exempt: bool
    has_left: bool
    waits_for: tuple[str, ...] = ()
    corrections: tuple[tuple[datetime, str, str], ...] = ()

    @property
    def came_from(self) -> str:
        """Return the former classes of which marks stand here, "" for none."""
        return "; ".join(dict.fromkeys(cell.came_from for cell in self.cells if cell.came_from))


@dataclass(frozen=True, slots=True)
class Grid:
    """One register as a page shows it.

    sequence    number of the last ledger entry: what a save sends back as `seen`
    may_write   the actor teaches it and it is open; may_ask: she teaches it and it is closed
    """

    uid: str
    class_name: str
    class_uid: str
    class_group_id: int
    school_id: int
    school_year: int
    grade: int
    subject: str
    subject_code: str
    term: int
    kind: str
    sheet: Sheet
    rows: tuple[GridRow, ...]
    learner_ids: tuple[int, ...]
    sequence: int
    saved_at: datetime | None
    saved_by: str
    locked_at: datetime | None
    may_write: bool
    may_ask: bool
    missing: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A register as rights are asked about it, with the relations already read in the same statement."""

    pk: int
    class_group_id: int
    school_id: int
    subject_code: str
    is_taught: bool
    is_homeroom: bool


_TAUGHT = """exists (select 1 from teaching_assignment a join staff_post t on t.id = a.post_id
   where a.class_group_id = r.class_group_id and a.subject_code = r.subject_code and a.valid @> %(day)s::date
     and t.person_id = %(person)s and t.valid @> %(day)s::date)"""
_HOMEROOM = """exists (select 1 from staff_post h where h.id = g.homeroom_id and h.person_id = %(person)s
     and h.valid @> %(day)s::date)"""

_REGISTER = f"""
select r.id, r.uid::text, r.class_group_id, r.school_id, r.school_year, r.subject_code, r.term, r.kind, r.rule_set,
       r.regular_count, r.locked_at, r.ledger_seq, g.name, g.uid::text as class_uid, g.grade,
       {_TAUGHT} as is_taught, {_HOMEROOM} as is_homeroom, e.at as saved_at,
       coalesce((select c.name from accounts_account c where c.id = (e.actor ->> 'account')::bigint),
                e.actor ->> 'system', '') as saved_by
  from gradebook_register r
  join schooling_classgroup g on g.id = r.class_group_id
  left join lateral (
       select at, convert_from(body, 'UTF8')::jsonb -> 'actor' as actor
         from ledger_entry where chain = 'gradebook_register:' || r.uid::text and school_year = r.school_year
          and sequence = r.ledger_seq) e on true
 where r.uid = %(uid)s
"""

_LINES = f"""
select l.learner_id, coalesce(p.uid, f.uid)::text, coalesce(p.name, f.name), l.regular, l.midterm, l.final, l.levels, l.comment, l.states, l.stamps,
       l.is_exempt, l.average, l.level,
       not exists (select 1 from schooling_placement s where s.class_group_id = %(class)s and s.learner_id = l.learner_id
                      and s.is_main and (s.closed = any(%(staying)s) or s.closed = any(%(moved)s)
                      and khue_still_ours(s.learner_id, s.class_group_id, s.school_year, %(term)s, {assessed.SECOND})))
           as has_left,
       l.carried,
       (select json_agg(json_build_array(k.slot, k.old_value, k.new_value, k.state, k.asked_at, k.reason)
                        order by k.decided_at nulls last, k.id)
          from gradebook_correction k where k.register_id = l.register_id and k.learner_id = l.learner_id) as corrections
  from gradebook_line l {assessed.named("l.learner_id")}
 where l.register_id = %(register)s and (%(learner)s::uuid is null or coalesce(p.uid, f.uid) = %(learner)s::uuid)
 order by coalesce(p.sort_key, f.sort_key) nulls last, l.learner_id
"""


def register_grid(actor: Actor, uid: UUID | str, *, now: datetime, learner: str | None = None) -> Grid:
    """Return a register with all its lines, or the one of `learner`: two statements, rights included, whatever
    the class size.

    Raises NotFound for a register outside the actor's scope, NotAllowed for one she neither teaches nor
    leads the class or school of.
    """
    register = _register(actor, uid, local_day(now))
    seen = Seen(
        register["id"], register["class_group_id"], register["school_id"], register["subject_code"],
        register["is_taught"], register["is_homeroom"],
    )  # fmt: skip
    permissions.demand(actor, "gradebook.view_register", on=seen, at=now)
    sheet = cells.sheet(
        kind=register["kind"], regular_count=register["regular_count"], rule_set=register["rule_set"],
        subject=register["subject_code"], grade=register["grade"], term=register["term"],
    )  # fmt: skip
    values = {
        "register": register["id"], "class": register["class_group_id"], "term": register["term"], "learner": learner,
        **assessed.parameters(register["school_year"]),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_LINES, values)
        found = cursor.fetchall()
    rows = tuple(_row(number, sheet, line) for number, line in enumerate(found, start=1))
    teaches = register["is_taught"] and permissions.holds(actor, "gradebook.record_mark")  # for buttons; services ask
    return Grid(
        uid=register["uid"], class_name=register["name"], class_uid=register["class_uid"],
        class_group_id=register["class_group_id"], school_id=register["school_id"],
        school_year=register["school_year"], grade=register["grade"],
        subject=subjects.name(register["subject_code"], register["grade"]), subject_code=register["subject_code"],
        term=register["term"], kind=register["kind"], sheet=sheet, rows=rows,
        learner_ids=tuple(line[0] for line in found), sequence=register["ledger_seq"],
        saved_at=register["saved_at"], saved_by=register["saved_by"], locked_at=register["locked_at"],
        may_write=teaches and register["locked_at"] is None,
        may_ask=teaches and register["locked_at"] is not None,
        missing=sum(len(row.missing) for row in rows if not row.has_left),
    )  # fmt: skip


def _register(actor: Actor, uid: UUID | str, day: date) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(_REGISTER, {"uid": str(uid), "person": actor.person_id, "day": day})
        row = cursor.fetchone()
        if row is None:
            raise NotFound()
        register = dict(zip((column.name for column in cursor.description), row, strict=True))
    if not actor.covers_school(register["school_id"]):
        raise NotFound()
    return register


def _row(number: int, sheet: Sheet, line: tuple[Any, ...]) -> GridRow:
    _learner_id, learner, name, *values, has_left, carried, corrections = line
    marks = Marks(*values)
    before = {slot: cells.value_of(sheet.kind, marks, slot) for slot in sheet.slots}
    asked = corrections or ()
    done = [(one[0], one[2]) for one in asked if one[3] == "done"]
    overlay(sheet, marks, done)
    missing = cells.missing(sheet, marks)
    corrected = {slot for slot, _new in done}
    return GridRow(
        number, learner or "", name or "",
        tuple(
            _cell(sheet, marks, slot, missing, corrected, before[slot], brought(carried, marks, slot))
            for slot in sheet.slots
        ),
        cells.outcome(sheet.kind, marks), missing, marks.is_exempt, has_left or not learner,
        tuple(one[0] for one in asked if one[3] in ("asked", "checked")),
        tuple((datetime.fromisoformat(one[4]), one[3], one[5]) for one in asked),
    )  # fmt: skip


def _cell(
    sheet: Sheet, marks: Marks, slot: str, missing: tuple[str, ...], corrected: set[str], before: str, came_from: str
) -> GridCell:
    value = cells.value_of(sheet.kind, marks, slot)
    shown = value if slot == "comment" else cells.show(value)
    cell = GridCell(slot, value, shown, marks.stamps[PLACE[slot]], slot in missing, came_from=came_from)
    if slot not in corrected:
        return cell
    return replace(cell, is_corrected=True, was=before if slot == "comment" else cells.show(before))


def brought(carried: Any, marks: Marks, slot: str) -> str:
    """Return the former class a cell's value came along from, "" for one that was given or changed here since."""
    found = json.loads(carried) if isinstance(carried, str) else carried
    stamp, where = (found or {}).get("cells", {}).get(slot, (0, ""))
    return where if stamp and marks.stamps[PLACE[slot]] == stamp else ""


def overlay(sheet: Sheet, marks: Marks, corrections: Iterable[tuple[str, str]]) -> None:
    """Put corrected values over a line in plain Python and settle it: the value that counts."""
    changed = False
    for slot, value in corrections:
        cells.put(sheet.kind, marks, slot, value)
        changed = True
    if changed:
        cells.settle(sheet, marks)


_LIST = f"""
select r.uid::text, g.name, g.uid::text, g.grade, r.subject_code, r.term, r.kind, r.locked_at is not null,
       {_TAUGHT} as is_taught, r.rule_set, r.regular_count, s.learners, s.active, s.regular, s.midterms, s.finals,
       s.levels,
       coalesce((select string_agg(distinct n.name, ', ') from teaching_assignment a
           join staff_post t on t.id = a.post_id join people_person n on n.id = t.person_id
          where a.class_group_id = r.class_group_id and a.subject_code = r.subject_code
            and a.valid @> %(day)s::date), '') as teachers
  from gradebook_register r
  join schooling_classgroup g on g.id = r.class_group_id
  left join lateral (
    select count(*) as learners, count(*) filter (where not l.is_exempt) as active,
           coalesce(sum(cardinality(array_remove(l.regular, null))) filter (where not l.is_exempt), 0) as regular,
           count(l.midterm) filter (where not l.is_exempt) as midterms,
           count(l.final) filter (where not l.is_exempt) as finals,
           coalesce(sum(cardinality(array_remove(l.levels, ''))) filter (where not l.is_exempt), 0) as levels
      from gradebook_line l
     where l.register_id = r.id and exists (select 1 from schooling_placement p where p.learner_id = l.learner_id
           and p.class_group_id = r.class_group_id and p.is_main and (p.closed = any(%(staying)s)
             or p.closed = any(%(moved)s) and khue_still_ours(p.learner_id, p.class_group_id, p.school_year, r.term, {SECOND})))
    ) s on true
 where r.school_id = any(%(schools)s) and r.school_year = %(year)s and r.term = %(term)s
   and ({{who}})
 order by g.grade, g.name, r.subject_code
"""


def my_registers(actor: Actor, *, now: datetime, term: int | None = None) -> list[RegisterLine]:
    """Return the registers of the term the actor teaches or leads, with what is missing: one statement.

    Leaders of a school see all of it, homeroom teachers their classes too. Raises NotAllowed for roles that
    have no register anywhere.
    """
    if not (permissions.holds(actor, "gradebook.open") or permissions.holds(actor, "gradebook.view_register")):
        raise NotAllowed(right="gradebook.open")
    if not actor.schools:
        return []
    day = local_day(now)
    who = "true" if actor.role in SEES_ALL else f"{_TAUGHT} or {_HOMEROOM}"
    if actor.role == "subject_teacher":
        who = _TAUGHT
    with connection.cursor() as cursor:
        cursor.execute(
            _LIST.replace("{who}", who),
            {
                "day": day, "person": actor.person_id, "schools": sorted(actor.schools),
                "term": term or terms.term_of(day),
                **assessed.parameters(terms.school_year_of(day)),
            },
        )  # fmt: skip
        rows = cursor.fetchall()
    lines = [_listed(row) for row in rows]
    return sorted(lines, key=lambda one: (not one.is_taught, one.grade, one.class_name, _order(one)))


def _listed(row: tuple[Any, ...]) -> RegisterLine:
    uid, name, class_uid, grade, code, term, kind, is_locked, is_taught, rule_set, count = row[:11]
    learners, active, regular, midterms, finals, levels, teachers = row[11:]
    sheet = cells.sheet(kind=kind, regular_count=count, rule_set=rule_set, subject=code, grade=grade, term=term)
    given = regular if kind == Kind.SCORE else levels
    given += midterms if {"mid_test", "mid"} & {slot for slot in sheet.required if cells.holds_mark(kind, slot)} else 0
    given += finals if {"fin_test", "fin"} & {slot for slot in sheet.required if cells.holds_mark(kind, slot)} else 0
    return RegisterLine(
        uid=uid, class_name=name, class_uid=class_uid, grade=grade, subject=subjects.name(code, grade),
        subject_code=code, term=term, kind=kind, learners=learners,
        missing=0 if is_locked else int(active * len(sheet.required) - given), is_locked=is_locked,
        is_taught=is_taught, teachers=teachers,
    )  # fmt: skip


def _order(line: RegisterLine) -> int:
    return subjects.order(line.grade).get(line.subject_code, 999)


def kind_title(kind: str) -> str:
    """Return how a subject is assessed, for the head of its register."""
    return str(Kind(kind).label)
