"""Improves a part of a timetable exactly, with CP-SAT: the lessons inside the window move, all others stay.

A window holds bundles whose times are free, and bundles whose places are free. Everything outside enters as
numbers. Required monitors without a deviation now are kept at none (which loses nothing while the window may
leave lessons without a time), the others are priced. The whole instance is the largest window.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ortools.sat.python import cp_model

from khue.school.timetable.solving.cpsat import solver_for
from khue.school.timetable.solving.xhstt.compiling import (
    HARD,
    QUADRATIC,
    STEP,
    Monitor,
    Problem,
)
from khue.school.timetable.solving.xhstt.state import (
    Parts,
    State,
    bundle_deviation,
    busy_deviation,
    load_deviation,
    place_deviation,
)

Literal = cp_model.IntVar | int
BIG = 100_000
"""What a unit of infeasibility costs inside a window's objective, against one for a unit of objective."""


@dataclass(frozen=True)
class Option:
    """A lesson a bundle may have: `literal` says whether it has it; `lesson` is set when it cannot move."""

    duration: int
    start: int
    literal: Literal
    lesson: int = -1


@dataclass
class Outcome:
    """What a window found: new lessons of its bundles, and whether nothing better exists inside it."""

    parts: dict[int, Parts]
    is_proved: bool
    is_impossible: bool = False
    effort: float = 0.0


@dataclass(frozen=True)
class Wish:
    """How a window is to be solved.

    effort          deterministic seconds, the same on every machine
    seconds         wall seconds that end it in any case
    no_slack        whether every required monitor must hold (pure search for a feasible timetable)
    no_cost         whether every monitor must hold, the soft ones too
    all_timed       whether every bundle inside must get its times, whatever else is still violated
    no_hints        whether the present lessons are not shown to CP-SAT, so that another best may be found
    keep_zero       whether soft monitors without a deviation now must stay so too
    no_objective    whether the soft monitors are left out
    allowed         times (as bits) a lesson may move to; its present ones are always allowed; -1: all
    linear          how much of the model CP-SAT relaxes to linear programs, 0 to 2; 0 finds feasible ones sooner
    no_places       whether the places are left out, except that as many lessons may run at once as there are
                    resources for them
    pools           sets of resources of which that is asked besides each place's own candidates
    """

    effort: float
    seconds: float
    seed: int
    threads: int = 1
    allowed: int = -1
    linear: int = 0
    no_slack: bool = False
    no_cost: bool = False
    all_timed: bool = False
    no_hints: bool = False
    keep_zero: bool = False
    no_objective: bool = False
    no_places: bool = False
    pools: tuple[frozenset[int], ...] = ()
    few: int = 0


def solve_window(
    state: State,
    timed: Iterable[int],
    placed: Iterable[int],
    wish: Wish,
    *,
    stop: Callable[[], bool] | None = None,
) -> Outcome:
    """Return the best lessons found for the bundles `timed` (times free) and `placed` (resources free).

    The state is not changed. A timed bundle with places has its places free too, unless `wish.no_places`.
    """
    return _Window(state, set(timed), set(placed), wish).solve(stop)


class _Stopper(cp_model.CpSolverSolutionCallback):
    """Ends a search when asked to, looking at every solution found."""

    def __init__(self, stop: Callable[[], bool]) -> None:
        super().__init__()
        self.ask = stop

    def on_solution_callback(self) -> None:
        """Look whether to end."""
        if self.ask():
            self.stop_search()


