"""Compiled: making a whole timetable cheaper by chains of exchanges (see `annealing`), on a priced desk."""

# ruff: noqa: I001 - cells are imported many to a line
from __future__ import annotations

import math

from khue.school.timetable.solving.board_loops import Cells, Tables, allows, conflicts
from khue.school.timetable.solving.desk import (
    ACTIVITIES, BEST_ROOM, BEST_START, CHAIN_TO, CHAIN_UNIT, CONF, COST, DOM, DOM_PTR, FIELD, FIELD_CELLS, FIELD_PTR, HARD_WEEKS, IS_NEW,
    LOG_N, LONGEST_CHAIN, MARK, MOST, NEED, NEED_PTR, PART, PART_PTR, PICK, REST_COST, ROOM_OF, SLOTS, STAMP, START, SUM, UNITS,
    WAY_COST, WEEKS, WEEKS_COST,
)  # fmt: skip
from khue.school.timetable.solving.machine_code import called, typed
from khue.school.timetable.solving.pushing_loops import log_put, log_take, soft_cost, undo
from khue.school.timetable.solving.week_loops import chance

FAR = 1 << 30
EVEN = 1 << 30


@typed
def _room_cost(M: Cells, u: int) -> int:
    """Return what the rooms of a placed unit cost."""
    found = 0
    for k in range(M[M[NEED_PTR] + u], M[M[NEED_PTR] + u + 1]):
        way = M[M[ROOM_OF] + M[M[NEED] + k]]
        if way >= 0:
            found += M[M[WAY_COST] + way]
    return found


@called
def total(M: Cells, T: Tables) -> int:
    """Count what everything costs, and keep the count of pairs, starts and rooms; return the sum."""
    own = pairs = 0
    for u in range(M[UNITS]):
        s = M[M[START] + u]
        if s >= 0:
            alone = M[M[COST] + u * M[SLOTS] + s]
            own += alone + _room_cost(M, u)
            pairs += soft_cost(M, T, u, s) - alone
    M[REST_COST] = own + pairs // 2
    return M[WEEKS_COST] + M[REST_COST]


@typed
def week_cost(M: Cells, w: int) -> int:
    """Return what a week costs: each rule's price for each unit above its bound."""
    found = 0
    for f in range(M[M[FIELD_PTR] + w], M[M[FIELD_PTR] + w + 1]):
        row = M[FIELD] + f * FIELD_CELLS
        found += M[row + 7] * max(0, M[M[SUM] + f] - M[row + 5])
    return found


@typed
def costly(M: Cells, T: Tables, is_week: bool) -> int:
    """Return a unit of somebody whose week costs something, or one that costs something itself; -1 where a few looks find none."""
    soft = M[WEEKS] - M[HARD_WEEKS]
    for _ in range(6):
        if is_week:
            if soft == 0:
                return -1
            w = M[HARD_WEEKS] + chance(M, soft)
            count = M[M[PART_PTR] + w + 1] - M[M[PART_PTR] + w]
            if count and week_cost(M, w):
                return M[M[PART] + M[M[PART_PTR] + w] + chance(M, count)]
        else:
            u = chance(M, M[UNITS])
            if soft_cost(M, T, u, M[M[START] + u]) + _room_cost(M, u):
                return u
    return -1


@typed
def _may_start(M: Cells, u: int, t: int) -> bool:
    """Return whether a slot is one of a unit's starts."""
    low, high = M[M[DOM_PTR] + u], M[M[DOM_PTR] + u + 1]
    while low < high:
        middle = (low + high) // 2
        if M[M[DOM] + middle] < t:
            low = middle + 1
        else:
            high = middle
    return low < M[M[DOM_PTR] + u + 1] and M[M[DOM] + low] == t


