"""What a timetable breaks, counted afresh from the model's definitions.

Shares nothing with the engine but the model: no table, no helper. It walks the timetable constraint by constraint in
the plainest way, so that a person can compare it with the words of the model.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import combinations, pairwise

from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.model import Activity, Constraint, Placement, Problem, Slot, Solution


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken constraint at one place.

    kind    the constraint's class, or "Clash", "RoomClash", "RoomMissing", "Outside", "Adjoining", "Unplaced"
    units   by how much
    weight  0 to 100
    people  whom it concerns; activities: which; slots: where
    """

    kind: str
    units: int
    weight: float
    people: tuple[str, ...] = ()
    activities: tuple[str, ...] = ()
    slots: tuple[Slot, ...] = ()
    source: str = ""

    @property
    def is_hard(self) -> bool:
        """Return whether it makes the timetable infeasible."""
        return self.weight >= m.HARD


@dataclass(frozen=True, slots=True)
class Report:
    """What a check came to: activities placed of all, violations, hard units, soft cost, units by kind."""

    placed: int
    activities: int
    violations: tuple[Violation, ...]
    hard: int
    cost: float
    kinds: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_feasible(self) -> bool:
        """Return whether everything is placed and nothing hard is broken."""
        return self.hard == 0 and self.placed == self.activities


def check(problem: Problem, solution: Solution) -> Report:
    """Return everything `solution` breaks. Activities not in it count as not placed; unknown keys raise ProblemError."""
    known = {activity.key for activity in problem.activities}
    for key in solution:
        if key not in known:
            raise m.ProblemError(f"activity {key!r} of the timetable is not in the problem {problem.name!r}")
    found = list(_Timetable(problem, solution).violations())
    cost = sum((Fraction(str(v.weight)) / 100 * v.units for v in found if not v.is_hard), Fraction(0))
    kinds: Counter[str] = Counter()
    for violation in found:
        kinds[violation.kind] += violation.units
    return Report(
        placed=len(solution), activities=len(known), violations=tuple(found),
        hard=sum(v.units for v in found if v.is_hard and v.kind != "Unplaced"), cost=float(cost), kinds=dict(kinds),
    )  # fmt: skip


