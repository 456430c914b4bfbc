"""The days of everything, before its periods: a small model that decides most of what is hard.

Which day a unit is on decides the days a teacher comes, the spread of a subject over the week, the periods of a class
a day. Within a day a school is close to colouring the edges of a graph of teachers and classes, which goes through
whenever nobody has more periods than the day (Kőnig), so a sound choice of days seldom fails later. Soft costs that
only concern days are at their least here already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ortools.sat.python import cp_model

from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.compiling import Compiled, price
from khue.school.timetable.solving.cpsat import solver_for
from khue.school.timetable.solving.relations import Relations

Lit = Any
MOST_SETS = 12


@dataclass
class Choice:
    """What a solution says: the day of each unit, its cost, whether it is the best possible."""

    day: dict[int, int]
    cost: int
    bound: int
    is_best: bool


@dataclass
class DayModel:
    """Decides the day of every unit.

    avoided   (unit, day) -> price: pairs that went wrong before
    """

    c: Compiled
    relations: Relations
    avoided: dict[tuple[int, int], int] = field(default_factory=dict)
    with_costs: bool = True

    def __post_init__(self) -> None:
        self.model = cp_model.CpModel()
        self.terms: list[Lit] = []
        self.coefficients: list[int] = []
        self.offset = 0
        c = self.c
        self.height, self.count = c.height, len(c.problem.days)
        self.y: list[dict[int, Lit]] = []
        self.cover: list[dict[int, int]] = []  # unit -> day -> mask of periods its starts may touch
        self._works: dict[tuple[int, tuple[int, ...]], Lit] = {}
        self._frame()
        for g in range(len(c.agendas)):
            self._capacity(g)
        self._rooms()
        for k in c.rest:
            adder = _ADD.get(type(k))
            if adder is not None and k.weight > 0 and (k.is_hard or self.with_costs):
                adder(self, k)
        for (u, d), cost in self.avoided.items():
            if d in self.y[u]:
                self.pay(self.y[u][d], cost)
        if self.terms:
            self.model.minimize(cp_model.LinearExpr.weighted_sum(self.terms, self.coefficients) + self.offset)

    # --- helpers -------------------------------------------------------------------------------------------------

    def pay(self, literal: Lit, cost: int) -> None:
        """Add a cost."""
        if cost:
            self.terms.append(literal)
            self.coefficients.append(cost)

    def at_most(self, total: Any, most: int, reach: int, weight: float, copies: int = 1, *, once: bool = False) -> None:
        """Add: total is at most `most`; `reach` is the largest it can be."""
        if reach <= most:
            return
        if weight >= m.HARD:
            self.model.add(total <= most)
        elif once:
            broken = self.model.new_bool_var("")
            self.model.add(total <= most + max(0, reach - most) * broken)
            self.pay(broken, price(weight) * copies)
        else:
            above = self.model.new_int_var(0, reach - most, "")
            self.model.add(total <= most + above)
            self.pay(above, price(weight) * copies)

    def at_least(self, total: Any, least: int, weight: float, copies: int = 1, when: Lit = 1) -> None:
        """Add: total is at least `least` if `when`."""
        if weight >= m.HARD:
            self.model.add(total >= least * when)
        else:
            missing = self.model.new_int_var(0, max(0, least), "")
            self.model.add(total + missing >= least * when)
            self.pay(missing, price(weight) * copies)

    def either(self, literals: Sequence[Lit]) -> Lit:
        """Return a literal that is exactly the disjunction."""
        if not literals:
            return 0
        if len(literals) == 1:
            return literals[0]
        found = self.model.new_bool_var("")
        for a in literals:
            self.model.add_implication(a, found)
        self.model.add_bool_or([*literals, ~found])
        return found

    def hours(self, g: int, days: Iterable[int], fits: Callable[[int], bool] | None = None) -> tuple[Any, int]:
        """Return the periods of a person on these days as an expression, and the most it can be."""
        literals, lengths = [], []
        chosen = set(days)
        reach = 0
        for i, u in self.c.agendas[g].parts:
            if fits is None or fits(i):
                mine = [self.y[u][d] for d in chosen if d in self.y[u]]
                literals += mine
                lengths += [self.c.length[i]] * len(mine)
                reach += self.c.length[i] if mine else 0
        return (cp_model.LinearExpr.weighted_sum(literals, lengths) if literals else 0), reach

    def works(self, g: int, days: tuple[int, ...]) -> Lit:
        """Return a literal: the person has a lesson on one of these days."""
        key = (g, days)
        if key not in self._works:
            those = [self.y[u][d] for u in dict.fromkeys(u for _, u in self.c.agendas[g].parts) for d in days if d in self.y[u]]
            self._works[key] = self.either(those)
        return self._works[key]

    def spans(self, per: m.Span) -> list[tuple[int, ...]]:
        """Return the days counted together."""
        days = self.c.problem.days
        if per == "day":
            return [(d,) for d in range(self.count)]
        if per == "week":
            return [tuple(range(self.count))]
        if per == "date":
            dates: dict[int, list[int]] = defaultdict(list)
            for d, day in enumerate(days):
                dates[day.date].append(d)
            return [tuple(those) for those in dates.values()]
        return [(d,) for d, day in enumerate(days) if day.half == (per == "afternoon")]

    def units(self, keys: Iterable[str]) -> list[int]:
        """Return the units of these activities, without repetition."""
        return list(dict.fromkeys(self.c.unit[self.c.index[key]] for key in keys))

    def on(self, u: int, days: Iterable[int]) -> list[Lit]:
        """Return the literals of a unit on these days."""
        return [self.y[u][d] for d in days if d in self.y[u]]

    # --- the frame -----------------------------------------------------------------------------------------------

    def _frame(self) -> None:
        for u, starts in enumerate(self.c.domain):
            by_day: dict[int, list[int]] = defaultdict(list)
            for s in starts:
                if not self.relations.own[u] >> s & 1:
                    by_day[s // self.height].append(s)
            length = max(self.c.length[i] for i in self.c.members[u])
            mine = {d: self.model.new_bool_var("") for d in by_day}
            self.y.append(mine)
            self.cover.append({d: _touched(those, length, d * self.height) for d, those in by_day.items()})
            self.model.add_exactly_one(mine.values())
            if self.with_costs:
                for d, those in by_day.items():
                    self.pay(mine[d], min(self.c.costs[u].get(s, 0) for s in those))

    def _capacity(self, g: int) -> None:
        """Nobody has more periods on a day than it holds, nor more than fit into the periods they may be in."""
        agenda = self.c.agendas[g]
        for week in (m.EVERY_WEEK,) if agenda.is_weekly else (m.ODD_WEEKS, m.EVEN_WEEKS):
            parts = [(i, u) for i, u in agenda.parts if self.c.problem.activities[i].weeks & week]
            for d in range(self.count):
                here = [(u, self.c.length[i], self.cover[u][d]) for i, u in parts if d in self.y[u]]
                self._fit(here, d, 1)

    def _fit(self, here: list[tuple[int, int, int]], d: int, holds: int) -> None:
        whole = 0
        for _, _, mask in here:
            whole |= mask
        masks = {whole, *{mask for _, _, mask in here}}
        for mask in [*sorted(masks, key=int.bit_count)[:MOST_SETS], whole]:
            inside = [(u, length) for u, length, its in here if its & ~mask == 0]
            room = mask.bit_count() * holds
            if sum(length for _, length in inside) > room:
                total = cp_model.LinearExpr.weighted_sum([self.y[u][d] for u, _ in inside], [length for _, length in inside])
                self.model.add(total <= room)

    def _rooms(self) -> None:
        """A day's lessons that can only be in some rooms fit into these."""
        sets: dict[frozenset[int], list[int]] = defaultdict(list)
        for i, choices in enumerate(self.c.choices):
            if choices and all(len(choice.classes) == 1 for choice in choices):
                sets[frozenset(cls for choice in choices for cls in choice.classes)].append(i)
        for classes in list(sets)[:200]:
            users = [i for those, its in sets.items() if those <= classes for i in its]
            for d in range(self.count):
                ones_of = ((1 << self.height) - 1) << (d * self.height)
                room = sum(self.c.classes[cls].holds * (ones_of & ~self.c.classes[cls].shut).bit_count() for cls in classes)
                here = [(self.c.unit[i], self.c.length[i]) for i in users if d in self.y[self.c.unit[i]]]
                if sum(length for _, length in here) > room and here:
                    total = cp_model.LinearExpr.weighted_sum([self.y[u][d] for u, _ in here], [length for _, length in here])
                    self.model.add(total <= room)

    # --- solving -------------------------------------------------------------------------------------------------

    def solve(self, *, seconds: float, effort: float, seed: int, hint: dict[int, int] | None = None, workers: int = 1) -> Choice | bool | None:
        """Return the best choice found; None when the time was up before one, False when there certainly is none."""
        for u, d in (hint or {}).items():
            for day, literal in self.y[u].items():
                self.model.add_hint(literal, day == d)
        solver = solver_for(seconds=seconds, effort=effort, seed=seed, workers=workers)
        status = solver.solve(self.model)
        if status == cp_model.INFEASIBLE:
            return False
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return None
        day = {u: next(d for d, literal in mine.items() if solver.value(literal)) for u, mine in enumerate(self.y)}
        cost = round(solver.objective_value) if self.terms else 0
        bound = round(solver.best_objective_bound) if self.terms else 0
        return Choice(day, cost, bound, status == cp_model.OPTIMAL)


