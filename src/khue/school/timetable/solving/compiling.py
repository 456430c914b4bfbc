"""A problem made small and numbered for the engine.

Slots are numbers `day * height + period`; a set of slots is an int used as a bit mask. Activities that must start
together are one *unit*. Learners' atoms with the same activities and rules are one *agenda*. What only concerns one
unit (closed slots, unavailable people, wished times) becomes the unit's domain and the price of each start.

Prices are whole numbers: weight 99.75 is 9975, a unit of cost is 10,000.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import product

from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.model import Constraint, Problem, Slot, Solution

SCALE = 10_000
MOST_PICKS = 60


def price(weight: float) -> int:
    """Return the whole-number price of a unit of that weight."""
    return round(weight * 100)


@dataclass
class Agenda:
    """The days of one teacher, or of learners that always go together.

    copies   how many atoms it stands for: soft costs count each
    parts    (activity, unit) of every activity
    shut     mask of slots that are no gaps
    """

    kind: str
    name: str
    parts: tuple[tuple[int, int], ...]
    shut: int
    copies: int = 1
    is_weekly: bool = True


@dataclass
class RoomClass:
    """Rooms that nothing tells apart; `holds` activities at once in all of them."""

    rooms: tuple[str, ...]
    holds: int
    shut: int
    building: str


@dataclass
class Choice:
    """One way to give an activity a room: the classes it uses, what it costs, and the virtual room's name."""

    classes: tuple[int, ...]
    cost: int
    virtual: str = ""


@dataclass
class Compiled:
    """The numbered problem; see the fields' comments."""

    problem: Problem
    height: int = 0
    slots: int = 0
    keys: list[str] = field(default_factory=list)
    index: dict[str, int] = field(default_factory=dict)  # activity key -> number
    length: list[int] = field(default_factory=list)  # periods of each activity
    unit: list[int] = field(default_factory=list)  # unit of each activity
    members: list[list[int]] = field(default_factory=list)  # activities of each unit
    domain: list[list[int]] = field(default_factory=list)  # possible first slots of each unit
    costs: list[dict[int, int]] = field(default_factory=list)  # unit -> first slot -> price, only where not 0
    agendas: list[Agenda] = field(default_factory=list)
    agendas_of: list[list[int]] = field(default_factory=list)  # unit -> agendas
    by_name: dict[tuple[str, str], int] = field(default_factory=dict)  # (kind, teacher or atom) -> agenda
    classes: list[RoomClass] = field(default_factory=list)
    choices: list[list[Choice]] = field(default_factory=list)  # activity -> ways to give it a room
    rest: list[Constraint] = field(default_factory=list)  # constraints that are not in domains, costs and choices
    empty: list[int] = field(default_factory=list)  # units without any possible slot

    def day(self, slot: int) -> int:
        """Return the day of a slot."""
        return slot // self.height

    def mask(self, slots: Iterable[Slot]) -> int:
        """Return the bit mask of slots."""
        found = 0
        for day, period in slots:
            found |= 1 << (day * self.height + period)
        return found

    def span(self, start: int, length: int) -> int:
        """Return the mask of `length` slots from `start`."""
        return ((1 << length) - 1) << start

    def agendas_named(self, who: m.Who) -> list[int]:
        """Return the agendas a constraint means, without repetition."""
        if who.kind == "teachers":
            names: Iterable[str] = who.names or self.problem.teachers
        else:
            names = dict.fromkeys(a for g in (who.names or self.problem.groups) for a in self.problem.groups[g])
        found = dict.fromkeys(self.by_name[who.kind, n] for n in names if (who.kind, n) in self.by_name)
        return list(found)

    def buildings(self, i: int) -> set[str]:
        """Return the buildings an activity may be in; "" is none."""
        ways = [way for way in self.choices[i] if all(self.classes[cls].holds for cls in way.classes)]
        return {self.classes[way.classes[0]].building if way.classes else "" for way in ways}

    def starts_of(self, solution: Solution) -> dict[int, int]:
        """Return the first slot of each unit all of whose placed members agree on a possible one."""
        found: dict[int, int] = {}
        for unit, members in enumerate(self.members):
            starts = {solution[self.keys[i]].day * self.height + solution[self.keys[i]].period for i in members if self.keys[i] in solution}
            if len(starts) == 1 and (start := starts.pop()) in self._domain_set(unit):
                found[unit] = start
        return found

    def _domain_set(self, unit: int) -> set[int]:
        return set(self.domain[unit])


