"""Small problems for the tests of the solving core."""

from __future__ import annotations

from khue.school.timetable.solving import model as m

DAYS = (m.Day("Thứ Hai sáng", 0, 0), m.Day("Thứ Hai chiều", 0, 1), m.Day("Thứ Ba sáng", 1, 0), m.Day("Thứ Ba chiều", 1, 1))
PERIODS = ("1", "2", "3", "4")
LAB, GYM, FAR = m.Room("Lab", "A"), m.Room("Sân", "A", holds=2), m.Room("Xa", "B")


def four_lessons(*constraints: m.Constraint, **changes: object) -> m.Problem:
    """Three lessons of Lan with 6A (a, b, c; c lasts two periods) and one of Minh with 6B (d)."""
    facts = {
        "name": "Trường thử",
        "days": DAYS,
        "periods": PERIODS,
        "teachers": ("Lan", "Minh"),
        "groups": {"6A": ("6A",), "6B": ("6B",), "Khối 6": ("6A", "6B")},
        "subjects": ("Toán", "Văn"),
        "tags": ("nặng", "nhẹ"),
        "rooms": (LAB, GYM, FAR),
        "activities": (
            m.Activity("a", ("Lan",), ("6A",), "Toán", ("nặng",), lesson="a"),
            m.Activity("b", ("Lan",), ("6A",), "Toán", ("nặng",), lesson="a", part=2),
            m.Activity("c", ("Lan",), ("6A",), "Văn", ("nhẹ",), duration=2, lesson="c"),
            m.Activity("d", ("Minh",), ("6B",), "Toán", lesson="d"),
        ),
        "constraints": constraints,
    }
    return m.Problem(**{**facts, **changes})


def at(*rows: str) -> dict[str, m.Placement]:
    """Return a timetable from rows like "a 0 1 Lab": key, day, period, room."""
    found = {}
    for row in rows:
        key, day, period, *room = row.split()
        found[key] = m.Placement(int(day), int(period), room[0] if room else "")
    return found


def school(classes: int = 6, seed: int = 0) -> m.Problem:
    """A morning school: each class 24 of 25 periods, seven subjects, teachers of some classes, no gaps for learners."""
    import random

    rng = random.Random(seed)
    subjects = {"Toán": 5, "Văn": 5, "Anh": 4, "KHTN": 4, "Sử Địa": 3, "Thể dục": 2, "Tin": 1}
    days = tuple(m.Day(f"Thứ {d + 2}", d) for d in range(5))
    activities, constraints, teachers = [], [], set()
    for number in range(classes):
        for subject, count in subjects.items():
            teacher = f"{subject} {number // max(1, 18 // count)}"
            teachers.add(teacher)
            keys = tuple(f"{number}-{subject}-{n}" for n in range(count))
            activities += [
                m.Activity(key, (teacher,), (f"6{number}",), subject, lesson=keys[0], part=n + 1) for n, key in enumerate(keys)
            ]
            if count > 1:
                constraints.append(m.MinDaysBetween(activities=keys, least=1, weight=95.0))
    constraints += [
        m.MaxGaps(who=m.GROUPS, most=0),
        m.EarlyStart(who=m.GROUPS, most=0),
        m.Unavailable(who=m.Who("teachers", (rng.choice(sorted(teachers)),)), slots=frozenset((0, h) for h in range(2))),
    ]
    groups = {f"6{n}": (f"6{n}",) for n in range(classes)}
    return m.Problem("Trường sáng", days, tuple("12345"), tuple(activities), tuple(sorted(teachers)), groups, constraints=tuple(constraints))
