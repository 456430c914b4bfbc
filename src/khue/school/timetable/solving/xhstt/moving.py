"""Compiled moves and prices: what a timetable in arrays costs, and annealing over it. See `tables` for the arrays.

All numbers of the problem stand in one array `f`, all of the timetable in another, `s`, because the compiler takes
much longer over more arguments; `f[X]` says where table X begins. Whether kept machine code is still right is judged
by this file alone, so whatever it is made of, the order of the tables too, has to stand in this file.

A move is a few single changes, written down so that they can be taken back; only the things it touched are
priced again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from khue.school.timetable.solving.jitting import jit

Array = np.ndarray[Any, Any]
ASSIGN_TIME, PREFER_TIMES, SPLIT, DISTRIBUTE, SPREAD, LINK, ORDER = range(7)
UNAVAILABLE, IDLE, CLUSTER, LIMIT, CLASH, LOAD, ASSIGN_RESOURCE, PREFER_RESOURCES, AVOID_SPLIT = range(7, 16)
JOURNAL = 4096
"""The most single changes one move may make."""

# Where things stand in the array of facts. First plain numbers: slots, the scale of workloads, the unit of
# infeasibility, the cost no timetable can change, how wide rows of resources and of chosen ones are, counts,
# and where the prices of groups, resources, ... begin among all prices.
(SLOTS, SCALE, UNIT, CONSTANT, POOL_WIDTH, WIDTH, RESOURCE_COUNT, BUNDLE_COUNT, MOVABLE_COUNT) = range(9)
(SPLITTABLE_COUNT, PLACED_COUNT, SHARING_COUNT) = range(9, 12)
(GROUP_PRICES, RESOURCE_PRICES, LOAD_PRICES, PLACE_PRICES, SPLIT_PRICES, PRICE_COUNT) = range(12, 18)
# Then where each table begins.
# Of bundles: preassigned resources (repeats kept), lessons, durations, places, groups, whether the time is given.
(RESOURCE_OFF, RESOURCES, LESSON_BASE, LESSON_BUNDLE, DURATION_OFF, DURATIONS, PLACE_OFF, PLACES) = range(
    18, 26
)
(TOUCHING_OFF, TOUCHING, IS_FIXED) = range(26, 29)
# Row `ROW_BASE[b] + d - 1`: MAY[row, t] is 1 where a lesson of bundle b and duration d may begin, and as lists.
(ROW_BASE, MAY, START_OFF, STARTS) = range(29, 33)
# Of places: bundle, position there, what a unit of duration counts for workload, candidates as lists and [p, r].
(PLACE_BUNDLE, PLACE_SLOT, SHARE, CANDIDATE_OFF, CANDIDATES, IS_CANDIDATE) = range(33, 39)
# Sets of times as [set, time] and as sorted lists; sets of resources as [set, resource].
(IN_SET, SET_OFF, SET_TIMES, IN_POOL) = range(39, 43)
# Of monitors: kind, weight, cost function, where their numbers begin in DATA; then offsets: the monitors of one
# bundle, resource, resource (its workload) or place follow each other.
(MONITOR_KIND, MONITOR_WEIGHT, MONITOR_FUNCTION, MONITOR_DATA, DATA) = range(43, 48)
(BUNDLE_MONITORS, RESOURCE_MONITORS, LOAD_MONITORS, PLACE_MONITORS) = range(48, 52)
# Monitors over several bundles, and over several places.
(GROUP_MONITOR, GROUP_OFF, GROUP_BUNDLES, GROUP_TIMES) = range(52, 56)
(SPLIT_MONITOR, SPLIT_OFF, SPLIT_PLACES, FIXED_OFF, FIXED_RESOURCES, SPLITS_OFF, SPLITS_OF) = range(56, 63)
# Bundles that may move, that may be cut, with places, with a common resource, and that resource; preassigned
# workloads.
(MOVABLE, SPLITTABLE, PLACED, SHARING_OFF, SHARING, SHARED, PRELOAD) = range(63, 70)
# Of resources: the bundles that need it or may have it.
(USERS_OFF, USERS) = range(70, 72)
FACTS = 72

# Where things stand in the array of a timetable: the total cost; how many changes the present move made, how many
# things they touched; the mark last used. Then the tables: lessons of each bundle; of each lesson its duration,
# start and, as [lesson, slot], chosen resources; from COUNTS on what follows from these: [resource, time] how many
# lessons are there and the sum of their numbers; of each resource the lessons too many and the workload; the price
# of every monitored thing; things to price again, and how they were priced; changes to take back as [n, 4] (kind,
# lesson or bundle, slot, old value); marks of lessons, a list for walks over them, marks of resources.
(TOTAL, CHANGES, TOUCHED, STAMPED) = range(4)
(USED, DURATION, START, CHOSEN, COUNTS, WHO, EXCESS, LOADED, PRICE) = range(4, 13)
(DIRTY, DIRTY_LIST, OLD_PRICE, OPS, STAMP, QUEUE, SEEN) = range(13, 20)
NOW = 20

inner = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
"""Compiles what only compiled code calls."""
# Not plain numbers, or every one of them would be compiled into a version of its own.
WAS_START, WAS_PICK, WAS_DURATION, WAS_USED = np.arange(4, dtype=np.int64)
NONE, ON, OFF = np.int64(-1), np.int64(1), np.int64(-1)
SHIFT, SWAP, CHAIN, CUT, TAKE, UNIFY, PUSH = range(7)
MOST_CHANGES = JOURNAL // 2
REACH = 64
"""The most lessons one chain moves."""
PUSHES = 8
"""How many lessons may lose a resource to one another in one move."""
FOCUS = 0.2
"""How often one begins with a resource that breaks something required, as long as there is one."""
SCAN = 48
"""How many bundles or resources are looked at for one that costs something."""


@inner
def below(limit: int) -> int:
    """Return a random whole number from 0 up to, not including, `limit`."""
    return int(np.random.random() * limit)


@inner
def cost_of(f: Array, monitor: int, deviation: int) -> int:
    """Return what a deviation of a monitor costs."""
    if deviation <= 0:
        return 0
    function = f[f[MONITOR_FUNCTION] + monitor]
    if function == 1:
        deviation *= deviation
    elif function == 2:
        deviation = 1
    return f[f[MONITOR_WEIGHT] + monitor] * deviation


# Prices


@inner
def price_bundle(f: Array, s: Array, bundle: int) -> int:
    """Return what a bundle costs by the monitors on itself alone."""
    base = f[f[LESSON_BASE] + bundle]
    end = base + s[s[USED] + bundle]
    cost = 0
    for m in range(f[f[BUNDLE_MONITORS] + bundle], f[f[BUNDLE_MONITORS] + bundle + 1]):
        kind = f[f[MONITOR_KIND] + m]
        at = f[f[MONITOR_DATA] + m]
        deviation = 0
        if kind == ASSIGN_TIME:
            for x in range(base, end):
                if s[s[START] + x] < 0:
                    deviation += s[s[DURATION] + x]
        elif kind == PREFER_TIMES:
            only = f[f[DATA] + at + 1]
            for x in range(base, end):
                is_asked = s[s[START] + x] >= 0 and (only < 0 or only == s[s[DURATION] + x])
                if is_asked and not f[f[IN_SET] + f[f[DATA] + at] * f[SLOTS] + s[s[START] + x]]:
                    deviation += s[s[DURATION] + x]
        elif kind == SPLIT:
            for x in range(base, end):
                if s[s[DURATION] + x] < f[f[DATA] + at] or s[s[DURATION] + x] > f[f[DATA] + at + 1]:
                    deviation += 1
            count = end - base
            deviation += max(f[f[DATA] + at + 2] - count, count - f[f[DATA] + at + 3], 0)
        elif kind == DISTRIBUTE:
            count = 0
            for x in range(base, end):
                count += s[s[DURATION] + x] == f[f[DATA] + at]
            deviation = max(f[f[DATA] + at + 1] - count, count - f[f[DATA] + at + 2], 0)
        else:
            for k in range(at + 1, at + 1 + 4 * f[f[DATA] + at], 4):
                count = 0
                for x in range(base, end):
                    if s[s[START] + x] >= 0 and f[f[IN_SET] + f[f[DATA] + k] * f[SLOTS] + s[s[START] + x]]:
                        count += f[f[DATA] + k + 3]
                deviation += max(f[f[DATA] + k + 1] - count, count - f[f[DATA] + k + 2], 0)
        cost += cost_of(f, m, deviation)
    return cost


@inner
def runs_at(f: Array, s: Array, bundle: int, time: int) -> bool:
    """Return whether a bundle runs at a time."""
    for x in range(f[f[LESSON_BASE] + bundle], f[f[LESSON_BASE] + bundle] + s[s[USED] + bundle]):
        if s[s[START] + x] >= 0 and s[s[START] + x] <= time < s[s[START] + x] + s[s[DURATION] + x]:
            return True
    return False


@inner
def price_group(f: Array, s: Array, group: int) -> int:
    """Return what a monitor over several bundles costs."""
    m = f[f[GROUP_MONITOR] + group]
    kind = f[f[MONITOR_KIND] + m]
    at = f[f[MONITOR_DATA] + m]
    first, last = f[f[GROUP_OFF] + group], f[f[GROUP_OFF] + group + 1]
    deviation = 0
    if kind == SPREAD:
        for k in range(at + 1, at + 1 + 4 * f[f[DATA] + at], 4):
            count = 0
            for i in range(first, last):
                b = f[f[GROUP_BUNDLES] + i]
                for x in range(f[f[LESSON_BASE] + b], f[f[LESSON_BASE] + b] + s[s[USED] + b]):
                    if s[s[START] + x] >= 0 and f[f[IN_SET] + f[f[DATA] + k] * f[SLOTS] + s[s[START] + x]]:
                        count += f[f[GROUP_TIMES] + i]
            deviation += max(f[f[DATA] + k + 1] - count, count - f[f[DATA] + k + 2], 0)
    elif kind == LINK:
        for time in range(f[SLOTS]):
            running = 0
            for i in range(first, last):
                running += runs_at(f, s, f[f[GROUP_BUNDLES] + i], time)
            deviation += 0 < running < last - first
    else:
        begin, end = f[SLOTS], 0
        b = f[f[GROUP_BUNDLES] + first]
        for x in range(f[f[LESSON_BASE] + b], f[f[LESSON_BASE] + b] + s[s[USED] + b]):
            if s[s[START] + x] < 0:
                return 0
            end = max(end, s[s[START] + x] + s[s[DURATION] + x])
        b = f[f[GROUP_BUNDLES] + first + 1]
        for x in range(f[f[LESSON_BASE] + b], f[f[LESSON_BASE] + b] + s[s[USED] + b]):
            if s[s[START] + x] < 0:
                return 0
            begin = min(begin, s[s[START] + x])
        gap = begin - end
        deviation = max(f[f[DATA] + at] - gap, gap - f[f[DATA] + at + 1], 0)
    return cost_of(f, m, deviation)


@inner
def price_resource(f: Array, s: Array, resource: int) -> int:
    """Return what a resource costs by when it is busy."""
    cost = 0
    counts = s[COUNTS] + resource * f[SLOTS]
    for m in range(f[f[RESOURCE_MONITORS] + resource], f[f[RESOURCE_MONITORS] + resource + 1]):
        kind = f[f[MONITOR_KIND] + m]
        at = f[f[MONITOR_DATA] + m]
        deviation = 0
        if kind == CLASH:
            deviation = s[s[EXCESS] + resource]
        elif kind == UNAVAILABLE:
            for i in range(f[f[SET_OFF] + f[f[DATA] + at]], f[f[SET_OFF] + f[f[DATA] + at] + 1]):
                deviation += s[counts + f[f[SET_TIMES] + i]] > 0
        else:
            total = 0
            for k in range(at + 3, at + 3 + f[f[DATA] + at + 2]):
                low, high = f[f[SET_OFF] + f[f[DATA] + k]], f[f[SET_OFF] + f[f[DATA] + k] + 1]
                busy, first, last = 0, -1, -1
                for i in range(low, high):
                    if s[counts + f[f[SET_TIMES] + i]] > 0:
                        busy += 1
                        last = i
                        if first < 0:
                            first = i
                if busy:
                    if kind == IDLE:
                        total += last - first + 1 - busy
                    elif kind == CLUSTER:
                        total += 1
                    else:
                        deviation += max(f[f[DATA] + at] - busy, busy - f[f[DATA] + at + 1], 0)
            if kind != LIMIT:
                deviation = max(f[f[DATA] + at] - total, total - f[f[DATA] + at + 1], 0)
        cost += cost_of(f, m, deviation)
    return cost


@inner
def price_load(f: Array, s: Array, resource: int) -> int:
    """Return what a resource costs by its workload."""
    cost = 0
    for m in range(f[f[LOAD_MONITORS] + resource], f[f[LOAD_MONITORS] + resource + 1]):
        at = f[f[MONITOR_DATA] + m]
        over = max(
            f[f[DATA] + at] - s[s[LOADED] + resource], s[s[LOADED] + resource] - f[f[DATA] + at + 1], 0
        )
        cost += cost_of(f, m, (over + f[SCALE] - 1) // f[SCALE])
    return cost


@inner
def price_place(f: Array, s: Array, place: int) -> int:
    """Return what a place costs by the resources its lessons have."""
    bundle, slot = f[f[PLACE_BUNDLE] + place], f[f[PLACE_SLOT] + place]
    cost = 0
    for m in range(f[f[PLACE_MONITORS] + place], f[f[PLACE_MONITORS] + place + 1]):
        deviation = 0
        at = f[f[MONITOR_DATA] + m]
        for x in range(f[f[LESSON_BASE] + bundle], f[f[LESSON_BASE] + bundle] + s[s[USED] + bundle]):
            resource = s[s[CHOSEN] + x * f[WIDTH] + slot]
            if f[f[MONITOR_KIND] + m] == ASSIGN_RESOURCE:
                if resource < 0:
                    deviation += s[s[DURATION] + x]
            elif resource >= 0 and not f[f[IN_POOL] + f[f[DATA] + at] * f[POOL_WIDTH] + resource]:
                deviation += s[s[DURATION] + x]
        cost += cost_of(f, m, deviation)
    return cost


@inner
def price_split(f: Array, s: Array, split: int) -> int:
    """Return what it costs that places which should share one resource have several."""
    s[STAMPED] += 1
    stamp = s[STAMPED]
    found = 0
    for i in range(f[f[FIXED_OFF] + split], f[f[FIXED_OFF] + split + 1]):
        resource = f[f[FIXED_RESOURCES] + i]
        found += s[s[SEEN] + resource] != stamp
        s[s[SEEN] + resource] = stamp
    for i in range(f[f[SPLIT_OFF] + split], f[f[SPLIT_OFF] + split + 1]):
        place = f[f[SPLIT_PLACES] + i]
        bundle = f[f[PLACE_BUNDLE] + place]
        for x in range(f[f[LESSON_BASE] + bundle], f[f[LESSON_BASE] + bundle] + s[s[USED] + bundle]):
            resource = s[s[CHOSEN] + x * f[WIDTH] + f[f[PLACE_SLOT] + place]]
            if resource >= 0:
                found += s[s[SEEN] + resource] != stamp
                s[s[SEEN] + resource] = stamp
    return cost_of(f, f[f[SPLIT_MONITOR] + split], found - 1)


@inner
def price(f: Array, s: Array, thing: int) -> int:
    """Return what a thing costs; things are numbered as in `Now.price`."""
    if thing < f[GROUP_PRICES]:
        return price_bundle(f, s, thing)
    if thing < f[RESOURCE_PRICES]:
        return price_group(f, s, thing - f[GROUP_PRICES])
    if thing < f[LOAD_PRICES]:
        return price_resource(f, s, thing - f[RESOURCE_PRICES])
    if thing < f[PLACE_PRICES]:
        return price_load(f, s, thing - f[LOAD_PRICES])
    if thing < f[SPLIT_PRICES]:
        return price_place(f, s, thing - f[PLACE_PRICES])
    return price_split(f, s, thing - f[SPLIT_PRICES])


# Single changes


@inner
def touch(s: Array, thing: int) -> None:
    """Put a thing among those to be priced again."""
    if not s[s[DIRTY] + thing]:
        s[s[DIRTY] + thing] = 1
        s[s[DIRTY_LIST] + s[TOUCHED]] = thing
        s[TOUCHED] += 1


@inner
def occupy(f: Array, s: Array, resource: int, lesson: int, start: int, duration: int, sign: int) -> None:
    """Put a lesson on a resource's times (sign 1) or take it off (-1)."""
    for time in range(start, start + duration):
        before = s[s[COUNTS] + resource * f[SLOTS] + time]
        s[s[COUNTS] + resource * f[SLOTS] + time] = before + sign
        s[s[WHO] + resource * f[SLOTS] + time] += sign * lesson
        if sign > 0:
            s[s[EXCESS] + resource] += before > 0
        else:
            s[s[EXCESS] + resource] -= before > 1