def compiled(problem: Problem) -> Compiled:
    """Return the numbered problem; raises ProblemError when a constraint names what is not there."""
    c = Compiled(problem, height=len(problem.periods), slots=len(problem.days) * len(problem.periods))
    c.keys = [a.key for a in problem.activities]
    c.index = {key: i for i, key in enumerate(c.keys)}
    c.length = [a.duration for a in problem.activities]
    _known(c)
    _units(c)
    shut = _shut(c)
    _agendas(c, shut)
    _rooms(c)
    _domains(c, shut)
    return c


def _known(c: Compiled) -> None:
    """Raise ProblemError on a name that is not in the problem, or an activity that is there twice."""
    p = c.problem
    if len(c.index) < len(c.keys):
        twice = next(key for i, key in enumerate(c.keys) if c.index[key] != i)
        raise m.ProblemError(f"activity {twice!r} is in the problem twice")
    teachers, groups, rooms = set(p.teachers), p.groups, {room.name for room in p.rooms}
    for activity in p.activities:
        for name in activity.teachers:
            if name not in teachers:
                raise m.ProblemError(f"activity {activity.key!r}: teacher {name!r} is not in the problem")
        for name in activity.groups:
            if name not in groups:
                raise m.ProblemError(f"activity {activity.key!r}: group {name!r} is not in the problem")
        if activity.duration < 1:
            raise m.ProblemError(f"activity {activity.key!r}: a duration of {activity.duration} is not possible")
    for constraint in p.constraints:
        where = constraint.source or type(constraint).__name__
        if isinstance(constraint, m.OfActivities):
            for key in constraint.activities:
                if key not in c.index:
                    raise m.ProblemError(f"{where}: activity {key!r} is not in the problem")
        if isinstance(constraint, m.OfPeople):
            known = teachers if constraint.who.kind == "teachers" else groups
            for name in constraint.who.names:
                if name not in known:
                    raise m.ProblemError(f"{where}: {name!r} is not in the problem")
        for room in [*getattr(constraint, "rooms", ()), *([constraint.room] if isinstance(constraint, m.RoomUnavailable) else [])]:
            if room not in rooms:
                raise m.ProblemError(f"{where}: room {room!r} is not in the problem")


