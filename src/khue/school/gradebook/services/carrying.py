"""Marks that go along when a learner changes class or school within a term.

They are written into the new class's register by an act of its own that names where each came from, so the average
counts them and everybody sees whose they are. The former register keeps its line as it was; what counts from now
on is the new one. Nothing that stands in the new register is overwritten.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from khue.kernel import audit, events, ledger
from khue.kernel.database import scope
from khue.kernel.permissions import Actor, system_actor
from khue.school.gradebook import cells
from khue.school.gradebook.assessed import MOVED, STAYING
from khue.school.gradebook.cells import PLACE, Marks, Sheet
from khue.school.gradebook.events import MarkSet
from khue.school.gradebook.models import Register
from khue.school.gradebook.queries.registers import overlay
from khue.school.gradebook.services.marks import Held, ruling, write_lines

ACT = "gradebook.marks.carried"
CARRIER = "gradebook.carrying"

_FOUND = """
select rb.id, lb.id, lb.learner_id, p.uid::text, ra.uid::text, g.name, u.name, ra.school_id = rb.school_id,
       json_build_array(la.regular, la.midterm, la.final, la.levels, la.comment, la.states, la.stamps, la.is_exempt),
       (select json_agg(json_build_array(k.slot, k.new_value) order by k.decided_at, k.id) from gradebook_correction k
         where k.register_id = ra.id and k.learner_id = la.learner_id and k.state = 'done'),
       json_build_array(lb.regular, lb.midterm, lb.final, lb.levels, lb.comment, lb.states, lb.stamps, lb.is_exempt,
                        lb.average, lb.level),
       lb.carried
  from gradebook_register rb
  join gradebook_line lb on lb.register_id = rb.id
  join people_person p on p.id = lb.learner_id
  join schooling_placement s on s.class_group_id = rb.class_group_id and s.learner_id = lb.learner_id and s.is_main
       and s.closed = any(%(staying)s)
  join gradebook_line la on la.learner_id = lb.learner_id and la.school_year = rb.school_year and la.register_id <> rb.id
  join gradebook_register ra on ra.id = la.register_id and ra.term = rb.term and ra.subject_code = rb.subject_code
       and ra.kind = rb.kind and ra.class_group_id <> rb.class_group_id
  join schooling_classgroup g on g.id = ra.class_group_id
  join orgs_unit u on u.id = ra.school_id
 where rb.class_group_id = any(%(classes)s) and (%(learners)s::bigint[] is null or lb.learner_id = any(%(learners)s))
   and rb.locked_at is null
   and exists (select 1 from schooling_placement o where o.learner_id = la.learner_id
                  and o.class_group_id = ra.class_group_id and o.is_main and o.closed = any(%(moved)s))
   and not exists (select 1 from gradebook_result q where q.learner_id = lb.learner_id and q.school_year = rb.school_year
                      and q.term = rb.term and q.is_current and q.frozen_at is not null)
   and not coalesce(lb.carried -> 'from', '[]') @> to_jsonb(ra.uid::text)
 order by rb.id, lb.learner_id, ra.id
