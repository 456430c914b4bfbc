"""Places units one after another, pushing out what stands in the way: the fast part of the engine.

A unit goes to the start that pushes out least, where each unit counts as often as that very push has happened before:
what is pushed out again and again becomes dear, so the search leaves its circles (conflict statistics, as in iterative
forward search; FET's recursive swapping is a cousin). Everything that can be said in bit masks is:

- a person's taken slots are one int, so the free starts of a unit are a few shifts;
- what two units forbid each other are tables of masks (`relations`);
- what a week may look like are sums of small numbers packed in one int (`rules`).
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import monotonic

from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.compiling import Compiled
from khue.school.timetable.solving.relations import Relations
from khue.school.timetable.solving.rules import ones, weeks
from khue.school.timetable.solving.state import State

Rooms = tuple[tuple[int, int], ...]  # (activity, choice) of a unit's members

NEVER = 1 << 60
DEEPEST = 14
WIDTHS = (40, 10, 5, 4, 3, 3, 2)


@dataclass
class Group:
    """A bound on how many of some units touch one of several sets of slots."""

    most: int
    masks: list[int]
    whole_slots: bool  # count slots used by any, instead of units
    load: list[int] = field(default_factory=list)


class Board:
    """Where everything stands, with what is needed to move a unit quickly."""

    def __init__(self, c: Compiled, relations: Relations, rng: random.Random) -> None:
        self.c, self.rng = c, rng
        n = len(c.members)
        self.start = [-1] * n
        self.partners = relations.merged()
        self.soft = relations.soft
        self.domain = [0] * n
        for u, starts in enumerate(c.domain):
            for s in starts:
                self.domain[u] |= 1 << s
            self.domain[u] &= ~relations.own[u]
        self._lanes()
        self._weeks()
        self._groups(relations.later)
        self._rooms()
        self.count = 0
        self.hours = [sum(c.length[i] for i in members) for members in c.members]

    def _lanes(self) -> None:
        """A lane is what one person does in the odd or the even weeks; most have a single lane."""
        c = self.c
        self.taken: list[int] = []
        self.there: list[list[int]] = []
        self.lanes: list[list[tuple[int, int]]] = [[] for _ in c.members]
        for agenda in c.agendas:
            for week in (m.EVERY_WEEK,) if agenda.is_weekly else (m.ODD_WEEKS, m.EVEN_WEEKS):
                lane = len(self.taken)
                self.taken.append(0)
                self.there.append([-1] * c.slots)
                for i, u in agenda.parts:
                    if c.problem.activities[i].weeks & week:
                        if any(its == lane for its, _ in self.lanes[u]):
                            self.domain[u] = 0  # one person, two lessons that must start together
                        self.lanes[u].append((lane, c.length[i]))
        implied = _implied(self.lanes, len(self.taken))
        self.all_lanes = self.lanes
        self.lanes = [[(lane, length) for lane, length in row if lane not in implied] for row in self.lanes]

    def _weeks(self) -> None:
        self.weeks, self.unsaid = weeks(self.c)
        self.weeks_of: list[list[tuple[int, int]]] = [[] for _ in self.start]
        for w, week in enumerate(self.weeks):
            for u, length in week.parts:
                self.weeks_of[u].append((w, length))
        first = [0] * self.c.slots
        for date, start in enumerate(self.weeks[0].first if self.weeks else ()):
            for slot in range(start, self.c.slots):
                first[slot] = date
        self.date = first

    def _groups(self, later: Iterable[m.Constraint]) -> None:
        """Bounds from above on sets of activities; bounds from below are left to the repair."""
        c, h = self.c, self.c.height
        self.groups: list[Group] = []
        self.groups_of: list[list[tuple[int, int]]] = [[] for _ in self.start]
        days = range(len(c.problem.days))
        for k in later:
            group = None
            if isinstance(k, m.MaxTogether):
                group = Group(k.most, [1 << (d * h + p) for d, p in sorted(k.slots)], False)
            elif isinstance(k, m.MaxSlotsUsed):
                group = Group(k.most, [c.mask(k.slots)], True)
            elif isinstance(k, m.MaxInSlots):
                group = Group(k.most, [c.mask(k.slots)], False)
            elif isinstance(k, m.MaxADay):
                by_date: dict[int, int] = {}
                for d in days:
                    label = c.problem.days[d].date if k.per == "date" else d
                    by_date[label] = by_date.get(label, 0) | c.span(d * h, h)
                group = Group(k.most, list(by_date.values()), False)
            elif isinstance(k, m.MaxInATerm):
                group = Group(k.most, [c.span(d * h, h * k.days_a_term) for d in days if d % k.days_a_term == 0], False)
            if group is not None:
                number = len(self.groups)
                self.groups.append(group)
                for key in dict.fromkeys(k.activities):  # type: ignore[attr-defined]
                    self.groups_of[c.unit[c.index[key]]].append((number, c.length[c.index[key]]))
        self.group_units: list[list[tuple[int, int]]] = [[] for _ in self.groups]
        for u, row in enumerate(self.groups_of):
            for number, length in row:
                self.group_units[number].append((u, length))

    def _rooms(self) -> None:
        c = self.c
        self.rooms: dict[int, int] = {}
        self.full = [cls.shut for cls in c.classes]
        self.load = [[0] * c.slots for _ in c.classes]
        self.roomers: list[dict[int, list[int]]] = [{} for _ in c.classes]  # class -> slot -> activities
        self.needs = [[i for i in members if c.choices[i]] for members in c.members]

    # --- looking -------------------------------------------------------------------------------------------------

    def open_starts(self, u: int) -> int:
        """Return the mask of starts that no person, pair or full room forbids (rules and groups not asked)."""
        found = self.domain[u]
        for lane, length in self.lanes[u]:
            taken = self.taken[lane]
            if taken:
                found &= ~taken
                for k in range(1, length):
                    found &= ~(taken >> k)
        start = self.start
        for v, table in self.partners[u]:
            t = start[v]
            if t >= 0:
                found &= ~table[t]
            if not found:
                return 0
        for i in self.needs[u]:
            found &= self._room_starts(i)
        return found

    def _room_starts(self, i: int) -> int:
        length, found = self.c.length[i], 0
        for choice in self.c.choices[i]:
            blocked = 0
            for cls in choice.classes:
                full = self.full[cls]
                for k in range(length):
                    blocked |= full >> k
            found |= ~blocked
        return found

    def fits(self, u: int, s: int) -> bool:
        """Return whether rules and groups allow the start, everybody else staying."""
        date = self.date[s]
        for w, length in self.weeks_of[u]:
            week = self.weeks[w]
            mask = week.masks[date]
            shift = s - week.first[date]
            new = mask | ((1 << length) - 1) << shift
            total = week.total - week.profile(date, mask) + week.profile(date, new)
            limit = week.limit - week.hour * length - week.each
            if (limit - total) & week.guard != week.guard:
                return False
        if len(self.needs[u]) > 1 and self._rooms_for(u, s) is None:
            return False
        return not self.groups_of[u] or not self._crowded(u, s, set())

    def soft_cost(self, u: int, s: int) -> int:
        """Return what a start costs by its own price and beside its placed partners."""
        found = self.c.costs[u].get(s, 0)
        start = self.start
        for v, table, cost in self.soft[u]:
            t = start[v]
            if t >= 0 and table[t] >> s & 1:
                found += cost
        return found

    def conflicts(self, u: int, s: int) -> set[int]:
        """Return the units in the way of a start, by people and pairs (rooms, rules and groups not asked)."""
        found: set[int] = set()
        for lane, length in self.lanes[u]:
            if self.taken[lane] & ((1 << length) - 1) << s:
                there = self.there[lane]
                for slot in range(s, s + length):
                    if there[slot] >= 0:
                        found.add(there[slot])
        start = self.start
        for v, table in self.partners[u]:
            t = start[v]
            if t >= 0 and table[t] >> s & 1:
                found.add(v)
        return found

    def room_conflicts(self, u: int, s: int, out: set[int], weight: Callable[[int], float]) -> bool:
        """Add to `out` the cheapest units to push out so that each member gets a room; False when none can."""
        own: dict[int, int] = {}  # room class -> members of this unit that are to be in it
        for i in self.needs[u]:
            best: tuple[float, set[int], tuple[int, ...]] | None = None
            length = self.c.length[i]
            for choice in self.c.choices[i]:
                pushed: set[int] = set()
                for cls in choice.classes:
                    if self.c.classes[cls].shut & ((1 << length) - 1) << s:
                        break
                    if not self._make_room(cls, s, length, out | pushed, pushed, own.get(cls, 0)):
                        break
                else:
                    price = sum(map(weight, pushed)) + choice.cost / 1e7
                    if best is None or price < best[0]:
                        best = (price, pushed, choice.classes)
                        if not pushed and not choice.cost:
                            break
            if best is None:
                return False
            out |= best[1]
            for cls in best[2]:
                own[cls] = own.get(cls, 0) + 1
        return True

    def _make_room(self, cls: int, s: int, length: int, gone: set[int], pushed: set[int], own: int = 0) -> bool:
        holds = self.c.classes[cls].holds - own
        if holds <= 0:
            return False
        for slot in range(s, s + length):
            if self.load[cls][slot] >= holds:
                there = [self.c.unit[i] for i in self.roomers[cls].get(slot, ()) if self.c.unit[i] not in gone and self.c.unit[i] not in pushed]
                spare = len(there) - holds + 1
                if spare > 0:
                    pushed.update(self.rng.sample(there, spare))
        return True

    def _crowded(self, u: int, s: int, out: set[int]) -> list[int]:
        """Return the groups that the start would overfill."""
        found = []
        for number, length in self.groups_of[u]:
            group = self.groups[number]
            span = ((1 << length) - 1) << s
            if group.whole_slots:
                if span & group.masks[0]:
                    used = span & group.masks[0]
                    for v, its in self.group_units[number]:
                        if v != u and v not in out and self.start[v] >= 0:
                            used |= ((1 << its) - 1) << self.start[v] & group.masks[0]
                    if used.bit_count() > group.most:
                        found.append(number)
                continue
            for mask in group.masks:
                if span & mask:
                    there = 1 + sum(
                        v != u and v not in out and self.start[v] >= 0 and bool(((1 << its) - 1) << self.start[v] & mask)
                        for v, its in self.group_units[number]
                    )
                    if there > group.most:
                        found.append(number)
                        break
        return found

    def rule_conflicts(self, u: int, s: int, out: set[int], weight: Callable[[int], float], bound: float) -> bool:
        """Add to `out` units to push out until rules and groups allow the start; False when it takes too much."""
        for w, length in self.weeks_of[u]:
            if not self._mend(w, u, s, length, out, weight, bound):
                return False
        if self.groups_of[u]:
            for number in self._crowded(u, s, out):
                if not self._thin(number, u, s, out, weight):
                    return False
        return True

    def _thin(self, number: int, u: int, s: int, out: set[int], weight: Callable[[int], float]) -> bool:
        while number in self._crowded(u, s, out):
            others = [v for v, _ in self.group_units[number] if v != u and v not in out and self.start[v] >= 0]
            if not others:
                return False
            length = next(its for at, its in self.groups_of[u] if at == number)
            span = ((1 << length) - 1) << s
            group = self.groups[number]
            touched = [mask for mask in group.masks if group.whole_slots or mask & span]
            near = [v for v in others if any(mask >> self.start[v] & 1 for mask in touched)] or others
            self.rng.shuffle(near)
            out.add(min(near, key=weight))
        return True

    def _mend(self, w: int, u: int, s: int, length: int, out: set[int], weight: Callable[[int], float], bound: float) -> bool:
        week = self.weeks[w]
        masks: dict[int, int] = {}
        total, limit = week.total, week.limit
        start, date_of = self.start, self.date

        def change(slot: int, its: int, add: bool) -> None:
            nonlocal total, limit
            date = date_of[slot]
            mask = masks.get(date, week.masks[date])
            bits = ((1 << its) - 1) << (slot - week.first[date])
            new = mask | bits if add else mask & ~bits
            total += week.profile(date, new) - week.profile(date, mask)
            sign = 1 if add else -1
            limit -= sign * (week.hour * its + week.each)
            masks[date] = new

        for v, its in week.parts:
            if v in out and start[v] >= 0:
                change(start[v], its, False)
        change(s, length, True)
        tries = 0
        while (limit - total) & week.guard != week.guard:
            tries += 1
            if tries > 6 or sum(map(weight, out)) > bound:
                return False
            choice, best = None, None
            for v, its in week.parts:
                if v == u or v in out or start[v] < 0:
                    continue
                slot = start[v]
                date = date_of[slot]
                mask = masks.get(date, week.masks[date])
                new = mask & ~(((1 << its) - 1) << (slot - week.first[date]))
                t = total + week.profile(date, new) - week.profile(date, mask)
                value = (week.excess(t, limit + week.hour * its + week.each), weight(v) + self.rng.random() / 2)
                if best is None or value < best:
                    choice, best = (v, its), value
            if choice is None:
                return False
            out.add(choice[0])
            change(start[choice[0]], choice[1], False)
        return True

    # --- moving --------------------------------------------------------------------------------------------------

    def place(self, u: int, s: int, rooms: Rooms = ()) -> None:
        """Put a unit at a start where nothing is in its way, into the cheapest free rooms or into these."""
        self.start[u] = s
        self.count += 1
        for lane, length in self.all_lanes[u]:
            self.taken[lane] |= ((1 << length) - 1) << s
            there = self.there[lane]
            for slot in range(s, s + length):
                there[slot] = u
        date = self.date[s]
        for w, length in self.weeks_of[u]:
            week = self.weeks[w]
            old = week.masks[date]
            new = old | ((1 << length) - 1) << (s - week.first[date])
            week.total += week.profile(date, new) - week.profile(date, old)
            week.limit -= week.hour * length + week.each
            week.masks[date] = new
        if rooms:
            for i, k in rooms:
                self._enter(i, s, k)
        elif len(self.needs[u]) > 1:
            found = self._rooms_for(u, s)
            if found is None:
                raise RuntimeError("no rooms were made")
            for i, k in found:
                self._enter(i, s, k)
        else:
            for i in self.needs[u]:
                self._enter(i, s, self._free_room(i, s))

    def _rooms_for(self, u: int, s: int) -> Rooms | None:
        """Return rooms for all members of a unit at once, None where one of them gets none."""
        own: dict[tuple[int, int], int] = {}

        def given(members: list[int]) -> Rooms | None:
            if not members:
                return ()
            i, *rest = members
            cells = range(s, s + self.c.length[i])
            for k, choice in enumerate(self.c.choices[i]):
                classes = self.c.classes
                if any(
                    classes[cls].shut >> slot & 1 or self.load[cls][slot] + own.get((cls, slot), 0) >= classes[cls].holds
                    for cls in choice.classes for slot in cells
                ):  # fmt: skip
                    continue
                for cls in choice.classes:
                    for slot in cells:
                        own[cls, slot] = own.get((cls, slot), 0) + 1
                more = given(rest)
                if more is not None:
                    return ((i, k), *more)
                for cls in choice.classes:
                    for slot in cells:
                        own[cls, slot] -= 1
            return None

        return given(self.needs[u])

    def _free_room(self, i: int, s: int) -> int:
        span = ((1 << self.c.length[i]) - 1) << s
        for k, choice in enumerate(self.c.choices[i]):
            if not any(self.full[cls] & span for cls in choice.classes):
                return k
        raise RuntimeError("no room was made")

    def _enter(self, i: int, s: int, k: int) -> None:
        self.rooms[i] = k
        for cls in self.c.choices[i][k].classes:
            for slot in range(s, s + self.c.length[i]):
                self.load[cls][slot] += 1
                self.roomers[cls].setdefault(slot, []).append(i)
                if self.load[cls][slot] >= self.c.classes[cls].holds:
                    self.full[cls] |= 1 << slot

    def remove(self, u: int) -> Rooms:
        """Take a unit off; return the rooms its members had."""
        s = self.start[u]
        self.start[u] = -1
        self.count -= 1
        for lane, length in self.all_lanes[u]:
            self.taken[lane] &= ~(((1 << length) - 1) << s)
            there = self.there[lane]
            for slot in range(s, s + length):
                there[slot] = -1
        date = self.date[s]
        for w, length in self.weeks_of[u]:
            week = self.weeks[w]
            old = week.masks[date]
            new = old & ~(((1 << length) - 1) << (s - week.first[date]))
            week.total += week.profile(date, new) - week.profile(date, old)
            week.limit += week.hour * length + week.each
            week.masks[date] = new
        rooms: Rooms = tuple((i, self.rooms[i]) for i in self.needs[u])
        for i, k in rooms:
            del self.rooms[i]
            for cls in self.c.choices[i][k].classes:
                for slot in range(s, s + self.c.length[i]):
                    self.load[cls][slot] -= 1
                    self.roomers[cls][slot].remove(i)
                    if self.load[cls][slot] < self.c.classes[cls].holds and not self.c.classes[cls].shut >> slot & 1:
                        self.full[cls] &= ~(1 << slot)
        return rooms

    def state(self) -> State:
        """Return the units' starts and the activities' choices of room."""
        return State({u: s for u, s in enumerate(self.start) if s >= 0}, dict(self.rooms))

    def clear(self) -> None:
        """Take everything off."""
        for u, s in enumerate(self.start):
            if s >= 0:
                self.remove(u)

    def load_state(self, state: State) -> None:
        """Clear the board and place what of a state still fits.

        Rules of weeks judge a part more severely than the whole, so what was refused is tried again while others come.
        """
        self.clear()
        waiting, before = list(state.starts.items()), -1
        while len(waiting) != before:
            before, refused = len(waiting), []
            for u, s in waiting:
                if self.open_starts(u) >> s & 1 and self.fits(u, s):
                    its = tuple((i, state.rooms[i]) for i in self.needs[u] if i in state.rooms)
                    self.place(u, s, its if len(its) == len(self.needs[u]) and self._are_free(its, s) else ())
                else:
                    refused.append((u, s))
            waiting = refused

    def _are_free(self, rooms: Rooms, s: int) -> bool:
        """Return whether each of a unit's members can have the room it had, all at once."""
        own: dict[tuple[int, int], int] = {}
        for i, k in rooms:
            for cls in self.c.choices[i][k].classes:
                for slot in range(s, s + self.c.length[i]):
                    own[cls, slot] = own.get((cls, slot), 0) + 1
                    its = self.c.classes[cls]
                    if its.shut >> slot & 1 or self.load[cls][slot] + own[cls, slot] > its.holds:
                        return False
        return True


