"""Makes a whole timetable cheaper in compiled code: what `polishing` does, some hundred thousand exchanges a second.

Besides the soft rules of weeks, pairs, single starts and bounds a day, the price of rooms counts.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from time import monotonic

from khue.school.timetable.solving.compiling import Compiled
from khue.school.timetable.solving.desk import COUNT, IS_NEW, MOST, UNITS, Desk
from khue.school.timetable.solving.placing import Board
from khue.school.timetable.solving.relations import Relations
from khue.school.timetable.solving.state import State

CHUNK = 2_000
"""Moves of one temperature, and between looks at the clock."""


class Annealer:
    """Anneals on a desk of its own; raises `desk.Unsayable` where a rule has no number."""

    pace = 10
    """How many of its moves take as long as one of the plain annealing."""
    heats = (0.6, 2.4, 1.2, 0.3)
    """Temperatures (units of cost) to begin with, one after the other: which one leads furthest depends on the weights."""

    def __init__(self, c: Compiled, board: Board, relations: Relations, rng: random.Random) -> None:
        from khue.school.timetable.solving import annealing_loops, pushing_loops

        self.loops, self.placing = annealing_loops, pushing_loops
        self.desk = Desk(c, board, relations, rng, priced=True)
        self.cells, self.tables = self.desk.cells, self.desk.tables
        self.placing.begin(self.cells)

    def load(self, state: State) -> bool:
        """Put a whole timetable on the desk; False where not all of it fits."""
        self.placing.clear(self.cells)
        self.placing.load(self.cells, self.tables, *self.desk.starts_and_ways(state))
        return int(self.cells[COUNT]) == int(self.cells[UNITS])

    def cost(self) -> int:
        """Return what stands on the desk costs, in prices."""
        return int(self.loops.total(self.cells, self.tables))

    def run(self, moves: int, hot: float, cold: float, until: float, stop: Callable[[], bool]) -> tuple[State, int]:
        """Try so many moves while the temperature (in prices) falls from `hot` to `cold`; return the best and its cost."""
        cells = self.cells
        cells[MOST], cells[IS_NEW] = self.cost(), 1
        chunks = max(1, moves // CHUNK)
        for n in range(chunks):
            if monotonic() > until or stop() or not cells[MOST]:
                break
            heat = hot * (cold / hot) ** (n / chunks)
            self.loops.anneal(cells, self.tables, min(moves, CHUNK), max(1, round(heat)))
        self.loops.finish(cells)
        return self.desk.state(), int(cells[MOST])
