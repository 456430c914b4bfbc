"""Places everything by annealing: what is missing and what is broken of the rules of weeks has a price, and nobody ever clashes.

A missing unit comes to a start, whoever is in the way becomes missing; a placed one changes places with whoever is in its way,
in chains (`annealing`). What stays missing becomes dearer from look to look, so that units which nothing else makes way for
are placed first in the end, as if one had known how hard they are. It gets where pushing out does not: schools whose classes
have no free period, and whose teachers' days are bounded from all sides.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import copy
from time import monotonic

from khue.school.timetable.solving import swapping
from khue.school.timetable.solving.compiling import Compiled
from khue.school.timetable.solving.desk import COUNT, LACK, LEAST_LACK, ROOM_OF, SEED, START, UNITS, Desk
from khue.school.timetable.solving.placing import Board
from khue.school.timetable.solving.relations import Relations
from khue.school.timetable.solving.state import State
from khue.school.timetable.solving.threads import at_once

PRICE = 100
"""What one unit of a broken rule costs at first, and a missing period of one class with one teacher."""
HEATS = ((35, 15), (25, 20))
"""The temperatures (prices) from which to which tries cool, in turn: which one gets there depends on the school."""
LOOK, SHORTEST_LOOK = 25, 1_000
"""Moves a unit at one temperature, after which what is missing becomes dearer."""
LOOKS, ALIKE = 600, 4
"""Looks of the first tries, so many of them; as many later ones have twice as many, and so on."""


class Try:
    """An annealing on a desk of its own, and the ones after it."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk = copy(desk)
        self.desk.cells = desk.cells.copy()
        self.desk.cells[SEED] = seed
        self.look = max(SHORTEST_LOOK, LOOK * int(desk.cells[UNITS]))
        self.tries = self.looked = self.looks = 0
        self.hot, self.cold = HEATS[0]
        self.was_whole = False
        self.ended: State | None = None

    def run(self, moves: int, until: float, stop: Callable[[], bool]) -> bool:
        """Go on for about so many moves; True when everything is placed and no rule broken."""
        from khue.school.timetable.solving import settling_loops as loops

        cells, tables = self.desk.cells, self.desk.tables
        for _ in range(max(1, moves // self.look)):
            if monotonic() >= until or stop():
                return False
            if self.looked >= self.looks:
                if self.looks:
                    self.ended = self.state()
                self.looked, self.looks = 0, LOOKS * 2 ** (self.tries // ALIKE)
                self.hot, self.cold = HEATS[self.tries % len(HEATS)]
                self.tries += 1
                loops.lay(cells, tables, PRICE)
            heat = self.hot * (self.cold / self.hot) ** (self.looked / self.looks)
            self.looked += 1
            if loops.settle(cells, tables, self.look, round(heat)):
                return True
            loops.weigh(cells, PRICE)
            self.was_whole |= bool(cells[COUNT] == cells[UNITS])
        return False

    def state(self) -> State:
        """Return what stands on the desk; rules of weeks may be broken."""
        return self.desk.state(START, ROOM_OF)


class Settler:
    """Anneals on one desk a thread; raises `desk.Unsayable`. What is found does not depend on how fast the threads are."""

    def __init__(self, c: Compiled, board: Board, relations: Relations, rng: random.Random, threads: int = 1) -> None:
        desk = Desk(c, board, relations, rng, price_of_weeks=PRICE)
        swapping.loops().begin(desk.cells)
        swapping.prune(desk)
        desk.part(LEAST_LACK)[:] = [max(PRICE * hours, PRICE * sum(length for _, length in row) // 2) for hours, row in zip(board.hours, board.lanes, strict=True)]
        desk.part(LACK)[:] = desk.part(LEAST_LACK)
        self.tries = [Try(desk, rng.randrange(1, 2_147_483_646)) for _ in range(threads)]

    @property
    def was_whole(self) -> bool:
        """Return whether everything was placed once when a look came, be it with rules of weeks broken."""
        return any(one.was_whole for one in self.tries)

    def run(self, moves: int, until: float, stop: Callable[[], bool]) -> State | None:
        """Go on for about so many moves a thread; return a timetable with everything placed and no rule of weeks broken."""
        found = at_once(lambda one: one.run(moves, until, stop), self.tries)
        return next((one.state() for one, done in zip(self.tries, found, strict=True) if done), None)

    def ended(self) -> list[State]:
        """Return where tries ended that came to an end since this was asked last; not all is placed, or rules are broken."""
        found = [one.ended for one in self.tries if one.ended is not None]
        for one in self.tries:
            one.ended = None
        return found
