"""The cost kept up to date move by move is the cost of the referee, whatever the moves and constraints."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khue.school.timetable.solving.xhstt.compiling import HARD, compile_instance
from khue.school.timetable.solving.xhstt.evaluating import evaluate
from khue.school.timetable.solving.xhstt.state import State, snapshot_of
from tests.school.timetable.xhstt import drawing

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def referee(state: State) -> tuple[int, int]:
    found = evaluate(state.problem.instance, state.solution())
    return found.hard, found.soft


def random_parts(rng: random.Random, state: State, bundle: int) -> list:
    """Lessons of any durations, starts and rooms, also ones no search would choose."""
    its = state.problem.bundles[bundle]
    left, parts = its.duration, []
    while left:
        duration = rng.randint(1, left)
        left -= duration
        start = rng.randrange(-1, state.problem.slots - duration + 1)
        rooms = tuple(rng.choice((-1, *state.problem.places[p].candidates)) for p in its.places)
        parts.append((duration, start, rooms))
    return parts


@SETTINGS
@given(seed=st.integers(0, 10**6), moves=st.integers(1, 25))
def test_any_change_costs_what_the_referee_says(seed, moves):
    rng = random.Random(seed)
    state = State(compile_instance(drawing.instance(seed)))
    assert (state.hard, state.soft) == referee(state)
    loose = [b for b, bundle in enumerate(state.problem.bundles) if bundle.fixed is None]
    for _ in range(moves if loose else 0):
        bundle = rng.choice(loose)
        kind = rng.randrange(3)
        lesson = rng.choice(state.lessons[bundle])
        places = state.problem.bundles[bundle].places
        if kind == 0:
            state.replace(bundle, random_parts(rng, state, bundle))
        elif kind == 1 and places:
            slot = rng.randrange(len(places))
            state.set_resource(lesson, slot, rng.choice((-1, *state.problem.places[places[slot]].candidates)))
        else:
            state.set_start(lesson, rng.randrange(-1, state.problem.slots - state.duration[lesson] + 1))
        assert (state.hard, state.soft) == referee(state)


@SETTINGS
@given(seed=st.integers(0, 10**6))
def test_a_solution_comes_back_as_it_went_out(seed):
    rng = random.Random(seed)
    problem = compile_instance(drawing.instance(seed))
    state = State(problem)
    for bundle, its in enumerate(problem.bundles):
        if its.fixed is None:
            state.replace(bundle, random_parts(rng, state, bundle))
    other = State(problem)
    other.restore(snapshot_of(problem, state.solution()))
    assert other.cost == state.cost
    assert sorted(other.solution().lessons, key=repr) == sorted(state.solution().lessons, key=repr)


@pytest.mark.parametrize("seed", range(5))
def test_restoring_a_snapshot_restores_the_cost(seed):
    rng = random.Random(seed)
    state = State(compile_instance(drawing.instance(seed)))
    snapshot, cost = state.snapshot(), state.cost
    for bundle, its in enumerate(state.problem.bundles):
        if its.fixed is None:
            state.replace(bundle, random_parts(rng, state, bundle))
    state.restore(snapshot)
    assert (state.cost, state.snapshot()) == (cost, snapshot)
    assert state.hard == cost // HARD
