"""Compiled: what stands where on a desk, and what a start would push out (see `desk`).

Every function gets the desk's cells `M`, and its tables `T` where pairs matter. Units, slots, weeks and so on are their
numbers. Import it only where something is solved: it loads the machine code.
"""

# ruff: noqa: I001 - cells are imported many to a line
from __future__ import annotations

from typing import Any

from khue.school.timetable.solving.desk import (
    BOUND, CAP, CELL, CONF, CONF_N, COUNT, CROWD, CROWD_LEN, CROWD_PTR, DATE_OF, DATES, DAYS, DOM, DOM_PTR, FIELD, FIELD_CELLS,
    FIELD_PTR, FIRST_DAY, FIXED, FORCING, GOF, GOF_LEN, GOF_PTR, GROUP_CELLS, GROUP_MOST, GROUP_PRICE, GROUP_WHOLE, HAS_WAYS, HEIGHT,
    LACK_COUNT, LACK_HOURS, LANE, LANE_LEN, LANE_PTR, LENGTH, LOAD, MARK, MASK, MOST_OUT, MOVED, NEED, NEED_PTR, OCC, OCC_N,
    OCC_WIDE, OUT, OUT_N, PAR, PAR_PTR, PAR_TABLE, PART, PART_LEN, PART_PTR, PICK, PUSHES, ROOM, ROOM_OF, ROOM_PTR, SLOTS, STAMP,
    START, SUM, RULE_BOUND, RULE_PTR, RULE_SORT, RULE_SPAN, THERE, TRIAL, TRIAL_SUM, TRIAL_VALUE, UNIT_OF, VALUE, WALK, WALKED,
    WALKER, WALK_KIND, WALK_PTR, WAY_BUILDING, WAY_NAME, WAY_PTR, WEEKS_COST, WOF, WOF_LEN, WOF_PTR,
)  # fmt: skip
from khue.school.timetable.solving.machine_code import typed
from khue.school.timetable.solving.week_loops import allowance, chance, date_of, measure, refresh, weeks_allow

WALK_PRICE = 16
"""What a room weighs, at least, whose place somebody cannot come to without leaving another: one unit pushed out."""
Cells = Any  # the array of a desk; inside compiled code only its numbers matter
Tables = Any


# --- whom a start pushes out -----------------------------------------------------------------------------------------


@typed
def price_of(M: Cells, v: int) -> int:
    """Return what pushing a unit out weighs: 16 in a chain, more where it was forced out of that start before."""
    if M[FORCING]:
        return 16 + 16 * M[M[PUSHES] + v * M[SLOTS] + M[M[START] + v]]
    return 16


@typed
def is_held(M: Cells, v: int) -> bool:
    """Return whether a unit is not to be pushed out: it moved in this chain, or has only that start."""
    return M[M[MOVED] + v] != 0 or M[M[FIXED] + v] != 0


@typed
def is_out(M: Cells, v: int) -> bool:
    """Return whether a unit is pushed out already in the question at hand."""
    return M[M[MARK] + v] == M[STAMP]


@typed
def push_out(M: Cells, v: int) -> bool:
    """Add a unit to those pushed out; False when there are too many."""
    if M[OUT_N] >= MOST_OUT:
        return False
    M[M[MARK] + v] = M[STAMP]
    M[M[OUT] + M[OUT_N]] = v
    M[OUT_N] += 1
    return True


@typed
def conflicts(M: Cells, T: Tables, u: int, s: int, at: int) -> int:
    """Write the units in the way of a start by people and pairs to cells from `at`; return how many, -1 for too many or held ones."""
    M[STAMP] += 1
    n, stamp, slots, mark = 0, M[STAMP], M[SLOTS], M[MARK]
    for k in range(M[M[LANE_PTR] + u], M[M[LANE_PTR] + u + 1]):
        there = M[THERE] + M[M[LANE] + k] * slots + s
        for slot in range(there, there + M[M[LANE_LEN] + k]):
            v = M[slot]
            if v >= 0 and M[mark + v] != stamp:
                if n >= MOST_OUT or is_held(M, v):
                    return -1
                M[mark + v] = stamp
                M[at + n] = v
                n += 1
    for k in range(M[M[PAR_PTR] + u], M[M[PAR_PTR] + u + 1]):
        v = M[M[PAR] + k]
        t = M[M[START] + v]
        if t >= 0 and T[M[M[PAR_TABLE] + k], t, s] and M[mark + v] != stamp:
            if n >= MOST_OUT or is_held(M, v):
                return -1
            M[mark + v] = stamp
            M[at + n] = v
            n += 1
    return n


