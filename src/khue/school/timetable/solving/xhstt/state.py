"""A timetable under search, with its cost kept up to date after every small change.

The unit is the bundle lesson: a part of a bundle with a duration, a start (-1: none) and, for each place of
the bundle, a resource (-1: none). Every change recomputes only the monitors it touches; costs of a bundle's
lessons and of a resource's busy times are remembered by value, since a search meets the same ones again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from khue.school.timetable.solving.xhstt.compiling import (
    HARD,
    Monitor,
    Problem,
    common_denominator,
    price,
)
from khue.school.timetable.solving.xhstt.model import Lesson, Solution

Parts = list[tuple[int, int, tuple[int, ...]]]
"""The lessons of one bundle: (duration, start or -1, resource or -1 for each place)."""

_MEMORY = 200_000


class State:
    """Lessons of every bundle with all derived counts; `cost` is hard * HARD + soft."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        resources = len(problem.instance.resources)
        self.bundle: list[int] = []
        self.duration: list[int] = []
        self.start: list[int] = []
        self.chosen: list[list[int]] = []
        self.lessons: list[list[int]] = [[] for _ in problem.bundles]
        self.free_ids: list[int] = []
        self.unique = [tuple(dict.fromkeys(bundle.resources)) for bundle in problem.bundles]
        self.at: list[set[int]] = [set() for _ in range(problem.slots)]
        self.counts = [[0] * problem.slots for _ in range(resources)]
        self.busy = [0] * resources
        self.excess = [0] * resources
        shares = [place.workload for place in problem.places]
        self.scale = common_denominator([*shares, *problem.fixed_workload])
        self.share = [int(place.workload * self.scale) for place in problem.places]
        self.load = [int(load * self.scale) for load in problem.fixed_workload]
        self.clash_monitors = [
            tuple(m for m in monitors if m.kind == "AvoidClashes") for monitors in problem.resource_monitors
        ]
        others = [tuple(m for m in ms if m.kind != "AvoidClashes") for ms in problem.resource_monitors]
        shared: dict[tuple, dict[int, int]] = {}
        self.busy_monitors = others
        self.busy_memory = [shared.setdefault(monitors, {}) for monitors in others]
        self.bundle_memory: list[dict[tuple, int]] = [{} for _ in problem.bundles]
        self.bundle_cost = [0] * len(problem.bundles)
        self.group_cost = [0] * len(problem.groups)
        self.resource_cost = [0] * resources
        self.load_cost = [0] * resources
        self.place_cost = [0] * len(problem.places)
        self.split_cost = [0] * len(problem.splits)
        self.slot_of_place = [problem.bundles[p.bundle].places.index(i) for i, p in enumerate(problem.places)]
        self.cost = problem.constant
        for index, bundle in enumerate(problem.bundles):
            self._add(index, bundle.duration, -1, [-1] * len(bundle.places))
        self._recount_everything()
        for index, bundle in enumerate(problem.bundles):
            if bundle.fixed is not None:
                self.set_start(self.lessons[index][0], bundle.fixed)

    # Lessons in and out of the counts

    def _add(self, bundle: int, duration: int, start: int, chosen: list[int]) -> int:
        if self.free_ids:
            lesson = self.free_ids.pop()
            self.bundle[lesson], self.duration[lesson] = bundle, duration
            self.start[lesson], self.chosen[lesson] = start, chosen
        else:
            lesson = len(self.bundle)
            self.bundle.append(bundle)
            self.duration.append(duration)
            self.start.append(start)
            self.chosen.append(chosen)
        self.lessons[bundle].append(lesson)
        return lesson

    def _occupy(self, resource: int, start: int, duration: int) -> None:
        counts = self.counts[resource]
        for time in range(start, start + duration):
            if counts[time]:
                self.excess[resource] += 1
            else:
                self.busy[resource] |= 1 << time
            counts[time] += 1

    def _release(self, resource: int, start: int, duration: int) -> None:
        counts = self.counts[resource]
        for time in range(start, start + duration):
            counts[time] -= 1
            if counts[time]:
                self.excess[resource] -= 1
            else:
                self.busy[resource] &= ~(1 << time)

    def resources_of(self, lesson: int) -> tuple[int, ...]:
        """Return the resources a lesson occupies, preassigned first, repeats kept."""
        fixed = self.problem.bundles[self.bundle[lesson]].resources
        if not self.chosen[lesson]:
            return fixed
        return (*fixed, *(r for r in self.chosen[lesson] if r >= 0))

    # Changes

    def set_start(self, lesson: int, start: int) -> None:
        """Move a lesson to `start`, -1 for none."""
        old, duration, bundle = self.start[lesson], self.duration[lesson], self.bundle[lesson]
        if old == start:
            return
        resources = self.resources_of(lesson)
        if old >= 0:
            self.at[old].discard(lesson)
            for resource in resources:
                self._release(resource, old, duration)
        if start >= 0:
            self.at[start].add(lesson)
            for resource in resources:
                self._occupy(resource, start, duration)
        self.start[lesson] = start
        self._price_bundle(bundle)
        for resource in set(resources) if self.chosen[lesson] else self.unique[bundle]:
            self._price_resource(resource)

    def set_resource(self, lesson: int, slot: int, resource: int) -> None:
        """Give the `slot`-th place of a lesson's bundle another resource, -1 for none."""
        old = self.chosen[lesson][slot]
        if old == resource:
            return
        start, duration = self.start[lesson], self.duration[lesson]
        place = self.problem.bundles[self.bundle[lesson]].places[slot]
        self.chosen[lesson][slot] = resource
        for changed, sign in ((old, -1), (resource, 1)):
            if changed < 0:
                continue
            self.load[changed] += sign * self.share[place] * duration
            if start >= 0:
                (self._occupy if sign > 0 else self._release)(changed, start, duration)
                self._price_resource(changed)
            self._price_load(changed)
        self._price_place(place)

    def replace(self, bundle: int, parts: Parts) -> None:
        """Put other lessons in the place of a bundle's; the durations must sum to the bundle's."""
        changed: set[int] = set(self.problem.bundles[bundle].resources)
        for lesson in self.lessons[bundle]:
            self._withdraw(lesson, changed)
            self.free_ids.append(lesson)
        self.lessons[bundle] = []
        for duration, start, chosen in parts:
            lesson = self._add(bundle, duration, start, list(chosen))
            self._enter(lesson, changed)
        self._price_bundle(bundle)
        for resource in changed:
            self._price_resource(resource)
            self._price_load(resource)
        for place in self.problem.bundles[bundle].places:
            self._price_place(place)

    def _withdraw(self, lesson: int, changed: set[int]) -> None:
        start, duration = self.start[lesson], self.duration[lesson]
        bundle = self.problem.bundles[self.bundle[lesson]]
        if start >= 0:
            self.at[start].discard(lesson)
            for resource in self.resources_of(lesson):
                self._release(resource, start, duration)
        for place, resource in zip(bundle.places, self.chosen[lesson], strict=True):
            if resource >= 0:
                self.load[resource] -= self.share[place] * duration
                changed.add(resource)

    def _enter(self, lesson: int, changed: set[int]) -> None:
        start, duration = self.start[lesson], self.duration[lesson]
        bundle = self.problem.bundles[self.bundle[lesson]]
        if start >= 0:
            self.at[start].add(lesson)
            for resource in self.resources_of(lesson):
                self._occupy(resource, start, duration)
        for place, resource in zip(bundle.places, self.chosen[lesson], strict=True):
            if resource >= 0:
                self.load[resource] += self.share[place] * duration
                changed.add(resource)

    def parts(self, bundle: int) -> Parts:
        """Return a bundle's lessons as values."""
        return [
            (self.duration[lesson], self.start[lesson], tuple(self.chosen[lesson]))
            for lesson in self.lessons[bundle]
        ]

    def snapshot(self) -> list[Parts]:
        """Return all bundles' lessons as values."""
        return [self.parts(bundle) for bundle in range(len(self.lessons))]

    def restore(self, snapshot: list[Parts]) -> None:
        """Go back to a snapshot, touching only bundles that differ."""
        for bundle, parts in enumerate(snapshot):
            if self.parts(bundle) != parts:
                self.replace(bundle, parts)

    # Prices

    def _recount_everything(self) -> None:
        for bundle in range(len(self.lessons)):
            self._price_bundle(bundle)
        for resource in range(len(self.busy)):
            self._price_resource(resource)
            self._price_load(resource)
        for place in range(len(self.place_cost)):
            self._price_place(place)
        for split in range(len(self.split_cost)):
            self._price_split(split)

    def _price_bundle(self, index: int) -> None:
        key = tuple(sorted((self.duration[lesson], self.start[lesson]) for lesson in self.lessons[index]))
        memory = self.bundle_memory[index]
        cost = memory.get(key)
        if cost is None:
            cost = sum(m.cost(bundle_deviation(m, key)) for m in self.problem.bundles[index].monitors)
            if len(memory) < _MEMORY:
                memory[key] = cost
        self.cost += cost - self.bundle_cost[index]
        self.bundle_cost[index] = cost
        for group in self.problem.bundles[index].groups:
            new = self.problem.groups[group].monitor.cost(self.group_deviation(group))
            self.cost += new - self.group_cost[group]
            self.group_cost[group] = new

    def group_deviation(self, index: int) -> int:
        """Return the deviation of a monitor over several bundles."""
        group = self.problem.groups[index]
        if group.monitor.kind == "SpreadEvents":
            deviation = 0
            starts = [
                (1 << self.start[lesson], times)
                for bundle, times in group.bundles
                for lesson in self.lessons[bundle]
                if self.start[lesson] >= 0
            ]
            for mask, low, high in group.monitor.facts:
                count = sum(times for bit, times in starts if bit & mask)
                if count > high:
                    deviation += count - high
                elif count < low:
                    deviation += low - count
            return deviation
        if group.monitor.kind == "LinkEvents":
            some, every = 0, -1
            for bundle, _ in group.bundles:
                running = self.running(bundle)
                some |= running
                every &= running
            return (some & ~every).bit_count()
        return self._order_deviation(group.bundles[0][0], group.bundles[1][0], *group.monitor.facts)

    def _order_deviation(self, first: int, second: int, least: int, most: int) -> int:
        before, after = self.lessons[first], self.lessons[second]
        if any(self.start[lesson] < 0 for lesson in (*before, *after)):
            return 0
        gap = min(self.start[x] for x in after) - max(self.start[x] + self.duration[x] for x in before)
        return max(least - gap, gap - most, 0)

    def running(self, bundle: int) -> int:
        """Return the times a bundle runs at, as bits."""
        result = 0
        for lesson in self.lessons[bundle]:
            if self.start[lesson] >= 0:
                result |= ((1 << self.duration[lesson]) - 1) << self.start[lesson]
        return result

    def _price_resource(self, resource: int) -> None:
        busy = self.busy[resource]
        memory = self.busy_memory[resource]
        cost = memory.get(busy)
        if cost is None:
            cost = sum(m.cost(busy_deviation(m, busy)) for m in self.busy_monitors[resource])
            if len(memory) < _MEMORY:
                memory[busy] = cost
        if self.excess[resource]:
            for monitor in self.clash_monitors[resource]:
                cost += monitor.weight * price(monitor.function, self.excess[resource])
        self.cost += cost - self.resource_cost[resource]
        self.resource_cost[resource] = cost

    def _price_load(self, resource: int) -> None:
        monitors = self.problem.workload_monitors[resource]
        if not monitors:
            return
        cost = sum(m.cost(load_deviation(m, self.load[resource], self.scale)) for m in monitors)
        self.cost += cost - self.load_cost[resource]
        self.load_cost[resource] = cost

    def _price_place(self, place: int) -> None:
        slot = self.slot_of_place[place]
        lessons = [
            (self.duration[x], self.chosen[x][slot]) for x in self.lessons[self.problem.places[place].bundle]
        ]
        cost = 0
        for monitor in self.problem.place_monitors[place]:
            cost += monitor.cost(place_deviation(monitor, lessons))
        self.cost += cost - self.place_cost[place]
        self.place_cost[place] = cost
        for split in self.problem.place_splits[place]:
            self._price_split(split)

    def split_resources(self, split: int) -> set[int]:
        """Return the distinct resources of an AvoidSplitAssignments monitor."""
        group = self.problem.splits[split]
        found = set(group.fixed)
        for place in group.places:
            slot = self.slot_of_place[place]
            found.update(self.chosen[x][slot] for x in self.lessons[self.problem.places[place].bundle])
        found.discard(-1)
        return found

    def _price_split(self, split: int) -> None:
        cost = self.problem.splits[split].monitor.cost(len(self.split_resources(split)) - 1)
        self.cost += cost - self.split_cost[split]
        self.split_cost[split] = cost

    # In and out

    @property
    def hard(self) -> int:
        """Return the infeasibility value."""
        return self.cost // HARD

    @property
    def soft(self) -> int:
        """Return the objective value."""
        return self.cost % HARD

    def solution(self) -> Solution:
        """Return the timetable as the file format knows it: lessons of single events."""
        return solution_of(self.problem, self.snapshot())