class _Timetable:
    """A problem with a solution laid out by person and slot."""

    def __init__(self, problem: Problem, solution: Solution) -> None:
        self.problem, self.solution = problem, solution
        self.height = len(problem.periods)
        self.by_key = {activity.key: activity for activity in problem.activities}
        self.rooms = {room.name: room for room in problem.rooms}
        self.atoms_of = {a.key: {x for g in a.groups for x in self._group(g, a)} for a in problem.activities}

    def _group(self, name: str, activity: Activity) -> tuple[str, ...]:
        try:
            return self.problem.groups[name]
        except KeyError:
            raise m.ProblemError(f"activity {activity.key!r}: group {name!r} is not in the problem") from None

    # --- the layout ----------------------------------------------------------------------------------------------

    def cells(self, activity: Activity) -> list[Slot]:
        """Return the slots of a placed activity."""
        at = self.solution[activity.key]
        return [(at.day, at.period + k) for k in range(activity.duration)]

    def date(self, at: Placement) -> int:
        """Return the calendar day of a placement."""
        return self.problem.days[at.day].date

    @cached_property
    def placed(self) -> list[Activity]:
        """Return the placed activities, in the problem's order."""
        return [a for a in self.problem.activities if a.key in self.solution]

    @cached_property
    def teacher_grid(self) -> dict[str, dict[Slot, list[Activity]]]:
        """Return what each teacher does in each slot."""
        grid: dict[str, dict[Slot, list[Activity]]] = {name: defaultdict(list) for name in self.problem.teachers}
        for activity in self.placed:
            for name in dict.fromkeys(activity.teachers):
                for cell in self.cells(activity):
                    grid.setdefault(name, defaultdict(list))[cell].append(activity)
        return grid

    @cached_property
    def atom_grid(self) -> dict[str, dict[Slot, list[Activity]]]:
        """Return what each atom of learners does in each slot."""
        grid: dict[str, dict[Slot, list[Activity]]] = {
            atom: defaultdict(list) for atoms in self.problem.groups.values() for atom in atoms
        }
        for activity in self.placed:
            for atom in self.atoms_of[activity.key]:
                for cell in self.cells(activity):
                    grid[atom][cell].append(activity)
        return grid

    @cached_property
    def busy_people(self) -> set[tuple[str, str]]:
        """Return (kind, name) of everybody with an activity in the problem, placed or not."""
        found = {("teachers", name) for a in self.problem.activities for name in a.teachers}
        return found | {("groups", atom) for a in self.problem.activities for atom in self.atoms_of[a.key]}

    def people(self, who: m.Who) -> Iterator[tuple[str, dict[Slot, list[Activity]]]]:
        """Yield each person or atom meant, who has any activity, with her grid."""
        if who.kind == "teachers":
            names: Iterable[str] = who.names or self.problem.teachers
            grid = self.teacher_grid
        else:
            sets = who.names or tuple(self.problem.groups)
            for name in sets:
                if name not in self.problem.groups:
                    raise m.ProblemError(f"a constraint names group {name!r}, which is not in the problem")
            names = dict.fromkeys(atom for name in sets for atom in self.problem.groups[name])
            grid = self.atom_grid
        for name in names:
            if (who.kind, name) in self.busy_people:
                yield name, grid[name]

    @cached_property
    def shut(self) -> dict[tuple[str, str], set[Slot]]:
        """Return the slots in which a person certainly cannot have a lesson: they are no gaps."""
        shut: dict[tuple[str, str], set[Slot]] = defaultdict(lambda: set(self.problem.closed))
        for constraint in self.problem.constraints:
            if isinstance(constraint, m.Unavailable) and constraint.is_hard:
                for name, _ in self.people(constraint.who):
                    shut[(constraint.who.kind, name)] |= constraint.slots
        return shut

    def spans(self, per: m.Span) -> list[list[int]]:
        """Return the days that are counted together."""
        days = self.problem.days
        if per == "day":
            return [[d] for d in range(len(days))]
        if per == "week":
            return [list(range(len(days)))]
        if per == "date":
            dates: dict[int, list[int]] = defaultdict(list)
            for d, day in enumerate(days):
                dates[day.date].append(d)
            return list(dates.values())
        return [[d] for d, day in enumerate(days) if day.half == (0 if per == "morning" else 1)]

    def hours(self, grid: Mapping[Slot, Sequence[Activity]], day: int, fits: Callable[[Activity], bool]) -> list[int]:
        """Return the periods of a day with an activity that fits."""
        return [h for h in range(self.height) if any(fits(a) for a in grid.get((day, h), ()))]

    def gaps(self, person: tuple[str, str], grid: Mapping[Slot, Sequence[Activity]], day: int) -> int:
        """Return the free periods between the first and the last of a day that are not shut."""
        used = [h for h in range(self.height) if grid.get((day, h))]
        if not used:
            return 0
        shut = self.shut[person]
        return sum((day, h) not in shut for h in range(used[0], used[-1]) if h not in used)

    # --- walking -------------------------------------------------------------------------------------------------

    def violations(self) -> Iterator[Violation]:
        """Yield every violation."""
        yield from self.basic()
        yield from self.room_basics()
        for constraint in self.problem.constraints:
            rule = _RULES.get(type(constraint))
            if rule is None:
                raise m.ProblemError(f"constraint {type(constraint).__name__} is unknown to the check")
            if isinstance(constraint, m.MinDaysBetween) and constraint.adjoining:
                yield from _adjoining(self, constraint)
            for units, people, activities, slots in rule(self, constraint):
                if units > 0:
                    yield Violation(
                        type(constraint).__name__, units, constraint.weight, tuple(people), tuple(activities),
                        tuple(slots), constraint.source,
                    )  # fmt: skip

    def basic(self) -> Iterator[Violation]:
        """Nothing is missing, nothing out of the grid or in a break, nobody in two places."""
        for activity in self.problem.activities:
            if activity.key not in self.solution:
                yield Violation("Unplaced", 1, m.HARD, activities=(activity.key,))
                continue
            for day, period in self.cells(activity):
                inside = 0 <= day < len(self.problem.days) and 0 <= period < self.height
                if not inside or (day, period) in self.problem.closed:
                    yield Violation("Outside", 1, m.HARD, activities=(activity.key,), slots=((day, period),))
        seen: dict[tuple[str, str, Slot], list[str]] = {}
        for grids in (self.teacher_grid, self.atom_grid):
            for name, grid in grids.items():
                for slot, there in grid.items():
                    for one, other in combinations(there, 2):
                        if one.weeks & other.weeks:
                            seen.setdefault((one.key, other.key, slot), []).append(name)
        for (one_key, other_key, slot), names in seen.items():
            yield Violation("Clash", 1, m.HARD, tuple(names), (one_key, other_key), (slot,))

    def room_basics(self) -> Iterator[Violation]:
        """No room holds more than it can; rooms are known."""
        used: dict[tuple[str, Slot], list[Activity]] = defaultdict(list)
        for activity in self.placed:
            at = self.solution[activity.key]
            if not at.room:
                continue
            if at.room not in self.rooms:
                raise m.ProblemError(f"activity {activity.key!r}: room {at.room!r} is not in the problem")
            for name in self._real(at):
                for cell in self.cells(activity):
                    used[(name, cell)].append(activity)
            if self.rooms[at.room].parts:
                yield from self._virtual(activity, at)
        for (name, slot), there in used.items():
            holds = self.rooms[name].holds if name in self.rooms else 1
            load = max(sum(bool(a.weeks & week) for a in there) for week in (m.ODD_WEEKS, m.EVEN_WEEKS))
            if load > holds:
                yield Violation("RoomClash", load - holds, m.HARD, (name,), tuple(a.key for a in there), (slot,))

    def _real(self, at: Placement) -> tuple[str, ...]:
        return at.real_rooms if self.rooms[at.room].parts else (at.room,)

    def _virtual(self, activity: Activity, at: Placement) -> Iterator[Violation]:
        parts = self.rooms[at.room].parts
        fits = len(set(at.real_rooms)) == len(parts) and _matching(parts, at.real_rooms)
        if not fits:
            yield Violation("RoomMissing", 1, m.HARD, (at.room,), (activity.key,))

    def some(self, keys: Iterable[str]) -> list[Activity]:
        """Return the placed ones of these activities; an unknown key raises ProblemError."""
        found = []
        for key in dict.fromkeys(keys):
            if key not in self.by_key:
                raise m.ProblemError(f"a constraint names activity {key!r}, which is not in the problem")
            if key in self.solution:
                found.append(self.by_key[key])
        return found