@typed
def _make_room(M: Cells, cls: int, s: int, length: int, more: int, is_dry: bool) -> int:
    """Return the price of pushing out what fills a room class in these slots, -1 when it cannot be; do it unless `is_dry`.

    A unit with one start leaves its room as well, where it can have another.
    more   how many more places it must have for other members of the unit
    """
    total = 0
    for slot in range(s, s + length):
        cell = cls * M[SLOTS] + slot
        cap = M[M[CAP] + cell]
        if cap - more <= 0:
            return -1
        first = M[OCC] + cell * M[OCC_WIDE]
        there = 0
        for j in range(first, first + M[M[OCC_N] + cell]):
            if not is_out(M, M[M[UNIT_OF] + M[j]]):
                there += 1
        spare = there + more + 1 - cap
        skip = chance(M, M[OCC_WIDE]) if spare > 0 else 0
        width = M[M[OCC_N] + cell]
        for step in range(width):
            if spare <= 0:
                break
            v = M[M[UNIT_OF] + M[first + (step + skip) % width]]
            if not is_out(M, v) and not M[M[MOVED] + v] and (not M[M[FIXED] + v] or M[M[HAS_WAYS] + v]):
                total += price_of(M, v)
                spare -= 1
                if not is_dry and not push_out(M, v):
                    return -1
        if spare > 0:
            return -1
    return total


@typed
def own(M: Cells, first: int, n: int, cls: int) -> int:
    """Return how many of a unit's first n members have a room of that class in mind."""
    found = 0
    for j in range(n):
        way = M[M[PICK] + j]
        for k in range(M[M[ROOM_PTR] + way], M[M[ROOM_PTR] + way + 1]):
            if M[M[ROOM] + k] == cls:
                found += 1
    return found


@typed
def _place(M: Cells, w: int, way: int) -> int:
    """Return the building or room a way leads to, as the walk sees it; 0 for none."""
    return M[M[WAY_BUILDING] + way] if M[M[WALK_KIND] + w] == 0 else M[M[WAY_NAME] + way]


@typed
def _somebody_elsewhere(M: Cells, w: int, u: int, first: int, last: int, place: int) -> int:
    """Return a unit that somebody has in another place between two slots and that may be pushed out; -2 without one."""
    best, least = -2, 0
    for slot in range(first, last):
        at = w * M[SLOTS] + slot
        v = M[M[WALKER] + at]
        if v >= 0 and v != u and M[M[WALKED] + at] not in (0, place) and not is_out(M, v) and not is_held(M, v):
            its = price_of(M, v) * 16 + chance(M, 16)
            if best < 0 or its < least:
                best, least = v, its
    return best


@typed
def _in_the_walk(M: Cells, w: int, u: int, s: int, length: int, place: int) -> int:
    """Return who should leave so that somebody may be in a place at a start: a unit, -1 for nobody, -2 where that does not help."""
    height, day = M[HEIGHT], s // M[HEIGHT]
    for k in range(M[M[RULE_PTR] + w], M[M[RULE_PTR] + w + 1]):
        sort, bound, span = M[M[RULE_SORT] + k], M[M[RULE_BOUND] + k], M[M[RULE_SPAN] + k]
        first, last = day * height, (day + 1) * height
        if span == 1:
            date = M[M[DATE_OF] + day]
            first, last = M[M[FIRST_DAY] + date] * height, M[M[FIRST_DAY] + date + 1] * height
        elif span == 2:
            first, last = 0, M[SLOTS]
        moves, before, was = 0, -1, 0
        for slot in range(first, last):
            if slot % height == 0:
                was = 0
            here = place
            if slot < s or slot >= s + length:
                v = M[M[WALKER] + w * M[SLOTS] + slot]
                here = 0 if v < 0 or v == u or is_out(M, v) else M[M[WALKED] + w * M[SLOTS] + slot]
            if here == 0:
                continue
            if was != 0 and here != was:
                moves += 1
                if sort == 0 and slot - before - 1 < bound:
                    return _somebody_elsewhere(M, w, u, before, slot + 1, place)
                if sort == 1 and moves > bound:
                    return _somebody_elsewhere(M, w, u, first, last, place)
            was, before = here, slot
    return -1


