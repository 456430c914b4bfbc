"""Writes: a teacher's absence and what becomes of her lessons. Lock: the absence."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from khue.kernel import audit, events, permissions, text
from khue.kernel.database.fields import period
from khue.kernel.errors import DomainError, Invalid, NotFound
from khue.kernel.permissions import Actor
from khue.register.staff.models import Post
from khue.school.timetable import covering
from khue.school.timetable.events import LessonCovered
from khue.school.timetable.models import ClassSheet, Cover, Lesson, TeacherAbsence, Timetable
from khue.school.timetable.names import subject_title

LONGEST_ABSENCE = timedelta(days=200)


class AbsentAlready(DomainError):
    """Two absences of a teacher share days."""

    code, status = "timetable.absent-already", 409
    title = _("%(teacher)s đã được ghi vắng trong những ngày đó.")


class NotFree(DomainError):
    """Whoever should cover teaches, covers or is away at that time."""

    code, status = "timetable.not-free", 409
    title = _("%(teacher)s không trống vào tiết đó.")
    advice = _("Hãy chọn người khác trong danh sách đề xuất.")


@transaction.atomic
def add_absence(*, actor: Actor, post: Post, first: date, last: date, note: str, now: datetime) -> TeacherAbsence:
    """Note that a teacher does not teach from the first to the last day. Raises Invalid, AbsentAlready."""
    permissions.demand(actor, "timetable.cover", on=post, at=now)
    if last < first or last - first > LONGEST_ABSENCE:
        raise Invalid(fields={"last": [str(_("Ngày cuối phải từ ngày đầu trở đi và trong cùng năm học."))]})
    try:
        with transaction.atomic():
            made = TeacherAbsence.objects.create(
                school_id=post.school_id, post=post, valid=period(first, last + timedelta(days=1)), note=text.clean(note)[:200]
            )
    except IntegrityError as error:
        raise AbsentAlready(teacher=post.person.name) from error
    audit.record(actor, "timetable.absence.add", on=made, at=now, post=post.pk)
    return made


def _held(actor: Actor, uid: Any, now: datetime) -> TeacherAbsence:
    held = TeacherAbsence.objects.select_for_update(of=("self",)).select_related("post__person").filter(uid=uid, withdrawn_at=None).first()
    if held is None:
        raise NotFound()
    permissions.demand(actor, "timetable.cover", on=held, at=now)
    return held


@transaction.atomic
def withdraw_absence(*, actor: Actor, uid: Any, now: datetime) -> None:
    """Take an absence back; its covers fall away from today on."""
    held = _held(actor, uid, now)
    held.withdrawn_at = now
    held.save(update_fields=["withdrawn_at"])
    for cover in Cover.objects.select_related("lesson").filter(absence=held):
        _tell_class(cover.lesson, cover.on, None)
    audit.record(actor, "timetable.absence.withdraw", on=held, at=now)


@transaction.atomic
def decide_cover(*, actor: Actor, absence: Any, lesson: Any, on: date, kind: str, post: Any, now: datetime) -> Cover:
    """Say what becomes of one lesson on one day; a second decision replaces the first.

    kind  of Cover.Kind; post: uid of who covers, for all but "free". Raises NotFound, NotFree, Invalid.
    """
    held = _held(actor, absence, now)
    if on not in held.valid:
        raise NotFound()
    row = _lesson_on(held, lesson, on)
    if kind not in Cover.Kind.values or (kind != Cover.Kind.FREE) != bool(post):
        raise Invalid(fields={"kind": [str(_("Hãy chọn người dạy thay, hoặc cho lớp nghỉ tiết này."))]})
    who = _free_post(held, row, on, post) if post else None
    cover, _fresh = Cover.objects.update_or_create(
        lesson=row, on=on, defaults={"absence": held, "school_id": held.school_id, "kind": kind, "post": who}
    )
    _tell_class(row, on, cover)
    audit.record(actor, "timetable.cover.decide", on=cover, at=now, kind=kind, post=who and who.pk)
    events.publish(LessonCovered(cover.pk, row.class_group_id, who and who.pk, on.isoformat()), at=now)
    return cover


def _lesson_on(held: TeacherAbsence, uid: Any, on: date) -> Lesson:
    row = (
        Lesson.objects.select_related("timetable", "class_group", "post__person")
        .filter(uid=uid, post_id=held.post_id, school_id=held.school_id, timetable__valid__contains=on).first()
    )  # fmt: skip
    if row is None or row not in covering.lessons_on([row], on, row.timetable.valid.lower):
        raise NotFound()
    return row


def _free_post(held: TeacherAbsence, row: Lesson, on: date, uid: Any) -> Post:
    version: Timetable = row.timetable
    lessons = list(Lesson.objects.filter(timetable=version).select_related("post__person"))
    covers = list(Cover.objects.filter(school_id=held.school_id, on=on, absence__withdrawn_at=None).select_related("lesson"))
    away = list(TeacherAbsence.objects.filter(school_id=held.school_id, withdrawn_at=None, valid__contains=on))
    absent = {one.post_id: [(one.valid.lower, one.valid.upper)] for one in away}
    free = {str(one.post.uid): one.post for one in covering.proposals(row, on, version, lessons, covers, absent)}
    who = Post.objects.select_related("person").filter(uid=uid, school_id=held.school_id, valid__contains=on).first()
    if who is None:
        raise NotFound()
    teaches = any(one.post_id == who.pk for one in lessons)
    if (teaches and str(who.uid) not in free) or who.pk == held.post_id or who.pk in absent:
        raise NotFree(teacher=who.person.name)
    return who


def _tell_class(row: Lesson, on: date, cover: Cover | None) -> None:
    """Put the change of one day on the sheet of the class."""
    sheet = ClassSheet.objects.select_for_update(of=("self",)).filter(timetable_id=row.timetable_id, class_group_id=row.class_group_id).first()
    if sheet is None:
        return
    day = on.isoformat()
    kept = [one for one in sheet.changes.get(day, ()) if one["lesson"] != row.pk]
    if cover is not None:
        kept.append({
            "lesson": row.pk, "half": row.half, "period": row.period, "subject": subject_title(row.subject_code), "kind": cover.kind,
            "teacher": (cover.post.short_name or cover.post.person.name) if cover.post else "",
        })  # fmt: skip
    sheet.changes = {key: value for key, value in sheet.changes.items() if key != day} | ({day: kept} if kept else {})
    sheet.save(update_fields=["changes"])
