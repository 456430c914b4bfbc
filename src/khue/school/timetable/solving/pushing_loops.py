"""Compiled: placing by pushing out (see `swapping`), on a desk."""

# ruff: noqa: I001 - cells are imported many to a line
from __future__ import annotations

from khue.school.timetable.solving.board_loops import (
    Cells, Tables, all_conflicts, allows, conflicts, groups_allow, own, price_of, push_for, put, rooms_for, take, walks_allow,
)  # fmt: skip
from khue.school.timetable.solving.desk import (
    ACTIVITIES, BEST_ROOM, BEST_START, BOUND, CALLS, CAP, CONF, CONF_N, COST, COUNT, DEEPEST, DOM, DOM_PTR, FIXED, FORCING, HARD, IS_BROAD, IS_LATER, LEFT, LENGTH,
    LEVEL_AT, LEVEL_MARK, LEVEL_N, LEVEL_OUT_AT, LEVEL_UNIT, LEVEL_OUT, LEVEL_OUT_N, LEVEL_PICK, LEVEL_PRICE, LEVEL_START, LOG_N, LOG_ROOM, LOG_START, LOG_UNIT, MARK, MOST, MOST_OUT,
    MOVED, NEED, NEED_PTR, NEEDS, NEXT, OCC_N, ORDER, OUT, OUT_N, PICK, PRICE, PUSHES, QUEUE, RING_START, RING_UNIT, ROOM, ROOM_OF, ROOM_PTR, SLOTS,
    SOFT, SOFT_COST, SOFT_PTR, SOFT_TABLE, STAMP, START, UNITS, WAITING, WINDOW, WINDOW_AT,
)  # fmt: skip
from khue.school.timetable.solving.machine_code import called, typed
from khue.school.timetable.solving.week_loops import chance, refresh_all, weeks_allow

FAR = 1 << 30
ENTER, NEXT_WAY, NEXT_OUT, DONE, FAILED = range(5)


@typed
def soft_cost(M: Cells, T: Tables, u: int, s: int) -> int:
    """Return what a start costs by its own price and beside its placed partners."""
    found = M[M[COST] + u * M[SLOTS] + s]
    for k in range(M[M[SOFT_PTR] + u], M[M[SOFT_PTR] + u + 1]):
        t = M[M[START] + M[M[SOFT] + k]]
        if t >= 0 and T[M[M[SOFT_TABLE] + k], t, s]:
            found += M[M[SOFT_COST] + k]
    return found


@typed
def log_put(M: Cells, u: int, s: int, picks: int) -> None:
    """Put a unit, so that `undo` can take it off."""
    put(M, u, s, picks)
    M[M[LOG_UNIT] + M[LOG_N]] = u
    M[M[LOG_START] + M[LOG_N]] = -1
    M[LOG_N] += 1


@typed
def _place_free(M: Cells, T: Tables, u: int) -> bool:
    """Put a unit at the cheapest start that needs nobody to leave; False without one. all_conflicts was asked."""
    first, best, least, ties = M[M[DOM_PTR] + u], -1, 0, 0
    for k in range(M[M[DOM_PTR] + u + 1] - first):
        if M[M[CONF_N] + k] != 0:
            continue
        s = M[M[DOM] + first + k]
        its = soft_cost(M, T, u, s)
        if best >= 0 and its > least:
            continue
        if not allows(M, u, s):
            M[M[CONF_N] + k] = -2  # free of people and pairs, not of rules
            continue
        if best < 0 or its < least:
            best, least, ties = s, its, 1
        else:
            ties += 1
            if chance(M, ties) == 0:
                best = s
    if best < 0:
        return False
    allows(M, u, best)
    log_put(M, u, best, M[PICK])
    return True


