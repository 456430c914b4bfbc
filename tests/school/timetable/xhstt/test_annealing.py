"""The compiled moves keep counts and costs as the referee has them, and take back what they do not keep."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khue.school.timetable.solving.xhstt import moving, tables
from khue.school.timetable.solving.xhstt.annealing import Annealer, warm
from khue.school.timetable.solving.xhstt.compiling import HARD, compile_instance
from khue.school.timetable.solving.xhstt.evaluating import evaluate
from khue.school.timetable.solving.xhstt.model import Event, EventResource, Instance, Resource
from khue.school.timetable.solving.xhstt.state import State
from tests.school.timetable.xhstt import drawing, making

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
    if annealer.read(annealer.facts):
        assert annealer.now[moving.TOTAL] == annealer.state.cost
        assert present(annealer).snapshot() == annealer.state.snapshot()


@SETTINGS
@given(seed=st.integers(0, 10**6), moves=st.integers(1, 400), hard_weight=st.sampled_from((1, 20, 10**6)))
def test_moves_end_in_counts_and_costs_as_counted_anew(seed, moves, hard_weight):
    annealer = Annealer(state_of(seed))
    if not annealer.read(annealer.facts):
        return
    best = annealer._anneal(annealer.facts, annealer.state.cost, seed, moves, 5.0, 0.5, hard_weight)
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
    if not annealer.read(annealer.facts):
        return
    kept = slice(annealer.now[moving.USED], annealer.now[moving.DIRTY])
    before = annealer.now[kept].copy()
    annealer._anneal(annealer.facts, 0, seed, 200, 0.0, 0.0, 0)
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


def chained(*rooms: int) -> State:
    """Three lessons at one time with rooms of their own; the first would rather have the second's, the others not."""
    wishes = ((0, 1), (1, 2), (2, 3))
    resources = tuple(Resource(name, name, "Room") for name in "ABCD")
    events = tuple(
        Event(name, name, 1, 0, (EventResource("room", "Room", None, 1),)) for name in ("one", "two", "three")
    )
    every = (0, 1, 2)
    rules = [
        making.constraint("AssignTime", events=every),
        making.constraint("AssignResource", events=every, role="room"),
        making.constraint("AvoidClashes", resources=(0, 1, 2, 3)),
        making.constraint(
            "PreferResources", hard=False, weight=9, events=(0,), role="room", preferred=frozenset((1,))
        ),
    ]
    for number, wish in enumerate(wishes):
        rules.append(
            making.constraint("PreferResources", events=(number,), role="room", preferred=frozenset(wish))
        )
        if number:
            stay = frozenset((number,))
            rules.append(
                making.constraint(
                    "PreferResources", hard=False, events=(number,), role="room", preferred=stay
                )
            )
    state = State(compile_instance(Instance("Chain", "Chain", ("1",), ("Room",), resources, events, tuple(rules))))
    for bundle, room in enumerate(rooms):
        state.set_resource(state.lessons[bundle][0], 0, room)
    return state


@pytest.mark.parametrize(("kind", "cost"), [(moving.PUSH, 2), (moving.TAKE, 9)])
def test_one_push_moves_a_row_of_lessons_each_to_the_next_resource(kind, cost):
    state = chained(0, 1, 2)
    assert state.cost == 9
    annealer = Annealer(state)
    annealer.kinds = np.array([kind])
    annealer.run(1, 200, 0.02, 0.01, 10**6, never)
    assert state.cost == cost
    assert [state.chosen[x][0] for b in range(3) for x in state.lessons[b]] == ([1, 2, 3] if cost == 2 else [0, 1, 2])


def test_a_push_leaves_alone_whose_workload_is_full():
    state = chained(0, 1, 2)
    instance = state.problem.instance
    full = making.constraint("LimitWorkload", resources=(3,), minimum=0, maximum=0)
    state = State(compile_instance(replace(instance, constraints=(*instance.constraints, full))))
    for bundle in range(3):
        state.set_resource(state.lessons[bundle][0], 0, bundle)
    annealer = Annealer(state)
    annealer.kinds = np.array([moving.PUSH])
    annealer.run(1, 200, 0.02, 0.01, 10**6, never)
    assert state.cost == 9


@SETTINGS
@given(seed=st.integers(0, 10**6))
def test_what_is_required_alone_costs_nothing_only_where_all_of_it_holds(seed):
    annealer = Annealer(state_of(seed))
    if annealer.read(annealer.required):
        state = annealer.state
        is_all = state.hard == state.problem.constant // HARD
        assert (annealer.now[moving.TOTAL] == annealer.facts[moving.CONSTANT]) == is_all
        assert (annealer.now[moving.TOTAL] - annealer.facts[moving.CONSTANT]) % HARD == 0


@SETTINGS
@given(seed=st.integers(0, 10**6))
def test_seeking_ends_at_no_more_deviation_and_true_costs(seed):
    state = state_of(seed)
    annealer = Annealer(state)
    before = annealer.now[moving.TOTAL] if annealer.read(annealer.required) else 0
    left = annealer.seek(seed, 400, 0.4, 0.2, never)
    found = evaluate(state.problem.instance, state.solution())
    assert state.cost == found.hard * HARD + found.soft
    if annealer.read(annealer.required):
        assert annealer.now[moving.TOTAL] == left * HARD + annealer.facts[moving.CONSTANT] <= before


def test_seeking_does_not_care_what_a_deviation_weighs():
    """One unit of a weight of a thousand stands between the timetable and a feasible one."""
    state = chained(0, 1, 2)
    instance = state.problem.instance
    wanted = making.constraint("PreferResources", weight=1000, events=(0,), role="room", preferred=frozenset((1,)))
    state = State(compile_instance(replace(instance, constraints=(*instance.constraints, wanted))))
    for bundle, room in enumerate((0, 1, 2)):
        state.set_resource(state.lessons[bundle][0], 0, room)
    annealer = Annealer(state)
    annealer.kinds = np.array([moving.TAKE])
    annealer.seek(1, 2_000, 0.4, 0.2, never)
    assert state.hard == 0


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
