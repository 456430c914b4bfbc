"""Compiled: what a week may look like, in masks of its days (see `desk` and `rules`).

Every function gets the desk's cells `M`. Weeks, dates and rules are their numbers. Import it only where something is solved: it
loads the machine code.
"""

# ruff: noqa: I001 - cells are imported many to a line
from __future__ import annotations

from typing import Any

import numpy as np

from khue.school.timetable.solving.desk import (
    DATE_OF, DATES, DAYS, FIELD, FIELD_CELLS, FIELD_PTR, FIRST_DAY, HALF, HARD_WEEKS, HEIGHT, LACK_COUNT, LACK_HOURS, MASK, SEED,
    SHUT, SUM, VALUE, WEEKS, WEEKS_COST, WOF, WOF_LEN, WOF_PTR,
)  # fmt: skip
from khue.school.timetable.solving.machine_code import typed
from khue.school.timetable.solving.rules import EARLY, FULL, HOLES, JOINED, LEAST, LENGTHS, LONGER, NOON, RESTS, RUNS, UNUSED, USED

Cells = Any  # the array of a desk; inside compiled code only its numbers matter


@typed
def chance(M: Cells, n: int) -> int:
    """Return a random number below n (Park and Miller's generator: the same on every machine)."""
    its = (np.int64(M[SEED]) * 48271) % 2147483647
    M[SEED] = its
    return its % n


# --- masks of a day's periods, at most `desk.TALLEST` bits -----------------------------------------------------------------


@typed
def _ones(mask: int) -> int:
    """Return how many bits are set, counted in pairs, fours and bytes at once."""
    pairs = mask - ((mask >> 1) & 0x55555555)
    fours = (pairs & 0x33333333) + ((pairs >> 2) & 0x33333333)
    bytes_ = (fours + (fours >> 4)) & 0x0F0F0F0F
    return ((bytes_ * 0x01010101) & 0xFFFFFFFF) >> 24


@typed
def _low(mask: int) -> int:
    """Return the number of the first bit set; 0 without one."""
    return _ones((mask & -mask) - 1) if mask else 0


@typed
def _high(mask: int) -> int:
    """Return the number behind the last bit set; 0 without one."""
    mask |= mask >> 1
    mask |= mask >> 2
    mask |= mask >> 4
    mask |= mask >> 8
    mask |= mask >> 16
    return _ones(mask)


@typed
def _longest(mask: int) -> int:
    """Return the length of the longest run of bits."""
    found = 0
    while mask:
        mask &= mask >> 1
        found += 1
    return found


# --- weeks --------------------------------------------------------------------------------------------------------


@typed
def _gaps(M: Cells, mask: int, shut: int) -> int:
    if mask & (mask - 1) == 0:
        return 0
    inside = (1 << _high(mask)) - (1 << _low(mask))
    return _ones(inside & ~mask & ~shut)


@typed
def _lead(M: Cells, mask: int, shut: int) -> int:
    if mask == 0:
        return 0
    return _ones(((mask & -mask) - 1) & ~shut)


@typed
def measure(M: Cells, row: int, w: int, date: int, base: int) -> int:
    """Return the number a rule gives a date of a week; the days' masks begin at cell `base`. See `rules` for each kind."""
    what, one, two = M[row], M[row + 1], M[row + 2]
    first, last = M[M[FIRST_DAY] + date], M[M[FIRST_DAY] + date + 1]
    found = 0
    if what in (USED, UNUSED):
        for day in range(first, last):
            if (one < 2 or M[M[HALF] + day] == one - 2) and M[base + day] & two:
                found += 1
        if one == 1 and found > 1:
            found = 1
        if what == UNUSED:
            found = (last - first if one == 0 else 1) - found
        return found
    shut = M[SHUT] + w * M[DAYS]
    if what == HOLES:
        spare = M[row + 3]
        for day in range(first, last):
            if two < 0 or M[M[HALF] + day] == two:
                its = _gaps(M, M[base + day], M[shut + day])
                found += its if one == 1 else max(0, its - spare)
        return max(0, found - spare) if one == 1 else found
    if what == LENGTHS:
        bound = M[row + 3]
        for day in range(first, last):
            mask = M[base + day]
            if mask and (one < 2 or M[M[HALF] + day] == one - 2):
                if two == 0:
                    its = _ones(mask)
                elif two == 1:
                    its = _longest(mask)
                else:
                    its = _high(mask) - _low(mask)
                found += its if one == 1 else max(0, its - bound)
        return max(0, found - bound) if one == 1 else found
    if what == LEAST:
        is_any = False
        for day in range(first, last):
            mask = M[base + day]
            if one == 1:
                found += _ones(mask)
                is_any = is_any or mask != 0
            elif (one == 0 or M[M[HALF] + day] == one - 2) and (mask or not M[row + 3]):
                found += max(0, two - _ones(mask))
        if one == 1:
            return max(0, two - found) if is_any or not M[row + 3] else 0
        return found
    if what == EARLY:
        for day in range(first, last):
            if one < 0 or M[M[HALF] + day] == one:
                lead = _lead(M, M[base + day], M[shut + day])
                found += lead if lead < 2 else lead + two
        return found
    if what == NOON:
        for day in range(first, last - 1):
            before, after = M[base + day], M[base + day + 1]
            if before and after:
                found += max(0, one - (M[HEIGHT] - _high(before) + _low(after)))
        return found
    if what == FULL:
        morning = afternoon = False
        for day in range(first, last):
            if M[base + day]:
                if M[M[HALF] + day]:
                    afternoon = True
                else:
                    morning = True
        return 1 if morning and afternoon else 0
    if what == JOINED:
        for day in range(first, last):
            mask = M[base + day]
            if mask or not M[row + 4]:
                fill = _gaps(M, mask, M[shut + day]) if one else 0
                fill += _lead(M, mask, M[shut + day]) if two else 0
                found += max(fill, M[row + 3] - _ones(mask))
        return found
    return _measure_all(M, what, one, two, base)


