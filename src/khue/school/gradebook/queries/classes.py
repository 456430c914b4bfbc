"""Lists of classes for homeroom teachers and leaders, attendance sheets, corrections that wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from khue.kernel import permissions
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.school.gradebook import cells, subjects, terms
from khue.school.gradebook.models import Correction
from khue.school.gradebook.queries.results import ClassHead, class_head

LEADERS = ("principal", "vice_principal", "clerk")


@dataclass(frozen=True, slots=True)
class ClassLine:
    """One class in a list; `closed` the terms that are closed (0 the year), `gaps` whether registers are open."""

    uid: str
    name: str
    grade: int
    homeroom: str
    learners: int
    registers: int
    closed: frozenset[int]


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One learner of an attendance sheet; mark "P", "K" or ""; `term_absences` half-day sessions of the term."""

    uid: str
    learner_id: int
    name: str
    mark: str
    term_absences: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """The attendance of one class in one session of one day."""

    head: ClassHead
    on: date
    session: str
    lines: tuple[SheetLine, ...]
    is_closed: bool
    taken_at: datetime | None
    taken_by: str


@dataclass(frozen=True, slots=True)
class CorrectionLine:
    """One correction in a list, in words."""

    uid: str
    class_name: str
    subject: str
    term: int
    learner: str
    cell: str
    old: str
    new: str
    reason: str
    state: str
    state_name: str
    asked_at: datetime
    asked_by: str
    may_check: bool
    may_decide: bool


_CLASSES = """
select g.uid::text, g.name, g.grade,
       coalesce((select n.name from staff_post t join people_person n on n.id = t.person_id where t.id = g.homeroom_id), ''),
       (select count(distinct p.learner_id) from schooling_placement p
         where p.class_group_id = g.id and p.is_main and p.closed = any(%(staying)s)),
       (select count(*) from gradebook_register r where r.class_group_id = g.id),
       (select coalesce(array_agg(c.term), '{}') from gradebook_closing c
         where c.class_group_id = g.id and c.closed_at is not null)
  from schooling_classgroup g
 where g.school_id = any(%(schools)s) and g.school_year = %(year)s
   and (%(all)s or exists (select 1 from staff_post h where h.id = g.homeroom_id and h.person_id = %(person)s
                              and h.valid @> %(day)s::date))
 order by g.grade, g.name
"""


def my_classes(actor: Actor, *, now: datetime) -> list[ClassLine]:
    """Return the classes the actor is homeroom teacher of, or leads as head of the school: one statement."""
    if not actor.schools:
        return []
    day = local_day(now)
    values: dict[str, Any] = {
        "staying": ["", "year_end", "completed"], "schools": sorted(actor.schools), "year": terms.school_year_of(day),
        "all": actor.role in LEADERS, "person": actor.person_id, "day": day,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_CLASSES, values)
        return [
            ClassLine(uid, name, grade, homeroom, learners, registers, frozenset(closed))
            for uid, name, grade, homeroom, learners, registers, closed in cursor.fetchall()
        ]


_SHEET = """
select p.uid::text, p.id, p.name, case when a.id is null then '' when a.is_excused then 'P' else 'K' end,
       (select count(*) from gradebook_absence t
         where t.learner_id = p.id and t.class_group_id = s.class_group_id and t.term = %(term)s),
       c.closed_at is not null, e.at, coalesce((select x.name from accounts_account x where x.id = e.account), '')
  from schooling_placement s
  join people_person p on p.id = s.learner_id
  left join gradebook_absence a on a.learner_id = p.id and a."on" = %(on)s and a.session = %(session)s
  left join gradebook_closing c on c.class_group_id = s.class_group_id and c.term = %(term)s
  left join lateral (
       select k.at, k.account_id as account from audit_act k
        where k.target_type = 'gradebook.closing' and k.target_id = c.id and k.act = 'gradebook.attendance.set'
          and k.facts ->> 'day' = %(day)s and k.facts ->> 'session' = %(session)s
        order by k.at desc limit 1) e on true
 where s.class_group_id = %(class)s and s.is_main and s.valid @> %(on)s::date
 order by p.sort_key, p.id
"""


