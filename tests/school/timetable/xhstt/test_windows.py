"""A window's answer: never worse, priced by the referee, and the best there is when it says so."""

from __future__ import annotations

import itertools
import random

import pytest

from khue.school.timetable.solving.xhstt.compiling import HARD, compile_instance
from khue.school.timetable.solving.xhstt.evaluating import evaluate
from khue.school.timetable.solving.xhstt.model import Constraint
from khue.school.timetable.solving.xhstt.state import State
from khue.school.timetable.solving.xhstt.windows import Wish, solve_window
from tests.school.timetable.xhstt import drawing
from tests.school.timetable.xhstt.making import constraint, days, event, school
from tests.school.timetable.xhstt.test_state import random_parts, referee

C, T1, T2, R1, R2 = range(5)
EVENTS = (
    event("A", 2, fixed=(0, 1), rooms=1),
    event("B", 2, fixed=(0, 2), rooms=1),
    event("D", 1, fixed=(1,)),
)
CLASHES = constraint("AvoidClashes", resources=(C, T1, T2, R1, R2))
TIMES = constraint("AssignTime", events=(0, 1, 2))
ROOMS = constraint("AssignResource", role="room0", events=(0, 1))


def every_part(duration: int, durations: tuple[int, ...], starts: dict, rooms: list[tuple]) -> list[list]:
    """All ways to split and place one bundle whole."""
    if not duration:
        return [[]]
    ways = []
    for size in durations:
        if size > duration:
            continue
        for start, room in itertools.product(starts[size], rooms):
            for rest in every_part(duration - size, durations, starts, rooms):
                if all((size, start, room) <= other for other in rest):
                    ways.append([(size, start, room), *rest])
    return ways


def best_of_all(state: State) -> int:
    """The least cost over all complete timetables, by trying them."""
    problem = state.problem
    choices = []
    for bundle in problem.bundles:
        rooms = list(itertools.product(*(problem.places[p].candidates for p in bundle.places)))
        choices.append(every_part(bundle.duration, bundle.durations, bundle.starts, rooms))
    best = None
    for ways in itertools.product(*choices):
        for bundle, parts in enumerate(ways):
            if state.parts(bundle) != parts:
                state.replace(bundle, parts)
        best = state.cost if best is None else min(best, state.cost)
    return best


SOFT = {"hard": False, "weight": 3}
RULES: list[Constraint] = [
    constraint(
        "SplitEvents", events=(0, 1), minimum_duration=1, maximum_duration=1, minimum=1, maximum=1, **SOFT
    ),
    constraint("DistributeSplitEvents", events=(0, 1), duration=2, minimum=1, maximum=1, **SOFT),
    constraint("PreferResources", role="room0", events=(0, 1), preferred=frozenset({R2}), **SOFT),
    constraint("PreferTimes", events=(0, 1), times=frozenset({5}), **SOFT),
    constraint("AvoidSplitAssignments", role="room0", groups=((0, 1),), **SOFT),
    constraint("SpreadEvents", groups=((0, 1),), time_groups=days(2, 2), **SOFT),
    constraint("SpreadEvents", groups=((0,),), time_groups=days(1, 1), **SOFT),
    constraint("LinkEvents", groups=((1, 2),), **SOFT),
    constraint("OrderEvents", pairs=((1, 0, 1, 1),), **SOFT),
    constraint("OrderEvents", pairs=((2, 1, 3, 9),), **SOFT),
    constraint("AvoidUnavailableTimes", resources=(C,), times=frozenset({0, 1, 3, 4}), **SOFT),
    constraint("LimitIdleTimes", resources=(T1,), time_groups=days(), minimum=1, maximum=1, **SOFT),
    constraint("LimitIdleTimes", resources=(C,), time_groups=days(), maximum=0, **SOFT),
    constraint("ClusterBusyTimes", resources=(C, T1), time_groups=days(), maximum=1, **SOFT),
    constraint("ClusterBusyTimes", resources=(T2,), time_groups=days(), minimum=2, maximum=2, **SOFT),
    constraint("LimitBusyTimes", resources=(C, T1, T2), time_groups=days(), minimum=2, maximum=2, **SOFT),
    constraint("LimitWorkload", resources=(R1, R2), minimum=1, maximum=3, **SOFT),
]


