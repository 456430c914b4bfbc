"""The cost of a solution as the XHSTT standard defines it, computed plainly from the lessons.

This is the referee: it shares no line with the solver, keeps nothing between calls and prefers the definition
to speed. Each constraint has points of application; each point has a deviation; its cost is the weight times
the cost function of the deviation; required constraints add to the first number, the others to the second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from khue.school.timetable.solving.xhstt.model import Constraint, Instance, Lesson, Solution, TimeLimit


@dataclass(frozen=True)
class Violation:
    """A point of application with a deviation: which constraint, where (an event, group or resource), how much."""

    constraint: str
    kind: str
    is_hard: bool
    point: str
    deviation: int
    cost: int


@dataclass(frozen=True)
class Evaluation:
    """The two costs (infeasibility, objective) and what makes them."""

    hard: int
    soft: int
    violations: tuple[Violation, ...]


def evaluate(instance: Instance, solution: Solution) -> Evaluation:
    """Return the cost of `solution`, whose lessons must sum to each event's duration (the reader sees to it)."""
    view = _View(instance, solution)
    hard = soft = 0
    violations = []
    for constraint in instance.constraints:
        for point, deviation in _DEVIATIONS[constraint.kind](view, constraint):
            if not deviation:
                continue
            cost = constraint.weight * cost_of(constraint.cost_function, deviation)
            hard += cost * constraint.is_hard
            soft += cost * (not constraint.is_hard)
            violations.append(
                Violation(constraint.id, constraint.kind, constraint.is_hard, point, deviation, cost)
            )
    return Evaluation(hard, soft, tuple(violations))


def cost_of(cost_function: str, deviation: int) -> int:
    """Return Linear: the deviation; Quadratic: its square; Step: 1 for any deviation above 0."""
    if cost_function == "Step":
        return int(deviation > 0)
    return deviation * deviation if cost_function == "Quadratic" else deviation


def outside(value: int, minimum: int, maximum: int) -> int:
    """Return how far `value` lies below the minimum or above the maximum."""
    return max(minimum - value, value - maximum, 0)


class _View:
    """A solution seen by event and by resource."""

    def __init__(self, instance: Instance, solution: Solution) -> None:
        self.instance = instance
        self.lessons: list[list[Lesson]] = [[] for _ in instance.events]
        self.busy: list[Counter[int]] = [Counter() for _ in instance.resources]
        self.workload = [Fraction(0)] * len(instance.resources)
        for lesson in solution.lessons:
            self.lessons[lesson.event].append(lesson)
            event = instance.events[lesson.event]
            for place, resource in zip(event.resources, lesson.resources, strict=True):
                if resource is None:
                    continue
                self.workload[resource] += Fraction(place.workload * lesson.duration, event.duration)
                if lesson.start is not None:
                    self.busy[resource].update(range(lesson.start, lesson.start + lesson.duration))

    def placed(self, event: int) -> list[Lesson]:
        """Return the lessons of `event` that have a time."""
        return [lesson for lesson in self.lessons[event] if lesson.start is not None]

    def running(self, event: int) -> set[int]:
        """Return the times at which `event` runs."""
        return {
            time
            for lesson in self.lessons[event]
            if lesson.start is not None
            for time in range(lesson.start, lesson.start + lesson.duration)
        }

    def roles(self, constraint: Constraint, events: tuple[int, ...]) -> Iterator[tuple[int, int]]:
        """Yield (event, place) of the events that have the constraint's role."""
        for event in events:
            for place, resource in enumerate(self.instance.events[event].resources):
                if resource.role == constraint.role:
                    yield event, place

    def name(self, events: tuple[int, ...]) -> str:
        """Return how a group of events is called in a violation."""
        names = [self.instance.events[event].id for event in events[:3]]
        return ", ".join(names) + (", …" if len(events) > 3 else "")


Points = Iterator[tuple[str, int]]


def _assign_resource(view: _View, constraint: Constraint) -> Points:
    for event, place in view.roles(constraint, constraint.events):
        missing = sum(lesson.duration for lesson in view.lessons[event] if lesson.resources[place] is None)
        yield view.instance.events[event].id, missing


def _assign_time(view: _View, constraint: Constraint) -> Points:
    for event in constraint.events:
        missing = sum(lesson.duration for lesson in view.lessons[event] if lesson.start is None)
        yield view.instance.events[event].id, missing


def _split_events(view: _View, constraint: Constraint) -> Points:
    for event in constraint.events:
        lessons = view.lessons[event]
        wrong = sum(
            not constraint.minimum_duration <= lesson.duration <= constraint.maximum_duration
            for lesson in lessons
        )
        yield (
            view.instance.events[event].id,
            wrong + outside(len(lessons), constraint.minimum, constraint.maximum),
        )


def _distribute_split_events(view: _View, constraint: Constraint) -> Points:
    for event in constraint.events:
        count = sum(lesson.duration == constraint.duration for lesson in view.lessons[event])
        yield view.instance.events[event].id, outside(count, constraint.minimum, constraint.maximum)