@inner
def place_lesson(f: Array, s: Array, lesson: int, sign: int) -> None:
    """Put a lesson with a start on the times of all its resources, or take it off."""
    bundle = f[f[LESSON_BUNDLE] + lesson]
    start, duration = s[s[START] + lesson], s[s[DURATION] + lesson]
    for i in range(f[f[RESOURCE_OFF] + bundle], f[f[RESOURCE_OFF] + bundle + 1]):
        occupy(f, s, f[f[RESOURCES] + i], lesson, start, duration, sign)
        touch(s, f[RESOURCE_PRICES] + f[f[RESOURCES] + i])
    for slot in range(f[f[PLACE_OFF] + bundle + 1] - f[f[PLACE_OFF] + bundle]):
        resource = s[s[CHOSEN] + lesson * f[WIDTH] + slot]
        if resource >= 0:
            occupy(f, s, resource, lesson, start, duration, sign)
            touch(s, f[RESOURCE_PRICES] + resource)


@inner
def note(s: Array, kind: int, thing: int, slot: int, old: int) -> None:
    """Write down a change, so that it can be taken back."""
    n = s[CHANGES]
    s[s[OPS] + n * 4] = kind
    s[s[OPS] + n * 4 + 1] = thing
    s[s[OPS] + n * 4 + 2] = slot
    s[s[OPS] + n * 4 + 3] = old
    s[CHANGES] = n + 1


