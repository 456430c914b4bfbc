"""From a version's lessons to the events of a calendar, with the days on which a lesson falls away or is covered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time

from django.db.models import Q

from khue.kernel.database import scope
from khue.kernel.database.fields import period as span
from khue.school.timetable import weeks
from khue.school.timetable.calendars import Event, calendar
from khue.school.timetable.models import CalendarLink, Cover, Lesson
from khue.school.timetable.names import subject_title

MORNING, AFTERNOON = time(7, 0), time(13, 0)
"""When a session begins for schools that have not said; periods then follow each other without breaks."""


def by_token(token: str, *, on: date, stamp: datetime) -> bytes | None:
    """Return the calendar of a secret address, None where it is closed or was never one. The token is the right."""
    with scope.everything():
        link = CalendarLink.objects.filter(token=token, closed_at=None).select_related("post__person", "class_group", "room").first()
        if link is None:
            return None
        if link.post_id:
            return of("post_id", link.post_id, link.post.person.name, on=on, stamp=stamp)  # type: ignore[union-attr]
        if link.class_group_id:
            return of("class_group_id", link.class_group_id, link.class_group.name, on=on, stamp=stamp)  # type: ignore[union-attr]
        return of("room_id", link.room_id or 0, link.room.name, on=on, stamp=stamp)  # type: ignore[union-attr]


def of(column: str, pk: int, name: str, *, on: date, stamp: datetime) -> bytes:
    """Return the calendar of one post, class or room (column of Lesson) for versions that are not over; two statements."""
    lessons = list(
        Lesson.objects.filter(**{column: pk}, is_published=True, timetable__valid__overlap=span(on))
        .select_related("timetable__pattern", "class_group", "post__person", "room").order_by("pk")
    )  # fmt: skip
    meant = Q(lesson__in=[one.pk for one in lessons])
    if column == "post_id":
        meant |= Q(post_id=pk)
    covers = list(
        Cover.objects.filter(meant, absence__withdrawn_at=None)
        .select_related("lesson__timetable__pattern", "lesson__class_group", "lesson__room", "lesson__post__person", "post__person")
    )  # fmt: skip
    return calendar(name, _events(lessons, covers, column, pk), stamp=stamp)


def _events(lessons: Sequence[Lesson], covers: Sequence[Cover], column: str, pk: int) -> list[Event]:
    gone: dict[int, list[date]] = defaultdict(list)
    for cover in covers:
        gone[cover.lesson_id].append(cover.on)
    found = [_event(one, column, gone.get(one.pk, ())) for one in lessons if not one.timetable.valid.isempty]
    for cover in covers:
        if cover.kind == Cover.Kind.FREE or (column == "post_id" and cover.post_id != pk):
            continue
        event = _event(cover.lesson, column, ())
        who = f" ({cover.post.person.name})" if cover.post and column != "post_id" else ""
        found.append(Event(
            f"cover-{cover.uid}", f"{cover.get_kind_display()}: {event.summary}{who}", event.location, event.weekday, event.starts,
            event.minutes, cover.on, cover.on, is_single=True,
        ))  # fmt: skip
    return found


def _event(one: Lesson, column: str, without: Sequence[date]) -> Event:
    pattern = one.timetable.pattern
    half, period = one.half or 0, one.period or 0
    starts = weeks.starts_at(pattern, half, period)
    if starts is None:
        begins = AFTERNOON if half else MORNING
        minutes = begins.hour * 60 + period * pattern.minutes
        starts = time(minutes // 60, minutes % 60)
    parts = [subject_title(one.subject_code), one.class_group.name if column != "class_group_id" else ""]
    if column != "post_id" and one.post:
        parts.append(one.post.short_name or one.post.person.name)
    room = one.room.name if one.room and column != "room_id" else ""
    last = weeks.starts_at(pattern, half, period + one.duration - 1)
    length = pattern.minutes * one.duration
    if last is not None:
        length = (last.hour * 60 + last.minute) - (starts.hour * 60 + starts.minute) + pattern.minutes
    return Event(
        f"{one.uid}", " ".join(filter(None, parts[:2])) + (f", {parts[2]}" if len(parts) > 2 else ""), room, one.day or 0, starts,
        length, one.timetable.valid.lower, one.timetable.valid.upper or date(one.timetable.school_year + 1, 6, 1), one.weeks, without,
    )  # fmt: skip


