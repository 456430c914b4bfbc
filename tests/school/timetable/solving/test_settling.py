"""The annealing that places everything: nobody clashes on the way, prices are counted right, the same seed goes the same way."""

import random
from dataclasses import replace
from time import monotonic

import numpy as np
import pytest

from khue.school.timetable.solving import checking, desk, engine, ordinary, running, settling, swapping
from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.compiling import compiled
from khue.school.timetable.solving.placing import Board
from khue.school.timetable.solving.relations import Relations
from khue.school.timetable.solving.settling import PRICE, Settler
from khue.school.timetable.solving.state import State
from khue.school.timetable.solving.swapping import SETTLED, Swapper
from tests.school.timetable.solving.schools import school

OF_WEEKS = {"Unplaced", "MaxGaps", "EarlyStart", "MinHours", "MaxHours"}


def _never():
    return False


def _tight():
    """Classes with one free period a week; full teachers with two to four lessons a day and at most one gap."""
    base = school(6)
    count = {}
    for activity in base.activities:
        count[activity.teachers[0]] = count.get(activity.teachers[0], 0) + 1
    full = m.Who("teachers", tuple(name for name, its in count.items() if its >= 15))
    bounds = (
        m.MinHours(who=full, least=2),
        m.MaxHours(who=full, most=4),
        m.MaxGaps(who=full, most=1, per="day"),
    )
    hard = tuple(replace(k, weight=100.0) for k in base.constraints)
    return replace(base, constraints=(*hard, *bounds))


def _made(problem, seed=1, threads=1):
    rng = random.Random(seed)
    c = compiled(problem)
    relations = Relations(c)
    board = Board(c, relations, rng)
    return c, Settler(c, board, relations, rng, threads), (board, relations, rng)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_tight_school_is_placed_whole_and_breaks_nothing(seed):
    problem = _tight()
    c, settler, _ = _made(problem, seed)
    state = settler.run(5_000_000, monotonic() + 60, _never)
    assert state is not None
    report = checking.check(problem, running.solution_of(c, state))
    assert report.placed == report.activities
    assert report.is_feasible


def test_on_the_way_only_rules_of_weeks_are_broken_and_prices_are_those_of_what_stands():
    problem = _tight()
    c, settler, _ = _made(problem)
    (one,) = settler.tries
    cells, kinds, missing = one.desk.cells, set(), set()
    for _ in range(300):
        if settler.run(one.look, monotonic() + 60, _never) is not None:
            break
        state = one.state()
        report = checking.check(problem, running.solution_of(c, state))
        kinds |= {violation.kind for violation in report.violations if violation.is_hard}
        missing.add(len(c.members) - len(state.starts))
        fields = one.desk.part(desk.FIELD).reshape(-1, desk.FIELD_CELLS)
        excess = np.maximum(0, one.desk.part(desk.SUM)[: len(fields)] - fields[:, 5])
        assert int(cells[desk.WEEKS_COST]) == int((fields[:, 7] * excess).sum())
        out = one.desk.part(desk.START) < 0
        assert int(cells[desk.REST_COST]) == int(one.desk.part(desk.LACK)[out].sum())
    assert kinds
    assert kinds <= OF_WEEKS
    assert max(missing) > 0