@typed
def log_take(M: Cells, u: int) -> None:
    """Take a unit off, so that `undo` can put it back."""
    n, first = M[LOG_N], M[M[NEED_PTR] + u]
    M[M[LOG_UNIT] + n] = u
    M[M[LOG_START] + n] = M[M[START] + u]
    for j in range(M[M[NEED_PTR] + u + 1] - first):
        M[M[LOG_ROOM] + n * M[NEEDS] + j] = M[M[ROOM_OF] + M[M[NEED] + first + j]]
    M[LOG_N] += 1
    take(M, u)


@typed
def undo(M: Cells, mark: int) -> None:
    """Undo what the log says happened since `mark`."""
    while M[LOG_N] > mark:
        M[LOG_N] -= 1
        n = M[LOG_N]
        u, s = M[M[LOG_UNIT] + n], M[M[LOG_START] + n]
        if s < 0:
            take(M, u)
            M[M[MOVED] + u] = 0
        else:
            put(M, u, s, M[LOG_ROOM] + n * M[NEEDS])


@typed
def _rank(M: Cells, u: int) -> int:
    """Give each start of a unit a first price (PRICE) and list them from the cheapest (ORDER); return how many."""
    first, count = M[M[DOM_PTR] + u], 0
    for k in range(M[M[DOM_PTR] + u + 1] - first):
        n = M[M[CONF_N] + k]
        if n == -1:
            continue
        total = 0
        for j in range(n):
            total += price_of(M, M[M[CONF] + k * MOST_OUT + j])
        total = total * 64 + chance(M, 920)
        at = count
        while at > 0 and M[M[PRICE] + M[M[ORDER] + at - 1]] > total:
            M[M[ORDER] + at] = M[M[ORDER] + at - 1]
            at -= 1
        M[M[ORDER] + at] = k
        M[M[PRICE] + k] = total
        count += 1
    return count


@typed
def _copy_way(M: Cells, one: int, other: int) -> None:
    M[M[LEVEL_START] + other] = M[M[LEVEL_START] + one]
    M[M[LEVEL_PRICE] + other] = M[M[LEVEL_PRICE] + one]
    M[M[LEVEL_OUT_N] + other] = M[M[LEVEL_OUT_N] + one]
    for j in range(M[M[LEVEL_OUT_N] + one]):
        M[M[LEVEL_OUT] + other * MOST_OUT + j] = M[M[LEVEL_OUT] + one * MOST_OUT + j]
    for j in range(M[NEEDS]):
        M[M[LEVEL_PICK] + other * M[NEEDS] + j] = M[M[LEVEL_PICK] + one * M[NEEDS] + j]


@typed
def _write_way(M: Cells, at: int, u: int, s: int, total: int) -> None:
    """Write a way; those pushed out stand hardest first."""
    M[M[LEVEL_START] + at] = s
    M[M[LEVEL_PRICE] + at] = total
    M[M[LEVEL_OUT_N] + at] = M[OUT_N]
    out = M[LEVEL_OUT] + at * MOST_OUT
    for j in range(M[OUT_N]):
        v, to = M[M[OUT] + j], j
        while to > 0 and M[M[HARD] + M[out + to - 1]] < M[M[HARD] + v]:
            M[out + to] = M[out + to - 1]
            to -= 1
        M[out + to] = v
    for j in range(M[M[NEED_PTR] + u + 1] - M[M[NEED_PTR] + u]):
        M[M[LEVEL_PICK] + at * M[NEEDS] + j] = M[M[PICK] + j]


@typed
def _often(M: Cells) -> int:
    """Return a price by how often those pushed out were forced out of their starts: the least of them first, then all, then how many."""
    least, whole = 1023, 0
    for j in range(M[OUT_N]):
        v = M[M[OUT] + j]
        its = M[M[PUSHES] + v * M[SLOTS] + M[M[START] + v]]
        least = min(least, its)
        whole += its
    return (least << 20) + (min(whole, 4095) << 8) + (min(M[OUT_N], 31) << 3) + chance(M, 8)