@typed
def walks_allow(M: Cells, u: int, i: int, s: int, way: int, may_push: bool) -> bool:
    """Return whether those of an activity may go where a way leads at a start; push out until they may where that is allowed."""
    length = M[M[LENGTH] + i]
    for k in range(M[M[WALK_PTR] + i], M[M[WALK_PTR] + i + 1]):
        w = M[M[WALK] + k]
        place = _place(M, w, way)
        if place == 0:
            continue
        v = _in_the_walk(M, w, u, s, length, place)
        while v != -1:
            if v < 0 or not may_push or not push_out(M, v):
                return False
            v = _in_the_walk(M, w, u, s, length, place)
    return True


@typed
def rooms_for(M: Cells, u: int, s: int, may_push: bool) -> bool:
    """Choose a room for every member of a unit at a start (in PICK), pushing out who is in them; False when none can be had."""
    first = M[M[NEED_PTR] + u]
    count = M[M[NEED_PTR] + u + 1] - first
    for n in range(count):
        i = M[M[NEED] + first + n]
        length = M[M[LENGTH] + i]
        best, least = -1, 0
        for way in range(M[M[WAY_PTR] + i], M[M[WAY_PTR] + i + 1]):
            total = 0
            for k in range(M[M[ROOM_PTR] + way], M[M[ROOM_PTR] + way + 1]):
                its = _make_room(M, M[M[ROOM] + k], s, length, own(M, first, n, M[M[ROOM] + k]), True)
                if its < 0:
                    total = -1
                    break
                total += its
            is_walked = M[M[WALK_PTR] + i] != M[M[WALK_PTR] + i + 1]
            if total >= 0 and is_walked and not walks_allow(M, u, i, s, way, False):
                total += WALK_PRICE + chance(M, WALK_PRICE)
            if total >= 0 and (best < 0 or total < least):
                best, least = way, total
                if total == 0:
                    break
        if best < 0 or (least > 0 and not may_push):
            return False
        if least > 0:
            for k in range(M[M[ROOM_PTR] + best], M[M[ROOM_PTR] + best + 1]):
                if _make_room(M, M[M[ROOM] + k], s, length, own(M, first, n, M[M[ROOM] + k]), False) < 0:
                    return False
            if not walks_allow(M, u, i, s, best, True):
                return False
        M[M[PICK] + n] = best
    return True


@typed
def _flip(M: Cells, w: int, s: int, length: int) -> int:
    """Turn a lesson's bits in the week on trial on or off; return its date."""
    day = s // M[HEIGHT]
    M[M[TRIAL] + day] ^= ((1 << length) - 1) << (s - day * M[HEIGHT])
    return M[M[DATE_OF] + day]


@typed
def _settle(M: Cells, w: int, date: int) -> None:
    """Bring the numbers of the week on trial up to its masks."""
    first = M[M[FIELD_PTR] + w]
    for f in range(first, M[M[FIELD_PTR] + w + 1]):
        row = M[FIELD] + f * FIELD_CELLS
        now = measure(M, row, w, date, M[TRIAL])
        at = M[TRIAL_VALUE] + (f - first) * M[DATES] + date_of(M, row, date)
        M[M[TRIAL_SUM] + f - first] += now - M[at]
        M[at] = now


@typed
def _excess(M: Cells, w: int, hours: int, count: int) -> int:
    """Return by how much the week on trial breaks its rules."""
    found, first = 0, M[M[FIELD_PTR] + w]
    for f in range(first, M[M[FIELD_PTR] + w + 1]):
        found += max(0, M[M[TRIAL_SUM] + f - first] - allowance(M, M[FIELD] + f * FIELD_CELLS, hours, count))
    return found


@typed
def _excess_with(M: Cells, w: int, date: int, hours: int, count: int) -> int:
    """Return the same, when the masks of one date were just changed and its numbers not yet."""
    found, first = 0, M[M[FIELD_PTR] + w]
    for f in range(first, M[M[FIELD_PTR] + w + 1]):
        row = M[FIELD] + f * FIELD_CELLS
        total = M[M[TRIAL_SUM] + f - first] + measure(M, row, w, date, M[TRIAL]) - M[M[TRIAL_VALUE] + (f - first) * M[DATES] + date_of(M, row, date)]
        found += max(0, total - allowance(M, row, hours, count))
    return found


