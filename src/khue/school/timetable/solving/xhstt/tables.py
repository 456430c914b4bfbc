"""The problem and a timetable as plain arrays of whole numbers, for compiled code.

Lists of lists stand as one array of items and one of offsets: the items of `i` are `items[off[i]:off[i + 1]]`.
Bundle `b` owns the lessons `lesson_base[b]` up to `lesson_base[b + 1]`, of which the first `used[b]` exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from khue.school.timetable.solving.xhstt.compiling import Monitor, Problem
from khue.school.timetable.solving.xhstt.moving import (
    ASSIGN_RESOURCE,
    ASSIGN_TIME,
    AVOID_SPLIT,
    BUNDLE_COUNT,
    BUNDLE_MONITORS,
    CANDIDATE_OFF,
    CANDIDATES,
    CHOSEN,
    CLASH,
    CLUSTER,
    CONSTANT,
    COUNTS,
    DATA,
    DIRTY,
    DIRTY_LIST,
    DISTRIBUTE,
    DURATION,
    DURATION_OFF,
    DURATIONS,
    EXCESS,
    FACTS,
    FIXED_OFF,
    FIXED_RESOURCES,
    GROUP_BUNDLES,
    GROUP_MONITOR,
    GROUP_OFF,
    GROUP_PRICES,
    GROUP_TIMES,
    IDLE,
    IN_POOL,
    IN_SET,
    IS_CANDIDATE,
    IS_FIXED,
    JOURNAL,
    LESSON_BASE,
    LESSON_BUNDLE,
    LIMIT,
    LINK,
    LOAD,
    LOAD_MONITORS,
    LOADED,
    MAY,
    MONITOR_DATA,
    MONITOR_FUNCTION,
    MONITOR_KIND,
    MONITOR_WEIGHT,
    MOVABLE,
    MOVABLE_COUNT,
    NOW,
    OLD_PRICE,
    OPS,
    ORDER,
    PLACE_BUNDLE,
    PLACE_MONITORS,
    PLACE_OFF,
    PLACE_SLOT,
    PLACED,
    PLACED_COUNT,
    PLACES,
    POOL_WIDTH,
    PREFER_RESOURCES,
    PREFER_TIMES,
    PRELOAD,
    PRICE,
    PRICE_COUNT,
    PUSHES,
    QUEUE,
    RESOURCE_COUNT,
    RESOURCE_MONITORS,
    RESOURCE_OFF,
    RESOURCES,
    ROW_BASE,
    SCALE,
    SEEN,
    SET_OFF,
    SET_TIMES,
    SHARE,
    SHARED,
    SHARING,
    SHARING_COUNT,
    SHARING_OFF,
    SLOTS,
    SPLIT,
    SPLIT_MONITOR,
    SPLIT_OFF,
    SPLIT_PLACES,
    SPLITS_OF,
    SPLITS_OFF,
    SPLITTABLE,
    SPLITTABLE_COUNT,
    SPREAD,
    STAMP,
    START,
    START_OFF,
    STARTS,
    TOUCHING,
    TOUCHING_OFF,
    UNAVAILABLE,
    UNIT,
    USED,
    USERS,
    USERS_OFF,
    WHO,
    WIDTH,
    Array,
)
from khue.school.timetable.solving.xhstt.state import Parts, State

KIND = {
    "AssignTime": ASSIGN_TIME,
    "PreferTimes": PREFER_TIMES,
    "SplitEvents": SPLIT,
    "DistributeSplitEvents": DISTRIBUTE,
    "SpreadEvents": SPREAD,
    "LinkEvents": LINK,
    "OrderEvents": ORDER,
    "AvoidUnavailableTimes": UNAVAILABLE,
    "LimitIdleTimes": IDLE,
    "ClusterBusyTimes": CLUSTER,
    "LimitBusyTimes": LIMIT,
    "AvoidClashes": CLASH,
    "LimitWorkload": LOAD,
    "AssignResource": ASSIGN_RESOURCE,
    "PreferResources": PREFER_RESOURCES,
    "AvoidSplitAssignments": AVOID_SPLIT,
}


def laid_out(header: int, scalars: dict[int, int], tables: dict[int, Array]) -> Array:
    """Return numbers and tables as one array that begins with the numbers and the places of the tables."""
    head = [0] * header
    for index, value in scalars.items():
        head[index] = value
    parts, begin = [], header
    for index in sorted(tables):
        head[index] = begin
        parts.append(tables[index].astype(np.int64, copy=False).ravel())
        begin += len(parts[-1])
    return np.concatenate([np.array(head, dtype=np.int64), *parts])


def whole(values: Iterable[int]) -> Array:
    """Return numbers as an array; an empty one has one zero, so that every array has a type and a place."""
    found = list(values)
    return np.array(found or [0], dtype=np.int64)


def lists(rows: Sequence[Iterable[int]]) -> tuple[Array, Array]:
    """Return lists as (offsets, items)."""
    offsets, items = [0], []
    for row in rows:
        items += list(row)
        offsets.append(len(items))
    return np.array(offsets, dtype=np.int64), whole(items)


class _Numbers:
    """Gathers sets of times, sets of resources and the numbers of monitors, each kept once."""

    def __init__(self, slots: int, resources: int) -> None:
        self.slots, self.resources = slots, resources
        self.sets: dict[int, int] = {0: 0}
        self.pools: dict[frozenset[int], int] = {frozenset(): 0}
        self.data: list[int] = []
        self.known: dict[tuple[int, ...], int] = {}
        self.rows: list[tuple[int, int, int, int]] = []

    def set_of(self, mask: int) -> int:
        return self.sets.setdefault(mask, len(self.sets))

    def pool_of(self, pool: frozenset[int]) -> int:
        return self.pools.setdefault(pool, len(self.pools))

    def keep(self, numbers: tuple[int, ...]) -> int:
        if numbers not in self.known:
            self.known[numbers] = len(self.data)
            self.data += numbers
        return self.known[numbers]

    def add(self, monitor: Monitor, numbers: tuple[int, ...]) -> int:
        self.rows.append((KIND[monitor.kind], monitor.weight, monitor.function, self.keep(numbers)))
        return len(self.rows) - 1

    def many(self, rows: Sequence[Sequence[Monitor]], scale: int) -> Array:
        """Add the monitors of each thing; return the offsets."""
        offsets = [len(self.rows)]
        for monitors in rows:
            for monitor in monitors:
                self.add(monitor, self.numbers(monitor, scale))
            offsets.append(len(self.rows))
        return np.array(offsets, dtype=np.int64)

    def numbers(self, monitor: Monitor, scale: int) -> tuple[int, ...]:
        """Return what a monitor needs to know as numbers, laid out as its pricing reads them."""
        kind, facts = KIND[monitor.kind], monitor.facts
        if kind == PREFER_TIMES:
            mask, only = facts
            return (self.set_of(mask), -1 if only is None else only)
        if kind == SPREAD:
            limits = [(self.set_of(f[0]), f[1], f[2], f[3] if len(f) > 3 else 1) for f in facts]
            return (len(limits), *(number for limit in limits for number in limit))
        if kind == UNAVAILABLE:
            return (self.set_of(facts[0]),)
        if kind == IDLE:
            times, least, most = facts
            return (least, most, len(times), *(self.set_of(sum(1 << t for t in ts)) for ts in times))
        if kind in (CLUSTER, LIMIT):
            masks, least, most = facts
            return (least, most, len(masks), *(self.set_of(mask) for mask in masks))
        if kind == LOAD:
            least, most = facts
            return (least * scale, most * scale)
        if kind == PREFER_RESOURCES:
            return (self.pool_of(facts[0]),)
        return tuple(facts)

    def tables(self) -> dict[int, Array]:
        """Return the sets and the monitors."""
        inside = np.zeros((len(self.sets), self.slots), dtype=np.int64)
        for mask, index in self.sets.items():
            inside[index] = [mask >> time & 1 for time in range(self.slots)]
        pools = np.zeros((len(self.pools), max(self.resources, 1)), dtype=np.int64)
        for pool, index in self.pools.items():
            pools[index, list(pool)] = 1
        found = {IN_SET: inside, IN_POOL: pools, DATA: whole(self.data)}
        found[SET_OFF], found[SET_TIMES] = lists([np.flatnonzero(row).tolist() for row in inside])
        for column, index in enumerate((MONITOR_KIND, MONITOR_WEIGHT, MONITOR_FUNCTION, MONITOR_DATA)):
            found[index] = whole(row[column] for row in self.rows)
        return found


def facts_of(state: State, hard: int) -> Array:
    """Return the problem of `state` as one array; `hard` is the unit of infeasibility in a cost."""
    problem = state.problem
    bundles, resources = problem.bundles, len(problem.instance.resources)
    numbers = _Numbers(problem.slots, resources)
    tables = {
        BUNDLE_MONITORS: numbers.many([b.monitors for b in bundles], 1),
        RESOURCE_MONITORS: numbers.many(problem.resource_monitors, 1),
        LOAD_MONITORS: numbers.many(problem.workload_monitors, state.scale),
        PLACE_MONITORS: numbers.many(problem.place_monitors, 1),
        GROUP_MONITOR: whole(numbers.add(g.monitor, numbers.numbers(g.monitor, 1)) for g in problem.groups),
        SPLIT_MONITOR: whole(numbers.add(g.monitor, ()) for g in problem.splits),
    }
    movable = [b for b, its in enumerate(bundles) if its.fixed is None and any(its.starts.values())]
    splittable = [b for b in movable if len(bundles[b].durations) > 1]
    placed = [b for b, its in enumerate(bundles) if its.places]
    sharing = _sharing(problem, movable)
    tables |= _bundle_facts(problem) | _place_facts(state) | numbers.tables()
    tables |= {
        MOVABLE: whole(movable),
        SPLITTABLE: whole(splittable),
        PLACED: whole(placed),
        PRELOAD: whole(int(load * state.scale) for load in problem.fixed_workload),
    }
    tables[SHARED] = whole(sharing)
    users: list[dict[int, None]] = [{} for _ in range(resources)]
    for index, bundle in enumerate(bundles):
        for resource in (*bundle.resources, *(r for p in bundle.places for r in problem.places[p].candidates)):
            users[resource][index] = None
    tables[USERS_OFF], tables[USERS] = lists([list(its) for its in users])
    tables[SHARING_OFF], tables[SHARING] = lists(list(sharing.values()))
    counts = (
        len(bundles),
        len(problem.groups),
        resources,
        resources,
        len(problem.places),
        len(problem.splits),
    )
    scalars = dict(enumerate(np.cumsum(counts).tolist(), GROUP_PRICES)) | {
        SLOTS: problem.slots,
        SCALE: state.scale,
        UNIT: hard,
        CONSTANT: problem.constant,
        POOL_WIDTH: max(resources, 1),
        WIDTH: max((len(b.places) for b in bundles), default=0),
        RESOURCE_COUNT: resources,
        BUNDLE_COUNT: len(bundles),
        MOVABLE_COUNT: len(movable),
        SPLITTABLE_COUNT: len(splittable),
        PLACED_COUNT: len(placed),
        SHARING_COUNT: len(sharing),
    }
    return laid_out(FACTS, scalars, tables)


def required_alone(facts: Array) -> Array:
    """Return the same problem with every required monitor at one unit a deviation and the others free of cost."""
    found = facts.copy()
    weights = found[found[MONITOR_WEIGHT] : found[MONITOR_FUNCTION]]
    weights[:] = np.where(weights >= found[UNIT], found[UNIT], 0)
    return found


def _bundle_facts(problem: Problem) -> dict[int, Array]:
    bundles = problem.bundles
    base, owner = [0], []
    row_base, rows = [], []
    for index, bundle in enumerate(bundles):
        owner += [index] * (max(bundle.duration, 1) if bundle.fixed is None else 1)
        base.append(len(owner))
        row_base.append(len(rows))
        rows += [bundle.starts.get(d, ()) for d in range(1, bundle.duration + 1)]
    may = np.zeros((max(len(rows), 1), problem.slots), dtype=np.int64)
    for index, row in enumerate(rows):
        may[index, list(row)] = 1
    found = {
        LESSON_BASE: whole(base),
        LESSON_BUNDLE: whole(owner),
        ROW_BASE: whole(row_base),
        MAY: may,
        IS_FIXED: whole(int(b.fixed is not None) for b in bundles),
    }
    found[START_OFF], found[STARTS] = lists(rows)
    found[RESOURCE_OFF], found[RESOURCES] = lists([b.resources for b in bundles])
    found[DURATION_OFF], found[DURATIONS] = lists([b.durations for b in bundles])
    found[PLACE_OFF], found[PLACES] = lists([b.places for b in bundles])
    found[TOUCHING_OFF], found[TOUCHING] = lists([b.groups for b in bundles])
    return found


def _place_facts(state: State) -> dict[int, Array]:
    problem = state.problem
    places = problem.places
    allowed = np.zeros((max(len(places), 1), max(len(problem.instance.resources), 1)), dtype=np.int64)
    for index, place in enumerate(places):
        allowed[index, list(place.candidates)] = 1
    found = {
        PLACE_BUNDLE: whole(p.bundle for p in places),
        PLACE_SLOT: whole(state.slot_of_place),
        SHARE: whole(state.share),
        IS_CANDIDATE: allowed,
        GROUP_TIMES: whole(times for g in problem.groups for _, times in g.bundles),
    }
    found[CANDIDATE_OFF], found[CANDIDATES] = lists([p.candidates for p in places])
    found[GROUP_OFF], found[GROUP_BUNDLES] = lists([[b for b, _ in g.bundles] for g in problem.groups])
    found[SPLIT_OFF], found[SPLIT_PLACES] = lists([g.places for g in problem.splits])
    found[FIXED_OFF], found[FIXED_RESOURCES] = lists([sorted(g.fixed) for g in problem.splits])
    found[SPLITS_OFF], found[SPLITS_OF] = lists(problem.place_splits)
    return found


def _sharing(problem: Problem, movable: list[int]) -> dict[int, list[int]]:
    """Return, for each resource with several movable bundles that need it, those bundles."""
    of_resource: dict[int, list[int]] = {}
    for index in movable:
        for resource in dict.fromkeys(problem.bundles[index].resources):
            of_resource.setdefault(resource, []).append(index)
    return {resource: bundles for resource, bundles in of_resource.items() if len(bundles) > 1}


def now_of(facts: Array) -> Array:
    """Return room for a timetable; `write` fills it."""
    lessons, prices = int(facts[LESSON_BUNDLE + 1] - facts[LESSON_BUNDLE]), int(facts[PRICE_COUNT])
    resources = int(facts[RESOURCE_COUNT])
    slots = resources * int(facts[SLOTS])
    sizes = {
        USED: int(facts[BUNDLE_COUNT]),
        DURATION: lessons,
        START: lessons,
        CHOSEN: lessons * int(facts[WIDTH]),
        COUNTS: slots,
        WHO: slots,
        EXCESS: resources,
        LOADED: resources,
        PRICE: prices,
        DIRTY: prices,
        DIRTY_LIST: prices,
        OLD_PRICE: prices,
        OPS: JOURNAL * 4,
        STAMP: lessons,
        QUEUE: lessons + 2 * PUSHES + 2,
        SEEN: resources,
    }
    return laid_out(NOW, {}, {index: np.zeros(size, dtype=np.int64) for index, size in sizes.items()})


def write(facts: Array, now: Array, snapshot: list[Parts]) -> bool:
    """Put lessons into the arrays (counts and costs are not touched); return whether there is room for them."""
    now[now[START] : now[CHOSEN]] = -1
    now[now[CHOSEN] : now[COUNTS]] = -1
    base, width = facts[facts[LESSON_BASE] : facts[LESSON_BUNDLE]].tolist(), int(facts[WIDTH])
    used, durations, starts, chosens = (int(now[table]) for table in (USED, DURATION, START, CHOSEN))
    for bundle, parts in enumerate(snapshot):
        if len(parts) > base[bundle + 1] - base[bundle]:
            return False
        now[used + bundle] = len(parts)
        for lesson, (duration, start, chosen) in enumerate(parts, base[bundle]):
            now[durations + lesson] = duration
            now[starts + lesson] = start
            begin = chosens + lesson * width
            now[begin : begin + len(chosen)] = chosen
    return True


def read(facts: Array, now: Array, problem: Problem, lessons: Array) -> list[Parts]:
    """Return lessons, the part of `now` from USED to COUNTS, as a snapshot."""
    base, width = facts[facts[LESSON_BASE] : facts[LESSON_BUNDLE]].tolist(), int(facts[WIDTH])
    begins = [int(now[table] - now[USED]) for table in (DURATION, START, CHOSEN)]
    values = lessons.tolist()
    found: list[Parts] = []
    for bundle, its in enumerate(problem.bundles):
        parts: Parts = []
        for lesson in range(base[bundle], base[bundle] + values[bundle]):
            first = begins[2] + lesson * width
            chosen = tuple(values[first : first + len(its.places)])
            parts.append((values[begins[0] + lesson], values[begins[1] + lesson], chosen))
        found.append(parts)
    return found
