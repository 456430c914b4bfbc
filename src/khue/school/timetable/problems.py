"""From the lessons of a version, the week, rooms and wishes of a school to the solver's problem, and back.

The problem speaks names a person knows (a teacher's, a class's, "Toán 7A1 (2)"), so that what the solver says about it can
be shown; the maps here lead back to the rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _

from khue.school.timetable import catalogue, weeks
from khue.school.timetable.catalogue import Wish
from khue.school.timetable.models import Lesson, Room, TimetableRule
from khue.school.timetable.names import subject_title
from khue.school.timetable.solving import checking
from khue.school.timetable.solving import model as m
from khue.school.timetable.weeks import Grid, Place

FLAG, CLASS_HOUR = "chao_co", "sinh_hoat_lop"
FIXED = (FLAG, CLASS_HOUR)


@dataclass
class Builder:
    """What the kinds of the catalogue ask: who is who in the problem, which lessons are meant."""

    grid: Grid
    teacher_names: Mapping[str, str]
    class_names: Mapping[str, str]
    room_names: Mapping[str, str]
    lessons: Mapping[str, Sequence[Lesson]]
    tags: dict[str, frozenset[str]] = field(default_factory=dict)

    def _who(self, kind: Any, wanted: Sequence[str], names: Mapping[str, str]) -> m.Who:
        found = tuple(names[uid] for uid in wanted if uid in names)
        return m.Who(kind, found or (tuple(names.values()) if not wanted else ("",)))

    def teachers(self, p: Mapping[str, Any]) -> m.Who:
        """Return the teachers meant, all where none is named."""
        return self._who("teachers", p.get("teachers") or (), self.teacher_names)

    def classes(self, p: Mapping[str, Any]) -> m.Who:
        """Return the classes meant, all where none is named."""
        return self._who("groups", p.get("classes") or (), self.class_names)

    def rooms(self, p: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names of the rooms meant that are in use."""
        return tuple(self.room_names[uid] for uid in p["rooms"] if uid in self.room_names)

    def slots(self, p: Mapping[str, Any]) -> frozenset[m.Slot]:
        """Return the slots meant, as far as the week has them."""
        return self.grid.slots(p["slots"])

    def tag(self, subjects: Iterable[str]) -> str:
        """Return the tag of a set of subjects."""
        wanted = frozenset(subjects)
        name = "+".join(sorted(wanted))
        self.tags[name] = wanted
        return name

    def keys(self, subjects: Sequence[str], classes: Sequence[str]) -> tuple[str, ...]:
        """Return the lessons of these subjects and classes; none named: all, but the fixed ones only where named."""
        return tuple(
            name for name, rows in self.lessons.items()
            if (rows[0].subject_code in subjects if subjects else rows[0].subject_code not in FIXED)
            and (not classes or any(str(row.class_group.uid) in classes for row in rows))
        )  # fmt: skip

    def keys_of(self, p: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the lessons a wish names."""
        return self.keys(p.get("subjects") or (), p.get("classes") or ())

    def pairs(self, p: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return (class, subject) the wish is about."""
        found = {
            (row.class_group.name, row.subject_code): None
            for name in self.keys_of(p) for row in self.lessons[name]
            if not p.get("classes") or str(row.class_group.uid) in p["classes"]
        }  # fmt: skip
        return list(found)

    def keys_in(self, group: str, subject: str) -> tuple[str, ...]:
        """Return the lessons of one subject in one class."""
        return tuple(
            name for name, rows in self.lessons.items()
            if rows[0].subject_code == subject and any(row.class_group.name == group for row in rows)
        )  # fmt: skip

    def periods(self, group: str, subject: str) -> int:
        """Return the periods a week of a subject in a class."""
        return sum(self.lessons[name][0].duration for name in self.keys_in(group, subject))

    def twos(self, p: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return pairs of a lesson of `subjects` and one of `others` in the same class."""
        first = self.keys(p["subjects"], p.get("classes") or ())
        second = self.keys(p["others"], p.get("classes") or ())
        of = {name: {row.class_group_id for row in self.lessons[name]} for name in (*first, *second)}
        return [(one, other) for one in first for other in second if one != other and of[one] & of[other]]

    def nth(self, p: Mapping[str, Any]) -> list[tuple[str, ...]]:
        """Return the first lessons of all the classes, the second, and so on."""
        by_class: dict[int, list[str]] = defaultdict(list)
        for name in self.keys_of(p):
            by_class[self.lessons[name][0].class_group_id].append(name)
        longest = max(map(len, by_class.values()), default=0)
        return [tuple(names[n] for names in by_class.values() if n < len(names)) for n in range(longest)]


@dataclass
class Built:
    """A problem with its ways back. names: key of a lesson to the activity's name; keys: the other way.

    titles  what each wish says, by its source
    """

    problem: m.Problem
    grid: Grid
    names: dict[str, str]
    keys: dict[str, str]
    rows: dict[str, list[Lesson]]
    room_ids: dict[str, int]
    room_names: dict[int, str]
    titles: dict[str, str] = field(default_factory=dict)
    room_uids: dict[str, str] = field(default_factory=dict)

    def solution(self) -> dict[str, m.Placement]:
        """Return where the lessons stand, as a solution; what is not placed is left out."""
        found = {}
        for key, rows in self.rows.items():
            at = self.placement(place_of(rows[0]), rows[0].room_id)
            if at is not None:
                found[self.names[key]] = at
        return found

    def placement(self, place: Place | None, room_id: int | None) -> m.Placement | None:
        """Return a place as the solver writes it, None where the week has no such slot."""
        slot = self.grid.slot(place) if place is not None else None
        return m.Placement(*slot, room=self.room_names.get(room_id, "") if room_id else "") if slot is not None else None

    def place(self, at: m.Placement) -> tuple[Place, int | None]:
        """Return the place and the room's id of a placement."""
        return self.grid.place((at.day, at.period)), self.room_ids.get(at.room)


def place_of(lesson: Lesson) -> Place | None:
    """Return where a lesson stands, None while it is not placed."""
    return None if lesson.day is None else (lesson.day, lesson.half or 0, lesson.period or 0)


def wishes_of(rules: Iterable[TimetableRule]) -> list[Wish]:
    """Return the wishes of rules in use; one of a kind the catalogue no longer has is left out."""
    return [
        Wish(rule.kind, rule.parameters, rule.weight, str(rule.uid))
        for rule in rules if rule.is_active and rule.kind in catalogue.KINDS
    ]  # fmt: skip


def build(
    name: str, grid: Grid, lessons: Iterable[Lesson], rooms: Iterable[Room], wishes: Iterable[Wish], *,
    flag: Sequence[int] | None = None, class_hour: Sequence[int] | None = None,
) -> Built:  # fmt: skip
    """Return the problem of a version.

    lessons  rows with class_group, post.person; flag, class_hour: places of the fixed common periods
    """
    rows: dict[str, list[Lesson]] = defaultdict(list)
    for lesson in lessons:
        rows[lesson.key].append(lesson)
    rooms = [room for room in rooms if room.is_open]
    teachers = _teacher_names(rows)
    names = _activity_names(rows)
    builder = Builder(
        grid, teachers, {str(row.class_group.uid): row.class_group.name for some in rows.values() for row in some},
        {str(room.uid): room.name for room in rooms}, {names[key]: some for key, some in rows.items()},
    )  # fmt: skip
    titles: dict[str, str] = {}
    constraints: list[m.Constraint] = list(_fixed(builder, grid, flag, class_hour))
    for wish in wishes:
        titles[wish.source] = str(catalogue.KINDS[wish.kind].title)
        make = catalogue.KINDS[wish.kind].make
        if make is not None:
            constraints += _known(make(builder, wish.parameters, weight=float(wish.weight), source=wish.source))
    pinned = [(names[key], grid.slot(place_of(some[0]) or ())) for key, some in rows.items() if some[0].is_pinned and some[0].day is not None]
    constraints += [m.StartsIn(activities=(key,), slots=frozenset([slot]), source="pin") for key, slot in pinned if slot is not None]
    problem = m.Problem(
        name=name, days=grid.days(), periods=tuple(str(n + 1) for n in range(grid.height)),
        activities=tuple(_activity(names[key], some, teachers, builder.tags) for key, some in rows.items()),
        teachers=tuple(teachers.values()), groups={name: (name,) for name in builder.class_names.values()},
        subjects=tuple(sorted({some[0].subject_code for some in rows.values()})), tags=tuple(builder.tags),
        rooms=tuple(m.Room(room.name, room.building, room.capacity, room.holds) for room in rooms),
        constraints=tuple(constraints), closed=grid.closed(),
    )  # fmt: skip
    return Built(
        problem, grid, names, {name: key for key, name in names.items()}, dict(rows), {room.name: room.pk for room in rooms},
        {room.pk: room.name for room in rooms}, titles, {room.name: str(room.uid) for room in rooms},
    )  # fmt: skip


def _known(made: Iterable[m.Constraint]) -> Iterable[m.Constraint]:
    """Leave out wishes whose people or rooms are no longer there."""
    return (one for one in made if not isinstance(one, m.OfPeople) or one.who.names != ("",))


def _teacher_names(rows: Mapping[str, list[Lesson]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for some in rows.values():
        for row in some:
            if row.post is not None and str(row.post.uid) not in found:
                name = row.post.short_name or row.post.person.name
                taken = set(found.values())
                found[str(row.post.uid)] = name if name not in taken else f"{name} ({row.post.person.code})"
    return found


def _activity_names(rows: Mapping[str, list[Lesson]]) -> dict[str, str]:
    names: dict[str, str] = {}
    taken: set[str] = set()
    for key, some in rows.items():
        groups = "+".join(dict.fromkeys(row.class_group.name for row in some))
        name = f"{subject_title(some[0].subject_code)} {groups} ({some[0].part})"
        if name in taken:
            name = f"{name} {key}"
        taken.add(name)
        names[key] = name
    return names


def _activity(name: str, rows: Sequence[Lesson], teachers: Mapping[str, str], tags: Mapping[str, frozenset[str]]) -> m.Activity:
    first = rows[0]
    return m.Activity(
        key=name, teachers=tuple(dict.fromkeys(teachers[str(row.post.uid)] for row in rows if row.post is not None)),
        groups=tuple(dict.fromkeys(row.class_group.name for row in rows)), subject=first.subject_code,
        tags=tuple(tag for tag, subjects in tags.items() if first.subject_code in subjects), duration=first.duration,
        lesson=first.key.rpartition(".")[0], part=first.part, weeks=first.weeks,
    )  # fmt: skip


def _fixed(b: Builder, grid: Grid, flag: Sequence[int] | None, class_hour: Sequence[int] | None) -> Iterable[m.Constraint]:
    for code, place in ((FLAG, flag), (CLASS_HOUR, class_hour)):
        slot = grid.slot(place) if place else None
        keys = b.keys([code], ())
        if slot is not None and keys:
            yield m.StartsIn(activities=keys, slots=frozenset([slot]), source=code)


# --- a part of a problem ------------------------------------------------------------------------------------------


def around(problem: m.Problem, names: Iterable[str]) -> m.Problem:
    """Return the part of a problem that a move of these activities can change: their people, their relations.

    The cost of any two solutions that differ only in these activities differs by as much here as in the whole.
    """
    moved = set(names)
    activities = {activity.key: activity for activity in problem.activities}
    teachers = {name for key in moved for name in activities[key].teachers}
    groups = {name for key in moved for name in activities[key].groups}
    atoms = {atom for name in groups for atom in problem.groups[name]}
    kept: list[m.Constraint] = []
    wanted = set(moved)
    for one in problem.constraints:
        if isinstance(one, m.OfPeople):
            narrowed = _narrow(problem, one, teachers, atoms)
            if narrowed is not None:
                kept.append(narrowed)
                if isinstance(one, m.CommonFree):
                    wanted |= {a.key for a in problem.activities if set(a.teachers) & set(one.who.names)}
        elif isinstance(one, m.OfActivities):
            if moved & (set(one.activities) | set(getattr(one, "others", ()))):
                kept.append(one)
                wanted |= set(one.activities) | set(getattr(one, "others", ()))
        else:
            kept.append(one)
    wanted |= {a.key for a in problem.activities if set(a.teachers) & teachers or set(a.groups) & groups}
    return replace(
        problem, activities=tuple(a for a in problem.activities if a.key in wanted), constraints=tuple(_within(kept, wanted)),
    )  # fmt: skip


def _narrow(problem: m.Problem, one: m.OfPeople, teachers: set[str], atoms: set[str]) -> m.OfPeople | None:
    if isinstance(one, m.CommonFree):
        return one if set(one.who.names) & teachers else None
    names = one.who.names or (problem.teachers if one.who.kind == "teachers" else tuple(problem.groups))
    if one.who.kind == "teachers":
        found = tuple(name for name in names if name in teachers)
    else:
        found = tuple(name for name in names if atoms & set(problem.groups[name]))
    return replace(one, who=replace(one.who, names=found)) if found else None


def _within(constraints: Iterable[m.Constraint], wanted: set[str]) -> Iterable[m.Constraint]:
    for one in constraints:
        if isinstance(one, m.OfActivities) and not isinstance(one, (m.Before, m.KeepPlaces)):
            keys = tuple(key for key in one.activities if key in wanted)
            if not keys:
                continue
            yield replace(one, activities=keys)
        else:
            yield one


def score(problem: m.Problem, solution: m.Solution) -> tuple[int, int, float]:
    """Return (lessons not placed, hard units broken, soft cost)."""
    known = {activity.key for activity in problem.activities}
    report = checking.check(problem, {key: at for key, at in solution.items() if key in known})
    return report.activities - report.placed, report.hard, report.cost


def words(violation: checking.Violation, built: Built) -> str:
    """Return one broken demand as a sentence."""
    where = ", ".join(weeks.place_name(built.grid.place(slot)) for slot in violation.slots[:3] if slot[0] < len(built.grid.sessions))
    who = ", ".join((violation.people or violation.activities)[:4])
    sentence = {
        "Clash": _("Trùng giờ: %(what)s"), "RoomClash": _("Phòng quá tải: %(what)s"), "Unplaced": _("Chưa xếp: %(what)s"),
        "Outside": _("Ngoài khung tuần: %(what)s"),
    }.get(violation.kind)  # fmt: skip
    if sentence is None:
        title = built.titles.get(violation.source, "")
        fixed = {"pin": _("Tiết đã ghim"), FLAG: _("Tiết chào cờ"), CLASS_HOUR: _("Tiết sinh hoạt lớp")}
        return ": ".join(filter(None, (fixed.get(violation.source, title), who))) + (f" ({where})" if where else "")
    what = ", ".join(violation.activities[:4]) if violation.kind != "RoomClash" else who
    return sentence % {"what": what} + (f" ({where})" if where else "")