def test_what_stays_missing_becomes_dearer_up_to_a_bound_and_cheaper_when_all_is_placed():
    from khue.school.timetable.solving import settling_loops as loops

    _, settler, _ = _made(_tight())
    its = settler.tries[0].desk
    loops.lay(its.cells, its.tables, PRICE)
    assert set(its.part(desk.LACK).tolist()) == {PRICE}
    loops.weigh(its.cells, PRICE)
    assert set(its.part(desk.LACK).tolist()) == {PRICE + PRICE // 10 + 1}
    for _ in range(60):
        loops.weigh(its.cells, PRICE)
    dearest = set(its.part(desk.LACK).tolist())
    assert dearest == {PRICE * loops.HEAVIEST}
    while its.cells[desk.COUNT] != its.cells[desk.UNITS]:
        assert not loops.settle(its.cells, its.tables, 1, 1) or its.cells[desk.COUNT] == its.cells[desk.UNITS]
    loops.weigh(its.cells, PRICE)
    assert max(its.part(desk.LACK).tolist()) < PRICE * loops.HEAVIEST
    prices = set(its.part(desk.FIELD).reshape(-1, desk.FIELD_CELLS)[:, 7].tolist())
    assert prices <= {PRICE, PRICE + PRICE // 20 + 1}
    loops.lay(its.cells, its.tables, PRICE)
    assert set(its.part(desk.LACK).tolist()) == {PRICE}, "a new try begins with the first prices"


def test_it_knows_that_all_was_placed_though_a_rule_stays_broken():
    lessons = tuple(m.Activity(f"x{n}", ("T",), ()) for n in range(6))
    days = tuple(m.Day(f"Thứ {d + 2}", d) for d in range(3))
    problem = m.Problem("Một ngày", days, tuple("123"), lessons, ("T",), {}, constraints=(m.MaxDays(who=m.TEACHERS, most=1),))
    c, settler, _ = _made(problem)
    assert not settler.was_whole
    assert settler.run(100_000, monotonic() + 60, _never) is None
    assert settler.was_whole


def test_a_lesson_of_several_classes_is_worth_as_much_as_those_it_keeps_out():
    halves = ("a", "b", "c", "d")
    lessons = (m.Activity("all", ("T",), ("A",), duration=2), *(m.Activity(f"only {its}", ("S",), (its,)) for its in halves))
    groups = {"A": halves, **{its: (its,) for its in halves}}
    problem = m.Problem("Bốn nhóm", (m.Day("Thứ 2", 0),), tuple("123456"), lessons, ("S", "T"), groups)
    c, settler, _ = _made(problem)
    lack = settler.tries[0].desk.part(desk.LEAST_LACK)
    assert lack[c.unit[c.index["only a"]]] == PRICE
    assert lack[c.unit[c.index["all"]]] == PRICE * 4, "two periods of four groups"


def test_rooms_and_groups_are_made_way_in():
    keys = tuple(f"x{n}" for n in range(12))
    problem = m.Problem(
        "Phòng kín",
        tuple(m.Day(f"Thứ {d + 2}", d) for d in range(3)),
        tuple("1234"),
        tuple(m.Activity(key, (f"T{n}",), (f"L{n}",)) for n, key in enumerate(keys)),
        tuple(f"T{n}" for n in range(12)),
        {f"L{n}": (f"L{n}",) for n in range(12)},
        rooms=(m.Room("Lab"),),
        constraints=(
            m.PrefersRooms(activities=keys, rooms=("Lab",)),
            m.MaxADay(activities=keys[:6], most=2),
            m.StartsIn(activities=keys[:3], slots=frozenset({(0, 0), (1, 0), (2, 0)})),
        ),
    )
    for seed in range(5):
        c, settler, _ = _made(problem, seed)
        state = settler.run(2_000_000, monotonic() + 60, _never)
        assert state is not None
        assert checking.check(problem, running.solution_of(c, state)).is_feasible


def test_the_same_seed_goes_the_same_way_on_any_number_of_threads_and_a_stop_is_heard():
    problem = _tight()
    ends = [_made(problem, seed, threads)[1].run(200_000, monotonic() + 60, _never) for seed, threads in ((1, 2), (1, 2), (2, 2))]
    assert ends[0] == ends[1]
    assert ends[0] != ends[2]
    _, settler, _ = _made(problem)
    assert settler.run(5_000_000, monotonic() + 60, lambda: True) is None
    assert settler.tries[0].tries == 0
    assert settler.run(5_000_000, monotonic() - 1, _never) is None


def test_tries_become_longer_and_pushing_out_goes_on_where_they_end(monkeypatch):
    monkeypatch.setattr(settling, "LOOKS", 2)
    lessons = tuple(m.Activity(f"x{n}", (f"T{n}",), ("L",)) for n in range(8))
    days = tuple(m.Day(f"Thứ {d + 2}", d) for d in range(2))
    problem = m.Problem("Tám tiết trong sáu", days, tuple("123"), lessons, tuple(f"T{n}" for n in range(8)), {"L": ("L",)})
    c, settler, made = _made(problem)
    (one,) = settler.tries
    lengths = []
    for _ in range(40):
        assert settler.run(one.look, monotonic() + 60, _never) is None
        lengths.append(one.looks)
    assert lengths == [2] * 8 + [4] * 16 + [8] * 16
    (ended,) = settler.ended()
    assert len(ended.starts) == 6
    assert settler.ended() == []
    assert not settler.was_whole
    swapper = Swapper(c, *made)
    swapper.run(monotonic() + 60, 40 * swapping.TURN * len(c.members), _never)
    before = swapper.rounds
    for _ in range(2):
        swapper.add(ended)
        assert [lane.kind for lane in swapper.lanes].count(SETTLED) == 1, "one takes the other's place"
        assert len(swapper.lanes[-1].desk.state(desk.START, desk.ROOM_OF).starts) == 6
    swapper.run(monotonic() + 60, 10 * swapping.TURN * len(c.members), _never)
    assert swapper.lanes[-1].most == 6
    assert swapper.rounds > before
    assert max(lane.rounds / lane.kind.share for lane in swapper.lanes) < 3 * min(lane.rounds / lane.kind.share for lane in swapper.lanes)


def test_the_engine_settles_what_pushing_out_does_not_place(monkeypatch):
    monkeypatch.setattr(running, "SETTLED_AFTER", -1)
    monkeypatch.setattr(Swapper, "run", lambda *_: False)
    monkeypatch.setattr(Swapper, "state", lambda _: State())
    problem = _tight()
    seen = []
    result = engine.solve(problem, seconds=60, seed=1, progress=seen.append, stop=lambda: bool(seen))
    assert result.status == "feasible"
    assert seen[0].placed == len(problem.activities)
    assert seen[0].violations == 0


def test_two_sessions_are_settled_too():
    problem = ordinary.school(8, sessions=2, seed=3)
    c, settler, _ = _made(problem)
    state = settler.run(5_000_000, monotonic() + 60, _never)
    assert state is not None
    assert checking.check(problem, running.solution_of(c, state)).is_feasible
