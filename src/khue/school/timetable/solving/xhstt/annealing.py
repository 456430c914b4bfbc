"""Simulated annealing over lessons: very many cheap moves, each judged by the change of cost it brings.

Moves: a lesson to another start; two lessons exchange their starts; a chain of exchanges between two stretches of
times (all lessons that would collide change sides); a place to another resource, or all that should share one to
the same; two lessons of an event joined or one cut. The moves are compiled (`moving`), some hundred thousand a
second.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from khue.school.timetable.solving.xhstt import moving, tables
from khue.school.timetable.solving.xhstt.compiling import HARD, compile_instance
from khue.school.timetable.solving.xhstt.model import Event, EventResource, Instance, Resource
from khue.school.timetable.solving.xhstt.state import State

SLICE = 20_000
"""Moves between two looks at whether to stop."""
DEARER = 20
"""How much more a unit of infeasibility counts at the end of an annealing than at its beginning."""
WHOLE = 1_000
"""What a unit of deviation counts while only what is required counts: prices are whole numbers, temperatures are not."""
NEVER = 2**62
"""A cost above every other."""
TAKES, MOST_TAKES = 9, 60
"""How many moves of places are among the kinds for each place a movable bundle has on the average, and at most."""
PUSHES_A_TAKE = 2
"""How many of the moves of places that push others away there are for each of those that do not."""
TRIES = 2_000
"""Moves tried to learn what a bad one usually costs."""


class Annealer:
    """Anneals a state from its present timetable."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.facts = tables.facts_of(state, HARD)
        self.required = tables.required_alone(self.facts)
        self.now = tables.now_of(self.facts)
        self.best = self.now[self.now[moving.USED] : self.now[moving.COUNTS]].copy()
        self.rises = np.zeros(TRIES, dtype=np.int64)
        self.kinds = np.array(self._kinds(), dtype=np.int64)
        self.has_moves = bool(self.facts[moving.MOVABLE_COUNT] or self.facts[moving.PLACED_COUNT])

    def _kinds(self) -> list[int]:
        """Return the kinds of moves there are for this problem, repeated as often as they should be made."""
        facts = self.facts
        kinds: list[int] = []
        if facts[moving.MOVABLE_COUNT]:
            kinds += [moving.SHIFT, moving.SHIFT, moving.SWAP, moving.SWAP, *[moving.CHAIN] * 4]
        if facts[moving.SPLITTABLE_COUNT]:
            kinds.append(moving.CUT)
        if facts[moving.PLACED_COUNT]:
            each = facts[moving.PLACED_COUNT] / max(1, facts[moving.MOVABLE_COUNT])
            takes = max(2, min(MOST_TAKES, round(TAKES * each)))
            kinds += [moving.TAKE] * takes + [moving.PUSH] * (PUSHES_A_TAKE * takes)
            if self.state.problem.splits:
                kinds += [moving.UNIFY] * max(1, takes // 4)
        return kinds

    def read(self, facts: moving.Array) -> bool:
        """Take the state's timetable into the arrays, priced as the facts say; return whether it fits them."""
        if not self.has_moves or not tables.write(facts, self.now, self.state.snapshot()):
            return False
        moving.count_all(facts, self.now)
        return True

    def usual_rise(self, seed: int) -> float:
        """Return what a bad move usually costs, among random moves that break nothing required."""
        if not self.read(self.facts):
            return 3.0
        seen = self._anneal(self.facts, 0, seed, TRIES, 0.0, 0.0, 0)
        return float(np.median(self.rises[:seen])) if seen > 4 else 3.0

    def _anneal(
        self, facts: moving.Array, cost: int, seed: int, moves: int, warm: float, cold: float, hard_weight: int
    ) -> int:
        return int(
            moving.anneal(
                facts,
                self.now,
                self.best,
                self.rises,
                cost,
                self.kinds,
                seed % 2**32,
                moves,
                warm,
                cold,
                hard_weight,
            )
        )

    def run(
        self,
        seed: int,
        moves: int,
        warm: float,
        cold: float,
        hard_weight: int,
        stop: Callable[[], bool],
        *,
        is_fresh: bool = False,
    ) -> int:
        """Make `moves` moves while the temperature falls from `warm` to `cold`; end in the best timetable met.

        hard_weight  what a unit of infeasibility counts against a unit of objective at first; towards the end it
                     counts so much more that the way back to a feasible timetable pays
        is_fresh     whether to leave the present timetable behind: a tenth of the moves is made at `warm` first,
                     and the best one of the others is taken even if it is worse than the present one

        Returns how many moves were made.
        """
        if not self.read(self.facts):
            return 0
        heating = moves // 10 if is_fresh else 0
        cost = first = self.state.cost
        constant = self.state.problem.constant
        made = 0
        while made < moves and not stop() and cost > constant:
            is_heating = made < heating
            count = min(SLICE, (heating if is_heating else moves) - made)
            if is_heating:
                self._anneal(self.facts, constant - 1, seed * 7919 + made, count, warm, warm, hard_weight)
            else:
                if is_fresh and made == heating:
                    cost = NEVER
                done, total = made - heating, moves - heating
                warmer, colder = (warm * (cold / warm) ** (x / total) for x in (done, done + count))
                weight = int(hard_weight * (1 + DEARER * (done / total) ** 2))
                cost = self._anneal(self.facts, cost, seed * 7919 + made, count, warmer, colder, weight)
            made += count
        if cost < first or (is_fresh and made > heating and cost < NEVER):
            self.state.restore(tables.read(self.facts, self.now, self.state.problem, self.best))
        return made

    def seek(self, seed: int, moves: int, warm: float, cold: float, stop: Callable[[], bool]) -> int:
        """Make `moves` moves that look at nothing but what is required, every deviation counting alike.

        The temperature falls from `warm` to `cold`, where one of deviation is 1. Ends in the timetable of the least
        deviation met, at once in a feasible one. Returns that deviation, NEVER where no move can be made.
        """
        if not self.read(self.required):
            return NEVER
        cost = first = int(self.now[moving.TOTAL])
        made = 0
        while made < moves and not stop() and cost > self.state.problem.constant:
            count = min(SLICE, moves - made)
            warmer, colder = (WHOLE * warm * (cold / warm) ** (x / moves) for x in (made, made + count))
            cost = self._anneal(self.required, cost, seed * 7919 + made, count, warmer, colder, WHOLE)
            made += count
        if cost < first:
            self.state.restore(tables.read(self.facts, self.now, self.state.problem, self.best))
        return (cost - self.state.problem.constant) // HARD


def warm() -> None:
    """Compile the moves, by a timetable of two lessons."""
    taught = (EventResource("", "Class", 0, 1),)
    events = tuple(Event(name, name, 1, None, taught) for name in ("one", "two"))
    instance = Instance("warm", "warm", ("1", "2"), ("Class",), (Resource("c", "c", "Class"),), events, ())
    Annealer(State(compile_instance(instance))).usual_rise(1)
