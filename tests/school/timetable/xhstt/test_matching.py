"""Which pools of resources a timetable's times leave short, against trying every way to fill each time."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest

from khue.school.timetable.solving.xhstt import beginning
from khue.school.timetable.solving.xhstt.beginning import Beginning
from khue.school.timetable.solving.xhstt.compiling import HARD, compile_instance
from khue.school.timetable.solving.xhstt.matching import short_pools
from khue.school.timetable.solving.xhstt.model import Resource
from khue.school.timetable.solving.xhstt.searching import Search
from khue.school.timetable.solving.xhstt.state import State
from khue.school.timetable.solving.xhstt.windows import Wish, solve_window
from tests.school.timetable.xhstt.making import constraint, event, school

C, T1, T2, R1, R2 = range(5)


def small(*rules, rooms=(1, 1, 1)):
    """Three events of one lesson, which want so many rooms of the two there are."""
    events = tuple(event(name, 1, rooms=count) for name, count in zip("ABD", rooms, strict=True))
    every = [constraint("AssignResource", role=f"room{n}", events=tuple(k for k, count in enumerate(rooms) if count > n)) for n in range(max(rooms))]
    clashes = constraint("AvoidClashes", resources=(C, T1, T2, R1, R2))
    times = constraint("AssignTime", events=(0, 1, 2))
    return State(compile_instance(school(*every, clashes, times, *rules, events=events)))


def at(state, *starts):
    for bundle, start in enumerate(starts):
        places = len(state.problem.bundles[bundle].places)
        state.replace(bundle, [(1, start, (-1,) * places)])
    return state


def test_lessons_of_one_time_that_want_more_rooms_than_there_are_make_a_short_pool():
    assert short_pools(at(small(), 0, 0, 1)) == set()
    assert short_pools(at(small(), 0, 0, 0)) == {frozenset({R1, R2})}
    assert short_pools(at(small(), -1, -1, -1)) == set(), "lessons without a time want nothing"


def test_a_room_that_is_closed_or_taken_is_not_free():
    closed = constraint("AvoidUnavailableTimes", resources=(R1,), times=(0,))
    assert short_pools(at(small(closed), 0, 0, 1)) == {frozenset({R1, R2})}
    assert short_pools(at(small(closed), 1, 1, 0)) == set()


def test_a_place_nobody_must_fill_wants_nothing():
    events = tuple(event(name, 1, rooms=1) for name in "ABD")
    clashes = constraint("AvoidClashes", resources=(R1, R2))
    state = State(compile_instance(school(clashes, events=events)))
    assert short_pools(at(state, 0, 0, 0)) == set()


@pytest.mark.parametrize("seed", range(30))
def test_nothing_is_short_exactly_where_each_time_can_be_filled(seed):
    rng = random.Random(seed)
    preferred = [constraint("PreferResources", role="room0", events=(k,), preferred=tuple(rng.sample((R1, R2), rng.choice((1, 2))))) for k in range(3)]
    closed = constraint("AvoidUnavailableTimes", resources=(rng.choice((R1, R2)),), times=(rng.randrange(2),))
    state = at(small(*preferred, closed, rooms=tuple(rng.choice((1, 1, 2)) for _ in range(3))), *(rng.randrange(2) for _ in range(3)))
    problem = state.problem

    def can_be_filled(time):
        places = [p for bundle, its in enumerate(problem.bundles) for p in its.places if state.parts(bundle)[0][1] == time]
        free = [[r for r in problem.places[p].candidates if not (r == closed.resources[0] and time in closed.times)] for p in places]
        return any(len(set(ways)) == len(ways) for ways in itertools.product(*free))

    assert (not short_pools(state)) == all(can_be_filled(time) for time in (0, 1))


def test_rooms_that_may_hold_two_lessons_at_once_are_never_short():
    events = tuple(event(name, 1, rooms=1) for name in "ABD")
    rooms = constraint("AssignResource", role="room0", events=(0, 1, 2))
    clashes = constraint("AvoidClashes", hard=False, resources=(R1, R2))
    state = State(compile_instance(school(rooms, clashes, events=events)))
    assert short_pools(at(state, 0, 0, 0)) == set()


def test_a_window_keeps_to_the_pools_it_is_told():
    """Four lessons at one time want three of four rooms, which neither a place's candidates nor all rooms say.

    The fourth room is for a lesson at the other time.
    """
    wanted = ((R1, R2), (R2, R2 + 1), (R1, R2 + 1), (R1, R2), (R2 + 2,))
    rules = [constraint("PreferResources", role="room0", events=(k,), preferred=rooms) for k, rooms in enumerate(wanted)]
    rules += [constraint("AssignResource", role="room0", events=tuple(range(5))), constraint("AssignTime", events=tuple(range(5)))]
    rules += [constraint("PreferTimes", events=(0, 1, 2, 3), times=frozenset({0})), constraint("PreferTimes", events=(4,), times=frozenset({1}))]
    clashes = constraint("AvoidClashes", resources=(R1, R2, R2 + 1, R2 + 2))
    whole = school(*rules, clashes, events=tuple(event(name, 1, rooms=1) for name in "ABDEF"))
    more = tuple(Resource(name, name, "Room") for name in ("R3", "R4"))
    state = State(compile_instance(replace(whole, times=whole.times[:2], resources=(*whole.resources, *more))))
    wish = Wish(1.0, 5.0, 1, no_slack=True, no_objective=True, no_places=True)
    found = solve_window(state, range(5), (), wish)
    at(state, *(found.parts[bundle][0][1] for bundle in range(5)))
    short = short_pools(state)
    assert short == {frozenset({R1, R2, R2 + 1})}
    assert solve_window(state, range(5), (), replace(wish, pools=tuple(short))).is_impossible


def begun(search: Search, monkeypatch: pytest.MonkeyPatch) -> Beginning:
    """First times without places, which nothing fills but the search for feasibility."""
    first = Beginning(search)
    monkeypatch.setattr(first, "_fill_greedily", lambda: None)
    first.times()
    return first


@pytest.mark.parametrize("threads", [1, 2])
def test_a_feasible_timetable_is_sought_from_several_first_ones(threads, monkeypatch):
    """No annealing does anything until the fifth, so that seeking has to begin anew."""
    monkeypatch.setattr(beginning, "PROBES", 1)
    monkeypatch.setattr(beginning, "PROBE_MOVES", 200)
    monkeypatch.setattr(beginning, "SOUGHT_SAME", 9)
    search = Search(small().problem, 1, 60, threads, lambda state: None)
    tries: list[int] = []
    anneal = search.anneal

    def spoilt(moves: int, **more: bool) -> int:
        tries.append(search.state.hard)
        return search.state.hard if len(tries) < 5 else anneal(moves, **more)

    monkeypatch.setattr(search, "anneal", spoilt)
    begun(search, monkeypatch).seek()
    assert tries == [3] * 5, "each begins with three rooms missing"
    assert search.best_cost < HARD
    assert search.state.cost == search.best_cost


def test_the_longer_annealing_begins_at_the_most_promising_first_timetable(monkeypatch):
    """What the short annealings leave broken decides; each longer one in vain makes its first timetable less promising."""
    monkeypatch.setattr(beginning, "PROBES", 1)
    monkeypatch.setattr(beginning, "SPENT", 2)
    search = Search(small().problem, 1, 60, 1, lambda state: None)
    first = begun(search, monkeypatch)
    monkeypatch.setattr(first, "times", lambda: None)
    restored: list[object] = []
    monkeypatch.setattr(search.state, "restore", restored.append)
    left = iter([5, 3, 4, 9])
    firsts: list[object] = []
    longer: list[int] = []
    moves: list[int] = []

    def anneal(count: int, *, is_seeking: bool) -> int:
        assert is_seeking
        if count == beginning.PROBE_MOVES:
            firsts.append(restored[-1])
            return next(left)
        moves.append(count)
        longer.append(next(number for number, lessons in enumerate(firsts) if lessons is restored[-1]))
        if len(longer) == 4:
            search.best_cost = 0
        return len(longer)

    monkeypatch.setattr(search, "anneal", anneal)
    first.seek()
    assert longer == [0, 1, 2, 1]
    assert moves == sorted(set(moves)), "each is longer than the one before"


def test_seeking_ends_when_the_same_infeasibility_is_met_again_and_again(monkeypatch):
    monkeypatch.setattr(beginning, "SOUGHT_SAME", 3)
    search = Search(small().problem, 1, 60, 1, lambda state: None)
    ends = iter([4, 2, 2, 3, 2, 2, 2, 2])
    longer: list[int] = []

    def anneal(count: int, **more: bool) -> int:
        if count == beginning.PROBE_MOVES:
            return 5
        longer.append(next(ends))
        return longer[-1]

    monkeypatch.setattr(search, "anneal", anneal)
    begun(search, monkeypatch).seek()
    assert longer == [4, 2, 2, 3, 2, 2, 2]
    assert search.best_cost >= HARD
