"""What one person's week may look like, in a form that can be tested in a fraction of a microsecond.

The week of a person is cut into calendar dates. Each date's lessons are a bit mask; a mask has a *profile*: one small
number a rule (free periods between lessons, missing periods, whether she comes at all ...). A rule bounds the sum of
its numbers over the dates. All numbers of a profile are fields of one int, so that adding profiles and comparing them
with all bounds are single operations.

While lessons are still missing, what they may yet fill does not count: bounds of rules that a further lesson can mend
are raised by the periods (or the activities) not placed yet. When all are placed, the rules are exact.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.compiling import Compiled, price

BITS = 20
TOP = 1 << (BITS - 1)
ROW = (1 << BITS) - 1
Count = Callable[[int], int]

USED, UNUSED, HOLES, LENGTHS, LEAST, EARLY, NOON, FULL, JOINED = range(9)
RUNS, RESTS, LONGER = range(9, 12)
"""Rules on several dates together, which only compiled code knows."""
SPANS = {"day": 0, "date": 1, "morning": 2, "afternoon": 3}
Code = tuple[int, int, int, int, int]
"""A rule in numbers, for compiled code: what it counts, and up to four parameters in the order of its function here."""


@dataclass
class Field:
    """One rule: the number a date's mask has, the bound of the sum, and what raises it: "hours", "count" or nothing."""

    counts: list[Count]  # one a date
    bound: int
    raised_by: str = ""
    price: int = 0  # 0: hard
    code: Code | None = None


@dataclass
class Week:
    """The rules of one person, or of her lessons of one tag, with her state.

    parts      (unit, length) of the activities that count
    """

    agenda: int
    parts: list[tuple[int, int]]
    first: list[int]  # first slot of each date
    fields: list[Field] = field(default_factory=list)
    masks: list[int] = field(default_factory=list)
    total: int = 0
    limit: int = 0
    guard: int = 0
    hour: int = 0  # what placing one period takes from the limit
    each: int = 0  # what placing one activity takes from the limit
    cache: list[dict[int, int]] = field(default_factory=list)

    def ready(self) -> None:
        """Set the state to nothing placed."""
        hours = sum(length for _, length in self.parts)
        self.guard = self.hour = self.each = self.limit = 0
        for n, rule in enumerate(self.fields):
            bound = rule.bound
            if rule.raised_by == "hours":
                self.hour |= 1 << (BITS * n)
                bound += hours
            elif rule.raised_by == "count":
                self.each |= 1 << (BITS * n)
                bound += len(self.parts)
            self.guard |= TOP << (BITS * n)
            self.limit |= (TOP + min(bound, TOP - 1)) << (BITS * n)
        self.masks = [0] * len(self.first)
        self.cache = [{} for _ in self.first]
        self.total = sum(self.profile(b, 0) for b in range(len(self.first)))

    def profile(self, date: int, mask: int) -> int:
        """Return a date's numbers for these lessons, one field a rule."""
        known = self.cache[date]
        found = known.get(mask)
        if found is None:
            found = 0
            for n, rule in enumerate(self.fields):
                found |= min(rule.counts[date](mask), 1000) << (BITS * n)
            known[mask] = found
        return found

    def excess(self, total: int, limit: int) -> int:
        """Return by how much the sum exceeds the bounds, all rules together."""
        rest = limit - total
        if rest & self.guard == self.guard:
            return 0
        found = 0
        for n in range(len(self.fields)):
            value, bound = total >> (BITS * n) & ROW, (limit >> (BITS * n) & ROW) - TOP
            found += max(0, value - bound)
        return max(found, 1)


def weeks(c: Compiled) -> tuple[list[Week], list[m.Constraint]]:
    """Return the weeks with hard rules, and the hard constraints on people that rules cannot say."""
    maker = _Maker(c)
    for constraint in c.rest:
        if isinstance(constraint, m.OfPeople) and constraint.is_hard:
            maker.add(constraint)
    for week in maker.weeks.values():
        maker.join(week)
        week.ready()
    return list(maker.weeks.values()), maker.left


def soft_weeks(c: Compiled) -> list[Week]:
    """Return the weeks with the soft rules a week can say, each field with its price; they hold when all is placed."""
    maker = _Maker(c)
    known: set[int] = set()
    for constraint in c.rest:
        if isinstance(constraint, m.OfPeople) and not constraint.is_hard and constraint.weight > 0:
            maker.add(constraint)
            for week in maker.weeks.values():
                for rule in week.fields:
                    if id(rule) not in known:
                        known.add(id(rule))
                        rule.price = price(constraint.weight) * c.agendas[week.agenda].copies
    for week in maker.weeks.values():
        week.ready()
    return [week for week in maker.weeks.values() if week.fields]