def _matching(parts: Sequence[Sequence[str]], rooms: Sequence[str]) -> bool:
    """Return whether each part can have a room of its own among `rooms`."""
    owner: dict[str, int] = {}

    def place(part: int, tried: set[str]) -> bool:
        for room in parts[part]:
            if room in rooms and room not in tried:
                tried.add(room)
                if room not in owner or place(owner[room], tried):
                    owner[room] = part
                    return True
        return False

    return all(place(part, set()) for part in range(len(parts)))


Broken = Iterator[tuple[int, Sequence[str], Sequence[str], Sequence[Slot]]]
_RULES: dict[type[Constraint], Callable[[_Timetable, Constraint], Broken]] = {}


def _rule(kind: type[Constraint]) -> Callable[[Callable[..., Broken]], Callable[..., Broken]]:
    def note(function: Callable[..., Broken]) -> Callable[..., Broken]:
        _RULES[kind] = function
        return function

    return note


def _any(_activity: Activity) -> bool:
    return True


# --- people -----------------------------------------------------------------------------------------------------


@_rule(m.Unavailable)
def _unavailable(t: _Timetable, c: m.Unavailable) -> Broken:
    for name, grid in t.people(c.who):
        for slot in sorted(c.slots):
            if grid.get(slot):
                yield 1, (name,), [a.key for a in grid[slot]], (slot,)