@inner
def put_start(f: Array, s: Array, lesson: int, start: int) -> None:
    """Change the start of a lesson, with what is counted, but without a note."""
    if s[s[START] + lesson] >= 0:
        place_lesson(f, s, lesson, OFF)
    s[s[START] + lesson] = start
    if start >= 0:
        place_lesson(f, s, lesson, ON)


@inner
def put_pick(f: Array, s: Array, lesson: int, slot: int, resource: int) -> None:
    """Change a resource of a lesson, with what is counted, but without a note."""
    bundle = f[f[LESSON_BUNDLE] + lesson]
    share = f[f[SHARE] + f[f[PLACES] + f[f[PLACE_OFF] + bundle] + slot]] * s[s[DURATION] + lesson]
    for old, sign in ((s[s[CHOSEN] + lesson * f[WIDTH] + slot], OFF), (resource, ON)):
        if old >= 0:
            s[s[LOADED] + old] += sign * share
            touch(s, f[LOAD_PRICES] + old)
            if s[s[START] + lesson] >= 0:
                occupy(f, s, old, lesson, s[s[START] + lesson], s[s[DURATION] + lesson], sign)
                touch(s, f[RESOURCE_PRICES] + old)
    s[s[CHOSEN] + lesson * f[WIDTH] + slot] = resource


