"""The first timetable: times for all, resources for their places, and a search for feasibility where it takes one.

1. Times for all bundles at once, as a pure question of feasibility; where that does not come soon, chunk by chunk with
   lessons left out.
2. Resources for the places, times fixed.
3. While something required is broken, annealing that looks at nothing else, and again from other first times.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from khue.school.timetable.solving.xhstt.compiling import HARD
from khue.school.timetable.solving.xhstt.matching import short_pools
from khue.school.timetable.solving.xhstt.state import Parts
from khue.school.timetable.solving.xhstt.windows import Wish, solve_window

if TYPE_CHECKING:
    from khue.school.timetable.solving.xhstt.searching import Search

WHOLE_OPTIONS = 60_000
"""Above so many possible lessons the whole instance is not put into one model."""
FIRST_EFFORT = 15.0
"""How long the question for all times is asked, in CP-SAT's deterministic seconds."""
PROBES, PROBE_MOVES = 3, 500_000
"""Short annealings from each first timetable, and their moves: some first timetables lead to a feasible one, more do not, and
the short ones already tell them apart."""
SOUGHT_MOVES, SOUGHT_LONGER, SOUGHT_SHARE = 4_000_000, 1.2, 0.5
"""Moves of the first longer annealing, which begins at the most promising of the first timetables, how much longer it becomes
each time, and how much of the time may go to this."""
SPENT = 2
"""By how much a first timetable is less promising after each longer annealing from it, in units of deviation of all probes."""
SOUGHT_SAME = 4
"""How often one after the other the same least deviation may be met before it is held to be the least there is."""
POOL_ROUNDS, POOL_SHARE, POOL_EFFORT = 12, 0.1, 6.0
"""How often the first times are asked again because of lessons that cannot have resources, and the most of the time for it."""


@dataclass
class First:
    """A first timetable, and what all short annealings from it left broken: the less, the more promising."""

    lessons: list[Parts]
    left: int = 0