@typed
def _ways(M: Cells, u: int, level: int, width: int) -> int:
    """Keep the cheapest starts of a unit for a level, with whom they push out; return how many. all_conflicts was asked."""
    count, kept, first = _rank(M, u), 0, M[M[DOM_PTR] + u]
    base = level * M[SLOTS]
    by_often = M[FORCING] != 0 and M[IS_BROAD] != 0
    for at in range(count):
        k = M[M[ORDER] + at]
        n = M[M[CONF_N] + k]
        if n == -2:
            n = 0
        if not by_often and kept >= width and M[M[PRICE] + k] >= M[M[LEVEL_PRICE] + base + kept - 1]:
            break
        s = M[M[DOM] + first + k]
        M[BOUND] = MOST_OUT
        if kept >= width and not M[FORCING]:
            M[BOUND] = (M[M[LEVEL_PRICE] + base + kept - 1] - 1) // 1024  # a unit weighs 16 * 64
        if not push_for(M, u, s, M[CONF] + k * MOST_OUT, n):
            continue
        total = 0
        for j in range(M[OUT_N]):
            total += price_of(M, M[M[OUT] + j])
        total = _often(M) if by_often else total * 64 + chance(M, 920)
        if kept >= width and total >= M[M[LEVEL_PRICE] + base + kept - 1]:
            continue
        to = kept if kept < width else width - 1
        while to > 0 and M[M[LEVEL_PRICE] + base + to - 1] > total:
            _copy_way(M, base + to - 1, base + to)
            to -= 1
        _write_way(M, base + to, u, s, total)
        if kept < width:
            kept += 1
    M[M[LEVEL_N] + level] = kept
    return kept


@typed
def _width(M: Cells, level: int) -> int:
    """Return how many starts a chain tries on a level: in a broad try all near its beginning, and later only the cheapest."""
    if M[IS_BROAD]:
        return M[SLOTS] if level < 5 else 1
    if level == 0:
        return 40
    if level == 1:
        return 10
    if level == 2:
        return 5
    if level == 3:
        return 4
    return 3 if level < 6 else 2


@typed
def _chain(M: Cells, T: Tables, first: int) -> bool:
    """Place a unit, and again all it pushes out, and so on; without success leave everything as it was."""
    level, step = 0, ENTER
    M[M[LEVEL_UNIT]] = first
    while True:
        u, base = M[M[LEVEL_UNIT] + level], level * M[SLOTS]
        if step == ENTER:
            M[CALLS] += 1
            M[LEFT] -= 1
            all_conflicts(M, T, u)
            if _place_free(M, T, u):
                M[M[MOVED] + u] = 1
                step = DONE
            elif level >= DEEPEST or M[LEFT] <= 0:
                step = FAILED
            else:
                _ways(M, u, level, min(_width(M, level), M[SLOTS]))
                M[M[MOVED] + u] = 1
                M[M[LEVEL_AT] + level] = -1
                M[M[LEVEL_MARK] + level] = M[LOG_N]
                step = NEXT_WAY
        elif step == NEXT_WAY:
            M[M[LEVEL_AT] + level] += 1
            at = M[M[LEVEL_AT] + level]
            if at >= M[M[LEVEL_N] + level] or (at > 0 and M[LEFT] <= 0):
                M[M[MOVED] + u] = 0
                step = FAILED
            else:
                for j in range(M[M[LEVEL_OUT_N] + base + at]):
                    log_take(M, M[M[LEVEL_OUT] + (base + at) * MOST_OUT + j])
                log_put(M, u, M[M[LEVEL_START] + base + at], M[LEVEL_PICK] + (base + at) * M[NEEDS])
                M[M[LEVEL_OUT_AT] + level] = -1
                step = NEXT_OUT
        elif step == NEXT_OUT:
            M[M[LEVEL_OUT_AT] + level] += 1
            at, j = M[M[LEVEL_AT] + level], M[M[LEVEL_OUT_AT] + level]
            if j == M[M[LEVEL_OUT_N] + base + at]:
                step = DONE
            else:
                level += 1
                M[M[LEVEL_UNIT] + level] = M[M[LEVEL_OUT] + (base + at) * MOST_OUT + j]
                step = ENTER
        elif level == 0:
            return step == DONE
        elif step == DONE:
            level -= 1
            step = NEXT_OUT
        else:
            level -= 1
            undo(M, M[M[LEVEL_MARK] + level])
            M[M[MOVED] + M[M[LEVEL_UNIT] + level]] = 1
            step = NEXT_WAY


