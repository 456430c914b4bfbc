"""The search: a first feasible timetable, then better and better ones, until the time is up or nothing is left.

The first timetables are `beginning`'s. What follows is by turns annealing by compiled moves, and windows: parts of the
timetable solved again by CP-SAT, chosen around what costs most; their size follows what the machine solves. Every step is decided by the seed, the seconds given, counts of moves and CP-SAT's deterministic time, so a run with the same
seed and seconds begins with the same solutions, unless the seconds are too few for an annealing to cool.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from khue.school.timetable.solving.threads import at_once
from khue.school.timetable.solving.xhstt.beginning import Beginning
from khue.school.timetable.solving.xhstt.compiling import HARD, Problem, mask_of
from khue.school.timetable.solving.xhstt.state import Parts, State
from khue.school.timetable.solving.xhstt.windows import Outcome, Wish, solve_window

if TYPE_CHECKING:
    from khue.school.timetable.solving.xhstt.annealing import Annealer

Better = Callable[[State], None]

LEAST_BUDGET, MOST_BUDGET = 150, 60_000
WINDOW_EFFORT = 0.08
FEW = 3
"""Resources a place may choose from, beside the present ones, in a window that moves lessons too."""
LEAST_PATIENCE, PATIENCE, MOST_PATIENCE = 10, 40, 120
"""Windows in vain, at least, at first and at most, before the search goes on from another timetable."""
ANNEAL_MOVES = 2_000_000
SHAKE_MOVES = 1_000_000
MOVES_A_SECOND = 100_000
"""Moves of the first annealing for each second given, which is about a quarter of what a processor makes: the slower it cools
the better it ends, and one long one ends better than several short ones of the same length together."""
STRICT = 10**6
"""The weight of a unit of infeasibility while annealing without ever trading feasibility."""
TRIED = 2_000
"""Moves `usual_rise` makes, by which one sees how long a move takes at most."""
ANNEAL_SHARE = 0.4
"""The most of the whole time one annealing may take."""
SOUGHT_WARM, SOUGHT_COLD = 0.3, 0.1
"""The temperatures of an annealing that seeks a feasible timetable, in units of deviation, and of no other cost."""


@dataclass
class Arm:
    """A way to choose a window, with what it needs to know about itself.

    budget  literals its windows may have
    gain    how often it helped lately
    """

    kind: str
    linear: int
    budget: float = 600.0
    gain: float = 1.0

    def learn(self, outcome: Outcome, effort: float) -> None:
        """Follow what can be proved: larger windows when they are easy, smaller ones when not."""
        if outcome.is_proved and outcome.effort < effort / 3:
            self.budget = min(self.budget * 1.1, MOST_BUDGET)
        elif not outcome.is_proved:
            self.budget = max(self.budget * 0.85, LEAST_BUDGET)


@dataclass
class Search:
    """One run on one problem.

    better   called with the state whenever it is better than all before
    is_proved  set when the best is known to be best
    is_impossible  set when no timetable without hard violations exists
    """

    problem: Problem
    seed: int
    seconds: float
    threads: int
    better: Better
    stop: Callable[[], bool] = lambda: False
    start: list[Parts] | None = None
    is_proved: bool = False
    is_impossible: bool = False
    log: Callable[[str], None] = lambda line: None
    state: State = field(init=False)
    best_cost: int = field(init=False)
    best: list[Parts] = field(init=False)

    def __post_init__(self) -> None:
        self.begun = time.monotonic()
        self.random = random.Random(self.seed)  # noqa: S311
        self.state = State(self.problem)
        if self.start is not None:
            self.state.restore(self.start)
        self.best_cost = self.state.cost
        self.best = self.state.snapshot()
        bundles = self.problem.bundles
        self.movable = [b for b in range(len(bundles)) if bundles[b].fixed is None]
        self.with_places = [b for b in range(len(bundles)) if bundles[b].places]
        self.size = [sum(len(starts) for starts in bundle.starts.values()) for bundle in bundles]
        self.weight = [self._weight(b) for b in range(len(bundles))]
        self.of_resource: dict[int, list[int]] = {}
        for index, bundle in enumerate(bundles):
            for resource in set(bundle.resources):
                self.of_resource.setdefault(resource, []).append(index)
        self.of_candidate: dict[int, list[int]] = {}
        for place in self.problem.places:
            for resource in place.candidates:
                self.of_candidate.setdefault(resource, []).append(place.bundle)
        soft = [c.weight for c in self.problem.instance.constraints if not c.is_hard]
        self.hard_weight = max(20, 3 * max(soft, default=0))
        self.days = self._days()
        self.round = 0
        self.stall = 0
        self.shakes = 0
        self.patience = float(PATIENCE)
        self.shaken_cost = 0
        self.pace = 1.0
        self.annealers: list[Annealer] = []

    def _days(self) -> list[int]:
        """Return the distinct groups of 2 times or more, at most half of all, that monitors look at one by one."""
        found: dict[int, None] = {}
        for constraint in self.problem.instance.constraints:
            for group in constraint.time_groups:
                if 2 <= len(group.times) <= self.problem.slots / 2:
                    found[mask_of(group.times)] = None
        return list(found)

    def _weight(self, index: int) -> int:
        """Return how many literals a bundle brings into a window."""
        bundle = self.problem.bundles[index]
        picks = sum(min(len(self.problem.places[p].candidates), FEW + 1) for p in bundle.places)
        return max(self.size[index] * (1 + picks), 1)

    # Time

    def left(self) -> float:
        """Return the wall seconds left."""
        return self.seconds - (time.monotonic() - self.begun)

    def is_over(self) -> bool:
        """Whether the run has to end now."""
        return self.is_proved or self.left() <= 0.05 or self.stop()

    def wish(self, effort: float, **more: bool | int) -> Wish:
        """Return a wish of so much effort within the time that is left."""
        self.round += 1
        return Wish(effort, self.left(), self.seed + self.round, self.threads, **more)  # type: ignore[arg-type]

    # Keeping the best

    def take(self, outcome: Outcome, *, any_cost: bool = False) -> bool:
        """Put an outcome into the state unless it is worse; return whether the cost fell."""
        if not outcome.parts:
            return False
        before = self.state.cost
        old = {index: self.state.parts(index) for index in outcome.parts}
        for index, parts in outcome.parts.items():
            if parts != old[index]:
                self.state.replace(index, parts)
        if self.state.cost > before and not any_cost:
            for index, parts in old.items():
                self.state.replace(index, parts)
            return False
        self.keep()
        return self.state.cost < before

    def keep(self) -> None:
        """Remember and report the state if it is the best so far."""
        if self.state.cost < self.best_cost:
            self.best_cost = self.state.cost
            self.best = self.state.snapshot()
            self.better(self.state)
            if self.best_cost == self.problem.constant:
                self.is_proved = True

    # The run

    def run(self) -> None:
        """Search until the time is up, somebody asks to stop, or the best is proved."""
        if self.state.cost == self.problem.constant:
            self.is_proved = True
        if self.state.cost >= HARD and not self.is_over():
            Beginning(self).make()
        if not self.is_over():
            self._improve()
        self.state.restore(self.best)

    def costs(self) -> str:
        """Return the time left and the present cost, for the log."""
        return f"{self.left():.1f}s left: {self.state.hard},{self.state.soft}"

    def is_exact(self) -> bool:
        """Whether a model of everything leaves out no timetable the format allows.

        It does where linked events could be split differently, and where events without resources could overlap
        themselves.
        """
        return all(len(bundle.events) == 1 and bundle.resources for bundle in self.problem.bundles)

    # Windows

    def _improve(self) -> None:
        """Anneal, then solve windows; where they no longer help, anneal elsewhere and go on from there.

        What helped lately is done more often.
        """
        self.anneal(max(ANNEAL_MOVES, int(MOVES_A_SECOND * self.seconds)), 1.0)
        kinds = ["costly", "resource", "days", "repair"] + (["places"] if self.with_places else [])
        usual = sorted(self.weight)[len(self.weight) // 2]
        budget = max(600.0, 5.0 * usual)
        arms = [
            Arm(kind, linear, budget if kind != "places" else 2_000.0)
            for kind in kinds
            for linear in (0, 1, 2)
        ]
        self.shaken_cost = self.best_cost
        while not self.is_over():
            if self.stall >= self.patience:
                self._shake()
                continue
            arm = self.random.choices(arms, [a.gain + 0.1 for a in arms])[0]
            clock, before = time.monotonic(), self.state.cost
            self._solve_windows(arm)
            self.stall = 0 if self.state.cost < before else self.stall + 1
            arm.gain = 0.85 * arm.gain + (0.5 if self.state.cost < before else 0.0)
            self.log(f"{arm} {time.monotonic() - clock:.2f}s {self.costs()}")

    def _shake(self) -> None:
        """Go on from another timetable, annealed from the best one or the present one.

        More or less warm, longer from time to time. What comes out less feasible is dropped at once and the best one
        is worked on instead. Where windows found the last best one they get more patience, where annealing did, less.
        """
        if self.best_cost < self.shaken_cost:
            self.patience = min(self.patience * 1.5, MOST_PATIENCE)
        self.shakes += 1
        if self.random.random() < 0.7:
            self.state.restore(self.best)
        warm = self.random.choice((0.1, 0.2, 0.4, 0.7, 1.0))
        moves = SHAKE_MOVES * self.random.choice((1, 2, 4)) * (8 + min(self.shakes, 56)) // 8
        before = self.best_cost
        self.anneal(moves, warm, is_fresh=True, is_trading=self.random.random() < 0.5)
        if self.best_cost < before:
            self.patience = max(self.patience / 1.5, LEAST_PATIENCE)
        self.stall = 0
        self.shaken_cost = self.best_cost
        if self.state.cost // HARD > self.best_cost // HARD:
            self.state.restore(self.best)

    def anneal(
        self, moves: int, warm: float = 1.0, *, is_fresh: bool = False, is_trading: bool = False, is_seeking: bool = False
    ) -> int:
        """Anneal the present timetable on every thread, each its own way, and go on with the best of the ends.

        Returns how much of what is required is still broken, by the count of `Annealer.seek` if that is what is sought.
        """
        if self.is_over():
            return self.state.hard
        clock = time.monotonic()
        self.round += 1
        if not self.annealers:
            # Loaded here: the compiled moves take a moment to load, and what is solved already does not need them.
            from khue.school.timetable.solving.xhstt.annealing import Annealer

            others = [State(self.problem) for _ in range(self.threads - 1)]
            self.annealers = [Annealer(state) for state in (self.state, *others)]
            self.annealers[0].usual_rise(0)
        seed = self.seed * 1009 + self.round
        begun = time.monotonic()
        unit = self.annealers[0].usual_rise(seed)
        # One that is cut off while hot has gained nothing, so it is made as long as there is time to cool.
        share = min(ANNEAL_SHARE * self.seconds, 0.9 * self.left())
        self.pace = min(self.pace, max(time.monotonic() - begun, 1e-6) / TRIED)
        moves = min(moves, int(share / self.pace))
        weight = self.hard_weight if is_trading or self.state.cost >= HARD else STRICT
        present = self.state.snapshot()

        def run(number: int) -> int:
            annealer = self.annealers[number]
            if number:
                annealer.state.restore(present)
            own = seed + number * 15_485_863
            if is_seeking:
                return annealer.seek(own, moves, SOUGHT_WARM, SOUGHT_COLD, self.is_over)
            annealer.run(own, moves, warm * unit, 0.03 * unit, weight, self.is_over, is_fresh=is_fresh)
            return annealer.state.hard

        ends = list(zip(at_once(run, range(len(self.annealers))), self.annealers, strict=True))
        left, best = min(ends, key=lambda end: (end[0], end[1].state.cost))
        if best.state is not self.state:
            self.state.restore(best.state.snapshot())
        self.keep()
        self.log(
            f"{'seek' if is_seeking else 'anneal'} {warm} {moves} {time.monotonic() - clock:.2f}s {self.costs()}"
            f" best {self.best_cost // HARD},{self.best_cost % HARD}"
        )
        return left

    def _solve_windows(self, arm: Arm) -> None:
        """Solve as many windows at once as there are threads, all from the present state; take each that helps."""
        jobs = []
        for _ in range(self.threads):
            timed, placed, allowed = self._window(arm.kind, arm.budget)
            if timed or placed:
                level = min(self.shakes // 8, 5)
                effort = WINDOW_EFFORT * (1 if self.state.cost < HARD else 2) * 2**level
                is_fresh = level > 0 and self.random.random() < 0.25
                wish = self.wish(
                    effort,
                    linear=arm.linear,
                    allowed=allowed,
                    no_hints=is_fresh,
                    keep_zero=arm.kind == "repair",
                    few=0 if arm.kind == "places" else FEW,
                )
                jobs.append((timed, placed, wish))
        before = self.state.cost
        outcomes = at_once(lambda job: solve_window(self.state, *job, stop=self.stop), jobs)
        for (timed, placed, wish), outcome in zip(jobs, outcomes, strict=True):
            self.take(outcome)
            arm.learn(outcome, wish.effort)
            is_everything = len(timed) == len(self.movable) and wish.allowed == -1
            is_everything &= not (wish.few and self.with_places)
            is_everything &= {*timed, *placed}.issuperset(self.with_places)
            if outcome.is_proved and is_everything and before < HARD and len(jobs) == 1 and self.is_exact():
                self.is_proved = True

    def _window(self, arm: str, budget: float) -> tuple[list[int], list[int], int]:
        """Return the bundles whose times, and those whose places, are set free, and the times they may take."""
        if arm == "places":
            return [], self._places_window(budget), -1
        if arm == "days":
            mask = self._stretch()
            return self._days_window(mask, budget), [], mask
        if arm in ("costly", "repair"):
            costly = self._costly_bundles()
            seeds = [self.random.choice(costly)] if costly else [self.random.choice(self.movable)]
            return self._grow(seeds, budget), [], -1
        resource = self.random.choice(list(self.of_resource))
        seeds = [b for b in self.of_resource[resource] if self.problem.bundles[b].fixed is None]
        self.random.shuffle(seeds)
        return self._grow(seeds, budget), [], -1

    def _costly_bundles(self) -> list[int]:
        """Return bundles that cost something themselves, or through a group or a resource."""
        state = self.state
        is_hard = state.cost >= HARD
        least = HARD if is_hard else 1
        found: set[int] = {b for b in self.movable if state.bundle_cost[b] >= least}
        for index, group in enumerate(self.problem.groups):
            if state.group_cost[index] >= least:
                found.update(b for b, _ in group.bundles)
        for index, place in enumerate(self.problem.places):
            if state.place_cost[index] >= least:
                found.add(place.bundle)
        for index, split in enumerate(self.problem.splits):
            if state.split_cost[index] >= least:
                found.update(self.problem.places[p].bundle for p in split.places)
        resources = [r for r, cost in enumerate(state.resource_cost) if cost >= least]
        resources += [r for r, cost in enumerate(state.load_cost) if cost >= least]
        for resource in resources:
            found.update(self.of_resource.get(resource, ()))
            found.update(state.bundle[x] for x in self._users(resource))
        return sorted(b for b in found if self.problem.bundles[b].fixed is None)

    def _users(self, resource: int) -> list[int]:
        """Return lessons that were given a resource."""
        state = self.state
        return [
            lesson
            for bundle in self.of_candidate.get(resource, ())
            for lesson in state.lessons[bundle]
            if resource in state.chosen[lesson]
        ]

    def _grow(self, seeds: list[int], budget: float) -> list[int]:
        """Return the seeds and neighbours by shared resources, randomly, up to the budget."""
        chosen: dict[int, None] = {}
        total = 0
        frontier = list(seeds)
        while frontier and total < budget:
            index = frontier.pop(0)
            if index in chosen or self.problem.bundles[index].fixed is not None:
                continue
            chosen[index] = None
            total += self.weight[index]
            neighbours: list[int] = []
            resources = sorted(set(self.problem.bundles[index].resources))
            self.random.shuffle(resources)
            for resource in resources[:4]:
                neighbours += self.random.sample(
                    self.of_resource[resource], min(len(self.of_resource[resource]), 6)
                )
            for lesson in self.state.lessons[index]:
                for resource in self.state.chosen[lesson]:
                    if resource >= 0:
                        users = self._users(resource)
                        neighbours += [
                            self.state.bundle[x] for x in self.random.sample(users, min(len(users), 4))
                        ]
            self.random.shuffle(neighbours)
            frontier += neighbours
        return list(chosen)

    def _stretch(self) -> int:
        """Return two of the groups of times some monitor speaks of (days, usually), or a random stretch."""
        if len(self.days) > 1:
            first, second = self.random.sample(self.days, 2)
            return first | second
        slots = self.problem.slots
        length = self.random.randint(2, max(2, slots // 2))
        return ((1 << length) - 1) << self.random.randrange(max(slots - length, 0) + 1)

    def _days_window(self, mask: int, budget: float) -> list[int]:
        """Return bundles with a lesson in the masked times, neighbours first, up to the budget."""
        inside = [b for b in self.movable if self.state.running(b) & mask or not self.state.running(b)]
        if not inside:
            return []
        members = set(inside)
        chosen: dict[int, None] = {}
        total = 0.0
        share = mask.bit_count() / self.problem.slots
        frontier = [self.random.choice(inside)]
        while total < budget and len(chosen) < len(inside):
            if not frontier:
                frontier.append(self.random.choice([b for b in inside if b not in chosen]))
            index = frontier.pop(0)
            if index in chosen:
                continue
            chosen[index] = None
            total += self.weight[index] * share
            bundle = self.problem.bundles[index]
            around = {b for r in set(bundle.resources) for b in self.of_resource[r]} & members - chosen.keys()
            frontier += self.random.sample(sorted(around), min(len(around), 6))
        return list(chosen)

    def _places_window(self, budget: float) -> list[int]:
        """Return bundles whose places are filled anew, around a costly or random one."""
        state = self.state
        least = HARD if state.cost >= HARD else 1
        costly = {p.bundle for i, p in enumerate(self.problem.places) if state.place_cost[i] >= least}
        for index, split in enumerate(self.problem.splits):
            if state.split_cost[index] >= least:
                costly.update(self.problem.places[p].bundle for p in split.places)
        for resource, cost in enumerate(state.load_cost):
            if cost >= least or state.resource_cost[resource] >= least:
                costly.update(state.bundle[x] for x in self._users(resource))
        pool = sorted(costly) or self.with_places
        chosen: dict[int, None] = {}
        total = 0
        frontier = [self.random.choice(pool)]
        while frontier and total < budget:
            index = frontier.pop(0)
            if index in chosen:
                continue
            chosen[index] = None
            bundle = self.problem.bundles[index]
            total += len(state.lessons[index]) * sum(
                len(self.problem.places[p].candidates) for p in bundle.places
            )
            neighbours: list[int] = []
            for place in bundle.places:
                for split in self.problem.place_splits[place]:
                    neighbours += [self.problem.places[p].bundle for p in self.problem.splits[split].places]
                for resource in self.problem.places[place].candidates:
                    users = self._users(resource)
                    neighbours += [state.bundle[x] for x in self.random.sample(users, min(len(users), 2))]
            self.random.shuffle(neighbours)
            frontier += neighbours[:12]
            if not frontier and total < budget:
                frontier.append(self.random.choice(self.with_places))
                if len(chosen) == len(self.with_places):
                    break
        return list(chosen)
