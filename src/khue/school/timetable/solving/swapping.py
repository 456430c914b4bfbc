"""Places units by pushing out what stands in the way, in compiled code: the strongest part of the engine.

Units are placed hardest first. A unit without a free start opens a chain: it takes the start with fewest units in the way,
these are placed again the same way, at most 14 deep; without success the board is put back. Then the cheapest start is
forced, where pushing a unit out of its start counts as often as that happened lately, and who had to leave waits next.
What the arrays cannot say (`desk.Unsayable`) is left to `placing`, which does the same in plain Python.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from time import monotonic

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
    UNITS,
    Desk,
)
from khue.school.timetable.solving.placing import Board
from khue.school.timetable.solving.relations import Relations
from khue.school.timetable.solving.state import State

WAYS = ((True, False), (False, True), (False, False), (True, True))
"""The ways of four tries in turn: whether those forced out wait last (or are next), and whether chains are broad (see `run`)."""
BROAD = 8
"""How many times as long a broad try is: it gets there slowly, and goes on getting there."""
CHUNK = 2_000
"""Calls between looks at the clock: some hundredths of a second."""
FIRST_TRY = 60
"""Calls a unit of the first try, which is not broad; each later pair has twice as many. Most such tries end soon or hardly ever."""


class Swapper:
    """Places on a desk; goes on where the last `run` ended."""

    def __init__(self, c: Compiled, board: Board, relations: Relations, rng: random.Random) -> None:
        from khue.school.timetable.solving import pushing_loops as loops

        self.loops = loops
        self.desk = Desk(c, board, relations, rng)
        self.cells, self.tables = self.desk.cells, self.desk.tables
        loops.begin(self.cells)
        self._prune()
        self.rng = rng
        self.tries = self.left = 0
        self.limit = 0  # calls of one chain

    def _prune(self) -> None:
        """Take from each unit the starts that units with a single start can never leave."""
        cells, desk = self.cells, self.desk
        for _ in range(5):
            keeps = np.zeros(len(desk.part(DOM)), dtype=np.int32)
            if not self.loops.prune(cells, self.tables, keeps):
                return
            ends, starts = desk.part(DOM_PTR), desk.part(DOM)
            rows = [starts[a:b][keeps[a:b] > 0] for a, b in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)]
            kept = np.concatenate(rows)
            starts[: len(kept)] = kept
            ends[:] = np.cumsum([0, *map(len, rows)])
            desk.part(FIXED)[:] = [len(row) == 1 for row in rows]

    @property
    def rounds(self) -> int:
        """Return the calls made so far."""
        return int(self.cells[CALLS])

    def load(self, state: State) -> None:
        """Clear the desk and place what of a state still fits."""
        self.loops.clear(self.cells)
        self.loops.load(self.cells, self.tables, *self.desk.starts_and_ways(state))
        self.cells[MOST] = -1
        self.tries = self.left = 0

    def run(self, until: float, rounds: int, stop: Callable[[], bool]) -> bool:
        """Place what is missing until the time or so many calls are over; True when everything is placed.

        Goes on with the try the last run ended in. Who is forced out waits at the end of the queue in some tries, and is next in
        others. Chains are short in half of them; in the other, broad tries they are long, try all starts at their first five
        levels and one at those below, and who is forced out is first of all who was least often in the whole try. Which of them
        ends depends on the school.
        """
        loops, cells = self.loops, self.cells
        end, done = self.rounds + rounds, False
        while not done and self.rounds < end and monotonic() < until and not stop():
            if self.left <= 0:
                self._begin_try()
            calls = min(CHUNK, end - self.rounds, self.left)
            before = self.rounds
            done = bool(loops.push(cells, self.tables, calls, self.limit))
            self.left -= max(1, self.rounds - before)
        return done

    def _begin_try(self) -> None:
        """Start from what `load` put there, then from an empty desk, in another order each time."""
        number, units = self.tries, int(self.cells[UNITS])
        self.tries += 1
        if number:
            self.loops.clear(self.cells)
        is_later, is_broad = WAYS[number % len(WAYS)]
        self.left = FIRST_TRY * units * 2 ** (number // 2) * (BROAD if is_broad else 1)
        self.limit = max(100, 2 * units if is_broad else units // 2)
        self.cells[IS_LATER], self.cells[IS_BROAD] = is_later, is_broad
        self.loops.forget(self.cells)
        rank = self.desk.part(HARD) + np.array([self.rng.random() * units * 0.05 * min(number, 1) for _ in range(units)])
        self.loops.wait(self.cells, np.argsort(-rank, kind="stable").astype(np.int32))
        self.loops.keep(self.cells)

    def state(self) -> State:
        """Return the fullest timetable since the last `load`."""
        return self.desk.state()


def warm() -> None:
    """Compile, or load, the loops."""
    from khue.school.timetable.solving import pushing_loops  # noqa: F401