class _Window:
    def __init__(self, state: State, timed: set[int], placed: set[int], wish: Wish) -> None:
        self.state = state
        self.problem: Problem = state.problem
        self.wish = wish
        self.model = cp_model.CpModel()
        bundles = self.problem.bundles
        self.timed = {b for b in timed if bundles[b].fixed is None}
        with_places = {b for b in (*self.timed, *placed) if bundles[b].places}
        self.placed = set() if wish.no_places else with_places
        self.inside = self.timed | self.placed
        self.is_feasible = state.cost < HARD
        self.options: dict[int, list[Option]] = {}
        self.untimed: dict[int, dict[int, Literal]] = {}
        self.picks: dict[tuple[int, int, int], list[tuple[int, cp_model.IntVar]]] = {}
        self.terms: dict[int, dict[int, list[Literal]]] = defaultdict(lambda: defaultdict(list))
        self.outside: dict[int, list[int]] = {}
        self.busy_of: dict[tuple[int, int], Literal] = {}
        self.seen_at_most_one: set[frozenset[int]] = set()
        self.prices: list[Literal] = []
        self.weights: list[int] = []
        self.hints: list[tuple[cp_model.IntVar, int]] = []
        self.is_broken = False
        self.random = random.Random(wish.seed)  # noqa: S311

    # The model

    def solve(self, stop: Callable[[], bool] | None) -> Outcome:
        self._make_options()
        self._make_picks()
        self._count_outside()
        self._resources()
        self._bundles()
        self._groups()
        if not self.wish.no_places:
            self._places()
            self._splits()
            self._workloads()
        else:
            self._enough_resources()
        if self.is_broken:
            return Outcome({}, is_proved=True, is_impossible=True)
        if self.weights:
            self.model.minimize(cp_model.LinearExpr.weighted_sum(self.prices, self.weights))
        for variable, value in () if self.wish.no_hints else self.hints:
            self.model.add_hint(variable, value)
        wish = self.wish
        solver = solver_for(seconds=wish.seconds, effort=wish.effort, seed=wish.seed, workers=wish.threads)
        if self.wish.threads > 1:
            solver.parameters.interleave_search = True
        solver.parameters.linearization_level = self.wish.linear
        solver.parameters.cp_model_probing_level = 0
        solver.parameters.symmetry_level = 0
        status = solver.solve(self.model, _Stopper(stop) if stop else None)
        effort = solver.response_proto.deterministic_time
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return Outcome(self._read(solver), status == cp_model.OPTIMAL, effort=effort)
        return Outcome({}, status == cp_model.INFEASIBLE, status == cp_model.INFEASIBLE, effort)

    def _bool(self, hint: int | None = None) -> cp_model.IntVar:
        variable = self.model.new_bool_var("")
        if hint is not None:
            self.hints.append((variable, hint))
        return variable

    def _make_options(self) -> None:
        """Give each timed bundle a literal for each lesson it may have, each other inside one its lessons."""
        for index in sorted(self.inside):
            bundle = self.problem.bundles[index]
            lessons = self.state.lessons[index]
            if index not in self.timed:
                self.options[index] = [
                    Option(self.state.duration[x], self.state.start[x], 1, x)
                    for x in lessons
                    if self.state.start[x] >= 0
                ]
                continue
            now = {(self.state.duration[x], self.state.start[x]) for x in lessons}
            options = []
            for duration, every in bundle.starts.items():
                block = (1 << duration) - 1
                starts = [
                    s for s in every if (self.wish.allowed >> s) & block == block or (duration, s) in now
                ]
                options += [Option(duration, s, self._bool((duration, s) in now)) for s in starts]
            self.options[index] = options
            total = [o.literal for o in options]
            sizes = [o.duration for o in options]
            self.untimed[index] = {}
            has_rule = any(m.kind == "AssignTime" and m.is_hard for m in bundle.monitors)
            if not has_rule or not (self.is_feasible or self.wish.no_slack or self.wish.all_timed):
                for duration in bundle.durations:
                    count = self.model.new_int_var(0, bundle.duration // duration, "")
                    absent = sum(
                        self.state.start[x] < 0 and self.state.duration[x] == duration for x in lessons
                    )
                    self.hints.append((count, absent))
                    self.untimed[index][duration] = count
                    total.append(count)
                    sizes.append(duration)
            self.model.add(cp_model.LinearExpr.weighted_sum(total, sizes) == bundle.duration)
            if not bundle.resources:
                self._run_once(options)
            for option in options:
                for resource in bundle.resources:
                    self._occupy(resource, option)

    def _run_once(self, options: list[Option]) -> None:
        """Let a bundle run at most once at a time, which its resources do not see to when it has none."""
        at: dict[int, list[Literal]] = defaultdict(list)
        for option in options:
            for time in range(option.start, option.start + option.duration):
                at[time].append(option.literal)
        for literals in at.values():
            if len(literals) > 1:
                self.model.add_at_most_one(literals)

    def _occupy(self, resource: int, option: Option, literal: Literal | None = None) -> None:
        literal = option.literal if literal is None else literal
        terms = self.terms[resource]
        for time in range(option.start, option.start + option.duration):
            terms[time].append(literal)

    def _make_picks(self) -> None:
        """Give each place of each possible lesson a literal for each resource it may take."""
        for index in sorted(self.placed):
            bundle = self.problem.bundles[index]
            choices = {place: self._choices(place) for place in bundle.places}
            for number, option in enumerate(self.options[index]):
                current = self._current(index, option)
                for slot, place in enumerate(bundle.places):
                    candidates = choices[place]
                    now = current[slot] if current else -1
                    picks = [(r, self._bool(int(r == now))) for r in candidates]
                    self.picks[index, number, slot] = picks
                    literals = [literal for _, literal in picks]
                    needs_one = self.wish.no_slack or (self.is_feasible and self._must_fill(place))
                    if isinstance(option.literal, int):
                        if needs_one:
                            self.model.add_exactly_one(literals)
                        else:
                            self.model.add_at_most_one(literals)
                    elif needs_one:
                        self.model.add(sum(literals) == option.literal)
                    else:
                        self.model.add(sum(literals) <= option.literal)
                    for resource, literal in picks:
                        self._occupy(resource, option, literal)

    def _choices(self, place: int) -> tuple[int, ...]:
        """Return the resources a place may choose from, in index order."""
        every = self.problem.places[place].candidates
        if not self.wish.few or len(every) <= self.wish.few:
            return every
        alike = {place, *(p for s in self.problem.place_splits[place] for p in self.problem.splits[s].places)}
        present = {
            self.state.chosen[lesson][self.state.slot_of_place[p]]
            for p in alike
            for lesson in self.state.lessons[self.problem.places[p].bundle]
        }
        some = self.random.sample(every, self.wish.few)
        return tuple(r for r in every if r in present or r in some)

    def _must_fill(self, place: int) -> bool:
        return any(m.kind == "AssignResource" and m.is_hard for m in self.problem.place_monitors[place])

    def _current(self, bundle: int, option: Option) -> list[int] | None:
        """Return the resources of the lesson the option now is, if it is one."""
        for lesson in self.state.lessons[bundle]:
            if (self.state.duration[lesson], self.state.start[lesson]) == (
                option.duration,
                option.start,
            ) and (option.lesson in (-1, lesson)):
                return self.state.chosen[lesson]
        return None

    def _count_outside(self) -> None:
        """Count, for every resource the window can touch, what the lessons outside occupy."""
        state = self.state
        for resource in self.terms:
            self.outside[resource] = list(state.counts[resource])
        for index in self.inside:
            bundle = self.problem.bundles[index]
            for lesson in state.lessons[index]:
                start = state.start[lesson]
                if start < 0:
                    continue
                moving = list(bundle.resources) if index in self.timed else []
                if index in self.placed:
                    moving += [r for r in state.chosen[lesson] if r >= 0]
                for resource in moving:
                    if resource not in self.outside:
                        self.outside[resource] = list(state.counts[resource])
                    counts = self.outside[resource]
                    for time in range(start, start + state.duration[lesson]):
                        counts[time] -= 1

    # Prices

    def _is_strict(self, monitor: Monitor, deviation: int) -> bool:
        """Whether a monitor has to hold in the window."""
        if self.wish.no_cost:
            return True
        if deviation == 0 and (monitor.is_hard or self.wish.keep_zero):
            return True
        return monitor.is_hard and self.wish.no_slack

    def _charge(self, monitor: Monitor, deviation: cp_model.LinearExprT, most: int, now: int) -> None:
        """Price a deviation that is an expression never below the true one (0 is allowed below)."""
        if self._is_strict(monitor, now):
            if isinstance(deviation, int):
                self.is_broken |= deviation > 0
            else:
                self.model.add(deviation <= 0)
            return
        if self.wish.no_objective and not monitor.is_hard:
            return
        if isinstance(deviation, int) or most <= 0:
            return
        weight = monitor.weight // HARD * BIG if monitor.is_hard else monitor.weight
        amount = self.model.new_int_var(0, most, "")
        self.model.add(amount >= deviation)
        if monitor.function == QUADRATIC:
            square = self.model.new_int_var(0, most * most, "")
            for step in range(most):
                self.model.add(square >= (2 * step + 1) * amount - step * (step + 1))
            amount = square
        elif monitor.function == STEP:
            any_at_all = self.model.new_bool_var("")
            self.model.add(amount <= most * any_at_all)
            amount = any_at_all
        self.prices.append(amount)
        self.weights.append(weight)

    def _outside_bounds(
        self, parts: Sequence[tuple[cp_model.LinearExprT, int, int, int]]
    ) -> tuple[cp_model.LinearExprT, int]:
        """Return a sum of distances of (expression, its greatest value, minimum, maximum) from their bounds."""
        terms: list[cp_model.LinearExprT] = []
        most = 0
        for value, greatest, low, high in parts:
            if isinstance(value, int):
                distance = max(low - value, value - high, 0)
                if distance:
                    terms.append(distance)
                    most += distance
                continue
            span = max(low, greatest - high, 0)
            if not span:
                continue
            far = self.model.new_int_var(0, span, "")
            if low > 0:
                self.model.add(far >= low - value)
            if greatest > high:
                self.model.add(far >= value - high)
            terms.append(far)
            most += span
        return (sum(terms) if terms else 0), most

    # Resources

    def _resources(self) -> None:
        for resource in sorted(set(self.terms) | set(self.outside)):
            is_strict = self._clashes(resource)
            for monitor in self.state.busy_monitors[resource]:
                if self.wish.no_objective and not monitor.is_hard:
                    continue
                now = busy_deviation(monitor, self.state.busy[resource])
                if monitor.kind == "AvoidUnavailableTimes":
                    self._unavailable(resource, monitor, now, is_strict)
                elif monitor.kind == "LimitIdleTimes":
                    self._idle(resource, monitor, now, is_strict)
                else:
                    self._busy_groups(resource, monitor, now, is_strict)

    def _clashes(self, resource: int) -> bool:
        """Forbid or price clashes; return whether the resource is busy at most once at any time."""
        monitors = self.state.clash_monitors[resource]
        if not monitors:
            return False
        counts, terms = self.outside[resource], self.terms[resource]
        if any(self._is_strict(m, self.state.excess[resource]) for m in monitors):
            is_full = self._is_full(resource)
            for time, literals in sorted(terms.items()):
                if counts[time] > 1 and self.wish.no_slack:
                    self.is_broken = True
                if is_full and not counts[time]:
                    self.model.add_exactly_one(literals)
                else:
                    self._at_most(literals, 1 - counts[time])
            return True
        total: list[cp_model.LinearExprT] = [
            sum(max(count - 1, 0) for t, count in enumerate(counts) if t not in terms)
        ]
        most = 0
        for time, literals in sorted(terms.items()):
            span = len(literals) + counts[time] - 1
            if span <= 0:
                continue
            over = self.model.new_int_var(0, span, "")
            self.model.add(over >= sum(literals) + counts[time] - 1)
            total.append(over)
            most += span
        for monitor in monitors:
            self._charge(monitor, sum(total), most + int(total[0]), self.state.excess[resource])
        return False

    def _is_full(self, resource: int) -> bool:
        """Return whether the lessons inside need every free time of the resource, so that none stays idle."""
        mine = [b for b in self.timed if resource in self.problem.bundles[b].resources]
        if any(self.untimed[b] for b in mine):
            return False
        free = sum(not self.outside[resource][time] for time in self.terms[resource])
        needed = sum(
            self.problem.bundles[b].duration * self.problem.bundles[b].resources.count(resource) for b in mine
        )
        return bool(mine) and needed == free

    def _at_most(self, literals: list[Literal], room: int) -> None:
        if room <= 0:
            for literal in literals:
                self.model.add(literal == 0)
            return
        if len(literals) < 2:
            return
        if len({id(x) if isinstance(x, int) else x.index for x in literals}) < len(literals):
            # One lesson takes the resource twice: that literal alone is a clash.
            self.model.add(sum(literals) <= 1)
            return
        key = frozenset(x.index for x in literals)
        if key not in self.seen_at_most_one:
            self.seen_at_most_one.add(key)
            self.model.add_at_most_one(literals)

    def _busy(self, resource: int, time: int, is_strict: bool) -> Literal:
        """Return a literal (or 0 or 1) that says whether the resource is busy."""
        key = (resource, time)
        known = self.busy_of.get(key)
        if known is not None:
            return known
        literals = self.terms[resource].get(time, [])
        result: Literal
        if self.outside[resource][time] > 0:
            result = 1
        elif not literals:
            result = 0
        elif len(literals) == 1:
            result = literals[0]
        else:
            result = self._bool()
            if is_strict:
                self.model.add(sum(literals) == result)
            else:
                self.model.add_max_equality(result, literals)
        self.busy_of[key] = result
        return result

    def _bits(self, mask: int) -> list[int]:
        return [t for t in range(self.problem.slots) if mask >> t & 1]

    def _unavailable(self, resource: int, monitor: Monitor, now: int, is_strict: bool) -> None:
        literals = [self._busy(resource, t, is_strict) for t in self._bits(monitor.facts[0])]
        total = sum(literals)
        if self._is_strict(monitor, now):
            for literal in literals:
                if isinstance(literal, int):
                    self.is_broken |= literal > 0
                else:
                    self.model.add(literal == 0)
            return
        self._charge(monitor, total, len(literals), now)

    def _idle(self, resource: int, monitor: Monitor, now: int, is_strict: bool) -> None:
        groups, low, high = monitor.facts
        total: list[cp_model.LinearExprT] = []
        most = 0
        for times in groups:
            literals = [self._busy(resource, t, is_strict) for t in times]
            if all(isinstance(x, int) and x == 0 for x in literals):
                continue
            before = self._prefix(literals)
            after = self._prefix(literals[::-1])[::-1]
            for position in range(1, len(times) - 1):
                literal = literals[position]
                if isinstance(literal, int) and literal == 1:
                    continue
                idle = self._bool()
                both = before[position - 1] + after[position + 1]
                self.model.add(idle >= both - literal - 1)
                if low > 0:
                    self.model.add(idle <= before[position - 1])
                    self.model.add(idle <= after[position + 1])
                    self.model.add(idle <= 1 - literal)
                total.append(idle)
                most += 1
        deviation, span = self._outside_bounds([(sum(total) if total else 0, most, low, high)])
        self._charge(monitor, deviation, span, now)

    def _prefix(self, literals: list[Literal]) -> list[Literal]:
        """Return, for each position, whether anything up to it is busy."""
        result: list[Literal] = []
        previous: Literal = 0
        for literal in literals:
            if (isinstance(literal, int) and literal == 1) or (isinstance(previous, int) and previous == 1):
                previous = 1
            elif isinstance(previous, int):
                previous = literal
            elif not isinstance(literal, int):
                reached = self._bool()
                self.model.add_max_equality(reached, [previous, literal])
                previous = reached
            result.append(previous)
        return result

    def _busy_groups(self, resource: int, monitor: Monitor, now: int, is_strict: bool) -> None:
        masks, low, high = monitor.facts
        days: list[Literal] = []
        parts: list[tuple[cp_model.LinearExprT, int, int, int]] = []
        for mask in masks:
            literals = [self._busy(resource, t, is_strict) for t in self._bits(mask)]
            sure = sum(x for x in literals if isinstance(x, int))
            loose = [x for x in literals if not isinstance(x, int)]
            if monitor.kind == "ClusterBusyTimes":
                days.append(self._any(sure, loose))
                continue
            count = sum(loose) + sure if loose else sure
            greatest = sure + len(loose)
            if not greatest:
                continue
            if low <= 1:
                parts.append((count, greatest, 0, high))
            else:
                # Too few counts only on a day with anything at all: low * day - count.
                day = self._any(sure, loose)
                if greatest > high:
                    parts.append((count, greatest, 0, high))
                short = self.model.new_int_var(0, low, "")
                self.model.add(short >= low * day - count)
                parts.append((short, low, 0, 0))
        if monitor.kind == "ClusterBusyTimes":
            sure = sum(x for x in days if isinstance(x, int))
            loose = [x for x in days if not isinstance(x, int)]
            parts.append((sum(loose) + sure if loose else sure, len(days), low, high))
        deviation, most = self._outside_bounds(parts)
        self._charge(monitor, deviation, most, now)

    def _any(self, sure: int, loose: list[Literal]) -> Literal:
        if sure:
            return 1
        if len(loose) < 2:
            return loose[0] if loose else 0
        result = self._bool()
        self.model.add_max_equality(result, loose)
        return result

    # Bundles and groups of them

    def _bundles(self) -> None:
        for index in sorted(self.timed):
            bundle = self.problem.bundles[index]
            options, untimed = self.options[index], self.untimed[index]
            key = [(self.state.duration[x], self.state.start[x]) for x in self.state.lessons[index]]
            for monitor in bundle.monitors:
                if self.wish.no_objective and not monitor.is_hard:
                    continue
                deviation, most = self._bundle_deviation(monitor, options, untimed, bundle.duration)
                self._charge(monitor, deviation, most, bundle_deviation(monitor, key))

    def _bundle_deviation(
        self, monitor: Monitor, options: list[Option], untimed: dict[int, Literal], duration: int
    ) -> tuple[cp_model.LinearExprT, int]:
        facts = monitor.facts
        if monitor.kind == "AssignTime":
            if not untimed:
                return 0, 0
            return cp_model.LinearExpr.weighted_sum(list(untimed.values()), list(untimed)), duration
        if monitor.kind == "PreferTimes":
            mask, only = facts
            bad = [o for o in options if only in (None, o.duration) and not mask >> o.start & 1]
            if not bad:
                return 0, 0
            return cp_model.LinearExpr.weighted_sum(
                [o.literal for o in bad], [o.duration for o in bad]
            ), duration
        if monitor.kind == "SpreadEvents":
            parts = []
            for mask, low, high, times in facts:
                literals = [o.literal for o in options if mask >> o.start & 1]
                count = times * sum(literals) if literals else 0
                parts.append((count, times * min(len(literals), duration), low, high))
            return self._outside_bounds(parts)
        if monitor.kind == "DistributeSplitEvents":
            wanted, low, high = facts
            literals = [o.literal for o in options if o.duration == wanted]
            if wanted in untimed:
                literals.append(untimed[wanted])
            return self._outside_bounds(
                [(sum(literals) if literals else 0, duration // max(wanted, 1), low, high)]
            )
        shortest, longest, low, high = facts
        literals = [o.literal for o in options] + list(untimed.values())
        wrong: list[Literal] = [o.literal for o in options if not shortest <= o.duration <= longest]
        wrong += [count for size, count in untimed.items() if not shortest <= size <= longest]
        amount, most = self._outside_bounds([(sum(literals) if literals else 0, duration, low, high)])
        return (sum(wrong) if wrong else 0) + amount, most + (duration if wrong else 0)

    def _groups(self) -> None:
        touched = sorted({g for index in self.timed for g in self.problem.bundles[index].groups})
        for index in touched:
            group = self.problem.groups[index]
            monitor = group.monitor
            if self.wish.no_objective and not monitor.is_hard:
                continue
            now = self.state.group_deviation(index)
            if monitor.kind == "SpreadEvents":
                deviation, most = self._spread(group.bundles, monitor.facts)
            elif monitor.kind == "LinkEvents":
                deviation, most = self._link([bundle for bundle, _ in group.bundles])
            else:
                deviation, most = self._order(group.bundles[0][0], group.bundles[1][0], *monitor.facts)
            self._charge(monitor, deviation, most, now)

    def _spread(self, bundles: Iterable[tuple[int, int]], limits: tuple) -> tuple[cp_model.LinearExprT, int]:
        state = self.state
        parts = []
        for mask, low, high in limits:
            sure, literals, weights = 0, [], []
            for bundle, times in bundles:
                if bundle in self.timed:
                    its = [o.literal for o in self.options[bundle] if mask >> o.start & 1]
                    literals += its
                    weights += [times] * len(its)
                else:
                    starts = [state.start[x] for x in state.lessons[bundle]]
                    sure += times * sum(start >= 0 and mask >> start & 1 for start in starts)
            if literals:
                greatest = sure + sum(
                    times * self.problem.bundles[bundle].duration
                    for bundle, times in bundles
                    if bundle in self.timed
                )
                parts.append(
                    (cp_model.LinearExpr.weighted_sum(literals, weights) + sure, greatest, low, high)
                )
            else:
                parts.append((sure, sure, low, high))
        return self._outside_bounds(parts)

    def _running(self, bundle: int, time: int) -> Literal:
        if bundle not in self.timed:
            return self.state.running(bundle) >> time & 1
        literals = [o.literal for o in self.options[bundle] if o.start <= time < o.start + o.duration]
        return self._any(0, literals)

    def _link(self, bundles: list[int]) -> tuple[cp_model.LinearExprT, int]:
        """Count the times some but not all of the bundles run."""
        total: list[cp_model.LinearExprT] = []
        most = 0
        for time in range(self.problem.slots):
            running = [self._running(bundle, time) for bundle in bundles]
            loose = [x for x in running if not isinstance(x, int)]
            sure = {x for x in running if isinstance(x, int)}
            if not loose:
                total.append(int(len(sure) > 1))
                most += int(len(sure) > 1)
                continue
            apart = self._bool()
            most += 1
            total.append(apart)
            if sure == {0, 1}:
                self.model.add(apart == 1)
            elif sure:
                level = sure.pop()
                for literal in loose:
                    self.model.add(apart >= (1 - literal if level else literal))
            else:
                for left, right in zip(loose, loose[1:] + loose[:1], strict=True):
                    self.model.add(apart >= left - right)
        return sum(total), most

    def _order(self, first: int, second: int, least: int, most: int) -> tuple[cp_model.LinearExprT, int]:
        """Return the distance of the gap between two bundles from its bounds; none while a lesson has no time."""
        slots = self.problem.slots
        end, begin = self._edge(first, is_end=True), self._edge(second, is_end=False)
        span = slots + max(least, most)
        away = self.model.new_int_var(0, span, "")
        absent = [u for b in {first, second} & self.timed for u in self.untimed[b].values()]
        has_gap_outside = any(
            self.state.start[x] < 0 for b in {first, second} - self.timed for x in self.state.lessons[b]
        )
        if has_gap_outside:
            return 0, 0
        slack = 2 * span * sum(absent) if absent else 0
        self.model.add(away >= least - (begin - end) - slack)
        if most < slots:
            self.model.add(away >= (begin - end) - most - slack)
        return away, span

    def _edge(self, bundle: int, *, is_end: bool) -> cp_model.LinearExprT:
        """Return the last end or the first start of a bundle."""
        state = self.state
        if bundle not in self.timed:
            ends = [
                state.start[x] + (state.duration[x] if is_end else 0)
                for x in state.lessons[bundle]
                if state.start[x] >= 0
            ]
            return (max(ends) if is_end else min(ends)) if ends else 0
        slots = self.problem.slots
        edge = self.model.new_int_var(0, slots, "")
        values: list[cp_model.LinearExprT] = []
        for option in self.options[bundle]:
            if is_end:
                values.append((option.start + option.duration) * option.literal)
            else:
                values.append(slots - (slots - option.start) * option.literal)
        (self.model.add_max_equality if is_end else self.model.add_min_equality)(edge, values or [0])
        return edge

    # Places

    def _places(self) -> None:
        for index in sorted(self.placed):
            bundle = self.problem.bundles[index]
            for slot, place in enumerate(bundle.places):
                lessons = [
                    (self.state.duration[x], self.state.chosen[x][slot]) for x in self.state.lessons[index]
                ]
                for monitor in self.problem.place_monitors[place]:
                    if self.wish.no_objective and not monitor.is_hard:
                        continue
                    now = place_deviation(monitor, lessons)
                    literals: list[Literal] = []
                    sizes: list[int] = []
                    for number, option in enumerate(self.options[index]):
                        for resource, literal in self.picks[index, number, slot]:
                            if monitor.kind == "AssignResource" or resource not in monitor.facts[0]:
                                literals.append(literal)
                                sizes.append(option.duration)
                    total = cp_model.LinearExpr.weighted_sum(literals, sizes) if literals else 0
                    if monitor.kind != "AssignResource":
                        self._charge(monitor, total, bundle.duration, now)
                    elif literals:
                        self._charge(monitor, bundle.duration - total, bundle.duration, now)

    def _splits(self) -> None:
        touched = sorted(
            {
                s
                for b in self.placed
                for p in self.problem.bundles[b].places
                for s in self.problem.place_splits[p]
            }
        )
        for index in touched:
            group = self.problem.splits[index]
            sure = set(group.fixed)
            picked: dict[int, list[cp_model.IntVar]] = defaultdict(list)
            for place in group.places:
                bundle = self.problem.places[place].bundle
                slot = self.state.slot_of_place[place]
                if bundle not in self.placed:
                    sure.update(self.state.chosen[x][slot] for x in self.state.lessons[bundle])
                    continue
                for number in range(len(self.options[bundle])):
                    for resource, literal in self.picks[bundle, number, slot]:
                        picked[resource].append(literal)
            sure.discard(-1)
            used: list[Literal] = []
            for resource, literals in sorted(picked.items()):
                if resource in sure:
                    continue
                if len(literals) == 1:
                    used.append(literals[0])
                    continue
                any_of = self._bool()
                for literal in literals:
                    self.model.add_implication(literal, any_of)
                used.append(any_of)
            now = len(self.state.split_resources(index)) - 1
            self._charge(group.monitor, sum(used) + len(sure) - 1, len(used) + len(sure) - 1, max(now, 0))

    def _workloads(self) -> None:
        state = self.state
        picked: dict[int, list[tuple[Literal, int]]] = defaultdict(list)
        for (index, number, slot), picks in self.picks.items():
            place = self.problem.bundles[index].places[slot]
            weight = state.share[place] * self.options[index][number].duration
            for resource, literal in picks:
                picked[resource].append((literal, weight))
        inside: dict[int, int] = defaultdict(int)
        for index in self.placed:
            for slot, place in enumerate(self.problem.bundles[index].places):
                for lesson in state.lessons[index]:
                    if state.chosen[lesson][slot] >= 0:
                        inside[state.chosen[lesson][slot]] += state.share[place] * state.duration[lesson]
        for resource, terms in sorted(picked.items()):
            for monitor in self.problem.workload_monitors[resource]:
                low, high = monitor.facts
                rest = state.load[resource] - inside[resource]
                greatest = rest + sum(weight for _, weight in terms)
                load = cp_model.LinearExpr.weighted_sum([x for x, _ in terms], [w for _, w in terms]) + rest
                span = max(low, -(-(greatest - high * state.scale) // state.scale), 0)
                if not span:
                    continue
                far = self.model.new_int_var(0, span, "")
                self.model.add(far * state.scale >= load - high * state.scale)
                if low:
                    self.model.add(far * state.scale >= low * state.scale - load)
                now = load_deviation(monitor, state.load[resource], state.scale)
                self._charge(monitor, far, span, now)

    def _enough_resources(self) -> None:
        """Let no more lessons run at once than there are resources their places could take.

        Looks at every distinct set of candidates, at every resource type as a whole, and at the pools wished for.
        """
        problem = self.problem
        sets: dict[frozenset[int], None] = {}
        of_kind: dict[str, set[int]] = defaultdict(set)
        for place in problem.places:
            if place.candidates:
                sets[frozenset(place.candidates)] = None
                of_kind[problem.instance.resources[place.candidates[0]].kind] |= set(place.candidates)
        for whole in of_kind.values():
            sets[frozenset(whole)] = None
        sets.update(dict.fromkeys(self.wish.pools))
        required = [p for i, p in enumerate(problem.places) if self._must_fill(i)]
        for pool in sets:
            if not all(any(m.is_hard for m in self.state.clash_monitors[r]) for r in pool):
                continue
            needs: dict[int, int] = defaultdict(int)
            for place in required:
                if pool.issuperset(place.candidates):
                    needs[place.bundle] += 1
            self._pool(pool, needs)

    def _pool(self, pool: frozenset[int], needs: dict[int, int]) -> None:
        at: dict[int, list[tuple[Literal, int]]] = defaultdict(list)
        for resource in pool:
            for time, literals in self.terms.get(resource, {}).items():
                at[time] += [(literal, 1) for literal in literals]
        for bundle, count in needs.items():
            if bundle in self.timed:
                for option in self.options[bundle]:
                    for time in range(option.start, option.start + option.duration):
                        at[time].append((option.literal, count))
        taken = [0] * self.problem.slots
        for resource in pool:
            for monitor in self.state.busy_monitors[resource]:
                if monitor.kind == "AvoidUnavailableTimes" and monitor.is_hard:
                    for time in self._bits(monitor.facts[0]):
                        taken[time] += 1
        for bundle, count in needs.items():
            if bundle not in self.timed:
                for time in self._bits(self.state.running(bundle)):
                    taken[time] += count
        for time, terms in at.items():
            if sum(weight for _, weight in terms) + taken[time] > len(pool):
                total = cp_model.LinearExpr.weighted_sum([x for x, _ in terms], [w for _, w in terms])
                self.model.add(total <= max(len(pool) - taken[time], 0))

    # The answer

    def _read(self, solver: cp_model.CpSolver) -> dict[int, Parts]:
        found: dict[int, Parts] = {}
        state = self.state
        for index in sorted(self.inside):
            bundle = self.problem.bundles[index]
            parts: Parts = []
            for number, option in enumerate(self.options[index]):
                if not isinstance(option.literal, int) and not solver.boolean_value(option.literal):
                    continue
                chosen = [-1] * len(bundle.places)
                if index in self.placed:
                    for slot in range(len(bundle.places)):
                        for resource, literal in self.picks[index, number, slot]:
                            if solver.boolean_value(literal):
                                chosen[slot] = resource
                parts.append((option.duration, option.start, tuple(chosen)))
            empty = (-1,) * len(bundle.places)
            if index in self.timed:
                for duration, count in self.untimed[index].items():
                    parts += [(duration, -1, empty)] * int(solver.value(count))
            else:
                parts += [
                    (state.duration[x], -1, tuple(state.chosen[x]))
                    for x in state.lessons[index]
                    if state.start[x] < 0
                ]
            found[index] = parts
        return found
