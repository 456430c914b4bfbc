"""The problem, or a window of it, as a CP-SAT model.

A *window* frees some units and keeps the others where they are; freeing all gives the whole problem. Free units lose
the starts that clash with fixed ones before the model is built, so a window is small and quick to build.
"""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ortools.sat.python import cp_model

from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.compiling import Agenda, Choice, Compiled, price
from khue.school.timetable.solving.model import Constraint
from khue.school.timetable.solving.state import State

ABSENT = 1_000_000  # the price of a period that is not placed
SOFTENED = 99.99
OF_DAYS = (
    m.MaxDays, m.MinDays, m.MaxHours, m.MinHours, m.MaxADay, m.MaxTerms, m.MaxInATerm, m.MinInATerm, m.MaxDaysBetween, m.SameDay,
    m.Balance, m.MaxFullDates, m.MaxConsecutiveDays, m.MaxTagsADay, m.MinDaysBetween,
)  # fmt: skip
Lit = Any  # a CP-SAT literal, or the int 0 or 1 when it is decided already


class Infeasible(Exception):
    """The window has no timetable; seen while building it. `constraint` is what refuses, when one does."""


class Window:
    """A CP-SAT model of some units, the others fixed."""

    def __init__(
        self, c: Compiled, free: Iterable[int], state: State, *, only_hard: bool = False, optional: bool = False,
        softened: frozenset[int] = frozenset(), within: dict[int, int] | None = None,
        days: frozenset[int] | None = None, shake: random.Random | None = None,
    ) -> None:  # fmt: skip
        """Build the model.

        only_hard   leave soft costs out
        days        free units stay on these days
        shake       adds small random prices, so that equally good timetables differ
        within      unit -> day: free units stay on these days, chosen so that what concerns only days holds
        softened    ids of hard constraints that may be broken at a price
        optional    a free unit may stay unplaced, at a price; what further lessons may mend is then no breach
        """
        self.c, self.state, self.only_hard, self.optional, self.softened = c, state, only_hard, optional, softened
        self.within, self.days, self.shake = within, days, shake
        self.free = set(free)
        self.model = cp_model.CpModel()
        self.terms: list[Lit] = []
        self.coefficients: list[int] = []
        self.offset = 0
        self.x: dict[int, dict[int, Lit]] = {}
        self.absent: dict[int, Lit] = {}
        self.z: dict[int, dict[tuple[int, int], Lit]] = {}  # activity -> (choice, start) -> literal
        self._busy: dict[tuple[int, int], Lit] = {}
        self._works: dict[tuple[int, tuple[int, ...]], Lit] = {}
        self._edges: dict[tuple[int, int], tuple[list[Lit], list[Lit]]] = {}
        self.fixed = {u: s for u, s in state.starts.items() if u not in self.free}
        self.touched = {g for u in self.free for g in c.agendas_of[u]}
        self._cover: dict[int, dict[int, list[Lit]]] = {}
        self._taken: dict[int, int] = {}
        self._soft_rooms = any(len(choices) > 1 for choices in c.choices)
        self._flags()
        self._build()

    # --- small helpers -------------------------------------------------------------------------------------------

    def _flags(self) -> None:
        """Find the agendas that never have gaps, and those that start early: together they fill days from the front."""
        self.gapless: set[int] = set()
        self.early: set[int] = set()
        for constraint in self.c.rest:
            if (
                isinstance(constraint, m.MaxGaps)
                and constraint.is_hard
                and constraint.most == 0
                and constraint.half is None
            ):
                self.gapless.update(self.c.agendas_named(constraint.who))
            if (
                isinstance(constraint, m.EarlyStart)
                and constraint.is_hard
                and constraint.most == 0
                and constraint.half is None
            ):
                self.early.update(self.c.agendas_named(constraint.who))

    def bool(self) -> Lit:
        """Return a new literal."""
        return self.model.new_bool_var("")

    def implies(self, a: Lit, b: Lit) -> None:
        """Add a -> b."""
        if _is(a, 0) or _is(b, 1):
            return
        if _is(a, 1):
            self.require(b)
        elif _is(b, 0):
            self.model.add(a == 0)
        else:
            self.model.add_implication(a, b)

    def require(self, a: Lit) -> None:
        """Add a."""
        if _is(a, 0):
            raise Infeasible
        if not _is(a, 1):
            self.model.add(a == 1)

    def at_most_one(self, literals: Sequence[Lit], const: int = 0) -> None:
        """Add: at most one of them, `const` of which is already there."""
        const += sum(a for a in literals if isinstance(a, int))
        literals = [a for a in literals if not isinstance(a, int)]
        if const > 1:
            raise Infeasible
        if const == 1:
            for a in literals:
                self.model.add(a == 0)
        elif len(literals) > 1:
            self.model.add_at_most_one(literals)

    def at_most(
        self, literals: Sequence[Lit], most: int, weight: float = m.HARD, *, copies: int = 1, once: bool = False,
        spare: Sequence[tuple[Lit, int]] = (),
    ) -> None:  # fmt: skip
        """Add: the sum is at most `most`, and more by each true literal of `spare`; soft: each above (or all of it,
        `once`) costs.
        """
        most -= sum(a for a in literals if isinstance(a, int))
        literals = [a for a in literals if not isinstance(a, int)]
        reach = len(literals)
        if reach <= most:
            return
        total = cp_model.LinearExpr.sum(literals) if literals else 0
        if spare:
            most += sum(n * a for a, n in spare if isinstance(a, int))
            total = total - sum(n * a for a, n in spare if not isinstance(a, int))
        if weight >= m.HARD:
            if any(not isinstance(a, int) for a, _ in spare):
                self.model.add(total <= most)
            elif most < 0:
                raise Infeasible
            elif most == 0:
                for a in literals:
                    self.model.add(a == 0)
            else:
                self.model.add(total <= most)
        else:
            if once:
                if most < 0:
                    self.offset += price(weight) * copies
                    return
                broken = self.bool()
                self.model.add(total <= most + (reach - most) * broken)
                self.pay(broken, price(weight) * copies)
            else:
                above = self.model.new_int_var(0, reach - most, "")
                self.model.add(total <= most + above)
                self.pay(above, price(weight) * copies)

    def at_least(
        self, literals: Sequence[Lit], least: int, weight: float = m.HARD, *, when: Lit = 1, copies: int = 1
    ) -> None:
        """Add: the sum is at least `least` if `when`; soft: each missing costs."""
        least -= sum(a for a in literals if isinstance(a, int))
        literals = [a for a in literals if not isinstance(a, int)]
        if least <= 0 or _is(when, 0):
            return
        total = cp_model.LinearExpr.sum(literals) if literals else 0
        if weight >= m.HARD:
            if len(literals) < least:
                self.implies(when, 0)
            elif _is(when, 1):
                self.model.add(total >= least)
            else:
                self.model.add(total >= least * when)
        else:
            missing = self.model.new_int_var(0, least, "")
            self.model.add(total + missing >= (least if _is(when, 1) else least * when))
            self.pay(missing, price(weight) * copies)

    def pay(self, literal: Lit, cost: int) -> None:
        """Add a cost to the objective."""
        if isinstance(literal, int):
            self.offset += literal * cost
        elif cost:
            self.terms.append(literal)
            self.coefficients.append(cost)

    def either(self, literals: Sequence[Lit]) -> Lit:
        """Return a literal that is exactly the disjunction of these."""
        if any(_is(a, 1) for a in literals):
            return 1
        literals = list({id(a): a for a in literals if not _is(a, 0)}.values())
        if not literals:
            return 0
        if len(literals) == 1:
            return literals[0]
        found = self.bool()
        for a in literals:
            self.model.add_implication(a, found)
        self.model.add_bool_or([*literals, ~found])
        return found

    # --- the frame -----------------------------------------------------------------------------------------------

    def _build(self) -> None:
        for g in self.touched:
            self._taken[g] = self._fixed_mask(self.c.agendas[g], m.EVERY_WEEK)
        for unit in sorted(self.free):
            starts = [s for s in self.c.domain[unit] if self._is_free(unit, s)]
            if self.within is not None:
                starts = [s for s in starts if s // self.c.height == self.within[unit]]
            if self.days is not None:
                starts = [s for s in starts if s // self.c.height in self.days]
            if not starts and not self.optional:
                raise Infeasible
            if self.optional:
                self.absent[unit] = self.bool() if starts else 1
                self.x[unit] = {s: self.bool() for s in starts}
                if starts:
                    self.model.add_exactly_one([*self.x[unit].values(), self.absent[unit]])
                self.pay(self.absent[unit], ABSENT * sum(self.c.length[i] for i in self.c.members[unit]))
            elif len(starts) == 1:
                self.x[unit] = {starts[0]: 1}
            else:
                self.x[unit] = {s: self.bool() for s in starts}
                self.model.add_exactly_one(self.x[unit].values())
            if self.shake is not None:
                for literal in self.x[unit].values():
                    self.pay(literal, self.shake.randrange(20))
            if not self.only_hard:
                for start, cost in self.c.costs[unit].items():
                    if start in self.x[unit]:
                        self.pay(self.x[unit][start], cost)
        for g in sorted(self.touched):
            self._no_overlap(self.c.agendas[g])
        self._build_rooms()
        for constraint in self.c.rest:
            if (
                constraint.is_hard
                or not self.only_hard
                or (isinstance(constraint, m.MinDaysBetween) and constraint.adjoining)
            ):
                _ADD[type(constraint)](self, constraint)
        if self.terms:
            self.model.minimize(cp_model.LinearExpr.weighted_sum(self.terms, self.coefficients) + self.offset)

    def _fixed_mask(self, agenda: Agenda, weeks: int) -> int:
        found = 0
        for i, unit in agenda.parts:
            if unit in self.fixed and self.c.problem.activities[i].weeks & weeks:
                found |= self.c.span(self.fixed[unit], self.c.length[i])
        return found

    def _is_free(self, unit: int, start: int) -> bool:
        """Return whether no fixed unit of its people is in the way."""
        for g in self.c.agendas_of[unit]:
            agenda = self.c.agendas[g]
            for i in self.c.members[unit]:
                if agenda.is_weekly:
                    if self._taken[g] & self.c.span(start, self.c.length[i]) and any(
                        j == i for j, _ in agenda.parts
                    ):
                        return False
                elif any(j == i for j, _ in agenda.parts):
                    for week in (m.ODD_WEEKS, m.EVEN_WEEKS):
                        mask = self._fixed_mask(agenda, week)
                        if self.c.problem.activities[i].weeks & week and mask & self.c.span(
                            start, self.c.length[i]
                        ):
                            return False
        return True

    def _no_overlap(self, agenda: Agenda) -> None:
        for week in (m.EVERY_WEEK,) if agenda.is_weekly else (m.ODD_WEEKS, m.EVEN_WEEKS):
            cover: dict[int, list[Lit]] = defaultdict(list)
            seen: set[int] = set()
            for i, unit in agenda.parts:
                if unit in self.free and self.c.problem.activities[i].weeks & week:
                    if unit in seen:  # two activities of one person that must start together
                        raise Infeasible
                    seen.add(unit)
                    for start, literal in self.x[unit].items():
                        for slot in range(start, start + self.c.length[i]):
                            cover[slot].append(literal)
            for literals in cover.values():
                self.at_most_one(literals)

    # --- what is known of a person, slot by slot --------------------------------------------------------------------

    def cover(self, g: int, fits: Callable[[int], bool] | None = None) -> dict[int, list[Lit]]:
        """Return the literals of each slot that say an activity (that fits) is there."""
        if fits is None and g in self._cover:
            return self._cover[g]
        found: dict[int, list[Lit]] = defaultdict(list)
        for i, unit in self.c.agendas[g].parts:
            if fits is None or fits(i):
                for start, literal in self.where(unit):
                    for slot in range(start, start + self.c.length[i]):
                        found[slot].append(literal)
        if fits is None:
            self._cover[g] = found
        return found

    def where(self, unit: int) -> Iterable[tuple[int, Lit]]:
        """Return (start, literal) of a unit, free or fixed; nothing when it is not placed."""
        if unit in self.x:
            return self.x[unit].items()
        return ((self.fixed[unit], 1),) if unit in self.fixed else ()

    def busy(self, g: int, slot: int) -> Lit:
        """Return a literal: the person is busy in that slot."""
        key = (g, slot)
        if key not in self._busy:
            literals = self.cover(g).get(slot, [])
            if not self.c.agendas[g].is_weekly:
                self._busy[key] = self.either(literals)
            elif any(_is(a, 1) for a in literals):
                self._busy[key] = 1
            elif len(literals) < 2:
                self._busy[key] = literals[0] if literals else 0
            else:
                found = self.bool()
                self.model.add(cp_model.LinearExpr.sum(literals) == found)
                self._busy[key] = found
        return self._busy[key]

    def busy_in(self, g: int, days: Iterable[int], fits: Callable[[int], bool] | None = None) -> list[Lit]:
        """Return literals whose sum is the periods the person has (that fit) on these days."""
        weekly = self.c.agendas[g].is_weekly
        cover = self.cover(g, fits)
        found: list[Lit] = []
        for day in days:
            for slot in range(day * self.c.height, (day + 1) * self.c.height):
                literals = cover.get(slot, [])
                found += literals if weekly else [self.either(literals)]
        return found

    def works(self, g: int, days: tuple[int, ...], first: int = 0, last: int | None = None) -> Lit:
        """Return a literal: the person has a lesson on one of these days (in the periods from first to last)."""
        last = self.c.height if last is None else last
        key = (g, (*days, -1, first, last))
        if key not in self._works:
            slots = [day * self.c.height + h for day in days for h in range(first, last)]
            self._works[key] = self.either([self.busy(g, slot) for slot in slots])
        return self._works[key]

    def edges(self, g: int, day: int) -> tuple[list[Lit], list[Lit]]:
        """Return for each period literals that are true if the day has begun by then, and is not over before it."""
        if (g, day) not in self._edges:
            busy = [self.busy(g, day * self.c.height + h) for h in range(self.c.height)]
            self._edges[g, day] = (self._prefix(busy), self._prefix(busy[::-1])[::-1])
        return self._edges[g, day]

    def _prefix(self, busy: Sequence[Lit]) -> list[Lit]:
        found: list[Lit] = []
        before: Lit = 0
        for a in busy:
            if _is(before, 1) or _is(a, 1):
                before = 1
            elif not _is(a, 0):
                now = a if _is(before, 0) else self.bool()
                if now is not a:
                    self.implies(before, now)
                    self.implies(a, now)
                before = now
            found.append(before)
        return found

    def gap(self, g: int, slot: int) -> Lit:
        """Return a literal that must be true if the slot is a gap."""
        day, h = divmod(slot, self.c.height)
        begun, going = self.edges(g, day)
        if h == 0 or h == self.c.height - 1:
            return 0
        parts = (begun[h - 1], going[h + 1])
        busy = self.busy(g, slot)
        if any(_is(p, 0) for p in parts) or _is(busy, 1):
            return 0
        clause = [~p for p in parts if not isinstance(p, int)]
        if not isinstance(busy, int):
            clause.append(busy)
        if not clause:
            return 1
        found = self.bool()
        self.model.add_bool_or([*clause, found])
        return found

    def missing(self, g: int) -> list[tuple[Lit, int]]:
        """Return what says that lessons of a person are not placed, with their periods."""
        found: list[tuple[Lit, int]] = []
        for i, unit in self.c.agendas[g].parts:
            if unit in self.absent:
                found.append((self.absent[unit], self.c.length[i]))
            elif unit not in self.free and unit not in self.fixed and self.within is None:
                found.append((1, self.c.length[i]))
        return found

    def any_missing(self, g: int) -> Lit:
        """Return a literal: some lesson of the person is not placed."""
        key = (g, (-3,))
        if key not in self._works:
            self._works[key] = self.either([a for a, _ in self.missing(g)])
        return self._works[key]

    def here(self, units: Iterable[int]) -> Lit:
        """Return a literal: all these units are placed."""
        absent = self.either([self.absent.get(u, 0 if u in self.free or u in self.fixed else 1) for u in units])
        return 1 - absent if isinstance(absent, int) else ~absent

    def people(self, constraint: m.OfPeople) -> list[int]:
        """Return the agendas a constraint means that this window touches."""
        return [g for g in self.c.agendas_named(constraint.who) if g in self.touched]

    def spans(self, per: m.Span) -> list[tuple[int, ...]]:
        """Return the days counted together."""
        days = self.c.problem.days
        if per == "day":
            return [(d,) for d in range(len(days))]
        if per == "week":
            return [tuple(range(len(days)))]
        if per == "date":
            dates: dict[int, list[int]] = defaultdict(list)
            for d, day in enumerate(days):
                dates[day.date].append(d)
            return [tuple(those) for those in dates.values()]
        return [(d,) for d, day in enumerate(days) if day.half == (per == "afternoon")]

    def units(self, keys: Iterable[str]) -> list[tuple[int, int]]:
        """Return (activity, unit) of these keys, without repetition; nothing when the window touches none of them."""
        found = [(i, self.c.unit[i]) for i in dict.fromkeys(self.c.index[key] for key in keys)]
        return found if any(unit in self.free for _, unit in found) else []

    def in_days(self, unit: int, days: Sequence[int]) -> list[Lit]:
        """Return the literals of starts on these days."""
        return [literal for start, literal in self.where(unit) if start // self.c.height in days]

    # --- pairs -----------------------------------------------------------------------------------------------------

    def pair(self, u: int, v: int, units: Callable[[int, int], int], weight: float, copies: int = 1) -> None:
        """Add: starts s of u and t of v break something by units(s, t)."""
        if u == v:
            for start, literal in list(self.where(u)):
                broken = units(start, start)
                if broken and weight >= m.HARD:
                    self.implies(literal, 0)
                elif broken:
                    self.pay(literal, broken * price(weight) * copies)
            return
        if len(self.x.get(u, ())) > len(self.x.get(v, ())):
            u, v, units = v, u, _swapped(units)
        others = list(self.where(v))
        if weight >= m.HARD:
            for start, literal in self.where(u):
                bad = [other for t, other in others if units(start, t)]
                if bad:
                    self.at_most_one([literal, *bad])
        else:
            table = [
                (literal, [(units(start, t), other) for t, other in others])
                for start, literal in self.where(u)
            ]
            worst = max((k for _, row in table for k, _ in row), default=0)
            if not worst:
                return
            paid = self.model.new_int_var(0, worst, "")
            for literal, row in table:
                top = max(k for k, _ in row)
                if top:
                    total = sum(k * other for k, other in row if k)
                    self.model.add(paid >= total - top + top * literal)
            self.pay(paid, price(weight) * copies)

    # --- rooms -----------------------------------------------------------------------------------------------------

    def _build_rooms(self) -> None:
        used: dict[tuple[int, int, int], list[Lit]] = defaultdict(list)
        weeks = (
            (m.EVERY_WEEK,)
            if all(a.weeks == m.EVERY_WEEK for a in self.c.problem.activities)
            else (m.ODD_WEEKS, m.EVEN_WEEKS)
        )
        touched: set[int] = set()
        for unit in sorted(self.free):
            for i in self.c.members[unit]:
                touched |= {cls for choice in self.c.choices[i] for cls in choice.classes}
                self._choose(i, unit)
        for unit, start in self.fixed.items():
            for i in self.c.members[unit]:
                if self.c.choices[i]:
                    choice = self.state.rooms.get(i, 0)
                    self.z[i] = {(choice, start): 1}
        for i, literals in self.z.items():
            for (choice, start), literal in literals.items():
                for cls in self.c.choices[i][choice].classes:
                    if cls in touched:
                        for slot in range(start, start + self.c.length[i]):
                            for week in weeks:
                                if self.c.problem.activities[i].weeks & week:
                                    used[cls, slot, week].append(literal)
        for (cls, _, _), literals in used.items():
            holds = self.c.classes[cls].holds
            if holds == 1:
                self.at_most_one(literals)
            else:
                self.at_most(literals, holds)

    def _choose(self, i: int, unit: int) -> None:
        choices = self.c.choices[i]
        if not choices:
            return
        length = self.c.length[i]
        table: dict[tuple[int, int], Lit] = {}
        for start, literal in self.x[unit].items():
            span = self.c.span(start, length)
            possible = [k for k, choice in enumerate(choices) if self._is_open(choice, span)]
            if not possible:
                self.implies(literal, 0)
                continue
            if len(possible) == 1:
                table[possible[0], start] = literal
            else:
                those = [self.bool() for _ in possible]
                for k, a in zip(possible, those, strict=True):
                    table[k, start] = a
                if isinstance(literal, int):
                    self.model.add_exactly_one(those)
                else:
                    self.model.add(cp_model.LinearExpr.sum(those) == literal)
        self.z[i] = table
        if not self.only_hard:
            for (k, _), literal in table.items():
                if choices[k].cost:
                    self.pay(literal, choices[k].cost)

    def _is_open(self, choice: Choice, span: int) -> bool:
        return not any(self.c.classes[cls].shut & span for cls in choice.classes)

    def places(self, g: int, name: Callable[[int], str]) -> dict[int, dict[str, list[Lit]]]:
        """Return for each slot and place (building or room, as `name` says of a class) the literals of being there."""
        found: dict[int, dict[str, list[Lit]]] = defaultdict(lambda: defaultdict(list))
        for i, _ in self.c.agendas[g].parts:
            for (choice, start), literal in self.z.get(i, {}).items():
                for cls in self.c.choices[i][choice].classes[:1]:
                    if name(cls):
                        for slot in range(start, start + self.c.length[i]):
                            found[slot][name(cls)].append(literal)
        return found

    # --- solving ---------------------------------------------------------------------------------------------------

    def hint(self, state: State) -> None:
        """Suggest a timetable."""
        for unit, literal in self.absent.items():
            if not isinstance(literal, int):
                self.model.add_hint(literal, unit not in state.starts)
                if unit not in state.starts:
                    for one in self.x[unit].values():
                        self.model.add_hint(one, False)
        for unit, starts in self.x.items():
            if unit in state.starts:
                for start, literal in starts.items():
                    if not isinstance(literal, int):
                        self.model.add_hint(literal, start == state.starts[unit])
                for i in self.c.members[unit]:
                    for (choice, start), literal in self.z.get(i, {}).items():
                        if not isinstance(literal, int) and literal is not starts[start]:
                            self.model.add_hint(
                                literal, start == state.starts[unit] and choice == state.rooms.get(i, 0)
                            )

    def state_of(self, value: Callable[[Lit], int]) -> State:
        """Return the state a solution means; `value` tells a literal's value."""
        found = self.state.copy()
        for unit, starts in self.x.items():
            found.starts.pop(unit, None)
            for start, literal in starts.items():
                if _is(literal, 1) or (not isinstance(literal, int) and value(literal)):
                    found.starts[unit] = start
            for i in self.c.members[unit]:
                for (choice, start), literal in self.z.get(i, {}).items():
                    if start == found.starts.get(unit) and (
                        _is(literal, 1) or (not isinstance(literal, int) and value(literal))
                    ):
                        found.rooms[i] = choice
        return found


def _is(literal: Lit, value: int) -> bool:
    return isinstance(literal, int) and literal == value


def _swapped(units: Callable[[int, int], int]) -> Callable[[int, int], int]:
    return lambda s, t: units(t, s)


_ADD: dict[type[Constraint], Callable[[Window, Any], None]] = {}


def _adds(kind: type[Constraint]) -> Callable[[Callable[[Window, Any], None]], Callable[[Window, Any], None]]:
    def note(function: Callable[[Window, Any], None]) -> Callable[[Window, Any], None]:
        _ADD[kind] = function
        return function

    return note


# --- people -----------------------------------------------------------------------------------------------------


@_adds(m.MaxDays)
def _max_days(w: Window, k: m.MaxDays) -> None:
    for g in w.people(k):
        w.at_most(
            [w.works(g, span) for span in w.spans(k.per)], k.most, k.weight, copies=w.c.agendas[g].copies
        )


@_adds(m.MinDays)
def _min_days(w: Window, k: m.MinDays) -> None:
    for g in w.people(k):
        w.at_least(
            [w.works(g, span) for span in w.spans(k.per)], k.least, k.weight, copies=w.c.agendas[g].copies
        )


@_adds(m.IntervalMaxDays)
def _interval_max_days(w: Window, k: m.IntervalMaxDays) -> None:
    for g in w.people(k):
        days = [w.works(g, span, k.first, k.last) for span in w.spans(k.per)]
        w.at_most(days, k.most, k.weight, copies=w.c.agendas[g].copies)


@_adds(m.MaxGaps)
def _max_gaps(w: Window, k: m.MaxGaps) -> None:
    for g in w.people(k):
        if k.is_hard and k.most == 0 and k.half is None and g in w.early:
            _fill_from_front(w, g)
            continue
        shut = w.c.agendas[g].shut
        for span in w.spans(k.per):
            gaps = []
            for day in span:
                if k.half is None or w.c.problem.days[day].half == k.half:
                    slots = range(day * w.c.height, (day + 1) * w.c.height)
                    gaps += [w.gap(g, slot) for slot in slots if not shut >> slot & 1]
            w.at_most(gaps, k.most, k.weight, copies=w.c.agendas[g].copies, spare=w.missing(g))
            if w.within is not None and k.per == "week":  # leave what is allowed to the days to come
                for a in gaps:
                    w.pay(a, 10)


def _fill_from_front(w: Window, g: int) -> None:
    """No gaps and an early start: each open period with a lesson has one in the open period before it."""
    for opened in _open_slots(w, g, None):
        for before, slot in itertools.pairwise(opened):
            _clause(w, w.busy(g, slot), [w.busy(g, before), w.any_missing(g)])


def _open_slots(w: Window, g: int, half: int | None) -> list[list[int]]:
    shut = w.c.agendas[g].shut
    return [
        [slot for slot in range(d * w.c.height, (d + 1) * w.c.height) if not shut >> slot & 1]
        for d, day in enumerate(w.c.problem.days)
        if half is None or day.half == half
    ]


@_adds(m.MaxHours)
def _max_hours(w: Window, k: m.MaxHours) -> None:
    for g in w.people(k):
        for span in w.spans(k.per):
            literals = w.busy_in(g, span, _fits(w, k.tag, k.subject))
            w.at_most(literals, k.most, k.weight, copies=w.c.agendas[g].copies, once=True)


def _fits(w: Window, tag: str | None, subject: str | None) -> Callable[[int], bool] | None:
    if tag is None and subject is None:
        return None
    activities = w.c.problem.activities
    return lambda i: (
        (tag is None or tag in activities[i].tags) and (subject is None or subject == activities[i].subject)
    )


@_adds(m.MinHours)
def _min_hours(w: Window, k: m.MinHours) -> None:
    fits = _fits(w, k.tag, None)
    for g in w.people(k):
        copies, spare = w.c.agendas[g].copies, w.missing(g)
        lacking: list[Lit] = []
        for span in w.spans(k.per):
            literals = w.busy_in(g, span, fits)
            when = (w.works(g, span) if fits is None else w.either(literals)) if k.may_be_empty else 1
            if spare and k.is_hard:  # together the days lack no more than is still to be placed
                lack = w.model.new_int_var(0, k.least, "")
                w.model.add(sum(literals) + lack >= k.least * when)
                lacking.append(lack)
            else:
                w.at_least(literals, k.least, k.weight, when=when, copies=copies)
        if lacking:
            w.model.add(sum(lacking) <= sum(n * a for a, n in spare))


@_adds(m.MaxContinuous)
def _max_continuous(w: Window, k: m.MaxContinuous) -> None:
    fits = _fits(w, k.tag, None)
    for g in w.people(k):
        cover = w.cover(g, fits)
        weekly = w.c.agendas[g].is_weekly
        for day in range(len(w.c.problem.days)):
            first = day * w.c.height
            for start in range(first, first + w.c.height - k.most):
                row: list[Lit] = []
                for slot in range(start, start + k.most + 1):
                    row += cover.get(slot, []) if weekly else [w.either(cover.get(slot, []))]
                if k.is_hard:
                    w.at_most(row, k.most)
                else:
                    before = cover.get(start - 1, []) if start > first else []
                    rows = [(a, 1) for a in row] + [
                        (a, -1) for a in ([*before] if weekly else [w.either(before)])
                    ]
                    long = w.bool()
                    w.model.add(sum(sign * a for a, sign in rows) <= k.most + long)
                    w.pay(long, price(k.weight) * w.c.agendas[g].copies)


@_adds(m.EarlyStart)
def _early_start(w: Window, k: m.EarlyStart) -> None:
    for g in w.people(k):
        if k.is_hard and k.most == 0 and k.half is None and g in w.gapless:
            continue  # said by the gaps
        second: list[Lit] = []
        late: list[Lit] = []
        for opened in _open_slots(w, g, k.half):
            busy = [w.busy(g, slot) for slot in opened]
            at_second = w.bool()
            second.append(at_second)
            unless = [w.any_missing(g)] if k.is_hard else []
            for n, literal in enumerate(busy[1:], start=1):
                _clause(w, literal, [busy[0], at_second, *unless])
                for before in range(
                    2, n + 1
                ):  # unless one of the first `before` periods is taken, it is that late
                    if k.is_hard:
                        _clause(w, literal, [*busy[:2], *unless])
                        break
                    lateness = _named_late(w, late, g, opened[0], before)
                    _clause(w, literal, [*busy[:before], lateness])
        if k.is_hard:
            w.at_most(second, k.most)
        else:
            copies = w.c.agendas[g].copies
            w.at_most(second, k.most, k.weight, copies=copies)
            for lateness in late:
                w.pay(lateness, price(k.weight) * copies)


def _named_late(w: Window, late: list[Lit], g: int, first: int, before: int) -> Lit:
    key = (g, (first, before, -2))
    if key not in w._works:
        w._works[key] = w.bool()
        late.append(w._works[key])
    return w._works[key]


def _clause(w: Window, when: Lit, literals: Sequence[Lit]) -> None:
    """Add: when -> one of the literals."""
    if _is(when, 0) or any(_is(a, 1) for a in literals):
        return
    rest = [a for a in literals if not isinstance(a, int)]
    if _is(when, 1):
        if not rest:
            raise Infeasible
        w.model.add_bool_or(rest)
    else:
        w.model.add_bool_or([~when, *rest])


@_adds(m.MaxSpan)
def _max_span(w: Window, k: m.MaxSpan) -> None:
    for g in w.people(k):
        longer: list[Lit] = []
        copies = w.c.agendas[g].copies
        for span in w.spans(k.per):
            inside: list[Lit] = []
            for day in span:
                begun, going = w.edges(g, day)
                inside += [_both(w, a, b) for a, b in zip(begun, going, strict=True)]
            if k.one_longer_day:
                longer.append(w.bool())
                reach = [a for a in inside if not isinstance(a, int)]
                const = sum(a for a in inside if isinstance(a, int))
                above = w.model.new_int_var(0, 0 if k.is_hard else len(inside), "")
                w.model.add(sum(reach) + const <= k.most + longer[-1] + above)
                if not k.is_hard:
                    w.pay(above, price(k.weight) * copies)
            else:
                w.at_most(inside, k.most, k.weight, copies=copies)
        w.at_most(longer, 1)


def _both(w: Window, a: Lit, b: Lit) -> Lit:
    """Return a literal that must be true if both are."""
    if _is(a, 0) or _is(b, 0):
        return 0
    if _is(a, 1):
        return b
    if _is(b, 1):
        return a
    found = w.bool()
    w.model.add_bool_or([~a, ~b, found])
    return found


def _rest_between(w: Window, g: int, today: int, tomorrow: int, least: int, weight: float) -> None:
    """Between the last period of one day and the first of the other lie at least `least` periods."""
    _, going = w.edges(g, today)
    begun, _ = w.edges(g, tomorrow)
    height = w.c.height
    for missing in range(1, least + 1):  # too near by at least `missing`
        near: list[Lit] = []
        for h in range(height):  # still there at h, and there again by the period that leaves too little
            t = least - missing - (height - 1 - h)
            if 0 <= t < height:
                near.append(_both(w, going[h], begun[t]))
        if weight >= m.HARD:
            for a in near:
                w.implies(a, 0)
            return
        w.pay(w.either(near), price(weight) * w.c.agendas[g].copies)


@_adds(m.MinRest)
def _min_rest(w: Window, k: m.MinRest) -> None:
    dates = w.spans("date")
    pairs = list(itertools.pairwise(dates)) + ([(dates[-1], dates[0])] if k.circular else [])
    for g in w.people(k):
        for today, tomorrow in pairs:
            _rest_between(w, g, today[-1], tomorrow[0], k.least, k.weight)


@_adds(m.MinRestAtNoon)
def _min_rest_at_noon(w: Window, k: m.MinRestAtNoon) -> None:
    for g in w.people(k):
        for span in w.spans("date"):
            for morning, afternoon in itertools.pairwise(span):
                _rest_between(w, g, morning, afternoon, k.least, k.weight)


@_adds(m.MaxConsecutiveDays)
def _max_consecutive_days(w: Window, k: m.MaxConsecutiveDays) -> None:
    days = w.c.problem.days
    for g in w.people(k):
        works = [w.works(g, (d,)) for d in range(len(days))]
        for first in range(len(days) - k.most):
            row = works[first : first + k.most + 1]
            spare = 0
            if k.from_noon and days[first].half == 1:
                row, spare = ([works[first - 1], *row] if first else row), 1
            w.at_most(row, k.most + spare, k.weight, copies=w.c.agendas[g].copies)


@_adds(m.MaxFullDates)
def _max_full_dates(w: Window, k: m.MaxFullDates) -> None:
    for g in w.people(k):
        full = []
        for span in w.spans("date"):
            mornings = tuple(d for d in span if w.c.problem.days[d].half == 0)
            afternoons = tuple(d for d in span if w.c.problem.days[d].half == 1)
            full.append(_both(w, w.works(g, mornings), w.works(g, afternoons)))
        w.at_most(full, k.most, k.weight, copies=w.c.agendas[g].copies)


@_adds(m.MaxTagsADay)
def _max_tags_a_day(w: Window, k: m.MaxTagsADay) -> None:
    for g in w.people(k):
        for span in w.spans(k.per):
            used = [w.either(w.busy_in(g, span, _fits(w, tag, None))) for tag in k.tags]
            w.at_most(used, k.most, k.weight, copies=w.c.agendas[g].copies)


def _place_name(w: Window, place: str) -> Callable[[int], str]:
    return (
        (lambda cls: w.c.classes[cls].building)
        if place == "building"
        else (lambda cls: w.c.classes[cls].rooms[0])
    )


def _max_moves(place: str) -> Callable[[Window, Any], None]:
    def add(w: Window, k: m.MaxMovesBetweenBuildings) -> None:
        for g in w.people(k):
            at = w.places(g, _place_name(w, place))
            names = sorted({name for those in at.values() for name in those})
            for span in w.spans(k.per):
                moves = [move for day in span for move in _moves_of(w, at, names, day)]
                w.at_most(moves, k.most, k.weight, copies=w.c.agendas[g].copies)

    return add


def _moves_of(w: Window, at: dict[int, dict[str, list[Lit]]], names: Sequence[str], day: int) -> list[Lit]:
    """Return literals that must be true when a period of the day is in another place than the last known one."""
    moves: list[Lit] = []
    last: dict[str, Lit] = dict.fromkeys(names, 0)
    for slot in range(day * w.c.height, (day + 1) * w.c.height):
        here = {name: w.either(at.get(slot, {}).get(name, [])) for name in names}
        for name in names:
            others = w.either([last[other] for other in names if other != name])
            moves.append(_both(w, here[name], others))
        now: dict[str, Lit] = {}
        for name in names:
            elsewhere = [here[other] for other in names if other != name and not _is(here[other], 0)]
            if not elsewhere and _is(here[name], 0):
                now[name] = last[name]
            elif _is(last[name], 0):
                now[name] = here[name]
            else:
                now[name] = w.bool()
                w.implies(here[name], now[name])
                _clause(w, last[name], [*elsewhere, now[name]])
        last = now
    return moves


def _min_gaps(place: str) -> Callable[[Window, Any], None]:
    def add(w: Window, k: m.MinGapsBetweenBuildings) -> None:
        for g in w.people(k):
            at = w.places(g, _place_name(w, place))
            for slot, here in at.items():
                for distance in range(1, k.least + 1):
                    later = slot + distance
                    if later // w.c.height == slot // w.c.height:
                        _no_hurry(w, g, k, here, at.get(later, {}), k.least - distance + 1)

    return add


def _no_hurry(
    w: Window,
    g: int,
    k: m.MinGapsBetweenBuildings,
    here: dict[str, list[Lit]],
    there: dict[str, list[Lit]],
    units: int,
) -> None:
    for name, literals in here.items():
        others = [a for other, those in there.items() if other != name for a in those]
        if literals and others:
            if k.is_hard and w.c.agendas[g].is_weekly:
                w.at_most([w.either(literals), *others], 1)
            else:
                both = _both(w, w.either(literals), w.either(others))
                if k.is_hard:
                    w.implies(both, 0)
                else:
                    w.pay(both, units * price(k.weight) * w.c.agendas[g].copies)


_ADD[m.MaxMovesBetweenBuildings] = _max_moves("building")
_ADD[m.MaxMovesBetweenRooms] = _max_moves("room")
_ADD[m.MinGapsBetweenBuildings] = _min_gaps("building")
_ADD[m.MinGapsBetweenRooms] = _min_gaps("room")


@_adds(m.Balance)
def _balance(w: Window, k: m.Balance) -> None:
    halves = [[d for d, day in enumerate(w.c.problem.days) if day.half == half] for half in (0, 1)]
    for g in w.people(k):
        sums = [sum(w.busy_in(g, days)) for days in halves]
        total = sum(w.c.length[i] for i, _ in w.c.agendas[g].parts)
        above = w.model.new_int_var(0, 0 if k.is_hard else total, "")
        spare = sum(n * a for a, n in w.missing(g))
        w.model.add(sums[0] - sums[1] <= k.most + above + spare)
        w.model.add(sums[1] - sums[0] <= k.most + above + spare)
        if not k.is_hard:
            w.pay(above, price(k.weight) * w.c.agendas[g].copies)


@_adds(m.CommonFree)
def _common_free(w: Window, k: m.CommonFree) -> None:
    agendas = w.c.agendas_named(k.who)
    if any(g in w.touched for g in agendas):
        taken = [w.either([w.busy(g, day * w.c.height + h) for g in agendas]) for day, h in sorted(k.slots)]
        w.at_most(taken, len(taken) - k.least, k.weight)


# --- activities -------------------------------------------------------------------------------------------------


def _all_pairs(
    w: Window, k: m.OfActivities, units: Callable[[int, int, int, int], int], weight: float | None = None
) -> None:
    """Add: any two break something by units(start, start, length, length)."""
    those = w.units(k.activities)
    for n, (i, u) in enumerate(those):
        for j, v in those[:n]:
            if u in w.free or v in w.free:
                w.pair(
                    u,
                    v,
                    _with_lengths(units, w.c.length[i], w.c.length[j]),
                    k.weight if weight is None else weight,
                )


def _with_lengths(
    units: Callable[[int, int, int, int], int], one: int, other: int
) -> Callable[[int, int], int]:
    return lambda s, t: units(s, t, one, other)


@_adds(m.SameStart)
def _same_start(w: Window, k: m.SameStart) -> None:
    _all_pairs(w, k, lambda s, t, a, b: int(s != t))


@_adds(m.SameDay)
def _same_day(w: Window, k: m.SameDay) -> None:
    if not k.is_hard or w.optional:
        _all_pairs(w, k, lambda s, t, a, b: int(s // w.c.height != t // w.c.height))
        return
    those = w.units(k.activities)
    for (_, u), (_, v) in itertools.pairwise(those):
        for day in range(len(w.c.problem.days)):
            _equal_sums(w, w.in_days(u, (day,)), w.in_days(v, (day,)))


def _equal_sums(w: Window, one: Sequence[Lit], other: Sequence[Lit]) -> None:
    if any(not isinstance(a, int) for a in (*one, *other)):
        w.model.add(sum(one) == sum(other))
    elif sum(one) != sum(other):
        raise Infeasible


@_adds(m.SamePeriod)
def _same_period(w: Window, k: m.SamePeriod) -> None:
    if not k.is_hard or w.optional:
        _all_pairs(w, k, lambda s, t, a, b: int(s % w.c.height != t % w.c.height))
        return
    those = w.units(k.activities)
    for (_, u), (_, v) in itertools.pairwise(those):
        for h in range(w.c.height):
            one, other = ([a for s, a in w.where(x) if s % w.c.height == h] for x in (u, v))
            _equal_sums(w, one, other)


@_adds(m.NotTogether)
def _not_together(w: Window, k: m.NotTogether) -> None:
    if k.others:
        pairs = [(a, b) for a in k.activities for b in k.others if a != b]
        for one, other in pairs:
            (i, u), (j, v) = ((w.c.index[key], w.c.unit[w.c.index[key]]) for key in (one, other))
            if u in w.free or v in w.free:
                w.pair(u, v, _overlap(w.c.length[i], w.c.length[j]), k.weight)
    elif k.is_hard:
        cover: dict[int, list[Lit]] = defaultdict(list)
        for i, u in w.units(k.activities):
            for start, literal in w.where(u):
                for slot in range(start, start + w.c.length[i]):
                    cover[slot].append(literal)
        for literals in cover.values():
            w.at_most_one(literals)
    else:
        _all_pairs(w, k, lambda s, t, a, b: max(0, min(s + a, t + b) - max(s, t)))


def _overlap(one: int, other: int) -> Callable[[int, int], int]:
    return lambda s, t: max(0, min(s + one, t + other) - max(s, t))


@_adds(m.MinDaysBetween)
def _min_days_between(w: Window, k: m.MinDaysBetween) -> None:
    those = w.units(k.activities)
    height = w.c.height
    dates = [day.date for day in w.c.problem.days]
    last = max(dates) + 1
    if k.least > 0 and k.weight > 0 and those:
        starts = range(max(1, last - k.least + 1)) if k.is_hard else range(1 - k.least, last)
        for start in starts:
            window = [d for d, date in enumerate(dates) if start <= date < start + k.least]
            literals = [a for _, u in those for a in w.in_days(u, window)]
            if k.is_hard:
                w.at_most_one(literals)
            else:
                for already in range(1, len(those)):
                    w.at_most(literals, already, k.weight)
    if k.adjoining:

        def apart(s: int, t: int, a: int, b: int) -> int:
            adjoin = s // height == t // height and (s + a == t or t + b == s)
            return int(dates[s // height] == dates[t // height] and not adjoin)

        _all_pairs(w, k, apart, m.HARD)


@_adds(m.MaxDaysBetween)
def _max_days_between(w: Window, k: m.MaxDaysBetween) -> None:
    height = w.c.height
    dates = [day.date for day in w.c.problem.days]
    _all_pairs(w, k, lambda s, t, a, b: max(0, abs(dates[s // height] - dates[t // height]) - k.most))


@_adds(m.MinGapsBetween)
def _min_gaps_between(w: Window, k: m.MinGapsBetween) -> None:
    height = w.c.height
    _all_pairs(
        w,
        k,
        lambda s, t, a, b: (
            max(0, k.least - max(0, _distance(s, t, a, b))) if s // height == t // height else 0
        ),
    )


@_adds(m.MinGapsBetweenTags)
def _min_gaps_between_tags(w: Window, k: m.MinGapsBetweenTags) -> None:
    height, activities = w.c.height, w.c.problem.activities
    for g in w.people(k):
        agenda = w.c.agendas[g]
        for (i, u), (j, v) in itertools.permutations(agenda.parts, 2):
            if k.tags[0] in activities[i].tags and k.tags[1] in activities[j].tags and (u in w.free or v in w.free):
                a = w.c.length[i]
                w.pair(
                    u,
                    v,
                    lambda s, t, a=a: max(0, k.least - (t - s - a)) if s // height == t // height and s < t else 0,
                    k.weight,
                    agenda.copies,
                )


@_adds(m.MaxGapsBetween)
def _max_gaps_between(w: Window, k: m.MaxGapsBetween) -> None:
    height = w.c.height
    _all_pairs(w, k, lambda s, t, a, b: int(s // height == t // height and _distance(s, t, a, b) > k.most))


def _distance(s: int, t: int, a: int, b: int) -> int:
    return t - s - a if s <= t else s - t - b


def _next_open(w: Window, slot: int) -> int:
    """Return the first slot from here on that is no break; -1 when the day is over before."""
    closed = w.c.mask(w.c.problem.closed)
    day = (slot - 1) // w.c.height
    while slot // w.c.height == day and closed >> slot & 1:
        slot += 1
    return slot if slot // w.c.height == day else -1


@_adds(m.Follows)
def _follows(w: Window, k: m.Follows) -> None:
    (i, u), (_, v) = ((w.c.index[key], w.c.unit[w.c.index[key]]) for key in k.activities)
    if u in w.free or v in w.free:
        w.pair(u, v, lambda s, t: int(_next_open(w, s + w.c.length[i]) != t), k.weight)


@_adds(m.Adjoins)
def _adjoins(w: Window, k: m.Adjoins) -> None:
    those = w.units(k.activities)
    if len(those) == 2:
        (i, u), (j, v) = those
        a, b = w.c.length[i], w.c.length[j]
        w.pair(u, v, lambda s, t: int(_next_open(w, s + a) != t and _next_open(w, t + b) != s), k.weight)
    elif those:
        _three_adjoin(w, k, those)


def _three_adjoin(w: Window, k: m.Adjoins, those: list[tuple[int, int]]) -> None:
    """Three in a row: choose an order and a first slot."""
    from itertools import permutations

    ways: list[Lit] = []
    tables = [dict(w.where(u)) for _, u in those]
    for order in permutations(range(len(those))):
        for start in tables[order[0]]:
            slots, at = {}, start
            for n in order:
                if at not in tables[n]:
                    break
                slots[n] = at
                at = _next_open(w, at + w.c.length[those[n][0]])
            else:
                way = w.bool()
                for n, slot in slots.items():
                    w.implies(way, tables[n][slot])
                ways.append(way)
    if k.is_hard:
        w.at_least(ways, 1, when=w.here(u for _, u in those))
    else:
        broken = w.bool()
        w.model.add_bool_or([*ways, broken])
        w.pay(broken, price(k.weight))


@_adds(m.Before)
def _before(w: Window, k: m.Before) -> None:
    (i, u), (_, v) = ((w.c.index[key], w.c.unit[w.c.index[key]]) for key in k.activities)
    height, length = w.c.height, w.c.length[i]

    def units(s: int, t: int) -> int:
        if s // height == t // height:
            return int(s + length > t)
        return int(not k.same_day_only and s > t)

    if u in w.free or v in w.free:
        w.pair(u, v, units, k.weight)


@_adds(m.EndsDay)
def _ends_day(w: Window, k: m.EndsDay) -> None:
    for key in k.activities:
        i = w.c.index[key]
        u = w.c.unit[i]
        agendas = [
            g
            for g in w.c.agendas_of[u]
            if w.c.agendas[g].kind == "groups" and any(j == i for j, _ in w.c.agendas[g].parts)
        ]
        if not any(g in w.touched for g in agendas):
            continue
        for start, literal in w.where(u):
            last = start + w.c.length[i]
            after = range(last, (start // w.c.height + 1) * w.c.height)
            busy = [w.busy(g, slot) for g in agendas for slot in after]
            if k.is_hard:
                for other in busy:
                    _clause(w, literal, [~other] if not isinstance(other, int) else [1 - other])
            else:
                w.pay(_both(w, literal, w.either(busy)), price(k.weight))


def _cover_of(
    w: Window, k: m.MaxSlotsUsed | m.MinSlotsUsed | m.MaxTogether | m.MinTogether
) -> dict[int, list[Lit]]:
    wanted = {day * w.c.height + h for day, h in k.slots}
    found: dict[int, list[Lit]] = {slot: [] for slot in sorted(wanted)}
    for i, u in w.units(k.activities):
        for start, literal in w.where(u):
            for slot in range(start, start + w.c.length[i]):
                if slot in wanted:
                    found[slot].append(literal)
    return found


@_adds(m.MaxSlotsUsed)
def _max_slots_used(w: Window, k: m.MaxSlotsUsed) -> None:
    if w.units(k.activities):
        w.at_most([w.either(those) for those in _cover_of(w, k).values()], k.most, k.weight)


@_adds(m.MinSlotsUsed)
def _min_slots_used(w: Window, k: m.MinSlotsUsed) -> None:
    if w.units(k.activities):
        when = w.here(u for _, u in w.units(k.activities))
        w.at_least([w.either(those) for those in _cover_of(w, k).values()], k.least, k.weight, when=when)


@_adds(m.MaxTogether)
def _max_together(w: Window, k: m.MaxTogether) -> None:
    for literals in _cover_of(w, k).values():
        w.at_most(literals, k.most, k.weight)


@_adds(m.MinTogether)
def _min_together(w: Window, k: m.MinTogether) -> None:
    if w.units(k.activities):
        here = w.here(u for _, u in w.units(k.activities))
        for literals in _cover_of(w, k).values():
            w.at_least(literals, k.least, k.weight, when=_both(w, here, w.either(literals)) if k.may_be_empty else here)


@_adds(m.MaxInSlots)
def _max_in_slots(w: Window, k: m.MaxInSlots) -> None:
    mask = w.c.mask(k.slots)
    inside = [
        literal
        for i, u in w.units(k.activities)
        for start, literal in w.where(u)
        if mask & w.c.span(start, w.c.length[i])
    ]
    w.at_most(inside, k.most, k.weight)


@_adds(m.MaxADay)
def _max_a_day(w: Window, k: m.MaxADay) -> None:
    those = w.units(k.activities)
    for span in w.spans(k.per):
        w.at_most([a for _, u in those for a in w.in_days(u, span)], k.most, k.weight)


def _terms(w: Window, days: int) -> list[range]:
    return [range(first, first + days) for first in range(0, len(w.c.problem.days), days)]


@_adds(m.MaxTerms)
def _max_terms(w: Window, k: m.MaxTerms) -> None:
    those = w.units(k.activities)
    used = [w.either([a for _, u in those for a in w.in_days(u, term)]) for term in _terms(w, k.days_a_term)]
    w.at_most(used, k.most, k.weight)


@_adds(m.MaxInATerm)
def _max_in_a_term(w: Window, k: m.MaxInATerm) -> None:
    those = w.units(k.activities)
    for term in _terms(w, k.days_a_term):
        w.at_most([a for _, u in those for a in w.in_days(u, term)], k.most, k.weight)


@_adds(m.MinInATerm)
def _min_in_a_term(w: Window, k: m.MinInATerm) -> None:
    those = w.units(k.activities)
    here = w.here(u for _, u in those)
    for term in _terms(w, k.days_a_term) if those else ():
        literals = [a for _, u in those for a in w.in_days(u, term)]
        w.at_least(literals, k.least, k.weight, when=_both(w, here, w.either(literals)) if k.may_be_empty else here)


# --- rooms ------------------------------------------------------------------------------------------------------


@_adds(m.RoomUnavailable)
def _room_unavailable(w: Window, k: m.RoomUnavailable) -> None:
    mask = w.c.mask(k.slots)
    classes = {n for n, cls in enumerate(w.c.classes) if k.room in cls.rooms}
    for i, table in w.z.items():
        if w.c.unit[i] in w.free:
            for (choice, start), literal in table.items():
                if classes.intersection(w.c.choices[i][choice].classes):
                    w.pay(literal, (mask & w.c.span(start, w.c.length[i])).bit_count() * price(k.weight))


@_adds(m.MaxRooms)
def _max_rooms(w: Window, k: m.MaxRooms) -> None:
    used: dict[object, list[Lit]] = defaultdict(list)
    for i, _ in w.units(k.activities):
        for (choice, _), literal in w.z.get(i, {}).items():
            way = w.c.choices[i][choice]
            if way.classes:
                used[way.virtual or way.classes].append(literal)
    w.at_most([w.either(those) for those in used.values()], k.most, k.weight)


@_adds(m.SameRoomIfAdjoining)
def _same_room_if_adjoining(w: Window, k: m.SameRoomIfAdjoining) -> None:
    those = w.units(k.activities)
    height = w.c.height
    for n, (i, u) in enumerate(those):
        for j, v in those[:n]:
            if u not in w.free and v not in w.free:
                continue
            for (choice, start), literal in w.z.get(i, {}).items():
                way = w.c.choices[i][choice]
                if not way.classes:
                    continue
                others = [
                    a
                    for (other, t), a in w.z.get(j, {}).items()
                    if start // height == t // height
                    and _distance(start, t, w.c.length[i], w.c.length[j]) == 0
                    and (there := w.c.choices[j][other]).classes
                    and (there.virtual or there.classes) != (way.virtual or way.classes)
                ]
                if others and k.is_hard:
                    w.at_most([literal, *others], 1)
                elif others:
                    w.pay(_both(w, literal, w.either(others)), price(k.weight))