def _touched(starts: Iterable[int], length: int, first: int) -> int:
    found = 0
    for s in starts:
        found |= ((1 << length) - 1) << (s - first)
    return found


_ADD: dict[type[m.Constraint], Callable[[DayModel, Any], None]] = {}


def _adds(kind: type[m.Constraint]) -> Callable[[Callable[[DayModel, Any], None]], Callable[[DayModel, Any], None]]:
    def note(function: Callable[[DayModel, Any], None]) -> Callable[[DayModel, Any], None]:
        _ADD[kind] = function
        return function

    return note


def _fits(w: DayModel, tag: str | None, subject: str | None) -> Callable[[int], bool] | None:
    if tag is None and subject is None:
        return None
    activities = w.c.problem.activities
    return lambda i: (tag is None or tag in activities[i].tags) and (subject is None or subject == activities[i].subject)


@_adds(m.MaxDays)
def _max_days(w: DayModel, k: m.MaxDays) -> None:
    for g in w.c.agendas_named(k.who):
        days = [w.works(g, span) for span in w.spans(k.per)]
        w.at_most(sum(days), k.most, len(days), k.weight, w.c.agendas[g].copies)


@_adds(m.MinDays)
def _min_days(w: DayModel, k: m.MinDays) -> None:
    for g in w.c.agendas_named(k.who):
        w.at_least(sum(w.works(g, span) for span in w.spans(k.per)), k.least, k.weight, w.c.agendas[g].copies)


