"""Places units by pushing out what stands in the way, in compiled code: the strongest part of the engine.

Units are placed hardest first. A unit without a free start opens a chain: it takes the start with fewest units in the way,
these are placed again the same way, at most 14 deep; without success the board is put back. Then the cheapest start is
forced, where pushing a unit out of its start counts as often as that happened lately. Several lanes, each with a desk of its
own, do this by turns, each in a way of its own; on several threads each thread has lanes of its own.
What the arrays cannot say (`desk.Unsayable`) is left to `placing`, which does the same in plain Python.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from importlib import import_module
from time import monotonic
from types import ModuleType

import numpy as np

from khue.school.timetable.solving.compiling import Compiled
from khue.school.timetable.solving.desk import (
    CALLS,
    DOM,
    DOM_PTR,
    FIXED,
    HARD,
    IS_BROAD,
    IS_LATER,
    MOST,
    SEED,
    UNITS,
    Desk,
)
from khue.school.timetable.solving.placing import Board
from khue.school.timetable.solving.relations import Relations
from khue.school.timetable.solving.state import State
from khue.school.timetable.solving.threads import at_once

CHUNK = 2_000
"""Calls between looks at the clock: some hundredths of a second."""
TURN = 20
"""Calls a unit a lane makes before the next lane's turn."""


@dataclass(frozen=True)
class Kind:
    """How the tries of a lane go.

    later  whether those forced out wait last, for each try in turn; otherwise they are next
    broad  whether chains are broad: long, with all starts tried at their first five levels and one at those below, and forced
           out is first of all who was least often in the whole try
    first  calls a unit of the first try; each later round of `later` has twice as many
    share  turns in a row
    """

    later: tuple[bool, ...]
    broad: bool
    first: int
    share: int = 1


SHORT = Kind((True, False), broad=False, first=60)
NEXT = Kind((False,), broad=True, first=6_000, share=6)
LAST = Kind((True,), broad=True, first=6_000)
KINDS = (SHORT, NEXT, LAST)
"""The lanes of the first thread: short tries, most of which end soon or hardly ever; the broad tries that place most schools,
and slowly get there with the others; and the same with those forced out waiting last, for the few where that is better."""
SETTLED = Kind((False, True), broad=True, first=2_000)
"""A lane that goes on from where an annealing ended (`settling`)."""
MORE_KINDS = (NEXT,)
"""The lanes of every other thread, whose tries go other ways by chance."""