def attendance_sheet(actor: Actor, uid: UUID | str, *, on: date, session: str, now: datetime) -> Sheet:
    """Return who of a class was away in one session: three statements. Raises NotFound, NotAllowed."""
    term = terms.decided_term_of(on, terms.school_year_of(on))
    head = class_head(actor, uid, "gradebook.take_attendance", now=now, term=term)
    values: dict[str, Any] = {"term": term, "on": on, "day": on.isoformat(), "session": session, "class": head.id}
    with connection.cursor() as cursor:
        cursor.execute(_SHEET, values)
        rows = cursor.fetchall()
    lines = tuple(SheetLine(*row[:5]) for row in rows)
    is_closed, taken_at, taken_by = rows[0][5:] if rows else (False, None, "")
    return Sheet(head, on, session, lines, bool(is_closed), taken_at, taken_by)


_CORRECTIONS = """
select k.uid::text, g.name, r.subject_code, g.grade, r.term, coalesce(p.name, ''), k.slot, k.old_value, k.new_value,
       k.reason, k.state, k.asked_at, coalesce(x.name, ''), k.asked_by, coalesce(k.checked_by, 0),
       exists (select 1 from staff_post h where h.id = g.homeroom_id and h.person_id = %(person)s and h.valid @> %(day)s::date),
       exists (select 1 from teaching_assignment a join staff_post t on t.id = a.post_id
         where a.class_group_id = r.class_group_id and a.subject_code = r.subject_code and t.person_id = %(person)s
           and a.valid @> %(day)s::date)
  from gradebook_correction k
  join gradebook_register r on r.id = k.register_id
  join schooling_classgroup g on g.id = r.class_group_id
  left join people_person p on p.id = k.learner_id
  left join accounts_account x on x.id = k.asked_by
 where k.school_id = any(%(schools)s)
 order by k.state in ('done', 'refused'), k.asked_at desc
 limit 200
"""


def corrections(actor: Actor, *, now: datetime) -> list[CorrectionLine]:
    """Return the corrections the actor asked, checks or decides, those that wait first: one statement."""
    if not actor.schools:
        return []
    values: dict[str, Any] = {"person": actor.person_id, "day": local_day(now), "schools": sorted(actor.schools)}
    with connection.cursor() as cursor:
        cursor.execute(_CORRECTIONS, values)
        rows = cursor.fetchall()
    leads = permissions.holds(actor, "gradebook.approve_correction")
    checks = permissions.holds(actor, "gradebook.check_correction")
    found = []
    for row in rows:
        uid, name, subject, grade, term, learner, slot, old, new, reason, state, asked_at, asker = row[:13]
        asked_by, checked_by, is_homeroom, teaches = row[13:]
        if not (leads or (checks and is_homeroom) or teaches or asked_by == actor.account_id):
            continue
        found.append(CorrectionLine(
            uid, name, subjects.name(subject, grade), term, learner, cells.title(slot),
            old if slot == "comment" else cells.show(old), new if slot == "comment" else cells.show(new), reason, state,
            str(Correction.State(state).label), asked_at, asker,
            may_check=checks and is_homeroom and state == "asked",
            may_decide=leads and state == "checked" and actor.account_id not in (asked_by, checked_by),
        ))  # fmt: skip
    return found


def teachers_of(class_group_id: int, *, now: datetime) -> dict[str, str]:
    """Return who teaches each subject of a class today: for lists of what is missing. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select a.subject_code, string_agg(distinct n.name, ', ') from teaching_assignment a"
            " join staff_post t on t.id = a.post_id join people_person n on n.id = t.person_id"
            " where a.class_group_id = %s and a.valid @> %s::date group by 1",
            [class_group_id, local_day(now)],
        )
        return dict(cursor.fetchall())
