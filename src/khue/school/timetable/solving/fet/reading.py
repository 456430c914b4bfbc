"""Reads FET's data files (.fet, .fet.gz) of versions 5 and 6 into a problem.

Every constraint is turned into one of the model's, or named in `Problem.not_honoured` with how often it occurs.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.fet import constraints
from khue.school.timetable.solving.fet.xml import (
    named,
    number,
    root_of,
    root_of_bytes,
    text,
    texts,
    truth,
    unpacked,
)
from khue.school.timetable.solving.model import Activity, Day, NotHonoured, Problem, ProblemError, Room

MOST_LEARNERS = 30_000
"""What a room holds that does not say it, as in FET."""
_BEHAVIOURS = {"Exclusive": 0, "One day exception": 1, "Two days exception": 2, "Three days exception": 3, "Four days exception": 4}


def read(path: Path) -> Problem:
    """Return the problem in a FET file; raises ProblemError with one sentence that names the thing and the place."""
    return from_root(root_of(path), path.name)


def read_bytes(data: bytes, name: str) -> Problem:
    """Return the problem in the bytes of a FET file (of an upload); `name` is for messages."""
    return from_root(root_of_bytes(unpacked(data, name), name), name)


def from_root(root: Element, name: str) -> Problem:
    """Return the problem under a <fet> element."""
    if root.tag.lower() != "fet":
        raise ProblemError(f"{name}: the first element is <{root.tag}>, not <fet>")
    try:
        return _Reader(root, name).problem()
    except ProblemError as error:
        message = str(error)
        raise error if message.startswith(name) else ProblemError(f"{name}: {message}") from None


@dataclass
class _Reader:
    root: Element
    name: str
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    sizes: dict[str, int] = field(default_factory=dict)  # learners of each students' set
    counted: dict[str, int] = field(default_factory=dict)  # learners of activities that do not say their number

    def problem(self) -> Problem:
        if custom := re.search(r"-(ma|algeria|morocco)", self.root.get("version", "")):
            raise ProblemError(f"<fet version>: written by FET 5's own version for mornings and afternoons ({custom[1]}); save it in FET 6 first")
        mode = text(self.root, "Mode", "Official")
        halves = mode == "Mornings_Afternoons"
        if mode == "Block_Planning":
            self.skipped["Mode Block_Planning", "that learners have a block on one day only is not asked"] += 1
        elif mode not in ("Official", "Mornings_Afternoons", "Terms"):
            self.skipped[f"Mode {mode[:40]}", "this mode is not known to the solver"] += 1
        days = self._days(halves)
        periods = tuple(self._unique("Hours_List", "Hour"))
        groups = self._groups()
        teachers = tuple(self._unique("Teachers_List", "Teacher", may_be_none=True))
        activities, inactive = self._activities(set(teachers), groups)
        rooms = self._rooms()
        context = constraints.Context(
            days={day.name: d for d, day in enumerate(days)}, periods={p: h for h, p in enumerate(periods)}, activities=activities,
            inactive=inactive, groups=groups, teachers=set(teachers), rooms={room.name for room in rooms},
            capacity={name: number(each, "Capacity", MOST_LEARNERS) for name, each in named(self.root.find("Rooms_List"), "Room")},
            learners={key: self.counted[key] if a.learners is None else a.learners for key, a in activities.items()},
            days_a_term=number(self.root, "Number_of_Days_Per_Term", 0) or len(days), height=len(periods), has_halves=halves,
        )  # fmt: skip
        found: list[m.Constraint] = []
        for part in ("Time_Constraints_List", "Space_Constraints_List"):
            for number_, element in enumerate(self.root.find(part) or (), start=1):
                if element.tag.startswith("Constraint") and truth(element, "Active", True):
                    found.extend(self._constraint(element, f"{element.tag} no. {number_} of {part}", context))
        self.skipped.update(context.partly)
        found.extend(self._behaviours(halves))
        return Problem(
            name=text(self.root, "Institution_Name", "") or self.name, days=days, periods=periods,
            activities=tuple(activities.values()), teachers=teachers, groups=groups,
            subjects=tuple(self._unique("Subjects_List", "Subject", may_be_none=True)),
            tags=tuple(n for n, _ in named(self.root.find("Activity_Tags_List"), "Activity_Tag")), rooms=rooms,
            constraints=tuple(found), closed=frozenset(context.closed),
            not_honoured=tuple(NotHonoured(kind, count, why) for (kind, why), count in self.skipped.items()),
        )  # fmt: skip

    def _constraint(self, element: Element, source: str, context: constraints.Context) -> list[m.Constraint]:
        try:
            return constraints.build(element, source, context)
        except constraints.Unsupported as why:
            self.skipped[(element.tag, str(why))] += 1
            return []
        except ProblemError as error:
            raise ProblemError(f"{source}: {error}") from None

    def _unique(self, part: str, tag: str, *, may_be_none: bool = False) -> list[str]:
        names = [name for name, _ in named(self.root.find(part), tag)]
        if not names and not may_be_none:
            raise ProblemError(f"<{part}> has no <{tag}>")
        part_of = self.root.find(part)
        if part_of is not None and (said := number(part_of, f"Number_of_{tag}s", len(names))) != len(names):
            raise ProblemError(f"<{part}>: <Number_of_{tag}s> says {said}, but {len(names)} are listed")
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise ProblemError(f"<{part}>: {twice[0]!r} occurs twice")
        return names

    def _days(self, halves: bool) -> tuple[Day, ...]:
        names = self._unique("Days_List", "Day")
        if halves and len(names) % 2:
            raise ProblemError("<Days_List>: mornings and afternoons need an even number of days")
        return tuple(Day(name, d // 2 if halves else d, d % 2 if halves else 0) for d, name in enumerate(names))

    def _groups(self) -> dict[str, tuple[str, ...]]:
        """Return each students' set with the smallest sets it is made of; `sizes` gets how many learners FET counts in each."""
        atoms: dict[str, dict[str, None]] = {}
        for year, its in named(self.root.find("Students_List"), "Year"):
            of_year = atoms.setdefault(year, {})
            self.sizes[year] = number(its, "Number_of_Students", 0)
            for group, those in named(its, "Group"):
                of_group = atoms.setdefault(group, {})
                self.sizes[group] = number(those, "Number_of_Students", 0)
                for subgroup, smallest in named(those, "Subgroup"):
                    self.sizes[subgroup] = number(smallest, "Number_of_Students", 0)
                    atoms[subgroup] = {subgroup: None}
                    of_group[subgroup] = None
                if not of_group:
                    of_group[group] = None
                of_year.update(of_group)
            if not of_year:
                of_year[year] = None
        return {name: tuple(those) for name, those in atoms.items()}

    def _rooms(self) -> tuple[Room, ...]:
        rooms = []
        for name, element in named(self.root.find("Rooms_List"), "Room"):
            parts: list[tuple[str, ...]] = []
            if truth(element, "Virtual", False):
                parts = [tuple(texts(each, "Real_Room")) for each in element.findall("Set_of_Real_Rooms")]
            rooms.append(Room(name, text(element, "Building", ""), number(element, "Capacity", 0), parts=tuple(parts)))
        return tuple(rooms)

    def _activities(self, teachers: set[str], groups: dict[str, tuple[str, ...]]) -> tuple[dict[str, Activity], set[str]]:
        found: dict[str, Activity] = {}
        inactive: set[str] = set()
        for element in self.root.find("Activities_List") or ():
            if element.tag != "Activity":
                continue
            key = text(element, "Id").strip()
            where = f"activity {key}"
            if key in found or key in inactive:
                raise ProblemError(f"{where} occurs twice")
            if not truth(element, "Active", True):
                inactive.add(key)
                continue
            its_teachers, its_groups = texts(element, "Teacher"), texts(element, "Students")
            for name in its_teachers:
                if name not in teachers:
                    raise ProblemError(f"{where}: teacher {name!r} is not in <Teachers_List>")
            for name in its_groups:
                if name not in groups:
                    raise ProblemError(f"{where}: students {name!r} are not in <Students_List>")
            duration = number(element, "Duration", 1)
            if not 1 <= duration <= 100:
                raise ProblemError(f"{where}: a duration of {duration} periods is not possible")
            lesson = text(element, "Activity_Group_Id", "0").strip()
            learners = number(element, "Number_Of_Students", -1)
            if learners < 0:
                learners = number(element, "Number_of_Students", -1)
            if learners < 0:
                self.counted[key] = sum(self.sizes[name] for name in its_groups)
            found[key] = Activity(
                key=key, teachers=tuple(its_teachers), groups=tuple(its_groups), subject=text(element, "Subject", ""),
                tags=tuple(tag for tag in texts(element, "Activity_Tag") if tag), duration=duration,
                lesson=lesson if lesson != "0" else key, part=_part(key, lesson), learners=learners if learners >= 0 else None,
            )  # fmt: skip
        if not found:
            raise ProblemError("<Activities_List> has no active <Activity>")
        return found, inactive

    def _behaviours(self, halves: bool) -> list[m.Constraint]:
        found: list[m.Constraint] = []
        for name, element in named(self.root.find("Teachers_List"), "Teacher"):
            behaviour = text(element, "Mornings_Afternoons_Behavior", "Unrestricted")
            if halves and behaviour in _BEHAVIOURS:
                found.append(
                    m.MaxFullDates(who=m.Who("teachers", (name,)), most=_BEHAVIOURS[behaviour], source=f"teacher {name}: {behaviour}")
                )
            elif halves and behaviour != "Unrestricted":
                self.skipped[("Mornings_Afternoons_Behavior", f"behaviour {behaviour!r} is unknown")] += 1
        return found


def _part(key: str, lesson: str) -> int:
    """Return which part of its lesson an activity is: FET numbers the parts of a group in a row."""
    try:
        first = int(lesson)
        return int(key) - first + 1 if first else 1
    except ValueError:
        return 1
