"""The solver's own view of an instance: bundles, monitors and numbers instead of names.

A bundle is a set of events that a required link makes run at the same times; the solver splits and times
bundles, never single events. A monitor is one point of application of one constraint. Costs are one whole
number, HARD for each unit of infeasibility plus one for each unit of objective.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from math import lcm

from khue.school.timetable.solving.xhstt.model import Constraint, Instance

HARD = 10**10
LINEAR, QUADRATIC, STEP = 0, 1, 2
FUNCTIONS = {"Linear": LINEAR, "Quadratic": QUADRATIC, "Step": STEP}


def price(function: int, deviation: int) -> int:
    """Return the cost function of a deviation, weight 1."""
    if function == LINEAR or deviation <= 0:
        return max(deviation, 0)
    return deviation * deviation if function == QUADRATIC else 1


@dataclass(frozen=True)
class Monitor:
    """One priced deviation.

    kind      name of the constraint kind
    weight    per unit, times HARD when required
    function  LINEAR, QUADRATIC or STEP
    facts     what the kind needs: bounds, time masks, lessons' durations; see the kind's reader below
    """

    kind: str
    weight: int
    function: int
    facts: tuple = ()

    @property
    def is_hard(self) -> bool:
        """Whether a deviation makes the timetable infeasible."""
        return self.weight >= HARD

    def cost(self, deviation: int) -> int:
        """Return the price of a deviation."""
        return self.weight * price(self.function, deviation)


@dataclass(frozen=True)
class Place:
    """A resource the solver chooses for every lesson of a bundle.

    candidates  resources that break no required preference, in index order
    workload    (numerator, denominator): what one unit of duration counts for its resource
    """

    event: int
    index: int
    bundle: int
    candidates: tuple[int, ...]
    workload: Fraction


@dataclass
class Bundle:
    """Events that always run together.

    fixed      their preassigned starting time, or None
    resources  their preassigned resources, repeated where two events share one (which is a clash)
    places     indices of the places the solver fills
    durations  the durations its lessons may have
    starts     for each duration, the starts that no required constraint on the bundle alone forbids
    """

    events: tuple[int, ...]
    duration: int
    fixed: int | None
    resources: tuple[int, ...] = ()
    places: tuple[int, ...] = ()
    durations: tuple[int, ...] = ()
    starts: dict[int, tuple[int, ...]] = field(default_factory=dict)
    monitors: tuple[Monitor, ...] = ()
    groups: tuple[int, ...] = ()


@dataclass
class Group:
    """A monitor over several bundles: SpreadEvents, LinkEvents, OrderEvents.

    bundles  (bundle, how many of its events are in the group)
    """

    monitor: Monitor
    bundles: tuple[tuple[int, int], ...]


@dataclass
class SplitGroup:
    """An AvoidSplitAssignments monitor: places that should share one resource; `fixed` are preassigned ones."""

    monitor: Monitor
    places: tuple[int, ...]
    fixed: frozenset[int]


@dataclass
class Problem:
    """Everything the solver needs, by number. `constant` is the cost no solution can change."""

    instance: Instance
    bundles: list[Bundle]
    places: list[Place]
    groups: list[Group]
    splits: list[SplitGroup]
    resource_monitors: list[tuple[Monitor, ...]]
    workload_monitors: list[tuple[Monitor, ...]]
    fixed_workload: list[Fraction]
    place_monitors: list[tuple[Monitor, ...]]
    place_splits: list[tuple[int, ...]]
    constant: int

    @property
    def slots(self) -> int:
        """Return how many times there are."""
        return len(self.instance.times)


def compile_instance(instance: Instance) -> Problem:
    """Return the solver's view of `instance`."""
    return _Compiler(instance).compile()


def mask_of(times: tuple[int, ...] | frozenset[int]) -> int:
    """Return the set of times as bits."""
    result = 0
    for time in times:
        result |= 1 << time
    return result


def _weight(constraint: Constraint) -> int:
    return constraint.weight * (HARD if constraint.is_hard else 1)


