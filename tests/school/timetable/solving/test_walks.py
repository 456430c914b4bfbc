"""Rules that bind the rooms of several lessons: they hold on every board placing leaves, not only at its end."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from time import monotonic

import pytest

from khue.school.timetable.solving import checking, engine, ordinary, running
from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.annealing import Annealer
from khue.school.timetable.solving.compiling import compiled
from khue.school.timetable.solving.desk import COUNT, HAS_WAYS, ROOM_OF, START
from khue.school.timetable.solving.narrowing import narrowed
from khue.school.timetable.solving.placing import Board
from khue.school.timetable.solving.relations import Relations
from khue.school.timetable.solving.running import solution_of, state_of
from khue.school.timetable.solving.swapping import Swapper

BUILDINGS = ("A", "A", "B", "B", "C", "C")
ROOMS = tuple(m.Room(f"P{n}", building, 40, 1) for n, building in enumerate(BUILDINGS))
ALL = tuple(room.name for room in ROOMS)


def school(*rules, sessions=1, is_wide=False):
    """A school of four classes in three buildings; a lesson may be in the first three rooms, some others or all if `is_wide`."""
    problem = ordinary.school(4, sessions=sessions, seed=3)
    wishes = [
        m.PrefersRooms(activities=(its.key,), rooms=ALL if is_wide else tuple(dict.fromkeys((ALL[n % 6], ALL[(n + 2) % 6], *ALL[:3]))))
        for n, its in enumerate(problem.activities)
    ]
    kept = [k for k in problem.constraints if k.is_hard and not isinstance(k, m.PrefersRooms | m.HomeRooms)]
    return replace(problem, rooms=ROOMS, constraints=(*kept, *wishes, *rules))


def made(problem, seed=1):
    rng = random.Random(seed)
    c = compiled(problem)
    relations = Relations(c)
    return c, Board(c, relations, rng), relations, rng


RULES = [
    m.MaxMovesBetweenBuildings(who=m.TEACHERS, most=1),
    m.MaxMovesBetweenBuildings(who=m.TEACHERS, most=0),
    m.MaxMovesBetweenBuildings(who=m.GROUPS, most=1, per="date"),
    m.MaxMovesBetweenBuildings(who=m.TEACHERS, most=3, per="week"),
    m.MinGapsBetweenBuildings(who=m.TEACHERS, least=1),
    m.MaxMovesBetweenRooms(who=m.GROUPS, most=1),
    m.MaxMovesBetweenRooms(who=m.GROUPS, most=6, per="week"),
    m.MinGapsBetweenRooms(who=m.TEACHERS, least=1),
]


@pytest.mark.parametrize("sessions", [1, 2])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{type(rule).__name__}-{getattr(rule, 'per', 'gap')}-{getattr(rule, 'most', 0)}")
def test_nobody_changes_place_more_than_a_rule_lets_her(rule, sessions):
    problem = school(rule, sessions=sessions)
    c, board, relations, rng = made(problem)
    swapper = Swapper(c, board, relations, rng)
    kind, placed = type(rule).__name__, 0
    for _ in range(6):
        done = swapper.run(monotonic() + 60, 3_000, lambda: False)
        report = checking.check(problem, solution_of(c, swapper.state()))
        assert kind not in {violation.kind for violation in report.violations}
        placed = max(placed, report.placed)
        if done:
            break
    assert placed > report.activities // 2


def test_the_rule_is_what_keeps_them_there():
    rule = m.MaxMovesBetweenBuildings(who=m.TEACHERS, most=0)
    problem = school()
    c, board, relations, rng = made(problem)
    swapper = Swapper(c, board, relations, rng)
    assert swapper.run(monotonic() + 60, 50_000, lambda: False)
    broken = checking.check(replace(problem, constraints=(*problem.constraints, rule)), solution_of(c, swapper.state()))
    assert Counter(violation.kind for violation in broken.violations)["MaxMovesBetweenBuildings"] > 10


def test_a_school_of_several_buildings_is_solved_and_stays_so_when_it_gets_cheaper():
    rules = (
        m.MaxMovesBetweenBuildings(who=m.TEACHERS, most=1), m.MinGapsBetweenBuildings(who=m.TEACHERS, least=1),
        m.MaxGaps(who=m.TEACHERS, most=0, weight=50.0),
    )  # fmt: skip
    problem = school(*rules, sessions=2)
    found = []
    result = engine.solve(
        problem, seconds=60, seed=1, progress=found.append, stop=lambda: bool(found) and not found[-1].violations and not found[-1].cost
    )
    assert result.status == "feasible"
    c, board, relations, rng = made(problem)
    annealer = Annealer(c, board, relations, rng)
    first = next(best for best in found if best.placed == best.activities and not best.violations)
    assert annealer.load(state_of(c, first.solution))
    for _ in range(3):
        state, _ = annealer.run(4_000, 20_000, 500, monotonic() + 60, lambda: False)
        assert checking.check(problem, solution_of(c, state)).hard == 0
        assert annealer.load(state)


def test_a_state_that_breaks_the_rule_is_loaded_as_far_as_it_keeps_it():
    free = school()
    c, board, relations, rng = made(free)
    swapper = Swapper(c, board, relations, rng)
    assert swapper.run(monotonic() + 60, 50_000, lambda: False)
    bound = school(m.MaxMovesBetweenBuildings(who=m.TEACHERS, most=0))
    c, board, relations, rng = made(bound)
    other = Swapper(c, board, relations, rng)
    other.load(swapper.state())
    lying = other.groups[0][0].desk
    state = lying.state(START, ROOM_OF)
    assert 0 < int(lying.cells[COUNT]) == len(state.starts) < len(bound.activities)
    assert not [v for v in checking.check(bound, solution_of(c, state)).violations if v.kind == "MaxMovesBetweenBuildings"]


# --- bounds on rooms ----------------------------------------------------------------------------------------------


def of_class(problem, name):
    return tuple(activity.key for activity in problem.activities if activity.groups == (name,))


def sets(problem):
    return {name: of_class(problem, name) for name in problem.groups}


def test_whatever_way_is_taken_a_bound_on_rooms_holds():
    base = school()
    bounds = [m.MaxRooms(activities=keys, most=2) for keys in sets(base).values()]
    problem = replace(base, constraints=(*base.constraints, *bounds))
    whole = compiled(problem)
    for seed in range(5):
        c = narrowed(whole, random.Random(seed))
        for bound in bounds:
            rooms = set()
            for key in bound.activities:
                open_ = [way for way in c.choices[c.index[key]] if all(c.classes[cls].holds for cls in way.classes)]
                assert open_, "every lesson still has a room"
                rooms |= {way.classes for way in open_}
            assert len(rooms) <= 2
        assert [len(row) for row in c.choices] == [len(row) for row in whole.choices], "choices keep their numbers"


def test_without_a_hard_bound_nothing_is_narrowed():
    base = school()
    keys = next(iter(sets(base).values()))
    for rule in ((), (m.MaxRooms(activities=keys, most=1, weight=50.0),)):
        c = compiled(replace(base, constraints=(*base.constraints, *rule)))
        assert narrowed(c, random.Random(1)) is c


def test_a_bound_without_rooms_in_common_is_left_alone():
    base = school()
    one, other = base.activities[:2]
    wishes = tuple(m.PrefersRooms(activities=(its.key,), rooms=(room,)) for its, room in ((one, "P0"), (other, "P5")))
    kept = tuple(k for k in base.constraints if not isinstance(k, m.PrefersRooms))
    problem = replace(base, constraints=(*kept, *wishes, m.MaxRooms(activities=(one.key, other.key), most=1)))
    c = narrowed(compiled(problem), random.Random(1))
    assert all(c.buildings(c.index[its.key]) == {building} for its, building in ((one, "A"), (other, "C")))


def test_rooms_of_a_timetable_that_keeps_the_bound_stay():
    base = school()
    bounds = [m.MaxRooms(activities=keys, most=2) for keys in sets(base).values()]
    problem = replace(base, constraints=(*base.constraints, *bounds))
    whole = compiled(problem)
    c = narrowed(whole, random.Random(7))
    relations = Relations(c)
    swapper = Swapper(c, Board(c, relations, random.Random(7)), relations, random.Random(7))
    swapper.run(monotonic() + 60, 30_000, lambda: False)
    state = swapper.state()
    assert len(state.starts) > len(problem.activities) // 2
    again = narrowed(whole, random.Random(99), state)
    for i, way in state.rooms.items():
        if whole.unit[i] in state.starts:
            assert all(again.classes[cls].holds for cls in again.choices[i][way].classes)


def test_a_school_whose_classes_keep_their_rooms_is_solved():
    base = school(is_wide=True)
    bounds = [m.MaxRooms(activities=keys, most=2) for keys in sets(base).values()]
    same = m.SameRoomIfAdjoining(activities=next(iter(sets(base).values())))
    problem = replace(base, constraints=(*base.constraints, *bounds, same))
    found = []
    result = engine.solve(
        problem, seconds=60, seed=1, progress=found.append, stop=lambda: bool(found) and found[-1].placed == found[-1].activities
    )
    assert result.status == "feasible"
    assert checking.check(problem, result.best.solution).hard == 0


def test_a_guess_of_rooms_that_fails_proves_nothing():
    """The model of days refuses a school whose rooms were guessed too few; the school itself is not refused for that."""
    base = school(is_wide=True)
    bound = m.MaxRooms(activities=next(iter(sets(base).values())), most=2)
    problem = replace(base, constraints=(*base.constraints, bound))
    run = running._Run(problem, 60, 1, 1, None, lambda: False)
    run.c = run.whole = compiled(problem)
    run._narrow()
    assert run.c is not run.whole
    for cls in run.c.classes:
        cls.holds = 0
    assert run._are_days_possible()
    assert not run.refused
    run._take(run.whole)
    for cls in run.whole.classes:
        cls.holds = 0
    assert not run._are_days_possible()
    assert run.refused


def test_lessons_with_one_start_change_rooms_for_each_other():
    """Six lessons at one time: each would rather be in the room after its own; the last has only its own, which is taken by then."""
    lessons = tuple(m.Activity(f"x{n}", (f"T{n}",), (f"L{n}",), lesson=f"x{n}") for n in range(6))
    rooms = [m.PrefersRooms(activities=(f"x{n}",), rooms=ALL[n : n + 2]) for n in range(6)]
    wishes = [m.PrefersRooms(activities=(f"x{n}",), rooms=(ALL[n + 1],), weight=50.0) for n in range(5)]
    at_once = m.StartsIn(activities=tuple(its.key for its in lessons), slots=frozenset({(0, 0)}))
    problem = m.Problem(
        "Cùng giờ", (m.Day("Hai", 0),), ("1", "2"), lessons, tuple(f"T{n}" for n in range(6)), {f"L{n}": (f"L{n}",) for n in range(6)},
        rooms=ROOMS, constraints=(*rooms, *wishes, at_once),
    )  # fmt: skip
    for may_change in (True, False):
        c, board, relations, rng = made(problem)
        swapper = Swapper(c, board, relations, rng)
        for lane in swapper.lanes if not may_change else ():
            lane.desk.part(HAS_WAYS)[:] = 0
        assert swapper.run(monotonic() + 60, 100, lambda: False) == may_change
        found = solution_of(c, swapper.state())
        assert checking.check(problem, found).is_feasible == may_change
        assert sorted(at.room for at in found.values()) == list(ALL[: 5 + may_change]) or not may_change
