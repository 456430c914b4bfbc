"""Who could take the lessons of an absent teacher: free at the time, teaches the subject, knows the class, fewest covers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from khue.register.staff.models import Post
from khue.school.timetable.models import Cover, Lesson, Timetable
from khue.school.timetable.solving import model as m

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Proposal:
    """One teacher who is free. score sorts the best first."""

    post: Post
    teaches_subject: bool
    knows_class: bool
    is_there: bool
    covers: int

    @property
    def score(self) -> tuple[bool, int, bool, bool, str]:
        """Return what sorts: the subject first, then fewest covers, at school that half day, knows the class."""
        return (not self.teaches_subject, self.covers, not self.is_there, not self.knows_class, self.post.person.sort_key)


@dataclass(frozen=True, slots=True)
class Open:
    """One lesson of one day of an absence, its cover where decided, and who could take it."""

    on: date
    lesson: Lesson
    cover: Cover | None
    proposals: Sequence[Proposal]


def week_bit(day: date, first: date) -> int:
    """Return whether a day lies in an odd or an even week, counted from the week of `first`."""
    monday = first - timedelta(days=first.weekday())
    return m.EVEN_WEEKS if (day - monday).days // 7 % 2 else m.ODD_WEEKS


def lessons_on(lessons: Iterable[Lesson], day: date, first: date) -> list[Lesson]:
    """Return the lessons of a week that are held on a day, in the order of the day."""
    bit = week_bit(day, first)
    held = [one for one in lessons if one.day == day.weekday() and one.weeks & bit]
    return sorted(held, key=lambda one: (one.half or 0, one.period or 0))


def slots_of(lesson: Lesson) -> list[tuple[int, int]]:
    """Return (half, period) of a lesson's periods."""
    return [(lesson.half or 0, (lesson.period or 0) + n) for n in range(lesson.duration)]


def proposals(
    lesson: Lesson, on: date, version: Timetable, lessons: Sequence[Lesson], covers: Sequence[Cover], absent: Mapping[int, Sequence[tuple[date, date | None]]],
) -> list[Proposal]:  # fmt: skip
    """Return who is free for a lesson on a day, the best first.

    lessons  of the whole version, with post.person; covers of the school year; absent: post id to its days [from, to)
    """
    first = version.valid.lower
    today = lessons_on(lessons, on, first)
    busy: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for one in today:
        if one.post_id is not None:
            busy[one.post_id].update(slots_of(one))
    for cover in covers:
        if cover.on == on and cover.post_id is not None and cover.lesson_id != lesson.pk:
            busy[cover.post_id].update(slots_of(cover.lesson))
    posts = {one.post_id: one.post for one in lessons if one.post is not None}
    subjects = {(one.post_id, one.subject_code) for one in lessons}
    classes = {(one.post_id, one.class_group_id) for one in lessons}
    count = Counter(cover.post_id for cover in covers)
    wanted = set(slots_of(lesson))
    found = [
        Proposal(
            post, (post_id, lesson.subject_code) in subjects, (post_id, lesson.class_group_id) in classes,
            any(half == lesson.half for half, _period in busy[post_id]), count[post_id],
        )
        for post_id, post in posts.items()
        if post_id != lesson.post_id and not wanted & busy[post_id] and not _away(absent.get(post_id, ()), on)
    ]  # fmt: skip
    return sorted(found, key=lambda one: one.score)


def _away(spans: Iterable[tuple[date, date | None]], on: date) -> bool:
    return any(start <= on and (end is None or on < end) for start, end in spans)
