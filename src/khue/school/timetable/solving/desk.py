"""A problem and its board as one array of whole numbers, for the compiled loops of `swapping`.

`Desk.cells` holds everything, one part after another; the first `PARTS` cells say where each part begins (or, for single
numbers, are the number). Rows of variable length have a part of their ends (`..._PTR`). One array keeps the calls between
compiled functions cheap and their compilation short. `Desk.tables` are the pair tables: [table, other's start, start].
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.compiling import Compiled, price
from khue.school.timetable.solving.placing import Board, Group, Placer
from khue.school.timetable.solving.relations import Relations
from khue.school.timetable.solving.rules import Field, Week, soft_weeks, whole_weeks
from khue.school.timetable.solving.state import State

DEEPEST = 14
MOST_OUT = 96
"""A start that pushes out more units than this is none."""
LONGEST_CHAIN = 16
"""An exchange that moves more units than this is none."""
TALLEST = 30
"""The most periods of a day: masks are whole numbers of 32 bits."""
OfWalks = m.MaxMovesBetweenBuildings | m.MaxMovesBetweenRooms | m.MinGapsBetweenBuildings | m.MinGapsBetweenRooms
SPANS = {"day": 0, "date": 1, "week": 2}
FIELD_CELLS = 8  # what, four parameters, bound, raised by (0, 1 periods, 2 activities), price

(
    SLOTS, HEIGHT, DAYS, DATES, UNITS, NEEDS, SEED, STAMP, CALLS, LEFT, COUNT, MOST, OUT_N, LOG_N, FORCING, NEXT, WAITING, WINDOW,
    WINDOW_AT, IS_LATER, WEEKS, HARD_WEEKS, ACTIVITIES, WEEKS_COST, REST_COST, IS_NEW,
    DATE_OF, FIRST_DAY, HALF,
    DOM_PTR, DOM, COST, HARD, FIXED, HAS_WAYS, HOURS,
    LANE_PTR, LANE, LANE_LEN, THERE,
    PAR_PTR, PAR, PAR_TABLE, SOFT_PTR, SOFT, SOFT_TABLE, SOFT_COST,
    WOF_PTR, WOF, WOF_LEN, PART_PTR, PART, PART_LEN, SHUT, FIELD_PTR, FIELD, VALUE, SUM, MASK, LACK_HOURS, LACK_COUNT,
    TRIAL, TRIAL_VALUE, TRIAL_SUM,
    GOF_PTR, GOF, GOF_LEN, CROWD_PTR, CROWD, CROWD_LEN, CELL, GROUP_MOST, GROUP_WHOLE, GROUP_PRICE, GROUP_CELLS, LOAD,
    NEED_PTR, NEED, LENGTH, WAY_PTR, WAY_COST, ROOM_PTR, ROOM, CAP, OCC_N, OCC, OCC_WIDE, ROOM_OF, UNIT_OF, PICK,
    WALK_PTR, WALK, WALK_KIND, WAY_BUILDING, WAY_NAME, RULE_PTR, RULE_SORT, RULE_BOUND, RULE_SPAN, WALKER, WALKED,
    START, MOVED, MARK, OUT, CONF_N, CONF, PRICE, ORDER,
    LEVEL_N, LEVEL_START, LEVEL_OUT_N, LEVEL_OUT, LEVEL_PICK, LEVEL_PRICE, LEVEL_UNIT, LEVEL_AT, LEVEL_OUT_AT, LEVEL_MARK, CHAIN_UNIT, CHAIN_TO,
    LOG_UNIT, LOG_START, LOG_ROOM, QUEUE, PUSHES, RING_UNIT, RING_START, BEST_START, BEST_ROOM,
    BOUND, IS_BROAD, LACK, LEAST_LACK,
    PARTS,
) = range(135)  # fmt: skip


class Unsayable(Exception):
    """The board has a rule the compiled loops do not know; the plain ones must do."""


@dataclass
class Spread:
    """A soft bound on how many of some units are on one day (date), as a group, with its price."""

    group: Group
    units: list[tuple[int, int]]
    price: int


def spreads(c: Compiled) -> list[Spread]:
    """Return the soft bounds a day or date."""
    found = []
    dates = [day.date for day in c.problem.days]
    for k in c.rest:
        if isinstance(k, m.MaxADay) and not k.is_hard and k.weight > 0 and k.per in ("day", "date"):
            masks: dict[int, int] = {}
            for d, date in enumerate(dates):
                label = date if k.per == "date" else d
                masks[label] = masks.get(label, 0) | c.span(d * c.height, c.height)
            numbers = [c.index[key] for key in dict.fromkeys(k.activities)]
            found.append(Spread(Group(k.most, list(masks.values()), False), [(c.unit[i], c.length[i]) for i in numbers], price(k.weight)))
    return found


class Desk:
    """The arrays; the parts that move are set by `load`."""

    def __init__(
        self, c: Compiled, board: Board, relations: Relations, rng: random.Random, *, priced: bool = False, price_of_weeks: int = 0
    ) -> None:
        """Lay everything out; raises Unsayable.

        priced           keep count of what soft rules cost as well
        price_of_weeks   what breaking a rule of weeks costs, a unit; 0: they cannot be broken
        """
        self.c, self.board = c, board
        if c.height > TALLEST:
            raise Unsayable("a day is too long")
        self._parts: dict[int, NDArray[np.int32] | int] = {}
        self._grid()
        self._units(rng)
        self._pairs(relations)
        hard = [*board.weeks, *whole_weeks(c, board.unsaid)]
        self._price = price_of_weeks
        self._set(HARD_WEEKS, 0 if price_of_weeks else len(hard))
        self._weeks([*hard, *(soft_weeks(c) if priced else ())])
        self._groups(spreads(c) if priced else [])
        self._rooms()
        self._walks()
        self._scratch(rng)
        self._lay()

    # --- laying out ----------------------------------------------------------------------------------------------

    def _set(self, part: int, values: Iterable[int] | int) -> None:
        if isinstance(values, int):
            self._parts[part] = values
        else:
            self._parts[part] = np.fromiter(values, dtype=np.int32) if not isinstance(values, np.ndarray) else values.astype(np.int32).ravel()

    def _rows(self, pointer: int, rows: Sequence[Sequence[Sequence[int]]], *columns: int) -> None:
        """Lay out rows of tuples: one part a column."""
        self._set(pointer, np.cumsum([0, *(len(row) for row in rows)]))
        for n, column in enumerate(columns):
            self._set(column, [it[n] for row in rows for it in row])

    def _room_for(self, part: int, size: int, value: int = 0) -> None:
        self._parts[part] = np.full(size, value, dtype=np.int32)

    def _lay(self) -> None:
        at = PARTS
        for part in sorted(self._parts):
            its = self._parts[part]
            at += 0 if isinstance(its, int) else len(its)
        cells = np.zeros(at, dtype=np.int32)
        at = PARTS
        self._ends: dict[int, int] = {}
        for part, its in sorted(self._parts.items()):
            if isinstance(its, int):
                cells[part] = its
            else:
                cells[part] = at
                cells[at : at + len(its)] = its
                at += len(its)
                self._ends[part] = at
        self.cells = cells
        self._parts = {}

    def part(self, part: int) -> NDArray[np.int32]:
        """Return a part, as a view."""
        return self.cells[self.cells[part] : self._ends[part]]

    # --- the parts -----------------------------------------------------------------------------------------------

    def _grid(self) -> None:
        c, days = self.c, self.c.problem.days
        self.first_days = [d for d, day in enumerate(days) if not d or day.date != days[d - 1].date]
        self._set(SLOTS, c.slots)
        self._set(HEIGHT, c.height)
        self._set(DAYS, len(days))
        self._set(DATES, len(self.first_days))
        self._set(DATE_OF, [sum(first <= d for first in self.first_days) - 1 for d in range(len(days))])
        self._set(FIRST_DAY, [*self.first_days, len(days)])
        self._set(HALF, [day.half for day in days])

    def _units(self, rng: random.Random) -> None:
        c, board = self.c, self.board
        n = len(c.members)
        self._set(UNITS, n)
        starts = [[s for s in c.domain[u] if board.domain[u] >> s & 1] for u in range(n)]
        self._set(DOM_PTR, np.cumsum([0, *map(len, starts)]))
        self._set(DOM, [s for row in starts for s in row])
        cost = np.zeros((n, c.slots), dtype=np.int32)
        for u, prices in enumerate(c.costs):
            for s, its in prices.items():
                cost[u, s] = min(its, 1 << 24)
        self._set(COST, cost)
        hardness = Placer(board, rng).hardness
        order = sorted(range(n), key=lambda u: (hardness[u], -u))
        rank = [0] * n
        for place, u in enumerate(order):
            rank[u] = place
        self._set(HARD, rank)
        self._set(FIXED, [int(len(row) == 1) for row in starts])
        self._set(HAS_WAYS, [int(any(len(c.choices[i]) > 1 for i in row)) for row in board.needs])
        self._set(HOURS, board.hours)
        self._rows(LANE_PTR, board.lanes, LANE, LANE_LEN)
        self._room_for(THERE, max(1, len(board.taken)) * c.slots, -1)

    def _pairs(self, relations: Relations) -> None:
        slots = self.c.slots
        numbers: dict[int, int] = {}
        masks: list[list[int]] = []

        def number(table: list[int]) -> int:
            if id(table) not in numbers:
                numbers[id(table)] = len(masks)
                masks.append(table)
            return numbers[id(table)]

        board = self.board
        self._rows(PAR_PTR, [[(v, number(table)) for v, table in row] for row in board.partners], PAR, PAR_TABLE)
        self._rows(SOFT_PTR, [[(v, number(table), cost) for v, table, cost in row] for row in board.soft], SOFT, SOFT_TABLE, SOFT_COST)
        size = (slots + 7) // 8
        packed = b"".join(mask.to_bytes(size, "little") for table in masks for mask in table)
        bits = np.unpackbits(np.frombuffer(packed, dtype=np.uint8).reshape(-1, size), axis=1, bitorder="little")[:, :slots]
        self.tables = np.ascontiguousarray(bits.reshape(-1, slots, slots)) if masks else np.zeros((1, slots, slots), dtype=np.uint8)

    def _weeks(self, weeks: Sequence[Week]) -> None:
        c, height = self.c, self.c.height
        days, dates = len(c.problem.days), len(self.first_days)
        of: list[list[tuple[int, int]]] = [[] for _ in c.members]
        shut = np.zeros((max(1, len(weeks)), days), dtype=np.int32)
        rows: list[list[tuple[int, ...]]] = []
        for w, week in enumerate(weeks):
            for u, length in week.parts:
                of[u].append((w, length))
            for day in range(days):
                shut[w, day] = c.agendas[week.agenda].shut >> (day * height) & ((1 << height) - 1)
            rows.append([self._field(rule) for rule in week.fields])
        self._rows(WOF_PTR, of, WOF, WOF_LEN)
        self._rows(PART_PTR, [week.parts for week in weeks], PART, PART_LEN)
        self._set(WEEKS, len(weeks))
        self._set(SHUT, shut)
        self._set(FIELD_PTR, np.cumsum([0, *map(len, rows)]))
        self._set(FIELD, [number for row in rows for its in row for number in its])
        count = sum(map(len, rows))
        self._room_for(VALUE, max(1, count * dates))
        self._room_for(SUM, max(1, count))
        self._room_for(MASK, max(1, len(weeks) * days))
        self._set(LACK_HOURS, [sum(length for _, length in week.parts) for week in weeks])
        self._set(LACK_COUNT, [len(week.parts) for week in weeks])
        self._room_for(TRIAL, days)
        most = max(1, *map(len, rows)) if rows else 1
        self._room_for(TRIAL_VALUE, most * dates)
        self._room_for(TRIAL_SUM, most)

    def _field(self, rule: Field) -> tuple[int, ...]:
        if rule.code is None:
            raise Unsayable("a rule without a number")
        return (*rule.code, min(rule.bound, 1 << 20), {"": 0, "hours": 1, "count": 2}[rule.raised_by], rule.price or self._price)

    def _groups(self, spread: list[Spread]) -> None:
        c, board = self.c, self.board
        groups = [*board.groups, *(its.group for its in spread)]
        of = [list(row) for row in board.groups_of]
        for g, its in enumerate(spread, len(board.groups)):
            for u, length in its.units:
                of[u].append((g, length))
        units = [*board.group_units, *(its.units for its in spread)]
        self._set(GROUP_PRICE, [0] * len(board.groups) + [its.price for its in spread])
        cells = np.full((max(1, len(groups)), c.slots), -1, dtype=np.int32)
        width = 1
        for g, group in enumerate(groups):
            number = 0
            for mask in group.masks:
                those = [s for s in range(c.slots) if mask >> s & 1]
                if any(cells[g, s] >= 0 for s in those):
                    raise Unsayable("a group with overlapping sets of slots")
                for s in those:
                    cells[g, s] = number
                    number += group.whole_slots
                number += not group.whole_slots
            width = max(width, number)
        self._rows(GOF_PTR, of, GOF, GOF_LEN)
        self._rows(CROWD_PTR, units, CROWD, CROWD_LEN)
        self._set(CELL, cells)
        self._set(GROUP_MOST, [group.most for group in groups])
        self._set(GROUP_WHOLE, [int(group.whole_slots) for group in groups])
        self._set(GROUP_CELLS, width)
        self._room_for(LOAD, max(1, len(groups) * width))

    def _rooms(self) -> None:
        c = self.c
        needs = [[(i,) for i in row] for row in self.board.needs]
        self._set(NEEDS, max([1, *map(len, needs)]))
        self._rows(NEED_PTR, needs, NEED)
        self._set(LENGTH, c.length)
        self._set(UNIT_OF, c.unit)
        self._set(ACTIVITIES, len(c.keys))
        self._rows(WAY_PTR, [[(choice.cost,) for choice in row] for row in c.choices], WAY_COST)
        self._rows(ROOM_PTR, [[(cls,) for cls in choice.classes] for row in c.choices for choice in row], ROOM)
        cap = np.zeros((max(1, len(c.classes)), c.slots), dtype=np.int32)
        for n, cls in enumerate(c.classes):
            cap[n] = [0 if cls.shut >> s & 1 else cls.holds for s in range(c.slots)]
        wide = max([1, *(min(cls.holds, len(c.keys)) for cls in c.classes)])
        self._set(CAP, cap)
        self._room_for(OCC_N, cap.size)
        self._room_for(OCC, cap.size * wide, -1)
        self._set(OCC_WIDE, wide)
        self._room_for(ROOM_OF, len(c.keys), -1)

    def _walks(self) -> None:
        """Lay out whose changes of building (kind 0) or room (1) are bounded, and by what; no two lessons of theirs overlap."""
        c = self.c
        rules: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
        for k in c.rest:
            if not k.is_hard or not isinstance(k, OfWalks):
                continue
            row = (0, k.least, 0) if isinstance(k, m.MinGapsBetweenBuildings | m.MinGapsBetweenRooms) else (1, k.most, SPANS.get(k.per, -1))
            kind = int(isinstance(k, m.MaxMovesBetweenRooms | m.MinGapsBetweenRooms))
            for g in c.agendas_named(k.who):
                if row[2] >= 0 and c.agendas[g].is_weekly:
                    rules.setdefault((g, kind), []).append(row)
        of: list[list[tuple[int]]] = [[] for _ in c.keys]
        for w, (g, _) in enumerate(rules):
            for i, _unit in c.agendas[g].parts:
                of[i].append((w,))
        self._rows(WALK_PTR, of, WALK)
        self._set(WALK_KIND, [kind for _, kind in rules])
        self._rows(RULE_PTR, list(rules.values()), RULE_SORT, RULE_BOUND, RULE_SPAN)
        building = {room.name: room.building for room in c.problem.rooms}
        names = [choice.virtual or (c.classes[choice.classes[0]].rooms or ("",))[0] if choice.classes else "" for row in c.choices for choice in row]
        numbers = {name: n for n, name in enumerate(sorted({"", *building, *building.values()}))}
        self._set(WAY_BUILDING, [numbers[building.get(name, "")] for name in names])
        self._set(WAY_NAME, [numbers[name] for name in names])
        self._room_for(WALKER, max(1, len(rules) * c.slots), -1)
        self._room_for(WALKED, max(1, len(rules) * c.slots))

    def _scratch(self, rng: random.Random) -> None:
        n, slots = len(self.c.members), self.c.slots
        needs = self._parts[NEEDS]
        assert isinstance(needs, int)
        for part in (STAMP, CALLS, LEFT, COUNT, MOST, OUT_N, LOG_N, FORCING, NEXT, WAITING, WINDOW_AT, IS_LATER, WEEKS_COST, REST_COST, IS_NEW, IS_BROAD):
            self._set(part, 0)
        self._set(SEED, rng.randrange(1, 2_147_483_646))
        self._set(WINDOW, 8 * n)
        self._set(BOUND, MOST_OUT)
        depth = DEEPEST + 2
        for part, size, value in (
            (PICK, needs, -1), (START, n, -1), (MOVED, n, 0), (MARK, n, 0), (OUT, MOST_OUT + 8, 0), (CONF_N, slots, 0),
            (CONF, slots * MOST_OUT, 0), (PRICE, slots, 0), (ORDER, slots, 0), (LEVEL_N, depth, 0), (LEVEL_START, depth * slots, 0),
            (LEVEL_OUT_N, depth * slots, 0), (LEVEL_OUT, depth * slots * MOST_OUT, 0), (LEVEL_PICK, depth * slots * needs, -1),
            (LEVEL_PRICE, depth * slots, 0), (LEVEL_UNIT, depth, 0), (LEVEL_AT, depth, 0), (LEVEL_OUT_AT, depth, 0), (LEVEL_MARK, depth, 0),
            (CHAIN_UNIT, LONGEST_CHAIN, 0), (CHAIN_TO, LONGEST_CHAIN, 0), (LOG_UNIT, 16 * n + 1024, 0), (LOG_START, 16 * n + 1024, 0),
            (LOG_ROOM, (16 * n + 1024) * needs, -1), (QUEUE, n + 1, 0), (PUSHES, n * slots, 0), (RING_UNIT, 8 * n, -1),
            (RING_START, 8 * n, 0), (BEST_START, n, -1), (BEST_ROOM, len(self.c.keys), -1), (LACK, n, 0), (LEAST_LACK, n, 0),
        ):  # fmt: skip
            self._room_for(part, size, value)

    # --- in and out ----------------------------------------------------------------------------------------------

    def state(self, starts: int = BEST_START, rooms: int = BEST_ROOM) -> State:
        """Return what the desk holds (the fullest it held) as a state."""
        first = self.part(starts).tolist()
        ways, chosen = self.part(WAY_PTR).tolist(), self.part(rooms).tolist()
        placed = {u: s for u, s in enumerate(first) if s >= 0}
        return State(placed, {i: chosen[i] - ways[i] for u in placed for i in self.board.needs[u] if chosen[i] >= 0})

    def starts_and_ways(self, state: State) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return a state as the start of each unit and the way of each activity to get its room (-1: none)."""
        starts = np.full(int(self.cells[UNITS]), -1, dtype=np.int32)
        ways = np.full(len(self.c.keys), -1, dtype=np.int32)
        for u, s in state.starts.items():
            starts[u] = s
        first = self.part(WAY_PTR)
        for i, k in state.rooms.items():
            ways[i] = first[i] + k
        return starts, ways
