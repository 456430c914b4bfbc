"""Makes a whole timetable cheaper by small exchanges, some thousand a second: annealing over chains between two times.

A unit goes to another start; whoever is in its way goes where it came from, and so on, until nobody is in the way (a
chain of exchanges between two times, after Kempe). So nothing ever clashes. Hard demands are those of the board; the
soft cost is that of people's weeks (`rules.soft_weeks`), of pairs, of bounds a day and of single starts: what else a
problem has is judged when the result is looked at.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from time import monotonic

from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.compiling import Compiled, price
from khue.school.timetable.solving.placing import Board
from khue.school.timetable.solving.rules import BITS, ROW, soft_weeks
from khue.school.timetable.solving.state import State

LONGEST_CHAIN = 16
LOOK = 64
"""Moves between looks at the clock."""


class Polisher:
    """Anneals on a board on which everything is placed."""

    pace = 1
    heats = (0.6, 0.3)

    def __init__(self, c: Compiled, board: Board, rng: random.Random) -> None:
        self.c, self.board, self.rng = c, board, rng
        self.weeks = soft_weeks(c)
        self.weeks_of: list[list[tuple[int, int]]] = [[] for _ in c.members]
        for w, week in enumerate(self.weeks):
            for u, length in week.parts:
                self.weeks_of[u].append((w, length))
        self._prices: list[dict[int, int]] = [{} for _ in self.weeks]
        self._spreads()
        self.starts = [list(starts) for starts in c.domain]
        dates = [day.date for day in c.problem.days]
        self.date = [dates[slot // c.height] for slot in range(c.slots)]
        self.first = [next(d for d, date in enumerate(dates) if date == its) * c.height for its in self.date]
        self.number = {date: n for n, date in enumerate(dict.fromkeys(dates))}
        self.can = bool(self.weeks or self.spreads or any(board.soft) or any(c.costs))

    def _spreads(self) -> None:
        """Soft bounds on how many of some units start on one day (date)."""
        c = self.c
        self.spreads: list[tuple[int, int, bool]] = []  # most, price, by date
        self.spreads_of: list[list[int]] = [[] for _ in c.members]
        for k in c.rest:
            if isinstance(k, m.MaxADay) and not k.is_hard and k.weight > 0 and k.per in ("day", "date"):
                for key in dict.fromkeys(k.activities):
                    self.spreads_of[c.unit[c.index[key]]].append(len(self.spreads))
                self.spreads.append((k.most, price(k.weight), k.per == "date"))

    # --- the cost ------------------------------------------------------------------------------------------------

    def _load(self) -> int:
        """Read the board; return its cost."""
        start = self.board.start
        for week in self.weeks:
            week.masks = [0] * len(week.first)
            for u, length in week.parts:
                week.masks[self._date_number(start[u])] |= ((1 << length) - 1) << (start[u] - self.first[start[u]])
            week.total = sum(week.profile(date, mask) for date, mask in enumerate(week.masks))
        self.counts: list[Counter[int]] = [Counter() for _ in self.spreads]
        for u, those in enumerate(self.spreads_of):
            for n in those:
                self.counts[n][self._day(n, start[u])] += 1
        found = sum(self._price(w, week.total) for w, week in enumerate(self.weeks))
        found += sum(its * max(0, count - most) for (most, its, _), counts in zip(self.spreads, self.counts, strict=True) for count in counts.values())
        pairs = own = 0
        for u, s in enumerate(start):
            own += self.c.costs[u].get(s, 0)
            pairs += sum(cost for v, table, cost in self.board.soft[u] if table[start[v]] >> s & 1)
        return found + own + pairs // 2

    def _date_number(self, slot: int) -> int:
        return self.number[self.date[slot]]

    def _day(self, n: int, slot: int) -> int:
        return self.date[slot] if self.spreads[n][2] else slot // self.c.height

    def _price(self, w: int, total: int) -> int:
        known = self._prices[w]
        found = known.get(total)
        if found is None:
            found = 0
            for n, rule in enumerate(self.weeks[w].fields):
                found += rule.price * max(0, (total >> (BITS * n) & ROW) - rule.bound)
            known[total] = found
        return found

    def _pairs(self, moving: dict[int, int], at: Callable[[int], int]) -> int:
        """Return what the moving units cost by themselves and beside others, each pair once."""
        start, found = self.board.start, 0
        for u in moving:
            s = at(u)
            found += self.c.costs[u].get(s, 0)
            for v, table, cost in self.board.soft[u]:
                if v in moving:
                    if v > u and table[at(v)] >> s & 1:
                        found += cost
                elif table[start[v]] >> s & 1:
                    found += cost
        return found

    # --- moving --------------------------------------------------------------------------------------------------

    def _chain(self, u: int, t: int) -> dict[int, int] | None:
        """Return who goes where when a unit goes to a start; None when the chain ends nowhere."""
        board = self.board
        start = board.start
        moving, todo = {u: t}, [u]
        while todo:
            v = todo.pop()
            target = moving[v]
            by = target - start[v]
            for w in board.conflicts(v, target):
                if w not in moving:
                    goal = start[w] - by
                    if goal < 0 or not board.domain[w] >> goal & 1 or len(moving) >= LONGEST_CHAIN:
                        return None
                    moving[w] = goal
                    todo.append(w)
        return moving

    def _difference(self, moving: dict[int, int]) -> tuple[int, dict[int, tuple[int, dict[int, int]]], dict[tuple[int, int], int]]:
        """Return what the moves cost more, with the new totals and masks of weeks and the new counts of days."""
        start, found = self.board.start, 0
        masks: dict[int, dict[int, int]] = {}
        for u in moving:
            s = start[u]
            date, shift = self._date_number(s), s - self.first[s]
            for w, length in self.weeks_of[u]:
                its = masks.setdefault(w, {})
                its[date] = its.get(date, self.weeks[w].masks[date]) & ~(((1 << length) - 1) << shift)
        for u, t in moving.items():
            date, shift = self._date_number(t), t - self.first[t]
            for w, length in self.weeks_of[u]:
                its = masks[w]
                its[date] = its.get(date, self.weeks[w].masks[date]) | ((1 << length) - 1) << shift
        weeks = {}
        for w, its in masks.items():
            week = self.weeks[w]
            total = week.total
            for date, mask in its.items():
                total += week.profile(date, mask) - week.profile(date, week.masks[date])
            if total != week.total:
                found += self._price(w, total) - self._price(w, week.total)
            weeks[w] = (total, its)
        days: dict[tuple[int, int], int] = {}
        for u, t in moving.items():
            for n in self.spreads_of[u]:
                before, after = self._day(n, start[u]), self._day(n, t)
                if before != after:
                    days[n, before] = days.get((n, before), 0) - 1
                    days[n, after] = days.get((n, after), 0) + 1
        for (n, day), change in days.items():
            most, its_price, _ = self.spreads[n]
            count = self.counts[n][day]
            found += its_price * (max(0, count + change - most) - max(0, count - most))
        found += self._pairs(moving, moving.__getitem__) - self._pairs(moving, start.__getitem__)
        return found, weeks, days

    def _apply(self, moving: dict[int, int]) -> bool:
        """Move on the board; False, and nothing moved, where the hard demands do not allow it."""
        board = self.board
        before = {u: board.start[u] for u in moving}
        rooms = {u: board.remove(u) for u in moving}
        done: list[int] = []
        for u, t in moving.items():
            if not (board.open_starts(u) >> t & 1 and board.fits(u, t)):
                for v in done:
                    board.remove(v)
                for v, s in before.items():
                    board.place(v, s, rooms[v])
                return False
            board.place(u, t)
            done.append(u)
        return True

    def _costly(self) -> int:
        """Return a unit of somebody whose week costs something, -1 where a few looks find nobody."""
        rng = self.rng
        for _ in range(6):
            w = int(rng.random() * len(self.weeks))
            week = self.weeks[w]
            if week.parts and self._price(w, week.total):
                return week.parts[int(rng.random() * len(week.parts))][0]
        return -1

    def run(self, moves: int, hot: float, cold: float, until: float, stop: Callable[[], bool]) -> tuple[State, int]:
        """Try so many moves while the temperature (in units of cost) falls from `hot` to `cold`; return the best and its cost.

        The board is left at the last timetable.
        """
        rng, board = self.rng, self.board
        cost = self._load()
        best, least = board.state(), cost
        units = [u for u, starts in enumerate(self.starts) if len(starts) > 1]
        temperature, cooling = hot, (cold / hot) ** (1 / max(1, moves // LOOK))
        is_new = False
        for n in range(moves if units else 0):
            if n % LOOK == 0:
                temperature *= cooling
                if monotonic() > until or stop():
                    break
            u = self._costly() if n & 1 and self.weeks else -1
            if u < 0:
                u = units[int(rng.random() * len(units))]
            choice = self.starts[u]
            t = choice[int(rng.random() * len(choice))]
            s = board.start[u]
            if t == s:
                continue
            moving = self._chain(u, t)
            if moving is None:
                continue
            more, weeks, days = self._difference(moving)
            if more > 0 and rng.random() >= math.exp(-more / temperature):
                continue
            if cost + more >= least and is_new:
                best, is_new = board.state(), False
            if not self._apply(moving):
                continue
            cost += more
            for w, (total, masks) in weeks.items():
                week = self.weeks[w]
                week.total = total
                for date, mask in masks.items():
                    week.masks[date] = mask
            for (number, day), change in days.items():
                self.counts[number][day] += change
            if cost < least:
                least, is_new = cost, True
                if not least:
                    break
        if is_new:
            best = board.state()
        return best, least