def _prefer_resources(view: _View, constraint: Constraint) -> Points:
    for event, place in view.roles(constraint, constraint.events):
        unwanted = sum(
            lesson.duration
            for lesson in view.lessons[event]
            if lesson.resources[place] is not None and lesson.resources[place] not in constraint.preferred
        )
        yield view.instance.events[event].id, unwanted


def _prefer_times(view: _View, constraint: Constraint) -> Points:
    for event in constraint.events:
        unwanted = sum(
            lesson.duration
            for lesson in view.placed(event)
            if constraint.duration in (None, lesson.duration) and lesson.start not in constraint.times
        )
        yield view.instance.events[event].id, unwanted


def _avoid_split_assignments(view: _View, constraint: Constraint) -> Points:
    for group in constraint.groups:
        resources = {
            lesson.resources[place]
            for event, place in view.roles(constraint, group)
            for lesson in view.lessons[event]
        }
        yield view.name(group), max(len(resources - {None}) - 1, 0)


def _spread_events(view: _View, constraint: Constraint) -> Points:
    for group in constraint.groups:
        starts = [lesson.start for event in group for lesson in view.placed(event)]
        deviation = 0
        for day in constraint.time_groups:
            times = set(day.times)
            deviation += outside(sum(start in times for start in starts), day.minimum, day.maximum)
        yield view.name(group), deviation


def _link_events(view: _View, constraint: Constraint) -> Points:
    for group in constraint.groups:
        running = [view.running(event) for event in group]
        together = set.intersection(*running) if running else set()
        yield view.name(group), len(set().union(*running) - together)


def _order_events(view: _View, constraint: Constraint) -> Points:
    for first, second, least, most in constraint.pairs:
        before, after = view.placed(first), view.placed(second)
        is_whole = len(before) == len(view.lessons[first]) and len(after) == len(view.lessons[second])
        deviation = 0
        if is_whole and before and after:
            end = max(lesson.start + lesson.duration for lesson in before if lesson.start is not None)
            begin = min(lesson.start for lesson in after if lesson.start is not None)
            deviation = outside(begin - end, least, most)
        yield view.name((first, second)), deviation


def _avoid_clashes(view: _View, constraint: Constraint) -> Points:
    for resource in constraint.resources:
        clashes = sum(count - 1 for count in view.busy[resource].values())
        yield view.instance.resources[resource].id, clashes


def _avoid_unavailable_times(view: _View, constraint: Constraint) -> Points:
    for resource in constraint.resources:
        yield view.instance.resources[resource].id, len(constraint.times & view.busy[resource].keys())


def _limit_idle_times(view: _View, constraint: Constraint) -> Points:
    for resource in constraint.resources:
        idle = sum(_idle(view.busy[resource], day) for day in constraint.time_groups)
        yield view.instance.resources[resource].id, outside(idle, constraint.minimum, constraint.maximum)


def _idle(busy: Counter[int], day: TimeLimit) -> int:
    """Return how many times of the group lie free between two busy ones of the group."""
    taken = [position for position, time in enumerate(day.times) if busy[time]]
    return taken[-1] - taken[0] + 1 - len(taken) if taken else 0


def _cluster_busy_times(view: _View, constraint: Constraint) -> Points:
    for resource in constraint.resources:
        busy = view.busy[resource]
        groups = sum(any(time in busy for time in group.times) for group in constraint.time_groups)
        yield view.instance.resources[resource].id, outside(groups, constraint.minimum, constraint.maximum)


def _limit_busy_times(view: _View, constraint: Constraint) -> Points:
    for resource in constraint.resources:
        busy = view.busy[resource]
        counts = [sum(time in busy for time in group.times) for group in constraint.time_groups]
        deviation = sum(outside(count, constraint.minimum, constraint.maximum) for count in counts if count)
        yield view.instance.resources[resource].id, deviation


def _limit_workload(view: _View, constraint: Constraint) -> Points:
    for resource in constraint.resources:
        load = view.workload[resource]
        over = max(constraint.minimum - load, load - constraint.maximum, Fraction(0))
        yield view.instance.resources[resource].id, ceil(over)


_DEVIATIONS: dict[str, Callable[[_View, Constraint], Points]] = {
    "AssignResource": _assign_resource,
    "AssignTime": _assign_time,
    "SplitEvents": _split_events,
    "DistributeSplitEvents": _distribute_split_events,
    "PreferResources": _prefer_resources,
    "PreferTimes": _prefer_times,
    "AvoidSplitAssignments": _avoid_split_assignments,
    "SpreadEvents": _spread_events,
    "LinkEvents": _link_events,
    "OrderEvents": _order_events,
    "AvoidClashes": _avoid_clashes,
    "AvoidUnavailableTimes": _avoid_unavailable_times,
    "LimitIdleTimes": _limit_idle_times,
    "ClusterBusyTimes": _cluster_busy_times,
    "LimitBusyTimes": _limit_busy_times,
    "LimitWorkload": _limit_workload,
}
