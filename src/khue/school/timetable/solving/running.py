"""A run of the engine: place, repair, improve; nothing is reported that the independent check has not confirmed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from time import monotonic
from typing import TYPE_CHECKING

from khue.school.timetable.solving import checking
from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.compiling import SCALE, Compiled, compiled
from khue.school.timetable.solving.engine import Best, Progress, Result, Stop
from khue.school.timetable.solving.model import Placement, Problem, Solution
from khue.school.timetable.solving.narrowing import narrowed
from khue.school.timetable.solving.placing import Board, Placer
from khue.school.timetable.solving.polishing import Polisher
from khue.school.timetable.solving.relations import Relations
from khue.school.timetable.solving.state import State
from khue.school.timetable.solving.threads import at_once

if TYPE_CHECKING:
    from khue.school.timetable.solving.annealing import Annealer
    from khue.school.timetable.solving.exact import Window
    from khue.school.timetable.solving.settling import Settler
    from khue.school.timetable.solving.swapping import Swapper

SMALL, SMALL_ROUNDS = 100, 10
"""Up to so many units, so many calls a unit of the plain placing go before the compiled one: NumPy takes longer to import."""
FIRST_ROUNDS = 4_000
"""Calls of the plain placing before the days are looked at; each time after twice as many."""
SWAPS_A_UNIT, FEWEST_SWAPS, MOST_SWAPS = 300, 6_000, 400_000
SETTLED_AFTER = 600
"""Calls a unit after which an annealing joins in to place everything: most schools need fewer."""
MOVES_A_CALL = (4, 16)
"""Its moves for each further call, of which 16 take about as long: fewer until it once had everything placed, be it with rules
broken, for where it has not it hardly ever gets there."""
FIRST_SHARES = (3, 30)
"""Calls of the compiled placing: so many times these before the first look at the days, which takes longer than most schools
need, and before the first windows; each time after three times as many."""
REPORTED = 20_000
"""Calls of the compiled placing between looks whether there is something to report."""
NARROWINGS = 8
"""How often rooms that go together are decided anew before they are left to the repair."""
LONGEST_EXPLAINING = 90.0
WHOLE, WHOLE_EFFORT = 500, 2.0
"""Up to so many units the whole is asked of one model, for so long, when nothing else places it: it may be impossible."""
PATIENCE = 10
DAYS_EFFORT, DAYS_LOOK = 3.0, 0.3
COLD = 0.05
MOVES_A_UNIT, FEWEST_MOVES = 20, 10_000
MOVES_A_SECOND = 10_000
"""Moves of the long annealing for each second given, ten times as many compiled: one slow cooling gains more than several
fast ones together."""
LONGER = 1.6
ANNEAL_SHARE, DAYS_SHARE = 0.4, 0.2
"""The most of what is left that one annealing, or looking for better days, may take."""
LEAST_COST = 1e-9
"""What costs less costs nothing."""
DULL = 8
"""Windows without gain after which the timetable is annealed again, for longer where that helped."""


def run(
    problem: Problem, *, seconds: float, threads: int, seed: int, start: Solution, progress: Progress | None, stop: Stop, explain: bool = True
) -> Result:
    """Do what `engine.solve` promises."""
    run_ = _Run(problem, seconds, max(1, threads), seed, progress, stop)
    result = run_.result(start)
    if explain and result.status == "infeasible":
        from khue.school.timetable.solving.clashing import clash_of

        left = min(LONGEST_EXPLAINING, run_.until - monotonic())
        result = replace(result, clash=clash_of(problem, seconds=left, seed=seed, stop=stop), seconds=monotonic() - run_.began)
    return result


@dataclass
class _Score:
    """How good a state is: not placed, hard units broken, soft cost; smaller is better."""

    missing: int
    hard: int
    cost: float

    def key(self) -> tuple[int, int, float]:
        return (self.missing, self.hard, self.cost)


class _Run:
    def __init__(self, problem: Problem, seconds: float, threads: int, seed: int, progress: Progress | None, stop: Stop) -> None:
        self.began = monotonic()
        self.problem, self.threads, self.progress, self.stop = problem, threads, progress, stop
        self.seconds, self.until = seconds, self.began + seconds
        self.rng = random.Random(seed)  # noqa: S311
        self.best: Best | None = None
        self.first: float | None = None
        self.refused = False  # no choice of days is possible at all
        self.counters: dict[str, int] = {"rounds": 0, "windows": 0, "improved": 0, "polished": 0}
        self.polisher: Polisher | None = None
        self.annealers: Sequence[Annealer] | None = None  # none: some rule is none of theirs
        self.settler: Settler | None = None
        self.is_whole_refused = False
        self.asked = False  # whether the whole was asked of one model
        self.pace = 0.0  # seconds a move of the last annealing

    def is_over(self) -> bool:
        """Return whether the time is up or somebody said stop."""
        return monotonic() >= self.until or self.stop()

    def result(self, start: Solution) -> Result:
        """Run."""
        from khue.school.timetable.solving import explaining

        self.c = self.whole = compiled(self.problem)
        reasons = explaining.certain(self.problem, self.c)
        if reasons:
            return self._ended("infeasible", tuple(str(reason) for reason in reasons))
        begun = state_of(self.c, start)
        self._narrow(begun)
        if begun.starts:
            self._look(begun)
        self.board.load_state(begun)
        state = self._place_narrowed() if self.c is not self.whole else None
        if state is None:
            state = self._place()
        if self.refused:
            return self._ended("infeasible", (str(explaining.whole_clash() if self.is_whole_refused else explaining.days_clash()),))
        if state is not None and self._look(state).hard:
            state = self._mend(state)
        if state is not None and not self.is_over():
            self._improve(state)
        status = "feasible" if self.best is not None and not self.best.violations and self.best.placed == self.best.activities else "unknown"
        return self._ended(status, ())

    def _narrow(self, state: State | None = None) -> None:
        """Decide rooms that go together, as in the state where it has them; begin with an empty board."""
        self._take(narrowed(self.whole, self.rng, state))

    def _take(self, c: Compiled) -> None:
        self.c, self.relations = c, Relations(c)
        self.board = Board(c, self.relations, self.rng)
        self.polisher = self.annealers = self.settler = None

    def _ended(self, status: str, reasons: tuple[str, ...]) -> Result:
        seconds = monotonic() - self.began
        return Result(status, self.best, self.first, seconds, reasons, dict(self.counters))

    # --- looking -------------------------------------------------------------------------------------------------

    def _look(self, state: State, phase: str = "placing") -> _Score:
        """Check a state; report it when it is the best so far."""
        solution = solution_of(self.c, state)
        report = checking.check(self.problem, solution)
        score = _Score(report.activities - report.placed, report.hard, report.cost)
        self.report = report
        best = self.best
        if best is None or score.key() < (best.activities - best.placed, best.violations, best.cost - LEAST_COST):
            seconds = monotonic() - self.began
            self.best = Best(solution, report.placed, report.activities, report.hard, report.cost, seconds, phase)
            if score.missing == 0 and score.hard == 0 and self.first is None:
                self.first = seconds
            if self.progress is not None:
                self.progress(self.best)
        return score

    # --- placing -------------------------------------------------------------------------------------------------

    def _place_narrowed(self) -> State | None:
        """Place everything with rooms decided before, in one way after another; None when that does not work out.

        The whole problem is there again then.
        """
        calls, best = SWAPS_A_UNIT * len(self.c.members), self.board.state()
        for attempt in range(NARROWINGS):
            swapper = self._swapper()
            if swapper is None or self.is_over():
                break
            swapper.load(best)
            best = self._swap(swapper, calls * (1 + attempt), best, alone=True)
            if not self._missing(best):
                return best  # what is still broken is mended
            self._narrow()
            best = State()
        self._take(self.whole)
        return None

    def _place(self) -> State | None:
        """Place everything; None when the time is over before.

        First by pushing out, in compiled code; in plain code first for a moment where there is little to place, or the other has yet to be made. Then the days of
        everything are decided at once, each day is filled on its own, and what is missing is repaired in windows; and so on.
        """
        placer, rounds, units = Placer(self.board, self.rng), FIRST_ROUNDS, len(self.c.members)
        if units <= SMALL and self._push(placer, SMALL_ROUNDS * units):
            return self._reported(self.board.state())
        swapper = self._swapper(is_made=True)
        if swapper is None and self._push(placer, rounds):
            return self._reported(self.board.state())
        swapper = swapper or self._swapper()
        best = self.board.state()
        if best.starts:
            self._look(best)
        avoided: dict[tuple[int, int], int] = {}
        calls = min(MOST_SWAPS, max(FEWEST_SWAPS, SWAPS_A_UNIT * units))
        if swapper is not None:
            swapper.load(best)
        while not self.is_over() and not self.refused:
            if swapper is not None:
                for share in FIRST_SHARES:
                    best = self._swap(swapper, calls * share, best)
                    if not self._missing(best) or self.is_over():
                        return best if not self._missing(best) else None
                    if share == FIRST_SHARES[0] and not avoided and not self._are_days_possible():
                        return None
            for attempt in (self._by_days(avoided), best):
                if attempt is None or self.refused:
                    continue
                state = self._repair(attempt)
                if self._missing(state) <= self._missing(best):
                    best = self._reported(state)
                if not self._missing(state):
                    return state
                if self.is_over():
                    return None
                if swapper is not None:
                    continue
                self.board.load_state(state)
                if self._push(placer, rounds):
                    return self._reported(self.board.state())
                if self._missing(self.board.state()) < self._missing(best):
                    best = self._reported(self.board.state())
            rounds, calls = min(rounds * 2, 60_000), calls * 3
            whole = self._whole()
            if whole is not None:
                return self._reported(whole)
        return None

    def _swapper(self, *, is_made: bool = False) -> Swapper | None:
        """Return the compiled placing, None where a rule of the problem is none of its, or where Numba is not installed.

        is_made   also none where its machine code has yet to be made, which takes as long as a hundred easy schools
        """
        from khue.school.timetable.solving.desk import Unsayable

        if find_spec("numba") is None:
            return None
        from khue.school.timetable.solving.swapping import Swapper, are_loops_made

        if is_made and not are_loops_made():
            return None
        try:
            return Swapper(self.c, self.board, self.relations, self.rng, threads=self.threads)
        except Unsayable:
            return None

    def _swap(self, swapper: Swapper, calls: int, best: State, *, alone: bool = False) -> State:
        """Place in compiled code for so many calls a thread; return the fullest timetable, the one given when none was fuller.

        By pushing out, and by annealing in turn unless `alone`.
        """
        before, left = swapper.rounds, calls
        while left > 0 and not self.is_over():
            done = swapper.run(self.until, min(REPORTED, left), self.stop)
            left -= REPORTED
            state = swapper.state()
            if not done and not alone and swapper.rounds > SETTLED_AFTER * len(self.c.members) * self.threads:
                state = self._settle(swapper, REPORTED) or state
            if self._missing(state) < self._missing(best):
                best = self._reported(state)
            if done or not self._missing(best):
                break
        self.counters["rounds"] += swapper.rounds - before
        return best

    def _settle(self, swapper: Swapper, calls: int) -> State | None:
        """Place by annealing beside so many calls of pushing out; None while not everything is placed.

        Where one has ended, pushing out goes on.
        """
        if self.settler is None:
            from khue.school.timetable.solving.settling import Settler

            self.settler = Settler(self.c, self.board, self.relations, self.rng, self.threads)
        found = self.settler.run(calls * MOVES_A_CALL[self.settler.was_whole], self.until, self.stop)
        for state in self.settler.ended()[:1]:
            swapper.add(state)
        return found

    def _whole(self) -> State | None:
        """Ask one model for everything, once; it may prove that there is nothing, and then `refused` is set."""
        from khue.school.timetable.solving.exact import Infeasible, Window

        if self.asked or len(self.c.members) > WHOLE or self.is_over() or self.refused:
            return None
        self.asked = True
        try:
            window = Window(self.c, range(len(self.c.members)), State(), only_hard=True)
        except Infeasible:
            self.refused = self.is_whole_refused = self.c is self.whole
            return None
        (_, found, is_certain), *_rest = self._solve([window], WHOLE_EFFORT)
        self.refused = self.is_whole_refused = found is None and is_certain and self.c is self.whole
        return found

    def _missing(self, state: State) -> int:
        """Return how many periods are not placed."""
        return sum(self.board.hours[u] for u in range(len(self.c.members)) if u not in state.starts)

    def _reported(self, state: State) -> State:
        self._look(state)
        return state

    def _push(self, placer: Placer, rounds: int) -> bool:
        """Go on placing by pushing out; leave the fullest board behind."""
        fullest: list[State] = []
        board = self.board

        def note() -> None:
            if len(board.start) - board.count < 40:
                fullest[:] = [board.state()]

        before = placer.rounds
        done = placer.run(self.until, rounds, self.stop, note)
        self.counters["rounds"] += placer.rounds - before
        if not done and fullest:
            board.load_state(fullest[0])
        return done

    def _are_days_possible(self) -> bool:
        """Ask shortly whether any choice of days is possible; when it is not, `refused` is set."""
        from khue.school.timetable.solving.days import DayModel

        model = DayModel(self.c, self.relations, {}, with_costs=False)
        left = max(0.05, self.until - monotonic())
        self.refused = model.solve(seconds=left, effort=DAYS_LOOK, seed=self.rng.randrange(1 << 30), hint=None, workers=1) is False
        self.refused = self.refused and self.c is self.whole  # a guess that fails proves nothing
        return not self.refused

    def _by_days(self, avoided: dict[tuple[int, int], int], hint: State | None = None, *, soft: bool = False) -> State | None:
        """Decide all days at once, then fill each date; None when the days could not be decided.

        avoided   (unit, day) -> price, of what went wrong before; grows by what goes wrong now
        """
        from khue.school.timetable.solving.days import DayModel

        model = DayModel(self.c, self.relations, avoided, with_costs=soft)
        days = {u: s // self.c.height for u, s in hint.starts.items()} if hint is not None else None
        left = max(0.05, self.until - monotonic())
        chosen = model.solve(seconds=left, effort=DAYS_EFFORT, seed=self.rng.randrange(1 << 30), hint=days, workers=self.threads)
        if chosen is False and not soft:
            self.refused = self.c is self.whole
        if not chosen or chosen is True:
            return None
        self.days_cost, self.days_bound = chosen.cost, chosen.bound
        state = State()
        dates: dict[int, list[int]] = {}
        for u, day in chosen.day.items():
            dates.setdefault(self.problem.days[day].date, []).append(u)
        for _, units in sorted(dates.items(), key=lambda it: (-sum(self.board.hours[u] for u in it[1]), it[0])):
            if self.is_over():
                return None
            state = self._fill(units, chosen.day, state, soft=soft)
            for u in units:
                if u not in state.starts:
                    avoided[u, chosen.day[u]] = avoided.get((u, chosen.day[u]), 0) + 5_000
        return state

    def _fill(self, units: list[int], day: dict[int, int], state: State, *, soft: bool) -> State:
        """Place the units of one date within it."""
        from khue.school.timetable.solving.exact import Infeasible, Window

        try:
            window = Window(self.c, units, state, only_hard=not soft, optional=True, within=day)
        except Infeasible:
            return state
        found = self._solve([window], 0.4, enough=None if soft else 10_000)[0][1]
        return state if found is None else found

    # --- windows -------------------------------------------------------------------------------------------------

    def _repair(self, state: State) -> State:
        """Let CP-SAT place what is missing, in windows around it; equally good states are walked through."""
        from khue.school.timetable.solving.exact import Infeasible, Window

        failures, size, missed = 0, 60, self._missing(state)
        while missed and failures < PATIENCE and not self.is_over():
            missing = [u for u in range(len(self.c.members)) if u not in state.starts]
            windows: list[Window] = []
            for _ in range(self.threads):
                if self.rng.random() < 0.35:
                    days = self._some_days(missing)
                    free = {u for u, s in state.starts.items() if s // self.c.height in days} | set(self._few(missing))
                else:
                    days, free = None, self._around(missing, state, size)
                try:
                    windows.append(Window(self.c, free, state, only_hard=True, optional=True, days=days, shake=self.rng))
                except Infeasible:
                    continue
                windows[-1].hint(state)
            better = False
            for _, found, _ in self._solve(windows, 0.2, enough=10_000):
                now = missed + 1 if found is None else self._missing(found)
                if found is not None and now <= missed:
                    better |= now < missed
                    state, missed = found, now
            failures = 0 if better else failures + 1
            size = 60 if better else min(size + 10, 160)
            if better:
                self._look(state)
        return state

    def _few(self, missing: list[int]) -> list[int]:
        return self.rng.sample(missing, min(len(missing), 12))

    def _some_days(self, missing: list[int]) -> frozenset[int]:
        """Return the days of two or three dates, one of which a missing unit could be on."""
        u = self.rng.choice(missing)
        dates = {self.problem.days[s // self.c.height].date for s in self.c.domain[u]}
        every = sorted({day.date for day in self.problem.days})
        chosen = {self.rng.choice(sorted(dates))} | set(self.rng.sample(every, min(len(every), self.rng.choice((1, 1, 2)))))
        return frozenset(d for d, day in enumerate(self.problem.days) if day.date in chosen)

    def _around(self, missing: list[int], state: State, size: int) -> set[int]:
        """Return units that stand in the way of some missing ones: of the same people, and of the people of those."""
        rng = self.rng
        free = set(rng.sample(missing, min(len(missing), 4)))
        ring = sorted(free)
        while len(free) < size and ring:
            u = ring.pop(rng.randrange(len(ring)))
            agendas = list(self.c.agendas_of[u])
            rng.shuffle(agendas)
            for g in agendas[:3]:
                more = [v for _, v in self.c.agendas[g].parts if v not in free]
                rng.shuffle(more)
                for v in more[: max(0, size - len(free))]:
                    free.add(v)
                    ring.append(v)
        return free

    def _solve(self, windows: list[Window], effort: float, enough: int | None = None) -> list[tuple[Window, State | None, bool]]:
        """Solve windows at once, one thread each; return for each its state (None without one) and whether it is best.

        enough   stop at a solution that costs less
        """
        from ortools.sat.python import cp_model

        from khue.school.timetable.solving.cpsat import solver_for

        class Enough(cp_model.CpSolverSolutionCallback):  # type: ignore[misc]
            def on_solution_callback(self) -> None:
                if enough is not None and self.objective_value < enough:
                    self.stop_search()

        seeds = [self.rng.randrange(1 << 30) for _ in windows]
        left = max(0.05, self.until - monotonic())

        def solve(window: Window, seed: int) -> tuple[Window, State | None, bool]:
            solver = solver_for(seconds=left, effort=effort, seed=seed)
            status = solver.solve(window.model, Enough() if enough is not None else None)
            if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
                return window, None, status == cp_model.INFEASIBLE
            return window, window.state_of(lambda literal: bool(solver.value(literal))), status == cp_model.OPTIMAL

        self.counters["windows"] += len(windows)
        return at_once(lambda it: solve(*it), list(zip(windows, seeds, strict=True)))

    # --- mending and improving -----------------------------------------------------------------------------------

    def _mend(self, state: State) -> State | None:
        """Remove breaches of the hard constraints the placing cannot say; None when the time is over before."""
        from khue.school.timetable.solving.exact import Infeasible, Window

        score = self._look(state)
        softened = frozenset(id(k) for k in (*self.board.unsaid, *self.relations.later))
        size = 80
        while score.hard and not self.is_over():
            free = self._near_violations(state, size, hard=True)
            try:
                window = Window(self.c, free, state, only_hard=True, softened=softened)
            except Infeasible:
                size = min(size + 20, len(self.c.members))
                continue
            window.hint(state)
            better = False
            for _, found, _ in self._solve([window], 4.0):
                if found is not None:
                    new = self._look(found)
                    if new.key() <= score.key():
                        better = new.hard < score.hard
                        state, score = found, new
                    else:
                        self._look(state)
            if not better:
                size = min(size + 20, len(self.c.members))
        return state if not score.hard else None

    def _near_violations(self, state: State, size: int, *, hard: bool) -> set[int]:
        """Return units around some broken constraints."""
        rng = self.rng
        broken = [v for v in self.report.violations if v.is_hard == hard and (hard or v.weight > 0)]
        free: set[int] = set()
        while broken and len(free) < size // 3:
            violation = broken.pop(rng.randrange(len(broken)))
            free.update(self.c.unit[self.c.index[key]] for key in violation.activities)
            for name in violation.people:
                for kind in ("teachers", "groups"):
                    if (kind, name) in self.c.by_name:
                        free.update(u for _, u in self.c.agendas[self.c.by_name[kind, name]].parts)
        if not free:
            free = {rng.randrange(len(self.c.members))}
        return self._around(sorted(free), state, size) | set(sorted(free)[:size])

    def _improve(self, state: State) -> None:
        """Lower the soft cost until the time is over or nothing is left to gain: by annealing, and window by window."""
        score = self._look(state, "improving")
        moves = max(FEWEST_MOVES, MOVES_A_UNIT * len(self.c.members))
        longest = max(moves, round(MOVES_A_SECOND * self.seconds))
        state, score, _ = self._polish(state, score, moves)  # a moment: much is gained at once
        state, score, _ = self._polish(state, score, longest)
        moves = max(moves, longest // 8)
        if score.cost > LEAST_COST and self._is_of_days():
            with self._within(DAYS_SHARE):
                state, score = self._better_days(state, score)
        if score.cost <= LEAST_COST or self.is_over():
            return  # before CP-SAT is imported, which takes longer than placing most schools
        from khue.school.timetable.solving.exact import Infeasible, Window

        kinds = ("violations", "days", "people", "around")
        worth = dict.fromkeys(kinds, 1.0)
        size = dict.fromkeys(kinds, 50.0)
        dull = 0
        while score.cost > LEAST_COST and not self.is_over():
            if dull >= DULL * self.threads:
                state, score, moves = self._polish(state, score, moves)
                dull = 0
            jobs: list[Window] = []
            chosen: list[str] = []
            for _ in range(self.threads):
                kind = self.rng.choices(kinds, [worth[k] for k in kinds])[0]
                free = self._neighbourhood(kind, state, round(size[kind]))
                try:
                    window = Window(self.c, free, state)
                except Infeasible:
                    continue
                window.hint(state)
                jobs.append(window)
                chosen.append(kind)
            for kind, (_, found, is_best) in zip(chosen, self._solve(jobs, 0.2), strict=True):
                size[kind] = max(15.0, min(size[kind] * (1.06 if is_best else 0.93), 1.0 * len(self.c.members)))
                worth[kind] *= 0.95
                if found is None:
                    dull += 1
                    continue
                new = self._look(found, "improving")
                dull += 1
                if new.key() < score.key():
                    worth[kind] += 0.3
                    dull = 0
                    self.counters["improved"] += 1
                if new.key() <= score.key():
                    state, score = found, new
                worth[kind] = max(worth[kind], 0.1)

    def _polish(self, state: State, score: _Score, moves: int) -> tuple[State, _Score, int]:
        """Anneal; return the better timetable, and how many moves are worth trying the next time."""
        if not score.cost or self.is_over():
            return state, score, moves
        polishers = self._polishers(state)
        if not polishers:
            return state, score, moves
        tries = moves * polishers[0].pace
        began = monotonic()
        if self.pace:  # what cannot cool down before the end gains nothing
            tries = max(1_000, min(tries, int((self.until - began) * ANNEAL_SHARE / self.pace)))

        def run(number: int) -> tuple[State, int]:
            polisher = polishers[number]
            hot = polisher.heats[(self.counters["polished"] + number) % len(polisher.heats)]
            return polisher.run(tries, hot * SCALE, COLD * SCALE, self.until, self.stop)

        ends = at_once(run, range(len(polishers)))
        self.pace = max(monotonic() - began, 1e-6) / tries
        self.counters["polished"] += 1
        found = min(ends, key=lambda end: end[1])[0]
        new = self._look(found, "improving")
        longer = round(moves * LONGER)
        if new.key() < score.key():
            return found, new, longer
        self._look(state)
        return state, score, max(FEWEST_MOVES, moves // 2) if new.hard else longer

    def _polishers(self, state: State) -> Sequence[Annealer | Polisher]:
        """Return annealings with a timetable loaded, none where nothing can be gained.

        They are compiled ones, one a thread, where these know every rule; else one plain one.
        """
        if self.annealers is None:
            self.annealers = self._annealers()
        if self.annealers and all(annealer.load(state) for annealer in self.annealers):
            return self.annealers if self.annealers[0].cost() else ()
        self.board.load_state(state)
        if self.polisher is None:
            self.polisher = Polisher(self.c, self.board, self.rng)
        return (self.polisher,) if self.polisher.can and self.board.count == len(self.c.members) else ()

    def _annealers(self) -> Sequence[Annealer]:
        if find_spec("numba") is None:
            return ()
        from khue.school.timetable.solving.annealing import Annealer
        from khue.school.timetable.solving.desk import Unsayable

        try:
            return [Annealer(self.c, self.board, self.relations, self.rng) for _ in range(self.threads)]
        except Unsayable:
            return ()

    @contextmanager
    def _within(self, share: float) -> Iterator[None]:
        """Let the time be up after this share of what is left."""
        until = self.until
        self.until = monotonic() + share * (until - monotonic())
        try:
            yield
        finally:
            self.until = until

    def _is_of_days(self) -> bool:
        """Return whether most of the cost last looked at is of kinds that the choice of days decides."""
        from khue.school.timetable.solving.exact import OF_DAYS

        names = {kind.__name__ for kind in OF_DAYS}
        costs = [(v.weight * v.units, v.kind in names) for v in self.report.violations if not v.is_hard]
        return sum(cost for cost, is_of_days in costs if is_of_days) * 2 >= sum(cost for cost, _ in costs)

    def _better_days(self, state: State, score: _Score) -> tuple[State, _Score]:
        """Start again from the best days of all, when these promise less cost; return the better timetable."""
        if not score.cost or self.is_over():
            return state, score
        fresh = self._by_days({}, state, soft=True)
        if fresh is None or self.days_cost / SCALE >= score.cost:
            return state, score
        if self._missing(fresh):
            fresh = self._repair(fresh)
        if not self._missing(fresh):
            new = self._look(fresh, "improving")
            if new.hard and not self.is_over():
                mended = self._mend(fresh)
                if mended is not None:
                    fresh, new = mended, self._look(mended, "improving")
            if new.key() < score.key():
                self.counters["by_days"] = 1
                return fresh, new
        self._look(state)
        return state, score

    def _neighbourhood(self, kind: str, state: State, size: int) -> set[int]:
        rng, units = self.rng, range(len(self.c.members))
        size = min(size, len(units))
        if kind == "violations":
            return self._near_violations(state, size, hard=False)
        if kind == "days":
            days = rng.sample(range(len(self.c.problem.days)), min(2, len(self.c.problem.days)))
            those = [u for u in units if state.starts[u] // self.c.height in days]
            return set(rng.sample(those, min(len(those), size)))
        if kind == "people":
            free: set[int] = set()
            agendas = list(range(len(self.c.agendas)))
            rng.shuffle(agendas)
            for g in agendas:
                if len(free) >= size:
                    break
                free.update(u for _, u in self.c.agendas[g].parts)
            return set(sorted(free)[: 2 * size])
        return self._around([rng.choice(units)], state, size)


# --- between the engine's numbers and the problem's words --------------------------------------------------------------


def solution_of(c: Compiled, state: State) -> dict[str, Placement]:
    """Return the timetable a state means: alike rooms are given out so that nobody moves more than needed."""
    found: dict[str, Placement] = {}
    users: dict[int, list[tuple[int, int]]] = {}
    named: dict[int, dict[int, str]] = {}
    for u, start in state.starts.items():
        for i in c.members[u]:
            if c.choices[i]:
                for cls in c.choices[i][state.rooms.get(i, 0)].classes:
                    users.setdefault(cls, []).append((start, i))
    for cls, its in users.items():
        _give_rooms(c, cls, sorted(its), named)
    for u, start in state.starts.items():
        day, period = divmod(start, c.height)
        for i in c.members[u]:
            room, real = "", ()
            if c.choices[i]:
                choice = c.choices[i][state.rooms.get(i, 0)]
                names = tuple(named[i][cls] for cls in choice.classes)
                room, real = (choice.virtual, names) if choice.virtual else (names[0] if names else "", ())
            found[c.keys[i]] = Placement(day, period, room, real)
    return found


def _give_rooms(c: Compiled, cls: int, users: list[tuple[int, int]], named: dict[int, dict[int, str]]) -> None:
    """Give each activity a room of the class: a free one, best the one its people had last."""
    rooms = c.classes[cls].rooms
    each = max(1, c.classes[cls].holds // len(rooms))
    load: dict[tuple[str, int, int], int] = {}
    last: dict[tuple[str, ...], str] = {}
    for start, i in users:
        activity = c.problem.activities[i]
        weeks = [week for week in (m.ODD_WEEKS, m.EVEN_WEEKS) if activity.weeks & week]
        cells = [(slot, week) for slot in range(start, start + c.length[i]) for week in weeks]
        before = last.get(activity.groups)
        order = sorted(rooms, key=lambda room: room != before)
        room = next((r for r in order if all(load.get((r, *cell), 0) < each for cell in cells)), rooms[0])
        for cell in cells:
            load[room, *cell] = load.get((room, *cell), 0) + 1
        named.setdefault(i, {})[cls] = room
        last[activity.groups] = room


def state_of(c: Compiled, solution: Solution) -> State:
    """Return the state a timetable means, as far as it is possible at all."""
    state = State(c.starts_of(solution))
    of = {room: n for n, cls in enumerate(c.classes) for room in cls.rooms}
    for u in state.starts:
        for i in c.members[u]:
            at = solution[c.keys[i]]
            names = at.real_rooms or ((at.room,) if at.room else ())
            classes = tuple(of[name] for name in names if name in of)
            for k, choice in enumerate(c.choices[i]):
                if choice.classes == classes and choice.virtual == (at.room if at.real_rooms else ""):
                    state.rooms[i] = k
                    break
    return state