class _Compiler:
    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.bundle_of: list[int] = []
        self.bundles: list[Bundle] = []
        self.event_monitors: list[list[Monitor]] = [[] for _ in instance.events]
        self.constant = 0

    def compile(self) -> Problem:
        instance = self.instance
        self._bundle_events()
        live = [c for c in instance.constraints if c.weight > 0]
        for constraint in live:
            self._add_event_monitors(constraint)
        groups = self._groups(live)
        resource_monitors, workload_monitors = self._resource_monitors(live)
        places, place_monitors = self._places(live)
        splits, place_splits = self._splits(live, places)
        self._finish_bundles(groups, resource_monitors)
        fixed_workload = [Fraction(0)] * len(instance.resources)
        for event in instance.events:
            for wanted in event.resources:
                if wanted.resource is not None:
                    fixed_workload[wanted.resource] += wanted.workload
        return Problem(
            instance=instance,
            bundles=self.bundles,
            places=places,
            groups=groups,
            splits=splits,
            resource_monitors=[tuple(m) for m in resource_monitors],
            workload_monitors=[tuple(m) for m in workload_monitors],
            fixed_workload=fixed_workload,
            place_monitors=place_monitors,
            place_splits=place_splits,
            constant=self.constant,
        )

    # Bundles

    def _bundle_events(self) -> None:
        """Join the events of required links that have one duration and one preassigned time."""
        events = self.instance.events
        parent = list(range(len(events)))

        def root(node: int) -> int:
            while parent[node] != node:
                parent[node] = parent[parent[node]]
                node = parent[node]
            return node

        for constraint in self.instance.constraints:
            if constraint.kind != "LinkEvents" or not constraint.is_hard or not constraint.weight:
                continue
            for group in constraint.groups:
                alike: dict[tuple, int] = {}
                for event in group:
                    key = (events[event].duration, events[event].time)
                    if key in alike:
                        parent[root(event)] = root(alike[key])
                    else:
                        alike[key] = event
        members: dict[int, list[int]] = defaultdict(list)
        for event in range(len(events)):
            members[root(event)].append(event)
        self.bundle_of = [0] * len(events)
        for joined in members.values():
            for event in joined:
                self.bundle_of[event] = len(self.bundles)
            first = events[joined[0]]
            fixed = tuple(r.resource for e in joined for r in events[e].resources if r.resource is not None)
            self.bundles.append(Bundle(tuple(joined), first.duration, first.time, resources=fixed))

    def _add_event_monitors(self, constraint: Constraint) -> None:
        facts: dict[str, tuple] = {
            "AssignTime": (),
            "SplitEvents": (
                constraint.minimum_duration,
                constraint.maximum_duration,
                constraint.minimum,
                constraint.maximum,
            ),
            "DistributeSplitEvents": (constraint.duration, constraint.minimum, constraint.maximum),
            "PreferTimes": (mask_of(constraint.times), constraint.duration),
        }
        if constraint.kind in facts:
            monitor = Monitor(
                constraint.kind,
                _weight(constraint),
                FUNCTIONS[constraint.cost_function],
                facts[constraint.kind],
            )
            for event in constraint.events:
                self.event_monitors[event].append(monitor)

    def _groups(self, live: list[Constraint]) -> list[Group]:
        """Return monitors over several bundles; those over one bundle go to that bundle."""
        groups: list[Group] = []
        for constraint in live:
            function = FUNCTIONS[constraint.cost_function]
            weight = _weight(constraint)
            if constraint.kind == "SpreadEvents":
                limits = tuple((mask_of(g.times), g.minimum, g.maximum) for g in constraint.time_groups)
                for group in constraint.groups:
                    counted = self._counted(group)
                    if len(counted) == 1:
                        facts = tuple((m, low, high, counted[0][1]) for m, low, high in limits)
                        monitor = Monitor("SpreadEvents", weight, function, facts)
                        self.event_monitors[group[0]].append(monitor)
                    elif counted:
                        groups.append(Group(Monitor("SpreadEvents", weight, function, limits), counted))
            elif constraint.kind == "LinkEvents":
                for group in constraint.groups:
                    counted = self._counted(group)
                    if len(counted) > 1:
                        groups.append(Group(Monitor("LinkEvents", weight, function), counted))
            elif constraint.kind == "OrderEvents":
                for first, second, least, most in constraint.pairs:
                    pair = ((self.bundle_of[first], 1), (self.bundle_of[second], 1))
                    groups.append(Group(Monitor("OrderEvents", weight, function, (least, most)), pair))
        return groups

    def _counted(self, group: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
        counts: dict[int, int] = {}
        for event in group:
            counts[self.bundle_of[event]] = counts.get(self.bundle_of[event], 0) + 1
        return tuple(counts.items())

    # Resources

    def _resource_monitors(self, live: list[Constraint]) -> tuple[list[list[Monitor]], list[list[Monitor]]]:
        count = len(self.instance.resources)
        busy: list[list[Monitor]] = [[] for _ in range(count)]
        load: list[list[Monitor]] = [[] for _ in range(count)]
        for constraint in live:
            bounds = (constraint.minimum, constraint.maximum)
            masks = tuple(mask_of(g.times) for g in constraint.time_groups)
            facts: dict[str, tuple] = {
                "AvoidClashes": (),
                "AvoidUnavailableTimes": (mask_of(constraint.times),),
                "LimitIdleTimes": (tuple(tuple(sorted(g.times)) for g in constraint.time_groups), *bounds),
                "ClusterBusyTimes": (masks, *bounds),
                "LimitBusyTimes": (masks, *bounds),
                "LimitWorkload": bounds,
            }
            if constraint.kind not in facts:
                continue
            monitor = Monitor(
                constraint.kind,
                _weight(constraint),
                FUNCTIONS[constraint.cost_function],
                facts[constraint.kind],
            )
            target = load if constraint.kind == "LimitWorkload" else busy
            for resource in constraint.resources:
                target[resource].append(monitor)
        return busy, load

    def _places(self, live: list[Constraint]) -> tuple[list[Place], list[tuple[Monitor, ...]]]:
        """Return the places to fill with their monitors; a place nobody asks to fill stays empty."""
        instance = self.instance
        found: dict[tuple[int, int], list[Monitor]] = defaultdict(list)
        wanted: dict[tuple[int, int], list[frozenset[int]]] = defaultdict(list)
        for constraint in live:
            if constraint.kind not in ("AssignResource", "PreferResources"):
                continue
            facts = () if constraint.kind == "AssignResource" else (constraint.preferred,)
            monitor = Monitor(
                constraint.kind, _weight(constraint), FUNCTIONS[constraint.cost_function], facts
            )
            for event in constraint.events:
                for index, resource in enumerate(instance.events[event].resources):
                    if resource.role != constraint.role:
                        continue
                    if resource.resource is None:
                        found[event, index].append(monitor)
                        if constraint.kind == "PreferResources" and constraint.is_hard:
                            wanted[event, index].append(constraint.preferred)
                    elif (
                        constraint.kind == "PreferResources" and resource.resource not in constraint.preferred
                    ):
                        self.constant += monitor.cost(instance.events[event].duration)
        of_kind: dict[str, list[int]] = defaultdict(list)
        for index, record in enumerate(instance.resources):
            of_kind[record.kind].append(index)
        places: list[Place] = []
        monitors: list[tuple[Monitor, ...]] = []
        for (event, index), its in sorted(found.items()):
            if not any(m.kind == "AssignResource" for m in its):
                continue
            every = of_kind[instance.events[event].resources[index].kind]
            candidates = [r for r in every if all(r in preferred for preferred in wanted[event, index])]
            wanted_workload = instance.events[event].resources[index].workload
            share = Fraction(wanted_workload, instance.events[event].duration)
            bundle = self.bundle_of[event]
            self.bundles[bundle].places += (len(places),)
            places.append(Place(event, index, bundle, tuple(candidates or every), share))
            monitors.append(tuple(its))
        return places, monitors

    def _splits(
        self, live: list[Constraint], places: list[Place]
    ) -> tuple[list[SplitGroup], list[tuple[int, ...]]]:
        by_event: dict[tuple[int, int], int] = {(p.event, p.index): i for i, p in enumerate(places)}
        splits: list[SplitGroup] = []
        place_splits: list[list[int]] = [[] for _ in places]
        for constraint in live:
            if constraint.kind != "AvoidSplitAssignments":
                continue
            monitor = Monitor(constraint.kind, _weight(constraint), FUNCTIONS[constraint.cost_function])
            for group in constraint.groups:
                mine, fixed = [], set()
                for event in group:
                    for index, resource in enumerate(self.instance.events[event].resources):
                        if resource.role != constraint.role:
                            continue
                        if resource.resource is not None:
                            fixed.add(resource.resource)
                        elif (event, index) in by_event:
                            mine.append(by_event[event, index])
                if not mine:
                    self.constant += monitor.cost(len(fixed) - 1)
                    continue
                for place in mine:
                    place_splits[place].append(len(splits))
                splits.append(SplitGroup(monitor, tuple(mine), frozenset(fixed)))
        return splits, [tuple(s) for s in place_splits]

    # What a lesson of a bundle may be

    def _finish_bundles(self, groups: list[Group], resource_monitors: list[list[Monitor]]) -> None:
        touching: list[set[int]] = [set() for _ in self.bundles]
        for index, group in enumerate(groups):
            for bundle, _ in group.bundles:
                touching[bundle].add(index)
        for index, bundle in enumerate(self.bundles):
            merged: dict[tuple, int] = defaultdict(int)
            for event in bundle.events:
                for monitor in self.event_monitors[event]:
                    key = (monitor.kind, monitor.is_hard, monitor.function, monitor.facts)
                    merged[key] += monitor.weight
            bundle.monitors = tuple(
                Monitor(kind, weight, function, facts)
                for (kind, _, function, facts), weight in merged.items()
            )
            bundle.groups = tuple(sorted(touching[index]))
            counts_lessons = any(m.kind != "AssignTime" for m in bundle.monitors) or any(
                groups[g].monitor.kind == "SpreadEvents" for g in bundle.groups
            )
            bundle.durations = self._durations(bundle, counts_lessons or bool(bundle.places))
            closed = 0
            for resource in set(bundle.resources):
                for monitor in resource_monitors[resource]:
                    if monitor.kind == "AvoidUnavailableTimes" and monitor.is_hard:
                        closed |= monitor.facts[0]
            bundle.starts = {d: self._starts(bundle, d, closed) for d in bundle.durations}

    def _durations(self, bundle: Bundle, counts_lessons: bool) -> tuple[int, ...]:
        if bundle.fixed is not None:
            return (bundle.duration,)
        if not counts_lessons:
            return (1,)
        allowed = set(range(1, bundle.duration + 1))
        for monitor in bundle.monitors:
            if not monitor.is_hard:
                continue
            if monitor.kind == "SplitEvents":
                low, high, _, _ = monitor.facts
                narrowed = {d for d in allowed if low <= d <= high}
            elif monitor.kind == "DistributeSplitEvents" and monitor.facts[2] == 0:
                narrowed = allowed - {monitor.facts[0]}
            else:
                continue
            if can_sum(tuple(sorted(narrowed)), bundle.duration):
                allowed = narrowed
        return tuple(sorted(allowed))

    def _starts(self, bundle: Bundle, duration: int, closed: int) -> tuple[int, ...]:
        if bundle.fixed is not None:
            return (bundle.fixed,)
        slots = len(self.instance.times)
        wanted = (1 << slots) - 1
        for monitor in bundle.monitors:
            if monitor.kind == "PreferTimes" and monitor.is_hard and monitor.facts[1] in (None, duration):
                wanted &= monitor.facts[0]
        block = (1 << duration) - 1
        return tuple(s for s in range(slots - duration + 1) if wanted >> s & 1 and not closed & (block << s))


@lru_cache(maxsize=4096)
def can_sum(parts: tuple[int, ...], total: int) -> bool:
    """Return whether `total` is a sum of the parts, each used any number of times."""
    reach = [True] + [False] * total
    for value in range(1, total + 1):
        reach[value] = any(part <= value and reach[value - part] for part in parts)
    return reach[total]


def common_denominator(values: list[Fraction]) -> int:
    """Return the least common denominator, for workloads in whole numbers."""
    return lcm(1, *(value.denominator for value in values))