@inner
def touch_bundle(f: Array, s: Array, bundle: int) -> None:
    """Have a bundle and the groups it is in priced again."""
    touch(s, bundle)
    for i in range(f[f[TOUCHING_OFF] + bundle], f[f[TOUCHING_OFF] + bundle + 1]):
        touch(s, f[GROUP_PRICES] + f[f[TOUCHING] + i])


@inner
def touch_place(f: Array, s: Array, place: int) -> None:
    """Have a place and the groups it is in priced again."""
    touch(s, f[PLACE_PRICES] + place)
    for i in range(f[f[SPLITS_OFF] + place], f[f[SPLITS_OFF] + place + 1]):
        touch(s, f[SPLIT_PRICES] + f[f[SPLITS_OF] + i])


@inner
def set_start(f: Array, s: Array, lesson: int, start: int) -> None:
    """Move a lesson to another start, -1 for none."""
    if s[s[START] + lesson] != start:
        note(s, WAS_START, lesson, NONE, s[s[START] + lesson])
        put_start(f, s, lesson, start)
        touch_bundle(f, s, f[f[LESSON_BUNDLE] + lesson])


@inner
def set_pick(f: Array, s: Array, lesson: int, slot: int, resource: int) -> None:
    """Give a lesson another resource, -1 for none."""
    if s[s[CHOSEN] + lesson * f[WIDTH] + slot] != resource:
        note(s, WAS_PICK, lesson, slot, s[s[CHOSEN] + lesson * f[WIDTH] + slot])
        put_pick(f, s, lesson, slot, resource)
        touch_place(f, s, f[f[PLACES] + f[f[PLACE_OFF] + f[f[LESSON_BUNDLE] + lesson]] + slot])


@inner
def strip(f: Array, s: Array, lesson: int) -> None:
    """Take a lesson's start and resources, so that it may change its duration or vanish."""
    set_start(f, s, lesson, NONE)
    bundle = f[f[LESSON_BUNDLE] + lesson]
    for slot in range(f[f[PLACE_OFF] + bundle + 1] - f[f[PLACE_OFF] + bundle]):
        set_pick(f, s, lesson, slot, NONE)


@inner
def set_duration(f: Array, s: Array, lesson: int, duration: int) -> None:
    """Change the duration of a lesson without start and resources."""
    note(s, WAS_DURATION, lesson, NONE, s[s[DURATION] + lesson])
    s[s[DURATION] + lesson] = duration
    touch_shape(f, s, f[f[LESSON_BUNDLE] + lesson])


@inner
def set_used(f: Array, s: Array, bundle: int, count: int) -> None:
    """Change how many lessons a bundle has; those that come or go have no start and no resources."""
    note(s, WAS_USED, bundle, NONE, s[s[USED] + bundle])
    s[s[USED] + bundle] = count
    touch_shape(f, s, bundle)


@inner
def touch_shape(f: Array, s: Array, bundle: int) -> None:
    """Have everything priced again that looks at the durations of a bundle's lessons."""
    touch_bundle(f, s, bundle)
    for i in range(f[f[PLACE_OFF] + bundle], f[f[PLACE_OFF] + bundle + 1]):
        touch_place(f, s, f[f[PLACES] + i])


@inner
def settle(f: Array, s: Array) -> int:
    """Price what the move touched; return the change of the total."""
    before = s[TOTAL]
    total = before
    for i in range(s[TOUCHED]):
        thing = s[s[DIRTY_LIST] + i]
        s[s[OLD_PRICE] + i] = s[s[PRICE] + thing]
        new = price(f, s, thing)
        total += new - s[s[PRICE] + thing]
        s[s[PRICE] + thing] = new
    s[TOTAL] = total
    return total - before


@inner
def accept(s: Array) -> None:
    """Let the move stand."""
    for i in range(s[TOUCHED]):
        s[s[DIRTY] + s[s[DIRTY_LIST] + i]] = 0
    s[CHANGES] = 0
    s[TOUCHED] = 0


@inner
def undo(f: Array, s: Array, delta: int, is_priced: bool) -> None:
    """Take the move back; `delta` is what `settle` returned."""
    touched = s[TOUCHED]
    for i in range(s[CHANGES] - 1, -1, -1):
        op = s[OPS] + 4 * i
        kind, thing, slot, old = s[op], s[op + 1], s[op + 2], s[op + 3]
        if kind == WAS_START:
            put_start(f, s, thing, old)
        elif kind == WAS_PICK:
            put_pick(f, s, thing, slot, old)
        elif kind == WAS_DURATION:
            s[s[DURATION] + thing] = old
        else:
            s[s[USED] + thing] = old
    if is_priced:
        for i in range(touched):
            s[s[PRICE] + s[s[DIRTY_LIST] + i]] = s[s[OLD_PRICE] + i]
        s[TOTAL] -= delta
    accept(s)


@jit
def count_all(f: Array, s: Array) -> None:
    """Count and price the timetable that was written into the arrays."""
    for i in range(s[COUNTS], len(s)):
        s[i] = 0
    for resource in range(f[RESOURCE_COUNT]):
        s[s[LOADED] + resource] = f[f[PRELOAD] + resource]
    s[CHANGES] = 0
    s[TOUCHED] = 0
    for bundle in range(f[BUNDLE_COUNT]):
        for x in range(f[f[LESSON_BASE] + bundle], f[f[LESSON_BASE] + bundle] + s[s[USED] + bundle]):
            if s[s[START] + x] >= 0:
                place_lesson(f, s, x, ON)
            for slot in range(f[f[PLACE_OFF] + bundle + 1] - f[f[PLACE_OFF] + bundle]):
                if s[s[CHOSEN] + x * f[WIDTH] + slot] >= 0:
                    share = f[f[SHARE] + f[f[PLACES] + f[f[PLACE_OFF] + bundle] + slot]]
                    s[s[LOADED] + s[s[CHOSEN] + x * f[WIDTH] + slot]] += share * s[s[DURATION] + x]
    accept(s)
    total = f[CONSTANT]
    for thing in range(f[PRICE_COUNT]):
        s[s[PRICE] + thing] = price(f, s, thing)
        total += s[s[PRICE] + thing]
    s[TOTAL] = total


