"""Simulated annealing over lessons: many cheap moves, each judged by the change of cost it brings.

Moves: a lesson to another start; two lessons exchange their starts; a chain of exchanges between two starts
(all lessons that would collide change sides); a place to another resource; two halves joined or one cut.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from khue.school.timetable.solving.xhstt.compiling import HARD, Problem
from khue.school.timetable.solving.xhstt.state import Parts, State

CHAIN = 24
"""The most lessons one chain of exchanges moves."""


class Annealer:
    """Anneals a state from its present timetable; keeps the best it met.

    hard_weight  what a unit of infeasibility counts against a unit of objective while moving
    """

    def __init__(self, state: State, seed: int, hard_weight: int) -> None:
        self.state = state
        self.problem: Problem = state.problem
        self.random = random.Random(seed)  # noqa: S311
        self.hard_weight = hard_weight
        bundles = self.problem.bundles
        self.movable = [
            b for b in range(len(bundles)) if bundles[b].fixed is None and any(bundles[b].starts.values())
        ]
        self.splittable = [b for b in self.movable if len(bundles[b].durations) > 1]
        self.placed = [b for b in range(len(bundles)) if bundles[b].places]
        self.sharing = self._sharing()
        self.allowed = [{d: frozenset(s) for d, s in bundle.starts.items()} for bundle in bundles]
        self.longest = max(bundle.duration for bundle in bundles)
        self.best_cost = state.cost
        self.best = state.snapshot()

    def _sharing(self) -> list[tuple[int, ...]]:
        """Return, for each resource with several bundles, the movable bundles that need it."""
        of_resource: dict[int, list[int]] = {}
        for index in self.movable:
            for resource in set(self.problem.bundles[index].resources):
                of_resource.setdefault(resource, []).append(index)
        return [tuple(bundles) for bundles in of_resource.values() if len(bundles) > 1]

    def usual_rise(self, tries: int = 600) -> float:
        """Return what a bad move usually costs: the median rise among random moves that break nothing required."""
        rises = []
        kinds = self._kinds()
        for _ in range(tries if self.movable else 0):
            before = self.state.cost
            undo = self.random.choice(kinds)()
            if undo is None:
                continue
            rise = self.state.cost - before
            undo()
            if 0 < rise < HARD // 2:
                rises.append(rise)
        rises.sort()
        return float(rises[len(rises) // 2]) if len(rises) > 4 else 3.0

    def run(self, moves: int, warm: float, cold: float, stop: Callable[[], bool]) -> None:
        """Make `moves` moves while the temperature falls from `warm` to `cold`; end in the best state met."""
        state = self.state
        if not self.movable:
            return
        ratio = math.log(cold / warm) / max(moves, 1)
        temperature = warm
        kinds = self._kinds()
        for step in range(moves):
            if step & 255 == 0:
                temperature = warm * math.exp(ratio * step)
                if stop():
                    break
            before = state.cost
            undo = self.random.choice(kinds)()
            if undo is None:
                continue
            delta = self._delta(state.cost, before)
            if delta > 0 and self.random.random() >= math.exp(-delta / temperature):
                undo()
            elif state.cost < self.best_cost:
                self.best_cost = state.cost
                self.best = state.snapshot()
                if self.best_cost == self.problem.constant:
                    break
        state.restore(self.best)

    def _delta(self, after: int, before: int) -> int:
        hard, soft = divmod(after, HARD)
        old_hard, old_soft = divmod(before, HARD)
        return (hard - old_hard) * self.hard_weight + soft - old_soft

    def _kinds(self) -> list[Callable[[], Callable[[], None] | None]]:
        kinds: list[Callable[[], Callable[[], None] | None]] = [self._shift, self._chain, self._chain]
        if self.sharing:
            kinds += [self._swap, self._swap]
        if self.splittable:
            kinds.append(self._cut_or_join)
        if self.placed:
            kinds += [self._pick, self._pick]
        return kinds

    def _lesson(self) -> int:
        return self.random.choice(self.state.lessons[self.random.choice(self.movable)])

    def _start(self, lesson: int) -> int | None:
        starts = self.problem.bundles[self.state.bundle[lesson]].starts.get(self.state.duration[lesson])
        return self.random.choice(starts) if starts else None

    def _shift(self) -> Callable[[], None] | None:
        state = self.state
        lesson = self._lesson()
        start, old = self._start(lesson), state.start[lesson]
        if start is None or start == old:
            return None
        state.set_start(lesson, start)
        return lambda: state.set_start(lesson, old)

    def _swap(self) -> Callable[[], None] | None:
        state = self.state
        first, second = self.random.sample(self.random.choice(self.sharing), 2)
        one, two = self.random.choice(state.lessons[first]), self.random.choice(state.lessons[second])
        start, other = state.start[one], state.start[two]
        length, width = state.duration[one], state.duration[two]
        if start == other:
            return None
        to_one, to_two = other, start
        # Two lessons side by side change places as a block, whatever their lengths.
        if start + length == other and start >= 0:
            to_two, to_one = start, start + width
        elif other + width == start and other >= 0:
            to_one, to_two = other, other + length
        if not self._may(first, length, to_one) or not self._may(second, width, to_two):
            return None
        state.set_start(one, to_one)
        state.set_start(two, to_two)

        def undo() -> None:
            state.set_start(one, start)
            state.set_start(two, other)

        return undo

    def _may(self, bundle: int, duration: int, start: int) -> bool:
        return start == -1 or start in self.allowed[bundle].get(duration, ())

    def _chain(self) -> Callable[[], None] | None:
        """Move a lesson, and whatever it would collide with back to where it came from, and so on."""
        state = self.state
        lesson = self._lesson()
        start, old, duration = self._start(lesson), state.start[lesson], state.duration[lesson]
        if start is None or old < 0 or abs(start - old) < duration:
            return None
        sides = {old: self._lessons_at(old, duration), start: self._lessons_at(start, duration)}
        moving: dict[int, int] = {lesson: start}
        queue = [lesson]
        while queue:
            current = queue.pop()
            target = moving[current]
            mine = set(state.resources_of(current))
            back = old if target == start else start
            for other in sides[target]:
                if other in moving or mine.isdisjoint(state.resources_of(other)):
                    continue
                if (
                    state.duration[other] != duration
                    or self.problem.bundles[state.bundle[other]].fixed is not None
                    or state.start[other] != target
                    or not self._may(state.bundle[other], duration, back)
                ):
                    return None
                moving[other] = back
                queue.append(other)
            if len(moving) > CHAIN:
                return None
        came = {other: state.start[other] for other in moving}
        for other, target in moving.items():
            state.set_start(other, target)

        def undo() -> None:
            for other, place in came.items():
                state.set_start(other, place)

        return undo

    def _lessons_at(self, start: int, duration: int) -> list[int]:
        """Return the lessons that overlap a stretch of times."""
        state = self.state
        found = [lesson for time in range(start, start + duration) for lesson in state.at[time]]
        for time in range(max(start - self.longest + 1, 0), start):
            found += [lesson for lesson in state.at[time] if time + state.duration[lesson] > start]
        return found

    def _cut_or_join(self) -> Callable[[], None] | None:
        """Cut a lesson in two or join two, keeping the first one's start and resources."""
        state = self.state
        bundle = self.random.choice(self.splittable)
        old = state.parts(bundle)
        new = list(old)
        durations = self.problem.bundles[bundle].durations
        self.random.shuffle(new)
        if len(new) > 1 and self.random.random() < 0.5:
            one, two = new.pop(), new.pop()
            total = one[0] + two[0]
            if total not in durations:
                return None
            new.append((total, self._near(bundle, total, one[1]), one[2]))
        else:
            one = new.pop()
            cuts = [d for d in durations if d < one[0] and one[0] - d in durations]
            if not cuts:
                return None
            part = self.random.choice(cuts)
            rest = one[0] - part
            new += [
                (part, self._near(bundle, part, one[1]), one[2]),
                (rest, self._near(bundle, rest, -1), one[2]),
            ]
        state.replace(bundle, new)
        return lambda: self._put_back(bundle, old)

    def _put_back(self, bundle: int, parts: Parts) -> None:
        self.state.replace(bundle, parts)

    def _near(self, bundle: int, duration: int, start: int) -> int:
        """Return `start` if a lesson of that duration may begin there, else any start, -1 if there is none."""
        if start >= 0 and self._may(bundle, duration, start):
            return start
        starts = self.problem.bundles[bundle].starts.get(duration)
        return self.random.choice(starts) if starts else -1

    def _pick(self) -> Callable[[], None] | None:
        state = self.state
        bundle = self.random.choice(self.placed)
        lesson = self.random.choice(state.lessons[bundle])
        slot = self.random.randrange(len(state.chosen[lesson]))
        place = self.problem.bundles[bundle].places[slot]
        resource, old = self.random.choice(self.problem.places[place].candidates), state.chosen[lesson][slot]
        if resource == old:
            return None
        state.set_resource(lesson, slot, resource)
        return lambda: state.set_resource(lesson, slot, old)