def solution_of(problem: Problem, snapshot: list[Parts]) -> Solution:
    """Return a snapshot as lessons of single events."""
    instance = problem.instance
    found: list[Lesson] = []
    for index, bundle in enumerate(problem.bundles):
        for duration, start, chosen in snapshot[index]:
            for event in bundle.events:
                resources = [wanted.resource for wanted in instance.events[event].resources]
                for place, resource in zip(bundle.places, chosen, strict=True):
                    if problem.places[place].event == event and resource >= 0:
                        resources[problem.places[place].index] = resource
                found.append(Lesson(event, duration, start if start >= 0 else None, tuple(resources)))
    found.sort(key=lambda lesson: lesson.event)
    return Solution(instance.id, tuple(found))


def snapshot_of(problem: Problem, solution: Solution) -> list[Parts]:
    """Return a solution of the file as lessons of bundles, as far as they fit.

    Events of one bundle that the solution does not run together keep the lessons of the first; resources of
    lessons that do not match are left open.
    """
    by_event: dict[int, list[Lesson]] = defaultdict(list)
    for lesson in solution.lessons:
        by_event[lesson.event].append(lesson)
    snapshot: list[Parts] = []
    for bundle in problem.bundles:
        parts: Parts = []
        spare = {event: list(by_event[event]) for event in bundle.events}
        for lesson in by_event[bundle.events[0]]:
            chosen = [-1] * len(bundle.places)
            for event in bundle.events:
                twin = next(
                    (x for x in spare[event] if (x.duration, x.start) == (lesson.duration, lesson.start)),
                    None,
                )
                if twin is None:
                    continue
                spare[event].remove(twin)
                for slot, place in enumerate(bundle.places):
                    wanted = problem.places[place]
                    if wanted.event == event and twin.resources[wanted.index] is not None:
                        chosen[slot] = twin.resources[wanted.index]
            start = -1 if lesson.start is None else lesson.start
            parts.append((lesson.duration, start, tuple(chosen)))
        snapshot.append(parts)
    return snapshot


