"""Attendance: everybody is present; a sheet of a day and session says who was not, with leave (P) or without (K)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from khue.kernel import audit, ledger, permissions
from khue.kernel.errors import Invalid, NotFound
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.school.gradebook import terms
from khue.school.gradebook.errors import TermClosed
from khue.school.gradebook.models import Absence
from khue.school.gradebook.services.conduct import held_closing

ACT = "gradebook.attendance.set"
WITH_LEAVE, WITHOUT_LEAVE, PRESENT = "P", "K", ""
SESSIONS = ("s", "c")


@dataclass(slots=True)
class AttendanceSaved:
    """How many learners' entries changed, and those somebody else changed meanwhile: (uid, theirs, mine)."""

    changed: int = 0
    conflicts: list[tuple[str, str, str]] = field(default_factory=list)


@transaction.atomic
def save_attendance(
    *, actor: Actor, class_group: UUID | str, on: date, session: str, sheet: Mapping[str, str],
    seen: Mapping[str, str], now: datetime,
) -> AttendanceSaved:
    """Set who was away in one session; learners not in `sheet` stay as they are.

    sheet   "P", "K" or "" (present) by uid of the learner; seen: what the sender saw, "" where absent

    Raises NotFound, NotAllowed, TermClosed, Invalid for a day to come or one outside the school year.
    """  # fmt: skip
    term = terms.decided_term_of(on, terms.school_year_of(on))
    closing = held_closing(actor, class_group, term)
    permissions.demand(actor, "gradebook.take_attendance", on=closing, at=now)
    if closing.closed_at is not None:
        raise TermClosed()
    _check(closing.school_year, on, session, sheet, now)
    there = _there(closing.class_group_id, on, session)
    answer = AttendanceSaved()
    moved: list[dict[str, str]] = []
    for uid, mark in sheet.items():
        if uid not in there:
            raise NotFound()
        was = there[uid][1]
        if mark == was:
            continue
        if was != seen.get(uid, PRESENT):
            answer.conflicts.append((uid, was, mark))
            continue
        moved.append({"learner": uid, "old": was, "new": mark})
    if moved:
        body = {"on": on, "session": session, "attendance": moved}
        ledger.append(closing, act=ACT, body=body, actor=actor, at=now)
        _store(closing.class_group_id, closing.school_id, closing.school_year, term, on, session, moved, there)
        audit.record(actor, ACT, on=closing, at=now, day=on.isoformat(), session=session, learners=len(moved))
        answer.changed = len(moved)
    return answer


def _check(school_year: int, on: date, session: str, sheet: Mapping[str, str], now: datetime) -> None:
    if session not in SESSIONS or any(mark not in (WITH_LEAVE, WITHOUT_LEAVE, PRESENT) for mark in sheet.values()):
        raise Invalid(fields={"session": [_("Chọn buổi và dấu điểm danh có trong danh sách.")]})
    if on > local_day(now):
        raise Invalid(fields={"on": [_("Chưa điểm danh cho ngày sau hôm nay được.")]})
    if terms.school_year_of(on) != school_year:
        raise Invalid(fields={"on": [_("Ngày này không thuộc năm học của lớp.")]})


def _there(class_group_id: int, on: date, session: str) -> dict[str, tuple[int, str]]:
    """Return (learner id, mark) by uid of who is placed in the class on that day."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select p.uid::text, p.id, case when a.id is null then '' when a.is_excused then 'P' else 'K' end
              from schooling_placement s join people_person p on p.id = s.learner_id
              left join gradebook_absence a on a.learner_id = p.id and a."on" = %s and a.session = %s
             where s.class_group_id = %s and s.is_main and s.valid @> %s::date
            """,
            [on, session, class_group_id, on],
        )
        return {uid: (pk, mark) for uid, pk, mark in cursor.fetchall()}


def _store(
    class_group_id: int, school_id: int, school_year: int, term: int, on: date, session: str,
    moved: list[dict[str, str]], there: Mapping[str, tuple[int, str]],
) -> None:  # fmt: skip
    ids = [there[one["learner"]][0] for one in moved]
    Absence.objects.filter(learner_id__in=ids, on=on, session=session).delete()
    Absence.objects.bulk_create([
        Absence(
            class_group_id=class_group_id, learner_id=there[one["learner"]][0], school_id=school_id,
            school_year=school_year, term=term, on=on, session=session, is_excused=one["new"] == WITH_LEAVE,
        )
        for one in moved
        if one["new"] != PRESENT
    ])  # fmt: skip
