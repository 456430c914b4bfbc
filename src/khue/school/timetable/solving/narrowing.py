"""Rooms decided before anything is placed, for activities that may use only few rooms together.

How many rooms a set of activities uses is no matter of one start, so placing cannot ask it. When each set may only go to as
many rooms as it may use, it need not: whatever is placed keeps the bound. Which rooms these are is a guess: those that serve
most of the set and have most time left, or those a given timetable uses. Where it does not work out, another guess is made.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Hashable, Iterable
from copy import copy

from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.compiling import SCALE, Choice, Compiled, RoomClass
from khue.school.timetable.solving.state import State

NOISE = 0.5
"""How much chance counts beside the share of a room's time that is taken."""


OfRooms = m.MaxRooms | m.SameRoomIfAdjoining


def narrowed(c: Compiled, rng: random.Random, state: State | None = None) -> Compiled:
    """Return the problem with fewer choices of rooms, so that no hard bound on rooms can be broken; itself without such bounds.

    state   whose rooms are kept where they respect a bound

    The choices keep their numbers: those taken away need a room that is never open. A bound whose activities have no such
    few rooms in common is left alone.
    """
    bounds = [k for k in c.rest if isinstance(k, OfRooms) and k.is_hard]
    return _Narrowing(c, rng, state or State()).result(bounds) if bounds else c


class _Narrowing:
    def __init__(self, c: Compiled, rng: random.Random, state: State) -> None:
        self.c, self.rng, self.state = c, rng, state
        self.options: list[dict[Hashable, int]] = []  # of each activity: what counts as one room -> least cost
        for row in c.choices:
            options: dict[Hashable, int] = {}
            for choice in row:
                if choice.classes:
                    room = _room(choice)
                    options[room] = min(choice.cost, options.get(room, choice.cost))
            self.options.append(options)
        self.classes: dict[Hashable, set[int]] = defaultdict(set)
        for row in c.choices:
            for choice in row:
                self.classes[_room(choice)].update(choice.classes)
        self.load = [0.0] * len(c.classes)  # periods expected in each class
        for i in range(len(c.keys)):
            self._expect(i, 1)

    def _expect(self, i: int, sign: int) -> None:
        options = self.options[i]
        for room in options:
            for cls in self.classes[room]:
                self.load[cls] += sign * self.c.length[i] / len(options) / len(self.classes[room])

    def result(self, bounds: Iterable[OfRooms]) -> Compiled:
        """Decide the rooms of all bounds, those with fewest rooms in common first."""
        order = [(self._freedom(k), self.rng.random(), n, k) for n, k in enumerate(bounds)]
        for *_, k in sorted(order, key=lambda it: it[:3]):
            self._decide(k)
        found = copy(self.c)
        never = len(self.c.classes)
        found.classes = [*self.c.classes, RoomClass((), 0, (1 << self.c.slots) - 1, "")]
        found.choices = [
            [
                choice if not choice.classes or _room(choice) in self.options[i] else Choice((never,), choice.cost, choice.virtual)
                for choice in row
            ]
            for i, row in enumerate(self.c.choices)
        ]
        return found

    def _users(self, k: m.OfActivities) -> list[int]:
        return [i for i in dict.fromkeys(self.c.index[key] for key in k.activities) if self.options[i]]

    def _freedom(self, k: m.OfActivities) -> int:
        rows = [self.options[i].keys() for i in self._users(k)]
        return len(set.intersection(*map(set, rows))) if rows else 0

    def _decide(self, k: OfRooms) -> None:
        most = k.most if isinstance(k, m.MaxRooms) else 1
        users = self._users(k)
        kept = self._present(users)
        if len(kept) > most:
            kept = []
        bound = [i for i in users if all(choice.classes for choice in self.c.choices[i])]  # the others may do without a room
        while len(kept) < most:
            waiting = [i for i in bound if not any(room in self.options[i] for room in kept)]
            room = self._best(waiting or users, kept)
            if room is None:
                break
            kept.append(room)
        if any(not any(room in self.options[i] for room in kept) for i in bound):
            return
        for i in users:
            self._expect(i, -1)
            self.options[i] = {room: cost for room, cost in self.options[i].items() if room in kept}
            self._expect(i, 1)

    def _present(self, users: list[int]) -> list[Hashable]:
        """Return the rooms the state gives these activities."""
        found = {}
        for i in users:
            if self.c.unit[i] in self.state.starts and (way := self.state.rooms.get(i)) is not None:
                choice = self.c.choices[i][way]
                if choice.classes:
                    found[_room(choice)] = None
        return list(found)

    def _best(self, users: list[int], kept: list[Hashable]) -> Hashable | None:
        """Return the room that serves most of these activities, then the cheapest and emptiest; None when all are kept."""
        serves: dict[Hashable, int] = defaultdict(int)
        costs: dict[Hashable, int] = defaultdict(int)
        for i in users:
            for room, cost in self.options[i].items():
                if room not in kept:
                    serves[room] += 1
                    costs[room] += cost

        def key(room: Hashable) -> tuple[int, float]:
            periods = sum(self.c.length[i] for i in users if room in self.options[i])
            fullest = max((self._taken(cls, periods) for cls in self.classes[room]), default=0.0)
            return (-serves[room], max(0.0, fullest - 1) * 100 + costs[room] / SCALE + fullest + self.rng.random() * NOISE)

        return min(serves, key=key, default=None)

    def _taken(self, cls: int, more: int) -> float:
        """Return the share of a class's time that is taken when so many periods come; above 1 it is too much."""
        its = self.c.classes[cls]
        closed = its.shut | self.c.mask(self.c.problem.closed)
        time = its.holds * (self.c.slots - closed.bit_count())
        return (self.load[cls] + more) / max(1, time)


def _room(choice: Choice) -> Hashable:
    """Return what counts as one room."""
    return choice.virtual or choice.classes
