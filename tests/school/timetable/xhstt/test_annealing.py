"""The compiled moves keep counts and costs as the referee has them, and take back what they do not keep."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khue.school.timetable.solving.xhstt import moving, tables
from khue.school.timetable.solving.xhstt.annealing import Annealer, warm
from khue.school.timetable.solving.xhstt.compiling import HARD, compile_instance
from khue.school.timetable.solving.xhstt.evaluating import evaluate
from khue.school.timetable.solving.xhstt.state import State
from tests.school.timetable.xhstt import drawing

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def never() -> bool:
    return False


def state_of(seed: int) -> State:
    """A random timetable of a random instance, its lessons of durations they may have."""
    rng = random.Random(seed)
    state = State(compile_instance(drawing.instance(seed)))
    for bundle, its in enumerate(state.problem.bundles):
        if its.fixed is None:
            for lesson in list(state.lessons[bundle]):
                starts = its.starts.get(state.duration[lesson], ())
                state.set_start(lesson, rng.choice((-1, *starts)))
                for slot, place in enumerate(its.places):
                    state.set_resource(
                        lesson, slot, rng.choice((-1, *state.problem.places[place].candidates))
                    )
    return state


def present(annealer: Annealer) -> State:
    """The timetable the arrays hold now, priced by the plain state."""
    now = annealer.now
    lessons = now[now[moving.USED] : now[moving.COUNTS]]
    other = State(annealer.state.problem)
    other.restore(tables.read(annealer.facts, now, annealer.state.problem, lessons))
    return other


@SETTINGS
@given(seed=st.integers(0, 10**6))
def test_arrays_cost_what_the_timetable_costs(seed):
    annealer = Annealer(state_of(seed))
    if annealer.read():
        assert annealer.now[moving.TOTAL] == annealer.state.cost
        assert present(annealer).snapshot() == annealer.state.snapshot()


@SETTINGS
@given(seed=st.integers(0, 10**6), moves=st.integers(1, 400), hard_weight=st.sampled_from((1, 20, 10**6)))
def test_moves_end_in_counts_and_costs_as_counted_anew(seed, moves, hard_weight):
    annealer = Annealer(state_of(seed))
    if not annealer.read():
        return
    best = annealer._anneal(annealer.state.cost, seed, moves, 5.0, 0.5, hard_weight)
    other = present(annealer)
    found = evaluate(other.problem.instance, other.solution())
    assert annealer.now[moving.TOTAL] == other.cost == found.hard * HARD + found.soft
    assert best <= other.cost
    counts = slice(annealer.now[moving.COUNTS], annealer.now[moving.DIRTY])
    before = annealer.now[counts].copy()
    moving.count_all(annealer.facts, annealer.now)
    assert (annealer.now[counts] == before).all()


@SETTINGS
@given(seed=st.integers(0, 10**6))
def test_moves_that_do_not_stand_leave_nothing_behind(seed):
    annealer = Annealer(state_of(seed))
    if not annealer.read():
        return
    kept = slice(annealer.now[moving.USED], annealer.now[moving.DIRTY])
    before = annealer.now[kept].copy()
    annealer._anneal(0, seed, 200, 0.0, 0.0, 0)
    assert (annealer.now[kept] == before).all()
    assert annealer.now[moving.TOTAL] == annealer.state.cost


@SETTINGS
@given(seed=st.integers(0, 10**6))
def test_annealing_ends_in_its_best_at_the_true_cost(seed):
    state = state_of(seed)
    before = state.cost
    Annealer(state).run(seed, 400, 5.0, 0.3, 20, never)
    found = evaluate(state.problem.instance, state.solution())
    assert state.cost == found.hard * HARD + found.soft <= before


def test_annealing_anew_may_end_elsewhere_at_the_true_cost():
    elsewhere = 0
    for seed in range(12):
        state = state_of(seed)
        Annealer(state).run(seed, 2_000, 5.0, 0.3, 20, never)
        before = state.cost
        if Annealer(state).run(seed, 20, 50.0, 40.0, 1, never, is_fresh=True):
            found = evaluate(state.problem.instance, state.solution())
            assert state.cost == found.hard * HARD + found.soft
            elsewhere += state.cost != before
    assert elsewhere


def test_annealing_repeats_by_seed():
    def run(seed: int) -> tuple:
        state = state_of(11)
        Annealer(state).run(seed, 400, 5.0, 0.3, 20, never)
        return state.cost, state.snapshot()

    assert run(3) == run(3)


def test_annealing_stops_when_asked():
    state = state_of(11)
    assert Annealer(state).run(1, 10**9, 5.0, 0.3, 20, lambda: True) == 0


@pytest.mark.parametrize(
    "module", ["khue.school.timetable.solving.xhstt", "khue.school.timetable.solving.xhstt.searching"]
)
def test_nothing_compiled_is_loaded_before_it_is_needed(module):
    code = f"import sys, {module}; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_warming_compiles_what_annealing_calls():
    warm()
    assert moving.anneal.signatures
    assert moving.count_all.signatures