def whole_weeks(c: Compiled, left: Iterable[m.Constraint]) -> list[Week]:
    """Return weeks with those hard rules that ask for several dates together, as numbers for compiled code."""
    maker = _Maker(c)
    for k in left:
        if isinstance(k, m.MaxConsecutiveDays):
            code = (RUNS, k.most, int(k.from_noon), 0, 0)
        elif isinstance(k, m.MinRest):
            code = (RESTS, k.least, int(k.circular), 0, 0)
        elif isinstance(k, m.MaxSpan) and k.one_longer_day and k.per in ("day", "date"):
            code = (LONGER, k.most, SPANS[k.per], 0, 0)
        else:
            continue
        for g in c.agendas_named(k.who):
            if c.agendas[g].is_weekly:
                maker.week(g).fields.append(Field([], 0, code=code))
    return list(maker.weeks.values())


class _Maker:
    def __init__(self, c: Compiled) -> None:
        self.c = c
        self.weeks: dict[tuple[int, str | None, str | None], Week] = {}
        self.left: list[m.Constraint] = []
        self.dates: list[list[int]] = []
        for d, day in enumerate(c.problem.days):
            if d and day.date == c.problem.days[d - 1].date:
                self.dates[-1].append(d)
            else:
                self.dates.append([d])
        self._cached: dict[tuple[object, ...], Count] = {}
        self.holes: dict[int, int] = {}  # agenda -> gaps a week
        self.lead: dict[int, int] = {}
        self.least: dict[int, tuple[int, bool]] = {}

    def week(self, g: int, tag: str | None = None, subject: str | None = None) -> Week:
        """Return the week of an agenda (its lessons with that tag or subject), made when it is missing."""
        if (g, tag, subject) not in self.weeks:
            activities = self.c.problem.activities
            parts = [
                (u, self.c.length[i])
                for i, u in self.c.agendas[g].parts
                if (tag is None or tag in activities[i].tags) and (subject is None or subject == activities[i].subject)
            ]
            self.weeks[g, tag, subject] = Week(g, parts, [days[0] * self.c.height for days in self.dates])
        return self.weeks[g, tag, subject]

    def days_of(self, date: int) -> list[tuple[int, int]]:
        """Return (shift of its mask within the date's, half) of each day of a date."""
        first = self.dates[date][0]
        return [((d - first) * self.c.height, self.c.problem.days[d].half) for d in self.dates[date]]

    def add(self, k: m.OfPeople) -> None:
        """Add the rule to everybody it concerns; what no rule can say goes to `left`."""
        adder = {
            m.MaxDays: self._max_days, m.MinDays: self._min_days, m.IntervalMaxDays: self._interval, m.MaxGaps: self._gaps,
            m.MaxHours: self._max_hours, m.MinHours: self._min_hours, m.MaxContinuous: self._continuous, m.EarlyStart: self._early,
            m.MaxSpan: self._span, m.MinRestAtNoon: self._noon, m.MaxFullDates: self._full,
        }.get(type(k))  # fmt: skip
        for g in self.c.agendas_named(k.who):
            if adder is None or not self.c.agendas[g].is_weekly or not adder(k, g):
                self.left.append(k)
                return

    def _each_date(self, g: int, label: tuple[object, ...], make: Callable[[int, int], Count]) -> list[Count]:
        """Return a counting function a date; those of the same label and shut slots are shared."""
        found = []
        width = self.c.height
        for date, days in enumerate(self.dates):
            size = width * len(days)
            shut = self.c.agendas[g].shut >> (days[0] * width) & ((1 << size) - 1)
            halves = tuple(self.c.problem.days[d].half for d in days)
            key = (*label, shut, size, halves)
            if key not in self._cached:
                self._cached[key] = make(date, shut)
            found.append(self._cached[key])
        return found

    def _code(self, what: int, per: m.Span, one: int = 0, two: int = 0) -> Code | None:
        return (what, SPANS[per], one, two, 0) if per in SPANS else None

    def _used(self, g: int, per: m.Span, bits: int) -> list[Count]:
        """Count the days of a date (dates, mornings, afternoons) with a lesson in the periods of `bits`."""

        def make(date: int, _shut: int) -> Count:
            days = self.days_of(date)
            if per == "date":
                wanted = 0
                for shift, _ in days:
                    wanted |= bits << shift
                return lambda mask: int(bool(mask & wanted))
            shifts = [shift for shift, half in days if per == "day" or half == (per == "afternoon")]
            return lambda mask: sum(bool(mask >> shift & bits) for shift in shifts)

        return self._each_date(g, ("used", per, bits), make)

    def _max_days(self, k: m.MaxDays, g: int) -> bool:
        self.week(g).fields.append(Field(self._used(g, k.per, (1 << self.c.height) - 1), k.most, code=self._code(USED, k.per, (1 << self.c.height) - 1)))
        return True

    def _interval(self, k: m.IntervalMaxDays, g: int) -> bool:
        bits = ((1 << k.last) - 1) & ~((1 << k.first) - 1)
        self.week(g).fields.append(Field(self._used(g, k.per, bits), k.most, code=self._code(USED, k.per, bits)))
        return True

    def _min_days(self, k: m.MinDays, g: int) -> bool:
        used = self._used(g, k.per, (1 << self.c.height) - 1)
        most = [len(self.dates[date]) if k.per == "day" else 1 for date in range(len(self.dates))]
        unused = [_minus(n, count) for n, count in zip(most, used, strict=True)]
        code = self._code(UNUSED, k.per, (1 << self.c.height) - 1)
        self.week(g).fields.append(Field(unused, sum(most) - k.least, "count", code=code))
        return True

    def _holes(self, g: int, half: int | None, spare: int, per: m.Span) -> list[Count]:
        """Count a date's gaps above `spare` a day (date)."""
        height = self.c.height

        def make(date: int, shut: int) -> Count:
            days = [(shift, shut >> shift & ((1 << height) - 1)) for shift, its in self.days_of(date) if half is None or its == half]
            if per == "date":
                return lambda mask: max(0, sum(_gaps(mask >> shift & ((1 << height) - 1), closed) for shift, closed in days) - spare)
            return lambda mask: sum(max(0, _gaps(mask >> shift & ((1 << height) - 1), closed) - spare) for shift, closed in days)

        return self._each_date(g, ("holes", half, spare, per), make)

    def _gaps(self, k: m.MaxGaps, g: int) -> bool:
        half = -1 if k.half is None else k.half
        if k.per == "week":
            self.week(g).fields.append(Field(self._holes(g, k.half, 0, "day"), k.most, "hours", code=self._code(HOLES, "day", half, 0)))
            if k.half is None:
                self.holes[g] = min(self.holes.get(g, k.most), k.most)
        else:
            code = self._code(HOLES, k.per, half, k.most)
            self.week(g).fields.append(Field(self._holes(g, k.half, k.most, k.per), 0, "hours", code=code))
            if k.most == 0 and k.half is None:
                self.holes[g] = 0
        return True

    def _lengths(self, g: int, bits_of: Callable[[int], int], per: m.Span, bound: int) -> list[Count]:
        """Count the days (dates) on which the periods `bits_of` finds exceed the bound."""
        height = self.c.height

        def make(date: int, _shut: int) -> Count:
            days = self.days_of(date)
            ones = (1 << height) - 1
            if per == "date":
                return lambda mask: max(0, sum(bits_of(mask >> shift & ones) for shift, _ in days) - bound)
            half = {"morning": 0, "afternoon": 1}.get(per)
            shifts = [shift for shift, its in days if half is None or its == half]
            return lambda mask: sum(max(0, bits_of(mask >> shift & ones) - bound) for shift in shifts)

        return self._each_date(g, ("lengths", bits_of.__name__, per, bound), make)

    def _max_hours(self, k: m.MaxHours, g: int) -> bool:
        week = self.week(g, k.tag, k.subject)
        if k.per == "week":
            week.fields.append(Field(self._lengths(g, int.bit_count, "date", 0), k.most, code=self._code(LENGTHS, "date", 0, 0)))
        else:
            week.fields.append(Field(self._lengths(g, int.bit_count, k.per, k.most), 0, code=self._code(LENGTHS, k.per, 0, k.most)))
        return True

    def _continuous(self, k: m.MaxContinuous, g: int) -> bool:
        self.week(g, k.tag).fields.append(Field(self._lengths(g, _longest, "day", k.most), 0, code=self._code(LENGTHS, "day", 1, k.most)))
        return True

    def _span(self, k: m.MaxSpan, g: int) -> bool:
        if k.one_longer_day:
            return False
        self.week(g).fields.append(Field(self._lengths(g, _reach, k.per, k.most), 0, code=self._code(LENGTHS, k.per, 2, k.most)))
        return True

    def _min_hours(self, k: m.MinHours, g: int) -> bool:
        height = self.c.height
        least, empty, per = k.least, k.may_be_empty, k.per

        def make(date: int, _shut: int) -> Count:
            ones = (1 << height) - 1
            if per == "date":
                return lambda mask: max(0, least - mask.bit_count()) if mask or not empty else 0
            if per == "week":
                return lambda mask: 0
            half = {"morning": 0, "afternoon": 1}.get(per)
            shifts = [shift for shift, its in self.days_of(date) if half is None or its == half]
            return lambda mask: sum(
                max(0, least - its.bit_count()) if (its := mask >> shift & ones) or not empty else 0 for shift in shifts
            )

        code = self._code(LEAST, per, least, int(empty))
        self.week(g, k.tag).fields.append(Field(self._each_date(g, ("least", least, empty, per), make), 0, "hours", code=code))
        if per == "day" and k.tag is None:
            before = self.least.get(g, (0, True))
            self.least[g] = (max(before[0], least), before[1] and empty)
        return per != "week"

    def _early(self, k: m.EarlyStart, g: int) -> bool:
        height, spare = self.c.height, k.most

        def make(date: int, shut: int) -> Count:
            ones = (1 << height) - 1
            days = [(shift, shut >> shift & ones) for shift, its in self.days_of(date) if k.half is None or its == k.half]

            def count(mask: int) -> int:
                found = 0
                for shift, closed in days:
                    lead = _lead(mask >> shift & ones, closed)
                    found += lead if lead < 2 else lead + spare
                return found

            return count

        code = (EARLY, -1 if k.half is None else k.half, spare, 0, 0)
        self.week(g).fields.append(Field(self._each_date(g, ("early", k.half, spare), make), spare, "hours", code=code))
        if k.half is None:
            self.lead[g] = min(self.lead.get(g, spare), spare)
        return True

    def _noon(self, k: m.MinRestAtNoon, g: int) -> bool:
        height, least = self.c.height, k.least

        def make(date: int, _shut: int) -> Count:
            shifts = [shift for shift, _ in self.days_of(date)]
            ones = (1 << height) - 1

            def count(mask: int) -> int:
                found = 0
                for one, other in itertools.pairwise(shifts):
                    before, after = mask >> one & ones, mask >> other & ones
                    if before and after:
                        rest = height - before.bit_length() + (after & -after).bit_length() - 1
                        found += max(0, least - rest)
                return found

            return count

        self.week(g).fields.append(Field(self._each_date(g, ("noon", least), make), 0, code=(NOON, least, 0, 0, 0)))
        return True

    def _full(self, k: m.MaxFullDates, g: int) -> bool:
        height = self.c.height

        def make(date: int, _shut: int) -> Count:
            parts = [0, 0]
            for shift, half in self.days_of(date):
                parts[half] |= ((1 << height) - 1) << shift
            return lambda mask: int(bool(mask & parts[0]) and bool(mask & parts[1]))

        self.week(g).fields.append(Field(self._each_date(g, ("full",), make), k.most, code=(FULL, 0, 0, 0, 0)))
        return True

    def join(self, week: Week) -> None:
        """Add what several rules mean together: a day's gaps, late start and missing periods all need lessons."""
        g = week.agenda
        wants = [g in self.holes, g in self.lead, g in self.least]
        if self.weeks.get((g, None, None)) is not week or sum(wants) < 2:
            return
        height = self.c.height
        least, empty = self.least.get(g, (0, True))

        def make(date: int, shut: int) -> Count:
            ones = (1 << height) - 1
            days = [(shift, shut >> shift & ones) for shift, _ in self.days_of(date)]

            def count(mask: int) -> int:
                found = 0
                for shift, closed in days:
                    its = mask >> shift & ones
                    if its or not empty:
                        fill = _gaps(its, closed) if wants[0] else 0
                        fill += _lead(its, closed) if wants[1] else 0
                        found += max(fill, least - its.bit_count())
                return found

            return count

        spare = self.holes.get(g, 0) + self.lead.get(g, 0)
        label = ("joined", tuple(wants), least, empty)
        code = (JOINED, int(wants[0]), int(wants[1]), least, int(empty))
        week.fields.append(Field(self._each_date(g, label, make), spare, "hours", code=code))


def _minus(most: int, count: Count) -> Count:
    return lambda mask: most - count(mask)


def _gaps(mask: int, shut: int) -> int:
    """Return the open slots between the first and the last lesson."""
    if not mask & (mask - 1):
        return 0
    inside = (1 << mask.bit_length()) - (mask & -mask)
    return (inside & ~mask & ~shut).bit_count()


def _lead(mask: int, shut: int) -> int:
    """Return the open slots before the first lesson; 0 without one."""
    return ((mask & -mask) - 1 & ~shut).bit_count() if mask else 0


def _longest(mask: int) -> int:
    """Return the length of the longest row of lessons."""
    length = 0
    while mask:
        mask &= mask << 1
        length += 1
    return length


def _reach(mask: int) -> int:
    """Return the periods from the first to the last lesson."""
    return mask.bit_length() - (mask & -mask).bit_length() + 1 if mask else 0


def ones(mask: int) -> Iterable[int]:
    """Yield the numbers of the bits that are set."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
