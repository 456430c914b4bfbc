"""Writes: a new version, publishing it from a day, and the secret addresses of calendars."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from khue.kernel import audit, events, permissions, text
from khue.kernel.database.fields import period
from khue.kernel.errors import DomainError, Invalid, NotFound, Stale
from khue.kernel.permissions import Actor
from khue.register.orgs.models import Unit
from khue.school.timetable import places, weeks
from khue.school.timetable.events import TimetablePublished
from khue.school.timetable.models import CalendarLink, ClassSheet, Lesson, Timetable, WeekPattern
from khue.school.timetable.names import subject_title
from khue.school.timetable.services import drafts


class NoWeek(DomainError):
    """The school has not said what its week is."""

    code, status = "timetable.no-week", 409
    title = _("Trường chưa khai khung tuần học cho ngày %(day)s.")
    advice = _("Hãy khai số tiết mỗi buổi ở trang Chuẩn bị.")


class NotReady(DomainError):
    """A version with clashes or lessons without a place is not published."""

    code, status = "timetable.not-ready", 409
    title = _("Còn %(missing)s tiết chưa xếp và %(hard)s lỗi bắt buộc.")
    advice = _("Hãy xếp nốt và sửa các lỗi ở mục “Điều chưa đạt”, rồi công bố.")


class PublishedLater(DomainError):
    """A later version is published already."""

    code, status = "timetable.published-later", 409
    title = _("Đã có bản công bố dùng từ %(day)s; hãy chọn ngày sau đó.")


@transaction.atomic
def draft(*, actor: Actor, school: Unit, school_year: int, title: str, on: date, now: datetime, base: Any = None) -> Timetable:
    """Draw up a version for the assignments of a day; base: uid of a version whose places go along.

    Raises Invalid (title), NoWeek, NotFound.
    """
    permissions.demand(actor, "timetable.plan", on=school, at=now)
    title = text.clean(title)
    if not title or len(title) > 80:
        raise Invalid(fields={"title": [str(_("Hãy đặt tên cho bản, không quá 80 chữ."))]})
    pattern = WeekPattern.objects.filter(school=school, valid__contains=on).first()
    if pattern is None:
        raise NoWeek(day=f"{on:%d/%m/%Y}")
    former = Timetable.objects.filter(uid=base, school=school).first() if base else None
    if base and former is None:
        raise NotFound()
    held = Timetable.objects.create(school=school, school_year=school_year, title=title, pattern=pattern, base=former)
    spots = {}
    if former is not None:
        spots = {(row.key, row.class_group_id, row.post_id): places.spot(row) for row in Lesson.objects.filter(timetable=former)}
    drafts.fill(held, on, spots)
    audit.record(actor, "timetable.draft", on=held, at=now, base=former and former.pk)
    return held


@transaction.atomic
def publish(*, actor: Actor, uid: Any, version: int | None, on: date, now: datetime) -> Timetable:
    """Let a draft hold from a day; the one before ends there. Whoever's week changes is told by an event.

    Raises NotReady, PublishedLater, and what `held_draft` raises.
    """
    found = Timetable.objects.filter(uid=uid).values_list("school_id", flat=True).first()
    if found is None:
        raise NotFound()
    permissions.demand(actor, "timetable.publish", on=found, at=now)
    Unit.objects.select_for_update(of=("self",)).get(pk=found)
    held = drafts.held_draft(actor, uid, None, now)
    if version is not None and held.version != version:
        raise Stale(theirs=held.version, mine=version)
    if held.placed < held.lessons_count or held.hard:
        raise NotReady(missing=held.lessons_count - held.placed, hard=held.hard)
    posts, classes, instead = _supersede(held, on)
    Lesson.objects.filter(timetable=held).update(is_published=True)
    held.state, held.valid = Timetable.State.PUBLISHED, period(on, date(held.school_year + 1, 8, 1) if on < date(held.school_year + 1, 8, 1) else None)
    held.published_at, held.published_by = now, actor.account_id
    held.save(update_fields=["state", "valid", "published_at", "published_by"])
    held.refresh_from_db(fields=["version"])
    _hang_up(held)
    audit.record(actor, "timetable.publish", on=held, at=now, from_day=on.isoformat(), posts=len(posts), classes=len(classes))
    events.publish(
        TimetablePublished(held.pk, held.school_id, on.isoformat(), tuple(sorted(posts)), tuple(sorted(classes)), instead), at=now
    )
    return held


def _supersede(held: Timetable, on: date) -> tuple[set[int], set[int], tuple[int, ...]]:
    """End the versions that hold on the day; returns the posts and classes whose week changes, and the versions ended."""
    later = Timetable.objects.filter(school_id=held.school_id, valid__startswith__gte=on).exclude(valid__isempty=True).order_by("valid").first()
    if later is not None and later.valid.lower > on:
        raise PublishedLater(day=f"{later.valid.lower:%d/%m/%Y}")
    old = list(Timetable.objects.select_for_update(of=("self",)).filter(school_id=held.school_id, valid__overlap=period(on)))
    for one in old:
        one.state, one.valid = Timetable.State.SUPERSEDED, period(one.valid.lower, max(on, one.valid.lower))
        one.save(update_fields=["state", "valid"])
        ClassSheet.objects.filter(timetable=one).update(valid=one.valid)
    before = _weeks(Lesson.objects.filter(timetable__in=old))
    after = _weeks(Lesson.objects.filter(timetable=held))
    people = {post for post in before[0].keys() | after[0].keys() if before[0].get(post) != after[0].get(post)}
    classes = {group for group in before[1].keys() | after[1].keys() if before[1].get(group) != after[1].get(group)}
    return people, classes, tuple(one.pk for one in old)


def _weeks(lessons: Iterable[Lesson]) -> tuple[dict[int, set[Any]], dict[int, set[Any]]]:
    """Return what each post and each class does in the week, as comparable sets."""
    posts: dict[int, set[Any]] = defaultdict(set)
    classes: dict[int, set[Any]] = defaultdict(set)
    for one in lessons:
        at = (one.day, one.half, one.period, one.duration, one.weeks, one.subject_code, one.room_id)
        if one.post_id is not None:
            posts[one.post_id].add((*at, one.class_group_id))
        classes[one.class_group_id].add((*at, one.post_id))
    return posts, classes


def _hang_up(held: Timetable) -> None:
    """Write the sheet of each class: what families and the wall read."""
    cells: dict[int, list[dict[str, Any]]] = defaultdict(list)
    lessons = Lesson.objects.filter(timetable=held).select_related("post__person", "room").order_by("day", "half", "period", "pk")
    for one in lessons:
        start = weeks.starts_at(held.pattern, one.half or 0, one.period or 0)
        cells[one.class_group_id].append({
            "day": one.day, "half": one.half, "period": one.period, "duration": one.duration, "weeks": one.weeks,
            "code": one.subject_code, "subject": subject_title(one.subject_code),
            "teacher": (one.post.short_name or one.post.person.name) if one.post else "", "room": one.room.name if one.room else "",
            "start": f"{start:%H:%M}" if start else "", "lesson": one.pk,
        })  # fmt: skip
    ClassSheet.objects.bulk_create(
        ClassSheet(timetable=held, class_group_id=group, valid=held.valid, cells=rows) for group, rows in cells.items()
    )


def first_monday(day: date) -> date:
    """Return the Monday of or after a day: when versions usually begin."""
    return day + timedelta(days=-day.weekday() % 7)


@transaction.atomic
def open_link(*, actor: Actor, kind: str, thing: Any, now: datetime) -> CalendarLink:
    """Return the calendar address of a post, class or room, made where there is none; kind names the column.

    Her own address anybody who sees the timetable may open; others' those who plan.
    """
    own = kind == "post" and thing.person_id == actor.person_id
    permissions.demand(actor, "timetable.view" if own else "timetable.plan", on=thing, at=now)
    link, fresh = CalendarLink.objects.get_or_create(**{kind: thing}, closed_at=None, defaults={"school_id": thing.school_id})
    if fresh:
        audit.record(actor, "timetable.link.open", on=link, at=now)
    return link


@transaction.atomic
def close_link(*, actor: Actor, uid: Any, now: datetime) -> CalendarLink:
    """Close a calendar address for good; a new one may be opened. Raises NotFound."""
    link = CalendarLink.objects.select_for_update(of=("self",)).select_related("post").filter(uid=uid, closed_at=None).first()
    if link is None:
        raise NotFound()
    own = link.post is not None and link.post.person_id == actor.person_id
    permissions.demand(actor, "timetable.view" if own else "timetable.plan", on=link, at=now)
    link.closed_at = now
    link.save(update_fields=["closed_at"])
    audit.record(actor, "timetable.link.close", on=link, at=now)
    return link