class Lane:
    """A desk of its own with the try that is under way on it."""

    def __init__(self, desk: Desk, kind: Kind, rng: random.Random) -> None:
        self.desk, self.kind, self.rng = copy(desk), kind, rng
        self.desk.cells = desk.cells.copy()
        self.desk.cells[SEED] = rng.randrange(1, 2_147_483_646)
        self.tries = self.left = 0
        self.limit = 0  # calls of one chain

    @property
    def rounds(self) -> int:
        """Return the calls made so far."""
        return int(self.desk.cells[CALLS])

    @property
    def most(self) -> int:
        """Return how many units the fullest timetable holds."""
        return int(self.desk.cells[MOST])

    def push(self, calls: int) -> bool:
        """Go on for so many calls, or to the end of the try; True when everything is placed."""
        if self.left <= 0:
            self._begin()
        before = self.rounds
        done = bool(loops().push(self.desk.cells, self.desk.tables, min(calls, self.left), self.limit))
        self.left -= max(1, self.rounds - before)
        return done

    def _begin(self) -> None:
        """Start from what lies on the desk, later from an empty one, in another order each time."""
        cells, number, kind = self.desk.cells, self.tries, self.kind
        units = int(cells[UNITS])
        self.tries += 1
        if number:
            loops().clear(cells)
        self.left = kind.first * units * 2 ** (number // len(kind.later))
        self.limit = max(100, 2 * units if kind.broad else units // 2)
        cells[IS_LATER], cells[IS_BROAD] = kind.later[number % len(kind.later)], kind.broad
        loops().forget(cells)
        rank = self.desk.part(HARD) + np.array([self.rng.random() * units * 0.05 * min(number, 1) for _ in range(units)])
        loops().wait(cells, np.argsort(-rank, kind="stable").astype(np.int32))
        loops().keep(cells)


def loops() -> ModuleType:
    """Return the compiled loops, which are loaded when they are first used."""
    from khue.school.timetable.solving import pushing_loops

    return pushing_loops


def are_loops_made() -> bool:
    """Return whether the compiled loops need not be made first."""
    from khue.school.timetable.solving import machine_code

    return bool(loops()) and machine_code.is_made()


def prune(desk: Desk) -> None:
    """Take from each unit the starts that units with a single start can never leave."""
    for _ in range(5):
        keeps = np.zeros(len(desk.part(DOM)), dtype=np.int32)
        if not loops().prune(desk.cells, desk.tables, keeps):
            return
        ends, starts = desk.part(DOM_PTR), desk.part(DOM)
        rows = [starts[a:b][keeps[a:b] > 0] for a, b in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)]
        kept = np.concatenate(rows)
        starts[: len(kept)] = kept
        ends[:] = np.cumsum([0, *map(len, rows)])
        desk.part(FIXED)[:] = [len(row) == 1 for row in rows]


class Swapper:
    """Places on several desks by turns, a group of them a thread; goes on where the last `run` ended.

    What is found does not depend on how fast the threads are: they wait for each other after each turn.
    """

    def __init__(
        self, c: Compiled, board: Board, relations: Relations, rng: random.Random, kinds: Sequence[Kind] = KINDS, threads: int = 1
    ) -> None:
        self.desk, self.rng = Desk(c, board, relations, rng), rng
        loops().begin(self.desk.cells)
        prune(self.desk)
        groups = [kinds, *([MORE_KINDS] * (threads - 1))]
        self.groups = [[Lane(self.desk, kind, random.Random(rng.random())) for kind in group] for group in groups]  # noqa: S311

    @property
    def lanes(self) -> list[Lane]:
        """Return all lanes, those of the first thread first."""
        return [lane for group in self.groups for lane in group]

    @property
    def rounds(self) -> int:
        """Return the calls made so far."""
        return sum(lane.rounds for lane in self.lanes)

    def load(self, state: State) -> None:
        """Clear the first desk and place what of a state still fits; its first try goes on from there, the other lanes as they were."""
        lane = self.groups[0][0]
        loops().clear(lane.desk.cells)
        loops().load(lane.desk.cells, lane.desk.tables, *lane.desk.starts_and_ways(state))
        lane.desk.cells[MOST] = -1
        lane.tries = lane.left = 0

    def add(self, state: State) -> None:
        """Let a lane of its own go on from what of a state fits, in place of the one that did so before."""
        group = self.groups[0]
        group[:] = [lane for lane in group if lane.kind is not SETTLED]
        lane = Lane(self.desk, SETTLED, random.Random(self.rng.random()))  # noqa: S311
        cells = lane.desk.cells
        loops().clear(cells)
        loops().load(cells, lane.desk.tables, *lane.desk.starts_and_ways(state))
        cells[MOST] = -1
        cells[CALLS] = SETTLED.share * min(one.rounds // one.kind.share for one in group)  # its turn comes like any other's
        group.append(lane)

    def run(self, until: float, rounds: int, stop: Callable[[], bool]) -> bool:
        """Place what is missing until the time or so many calls a thread are over; True when everything is placed.

        Which of the lanes ends depends on the school.
        """
        ends = [_calls(group) + rounds for group in self.groups]
        groups = list(zip(self.groups, ends, strict=True))
        while not self._is_over(until, stop) and any(_calls(group) < end for group, end in groups):
            if any(at_once(lambda it: self._turn(it[0], it[1], until, stop), groups)):
                return True
        return False

    def _turn(self, group: list[Lane], end: int, until: float, stop: Callable[[], bool]) -> bool:
        """Go on with the lane of a group whose turn it is; True when it has placed everything."""
        turn = TURN * int(self.desk.cells[UNITS])
        lane = min(group, key=lambda one: one.rounds // turn / one.kind.share)
        over = lane.rounds // turn * turn + turn
        while lane.rounds < over and (left := end - _calls(group)) > 0 and not self._is_over(until, stop):
            if lane.push(min(CHUNK, left, over - lane.rounds)):
                return True
        return False

    @staticmethod
    def _is_over(until: float, stop: Callable[[], bool]) -> bool:
        return monotonic() >= until or stop()

    def state(self) -> State:
        """Return the fullest timetable of all lanes."""
        return max(self.lanes, key=lambda one: one.most).desk.state()


def _calls(group: list[Lane]) -> int:
    """Return the calls a group's lanes made."""
    return sum(lane.rounds for lane in group)


def warm() -> None:
    """Compile, or load, all typed loops."""
    for name in ("pushing_loops", "annealing_loops", "settling_loops"):
        import_module(f"khue.school.timetable.solving.{name}")
    import_module("khue.school.timetable.solving.machine_code").load_all()