def _units(c: Compiled) -> None:
    """Join activities that must start together."""
    parent = list(range(len(c.keys)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for constraint in c.problem.constraints:
        if isinstance(constraint, m.SameStart) and constraint.is_hard:
            numbers = [c.index[key] for key in constraint.activities]
            for i in numbers[1:]:
                parent[root(i)] = root(numbers[0])
    units: dict[int, int] = {}
    for i in range(len(c.keys)):
        unit = units.setdefault(root(i), len(units))
        c.unit.append(unit)
        if unit == len(c.members):
            c.members.append([])
        c.members[unit].append(i)


def _shut(c: Compiled) -> dict[tuple[str, str], int]:
    """Return the slots each teacher and atom certainly cannot have."""
    closed = c.mask(c.problem.closed)
    shut: dict[tuple[str, str], int] = defaultdict(lambda: closed)
    for constraint in c.problem.constraints:
        if isinstance(constraint, m.Unavailable) and constraint.is_hard:
            mask = c.mask(constraint.slots)
            if constraint.who.kind == "teachers":
                names: Iterable[str] = constraint.who.names or c.problem.teachers
            else:
                names = {a for g in (constraint.who.names or c.problem.groups) for a in c.problem.groups[g]}
            for name in names:
                shut[constraint.who.kind, name] |= mask
    return shut


def _agendas(c: Compiled, shut: dict[tuple[str, str], int]) -> None:
    """Make an agenda a teacher, and one for atoms with the same activities, shut slots and constraints."""
    parts: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, activity in enumerate(c.problem.activities):
        for name in dict.fromkeys(activity.teachers):
            parts["teachers", name].append(i)
        for atom in dict.fromkeys(a for g in activity.groups for a in c.problem.groups[g]):
            parts["groups", atom].append(i)
    marks: dict[str, list[int]] = defaultdict(list)
    for number, constraint in enumerate(c.problem.constraints):
        if isinstance(constraint, m.OfPeople) and constraint.who.kind == "groups" and constraint.who.names:
            for atom in {a for g in constraint.who.names for a in c.problem.groups[g]}:
                marks[atom].append(number)
    seen: dict[tuple[object, ...], int] = {}
    for (kind, name), numbers in parts.items():
        label: tuple[object, ...] = (kind, name) if kind == "teachers" else (kind, tuple(numbers), shut[kind, name], tuple(marks[name]))
        if label in seen:
            c.agendas[seen[label]].copies += 1
        else:
            seen[label] = len(c.agendas)
            weekly = all(c.problem.activities[i].weeks == m.EVERY_WEEK for i in numbers)
            c.agendas.append(Agenda(kind, name, tuple((i, c.unit[i]) for i in numbers), shut[kind, name], 1, weekly))
        c.by_name[kind, name] = seen[label]
    c.agendas_of = [[] for _ in c.members]
    for g, agenda in enumerate(c.agendas):
        for unit in dict.fromkeys(u for _, u in agenda.parts):
            c.agendas_of[unit].append(g)


def _domains(c: Compiled, shut: dict[tuple[str, str], int]) -> None:
    """Find each unit's possible starts and their prices."""
    closed = c.mask(c.problem.closed)
    every = (1 << c.slots) - 1
    allowed = [every] * len(c.keys)  # starts
    blocked = [closed] * len(c.keys)  # slots
    priced: list[dict[int, int]] = [{} for _ in c.keys]
    for agenda in c.agendas:
        for i, _ in agenda.parts:
            blocked[i] |= agenda.shut
    for i in range(len(c.keys)):
        used = [cls for choice in c.choices[i] for cls in choice.classes]
        if c.choices[i] and all(choice.classes for choice in c.choices[i]):
            mask = every
            for cls in used:
                mask &= c.classes[cls].shut
            blocked[i] |= mask if len(c.choices[i]) > 1 else 0
            if len(c.choices[i]) == 1:
                for cls in used:
                    blocked[i] |= c.classes[cls].shut
    for constraint in c.problem.constraints:
        if isinstance(constraint, m.StartsIn | m.LiesIn | m.KeepPlaces):
            for number, key in enumerate(constraint.activities):
                i = c.index[key]
                slots = (constraint.starts[number],) if isinstance(constraint, m.KeepPlaces) else constraint.slots
                mask = c.mask(slots)
                if constraint.is_hard and isinstance(constraint, m.LiesIn):
                    blocked[i] |= every & ~mask
                elif constraint.is_hard:
                    allowed[i] &= mask
                elif constraint.weight > 0:
                    _add_prices(c, priced[i], i, mask, price(constraint.weight), isinstance(constraint, m.LiesIn))
        elif isinstance(constraint, m.Unavailable):
            if not constraint.is_hard and constraint.weight > 0:
                mask = every & ~c.mask(constraint.slots)
                for g in c.agendas_named(constraint.who):
                    for i, _ in c.agendas[g].parts:
                        _add_prices(c, priced[i], i, mask, price(constraint.weight) * c.agendas[g].copies, True)
        elif (isinstance(constraint, m.SameStart) and constraint.is_hard) or isinstance(constraint, m.PrefersRooms | m.HomeRooms) or (isinstance(constraint, m.RoomUnavailable) and constraint.is_hard):
            continue
        elif constraint.weight > 0 or (isinstance(constraint, m.MinDaysBetween) and constraint.adjoining):
            c.rest.append(constraint)
    days = [d * c.height for d in range(len(c.problem.days))]
    for unit, members in enumerate(c.members):
        longest = max(c.length[i] for i in members)
        starts = []
        for first in days:
            for start in range(first, first + c.height - longest + 1):
                if all(allowed[i] >> start & 1 and not blocked[i] & c.span(start, c.length[i]) for i in members):
                    starts.append(start)
        c.domain.append(starts)
        total: dict[int, int] = {}
        for i in members:
            for start, cost in priced[i].items():
                total[start] = total.get(start, 0) + cost
        c.costs.append({start: cost for start, cost in total.items() if cost})
        if not starts:
            c.empty.append(unit)


def _add_prices(c: Compiled, priced: dict[int, int], i: int, mask: int, cost: int, every_period: bool) -> None:
    for start in range(c.slots):
        if every_period:
            out = (c.span(start, c.length[i]) & ~mask).bit_count() if start % c.height + c.length[i] <= c.height else 0
        else:
            out = int(not mask >> start & 1)
        if out:
            priced[start] = priced.get(start, 0) + out * cost


def _rooms(c: Compiled) -> None:
    """Find which rooms are alike, and each activity's ways to get one."""
    p = c.problem
    shut: dict[str, int] = defaultdict(int)
    marks: dict[str, list[int]] = defaultdict(list)
    wishes: dict[str, list[m.PrefersRooms]] = defaultdict(list)
    homes: dict[str, list[m.HomeRooms]] = defaultdict(list)
    apart: set[str] = set()
    for number, constraint in enumerate(p.constraints):
        if isinstance(constraint, m.RoomUnavailable):
            if constraint.is_hard:
                shut[constraint.room] |= c.mask(constraint.slots)
            else:
                marks[constraint.room].append(number)
        elif isinstance(constraint, m.PrefersRooms | m.HomeRooms):
            for room in constraint.rooms:
                marks[room].append(number)
            for key in constraint.activities:
                (wishes if isinstance(constraint, m.PrefersRooms) else homes)[key].append(constraint)  # type: ignore[index]
    if any(a.weeks != m.EVERY_WEEK for a in p.activities):
        apart |= {room.name for room in p.rooms}
    if any(isinstance(x, m.MaxRooms | m.SameRoomIfAdjoining | m.MaxMovesBetweenRooms | m.MinGapsBetweenRooms) for x in p.constraints):
        apart |= {room.name for room in p.rooms}
    for room in p.rooms:
        apart |= {name for part in room.parts for name in part}
    seen: dict[tuple[object, ...], list[m.Room]] = {}
    for room in p.rooms:
        if not room.parts:
            label: tuple[object, ...] = (
                (room.name,) if room.name in apart else (room.building, room.holds, shut[room.name], tuple(marks[room.name]))
            )
            seen.setdefault(label, []).append(room)
    of: dict[str, int] = {}
    for rooms in seen.values():
        for room in rooms:
            of[room.name] = len(c.classes)
        c.classes.append(RoomClass(tuple(r.name for r in rooms), sum(r.holds for r in rooms), shut[rooms[0].name], rooms[0].building))
    by_name = {room.name: room for room in p.rooms}
    for key in c.keys:
        c.choices.append(_choices(wishes.get(key) or homes.get(key) or [], by_name, of))


def _choices(wishes: list[m.PrefersRooms] | list[m.HomeRooms], rooms: dict[str, m.Room], of: dict[str, int]) -> list[Choice]:
    hard = [set(w.rooms) for w in wishes if w.is_hard]
    soft = [w for w in wishes if not w.is_hard]
    if not wishes:
        return []
    names = sorted(set.intersection(*hard)) if hard else sorted({r for w in soft for r in w.rooms})
    best: dict[tuple[tuple[int, ...], str], int] = {}
    for name in names:
        cost = sum(price(w.weight) for w in soft if name not in w.rooms)
        for classes, virtual in _classes(rooms[name], of):
            label = (classes, virtual)
            best[label] = min(best.get(label, cost), cost)
    found = [Choice(classes, cost, virtual) for (classes, virtual), cost in best.items()]
    if not hard:
        found.append(Choice((), sum(price(w.weight) for w in soft)))
    return sorted(found, key=lambda choice: choice.cost)


def _classes(room: m.Room, of: dict[str, int]) -> list[tuple[tuple[int, ...], str]]:
    if not room.parts:
        return [((of[room.name],), "")]
    found: list[tuple[tuple[int, ...], str]] = []
    for picks in product(*room.parts):
        if len(set(picks)) == len(picks):
            found.append((tuple(of[name] for name in picks), room.name))
            if len(found) == MOST_PICKS:
                break
    return found