# Moves; each returns whether it changed something


@inner
def row_of(f: Array, s: Array, lesson: int) -> int:
    """Return the row of the starts a lesson may have."""
    return f[f[ROW_BASE] + f[f[LESSON_BUNDLE] + lesson]] + s[s[DURATION] + lesson] - 1


@inner
def some_start(f: Array, row: int) -> int:
    """Return a random start of a row, -1 if it has none."""
    count = f[f[START_OFF] + row + 1] - f[f[START_OFF] + row]
    return f[f[STARTS] + f[f[START_OFF] + row] + below(count)] if count else -1


@inner
def is_free(f: Array, s: Array, resource: int, start: int, duration: int) -> bool:
    """Return whether a resource has nothing to do for so long."""
    for time in range(start, start + duration):  # noqa: SIM110
        if s[s[COUNTS] + resource * f[SLOTS] + time]:
            return False
    return True


@inner
def clashes(f: Array, s: Array, resource: int, start: int, duration: int) -> bool:
    """Return whether a resource has two things to do at once."""
    for time in range(start, start + duration):  # noqa: SIM110
        if s[s[COUNTS] + resource * f[SLOTS] + time] > 1:
            return True
    return False


@inner
def slot_with(f: Array, s: Array, lesson: int, resource: int) -> int:
    """Return at which of its places a lesson has a resource, -1 if at none."""
    bundle = f[f[LESSON_BUNDLE] + lesson]
    for slot in range(f[f[PLACE_OFF] + bundle + 1] - f[f[PLACE_OFF] + bundle]):
        if s[s[CHOSEN] + lesson * f[WIDTH] + slot] == resource:
            return slot
    return -1


@inner
def guilty_resource(f: Array, s: Array) -> int:
    """Return a random resource whose times break something required, -1 if there is none."""
    if s[TOTAL] < f[UNIT]:
        return -1
    count = f[RESOURCE_COUNT]
    resource = below(count)
    for _ in range(count):
        if s[s[PRICE] + f[RESOURCE_PRICES] + resource] >= f[UNIT]:
            return resource
        resource = resource + 1 if resource + 1 < count else 0
    return -1


@inner
def guilty_lesson(f: Array, s: Array, resource: int) -> int:
    """Return a lesson that has a resource, one of several at once if there are such, -1 if none has it."""
    first, count = f[f[USERS_OFF] + resource], f[f[USERS_OFF] + resource + 1] - f[f[USERS_OFF] + resource]
    found = -1
    shift = below(max(count, 1))
    for i in range(count):
        bundle = f[f[USERS] + first + (i + shift) % count]
        is_given = False
        for k in range(f[f[RESOURCE_OFF] + bundle], f[f[RESOURCE_OFF] + bundle + 1]):
            is_given = is_given or f[f[RESOURCES] + k] == resource
        for x in range(f[f[LESSON_BASE] + bundle], f[f[LESSON_BASE] + bundle] + s[s[USED] + bundle]):
            if s[s[START] + x] < 0 or not (is_given or slot_with(f, s, x, resource) >= 0):
                continue
            if clashes(f, s, resource, s[s[START] + x], s[s[DURATION] + x]):
                return x
            if found < 0:
                found = x
    return found


@inner
def some_lesson(f: Array, s: Array) -> int:
    """Return a random lesson that may move, more often one that costs something itself or through a resource."""
    chance = np.random.random()
    if chance > 1 - FOCUS:
        resource = guilty_resource(f, s)
        lesson = guilty_lesson(f, s, resource) if resource >= 0 else -1
        if lesson >= 0 and not f[f[IS_FIXED] + f[f[LESSON_BUNDLE] + lesson]]:
            return lesson
    if chance < 0.2:
        shift = below(f[MOVABLE_COUNT])
        for i in range(min(f[MOVABLE_COUNT], SCAN)):
            bundle = f[f[MOVABLE] + (i + shift) % f[MOVABLE_COUNT]]
            if s[s[PRICE] + bundle] > 0:
                return f[f[LESSON_BASE] + bundle] + below(s[s[USED] + bundle])
    elif chance < 0.5 and f[SHARING_COUNT] > 0:
        shift = below(f[SHARING_COUNT])
        for i in range(min(f[SHARING_COUNT], SCAN)):
            row = (i + shift) % f[SHARING_COUNT]
            if s[s[PRICE] + f[RESOURCE_PRICES] + f[f[SHARED] + row]] > 0:
                first = f[f[SHARING_OFF] + row]
                bundle = f[f[SHARING] + first + below(f[f[SHARING_OFF] + row + 1] - first)]
                return f[f[LESSON_BASE] + bundle] + below(s[s[USED] + bundle])
    bundle = f[f[MOVABLE] + below(f[MOVABLE_COUNT])]
    return f[f[LESSON_BASE] + bundle] + below(s[s[USED] + bundle])


@inner
def has_room(f: Array, s: Array, resource: int, units: int) -> bool:
    """Return whether so much more work keeps a resource within every limit of its workload."""
    for m in range(f[f[LOAD_MONITORS] + resource], f[f[LOAD_MONITORS] + resource + 1]):
        if s[s[LOADED] + resource] + units > f[f[DATA] + f[f[MONITOR_DATA] + m] + 1]:
            return False
    return True


@inner
def substitute(f: Array, s: Array, lesson: int, slot: int, old: int) -> int:
    """Return a resource with time and workload to spare for a place, `old` if it can be, -1 if there is none."""
    start, duration = s[s[START] + lesson], s[s[DURATION] + lesson]
    place = f[f[PLACES] + f[f[PLACE_OFF] + f[f[LESSON_BUNDLE] + lesson]] + slot]
    units = f[f[SHARE] + place] * duration
    if (
        old >= 0
        and f[f[IS_CANDIDATE] + place * f[POOL_WIDTH] + old]
        and is_free(f, s, old, start, duration)
        and has_room(f, s, old, units)
    ):
        return old
    first = f[f[CANDIDATE_OFF] + place]
    count = f[f[CANDIDATE_OFF] + place + 1] - first
    shift = below(max(count, 1))
    for i in range(count):
        resource = f[f[CANDIDATES] + first + (i + shift) % count]
        if is_free(f, s, resource, start, duration) and has_room(f, s, resource, units):
            return resource
    return -1


