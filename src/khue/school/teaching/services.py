"""Writes: who teaches which subject to which class, from which day, how many periods a week.

An assignment is never rewritten to mean another teacher: it ends, and the next begins. Lock: the class.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from khue.kernel import audit, events, permissions
from khue.kernel.database.fields import period
from khue.kernel.errors import DomainError, Invalid, NotFound, Stale
from khue.kernel.permissions import Actor
from khue.register.schooling.models import ClassGroup
from khue.register.staff.models import Post
from khue.school.teaching import subjects
from khue.school.teaching.events import AssignmentChanged
from khue.school.teaching.models import Assignment

MOST_PERIODS = 30


class AlreadyAssigned(DomainError):
    """The teacher has this subject in this class on some of the days."""

    code, status = "teaching.already-assigned", 409
    title = _("%(teacher)s đã được phân công môn này ở lớp %(group)s trong thời gian đó.")
    advice = _("Hãy sửa số tiết của phân công đã có.")


class SubjectNotTaught(DomainError):
    """The programme of the grade has no such subject."""

    code, status = "teaching.subject-not-in-grade", 422
    title = _("Chương trình khối %(grade)s không có môn %(subject)s.")


def assign(
    *, actor: Actor, post: Post, group: ClassGroup, subject_code: str, periods: int, from_day: date, until: date,
    now: datetime, replacing: Assignment | None = None,
) -> Assignment:  # fmt: skip
    """Let a post teach a subject to a class from a day to the day before `until`.

    replacing  the assignment of another teacher that ends on `from_day`

    Raises AlreadyAssigned, SubjectNotTaught, Invalid (periods, days), NotFound for a post of another school.
    """
    with transaction.atomic():
        held = ClassGroup.objects.select_for_update(of=("self",)).get(pk=group.pk)
        permissions.demand(actor, "teaching.assign", on=held, at=now)
        _check(held, post, subject_code, periods, from_day, until)
        if replacing is not None:
            _end(actor, Assignment.objects.select_for_update(of=("self",)).get(pk=replacing.pk), from_day, now)
        same = Assignment.objects.filter(
            post=post, class_group=held, subject_code=subject_code, valid__overlap=period(from_day, until)
        )
        if same.exists():
            raise AlreadyAssigned(teacher=post.person.name, group=held.name)
        made = Assignment.objects.create(
            post=post, class_group=held, school_id=held.school_id, school_year=held.school_year,
            subject_code=subject_code, periods=periods, valid=period(from_day, until),
        )  # fmt: skip
        audit.record(actor, "teaching.assignment.open", on=made, at=now, subject=subject_code, periods=periods, post=post.pk)
        events.publish(
            AssignmentChanged(class_group_id=held.pk, subject_code=subject_code, post_id=post.pk, on=from_day.isoformat()), at=now
        )
    return made


def change_periods(*, actor: Actor, uid: str, version: int, periods: int, now: datetime) -> Assignment:
    """Change how many periods a week. Raises Stale, NotFound, Invalid."""
    with transaction.atomic():
        held = _held(actor, uid, version, now)
        if not 0 <= periods <= MOST_PERIODS:
            raise Invalid(fields={"periods": [str(_("Số tiết mỗi tuần từ 0 đến 30."))]})
        before, held.periods = held.periods, periods
        held.save(update_fields=["periods"])
        audit.record(actor, "teaching.assignment.change", on=held, at=now, before=before, after=periods)
    held.refresh_from_db(fields=["version"])
    return held


def end_assignment(*, actor: Actor, uid: str, version: int, on: date, now: datetime) -> Assignment:
    """End an assignment from the day `on`; one that had not begun holds on no day."""
    with transaction.atomic():
        held = _held(actor, uid, version, now)
        _end(actor, held, on, now)
    return held


def _held(actor: Actor, uid: str, version: int, now: datetime) -> Assignment:
    held = Assignment.objects.select_for_update(of=("self",)).filter(uid=uid).first()
    if held is None:
        raise NotFound()
    permissions.demand(actor, "teaching.assign", on=held, at=now)
    if held.version != version:
        raise Stale(theirs=held.version, mine=version)
    return held


def _end(actor: Actor, held: Assignment, on: date, now: datetime) -> None:
    if held.valid.isempty or (held.valid.upper is not None and held.valid.upper <= on):
        return
    held.valid = period(held.valid.lower, max(on, held.valid.lower))
    held.save(update_fields=["valid"])
    audit.record(actor, "teaching.assignment.close", on=held, at=now, until=on.isoformat(), post=held.post_id)
    events.publish(
        AssignmentChanged(class_group_id=held.class_group_id, subject_code=held.subject_code, post_id=held.post_id, on=on.isoformat()),
        at=now,
    )


def _check(group: ClassGroup, post: Post, subject_code: str, periods: int, from_day: date, until: date) -> None:
    if post.school_id != group.school_id:
        raise NotFound()
    offered = subjects.names_for(group.grade, group.school_year)
    if offered and subject_code not in offered.values():
        raise SubjectNotTaught(grade=group.grade, subject=subjects.title_of(subject_code))
    problems: dict[str, list[str]] = {}
    if not 0 <= periods <= MOST_PERIODS:
        problems["periods"] = [str(_("Số tiết mỗi tuần từ 0 đến 30."))]
    if until <= from_day:
        problems["until"] = [str(_("Ngày kết thúc phải sau ngày bắt đầu."))]
    if problems:
        raise Invalid(fields=problems)