def _implied(lanes: list[list[tuple[int, int]]], count: int) -> set[int]:
    """Return lanes whose units are all in one other lane: they can never clash on their own."""
    units: list[set[int]] = [set() for _ in range(count)]
    for u, row in enumerate(lanes):
        for lane, _ in row:
            units[lane].add(u)
    found: set[int] = set()
    for lane, its in enumerate(units):
        if not its:
            found.add(lane)
            continue
        some = min(its, key=lambda u: len(lanes[u]))
        for other, _ in lanes[some]:
            if other != lane and other not in found and its <= units[other] and (len(its) < len(units[other]) or other < lane):
                same = all((other, length) in lanes[u] for u in its for at, length in lanes[u] if at == lane)
                if same:
                    found.add(lane)
                    break
    return found


def _one(_unit: int) -> float:
    return 1.0


class Placer:
    """Places everything on a board, pushing out and trying again."""

    def __init__(self, board: Board, rng: random.Random) -> None:
        self.board, self.rng = board, rng
        self.pushes: dict[tuple[int, int], dict[int, int]] = {}
        self.rounds = 0
        self.pushed = [0] * len(board.start)
        self.hardness = self._hardness()
        self.tabu: dict[tuple[int, int], int] = {}
        self.log: list[tuple[int, int, Rooms]] = []

    def _hardness(self) -> list[float]:
        """Return how hard each unit is to place: busy people and pairs against few possible starts."""
        board = self.board
        load = [0] * len(board.taken)
        for row in board.all_lanes:
            for lane, length in row:
                load[lane] += length
        found = []
        for u, row in enumerate(board.all_lanes):
            room = max(1, board.domain[u].bit_count())
            crowd = sum(load[lane] for lane, _ in row) + 2 * len(board.partners[u]) + 4 * len(board.needs[u])
            found.append((crowd + 5) * max((length for _, length in row), default=1) / room)
        return found

    def run(self, until: float, rounds: int, stop: Callable[[], bool], best: Callable[[], None] | None = None) -> bool:
        """Place until everything is, the time or the rounds are over; True when everything is placed.

        best   called each time more is placed than ever before in this run
        """
        board = self.board
        waiting = [u for u, s in enumerate(board.start) if s < 0 and board.domain[u]]
        waiting.sort(key=lambda u: (-self.hardness[u], u))
        queue = deque(waiting)
        most = board.count
        self.end, self.until, self.stop = self.rounds + rounds, until, stop
        while queue and not self._is_over():
            u = queue.popleft()
            self.calls = max(100, len(board.start) // 2)
            self.log.clear()
            if not self._chain(u, 0, {u}):
                where = self._start(u)
                if where is None:
                    queue.append(u)
                    continue
                s, out = where
                for v in sorted(out, key=lambda v: -self.hardness[v]):
                    self._note(u, s, v)
                    self.tabu[v, board.start[v]] = self.rounds + 200
                    board.remove(v)
                    queue.append(v)
                board.place(u, s)
            if board.count > most:
                most = board.count
                if best is not None:
                    best()
        return board.count == len(board.start)

    def _is_over(self) -> bool:
        return self.rounds >= self.end or monotonic() > self.until or self.stop()

    def _chain(self, u: int, level: int, moved: set[int]) -> bool:
        """Place a unit, and again all it pushes out, and so on; without success leave the board as it was.

        moved   units placed in this chain already: they are not pushed out again
        """
        board = self.board
        self.rounds += 1
        self.calls -= 1
        free = [s for s in ones(board.open_starts(u)) if board.fits(u, s)]
        if free:
            self._place(u, self._cheapest(u, free))
            return True
        if level >= DEEPEST or self.calls <= 0:
            return False
        for s, out in self._ways(u, level, moved):
            mark = len(self.log)
            for v in out:
                self._remove(v)
            self._place(u, s)
            moved |= out
            if all(self._chain(v, level + 1, moved) for v in sorted(out, key=lambda v: -self.hardness[v])):
                return True
            moved -= self._undo(mark) - {u}
            if self.calls <= 0:
                return False
        return False

    def _place(self, u: int, s: int) -> None:
        self.board.place(u, s)
        self.log.append((u, -1, ()))

    def _remove(self, u: int) -> None:
        s = self.board.start[u]
        self.log.append((u, s, self.board.remove(u)))

    def _undo(self, mark: int) -> set[int]:
        """Undo what the log says happened since `mark`; return the units that had been pushed out."""
        board, out = self.board, set()
        while len(self.log) > mark:
            u, s, rooms = self.log.pop()
            if s < 0:
                board.remove(u)
            else:
                board.place(u, s, rooms)
                out.add(u)
        return out

    def _ways(self, u: int, level: int, moved: set[int]) -> list[tuple[int, set[int]]]:
        """Return the starts with fewest units to push out, none of them moved in this chain."""
        board, rng = self.board, self.rng
        found: list[tuple[float, int, set[int]]] = []
        for s in ones(board.domain[u]):
            out = board.conflicts(u, s)
            if not out & moved:
                found.append((len(out) + rng.random() * 0.9, s, out))
        found.sort(key=lambda it: it[0])
        width = WIDTHS[min(level, len(WIDTHS) - 1)]
        ways: list[tuple[float, int, set[int]]] = []
        for weight, s, out in found:
            if len(ways) >= width and weight >= ways[width - 1][0]:
                break
            before = len(out)
            if not board.room_conflicts(u, s, out, _one) or not board.rule_conflicts(u, s, out, _one, 6):
                continue
            if len(out) > before and out & moved:
                continue
            ways.append((len(out) + weight % 1, s, out))
            ways.sort(key=lambda it: it[0])
        return [(s, out) for _, s, out in ways[:width]]

    def _note(self, u: int, s: int, v: int) -> None:
        table = self.pushes.setdefault((u, s), {})
        table[v] = table.get(v, 0) + 1
        self.pushed[v] += 1

    def _start(self, u: int) -> tuple[int, set[int]] | None:
        """Return the best start of a unit and whom it pushes out."""
        board, rng = self.board, self.rng
        free = [s for s in ones(board.open_starts(u)) if board.fits(u, s)]
        if free:
            return self._cheapest(u, free), set()
        found: list[tuple[float, int, set[int]]] = []
        for s in ones(board.domain[u]):
            known = self.pushes.get((u, s), {})
            out = board.conflicts(u, s)
            weight = sum(1 + known.get(v, 0) for v in out) + rng.random() * 0.9
            if self.tabu.get((u, s), 0) > self.rounds:
                weight += 1000
            found.append((weight, s, out))
        found.sort(key=lambda it: it[0])
        best: tuple[float, int, set[int]] | None = None
        for weight, s, out in found:
            if best is not None and weight >= best[0]:
                break
            known = self.pushes.get((u, s), {})
            before = len(out)

            def heavy(v: int, known: dict[int, int] = known) -> float:
                return 1 + known.get(v, 0)

            if not board.room_conflicts(u, s, out, heavy):
                continue
            if not board.rule_conflicts(u, s, out, heavy, NEVER if best is None else best[0]):
                continue
            if len(out) > before:
                weight = weight % 1 + sum(map(heavy, out)) + (1000 if weight >= 1000 else 0)
            if best is None or weight < best[0]:
                best = (weight, s, out)
        return None if best is None else (best[1], best[2])

    def _cheapest(self, u: int, free: list[int]) -> int:
        board = self.board
        if len(free) == 1:
            return free[0]
        if not board.soft[u] and not board.c.costs[u]:
            return self.rng.choice(free)
        prices = [board.soft_cost(u, s) for s in free]
        least = min(prices)
        return self.rng.choice([s for s, cost in zip(free, prices, strict=True) if cost == least])