@_adds(m.MaxHours)
def _max_hours(w: DayModel, k: m.MaxHours) -> None:
    fits = _fits(w, k.tag, k.subject)
    for g in w.c.agendas_named(k.who):
        for span in w.spans(k.per):
            total, reach = w.hours(g, span, fits)
            w.at_most(total, k.most, reach, k.weight, w.c.agendas[g].copies, once=True)


@_adds(m.MinHours)
def _min_hours(w: DayModel, k: m.MinHours) -> None:
    fits = _fits(w, k.tag, None)
    for g in w.c.agendas_named(k.who):
        for span in w.spans(k.per):
            total, reach = w.hours(g, span, fits)
            if not k.may_be_empty:
                w.at_least(total, k.least, k.weight, w.c.agendas[g].copies)
            elif reach:
                if fits is None:
                    when = w.works(g, span)
                else:
                    when = w.either([a for i, u in w.c.agendas[g].parts if fits(i) for a in w.on(u, span)])
                w.at_least(total, k.least, k.weight, w.c.agendas[g].copies, when)


@_adds(m.MaxContinuous)
def _max_continuous(w: DayModel, k: m.MaxContinuous) -> None:
    if k.is_hard and k.most > 0:
        room = w.height - w.height // (k.most + 1)
        for g in w.c.agendas_named(k.who):
            for d in range(w.count):
                total, reach = w.hours(g, (d,), _fits(w, k.tag, None))
                w.at_most(total, room, reach, k.weight)


@_adds(m.IntervalMaxDays)
def _interval(w: DayModel, k: m.IntervalMaxDays) -> None:
    """A day with more periods than lie outside the interval uses it; so does a unit that can only be in it."""
    bits = ((1 << k.last) - 1) & ~((1 << k.first) - 1)
    for g in w.c.agendas_named(k.who):
        used = []
        for span in w.spans(k.per):
            uses = w.model.new_bool_var("")
            used.append(uses)
            for d in span:
                total, reach = w.hours(g, (d,))
                outside = (~(w.c.agendas[g].shut >> (d * w.height)) & ((1 << w.height) - 1) & ~bits).bit_count()
                if reach > outside:
                    w.model.add(total <= outside + reach * uses)
                for _, u in w.c.agendas[g].parts:
                    if d in w.y[u] and _must_touch(w, u, d, bits):
                        w.model.add_implication(w.y[u][d], uses)
        w.at_most(sum(used), k.most, len(used), k.weight, w.c.agendas[g].copies)