def _days_used(t: _Timetable, grid: Mapping[Slot, Sequence[Activity]], per: m.Span, first: int, last: int) -> int:
    return sum(any(grid.get((d, h)) for d in span for h in range(first, last)) for span in t.spans(per))


@_rule(m.MaxDays)
def _max_days(t: _Timetable, c: m.MaxDays) -> Broken:
    for name, grid in t.people(c.who):
        yield _days_used(t, grid, c.per, 0, t.height) - c.most, (name,), (), ()


@_rule(m.MinDays)
def _min_days(t: _Timetable, c: m.MinDays) -> Broken:
    for name, grid in t.people(c.who):
        yield c.least - _days_used(t, grid, c.per, 0, t.height), (name,), (), ()


@_rule(m.IntervalMaxDays)
def _interval_max_days(t: _Timetable, c: m.IntervalMaxDays) -> Broken:
    for name, grid in t.people(c.who):
        yield _days_used(t, grid, c.per, c.first, c.last) - c.most, (name,), (), ()


@_rule(m.MaxGaps)
def _max_gaps(t: _Timetable, c: m.MaxGaps) -> Broken:
    for name, grid in t.people(c.who):
        for span in t.spans(c.per):
            days = [d for d in span if c.half is None or t.problem.days[d].half == c.half]
            yield sum(t.gaps((c.who.kind, name), grid, d) for d in days) - c.most, (name,), (), [(d, 0) for d in days]


def _fits(tag: str | None, subject: str | None) -> Callable[[Activity], bool]:
    return lambda a: (tag is None or tag in a.tags) and (subject is None or a.subject == subject)


@_rule(m.MaxHours)
def _max_hours(t: _Timetable, c: m.MaxHours) -> Broken:
    for name, grid in t.people(c.who):
        for span in t.spans(c.per):
            used = sum(len(t.hours(grid, d, _fits(c.tag, c.subject))) for d in span)
            yield int(used > c.most), (name,), (), [(d, 0) for d in span]


@_rule(m.MinHours)
def _min_hours(t: _Timetable, c: m.MinHours) -> Broken:
    for name, grid in t.people(c.who):
        for span in t.spans(c.per):
            used = sum(len(t.hours(grid, d, _fits(c.tag, None))) for d in span)
            if used or not c.may_be_empty:
                yield c.least - used, (name,), (), [(d, 0) for d in span]


@_rule(m.MaxContinuous)
def _max_continuous(t: _Timetable, c: m.MaxContinuous) -> Broken:
    for name, grid in t.people(c.who):
        for day in range(len(t.problem.days)):
            for start, length in _rows(t.hours(grid, day, _fits(c.tag, None))):
                yield int(length > c.most), (name,), (), [(day, start + k) for k in range(length)]