@typed
def _note(M: Cells, v: int) -> None:
    """Remember that a unit was forced out of its start, as long as the window is; to the end of a broad try."""
    at, slots = M[WINDOW_AT], M[SLOTS]
    old = M[M[RING_UNIT] + at]
    if old >= 0 and M[IS_BROAD] == 0:
        M[M[PUSHES] + old * slots + M[M[RING_START] + at]] -= 1
    M[M[RING_UNIT] + at] = v
    M[M[RING_START] + at] = M[M[START] + v]
    M[M[PUSHES] + v * slots + M[M[START] + v]] += 1
    M[WINDOW_AT] = (at + 1) % M[WINDOW]


@typed
def _enqueue(M: Cells, v: int) -> None:
    M[M[QUEUE] + (M[NEXT] + M[WAITING]) % (M[UNITS] + 1)] = v
    M[WAITING] += 1


@typed
def _enqueue_next(M: Cells, v: int) -> None:
    M[NEXT] = (M[NEXT] + M[UNITS]) % (M[UNITS] + 1)
    M[M[QUEUE] + M[NEXT]] = v
    M[WAITING] += 1


@typed
def _force(M: Cells, T: Tables, u: int) -> None:
    """Put a unit at the start that costs least to clear; who leaves waits at the end of the queue."""
    M[FORCING] = 1
    M[M[MOVED] + u] = 1
    all_conflicts(M, T, u)
    count = _ways(M, u, 0, 1)
    M[M[MOVED] + u] = 0
    M[FORCING] = 0
    if count == 0:
        _enqueue(M, u)
        return
    at = 0
    out, n = M[LEVEL_OUT], M[M[LEVEL_OUT_N] + at]
    for j in range(n):
        v = M[out + j]
        _note(M, v)
        take(M, v)
    put(M, u, M[M[LEVEL_START] + at], M[LEVEL_PICK] + at * M[NEEDS])
    if M[IS_LATER]:
        for j in range(n):
            _enqueue(M, M[out + j])
    else:
        for j in range(n):
            _enqueue_next(M, M[out + n - 1 - j])


@called
def begin(M: Cells) -> None:
    """Make an empty desk ready: the numbers of empty weeks."""
    refresh_all(M)
    for u in range(M[UNITS]):
        M[M[BEST_START] + u] = -1
    M[MOST] = -1


@called
def keep(M: Cells) -> None:
    """Remember what stands now when it is the most so far."""
    if M[COUNT] > M[MOST]:
        M[MOST] = M[COUNT]
        for u in range(M[UNITS]):
            M[M[BEST_START] + u] = M[M[START] + u]
        for i in range(M[ACTIVITIES]):
            M[M[BEST_ROOM] + i] = M[M[ROOM_OF] + i]


@typed
def _has_rooms(M: Cells, u: int, s: int, ways: Cells) -> bool:
    """Choose the rooms given for a unit's members (in PICK); False where one of them is not free."""
    first = M[M[NEED_PTR] + u]
    for n in range(M[M[NEED_PTR] + u + 1] - first):
        i = M[M[NEED] + first + n]
        way = ways[i]
        if way < 0:
            return False
        for k in range(M[M[ROOM_PTR] + way], M[M[ROOM_PTR] + way + 1]):
            taken = own(M, first, n, M[M[ROOM] + k])
            for slot in range(s, s + M[M[LENGTH] + i]):
                cell = M[M[ROOM] + k] * M[SLOTS] + slot
                if M[M[OCC_N] + cell] + taken >= M[M[CAP] + cell]:
                    return False
        if not walks_allow(M, u, i, s, way, False):
            return False
        M[M[PICK] + n] = way
    return True