@inner
def change_rooms(f: Array, s: Array, lesson: int) -> None:
    """Give a lesson a free resource wherever the one it has is also wanted by another at that time."""
    start, duration, bundle = s[s[START] + lesson], s[s[DURATION] + lesson], f[f[LESSON_BUNDLE] + lesson]
    if start < 0:
        return
    for slot in range(f[f[PLACE_OFF] + bundle + 1] - f[f[PLACE_OFF] + bundle]):
        now = s[s[CHOSEN] + lesson * f[WIDTH] + slot]
        if now >= 0 and not clashes(f, s, now, start, duration):
            continue
        other = substitute(f, s, lesson, slot, NONE)
        if other >= 0:
            set_pick(f, s, lesson, slot, other)


@inner
def shift(f: Array, s: Array) -> bool:
    """Give a lesson another start."""
    lesson = some_lesson(f, s)
    start = some_start(f, row_of(f, s, lesson))
    if start < 0 or start == s[s[START] + lesson]:
        return False
    set_start(f, s, lesson, start)
    change_rooms(f, s, lesson)
    return True


@inner
def swap(f: Array, s: Array) -> bool:
    """Exchange two lessons of one resource; two side by side change places as a block."""
    rows = f[SHARING_COUNT]
    if rows < 1:
        return False
    row = below(rows)
    first, count = f[f[SHARING_OFF] + row], f[f[SHARING_OFF] + row + 1] - f[f[SHARING_OFF] + row]
    i, j = below(count), below(count - 1)
    j += j >= i
    left, right = f[f[SHARING] + first + i], f[f[SHARING] + first + j]
    one = f[f[LESSON_BASE] + left] + below(s[s[USED] + left])
    two = f[f[LESSON_BASE] + right] + below(s[s[USED] + right])
    start, other = s[s[START] + one], s[s[START] + two]
    length, width = s[s[DURATION] + one], s[s[DURATION] + two]
    if start == other:
        return False
    to_one, to_two = other, start
    if start >= 0 and start + length == other:
        to_two, to_one = start, start + width
    elif other >= 0 and other + width == start:
        to_one, to_two = other, other + length
    if to_one >= 0 and not f[f[MAY] + row_of(f, s, one) * f[SLOTS] + to_one]:
        return False
    if to_two >= 0 and not f[f[MAY] + row_of(f, s, two) * f[SLOTS] + to_two]:
        return False
    set_start(f, s, one, to_one)
    set_start(f, s, two, to_two)
    change_rooms(f, s, one)
    change_rooms(f, s, two)
    return True


@inner
def chain(f: Array, s: Array) -> bool:
    """Exchange two stretches of times for a lesson and all it would collide with, and so on.

    The stretches are as long as the lesson, or longer, so that several short lessons may change with a long one.
    Long chains are mostly in vain and cost most, so they are tried seldom.
    """
    lesson = some_lesson(f, s)
    start = some_start(f, row_of(f, s, lesson))
    old, width = s[s[START] + lesson], s[s[DURATION] + lesson]
    if start < 0 or old < 0:
        return False
    before = 0
    if np.random.random() < 0.3:
        longer = 1 + int(np.random.random() * 3)
        before = below(longer + 1)
        width += longer
    if abs(start - old) < width:
        return False
    here, there = old - before, start - before
    if min(here, there) < 0 or max(here, there) + width > f[SLOTS]:
        return False
    with_picks = np.random.random() < 0.5
    reach = min(int(4.0 / (1.0 - np.random.random())), REACH)
    s[STAMPED] += 1
    stamp = s[STAMPED]
    s[s[QUEUE] + 0] = lesson
    s[s[STAMP] + lesson] = stamp
    head, tail = 0, 1
    while head < tail:
        current = s[s[QUEUE] + head]
        head += 1
        bundle = f[f[LESSON_BUNDLE] + current]
        at = s[s[START] + current]
        side = here if here <= at < here + width else there
        goal = at + (there if side == here else here) - side
        fixed = f[f[RESOURCE_OFF] + bundle + 1] - f[f[RESOURCE_OFF] + bundle]
        slots = f[f[PLACE_OFF] + bundle + 1] - f[f[PLACE_OFF] + bundle] if with_picks else 0
        for i in range(fixed + slots):
            if i < fixed:
                resource = f[f[RESOURCES] + f[f[RESOURCE_OFF] + bundle] + i]
            else:
                resource = s[s[CHOSEN] + current * f[WIDTH] + i - fixed]
            if resource < 0:
                continue
            for time in range(goal, goal + s[s[DURATION] + current]):
                if s[s[COUNTS] + resource * f[SLOTS] + time] != 1:
                    continue
                other = s[s[WHO] + resource * f[SLOTS] + time]
                if s[s[STAMP] + other] == stamp:
                    continue
                far = there if side == here else here
                begin = s[s[START] + other]
                if begin < far or begin + s[s[DURATION] + other] > far + width:
                    return False
                if f[f[IS_FIXED] + f[f[LESSON_BUNDLE] + other]] or tail >= reach:
                    return False
                if not f[f[MAY] + row_of(f, s, other) * f[SLOTS] + begin - far + side]:
                    return False
                s[s[STAMP] + other] = stamp
                s[s[QUEUE] + tail] = other
                tail += 1
    if not f[f[MAY] + row_of(f, s, lesson) * f[SLOTS] + start]:
        return False
    for i in range(tail):
        current = s[s[QUEUE] + i]
        at = s[s[START] + current]
        side = here if here <= at < here + width else there
        set_start(f, s, current, at + (there if side == here else here) - side)
    if not with_picks:
        for i in range(tail):
            change_rooms(f, s, s[s[QUEUE] + i])
    return True


