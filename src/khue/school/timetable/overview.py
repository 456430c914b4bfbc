"""The week of the whole school in one table, and which rooms are free for a lesson; from lessons already read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from khue.school.timetable import problems, weeks
from khue.school.timetable.models import Lesson, Timetable
from khue.school.timetable.problems import Built
from khue.school.timetable.queries import Shown, people_of, shown, together
from khue.school.timetable.weeks import Place


@dataclass(frozen=True)
class Whole:
    """The week of the whole school: one line a slot, one column a class (or teacher)."""

    by: str
    people: Sequence[str]
    lines: Sequence[WholeLine]
    unplaced: int


@dataclass(frozen=True, slots=True)
class WholeLine:
    """One slot. count: slots of its half day on the first of them, else 0; cells: what each is doing."""

    session: str
    number: int
    count: int
    cells: Sequence[Sequence[Shown]]


def whole(held: Timetable, lessons: Sequence[Lesson], *, by: str) -> Whole:
    """Return the week of all classes or all teachers at once; no statement."""
    people = people_of(lessons, by)
    column = {uid: n for n, (uid, _name) in enumerate(people)}
    cells: dict[Place, list[list[Shown]]] = defaultdict(lambda: [[] for _ in people])
    for one in lessons:
        thing = one.class_group if by == "class" else one.post
        if one.day is None or thing is None:
            continue
        for n in range(one.duration):
            cells[one.day, one.half or 0, (one.period or 0) + n][column[str(thing.uid)]].append(shown(one))
    grid = weeks.grid_of(held.pattern)
    lines = []
    for (day, half), count in zip(grid.sessions, grid.counts, strict=True):
        for number in range(count):
            there = [together(some) for some in cells[day, half, number]]
            lines.append(WholeLine(weeks.session_name(day, half), number + 1, 0 if number else count, there))
    return Whole(by, [name for _uid, name in people], lines, len({one.key for one in lessons if one.day is None}))


def rooms_for(built: Built, key: str) -> list[tuple[str, str, bool]]:
    """Return (uid, label, whether the lesson is there) of each room in use; the label says who is there at that time."""
    rows = built.rows[key]
    at = problems.place_of(rows[0])
    there: dict[int, list[str]] = defaultdict(list)
    for other, some in built.rows.items():
        first = some[0]
        where = problems.place_of(first)
        if other == key or where is None or at is None or first.room_id is None or where[:2] != at[:2]:
            continue
        if where[2] < at[2] + rows[0].duration and at[2] < where[2] + first.duration and first.weeks & rows[0].weeks:
            there[first.room_id] += [row.class_group.name for row in some]
    found = []
    for name, pk in built.room_ids.items():
        busy = there.get(pk)
        label = _("%(room)s (đang có %(who)s)") % {"room": name, "who": ", ".join(busy)} if busy else name
        found.append((built.room_uids[name], label, rows[0].room_id == pk))
    return found