def _must_touch(w: DayModel, u: int, d: int, bits: int) -> bool:
    length = max(w.c.length[i] for i in w.c.members[u])
    first = d * w.height
    return all(((1 << length) - 1) << (s - first) & bits for s in w.c.domain[u] if s // w.height == d)


@_adds(m.MaxSpan)
def _max_span(w: DayModel, k: m.MaxSpan) -> None:
    if k.is_hard:
        for g in w.c.agendas_named(k.who):
            for span in w.spans(k.per):
                total, reach = w.hours(g, span)
                w.at_most(total, k.most + k.one_longer_day, reach, k.weight)


@_adds(m.MaxFullDates)
def _max_full_dates(w: DayModel, k: m.MaxFullDates) -> None:
    days = w.c.problem.days
    for g in w.c.agendas_named(k.who):
        full = []
        for span in w.spans("date"):
            halves = [w.works(g, tuple(d for d in span if days[d].half == half)) for half in (0, 1)]
            both = w.model.new_bool_var("")
            w.model.add(halves[0] + halves[1] <= 1 + both)
            full.append(both)
        w.at_most(sum(full), k.most, len(full), k.weight, w.c.agendas[g].copies)


@_adds(m.MaxConsecutiveDays)
def _max_consecutive(w: DayModel, k: m.MaxConsecutiveDays) -> None:
    days = w.c.problem.days
    for g in w.c.agendas_named(k.who):
        works = [w.works(g, (d,)) for d in range(w.count)]
        for first in range(w.count - k.most):
            row, spare = works[first : first + k.most + 1], 0
            if k.from_noon and days[first].half == 1:
                row, spare = ([works[first - 1], *row] if first else row), 1
            w.at_most(sum(row), k.most + spare, len(row), k.weight, w.c.agendas[g].copies)


@_adds(m.MaxTagsADay)
def _max_tags(w: DayModel, k: m.MaxTagsADay) -> None:
    activities = w.c.problem.activities
    for g in w.c.agendas_named(k.who):
        for span in w.spans(k.per):
            used = [
                w.either([a for i, u in w.c.agendas[g].parts if tag in activities[i].tags for a in w.on(u, span)]) for tag in k.tags
            ]
            w.at_most(sum(used), k.most, len(used), k.weight, w.c.agendas[g].copies)


@_adds(m.Balance)
def _balance(w: DayModel, k: m.Balance) -> None:
    for g in w.c.agendas_named(k.who):
        parts = [w.hours(g, [d for d, day in enumerate(w.c.problem.days) if day.half == half]) for half in (0, 1)]
        for one, other in (parts, parts[::-1]):
            w.at_most(one[0] - other[0], k.most, one[1], k.weight, w.c.agendas[g].copies)


@_adds(m.MinDaysBetween)
def _min_days_between(w: DayModel, k: m.MinDaysBetween) -> None:
    those = w.units(k.activities)
    dates = [day.date for day in w.c.problem.days]
    last = max(dates) + 1
    if k.least <= 0:
        return
    for start in range(max(1, last - k.least + 1)) if k.is_hard else range(1 - k.least, last):
        window = [d for d, date in enumerate(dates) if start <= date < start + k.least]
        literals = [a for u in those for a in w.on(u, window)]
        if k.is_hard:
            w.model.add_at_most_one(literals)
        else:
            for already in range(1, len(those)):
                w.at_most(sum(literals), already, len(those), k.weight)


@_adds(m.MaxDaysBetween)
def _max_days_between(w: DayModel, k: m.MaxDaysBetween) -> None:
    if k.is_hard:
        those = w.units(k.activities)
        dates = [day.date for day in w.c.problem.days]
        for n, u in enumerate(those):
            for v in those[:n]:
                for d in w.y[u]:
                    far = [w.y[v][e] for e in w.y[v] if abs(dates[d] - dates[e]) > k.most]
                    if far:
                        w.model.add_at_most_one([w.y[u][d], *far])


def _together(w: DayModel, k: m.OfActivities) -> None:
    """All on one day; soft: each pair that is not costs."""
    those = w.units(k.activities)
    for n, u in enumerate(those):
        for v in those[:n] if not k.is_hard else those[max(0, n - 1) : n]:
            broken = None if k.is_hard else w.model.new_bool_var("")
            for d in {*w.y[u], *w.y[v]}:
                one, other = w.y[u].get(d, 0), w.y[v].get(d, 0)
                if broken is None:
                    w.model.add(one - other == 0)
                elif not isinstance(one, int):
                    w.model.add(one - other <= broken)
            if broken is not None:
                w.pay(broken, price(k.weight))


for _kind in (m.SameDay, m.SameStart, m.Follows, m.Adjoins):
    _ADD[_kind] = _together


@_adds(m.Before)
def _before(w: DayModel, k: m.Before) -> None:
    if k.is_hard and not k.same_day_only:
        u, v = (w.c.unit[w.c.index[key]] for key in k.activities)
        w.model.add(sum(d * a for d, a in w.y[u].items()) <= sum(d * a for d, a in w.y[v].items()))


@_adds(m.NotTogether)
def _not_together(w: DayModel, k: m.NotTogether) -> None:
    if k.is_hard and not k.others:
        parts = [(w.c.unit[w.c.index[key]], w.c.length[w.c.index[key]]) for key in dict.fromkeys(k.activities)]
        for d in range(w.count):
            w._fit([(u, length, w.cover[u][d]) for u, length in parts if d in w.y[u]], d, 1)


@_adds(m.EndsDay)
def _ends_day(w: DayModel, k: m.EndsDay) -> None:
    """A person has one last lesson a day. (Constraints of one lesson each are joined in `_last_ones`.)"""
    if k.is_hard and not getattr(w, "_ends_added", False):
        w._ends_added = True  # type: ignore[attr-defined]
        keys = {key for other in w.c.rest if isinstance(other, m.EndsDay) and other.is_hard for key in other.activities}
        last = {w.c.index[key] for key in keys}
        for agenda in w.c.agendas:
            if agenda.kind == "groups":
                those = list(dict.fromkeys(u for i, u in agenda.parts if i in last))
                for d in range(w.count) if len(those) > 1 else ():
                    w.model.add_at_most_one([w.y[u][d] for u in those if d in w.y[u]])


@_adds(m.MaxADay)
def _max_a_day(w: DayModel, k: m.MaxADay) -> None:
    units = [w.c.unit[w.c.index[key]] for key in dict.fromkeys(k.activities)]
    for span in w.spans(k.per):
        w.at_most(sum(a for u in units for a in w.on(u, span)), k.most, len(units), k.weight)


def _terms(w: DayModel, days: int) -> list[range]:
    return [range(first, first + days) for first in range(0, w.count, days)]


@_adds(m.MaxTerms)
def _max_terms(w: DayModel, k: m.MaxTerms) -> None:
    those = w.units(k.activities)
    used = [w.either([a for u in those for a in w.on(u, term)]) for term in _terms(w, k.days_a_term)]
    w.at_most(sum(used), k.most, len(used), k.weight)


@_adds(m.MaxInATerm)
def _max_in_a_term(w: DayModel, k: m.MaxInATerm) -> None:
    units = [w.c.unit[w.c.index[key]] for key in dict.fromkeys(k.activities)]
    for term in _terms(w, k.days_a_term):
        w.at_most(sum(a for u in units for a in w.on(u, term)), k.most, len(units), k.weight)


@_adds(m.MinInATerm)
def _min_in_a_term(w: DayModel, k: m.MinInATerm) -> None:
    units = [w.c.unit[w.c.index[key]] for key in dict.fromkeys(k.activities)]
    for term in _terms(w, k.days_a_term):
        literals = [a for u in units for a in w.on(u, term)]
        w.at_least(sum(literals), k.least, k.weight, 1, w.either(literals) if k.may_be_empty else 1)


def _slots_a_day(slots: frozenset[m.Slot], day: int) -> int:
    return sum(d == day for d, _ in slots)


@_adds(m.MaxTogether)
def _max_together(w: DayModel, k: m.MaxTogether) -> None:
    """Over a day whose periods are all selected, so many fit."""
    if k.is_hard:
        parts = [(w.c.unit[w.c.index[key]], w.c.length[w.c.index[key]]) for key in dict.fromkeys(k.activities)]
        for d in range(w.count):
            if _slots_a_day(k.slots, d) == w.height:
                here = [(w.y[u][d], length) for u, length in parts if d in w.y[u]]
                reach = sum(length for _, length in here)
                w.at_most(sum(length * a for a, length in here), k.most * w.height, reach, k.weight)