@inner
def cut(f: Array, s: Array) -> bool:
    """Cut a lesson in two or join two, the first keeping its start and resources where it may."""
    if f[SPLITTABLE_COUNT] == 0:
        return False
    bundle = f[f[SPLITTABLE] + below(f[SPLITTABLE_COUNT])]
    base, used = f[f[LESSON_BASE] + bundle], s[s[USED] + bundle]
    one = base + below(used)
    slots = f[f[PLACE_OFF] + bundle + 1] - f[f[PLACE_OFF] + bundle]
    if used > 1 and np.random.random() < 0.5:
        two = base + below(used - 1)
        two += two >= one
        total = s[s[DURATION] + one] + s[s[DURATION] + two]
        if not is_duration(f, bundle, total):
            return False
        start = s[s[START] + one]
        set_start(f, s, one, NONE)
        set_start(f, s, two, NONE)
        resize(f, s, one, total)
        set_start(f, s, one, near(f, s, one, start))
        last = base + used - 1
        if two != last:
            strip(f, s, two)
            set_duration(f, s, two, s[s[DURATION] + last])
            at = s[s[START] + last]
            set_start(f, s, last, NONE)
            for slot in range(slots):
                set_pick(f, s, two, slot, s[s[CHOSEN] + last * f[WIDTH] + slot])
            set_start(f, s, two, at)
        strip(f, s, last)
        set_used(f, s, bundle, used - 1)
        change_rooms(f, s, one)
        return True
    total = s[s[DURATION] + one]
    first = f[f[DURATION_OFF] + bundle]
    count = f[f[DURATION_OFF] + bundle + 1] - first
    part = f[f[DURATIONS] + first + below(count)]
    if part >= total or not is_duration(f, bundle, total - part):
        return False
    start = s[s[START] + one]
    two = base + used
    set_start(f, s, one, NONE)
    resize(f, s, one, part)
    set_used(f, s, bundle, used + 1)
    if s[s[DURATION] + two] != total - part:
        set_duration(f, s, two, total - part)
    for slot in range(slots):
        set_pick(f, s, two, slot, s[s[CHOSEN] + one * f[WIDTH] + slot])
    set_start(f, s, one, near(f, s, one, start))
    set_start(f, s, two, near(f, s, two, NONE))
    change_rooms(f, s, one)
    change_rooms(f, s, two)
    return True


@inner
def resize(f: Array, s: Array, lesson: int, duration: int) -> None:
    """Change the duration of a lesson without start, keeping its resources."""
    bundle = f[f[LESSON_BUNDLE] + lesson]
    slots = f[f[PLACE_OFF] + bundle + 1] - f[f[PLACE_OFF] + bundle]
    first = s[CHANGES]
    for slot in range(slots):
        if s[s[CHOSEN] + lesson * f[WIDTH] + slot] >= 0:
            set_pick(f, s, lesson, slot, NONE)
    last = s[CHANGES]
    set_duration(f, s, lesson, duration)
    for i in range(first, last):
        set_pick(f, s, lesson, s[s[OPS] + i * 4 + 2], s[s[OPS] + i * 4 + 3])


@inner
def is_duration(f: Array, bundle: int, duration: int) -> bool:
    """Return whether a lesson of the bundle may have a duration."""
    for i in range(f[f[DURATION_OFF] + bundle], f[f[DURATION_OFF] + bundle + 1]):
        if f[f[DURATIONS] + i] == duration:
            return True
    return False


@inner
def near(f: Array, s: Array, lesson: int, start: int) -> int:
    """Return `start` if the lesson may begin there, else any start it may have."""
    row = row_of(f, s, lesson)
    if start >= 0 and f[f[MAY] + row * f[SLOTS] + start]:
        return start
    return some_start(f, row)


@inner
def take(f: Array, s: Array) -> bool:
    """Give a lesson another resource; one lesson that has it at the same time takes the old one in exchange."""
    if f[PLACED_COUNT] == 0:
        return False
    bundle = f[f[PLACED] + below(f[PLACED_COUNT])]
    lesson = f[f[LESSON_BASE] + bundle] + below(s[s[USED] + bundle])
    slot = below(f[f[PLACE_OFF] + bundle + 1] - f[f[PLACE_OFF] + bundle])
    place = f[f[PLACES] + f[f[PLACE_OFF] + bundle] + slot]
    count = f[f[CANDIDATE_OFF] + place + 1] - f[f[CANDIDATE_OFF] + place]
    if count == 0:
        return False
    resource = f[f[CANDIDATES] + f[f[CANDIDATE_OFF] + place] + below(count)]
    old = s[s[CHOSEN] + lesson * f[WIDTH] + slot]
    if resource == old:
        return False
    if np.random.random() < 0.3:
        for x in range(f[f[LESSON_BASE] + bundle], f[f[LESSON_BASE] + bundle] + s[s[USED] + bundle]):
            give(f, s, x, slot, resource)
    else:
        give(f, s, lesson, slot, resource)
    return True


@inner
def give(f: Array, s: Array, lesson: int, slot: int, resource: int) -> None:
    """Give a lesson a resource, and what it had to the lesson that loses it."""
    start, duration = s[s[START] + lesson], s[s[DURATION] + lesson]
    old = s[s[CHOSEN] + lesson * f[WIDTH] + slot]
    if start >= 0 and resource != old and s[s[COUNTS] + resource * f[SLOTS] + start] == 1:
        other = s[s[WHO] + resource * f[SLOTS] + start]
        bundle = f[f[LESSON_BUNDLE] + other]
        if other != lesson and s[s[START] + other] == start and s[s[DURATION] + other] == duration:
            for theirs in range(f[f[PLACE_OFF] + bundle + 1] - f[f[PLACE_OFF] + bundle]):
                if s[s[CHOSEN] + other * f[WIDTH] + theirs] == resource:
                    place = f[f[PLACES] + f[f[PLACE_OFF] + bundle] + theirs]
                    if old < 0 or f[f[IS_CANDIDATE] + place * f[POOL_WIDTH] + old]:
                        set_pick(f, s, other, theirs, old)
                    break
    set_pick(f, s, lesson, slot, resource)


@inner
def rival(f: Array, s: Array, lesson: int, resource: int) -> int:
    """Return another lesson that has a resource when `lesson` has it, -1 if there is none or more than one at a time."""
    start = s[s[START] + lesson]
    for time in range(start, start + s[s[DURATION] + lesson]):
        if s[s[COUNTS] + resource * f[SLOTS] + time] == 2:
            return s[s[WHO] + resource * f[SLOTS] + time] - lesson
    return -1


