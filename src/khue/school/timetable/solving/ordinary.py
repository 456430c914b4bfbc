"""Ordinary Vietnamese schools, generated: what the engine is measured and tested on where no real school is at hand.

A lower secondary school of the programme of 2018: the subjects and periods of each grade are those of
`regulations.curriculum` (Circular 32/2018/TT-BGDĐT), a teacher has 19 periods a week and a homeroom teacher four fewer
(Circular 05/2025/TT-BGDĐT), and the wishes are those nearly every school has.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence

from khue.school.timetable.solving import model as m
from regulations import curriculum

NORM, HOMEROOM = 19, 4
YEAR_WEEKS = 35
FLAG, CLASS_HOUR = "chao_co", "sinh_hoat_lop"
WEEKDAYS = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy")
PARTS = {"nghe_thuat": ("am_nhac", "mi_thuat")}
HEAVY = ("toan", "ngu_van")
MORNING, AFTERNOON = 5, 3
Line = tuple[str, str, str, int]


def school(classes: int, *, sessions: int = 1, seed: int = 0) -> m.Problem:
    """Return a school of so many classes (4 to 100) in six mornings, or in five mornings with short afternoons.

    Raises ProblemError for other numbers.
    """
    if not 4 <= classes <= 100 or sessions not in (1, 2):
        raise m.ProblemError(f"an ordinary school has 4 to 100 classes and 1 or 2 sessions, not {classes} and {sessions}")
    names = [f"{6 + n * 4 // classes}A{n - first(n, classes) + 1}" for n in range(classes)]
    rng = random.Random(seed)  # noqa: S311
    heads, lines = staffed(names, rng)
    return problem_of(f"Trường {classes} lớp, {sessions} buổi", lines, heads, sessions=sessions, rng=rng)


def first(n: int, classes: int) -> int:
    """Return the number of the first class of the grade the n-th class is in."""
    grade = n * 4 // classes
    return next(k for k in range(classes) if k * 4 // classes == grade)


def periods(grade: int) -> dict[str, int]:
    """Return the periods a week of each subject of a grade, without the common two; 52 a year are two in their semester."""
    found: dict[str, int] = {}
    for one in curriculum.subjects_for(grade, 2025):
        if one.role not in ("compulsory", "compulsory_activity"):
            continue
        weekly = -(-one.periods_per_year // YEAR_WEEKS)
        if one.code.startswith("hoat_dong_trai_nghiem"):
            weekly -= 2
        parts = PARTS.get(one.code, (one.code,))
        for part in parts:
            found[part] = weekly // len(parts)
    return found


def staffed(names: Sequence[str], rng: random.Random) -> tuple[dict[str, str], list[Line]]:
    """Return the homeroom teacher of each class, and (teacher, subject, class, periods) of everything taught."""
    wanted: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for name in names:
        for subject, count in periods(int(name[0])).items():
            if not subject.startswith("hoat_dong_trai_nghiem"):
                wanted[subject].append((name, count))
    load: dict[str, int] = {}
    lines: list[Line] = []
    of_class: dict[str, list[str]] = defaultdict(list)
    for subject, rows in wanted.items():
        total = sum(count for _name, count in rows)
        staff = [f"{subject} {n + 1}" for n in range(max(1, -(-total // (NORM - HOMEROOM // 2))))]
        load.update(dict.fromkeys(staff, 0))
        rng.shuffle(rows)
        for name, count in sorted(rows, key=lambda row: -row[1]):
            teacher = min(staff, key=lambda one: load[one])
            load[teacher] += count
            lines.append((teacher, subject, name, count))
            of_class[name].append(teacher)
    heads: dict[str, str] = {}
    for name in sorted(names, key=lambda one: (len(of_class[one]), one)):
        free = [one for one in of_class[name] if one not in heads.values()] or [one for one in load if one not in heads.values()]
        heads[name] = min(free, key=lambda one: (load[one], one))
        load[heads[name]] += HOMEROOM
    lines += [(heads[name], "hoat_dong_trai_nghiem_huong_nghiep", name, 1) for name in names]
    return heads, lines


def problem_of(name: str, lines: Iterable[Line], heads: dict[str, str], *, sessions: int, rng: random.Random) -> m.Problem:
    """Return the problem of an assignment with the usual wishes.

    lines  (teacher, subject, class, periods a week); heads: class to homeroom teacher, for the two common periods
    """
    days = _days(sessions)
    height = MORNING
    closed = frozenset((d, h) for d, day in enumerate(days) if day.half for h in range(AFTERNOON, height))
    activities: list[m.Activity] = []
    constraints: list[m.Constraint] = []
    for teacher, subject, group, count in lines:
        durations = [2] * (subject == "ngu_van" and count > 3) + [1] * (count - 2 * (subject == "ngu_van" and count > 3))
        keys = tuple(f"{subject} {group} {teacher} {n + 1}" for n in range(len(durations)))
        activities += [
            m.Activity(key, (teacher,), (group,), subject, duration=duration, lesson=keys[0], part=n + 1)
            for n, (key, duration) in enumerate(zip(keys, durations, strict=True))
        ]
        if 1 < len(keys) <= 6:
            constraints.append(m.MaxADay(activities=keys, most=1, per="date", weight=60.0, source="subject_spread"))
        if count > 2:
            constraints.append(m.MaxHours(who=m.Who("groups", (group,)), most=2, per="date", subject=subject, source="subject_day"))
    for code, slot in ((FLAG, (0, 0)), (CLASS_HOUR, (len(days) - 1, AFTERNOON - 1 if days[-1].half else MORNING - 1))):
        keys = tuple(f"{code} {group}" for group in heads)
        activities += [m.Activity(f"{code} {group}", (head,), (group,), code, lesson=f"{code} {group}") for group, head in heads.items()]
        if code == FLAG:
            constraints.append(m.StartsIn(activities=keys, slots=frozenset([slot]), source=code))
        else:
            constraints.append(m.LiesIn(activities=keys, slots=frozenset((d, h) for d in range(len(days)) if days[d].date == days[-1].date for h in range(height)), source=code))
    teachers = tuple(dict.fromkeys(teacher for activity in activities for teacher in activity.teachers))
    groups = {group: (group,) for activity in activities for group in activity.groups}
    constraints += _wishes(activities, teachers, groups, days, closed, rng)
    if sessions == 2:
        most = max(2, -(-(_heaviest(activities) - 5 * MORNING) // AFTERNOON))
        constraints.append(m.MaxDays(who=m.GROUPS, most=most, per="afternoon", source="class_max_afternoons"))
    return m.Problem(
        name=name, days=days, periods=tuple(str(h + 1) for h in range(height)), activities=tuple(activities), teachers=teachers,
        groups=groups, subjects=tuple(dict.fromkeys(one.subject for one in activities)),
        rooms=tuple(m.Room(f"Phòng máy {n + 1}") for n in range(max(1, len(groups) // 15))),
        constraints=tuple(constraints), closed=closed,
    )  # fmt: skip


def _heaviest(activities: Iterable[m.Activity]) -> int:
    """Return the periods of the class that has most."""
    load: dict[str, int] = defaultdict(int)
    for one in activities:
        for group in one.groups:
            load[group] += one.duration
    return max(load.values())


def _days(sessions: int) -> tuple[m.Day, ...]:
    if sessions == 1:
        return tuple(m.Day(f"{name} sáng", d, 0) for d, name in enumerate(WEEKDAYS))
    return tuple(m.Day(f"{name} {('sáng', 'chiều')[half]}", d, half) for d, name in enumerate(WEEKDAYS[:5]) for half in (0, 1))


def _wishes(
    activities: Sequence[m.Activity], teachers: Sequence[str], groups: dict[str, tuple[str, ...]], days: Sequence[m.Day],
    closed: frozenset[m.Slot], rng: random.Random,
) -> list[m.Constraint]:  # fmt: skip
    slots = [(d, h) for d in range(len(days)) for h in range(MORNING) if (d, h) not in closed]

    def of(*subjects: str) -> tuple[str, ...]:
        return tuple(one.key for one in activities if one.subject in subjects)

    found: list[m.Constraint] = [
        m.MaxGaps(who=m.GROUPS, most=0, per="day", source="class_no_gaps"),
        m.EarlyStart(who=m.GROUPS, most=0, source="class_from_first"),
        m.MaxHours(who=m.TEACHERS, most=5, per="day", source="teacher_max_session"),
        m.MaxGaps(who=m.TEACHERS, most=0, per="week", weight=50.0, source="teacher_max_gaps"),
        m.MaxGaps(who=m.TEACHERS, most=1, per="day", weight=80.0, source="teacher_max_gaps_session"),
        m.MaxDays(who=m.TEACHERS, most=len({day.date for day in days}) - 1, per="date", weight=70.0, source="teacher_free_days"),
    ]
    early = frozenset(slot for slot in slots if slot[1] < MORNING - 1)
    if keys := of(*HEAVY):
        found.append(m.LiesIn(activities=keys, slots=early, weight=20.0, source="subject_early"))
    if keys := of("giao_duc_the_chat"):
        cool = frozenset(slot for slot in early if days[slot[0]].half == 0 or slot[1] > 0)
        found += [
            m.LiesIn(activities=keys, slots=cool, source="subject_off"),
            m.MaxTogether(activities=keys, slots=frozenset(slots), most=max(2, len(groups) // 8), source="subject_at_once"),
        ]
    if keys := of("tin_hoc"):
        found.append(m.PrefersRooms(activities=keys, rooms=tuple(f"Phòng máy {n + 1}" for n in range(max(1, len(groups) // 15))), source="room_for_subject"))
    for teacher in rng.sample(list(teachers), len(teachers) // 5):
        day = rng.randrange(1, len(days) - 1)
        found.append(m.Unavailable(who=m.Who("teachers", (teacher,)), slots=frozenset(s for s in slots if s[0] == day), source="teacher_off"))
    return found


def gaps(problem: m.Problem, solution: m.Solution, kind: str) -> tuple[int, int]:
    """Return the free periods between lessons of one day, summed over the week and all people of a kind; and the people.

    kind  "teachers" or "groups" (of one atom each)
    """
    busy: dict[tuple[str, int], set[int]] = defaultdict(set)
    people: set[str] = set()
    for activity in problem.activities:
        at = solution.get(activity.key)
        for name in activity.teachers if kind == "teachers" else activity.groups:
            people.add(name)
            if at is not None:
                busy[name, at.day].update(range(at.period, at.period + activity.duration))
    return sum(max(periods) - min(periods) + 1 - len(periods) for periods in busy.values()), len(people)