class Beginning:
    """Makes the first timetable of a search, in its state.

    pools  resources that turned out too few for what runs at once, together
    """

    def __init__(self, search: Search) -> None:
        self.search = search
        self.pools: dict[frozenset[int], None] = {}

    def make(self) -> None:
        """Make a first timetable, feasible if one is found in time."""
        search = self.search
        self.times()
        search.log(f"times {search.costs()}")
        if search.with_places and not search.is_over():
            self.places()
            search.log(f"places {search.costs()}")
        if search.best_cost >= HARD and not search.is_impossible and not search.is_over():
            self.seek()

    def times(self) -> None:
        """Give every bundle its times, leaving resources open."""
        if sum(self.search.size[b] for b in self.search.movable) <= WHOLE_OPTIONS:
            # What was learnt before makes the question harder: it is left out where no answer comes soon.
            for is_plain in (False, True) if self.pools else (True,):
                wish = self._wish(FIRST_EFFORT if is_plain else POOL_EFFORT)
                wish = replace(wish, pools=()) if is_plain else wish
                outcome = solve_window(self.search.state, self.search.movable, (), wish, stop=self.search.stop)
                self.search.take(outcome, any_cost=True)
                if outcome.parts:
                    if self.search.with_places:
                        self._other_times(time.monotonic() + POOL_SHARE * self.search.left())
                    return
            self.search.is_impossible = outcome.is_impossible and not self.search.with_places and self.search.is_exact()
        self._by_chunks()

    def _wish(self, effort: float, *, no_hints: bool = False) -> Wish:
        """Return a wish for times of everything, resources left out; one way of searching finds them sooner than several."""
        wish = self.search.wish(effort, no_slack=True, no_objective=True, no_places=True, no_hints=no_hints)
        return replace(wish, threads=1, pools=tuple(self.pools))

    def _other_times(self, until: float) -> None:
        """Ask for times at which every place could have a resource, as far as each time alone can say.

        Which resources are too few is learnt from the times found before.
        """
        for _ in range(POOL_ROUNDS):
            found = short_pools(self.search.state)
            self.search.log(f"pools {len(found)} {self.search.costs()}")
            if not found or self.search.is_over() or time.monotonic() >= until:
                return
            self.pools.update(dict.fromkeys(sorted(found, key=sorted)))
            wish = self._wish(POOL_EFFORT, no_hints=True)
            outcome = solve_window(self.search.state, self.search.movable, (), wish, stop=self.search.stop)
            self.search.take(outcome, any_cost=True)

    def _by_chunks(self) -> None:
        """Place the bundles with the fewest ways first, some at a time, with lessons left out where need be."""
        demand = [self._demand(b) for b in range(len(self.search.problem.bundles))]
        order = sorted(self.search.movable, key=lambda b: (-demand[b], self.search.random.random()))
        budget = 4_000
        while order and not self.search.is_over():
            chunk, total = [], 0
            while order and (not chunk or total + self.search.size[order[0]] <= budget):
                total += self.search.size[order[0]]
                chunk.append(order.pop(0))
            wish = self.search.wish(0.5, no_objective=True, no_places=True, all_timed=True)
            outcome = solve_window(self.search.state, chunk, (), wish, stop=self.search.stop)
            if outcome.parts:
                self.search.take(outcome, any_cost=True)
            else:
                self._time_greedily(chunk)
            self.search.log(f"chunk {len(chunk)} {self.search.costs()}")

    def _time_greedily(self, bundles: list[int]) -> None:
        """Split each bundle as its own rules like best and give each lesson the start that costs least."""
        state = self.search.state
        for index in bundles:
            if self.search.is_over():
                return
            empty = (-1,) * len(self.search.problem.bundles[index].places)
            least, best = state.cost, state.parts(index)
            for split in self._splits(index):
                state.replace(index, [(duration, -1, empty) for duration in split])
                for lesson in list(state.lessons[index]):
                    self._cheapest_start(lesson)
                if state.cost < least:
                    least, best = state.cost, state.parts(index)
            state.replace(index, best)
        self.search.keep()

    def _splits(self, index: int) -> list[tuple[int, ...]]:
        """Return up to a handful of ways to split a bundle, those of the fewest lessons first."""
        bundle = self.search.problem.bundles[index]
        found: list[tuple[int, ...]] = []
        stack: list[tuple[int, ...]] = [()]
        while stack and len(found) < 6:
            split = stack.pop()
            left = bundle.duration - sum(split)
            if not left:
                found.append(split)
            stack += [(*split, d) for d in bundle.durations if d <= min(left, split[-1] if split else left)]
        return found

    def _cheapest_start(self, lesson: int) -> None:
        state = self.search.state
        starts = self.search.problem.bundles[state.bundle[lesson]].starts.get(state.duration[lesson], ())
        best, least = -1, state.cost
        for start in self.search.random.sample(starts, len(starts)):
            state.set_start(lesson, start)
            if state.cost < least:
                best, least = start, state.cost
        state.set_start(lesson, best)

    def _demand(self, index: int) -> float:
        """Return how hard a bundle is to place: its load on its resources against its free starts."""
        bundle = self.search.problem.bundles[index]
        load = sum(
            sum(self.search.problem.bundles[b].duration for b in self.search.of_resource[r]) for r in set(bundle.resources)
        )
        return load * bundle.duration / max(self.search.size[index], 1)

    def places(self) -> None:
        """Fill the places of all lessons, times fixed: all at once if that can be, else one by one."""
        picks = sum(
            len(self.search.state.lessons[place.bundle]) * len(place.candidates) for place in self.search.problem.places
        )
        if picks <= WHOLE_OPTIONS:
            wish = self.search.wish(2.0, no_slack=True, no_objective=True)
            outcome = solve_window(self.search.state, (), self.search.with_places, wish, stop=self.search.stop)
            self.search.take(outcome)
            if outcome.parts:
                return
        for _ in range(3):
            before = self.search.state.cost
            self._fill_greedily()
            if self.search.state.cost == before or self.search.is_over():
                break
        self.search.keep()

    def _fill_greedily(self) -> None:
        """Give every place the resource that costs least, first one for all its lessons, then for each alone."""
        state = self.search.state
        order = sorted(
            range(len(self.search.problem.places)),
            key=lambda p: (len(self.search.problem.places[p].candidates), self.search.random.random()),
        )
        for index in order:
            if self.search.is_over():
                return
            slot, place = state.slot_of_place[index], self.search.problem.places[index]
            lessons = state.lessons[place.bundle]
            self._cheapest(lessons, slot, place.candidates)
            for lesson in lessons if len(lessons) > 1 else ():
                self._cheapest([lesson], slot, place.candidates)

    def _cheapest(self, lessons: list[int], slot: int, candidates: tuple[int, ...]) -> None:
        """Give the lessons one resource at one of their places, if any costs less than what they have."""
        state = self.search.state
        old = [state.chosen[lesson][slot] for lesson in lessons]
        best, least = None, state.cost
        for resource in self.search.random.sample(candidates, len(candidates)):
            for lesson in lessons:
                state.set_resource(lesson, slot, resource)
            if state.cost < least:
                best, least = resource, state.cost
        for lesson, before in zip(lessons, old, strict=True):
            state.set_resource(lesson, slot, before if best is None else best)

    def seek(self) -> None:
        """Look for a feasible timetable by annealing that asks for nothing else.

        Each round makes other first times, tries them by short annealings, and makes a longer one from the most promising
        of all first timetables so far.
        """
        search = self.search
        until = time.monotonic() + SOUGHT_SHARE * search.left()
        empty = [self._untimed(b) for b in range(len(search.problem.bundles))]
        moves = float(SOUGHT_MOVES)
        firsts: list[First] = []
        ends: list[int] = []

        def is_over() -> bool:
            return search.best_cost < HARD or search.is_over() or time.monotonic() >= until

        while not is_over():
            first = First(search.state.snapshot())
            for _ in range(PROBES):
                if not is_over():
                    search.state.restore(first.lessons)
                    first.left += search.anneal(PROBE_MOVES, is_seeking=True)
            firsts.append(first)
            if is_over():
                break
            first = min(firsts, key=lambda first: first.left)
            search.state.restore(first.lessons)
            ends.append(search.anneal(int(moves), is_seeking=True))
            first.left += SPENT
            moves *= SOUGHT_LONGER
            if is_over() or ends[-SOUGHT_SAME:] == [min(ends)] * SOUGHT_SAME:
                break
            search.state.restore(empty)
            self.times()
            if not search.is_over():
                self._fill_greedily()
        search.state.restore(search.best)

    def _untimed(self, index: int) -> Parts:
        """Return the lessons of a bundle without times and resources, a fixed one as it is."""
        parts = self.search.state.parts(index)
        bundle = self.search.problem.bundles[index]
        if bundle.fixed is not None:
            return [(duration, start, (-1,) * len(bundle.places)) for duration, start, _ in parts]
        return [(duration, -1, (-1,) * len(bundle.places)) for duration, _, _ in parts]