@typed
def _mend(M: Cells, w: int, u: int, s: int, length: int) -> bool:
    """Push out lessons of a week until its rules allow the unit at the start; False when nothing helps.

    Each time what mends most for its price: one lesson, or all lessons of a date. BOUND is how many units may be out at most.
    """
    first, last = M[M[FIELD_PTR] + w], M[M[FIELD_PTR] + w + 1]
    if first == last:
        return True
    days, dates, height = M[DAYS], M[DATES], M[HEIGHT]
    for day in range(days):
        M[M[TRIAL] + day] = M[M[MASK] + w * days + day]
    for f in range(first, last):
        M[M[TRIAL_SUM] + f - first] = M[M[SUM] + f]
        for date in range(dates):
            M[M[TRIAL_VALUE] + (f - first) * dates + date] = M[M[VALUE] + f * dates + date]
    hours, count = M[M[LACK_HOURS] + w] - length, M[M[LACK_COUNT] + w] - 1
    for j in range(M[OUT_N]):
        v = M[M[OUT] + j]
        for k in range(M[M[WOF_PTR] + v], M[M[WOF_PTR] + v + 1]):
            if M[M[WOF] + k] == w:
                _settle(M, w, _flip(M, w, M[M[START] + v], M[M[WOF_LEN] + k]))
                hours += M[M[WOF_LEN] + k]
                count += 1
    _settle(M, w, _flip(M, w, s, length))
    excess = _excess(M, w, hours, count)
    tries = 0
    while excess > 0:
        tries += 1
        if tries > 8 or M[OUT_N] >= M[BOUND]:
            return False
        best, best_date, best_worth = -1, -1, 0
        for date in range(dates):
            total = whole_hours = whole_count = 0
            is_whole = True
            for k in range(M[M[PART_PTR] + w], M[M[PART_PTR] + w + 1]):
                v, its = M[M[PART] + k], M[M[PART_LEN] + k]
                t = M[M[START] + v]
                if t < 0 or is_out(M, v) or M[M[DATE_OF] + t // height] != date:
                    continue
                if v == u or is_held(M, v):
                    is_whole = False
                    continue
                its_price = price_of(M, v)
                total += its_price
                whole_hours += its
                whole_count += 1
                _flip(M, w, t, its)
                after = _excess_with(M, w, date, hours + its, count + 1)
                _flip(M, w, t, its)
                worth = (excess - after) * 65536 // its_price + chance(M, 64)
                if after < excess and worth > best_worth:
                    best, best_date, best_worth = v, -1, worth
            if M[M[DATE_OF] + s // height] == date:
                is_whole = False
            if is_whole and whole_count > 1:
                for k in range(M[M[PART_PTR] + w], M[M[PART_PTR] + w + 1]):
                    v, t = M[M[PART] + k], M[M[START] + M[M[PART] + k]]
                    if t >= 0 and not is_out(M, v) and M[M[DATE_OF] + t // height] == date:
                        _flip(M, w, t, M[M[PART_LEN] + k])
                after = _excess_with(M, w, date, hours + whole_hours, count + whole_count)
                for k in range(M[M[PART_PTR] + w], M[M[PART_PTR] + w + 1]):
                    v, t = M[M[PART] + k], M[M[START] + M[M[PART] + k]]
                    if t >= 0 and not is_out(M, v) and M[M[DATE_OF] + t // height] == date:
                        _flip(M, w, t, M[M[PART_LEN] + k])
                worth = (excess - after) * 65536 // total + chance(M, 64)
                if after < excess and worth > best_worth:
                    best, best_date, best_worth = -1, date, worth
        if best < 0 and best_date < 0:
            return False
        for k in range(M[M[PART_PTR] + w], M[M[PART_PTR] + w + 1]):
            v, its = M[M[PART] + k], M[M[PART_LEN] + k]
            t = M[M[START] + v]
            if t < 0 or is_out(M, v) or v == u:
                continue
            if v == best or (best_date >= 0 and M[M[DATE_OF] + t // height] == best_date):
                if not push_out(M, v):
                    return False
                _settle(M, w, _flip(M, w, t, its))
                hours += its
                count += 1
        excess = _excess(M, w, hours, count)
    return True


@typed
def _touches(M: Cells, g: int, cell: int, s: int, length: int) -> bool:
    for slot in range(s, s + length):  # noqa: SIM110 - the compiler has no any()
        if M[M[CELL] + g * M[SLOTS] + slot] == cell:
            return True
    return False


@typed
def _load_without(M: Cells, g: int, cell: int) -> int:
    """Return how many activities of a group are in a set of slots, those pushed out not counted."""
    found = M[M[LOAD] + g * M[GROUP_CELLS] + cell]
    if found and M[OUT_N]:
        for j in range(M[OUT_N]):
            v = M[M[OUT] + j]
            for k in range(M[M[GOF_PTR] + v], M[M[GOF_PTR] + v + 1]):
                if M[M[GOF] + k] == g and _touches(M, g, cell, M[M[START] + v], M[M[GOF_LEN] + k]):
                    found -= 1
    return found


@typed
def _empty_cell(M: Cells, g: int, cell: int, u: int, down_to: int) -> bool:
    """Push out activities of a group from a set of slots until so many are left."""
    while _load_without(M, g, cell) > down_to:
        best, least = -1, 0
        for k in range(M[M[CROWD_PTR] + g], M[M[CROWD_PTR] + g + 1]):
            v = M[M[CROWD] + k]
            t = M[M[START] + v]
            if t >= 0 and v != u and not is_out(M, v) and not is_held(M, v) and _touches(M, g, cell, t, M[M[CROWD_LEN] + k]):
                its = price_of(M, v) * 16 + chance(M, 16)
                if best < 0 or its < least:
                    best, least = v, its
        if best < 0 or not push_out(M, best):
            return False
    return True


@typed
def _empty_some(M: Cells, g: int, u: int, s: int, length: int) -> bool:
    """Empty the slot, of those a group uses, that holds least; not one of the start's own."""
    best, least = -1, 0
    for cell in range(M[GROUP_CELLS]):
        load = _load_without(M, g, cell)
        if load > 0 and not _touches(M, g, cell, s, length):
            its = load * 16 + chance(M, 16)
            if best < 0 or its < least:
                best, least = cell, its
    return best >= 0 and _empty_cell(M, g, best, u, 0)


@typed
def groups_allow(M: Cells, u: int, s: int, may_push: bool) -> bool:
    """Return whether the bounds on groups hold with the unit at the start; push out until they do where that is allowed."""
    for k in range(M[M[GOF_PTR] + u], M[M[GOF_PTR] + u + 1]):
        g, length = M[M[GOF] + k], M[M[GOF_LEN] + k]
        most, before = M[M[GROUP_MOST] + g], -1
        if M[M[GROUP_PRICE] + g]:
            continue
        if M[M[GROUP_WHOLE] + g]:
            more = used = 0
            for slot in range(s, s + length):
                cell = M[M[CELL] + g * M[SLOTS] + slot]
                if cell >= 0 and _load_without(M, g, cell) == 0:
                    more += 1
            if more == 0:
                continue
            for cell in range(M[GROUP_CELLS]):
                if _load_without(M, g, cell) > 0:
                    used += 1
            while used + more > most:
                if not may_push or not _empty_some(M, g, u, s, length):
                    return False
                used -= 1
            continue
        for slot in range(s, s + length):
            cell = M[M[CELL] + g * M[SLOTS] + slot]
            if cell < 0 or cell == before:
                continue
            before = cell
            if _load_without(M, g, cell) >= most and (not may_push or most <= 0 or not _empty_cell(M, g, cell, u, most - 1)):
                return False
    return True


@typed
def allows(M: Cells, u: int, s: int) -> bool:
    """Return whether rooms, weeks and groups allow a start that nobody is in the way of; rooms are chosen in PICK."""
    M[STAMP] += 1
    M[OUT_N] = 0
    return weeks_allow(M, u, s) and groups_allow(M, u, s, False) and rooms_for(M, u, s, False)


@typed
def push_for(M: Cells, u: int, s: int, at: int, n: int) -> bool:
    """Find all who must leave for a start: the n units at cells from `at`, and those rooms, weeks and groups ask for (in OUT)."""
    M[STAMP] += 1
    M[OUT_N] = 0
    for j in range(n):
        push_out(M, M[at + j])
    if not rooms_for(M, u, s, True):
        return False
    for k in range(M[M[WOF_PTR] + u], M[M[WOF_PTR] + u + 1]):
        if not _mend(M, M[M[WOF] + k], u, s, M[M[WOF_LEN] + k]):
            return False
    return groups_allow(M, u, s, True)


@typed
def _turn(M: Cells, u: int, s: int, sign: int) -> None:
    """Bring weeks and groups up to a unit that comes to a start (sign 1) or leaves it (-1)."""
    height = M[HEIGHT]
    day = s // height
    date = M[M[DATE_OF] + day]
    for k in range(M[M[WOF_PTR] + u], M[M[WOF_PTR] + u + 1]):
        w, length = M[M[WOF] + k], M[M[WOF_LEN] + k]
        M[M[MASK] + w * M[DAYS] + day] ^= ((1 << length) - 1) << (s - day * height)
        M[M[LACK_HOURS] + w] -= sign * length
        M[M[LACK_COUNT] + w] -= sign
        refresh(M, w, date)
    for k in range(M[M[GOF_PTR] + u], M[M[GOF_PTR] + u + 1]):
        g, before = M[M[GOF] + k], -1
        for slot in range(s, s + M[M[GOF_LEN] + k]):
            cell = M[M[CELL] + g * M[SLOTS] + slot]
            if cell >= 0 and cell != before:
                at = M[LOAD] + g * M[GROUP_CELLS] + cell
                M[at] += sign
                if M[M[GROUP_PRICE] + g] and M[at] + (1 if sign < 0 else 0) > M[M[GROUP_MOST] + g]:
                    M[WEEKS_COST] += sign * M[M[GROUP_PRICE] + g]
            before = cell


@typed
def _walk(M: Cells, i: int, s: int, u: int, way: int) -> None:
    """Write where those of an activity are; u: its unit, -1 when it leaves."""
    for k in range(M[M[WALK_PTR] + i], M[M[WALK_PTR] + i + 1]):
        w = M[M[WALK] + k]
        for slot in range(s, s + M[M[LENGTH] + i]):
            M[M[WALKER] + w * M[SLOTS] + slot] = u
            M[M[WALKED] + w * M[SLOTS] + slot] = _place(M, w, way)


# --- moving -----------------------------------------------------------------------------------------------------------


@typed
def put(M: Cells, u: int, s: int, picks: int) -> None:
    """Put a unit at a start where nothing is in its way; its members' rooms are at cells from `picks`."""
    slots = M[SLOTS]
    M[M[START] + u] = s
    M[COUNT] += 1
    for k in range(M[M[LANE_PTR] + u], M[M[LANE_PTR] + u + 1]):
        there = M[THERE] + M[M[LANE] + k] * slots + s
        for slot in range(there, there + M[M[LANE_LEN] + k]):
            M[slot] = u
    _turn(M, u, s, 1)
    first = M[M[NEED_PTR] + u]
    for n in range(M[M[NEED_PTR] + u + 1] - first):
        i, way = M[M[NEED] + first + n], M[picks + n]
        M[M[ROOM_OF] + i] = way
        _walk(M, i, s, u, way)
        for k in range(M[M[ROOM_PTR] + way], M[M[ROOM_PTR] + way + 1]):
            for slot in range(s, s + M[M[LENGTH] + i]):
                cell = M[M[ROOM] + k] * slots + slot
                M[M[OCC] + cell * M[OCC_WIDE] + M[M[OCC_N] + cell]] = i
                M[M[OCC_N] + cell] += 1


@typed
def take(M: Cells, u: int) -> None:
    """Take a unit off."""
    slots, s = M[SLOTS], M[M[START] + u]
    M[M[START] + u] = -1
    M[COUNT] -= 1
    for k in range(M[M[LANE_PTR] + u], M[M[LANE_PTR] + u + 1]):
        there = M[THERE] + M[M[LANE] + k] * slots + s
        for slot in range(there, there + M[M[LANE_LEN] + k]):
            M[slot] = -1
    _turn(M, u, s, -1)
    first = M[M[NEED_PTR] + u]
    for n in range(M[M[NEED_PTR] + u + 1] - first):
        i = M[M[NEED] + first + n]
        way = M[M[ROOM_OF] + i]
        M[M[ROOM_OF] + i] = -1
        _walk(M, i, s, -1, way)
        for k in range(M[M[ROOM_PTR] + way], M[M[ROOM_PTR] + way + 1]):
            for slot in range(s, s + M[M[LENGTH] + i]):
                cell = M[M[ROOM] + k] * slots + slot
                at = M[OCC] + cell * M[OCC_WIDE]
                M[M[OCC_N] + cell] -= 1
                end = at + M[M[OCC_N] + cell]
                for j in range(at, end):
                    if M[j] == i:
                        M[j] = M[end]
                        break


@typed
def all_conflicts(M: Cells, T: Tables, u: int) -> None:
    """Find who is in the way of each start of a unit (CONF, CONF_N by the start's number)."""
    first = M[M[DOM_PTR] + u]
    for k in range(M[M[DOM_PTR] + u + 1] - first):
        M[M[CONF_N] + k] = conflicts(M, T, u, M[M[DOM] + first + k], M[CONF] + k * MOST_OUT)