@called
def load(M: Cells, T: Tables, starts: Cells, ways: Cells) -> None:
    """Put units at their starts (-1: nowhere) as far as nothing is in the way, into their rooms (ways) where these are free.

    Rules of weeks judge a part more severely than the whole, so what was refused is tried again while others come.
    """
    before = -1
    while M[COUNT] > before:
        before = M[COUNT]
        for u in range(M[UNITS]):
            s = starts[u]
            if s < 0 or M[M[START] + u] >= 0 or conflicts(M, T, u, s, M[CONF]) != 0:
                continue
            M[STAMP] += 1
            M[OUT_N] = 0
            if weeks_allow(M, u, s) and groups_allow(M, u, s, False) and (_has_rooms(M, u, s, ways) or rooms_for(M, u, s, False)):
                put(M, u, s, M[PICK])


@called
def clear(M: Cells) -> None:
    """Take everything off."""
    for u in range(M[UNITS]):
        if M[M[START] + u] >= 0:
            take(M, u)


@called
def forget(M: Cells) -> None:
    """Forget who was forced out of which start."""
    for cell in range(M[PUSHES], M[PUSHES] + M[UNITS] * M[SLOTS]):
        M[cell] = 0
    for cell in range(M[RING_UNIT], M[RING_UNIT] + M[WINDOW]):
        M[cell] = -1
    M[WINDOW_AT] = 0


@called
def wait(M: Cells, order: Cells) -> None:
    """Let all units that are not placed wait in the order given."""
    M[NEXT] = M[WAITING] = 0
    for n in range(M[UNITS]):
        u = order[n]
        if M[M[START] + u] < 0:
            _enqueue(M, u)


@called
def push(M: Cells, T: Tables, calls: int, limit: int) -> bool:
    """Place what waits for about so many calls, each unit's chain at most `limit`; True when everything is placed."""
    if M[STAMP] > FAR:
        M[STAMP] = 1
        for u in range(M[UNITS]):
            M[M[MARK] + u] = 0
    end = M[CALLS] + calls
    while M[WAITING] > 0 and M[CALLS] < end:
        u = M[M[QUEUE] + M[NEXT]]
        M[NEXT] = (M[NEXT] + 1) % (M[UNITS] + 1)
        M[WAITING] -= 1
        M[LEFT] = limit
        M[LOG_N] = 0
        done = _chain(M, T, u)
        for n in range(M[LOG_N]):
            M[M[MOVED] + M[M[LOG_UNIT] + n]] = 0
        M[M[MOVED] + u] = 0
        if not done:
            _force(M, T, u)
        keep(M)
    return M[WAITING] == 0


@called
def prune(M: Cells, T: Tables, keeps: Cells) -> int:
    """Mark (1) the starts in DOM that a unit with one start leaves free; return how many units lost starts.

    All units with one start are placed, as far as they can be.
    """
    lost = 0
    for u in range(M[UNITS]):
        for k in range(M[M[DOM_PTR] + u], M[M[DOM_PTR] + u + 1]):
            keeps[k] = 1
        if M[M[FIXED] + u]:
            k = M[M[DOM_PTR] + u]
            s = M[M[DOM] + k]
            if conflicts(M, T, u, s, M[CONF]) == 0 and allows(M, u, s):
                put(M, u, s, M[PICK])
    for u in range(M[UNITS]):
        if M[M[FIXED] + u]:
            continue
        n = 0
        for k in range(M[M[DOM_PTR] + u], M[M[DOM_PTR] + u + 1]):
            if conflicts(M, T, u, M[M[DOM] + k], M[CONF]) < 0:
                keeps[k] = 0
                n += 1
        if n:
            lost += 1
    clear(M)
    return lost
