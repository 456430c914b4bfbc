"""What two units forbid each other, as tables of bit masks.

A table gives for each start of the other the mask of starts it forbids (or makes dear). Tables that mean the same are
one object, so a school of a thousand lessons has a few hundred of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from itertools import combinations, permutations

from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.compiling import Compiled, price

Table = list[int]
Bad = Callable[[int, int], int]


class Relations:
    """Hard and soft tables between units.

    hard[u]   (other, table): starts of u that the other's start forbids
    soft[u]   (other, table, price): starts of u that cost that much beside the other's start; where a pair breaks a
              constraint by several units it has several tables
    own[u]    starts of u that u forbids itself (two of its activities break something together)
    later     hard constraints that are not pairs; whoever uses the relations deals with them
    """

    def __init__(self, c: Compiled) -> None:
        self.c = c
        self.hard: list[list[tuple[int, Table]]] = [[] for _ in c.members]
        self.soft: list[list[tuple[int, Table, int]]] = [[] for _ in c.members]
        self.own: list[int] = [0] * len(c.members)
        self.own_cost: list[dict[int, int]] = [{} for _ in c.members]
        self.later: list[m.Constraint] = []
        self._tables: dict[tuple[object, ...], tuple[list[Table], list[Table]]] = {}
        self._closed = c.mask(c.problem.closed)
        for constraint in c.rest:
            self._add(constraint)

    def _add(self, k: m.Constraint) -> None:
        h, dates = self.c.height, [day.date for day in self.c.problem.days]
        if isinstance(k, m.MinDaysBetween):
            if k.weight > 0:
                self._all(k, ("min days", k.least), lambda a, b: lambda s, t: max(0, k.least - abs(dates[s // h] - dates[t // h])))
            if k.adjoining:
                self._all(
                    k, ("adjoin",), lambda a, b: lambda s, t: int(dates[s // h] == dates[t // h] and not _adjoin(s, t, a, b, h)), m.HARD
                )
        elif isinstance(k, m.MaxDaysBetween):
            self._all(k, ("max days", k.most), lambda a, b: lambda s, t: max(0, abs(dates[s // h] - dates[t // h]) - k.most))
        elif isinstance(k, m.MinGapsBetween):
            self._all(
                k, ("min gaps", k.least),
                lambda a, b: lambda s, t: max(0, k.least - max(0, (t - s - a) if s <= t else (s - t - b))) if s // h == t // h else 0,
            )  # fmt: skip
        elif isinstance(k, m.MaxGapsBetween):
            self._all(
                k, ("max gaps", k.most),
                lambda a, b: lambda s, t: int(s // h == t // h and ((t - s - a) if s <= t else (s - t - b)) > k.most),
            )  # fmt: skip
        elif isinstance(k, m.SameStart):
            self._all(k, ("same start",), lambda a, b: lambda s, t: int(s != t))
        elif isinstance(k, m.SameDay):
            self._all(k, ("same day",), lambda a, b: lambda s, t: int(s // h != t // h))
        elif isinstance(k, m.SamePeriod):
            self._all(k, ("same period",), lambda a, b: lambda s, t: int(s % h != t % h))
        elif isinstance(k, m.NotTogether):
            if k.others:
                for one in k.activities:
                    for other in k.others:
                        if one != other:
                            self._pair(k, ("overlap",), one, other, _overlap)
            else:
                self._all(k, ("overlap",), _overlap)
        elif isinstance(k, m.Follows):
            self._pair(k, ("follows",), *k.activities, lambda a, b: lambda s, t: int(self.after(s, a) != t))
        elif isinstance(k, m.Adjoins) and len(k.activities) == 2:
            self._pair(
                k, ("adjoins",), *k.activities, lambda a, b: lambda s, t: int(self.after(s, a) != t and self.after(t, b) != s)
            )
        elif isinstance(k, m.Adjoins):
            self._three(k)
        elif isinstance(k, m.Before):
            same = k.same_day_only
            self._pair(
                k, ("before", same), *k.activities,
                lambda a, b: lambda s, t: int(s + a > t) if s // h == t // h else int(not same and s > t),
            )  # fmt: skip
        elif isinstance(k, m.MinGapsBetweenTags):
            self._between_tags(k)
        elif isinstance(k, m.EndsDay) and k.is_hard:
            self._ends_day(k)
        elif isinstance(k, m.MinGapsBetweenBuildings) and k.is_hard:
            self._travel(k)
            self.later.append(k)
        elif k.is_hard:
            self.later.append(k)

    def after(self, start: int, length: int) -> int:
        """Return the first slot after an activity that is no break, -1 when its day ends before."""
        slot, day = start + length, start // self.c.height
        while slot // self.c.height == day and self._closed >> slot & 1:
            slot += 1
        return slot if slot // self.c.height == day else -1

    def _three(self, k: m.Adjoins) -> None:
        """Three in a row: any two have at most the third between them (what pairs can say of it)."""
        numbers = [self.c.index[key] for key in k.activities]
        for one, other in combinations(range(3), 2):
            third = self.c.length[numbers[3 - one - other]]

            def near(a: int, b: int, third: int = third) -> Bad:
                def bad(s: int, t: int) -> int:
                    first, length, second = (s, a, t) if s <= t else (t, b, s)
                    direct = self.after(first, length)
                    return int(direct < 0 or (direct != second and self.after(direct, third) != second))

                return bad

            if k.is_hard:
                self._pair(k, ("three", third), k.activities[one], k.activities[other], near)
        if k.is_hard:
            self.later.append(k)

    def _ends_day(self, k: m.EndsDay) -> None:
        h = self.c.height
        for key in k.activities:
            i = self.c.index[key]
            for g in self.c.agendas_of[self.c.unit[i]]:
                agenda = self.c.agendas[g]
                if agenda.kind == "groups" and any(j == i for j, _ in agenda.parts):
                    for j, _ in agenda.parts:
                        if j != i:
                            self._pair(
                                k, ("ends",), key, self.c.keys[j], lambda a, b: lambda s, t: int(s // h == t // h and t + b > s + a)
                            )

    def _between_tags(self, k: m.MinGapsBetweenTags) -> None:
        """Pairs of one person, as often as she is meant; soft ones of agendas that stand for several count for each."""
        h = self.c.height
        activities = self.c.problem.activities

        def near(a: int, b: int) -> Bad:
            return lambda s, t: max(0, k.least - (t - s - a)) if s // h == t // h and s < t else 0

        for g in self.c.agendas_named(k.who):
            agenda = self.c.agendas[g]
            for (i, _), (j, _) in permutations(agenda.parts, 2):
                if k.tags[0] in activities[i].tags and k.tags[1] in activities[j].tags:
                    for _ in range(1 if k.is_hard else agenda.copies):
                        self._pair(k, ("tags", k.least), self.c.keys[i], self.c.keys[j], near)

    def _travel(self, k: m.MinGapsBetweenBuildings) -> None:
        """Pairs of one person that are certainly held in different buildings."""
        h = self.c.height
        found = {i: self.c.buildings(i) for i in range(len(self.c.keys))}
        building = {i: next(iter(names)) for i, names in found.items() if len(names) == 1 and "" not in names}
        for g in self.c.agendas_named(k.who):
            known = [i for i, _ in self.c.agendas[g].parts if i in building]
            for i, j in combinations(known, 2):
                if building[i] != building[j]:
                    self._pair(
                        k, ("travel", k.least), self.c.keys[i], self.c.keys[j],
                        lambda a, b: lambda s, t: int(s // h == t // h and ((t - s - a) if s <= t else (s - t - b)) < k.least),
                    )  # fmt: skip

    def _all(self, k: m.OfActivities, name: tuple[object, ...], bad: Callable[[int, int], Bad], weight: float | None = None) -> None:
        for one, other in combinations(dict.fromkeys(k.activities), 2):
            self._pair(k, name, one, other, bad, weight)

    def _pair(
        self, k: m.Constraint, name: tuple[object, ...], one: str, other: str, bad: Callable[[int, int], Bad], weight: float | None = None
    ) -> None:
        c = self.c
        i, j = c.index[one], c.index[other]
        u, v = c.unit[i], c.unit[j]
        weight = k.weight if weight is None else weight
        if u == v:
            broken = bad(c.length[i], c.length[j])
            for s in c.domain[u]:
                units = broken(s, s)
                if units and weight >= m.HARD:
                    self.own[u] |= 1 << s
                elif units:
                    self.own_cost[u][s] = self.own_cost[u].get(s, 0) + units * price(weight)
            return
        forward, backward = self._made(name, c.length[i], c.length[j], bad, hard=weight >= m.HARD)
        if weight >= m.HARD:
            self.hard[u].append((v, forward[0]))
            self.hard[v].append((u, backward[0]))
        else:
            for table in forward:
                self.soft[u].append((v, table, price(weight)))
            for table in backward:
                self.soft[v].append((u, table, price(weight)))

    def _made(
        self, name: tuple[object, ...], a: int, b: int, bad: Callable[[int, int], Bad], *, hard: bool
    ) -> tuple[list[Table], list[Table]]:
        """Return (tables by the other's start, tables by the one's start); soft ones: one table a unit of breaking."""
        label = (*name, a, b, hard)
        if label not in self._tables:
            broken, n = bad(a, b), self.c.slots
            units = [[broken(s, t) for t in range(n)] for s in range(n)]
            worst = 1 if hard else max(map(max, units))
            forward, backward = [], []
            for level in range(1, worst + 1):
                forward.append([sum(1 << s for s in range(n) if units[s][t] >= level) for t in range(n)])
                backward.append([sum(1 << t for t in range(n) if units[s][t] >= level) for s in range(n)])
            self._tables[label] = (forward, backward)
        return self._tables[label]

    def merged(self) -> list[list[tuple[int, Table]]]:
        """Return the hard tables with several of one pair joined into one."""
        joined: dict[tuple[int, ...], Table] = {}
        found: list[list[tuple[int, Table]]] = []
        for relations in self.hard:
            by_other: dict[int, dict[int, Table]] = defaultdict(dict)
            for other, table in relations:
                by_other[other][id(table)] = table
            row = []
            for other, tables in by_other.items():
                if len(tables) == 1:
                    row.append((other, next(iter(tables.values()))))
                else:
                    label = tuple(sorted(tables))
                    if label not in joined:
                        joined[label] = [_union(masks) for masks in zip(*tables.values(), strict=True)]
                    row.append((other, joined[label]))
            found.append(row)
        return found


def _adjoin(s: int, t: int, a: int, b: int, height: int) -> bool:
    """Return whether two activities of one day follow each other directly."""
    return s // height == t // height and (s + a == t or t + b == s)


def _union(masks: tuple[int, ...]) -> int:
    found = 0
    for mask in masks:
        found |= mask
    return found


def _overlap(a: int, b: int) -> Bad:
    return lambda s, t: max(0, min(s + a, t + b) - max(s, t))