def _rows(hours: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield (first, length) of each unbroken row of periods."""
    start = 0
    for i in range(1, len(hours) + 1):
        if i == len(hours) or hours[i] != hours[i - 1] + 1:
            yield hours[start], i - start
            start = i


@_rule(m.EarlyStart)
def _early_start(t: _Timetable, c: m.EarlyStart) -> Broken:
    for name, grid in t.people(c.who):
        shut = t.shut[(c.who.kind, name)]
        late = second = 0
        for day, its in enumerate(t.problem.days):
            used = t.hours(grid, day, _any)
            if not used or (c.half is not None and its.half != c.half):
                continue
            before = sum((day, h) not in shut for h in range(used[0]))
            second += before == 1
            late += max(0, before - 1)
        yield late + max(0, second - c.most), (name,), (), ()


@_rule(m.MaxSpan)
def _max_span(t: _Timetable, c: m.MaxSpan) -> Broken:
    for name, grid in t.people(c.who):
        above = []
        for span in t.spans(c.per):
            length = sum(used[-1] - used[0] + 1 for used in (t.hours(grid, d, _any) for d in span) if used)
            above.append(max(0, length - c.most))
        yield sum(above) - int(c.one_longer_day and any(above)), (name,), (), ()


@_rule(m.MinRest)
def _min_rest(t: _Timetable, c: m.MinRest) -> Broken:
    dates = t.spans("date")
    for name, grid in t.people(c.who):
        pairs = list(pairwise(dates)) + ([(dates[-1], dates[0])] if c.circular else [])
        for today, tomorrow in pairs:
            ends, starts = t.hours(grid, today[-1], _any), t.hours(grid, tomorrow[0], _any)
            if ends and starts:
                yield c.least - (t.height - 1 - ends[-1] + starts[0]), (name,), (), ((today[-1], ends[-1]),)


@_rule(m.MinRestAtNoon)
def _min_rest_at_noon(t: _Timetable, c: m.MinRestAtNoon) -> Broken:
    for name, grid in t.people(c.who):
        for span in t.spans("date"):
            for morning, afternoon in pairwise(span):
                ends, starts = t.hours(grid, morning, _any), t.hours(grid, afternoon, _any)
                if ends and starts:
                    yield c.least - (t.height - 1 - ends[-1] + starts[0]), (name,), (), ((morning, ends[-1]),)


@_rule(m.MaxConsecutiveDays)
def _max_consecutive_days(t: _Timetable, c: m.MaxConsecutiveDays) -> Broken:
    for name, grid in t.people(c.who):
        used = [d for d in range(len(t.problem.days)) if t.hours(grid, d, _any)]
        for start, length in _rows(used):
            most = c.most + (c.from_noon and t.problem.days[start].half == 1)
            yield length - most, (name,), (), ((start, 0),)


@_rule(m.MaxFullDates)
def _max_full_dates(t: _Timetable, c: m.MaxFullDates) -> Broken:
    for name, grid in t.people(c.who):
        full = 0
        for span in t.spans("date"):
            full += len({t.problem.days[d].half for d in span if t.hours(grid, d, _any)}) > 1
        yield full - c.most, (name,), (), ()


@_rule(m.MaxTagsADay)
def _max_tags_a_day(t: _Timetable, c: m.MaxTagsADay) -> Broken:
    for name, grid in t.people(c.who):
        for span in t.spans(c.per):
            used = sum(any(t.hours(grid, d, _fits(tag, None)) for d in span) for tag in c.tags)
            yield used - c.most, (name,), (), [(d, 0) for d in span]


def _walk(t: _Timetable, grid: Mapping[Slot, Sequence[Activity]], day: int, place: str) -> list[tuple[int, str]]:
    """Return (period, building or room) of each period of a day spent in a known one."""
    found = []
    for period in range(t.height):
        for activity in grid.get((day, period), ()):
            room = t.rooms.get(t.solution[activity.key].room)
            where = "" if room is None else room.building if place == "building" else room.name
            if where:
                found.append((period, where))
                break
    return found


def _moves(walk: Sequence[tuple[int, str]]) -> list[tuple[int, int]]:
    """Return (period before, period after) of each change of place."""
    return [(a, b) for (a, here), (b, there) in pairwise(walk) if here != there]


def _max_moves(place: str) -> Callable[..., Broken]:
    def rule(t: _Timetable, c: m.MaxMovesBetweenBuildings) -> Broken:
        for name, grid in t.people(c.who):
            for span in t.spans(c.per):
                moved = sum(len(_moves(_walk(t, grid, d, place))) for d in span)
                yield moved - c.most, (name,), (), [(d, 0) for d in span]

    return rule


def _min_gaps(place: str) -> Callable[..., Broken]:
    def rule(t: _Timetable, c: m.MinGapsBetweenBuildings) -> Broken:
        for name, grid in t.people(c.who):
            for day in range(len(t.problem.days)):
                for before, after in _moves(_walk(t, grid, day, place)):
                    yield c.least - (after - before - 1), (name,), (), ((day, after),)

    return rule


_RULES[m.MaxMovesBetweenBuildings] = _max_moves("building")
_RULES[m.MaxMovesBetweenRooms] = _max_moves("room")
_RULES[m.MinGapsBetweenBuildings] = _min_gaps("building")
_RULES[m.MinGapsBetweenRooms] = _min_gaps("room")


@_rule(m.MinGapsBetweenTags)
def _min_gaps_between_tags(t: _Timetable, c: m.MinGapsBetweenTags) -> Broken:
    first, second = c.tags
    for name, grid in t.people(c.who):
        theirs = {a.key: a for slot in grid for a in grid[slot]}.values()
        for one in theirs:
            for other in theirs:
                p, q = t.solution[one.key], t.solution[other.key]
                if first in one.tags and second in other.tags and p.day == q.day and p.period < q.period:
                    yield c.least - (q.period - p.period - one.duration), (name,), (one.key, other.key), ((q.day, q.period),)


@_rule(m.Balance)
def _balance(t: _Timetable, c: m.Balance) -> Broken:
    for name, grid in t.people(c.who):
        halves = [0, 0]
        for day, its in enumerate(t.problem.days):
            halves[its.half] += len(t.hours(grid, day, _any))
        yield abs(halves[0] - halves[1]) - c.most, (name,), (), ()


@_rule(m.CommonFree)
def _common_free(t: _Timetable, c: m.CommonFree) -> Broken:
    everybody = list(t.people(c.who))
    free = sum(not any(grid.get(slot) for _, grid in everybody) for slot in c.slots)
    yield c.least - free, [name for name, _ in everybody], (), sorted(c.slots)


# --- activities -------------------------------------------------------------------------------------------------


@_rule(m.StartsIn)
def _starts_in(t: _Timetable, c: m.StartsIn) -> Broken:
    for activity in t.some(c.activities):
        at = t.cells(activity)[0]
        yield int(at not in c.slots), (), (activity.key,), (at,)


@_rule(m.LiesIn)
def _lies_in(t: _Timetable, c: m.LiesIn) -> Broken:
    for activity in t.some(c.activities):
        out = [cell for cell in t.cells(activity) if cell not in c.slots]
        yield len(out), (), (activity.key,), out


def _pairs(t: _Timetable, keys: Iterable[str]) -> Iterator[tuple[Activity, Placement, Activity, Placement]]:
    for one, other in combinations(t.some(keys), 2):
        yield one, t.solution[one.key], other, t.solution[other.key]


@_rule(m.SameStart)
def _same_start(t: _Timetable, c: m.SameStart) -> Broken:
    for one, p, other, q in _pairs(t, c.activities):
        yield int((p.day, p.period) != (q.day, q.period)), (), (one.key, other.key), ()


@_rule(m.SameDay)
def _same_day(t: _Timetable, c: m.SameDay) -> Broken:
    for one, p, other, q in _pairs(t, c.activities):
        yield int(p.day != q.day), (), (one.key, other.key), ()


@_rule(m.SamePeriod)
def _same_period(t: _Timetable, c: m.SamePeriod) -> Broken:
    for one, p, other, q in _pairs(t, c.activities):
        yield int(p.period != q.period), (), (one.key, other.key), ()


@_rule(m.NotTogether)
def _not_together(t: _Timetable, c: m.NotTogether) -> Broken:
    if c.others:
        pairs = [(a, b) for a in t.some(c.activities) for b in t.some(c.others) if a.key != b.key]
    else:
        pairs = list(combinations(t.some(c.activities), 2))
    for one, other in pairs:
        both = set(t.cells(one)) & set(t.cells(other))
        yield len(both), (), (one.key, other.key), sorted(both)


@_rule(m.MinDaysBetween)
def _min_days_between(t: _Timetable, c: m.MinDaysBetween) -> Broken:
    for one, p, other, q in _pairs(t, c.activities):
        apart = abs(t.date(p) - t.date(q))
        yield c.least - apart, (), (one.key, other.key), ((p.day, p.period), (q.day, q.period))


def _adjoining(t: _Timetable, c: m.MinDaysBetween) -> Iterator[Violation]:
    """Two on one day that ought to follow each other and do not: hard, whatever the weight."""
    for one, p, other, q in _pairs(t, c.activities):
        adjoin = p.day == q.day and (p.period + one.duration == q.period or q.period + other.duration == p.period)
        if t.date(p) == t.date(q) and not adjoin:
            yield Violation("Adjoining", 1, m.HARD, (), (one.key, other.key), ((p.day, p.period),), c.source)


@_rule(m.MaxDaysBetween)
def _max_days_between(t: _Timetable, c: m.MaxDaysBetween) -> Broken:
    for one, p, other, q in _pairs(t, c.activities):
        yield abs(t.date(p) - t.date(q)) - c.most, (), (one.key, other.key), ()


def _between(one: Activity, p: Placement, other: Activity, q: Placement) -> int:
    """Return the periods between two activities of a day; negative when they overlap."""
    return q.period - p.period - one.duration if p.period <= q.period else p.period - q.period - other.duration


@_rule(m.MinGapsBetween)
def _min_gaps_between(t: _Timetable, c: m.MinGapsBetween) -> Broken:
    for one, p, other, q in _pairs(t, c.activities):
        if p.day == q.day:
            yield c.least - max(0, _between(one, p, other, q)), (), (one.key, other.key), ((p.day, p.period),)


@_rule(m.MaxGapsBetween)
def _max_gaps_between(t: _Timetable, c: m.MaxGapsBetween) -> Broken:
    for one, p, other, q in _pairs(t, c.activities):
        if p.day == q.day:
            yield int(_between(one, p, other, q) > c.most), (), (one.key, other.key), ((p.day, p.period),)


@_rule(m.Follows)
def _follows(t: _Timetable, c: m.Follows) -> Broken:
    for one, p, other, q in _pairs(t, c.activities):
        follows = p.day == q.day and q.period == _after(t, p.day, p.period + one.duration)
        yield int(not follows), (), (one.key, other.key), ()


def _after(t: _Timetable, day: int, period: int) -> int:
    """Return the first period from here on that is no break."""
    while (day, period) in t.problem.closed:
        period += 1
    return period


@_rule(m.Adjoins)
def _adjoins(t: _Timetable, c: m.Adjoins) -> Broken:
    there = t.some(c.activities)
    if len(there) < len(c.activities):
        return
    cells = sorted(cell for activity in there for cell in t.cells(activity))
    adjoin = all(day == next_day and h == _after(t, day, before + 1) for (day, before), (next_day, h) in pairwise(cells))
    yield int(not adjoin), (), c.activities, ()


@_rule(m.Before)
def _before(t: _Timetable, c: m.Before) -> Broken:
    for one, p, other, q in _pairs(t, c.activities):
        if p.day == q.day:
            yield int(p.period + one.duration > q.period), (), (one.key, other.key), ((p.day, p.period),)
        elif not c.same_day_only:
            yield int(p.day > q.day), (), (one.key, other.key), ((p.day, p.period),)


@_rule(m.EndsDay)
def _ends_day(t: _Timetable, c: m.EndsDay) -> Broken:
    for activity in t.some(c.activities):
        day, last = t.cells(activity)[-1]
        after = any(t.atom_grid[atom].get((day, h)) for atom in t.atoms_of[activity.key] for h in range(last + 1, t.height))
        yield int(after), (), (activity.key,), ((day, last),)


def _used(t: _Timetable, keys: Iterable[str], slots: Iterable[Slot]) -> Counter[Slot]:
    wanted = set(slots)
    return Counter(cell for activity in t.some(keys) for cell in t.cells(activity) if cell in wanted)


@_rule(m.MaxSlotsUsed)
def _max_slots_used(t: _Timetable, c: m.MaxSlotsUsed) -> Broken:
    yield len(_used(t, c.activities, c.slots)) - c.most, (), c.activities, ()


@_rule(m.MinSlotsUsed)
def _min_slots_used(t: _Timetable, c: m.MinSlotsUsed) -> Broken:
    if len(t.some(c.activities)) == len(set(c.activities)):
        yield c.least - len(_used(t, c.activities, c.slots)), (), c.activities, ()


@_rule(m.MaxTogether)
def _max_together(t: _Timetable, c: m.MaxTogether) -> Broken:
    for slot, count in _used(t, c.activities, c.slots).items():
        yield count - c.most, (), c.activities, (slot,)


@_rule(m.MinTogether)
def _min_together(t: _Timetable, c: m.MinTogether) -> Broken:
    used = _used(t, c.activities, c.slots)
    if len(t.some(c.activities)) < len(set(c.activities)):
        return
    for slot in sorted(c.slots):
        if used[slot] or not c.may_be_empty:
            yield c.least - used[slot], (), c.activities, (slot,)


@_rule(m.MaxInSlots)
def _max_in_slots(t: _Timetable, c: m.MaxInSlots) -> Broken:
    inside = [a.key for a in t.some(c.activities) if any(cell in c.slots for cell in t.cells(a))]
    yield len(inside) - c.most, (), inside, ()


@_rule(m.MaxADay)
def _max_a_day(t: _Timetable, c: m.MaxADay) -> Broken:
    for span in t.spans(c.per):
        there = [a.key for a in t.some(c.activities) if t.solution[a.key].day in span]
        yield len(there) - c.most, (), there, [(d, 0) for d in span]


def _terms(t: _Timetable, c: m.MaxTerms | m.MaxInATerm | m.MinInATerm) -> Counter[int]:
    return Counter(t.solution[a.key].day // c.days_a_term for a in t.some(c.activities))


@_rule(m.MaxTerms)
def _max_terms(t: _Timetable, c: m.MaxTerms) -> Broken:
    yield len(_terms(t, c)) - c.most, (), c.activities, ()


@_rule(m.MaxInATerm)
def _max_in_a_term(t: _Timetable, c: m.MaxInATerm) -> Broken:
    for count in _terms(t, c).values():
        yield count - c.most, (), c.activities, ()


@_rule(m.MinInATerm)
def _min_in_a_term(t: _Timetable, c: m.MinInATerm) -> Broken:
    if len(t.some(c.activities)) < len(set(c.activities)):
        return
    terms = _terms(t, c)
    for term in range(len(t.problem.days) // c.days_a_term):
        if terms[term] or not c.may_be_empty:
            yield c.least - terms[term], (), c.activities, ((term * c.days_a_term, 0),)


@_rule(m.KeepPlaces)
def _keep_places(t: _Timetable, c: m.KeepPlaces) -> Broken:
    for key, start in zip(c.activities, c.starts, strict=True):
        for activity in t.some([key]):
            yield int(t.cells(activity)[0] != start), (), (key,), (start,)


# --- rooms ------------------------------------------------------------------------------------------------------


@_rule(m.RoomUnavailable)
def _room_unavailable(t: _Timetable, c: m.RoomUnavailable) -> Broken:
    for activity in t.placed:
        at = t.solution[activity.key]
        if at.room == c.room or c.room in at.real_rooms:
            inside = [cell for cell in t.cells(activity) if cell in c.slots]
            yield len(inside), (c.room,), (activity.key,), inside


@_rule(m.PrefersRooms)
def _prefers_rooms(t: _Timetable, c: m.PrefersRooms) -> Broken:
    for activity in t.some(c.activities):
        yield int(t.solution[activity.key].room not in c.rooms), c.rooms, (activity.key,), ()


@_rule(m.HomeRooms)
def _home_rooms(t: _Timetable, c: m.HomeRooms) -> Broken:
    wishing = {key for other in t.problem.constraints if isinstance(other, m.PrefersRooms) for key in other.activities}
    for activity in t.some(key for key in c.activities if key not in wishing):
        yield int(t.solution[activity.key].room not in c.rooms), c.rooms, (activity.key,), ()


@_rule(m.MaxRooms)
def _max_rooms(t: _Timetable, c: m.MaxRooms) -> Broken:
    used = {t.solution[a.key].room for a in t.some(c.activities)} - {""}
    yield len(used) - c.most, sorted(used), c.activities, ()


@_rule(m.SameRoomIfAdjoining)
def _same_room_if_adjoining(t: _Timetable, c: m.SameRoomIfAdjoining) -> Broken:
    for one, p, other, q in _pairs(t, c.activities):
        adjoin = p.day == q.day and _between(one, p, other, q) == 0
        yield int(adjoin and bool(p.room) and bool(q.room) and p.room != q.room), (), (one.key, other.key), ()
