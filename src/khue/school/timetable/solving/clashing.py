"""Why a problem has no timetable: the smallest set of demands that clash, and which one to relax.

Demands are tried out: a set clashes when what is left without the others is proved to have no timetable. Deletion finds a
set of which nothing can be left out; it is *proved smallest* when each single omission was seen to give a timetable.
Persons are told apart, so a wish for all teachers is named for the teachers it hurts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.compiling import compiled
from khue.school.timetable.solving.model import Problem
from khue.school.timetable.solving.relations import Relations
from khue.school.timetable.solving.state import State

SINGLE = 4.0
"""Seconds one question may take."""
DAYS_EFFORT, WHOLE_EFFORT = 1.0, 2.0
SMALL = 150
"""Up to so many units one model of the whole is asked before the engine."""
ALONE = ("pin",)
"""Sources of which each constraint is a demand of its own."""


@dataclass(frozen=True, slots=True)
class Demand:
    """One thing somebody asks: the constraints of one source, narrowed to the people they hurt."""

    source: str
    constraints: tuple[m.Constraint, ...]

    @property
    def people(self) -> tuple[str, ...]:
        """Return who is meant, without repetition."""
        found = [name for k in self.constraints if isinstance(k, m.OfPeople) for name in k.who.names]
        return tuple(dict.fromkeys(found))

    @property
    def activities(self) -> tuple[str, ...]:
        """Return which activities are meant, without repetition."""
        return tuple(dict.fromkeys(key for k in self.constraints if isinstance(k, m.OfActivities) for key in k.activities))


@dataclass(frozen=True, slots=True)
class Clash:
    """What clashes. is_smallest: each demand was seen to be needed; relaxing: which single demand, left out of the
    whole problem, gives a timetable (True), gives none (False), or was not decided in the time (None).

    No demands: the lessons themselves do not fit.
    """

    demands: tuple[Demand, ...]
    is_smallest: bool
    relaxing: tuple[bool | None, ...]


def clash_of(problem: Problem, *, seconds: float, seed: int = 0, stop: Callable[[], bool] = lambda: False) -> Clash | None:
    """Return what clashes in a problem; None when it was not proved within the time that it has no timetable."""
    return _Search(problem, seconds, seed, stop).found()


class _Search:
    def __init__(self, problem: Problem, seconds: float, seed: int, stop: Callable[[], bool]) -> None:
        self.problem, self.seed, self.stop = problem, seed, stop
        self.until = monotonic() + seconds

    def found(self) -> Clash | None:
        by_source: dict[object, list[m.Constraint]] = {}
        for n, k in enumerate(self.problem.constraints):
            if k.is_hard:
                by_source.setdefault((k.source, n) if k.source in ALONE or not k.source else k.source, []).append(k)
        groups = list(by_source.values())
        if self.refuted(self._with(groups)) is not True:
            return None
        groups, is_sure = self._reduced(groups)
        atoms = [[(label, atom)] for label, group in enumerate(groups) for k in group for atom in self._atoms(k)]
        if len(atoms) > len(groups):
            atoms, is_sure = self._reduced(atoms, lambda rows: [[k for _label, k in row] for row in rows])
        kept: dict[int, list[m.Constraint]] = {}
        for row in atoms:
            for label, k in row:
                kept.setdefault(label, []).append(k)
        demands = tuple(Demand(some[0].source, tuple(_joined(some))) for some in kept.values())
        wholes = [groups[label] for label in kept]
        return Clash(demands, is_sure, tuple(self._relaxed(group) for group in wholes))

    def is_over(self) -> bool:
        return monotonic() >= self.until or self.stop()

    def _with(self, groups: Sequence[Sequence[m.Constraint]]) -> Problem:
        return replace(self.problem, constraints=tuple(k for group in groups for k in group))

    def _atoms(self, k: m.Constraint) -> list[m.Constraint]:
        """Return a constraint person by person, where that says the same."""
        if not isinstance(k, m.OfPeople) or isinstance(k, m.CommonFree):
            return [k]
        names = k.who.names or (self.problem.teachers if k.who.kind == "teachers" else tuple(self.problem.groups))
        return [replace(k, who=replace(k.who, names=(name,))) for name in names]

    def _reduced(self, items: list[Any], many: Callable[[list[Any]], list[Any]] = list) -> tuple[list[Any], bool]:
        """Leave out what is not needed: halves, quarters, at last one by one; also whether each one left was seen to be needed."""
        size, is_sure = max(1, len(items) // 2), True
        while True:
            n = 0
            while n < len(items):
                rest = items[:n] + items[n + size :]
                verdict = None if self.is_over() else self.refuted(self._with(many(rest)))
                if verdict is True:
                    items = rest
                else:
                    n += size
                    is_sure &= verdict is False or size > 1
            if size == 1:
                return items, is_sure
            size //= 2

    def _relaxed(self, group: Sequence[m.Constraint]) -> bool | None:
        if self.is_over():
            return None
        left = set(map(id, group))
        verdict = self.refuted(replace(self.problem, constraints=tuple(k for k in self.problem.constraints if k.is_hard and id(k) not in left)))
        return None if verdict is None else not verdict

    def refuted(self, problem: Problem) -> bool | None:
        """Return True when there is certainly no timetable, False when one was found, None when neither is known."""
        from khue.school.timetable.solving import explaining, running
        from khue.school.timetable.solving.days import DayModel

        left = min(SINGLE, self.until - monotonic())
        if left <= 0:
            return None
        c = compiled(problem)
        if explaining.certain(problem, c):
            return True
        days = DayModel(c, Relations(c), {}, with_costs=False).solve(seconds=left, effort=DAYS_EFFORT, seed=self.seed)
        if days is False:
            return True
        if len(c.members) <= SMALL and self._has_none(c, left):
            return True
        first: list[bool] = []
        result = running.run(
            problem, seconds=left / 2, threads=1, seed=self.seed, start={}, explain=False, stop=lambda: bool(first) or self.stop(),
            progress=lambda best: first.append(True) if best.placed == best.activities and not best.violations else None,
        )  # fmt: skip
        if result.status == "feasible":
            return False
        return True if result.status == "infeasible" or self._has_none(c, left) else None

    def _has_none(self, c: object, seconds: float) -> bool:
        """Return whether the whole problem in one model is proved to have no solution."""
        from ortools.sat.python import cp_model

        from khue.school.timetable.solving.cpsat import solver_for
        from khue.school.timetable.solving.exact import Infeasible, Window

        try:
            window = Window(c, range(len(c.members)), State(), only_hard=True)  # type: ignore[attr-defined, arg-type]
        except Infeasible:
            return True
        solver = solver_for(seconds=max(0.5, seconds), effort=WHOLE_EFFORT, seed=self.seed)
        return bool(solver.solve(window.model) == cp_model.INFEASIBLE)


def _joined(constraints: Sequence[m.Constraint]) -> list[m.Constraint]:
    """Put constraints that differ only in their person together again."""
    found: dict[object, m.Constraint] = {}
    for k in constraints:
        if not isinstance(k, m.OfPeople):
            found[id(k)] = k
            continue
        key = replace(k, who=replace(k.who, names=()))
        before = found.get(key)
        names = (*before.who.names, *k.who.names) if isinstance(before, m.OfPeople) else k.who.names
        found[key] = replace(k, who=replace(k.who, names=names))
    return list(found.values())
