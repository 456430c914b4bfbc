"""Reading a version whole, and writing places: many lessons in one statement."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection

from khue.school.timetable import problems, weeks
from khue.school.timetable.models import Lesson, Room, Timetable, TimetableRule
from khue.school.timetable.problems import Built
from khue.school.timetable.solving import model as m

Spot = list[int | bool | None]
"""[day, half, period, room id or None, pinned]; day None: not placed."""


def load(timetable: Timetable) -> Built:
    """Return the problem of a version as its school's wishes stand; three statements. The pattern must be joined."""
    lessons = Lesson.objects.filter(timetable=timetable).select_related("class_group", "post__person").order_by("pk")
    rules = TimetableRule.objects.filter(school_id=timetable.school_id, school_year=timetable.school_year, is_active=True).order_by("pk")
    rooms = Room.objects.filter(school_id=timetable.school_id).order_by("name")
    return problems.build(
        timetable.title, weeks.grid_of(timetable.pattern), lessons, rooms, problems.wishes_of(rules),
        flag=timetable.pattern.flag, class_hour=timetable.pattern.class_hour,
    )  # fmt: skip


def spot(lesson: Lesson) -> Spot:
    """Return where a lesson stands, as it is kept for undoing."""
    return [lesson.day, lesson.half, lesson.period, lesson.room_id, lesson.is_pinned]


def spots_of(built: Built, solution: m.Solution) -> dict[str, Spot]:
    """Return where a solution puts each lesson by key; pins stay as they are."""
    found: dict[str, Spot] = {}
    for key, rows in built.rows.items():
        at = solution.get(built.names[key])
        if at is None:
            found[key] = [None, None, None, None, rows[0].is_pinned]
        else:
            place, room = built.place(at)
            found[key] = [*place, room, rows[0].is_pinned]
    return found


def write(timetable: Timetable, spots: Mapping[str, Spot]) -> None:
    """Put the lessons of these keys where they belong, all rows of a key at once; one statement."""
    if not spots:
        return
    columns = list(zip(*spots.values(), strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            "update timetable_lesson l set day = u.day, half = u.half, period = u.period, room_id = u.room, is_pinned = u.pinned"
            " from unnest(%s::text[], %s::int[], %s::int[], %s::int[], %s::bigint[], %s::bool[]) as u(key, day, half, period, room, pinned)"
            " where l.timetable_id = %s and l.key = u.key and (l.day, l.half, l.period, l.room_id, l.is_pinned)"
            " is distinct from (u.day, u.half, u.period, u.room, u.pinned)",
            [list(spots), *map(list, columns), timetable.pk],
        )


def write_score(timetable: Timetable, score: tuple[int, int, float]) -> None:
    """Keep what a check said on the version."""
    missing, hard, cost = score
    timetable.placed, timetable.hard, timetable.cost = timetable.lessons_count - missing, hard, round(cost * 100)
    timetable.save(update_fields=["placed", "hard", "cost"])
    timetable.refresh_from_db(fields=["version"])