@inner
def push(f: Array, s: Array) -> bool:
    """Give a lesson another resource; whoever had it takes a free one or another's, who does so in turn."""
    if f[PLACED_COUNT] == 0:
        return False
    lesson = slot = -1
    if np.random.random() < FOCUS:
        resource = guilty_resource(f, s)
        lesson = guilty_lesson(f, s, resource) if resource >= 0 else -1
        slot = slot_with(f, s, lesson, resource) if lesson >= 0 else -1
    if slot < 0:
        bundle = f[f[PLACED] + below(f[PLACED_COUNT])]
        lesson = f[f[LESSON_BASE] + bundle] + below(s[s[USED] + bundle])
        slot = below(f[f[PLACE_OFF] + bundle + 1] - f[f[PLACE_OFF] + bundle])
    bundle = f[f[LESSON_BUNDLE] + lesson]
    place = f[f[PLACES] + f[f[PLACE_OFF] + bundle] + slot]
    count = f[f[CANDIDATE_OFF] + place + 1] - f[f[CANDIDATE_OFF] + place]
    if count < 2 or s[s[START] + lesson] < 0:
        return False
    resource = f[f[CANDIDATES] + f[f[CANDIDATE_OFF] + place] + below(count)]
    old = s[s[CHOSEN] + lesson * f[WIDTH] + slot]
    if resource == old:
        return False
    set_pick(f, s, lesson, slot, resource)
    s[STAMPED] += 1
    stamp = s[STAMPED]
    s[s[STAMP] + lesson] = stamp
    # The list holds (lesson, resource it took): whoever else has that must go.
    s[s[QUEUE]] = lesson
    s[s[QUEUE] + 1] = resource
    depth = 1
    pushed = 0
    while depth > 0 and pushed < PUSHES:
        lesson, resource = s[s[QUEUE] + 2 * depth - 2], s[s[QUEUE] + 2 * depth - 1]
        other = rival(f, s, lesson, resource)
        theirs = slot_with(f, s, other, resource) if other >= 0 else -1
        if theirs < 0 or s[s[STAMP] + other] == stamp:
            depth -= 1
            continue
        s[s[STAMP] + other] = stamp
        pushed += 1
        found = substitute(f, s, other, theirs, old)
        if found < 0:
            bundle = f[f[LESSON_BUNDLE] + other]
            place = f[f[PLACES] + f[f[PLACE_OFF] + bundle] + theirs]
            first = f[f[CANDIDATE_OFF] + place]
            count = f[f[CANDIDATE_OFF] + place + 1] - first
            if count < 2:
                return True
            found = f[f[CANDIDATES] + first + below(count)]
            if found == resource:
                continue
            s[s[QUEUE] + 2 * depth] = other
            s[s[QUEUE] + 2 * depth + 1] = found
            depth += 1
        old = resource
        set_pick(f, s, other, theirs, found)
    return True


@inner
def unify(f: Array, s: Array) -> bool:
    """Give all places that should share one resource the same one."""
    count = f[PRICE_COUNT] - f[SPLIT_PRICES]
    if count == 0:
        return False
    split = below(count)
    first, last = f[f[SPLIT_OFF] + split], f[f[SPLIT_OFF] + split + 1]
    place = f[f[SPLIT_PLACES] + first + below(last - first)]
    many = f[f[CANDIDATE_OFF] + place + 1] - f[f[CANDIDATE_OFF] + place]
    if many == 0:
        return False
    resource = f[f[CANDIDATES] + f[f[CANDIDATE_OFF] + place] + below(many)]
    for i in range(first, last):
        place = f[f[SPLIT_PLACES] + i]
        bundle = f[f[PLACE_BUNDLE] + place]
        if f[f[IS_CANDIDATE] + place * f[POOL_WIDTH] + resource]:
            for x in range(f[f[LESSON_BASE] + bundle], f[f[LESSON_BASE] + bundle] + s[s[USED] + bundle]):
                if s[CHANGES] > MOST_CHANGES:
                    return True
                give(f, s, x, f[f[PLACE_SLOT] + place], resource)
    return s[CHANGES] > 0


@inner
def move(f: Array, s: Array, kind: int) -> bool:
    """Make one move of a kind; return whether something was changed."""
    if kind == SHIFT:
        return shift(f, s)
    if kind == SWAP:
        return swap(f, s)
    if kind == CHAIN:
        return chain(f, s)
    if kind == CUT:
        return cut(f, s)
    if kind == TAKE:
        return take(f, s)
    if kind == PUSH:
        return push(f, s)
    return unify(f, s)


# Annealing


@inner
def weigh(f: Array, before: int, after: int, hard_weight: int) -> int:
    """Return the change of cost with infeasibility at the weight given."""
    hard = f[UNIT]
    return (after // hard - before // hard) * hard_weight + after % hard - before % hard


@inner
def keep(s: Array, best: Array) -> None:
    """Write the lessons down as the best."""
    for i in range(len(best)):
        best[i] = s[s[USED] + i]


@jit
def anneal(
    f: Array,
    s: Array,
    best: Array,
    rises: Array,
    best_cost: int,
    kinds: Array,
    seed: int,
    moves: int,
    warm: float,
    cold: float,
    hard_weight: int,
) -> int:
    """Make moves while the temperature falls from `warm` to `cold`; return the least cost met, kept in `best`.

    With `warm` 0 no move stands, and the rises of cost that break nothing required go to `rises`; their number
    is returned.
    """
    np.random.seed(seed)
    ratio = np.log(cold / warm) / max(moves, 1) if warm > 0 else 0.0
    temperature = warm
    is_kept = True
    count = 0
    for step in range(moves):
        if step & 255 == 0:
            temperature = warm * np.exp(ratio * step)
        is_made = move(f, s, kinds[below(len(kinds))])
        before = s[TOTAL]
        delta = settle(f, s) if is_made else 0
        stands = is_made
        if stands and warm <= 0:
            stands = False
            if 0 < delta < f[UNIT] // 2:
                rises[count] = delta
                count += 1
        elif stands:
            worse = weigh(f, before, before + delta, hard_weight)
            stands = worse <= 0 or np.random.random() < np.exp(-worse / temperature)
        if stands and delta > 0 and not is_kept:
            # The best is left: go back once more to write it down.
            stands = False
            is_kept = True
            undo(f, s, delta, is_made)
            keep(s, best)
        elif not stands:
            undo(f, s, delta, is_made)
        if stands:
            accept(s)
            if s[TOTAL] < best_cost:
                best_cost = s[TOTAL]
                is_kept = False
                if best_cost == f[CONSTANT]:
                    break
    if warm <= 0:
        return count
    if not is_kept:
        keep(s, best)
    return best_cost