@pytest.mark.parametrize("function", ["Linear", "Quadratic", "Step"])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind)
def test_the_whole_instance_as_a_window_finds_the_best_of_all(rule, function):
    priced = Constraint(**{**vars(rule), "cost_function": function, "id": "rule"})
    extra = constraint("PreferTimes", events=(0, 1, 2), times=frozenset({0, 1, 2}), hard=False)
    small = rule.kind in ("PreferResources", "AvoidSplitAssignments", "LimitWorkload")
    events = (
        EVENTS
        if small
        else tuple(
            event(e.name, e.duration, fixed=f) for e, f in zip(EVENTS, ((0, 1), (0, 2), (1,)), strict=True)
        )
    )
    rules = (CLASHES, TIMES, priced, extra) + ((ROOMS,) if small else ())
    if small:
        rules += (
            constraint(
                "SplitEvents", events=(0, 1), minimum_duration=1, maximum_duration=2, minimum=1, maximum=1
            ),
        )
    state = State(compile_instance(school(*rules, events=events)))
    best = best_of_all(State(state.problem))
    outcome = solve_window(state, range(3), (), Wish(1e6, 30, seed=1))
    for bundle, parts in outcome.parts.items():
        state.replace(bundle, parts)
    assert outcome.is_proved
    assert state.cost == best
    assert (state.hard, state.soft) == referee(state)


@pytest.mark.parametrize("seed", range(14))
def test_a_window_is_priced_by_the_referee_and_not_worse(seed):
    rng = random.Random(seed)
    state = State(compile_instance(drawing.instance(seed, constraints=14)))
    loose = [b for b, bundle in enumerate(state.problem.bundles) if bundle.fixed is None]
    for bundle in loose:
        state.replace(bundle, random_parts(rng, state, bundle))
    for linear in range(3):
        timed = rng.sample(loose, min(len(loose), 4))
        placed = [
            b for b in rng.sample(range(len(state.problem.bundles)), 2) if state.problem.bundles[b].places
        ]
        before, old = state.cost, state.snapshot()
        outcome = solve_window(state, timed, placed, Wish(0.5, 20, seed=seed, linear=linear, few=linear))
        assert state.cost == before, "solving a window changes nothing by itself"
        for bundle, parts in outcome.parts.items():
            assert sum(d for d, _, _ in parts) == state.problem.bundles[bundle].duration
            state.replace(bundle, parts)
        assert (state.hard, state.soft) == referee(state)
        if state.cost > before:
            state.restore(old)


def test_no_slack_means_all_required_or_nothing():
    instance = school(CLASHES, TIMES, events=tuple(event(f"e{i}", 2, fixed=(0,)) for i in range(3)))
    state = State(compile_instance(instance))
    outcome = solve_window(state, range(3), (), Wish(1e6, 30, seed=1, no_slack=True))
    for bundle, parts in outcome.parts.items():
        state.replace(bundle, parts)
    assert state.cost == 0
    four = constraint("AssignTime", events=(0, 1, 2, 3))
    crowded = school(CLASHES, four, events=tuple(event(f"e{i}", 2, fixed=(0,)) for i in range(4)))
    state = State(compile_instance(crowded))
    outcome = solve_window(state, range(4), (), Wish(1e6, 30, seed=1, no_slack=True))
    assert outcome.is_impossible and not outcome.parts
    outcome = solve_window(state, range(4), (), Wish(1e6, 30, seed=1))
    for bundle, parts in outcome.parts.items():
        state.replace(bundle, parts)
    assert (state.cost, outcome.is_proved) == (2 * HARD, True)
    assert evaluate(crowded, state.solution()).hard == 2


def test_a_window_bound_to_some_times_leaves_the_others_alone():
    instance = school(
        CLASHES, TIMES, constraint("PreferTimes", events=(0, 1, 2), times=frozenset({3, 4, 5}), hard=False)
    )
    state = State(compile_instance(instance))
    outcome = solve_window(state, range(3), (), Wish(1e6, 30, seed=1, allowed=0b000111))
    starts = {start for parts in outcome.parts.values() for _, start, _ in parts if start >= 0}
    assert starts <= {0, 1, 2}


def test_a_window_of_few_resources_keeps_the_present_ones_and_looks_at_as_many_others():
    instance = school(
        CLASHES,
        TIMES,
        ROOMS,
        constraint("PreferResources", hard=False, role="room0", events=(0, 1), preferred=frozenset({R2})),
        events=EVENTS,
    )
    state = State(compile_instance(instance))
    for bundle, start in enumerate((0, 3, 5)):
        parts = [(state.problem.bundles[bundle].duration, start, (R1,) if bundle < 2 else ())]
        state.replace(bundle, parts)
    before = state.cost
    outcome = solve_window(state, (), (0, 1), Wish(1.0, 20, seed=1, few=1))
    for bundle, parts in outcome.parts.items():
        assert {room for _, _, (room,) in parts} <= {R1, R2}
        state.replace(bundle, parts)
    assert state.cost <= before
    whole = solve_window(state, (), (0, 1), Wish(1.0, 20, seed=1, few=2))
    for bundle, parts in whole.parts.items():
        state.replace(bundle, parts)
    assert state.cost == 0
