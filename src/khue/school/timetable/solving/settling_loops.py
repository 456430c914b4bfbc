"""Compiled: placing everything by annealing (see `settling`), on a desk where rules of weeks have a price."""

# ruff: noqa: I001 - cells are imported many to a line
from __future__ import annotations

import math

from khue.school.timetable.solving.annealing_loops import EVEN, costly, exchange, other_start, renew_marks, week_cost
from khue.school.timetable.solving.board_loops import Cells, Tables, allows, conflicts, groups_allow, push_out, put, rooms_for, take
from khue.school.timetable.solving.desk import (
    CHAIN_TO, CHAIN_UNIT, CONF, COUNT, DOM, DOM_PTR, FIELD, FIELD_CELLS, FIELD_PTR, FIXED, LACK, LEAST_LACK, LOG_N, OUT, OUT_N,
    PICK, REST_COST, STAMP, START, SUM, UNITS, WEEKS, WEEKS_COST,
)  # fmt: skip
from khue.school.timetable.solving.machine_code import called, typed
from khue.school.timetable.solving.pushing_loops import log_put, log_take, undo
from khue.school.timetable.solving.week_loops import chance

HEAVIEST = 30
"""How many times its first price a missing unit, or a broken rule, may come to cost."""


@typed
def _missing(M: Cells) -> int:
    """Return a unit that is not placed; -1 without one."""
    n = M[UNITS]
    if M[COUNT] == n:
        return -1
    u = chance(M, n)
    while M[M[START] + u] >= 0:
        u = (u + 1) % n
    return u


@typed
def _swap(M: Cells, T: Tables, count: int) -> bool:
    """Move a chain of exchanges; False, and only part of it moved, where rooms or groups do not allow it."""
    for j in range(count):
        log_take(M, M[M[CHAIN_UNIT] + j])
    for j in range(count):
        u, t = M[M[CHAIN_UNIT] + j], M[M[CHAIN_TO] + j]
        if conflicts(M, T, u, t, M[CONF]) != 0 or not allows(M, u, t):
            return False
        log_put(M, u, t, M[PICK])
    return True


@typed
def _come(M: Cells, T: Tables, u: int, t: int) -> bool:
    """Put a missing unit at a start, whoever is in its way becomes missing; False where it cannot be there."""
    n = conflicts(M, T, u, t, M[CONF])
    if n < 0:
        return False
    M[STAMP] += 1
    M[OUT_N] = 0
    for j in range(n):
        push_out(M, M[M[CONF] + j])
    if not rooms_for(M, u, t, True) or not groups_allow(M, u, t, True):
        return False
    M[REST_COST] -= M[M[LACK] + u]
    for j in range(M[OUT_N]):
        v = M[M[OUT] + j]
        M[REST_COST] += M[M[LACK] + v]
        log_take(M, v)
    log_put(M, u, t, M[PICK])
    return True


@called
def lay(M: Cells, T: Tables, price: int) -> None:
    """Take everything off but place what has one start; give everything its first price: rules of weeks the one given."""
    for u in range(M[UNITS]):
        if M[M[START] + u] >= 0:
            take(M, u)
    for w in range(M[WEEKS]):
        for f in range(M[M[FIELD_PTR] + w], M[M[FIELD_PTR] + w + 1]):
            M[M[FIELD] + f * FIELD_CELLS + 7] = price
    for u in range(M[UNITS]):
        M[M[LACK] + u] = M[M[LEAST_LACK] + u]
        if M[M[FIXED] + u]:
            s = M[M[DOM] + M[M[DOM_PTR] + u]]
            if conflicts(M, T, u, s, M[CONF]) == 0 and allows(M, u, s):
                put(M, u, s, M[PICK])
    _count(M)


@typed
def _count(M: Cells) -> None:
    """Count what is missing and broken costs."""
    weeks = rest = 0
    for w in range(M[WEEKS]):
        weeks += week_cost(M, w)
    for u in range(M[UNITS]):
        if M[M[START] + u] < 0:
            rest += M[M[LACK] + u]
    M[WEEKS_COST], M[REST_COST] = weeks, rest


@called
def weigh(M: Cells, price: int) -> None:
    """Make what is missing dearer by a tenth; where nothing is, broken rules by a twentieth, and missing cheaper again."""
    is_whole = M[COUNT] == M[UNITS]
    for u in range(M[UNITS]):
        least, its = M[M[LEAST_LACK] + u], M[M[LACK] + u]
        if M[M[START] + u] < 0:
            M[M[LACK] + u] = min(its + its // 10 + 1, HEAVIEST * least)
        elif is_whole:
            M[M[LACK] + u] = least + (its - least) * 9 // 10
    if is_whole:
        for w in range(M[WEEKS]):
            for f in range(M[M[FIELD_PTR] + w], M[M[FIELD_PTR] + w + 1]):
                row = M[FIELD] + f * FIELD_CELLS
                if M[M[SUM] + f] > M[row + 5]:
                    M[row + 7] = min(M[row + 7] + M[row + 7] // 20 + 1, HEAVIEST * price)
    _count(M)


@called
def settle(M: Cells, T: Tables, moves: int, heat: int) -> bool:
    """Try so many moves at one temperature (prices); True when everything is placed and no rule broken.

    A missing unit comes to a start and whoever is in the way becomes missing; a placed one changes places with whoever is.
    """
    renew_marks(M)
    for n in range(moves):
        if M[WEEKS_COST] + M[REST_COST] == 0:
            return True
        u = -1
        if n % 4 == 0:
            u = _missing(M)
        elif n % 4 == 1:
            u = costly(M, T, True)  # of somebody whose rules are broken: all have a price here
        if u < 0:
            u = chance(M, M[UNITS])
        t = other_start(M, u)
        if t < 0:
            continue
        before, rest = M[WEEKS_COST] + M[REST_COST], M[REST_COST]
        M[LOG_N] = 0
        if M[M[START] + u] < 0:
            good = _come(M, T, u, t)
        else:
            count = exchange(M, T, u, t)
            if count < 0:
                continue
            good = _swap(M, T, count)
        if good:
            more = M[WEEKS_COST] + M[REST_COST] - before
            if more > 0:
                good = chance(M, EVEN) < EVEN * math.exp(-more / heat)
        if not good:
            undo(M, 0)
            M[REST_COST] = rest
    return M[WEEKS_COST] + M[REST_COST] == 0
