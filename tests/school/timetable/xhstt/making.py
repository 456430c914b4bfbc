"""Small instances made by hand for these tests."""

from __future__ import annotations

from khue.school.timetable.solving.xhstt.model import (
    Constraint,
    Event,
    EventResource,
    Instance,
    Lesson,
    Resource,
    Solution,
    TimeLimit,
)

DAYS = ((0, 1, 2), (3, 4, 5))


def school(*constraints: Constraint, events: tuple[Event, ...] | None = None) -> Instance:
    """Two days of three times; class C, teachers T1 and T2, rooms R1 and R2; three events."""
    resources = (
        Resource("C", "C", "Class"),
        Resource("T1", "T1", "Teacher"),
        Resource("T2", "T2", "Teacher"),
        Resource("R1", "R1", "Room"),
        Resource("R2", "R2", "Room"),
    )
    if events is None:
        events = (
            event("A", 3, fixed=(0, 1), rooms=1),
            event("B", 2, fixed=(0, 2), rooms=1),
            event("D", 1, fixed=(1,), rooms=0),
        )
    times = tuple(f"{day}{hour}" for day in ("Mo", "Tu") for hour in (1, 2, 3))
    return Instance("Small", "Small", times, ("Class", "Teacher", "Room"), resources, events, constraints)


def event(
    name: str, duration: int, *, fixed: tuple[int, ...] = (), rooms: int = 0, time: int | None = None
) -> Event:
    kinds = ("Class", "Teacher", "Teacher", "Room", "Room")
    places = [EventResource("", kinds[r], r, duration) for r in fixed]
    places += [EventResource(f"room{i}", "Room", None, duration) for i in range(rooms)]
    return Event(name, name, duration, time, tuple(places))


def constraint(
    kind: str, *, weight: int = 1, hard: bool = True, function: str = "Linear", **more: object
) -> Constraint:
    return Constraint("c", "c", kind, hard, weight, function, **more)  # type: ignore[arg-type]


def days(low: int = 0, high: int = 0) -> tuple[TimeLimit, ...]:
    return tuple(TimeLimit(day, low, high) for day in DAYS)


def solution(instance: Instance, *lessons: tuple) -> Solution:
    """(event, duration, start or None, chosen rooms...) of each lesson; other events stay whole and open."""
    made = []
    for number, duration, start, *rooms in lessons:
        left = list(rooms)
        chosen = []
        for place in instance.events[number].resources:
            chosen.append(place.resource if place.resource is not None else (left.pop(0) if left else None))
        made.append(Lesson(number, duration, start, tuple(chosen)))
    seen = {lesson.event for lesson in made}
    for number, event_ in enumerate(instance.events):
        if number not in seen:
            made.append(
                Lesson(
                    number, event_.duration, event_.time, tuple(place.resource for place in event_.resources)
                )
            )
    return Solution(instance.id, tuple(made))