@typed
def _measure_all(M: Cells, what: int, one: int, two: int, base: int) -> int:
    """Return the number of a rule on several dates together, whatever the date."""
    found = 0
    if what == RUNS:
        run = first = 0
        for day in range(M[DAYS] + 1):
            if day < M[DAYS] and M[base + day]:
                first = day if run == 0 else first
                run += 1
            elif run:
                found += max(0, run - one - (1 if two and M[M[HALF] + first] == 1 else 0))
                run = 0
        return found
    if what == RESTS:
        for date in range(M[DATES] if two else M[DATES] - 1):
            before = M[base + M[M[FIRST_DAY] + date + 1] - 1]
            after = M[base + M[M[FIRST_DAY] + (date + 1) % M[DATES]]]
            if before and after:
                found += max(0, one - (M[HEIGHT] - _high(before) + _low(after)))
        return found
    if what == LONGER:
        for date in range(M[DATES]):
            its = 0
            for day in range(M[M[FIRST_DAY] + date], M[M[FIRST_DAY] + date + 1]):
                mask = M[base + day]
                its += _high(mask) - _low(mask) if mask else 0
                if two == 0:
                    found += max(0, its - one)
                    its = 0
            found += max(0, its - one)
        return max(0, found - 1)
    return 0


@typed
def date_of(M: Cells, row: int, date: int) -> int:
    """Return the date whose number of a rule changes with a date: the first of all for rules on several together."""
    return 0 if M[row] >= RUNS else date


@typed
def refresh(M: Cells, w: int, date: int) -> None:
    """Bring a week's numbers of a date up to its masks."""
    base = M[MASK] + w * M[DAYS]
    for f in range(M[M[FIELD_PTR] + w], M[M[FIELD_PTR] + w + 1]):
        row = M[FIELD] + f * FIELD_CELLS
        now = measure(M, row, w, date, base)
        at = M[VALUE] + f * M[DATES] + date_of(M, row, date)
        before, bound = M[M[SUM] + f], M[row + 5]
        after = before + now - M[at]
        M[M[SUM] + f] = after
        M[at] = now
        if M[row + 7]:
            M[WEEKS_COST] += M[row + 7] * (max(0, after - bound) - max(0, before - bound))


@typed
def refresh_all(M: Cells) -> None:
    """Set the numbers of all weeks from their masks."""
    for w in range(M[WEEKS]):
        for date in range(M[DATES]):
            refresh(M, w, date)


@typed
def allowance(M: Cells, row: int, hours: int, count: int) -> int:
    """Return a rule's bound, raised by what is not placed yet."""
    kind = M[row + 6]
    return M[row + 5] + (hours if kind == 1 else count if kind == 2 else 0)


@typed
def weeks_allow(M: Cells, u: int, s: int) -> bool:
    """Return whether all rules of weeks hold when the unit goes to the start."""
    height = M[HEIGHT]
    day = s // height
    date = M[M[DATE_OF] + day]
    for k in range(M[M[WOF_PTR] + u], M[M[WOF_PTR] + u + 1]):
        w, length = M[M[WOF] + k], M[M[WOF_LEN] + k]
        first, last = M[M[FIELD_PTR] + w], M[M[FIELD_PTR] + w + 1]
        if first == last or w >= M[HARD_WEEKS]:
            continue
        base = M[MASK] + w * M[DAYS]
        before = M[base + day]
        M[base + day] = before | (((1 << length) - 1) << (s - day * height))
        hours, count = M[M[LACK_HOURS] + w] - length, M[M[LACK_COUNT] + w] - 1
        good = True
        for f in range(first, last):
            row = M[FIELD] + f * FIELD_CELLS
            now = measure(M, row, w, date, base)
            if M[M[SUM] + f] + now - M[M[VALUE] + f * M[DATES] + date_of(M, row, date)] > allowance(M, row, hours, count):
                good = False
                break
        M[base + day] = before
        if not good:
            return False
    return True