@typed
def exchange(M: Cells, T: Tables, u: int, t: int) -> int:
    """Write who goes where (CHAIN_UNIT, CHAIN_TO) when a unit goes to a start; return how many, -1 when the chain ends nowhere."""
    M[M[CHAIN_UNIT]], M[M[CHAIN_TO]] = u, t
    count, at = 1, 0
    while at < count:
        v, target = M[M[CHAIN_UNIT] + at], M[M[CHAIN_TO] + at]
        by = target - M[M[START] + v]
        n = conflicts(M, T, v, target, M[CONF])
        if n < 0:
            return -1
        for j in range(n):
            w = M[M[CONF] + j]
            is_known = False
            for k in range(count):
                if M[M[CHAIN_UNIT] + k] == w:
                    is_known = True
                    break
            if is_known:
                continue
            goal = M[M[START] + w] - by
            if count >= LONGEST_CHAIN or not _may_start(M, w, goal):
                return -1
            M[M[CHAIN_UNIT] + count], M[M[CHAIN_TO] + count] = w, goal
            count += 1
        at += 1
    return count


@typed
def _apply(M: Cells, T: Tables, count: int) -> bool:
    """Move a chain, counting what it costs; False, and only part of it moved, where the hard demands do not allow it."""
    rest = 0
    for j in range(count):
        u = M[M[CHAIN_UNIT] + j]
        rest -= soft_cost(M, T, u, M[M[START] + u]) + _room_cost(M, u)
        log_take(M, u)
    for j in range(count):
        u, t = M[M[CHAIN_UNIT] + j], M[M[CHAIN_TO] + j]
        if conflicts(M, T, u, t, M[CONF]) != 0 or not allows(M, u, t):
            return False
        rest += soft_cost(M, T, u, t)
        log_put(M, u, t, M[PICK])
        rest += _room_cost(M, u)
    M[REST_COST] += rest
    return True


@typed
def _remember(M: Cells) -> None:
    M[IS_NEW] = 0
    for u in range(M[UNITS]):
        M[M[BEST_START] + u] = M[M[START] + u]
    for i in range(M[ACTIVITIES]):
        M[M[BEST_ROOM] + i] = M[M[ROOM_OF] + i]


@typed
def other_start(M: Cells, u: int) -> int:
    """Return one of a unit's starts by chance; -1 where it has no other than its own, or it is its own."""
    first = M[M[DOM_PTR] + u]
    width = M[M[DOM_PTR] + u + 1] - first
    if width < 2:
        return -1
    t = M[M[DOM] + first + chance(M, width)]
    return -1 if t == M[M[START] + u] else t


@typed
def renew_marks(M: Cells) -> None:
    """Begin stamps anew before they become too large for a cell."""
    if M[STAMP] > FAR:
        M[STAMP] = 1
        for u in range(M[UNITS]):
            M[M[MARK] + u] = 0


@called
def anneal(M: Cells, T: Tables, moves: int, heat: int) -> int:
    """Try so many moves at one temperature (prices); keep the best (BEST_START, its cost in MOST); return the moves that were made."""
    renew_marks(M)
    made = 0
    for n in range(moves):
        u = -1
        if n % 4 < 2:
            u = costly(M, T, n % 4 == 0)
        if u < 0:
            u = chance(M, M[UNITS])
        t = other_start(M, u)
        if t < 0:
            continue
        count = exchange(M, T, u, t)
        if count < 0:
            continue
        before, rest = M[WEEKS_COST] + M[REST_COST], M[REST_COST]
        M[LOG_N] = 0
        good = _apply(M, T, count)
        if good:
            more = M[WEEKS_COST] + M[REST_COST] - before
            if more > 0:
                good = chance(M, EVEN) < EVEN * math.exp(-more / heat)
            if good and M[IS_NEW] and more > 0:  # the best is about to be left
                undo(M, 0)
                M[REST_COST] = rest
                _remember(M)
                M[LOG_N] = 0
                _apply(M, T, count)
        if not good:
            undo(M, 0)
            M[REST_COST] = rest
            continue
        made += 1
        if M[WEEKS_COST] + M[REST_COST] < M[MOST]:
            M[MOST] = M[WEEKS_COST] + M[REST_COST]
            M[IS_NEW] = 1
            if M[MOST] == 0:
                break
    return made


@called
def finish(M: Cells) -> None:
    """Remember the best where it still stands on the desk."""
    if M[IS_NEW]:
        _remember(M)