"""


@dataclass(slots=True)
class _Brought:
    """One line of a former register, and the line of the new one it goes to."""

    line: Held
    learner: str
    source: str
    class_name: str
    school: str
    is_same_school: bool
    given: Marks
    corrections: list[list[str]]
    carried: dict[str, Any]

    @property
    def where(self) -> str:
        """Return the former class in words; its school only where it is another one."""
        return self.class_name if self.is_same_school else f"{self.class_name}, {self.school}"


@transaction.atomic
def carry_marks(class_ids: Sequence[int], *, now: datetime, learners: Iterable[int] | None = None) -> int:
    """Bring the marks of learners who came from other classes of the year into these classes' open registers.

    Called by the placement's event and when registers are opened; called again it brings nothing twice. Runs
    across schools as the platform: whoever placed the learner was asked for the right. Returns the cells written.
    """
    with scope.opened(everything=True):
        rows = _read(class_ids, learners)
        if not rows:
            return 0
        registers = {
            one.pk: one
            for one in Register.objects.select_for_update(of=("self",)).select_related("class_group")
            .filter(pk__in={row[0] for row in rows}).order_by("pk")
        }  # fmt: skip
        by_register: dict[int, list[_Brought]] = defaultdict(list)
        lines: dict[int, Held] = {}
        for row in _read(class_ids, learners):  # again, under the locks
            by_register[row[0]].append(_brought(row, lines))
        actor, written = system_actor(CARRIER), 0
        for pk, brought in by_register.items():
            if pk in registers and registers[pk].locked_at is None:
                written += sum(_carry(actor, registers[pk], one, now) for one in brought)
        return written


def _read(class_ids: Sequence[int], learners: Iterable[int] | None) -> list[tuple[Any, ...]]:
    values = {
        "classes": list(class_ids), "learners": None if learners is None else list(learners), "staying": STAYING,
        "moved": MOVED,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_FOUND, values)
        return cursor.fetchall()


def _parsed(part: Any) -> Any:
    return json.loads(part) if isinstance(part, str) else part


def _brought(row: tuple[Any, ...], lines: dict[int, Held]) -> _Brought:
    _register, line_id, learner_id, uid, source, class_name, school, is_same, given, corrections, own, carried = row
    if line_id not in lines:
        lines[line_id] = Held(line_id, learner_id, Marks(*_parsed(own)))
    return _Brought(
        lines[line_id], uid, source, class_name, school, is_same, Marks(*_parsed(given)), _parsed(corrections) or [],
        _parsed(carried) or {"from": [], "cells": {}},
    )  # fmt: skip


def _carry(actor: Actor, register: Register, one: _Brought, now: datetime) -> int:
    """Write what one former line brings; return how many cells. Writes nothing for a line without any mark."""
    sheet, stamp = ruling(register), register.ledger_seq + 1
    overlay(sheet, one.given, [(slot, value) for slot, value in one.corrections])
    moved = places(sheet, one.given, one.line.marks)
    takes_exemption = one.given.is_exempt and one.is_same_school and not one.line.marks.is_exempt
    if not moved and not takes_exemption:
        return 0
    entries = []
    for slot, _from, value in moved:
        cells.put(sheet.kind, one.line.marks, slot, value)
        one.line.marks.stamps[PLACE[slot]] = stamp
        entries.append({"learner": one.learner, "slot": slot, "old": "", "new": value})
    one.line.marks.is_exempt = one.line.marks.is_exempt or takes_exemption
    body: dict[str, Any] = {
        "cells": entries, "from": {"register": one.source, "class": one.class_name, "school": one.school},
        "reason": _("Điểm mang theo từ lớp %(where)s") % {"where": one.where},
    }  # fmt: skip
    if takes_exemption:
        body["exempt"] = {"learner": one.learner, "old": False, "new": True}
    ledger.append(register, act=ACT, body=body, actor=actor, at=now, person_id=one.line.learner_id)
    write_lines(sheet, [one.line])
    one.carried["from"] = [*one.carried["from"], one.source]
    one.carried["cells"] |= {slot: [stamp, one.where] for slot, _from, _value in moved}
    with connection.cursor() as cursor:
        cursor.execute("update gradebook_line set carried = %s where id = %s", [json.dumps(one.carried, ensure_ascii=False), one.line.pk])
    audit.record(
        actor, ACT, on=register, at=now, person_id=one.line.learner_id, cells=len(entries), register=one.source
    )
    events.publish(MarkSet(register.pk, register.ledger_seq, len(entries)), at=now)
    return len(entries)


def places(sheet: Sheet, given: Marks, own: Marks) -> list[tuple[str, str, str]]:
    """Return (slot, slot it had, value) of what a former line brings to the free cells of the new one.

    A regular mark takes its own place or the next free one.
    Our reading: the circular fixes how many regular marks a term has (TT 22/2021, Art. 6), so one for which no
    place is free stays in the former register and is not counted.
    """
    free = {slot for slot in sheet.slots if not cells.value_of(sheet.kind, own, slot)}
    found = []
    for slot in sheet.slots:
        value = cells.value_of(sheet.kind, given, slot)
        if not value:
            continue
        places_left = [slot] if slot in free else [one for one in sheet.slots if one in free and slot[0] == one[0] == "r"]
        if places_left:
            free.discard(places_left[0])
            found.append((places_left[0], slot, value))
    return found