def bundle_deviation(monitor: Monitor, lessons: Iterable[tuple[int, int]]) -> int:
    """Return the deviation of a monitor on one bundle's (duration, start)s."""
    facts = monitor.facts
    if monitor.kind == "AssignTime":
        return sum(duration for duration, start in lessons if start < 0)
    if monitor.kind == "PreferTimes":
        mask, only = facts
        return sum(
            duration
            for duration, start in lessons
            if start >= 0 and only in (None, duration) and not mask >> start & 1
        )
    if monitor.kind == "SplitEvents":
        low, high, least, most = facts
        durations = [duration for duration, _ in lessons]
        wrong = sum(not low <= duration <= high for duration in durations)
        return wrong + max(least - len(durations), len(durations) - most, 0)
    if monitor.kind == "DistributeSplitEvents":
        wanted, least, most = facts
        count = sum(duration == wanted for duration, _ in lessons)
        return max(least - count, count - most, 0)
    deviation = 0
    for mask, low, high, times in facts:
        count = times * sum(start >= 0 and mask >> start & 1 for _, start in lessons)
        deviation += max(low - count, count - high, 0)
    return deviation


def busy_deviation(monitor: Monitor, busy: int) -> int:
    """Return the deviation of a monitor on one resource's busy times, given as bits."""
    facts = monitor.facts
    if monitor.kind == "AvoidUnavailableTimes":
        return (busy & facts[0]).bit_count()
    masks, least, most = facts
    if monitor.kind == "LimitIdleTimes":
        idle = sum(idle_times(times, busy) for times in masks)
        return max(least - idle, idle - most, 0)
    if monitor.kind == "ClusterBusyTimes":
        count = sum(1 for mask in masks if busy & mask)
        return max(least - count, count - most, 0)
    deviation = 0
    for mask in masks:
        count = (busy & mask).bit_count()
        if count:
            deviation += max(least - count, count - most, 0)
    return deviation


def idle_times(times: tuple[int, ...], busy: int) -> int:
    """Return how many of a group's times lie free between two busy ones."""
    first = last = -1
    count = 0
    for position, time in enumerate(times):
        if busy >> time & 1:
            if first < 0:
                first = position
            last = position
            count += 1
    return last - first + 1 - count if count else 0


def load_deviation(monitor: Monitor, load: int, scale: int) -> int:
    """Return by how much a workload (scaled) misses its bounds, rounded up."""
    least, most = monitor.facts
    over = max(least * scale - load, load - most * scale, 0)
    return -(-over // scale)


def place_deviation(monitor: Monitor, lessons: Iterable[tuple[int, int]]) -> int:
    """Return the deviation of a monitor on one place's (duration, resource)s."""
    if monitor.kind == "AssignResource":
        return sum(duration for duration, resource in lessons if resource < 0)
    preferred = monitor.facts[0]
    return sum(duration for duration, resource in lessons if resource >= 0 and resource not in preferred)
