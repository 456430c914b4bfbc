"""Every kind of constraint: the check counts what is broken, and the engine's model prices a timetable the same."""

from dataclasses import fields, replace

import pytest
from ortools.sat.python import cp_model

from khue.school.timetable.solving import checking, exact, wording
from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.checking import check
from khue.school.timetable.solving.compiling import SCALE, compiled
from khue.school.timetable.solving.engine import solve
from khue.school.timetable.solving.running import solution_of, state_of
from tests.school.timetable.solving.schools import at, four_lessons

LAN, A6 = m.Who("teachers", ("Lan",)), m.Who("groups", ("6A",))
FIRST = frozenset({(0, 0), (0, 1)})
BASE = at("a 0 0", "b 0 1", "c 2 0", "d 0 0")

CASES = [  # constraint, a timetable that keeps it, one that breaks it, units
    (m.Unavailable(who=LAN, slots=frozenset({(0, 3)})), BASE, at("a 0 3", "b 0 1", "c 2 0", "d 0 0"), 1),
    (m.MaxDays(who=LAN, most=2), BASE, at("a 0 0", "b 1 1", "c 2 0", "d 0 0"), 1),
    (m.MaxDays(who=LAN, most=1, per="date"), at("a 0 0", "b 1 1", "c 0 1", "d 0 0"), BASE, 1),
    (m.MaxDays(who=LAN, most=0, per="afternoon"), BASE, at("a 1 0", "b 0 1", "c 2 0", "d 0 0"), 1),
    (m.MinDays(who=LAN, least=2), BASE, at("a 0 0", "b 0 1", "c 0 2", "d 0 0"), 1),
    (m.IntervalMaxDays(who=LAN, first=0, last=1, most=1), at("a 0 0", "b 0 1", "c 2 1", "d 0 0"), BASE, 1),
    (m.MaxGaps(who=LAN, most=0), BASE, at("a 0 0", "b 0 3", "c 2 0", "d 0 0"), 2),
    (m.MaxGaps(who=LAN, most=1, per="day"), BASE, at("a 0 0", "b 0 3", "c 2 0", "d 0 0"), 1),
    (m.MaxGaps(who=LAN, most=0, per="day", half=1), at("a 0 0", "b 0 3", "c 2 0", "d 0 0"), at("a 1 0", "b 1 3", "c 2 0", "d 0 0"), 2),
    (m.MaxHours(who=LAN, most=2), BASE, at("a 0 0", "b 2 2", "c 2 0", "d 0 0"), 1),
    (m.MaxHours(who=LAN, most=1, subject="Toán"), at("a 0 0", "b 1 1", "c 2 0", "d 0 0"), BASE, 1),
    (m.MaxHours(who=A6, most=1, tag="nặng", per="date"), at("a 0 0", "b 2 2", "c 2 0", "d 0 0"), BASE, 1),
    (m.MinHours(who=LAN, least=2), BASE, at("a 0 0", "b 1 0", "c 2 0", "d 0 0"), 2),
    (m.MinHours(who=LAN, least=1, may_be_empty=False), at("a 0 0", "b 1 0", "c 2 0", "d 0 0"), None, 1),
    (m.MaxContinuous(who=LAN, most=2), BASE, at("a 2 2", "b 0 1", "c 2 0", "d 0 0"), 1),
    (m.EarlyStart(who=A6, most=0), BASE, at("a 0 1", "b 0 2", "c 2 0", "d 0 0"), 1),
    (m.EarlyStart(who=A6, most=1), at("a 0 1", "b 0 2", "c 2 0", "d 0 0"), at("a 0 2", "b 0 3", "c 2 0", "d 0 0"), 1),
    (m.MaxSpan(who=LAN, most=2), BASE, at("a 0 0", "b 0 3", "c 2 0", "d 0 0"), 2),
    (m.MaxSpan(who=LAN, most=2, one_longer_day=True), at("a 0 0", "b 0 2", "c 2 0", "d 0 0"), at("a 0 0", "b 0 3", "c 2 0", "d 0 0"), 1),
    (m.MinRest(who=LAN, least=3), BASE, at("a 0 0", "b 1 3", "c 2 0", "d 0 0"), 3),
    (m.MinRestAtNoon(who=LAN, least=2), BASE, at("a 0 3", "b 1 0", "c 2 0", "d 0 0"), 2),
    (m.MaxConsecutiveDays(who=LAN, most=2), BASE, at("a 0 0", "b 1 1", "c 2 0", "d 0 0"), 1),
    (m.MaxConsecutiveDays(who=LAN, most=1, from_noon=True), at("a 1 0", "b 1 1", "c 2 0", "d 0 0"), at("a 0 0", "b 0 1", "c 1 0", "d 0 0"), 1),
    (m.MaxFullDates(who=LAN, most=0), BASE, at("a 0 0", "b 1 1", "c 2 0", "d 0 0"), 1),
    (m.MaxTagsADay(who=A6, tags=("nặng", "nhẹ"), most=1), BASE, at("a 0 0", "b 2 2", "c 2 0", "d 0 0"), 1),
    (m.Balance(who=LAN, most=0), at("a 0 0", "b 0 1", "c 1 0", "d 0 0"), BASE, 4),
    (m.CommonFree(who=m.TEACHERS, slots=FIRST), at("a 0 0", "b 0 2", "c 2 0", "d 0 0"), BASE, 1),
    (m.StartsIn(activities=("a", "b"), slots=FIRST), BASE, at("a 0 2", "b 0 1", "c 2 0", "d 0 0"), 1),
    (m.LiesIn(activities=("c",), slots=FIRST), at("a 2 0", "b 2 1", "c 0 0", "d 0 0"), at("a 2 0", "b 2 1", "c 0 1", "d 0 0"), 1),
    (m.SameStart(activities=("a", "d")), BASE, at("a 0 0", "b 0 1", "c 2 0", "d 0 1"), 1),
    (m.SameDay(activities=("a", "b", "d")), BASE, at("a 0 0", "b 0 1", "c 2 0", "d 1 0"), 2),
    (m.SamePeriod(activities=("a", "d")), at("a 0 0", "b 0 1", "c 2 0", "d 1 0"), at("a 0 0", "b 0 1", "c 2 0", "d 1 1"), 1),
    (m.NotTogether(activities=("c", "d")), BASE, at("a 0 0", "b 0 1", "c 2 0", "d 2 1"), 1),
    (m.NotTogether(activities=("a", "b"), others=("d",)), at("a 0 2", "b 0 1", "c 2 0", "d 0 0"), BASE, 1),
    (m.MinDaysBetween(activities=("a", "b"), least=1), at("a 0 0", "b 2 2", "c 2 0", "d 0 0"), at("a 0 0", "b 1 2", "c 2 0", "d 0 0"), 1),
    (m.MaxDaysBetween(activities=("a", "c"), most=0), at("a 0 0", "b 2 2", "c 1 0", "d 0 0"), BASE, 1),
    (m.MinGapsBetween(activities=("a", "b"), least=2), at("a 0 0", "b 0 3", "c 2 0", "d 0 0"), BASE, 2),
    (m.MaxGapsBetween(activities=("a", "b"), most=0), BASE, at("a 0 0", "b 0 3", "c 2 0", "d 0 0"), 1),
    (m.Follows(activities=("a", "b")), BASE, at("a 0 1", "b 0 0", "c 2 0", "d 0 0"), 1),
    (m.Adjoins(activities=("a", "b")), at("a 0 1", "b 0 0", "c 2 0", "d 0 0"), at("a 0 2", "b 0 0", "c 2 0", "d 0 0"), 1),
    (m.Adjoins(activities=("a", "b", "c")), at("a 0 3", "b 0 0", "c 0 1", "d 0 0"), BASE, 1),
    (m.Before(activities=("a", "c")), BASE, at("a 2 2", "b 0 1", "c 2 0", "d 0 0"), 1),
    (m.Before(activities=("a", "c"), same_day_only=True), at("a 3 2", "b 0 1", "c 2 0", "d 0 0"), at("a 2 2", "b 0 1", "c 2 0", "d 0 0"), 1),
    (m.MinGapsBetweenTags(who=LAN, tags=("nặng", "nhẹ"), least=2), at("a 0 0", "b 2 2", "c 2 0", "d 0 0"), at("a 0 0", "b 2 0", "c 2 2", "d 0 0"), 1),
    (m.MinGapsBetweenTags(who=A6, tags=("nặng", "nặng"), least=2), at("a 0 0", "b 0 3", "c 2 0", "d 0 0"), BASE, 2),
    (m.EndsDay(activities=("b",)), BASE, at("a 0 2", "b 0 1", "c 2 0", "d 0 0"), 1),
    (m.MaxSlotsUsed(activities=("a", "b", "d"), slots=FIRST, most=1), at("a 0 0", "b 0 2", "c 2 0", "d 0 0"), BASE, 1),
    (m.MinSlotsUsed(activities=("a", "b", "d"), slots=FIRST, least=2), BASE, at("a 0 0", "b 0 2", "c 2 0", "d 0 0"), 1),
    (m.MaxTogether(activities=("a", "d"), slots=FIRST, most=1), at("a 0 2", "b 0 1", "c 2 0", "d 0 0"), BASE, 1),
    (m.MinTogether(activities=("a", "b", "d"), slots=FIRST, least=1), BASE, at("a 0 0", "b 0 2", "c 2 0", "d 0 0"), 1),
    (m.MaxInSlots(activities=("a", "b", "d"), slots=FIRST, most=2), at("a 0 0", "b 0 2", "c 2 0", "d 0 0"), BASE, 1),
    (m.MaxADay(activities=("a", "b"), most=1), at("a 0 0", "b 1 0", "c 2 0", "d 0 0"), BASE, 1),
    (m.MaxTerms(activities=("a", "b"), most=1, days_a_term=2), BASE, at("a 0 0", "b 2 2", "c 2 0", "d 0 0"), 1),
    (m.MaxInATerm(activities=("a", "b"), most=1, days_a_term=2), at("a 0 0", "b 2 2", "c 2 0", "d 0 0"), BASE, 1),
    (m.MinInATerm(activities=("a", "b"), least=1, days_a_term=2), at("a 0 0", "b 2 2", "c 2 0", "d 0 0"), BASE, 1),
    (m.KeepPlaces(activities=("a", "b"), starts=((0, 0), (0, 1))), BASE, at("a 0 2", "b 0 1", "c 2 0", "d 0 0"), 1),
]
ROOMS = [
    (m.PrefersRooms(activities=("a",), rooms=("Lab",)), at("a 0 0 Lab", "b 0 1", "c 2 0", "d 0 0"), BASE, 1),
    (m.HomeRooms(activities=("a", "b"), rooms=("Lab",)), at("a 0 0 Lab", "b 0 1 Lab", "c 2 0", "d 0 0"), BASE, 2),
]
WISH = m.PrefersRooms(activities=("a", "b"), rooms=("Lab", "Xa"))
PLACES = [
    (m.RoomUnavailable(room="Lab", slots=FIRST), at("a 0 0 Xa", "b 0 1 Xa", "c 2 0", "d 0 0"), at("a 0 0 Lab", "b 0 1 Xa", "c 2 0", "d 0 0"), 1),
    (m.MaxRooms(activities=("a", "b"), most=1), at("a 0 0 Xa", "b 0 1 Xa", "c 2 0", "d 0 0"), at("a 0 0 Lab", "b 0 1 Xa", "c 2 0", "d 0 0"), 1),
    (m.SameRoomIfAdjoining(activities=("a", "b")), at("a 0 0 Lab", "b 0 2 Xa", "c 2 0", "d 0 0"), at("a 0 0 Lab", "b 0 1 Xa", "c 2 0", "d 0 0"), 1),
    (m.MaxMovesBetweenBuildings(who=LAN, most=0), at("a 0 0 Xa", "b 0 1 Xa", "c 2 0", "d 0 0"), at("a 0 0 Lab", "b 0 3 Xa", "c 2 0", "d 0 0"), 1),
    (m.MaxMovesBetweenRooms(who=LAN, most=0), at("a 0 0 Xa", "b 0 1 Xa", "c 2 0", "d 0 0"), at("a 0 0 Lab", "b 0 3 Xa", "c 2 0", "d 0 0"), 1),
    (m.MinGapsBetweenBuildings(who=LAN, least=2), at("a 0 0 Lab", "b 0 3 Xa", "c 2 0", "d 0 0"), at("a 0 0 Lab", "b 0 2 Xa", "c 2 0", "d 0 0"), 1),
    (m.MinGapsBetweenRooms(who=LAN, least=2), at("a 0 0 Lab", "b 0 3 Xa", "c 2 0", "d 0 0"), at("a 0 0 Lab", "b 0 1 Xa", "c 2 0", "d 0 0"), 2),
]  # fmt: skip


def _named(case):
    return type(case[0]).__name__


@pytest.mark.parametrize("case", [*CASES, *ROOMS, *PLACES], ids=_named)
def test_the_check_counts_what_is_broken(case):
    constraint, kept, broken, units = case
    problem = four_lessons(*([WISH] if case in PLACES else []), constraint)
    kind = type(constraint).__name__
    assert check(problem, kept).kinds.get(kind, 0) == (0 if broken is not None else units)
    if broken is not None:
        report = check(problem, broken)
        assert report.kinds[kind] == units
        assert not report.is_feasible
        assert all("%(" not in str(wording.sentence(problem, v)) for v in report.violations)


@pytest.mark.parametrize("case", [*CASES, *ROOMS, *PLACES], ids=_named)
def test_the_model_prices_a_timetable_as_the_check_does(case):
    constraint, *timetables, _ = case
    problem = four_lessons(*([WISH] if case in PLACES else []), replace(constraint, weight=50.0))
    for timetable in timetables:
        if timetable is not None:
            assert _price(problem, timetable) == pytest.approx(check(problem, timetable).cost)


def _price(problem, timetable):
    """Return the least cost the engine's model finds with every unit where the timetable has it."""
    c = compiled(problem)
    state = state_of(c, timetable)
    window = exact.Window(c, range(len(c.members)), state)
    for unit, starts in window.x.items():
        for start, literal in starts.items():
            window.model.add(literal == (start == state.starts[unit]))
    for i, table in window.z.items():
        for (choice, start), literal in table.items():
            window.model.add(literal == (start == state.starts[c.unit[i]] and choice == state.rooms.get(i, 0)))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(window.model) == cp_model.OPTIMAL
    return (solver.objective_value if window.terms else window.offset) / SCALE


@pytest.mark.parametrize("case", [case for case in (*CASES, *ROOMS, *PLACES) if case[2] is not None], ids=_named)
def test_the_engine_respects_it_when_it_is_hard(case):
    """Cases no timetable can keep (Lan cannot come four times) are not asked here."""
    constraint, kept, broken, _ = case
    problem = four_lessons(*([WISH] if case in PLACES else []), constraint)
    result = solve(problem, seconds=20, seed=1)
    assert check(problem, kept).is_feasible
    assert result.status == "feasible"
    assert check(problem, result.best.solution).is_feasible


def test_every_kind_has_a_rule_a_model_a_sentence_and_a_case():
    kinds = {
        cls for cls in vars(m).values()
        if isinstance(cls, type) and issubclass(cls, m.Constraint) and cls not in (m.Constraint, m.OfPeople, m.OfActivities)
    }  # fmt: skip
    tried = {type(case[0]) for case in (*CASES, *ROOMS, *PLACES)}
    in_domains = {m.Unavailable, m.StartsIn, m.LiesIn, m.KeepPlaces, m.PrefersRooms, m.HomeRooms}
    assert kinds == tried
    assert kinds == set(checking._RULES)
    assert kinds - in_domains == set(exact._ADD)
    assert {cls.__name__ for cls in kinds} <= set(wording._TEXTS)
    assert all(fields(cls) for cls in kinds)


def test_odd_and_even_weeks_share_a_slot():
    problem = four_lessons()
    activities = tuple(replace(a, weeks=w) for a, w in zip(problem.activities, (1, 2, 3, 3), strict=True))
    problem = replace(problem, activities=activities)
    assert check(problem, at("a 0 0", "b 0 0", "c 2 0", "d 0 0")).is_feasible
    assert check(problem, at("a 0 0", "b 0 1", "c 0 0", "d 0 0")).kinds["Clash"] == 2
    assert solve(problem, seconds=10).status == "feasible"


def test_a_room_holds_as_many_as_it_can():
    problem = four_lessons(m.PrefersRooms(activities=("a", "d"), rooms=("Sân",)))
    both = at("a 0 0 Sân", "b 0 1", "c 2 0", "d 0 0 Sân")
    assert check(problem, both).is_feasible
    narrow = replace(problem, rooms=(m.Room("Sân"),), constraints=problem.constraints)
    assert check(narrow, both).kinds["RoomClash"] == 1


def test_alike_rooms_are_given_out_without_a_clash():
    rooms = (m.Room("P1"), m.Room("P2"))
    problem = replace(four_lessons(m.PrefersRooms(activities=("a", "b", "c", "d"), rooms=("P1", "P2"))), rooms=rooms)
    c = compiled(problem)
    assert len(c.classes) == 1
    assert check(problem, solution_of(c, state_of(c, at("a 0 0 P1", "b 0 1 P1", "c 2 0 P1", "d 0 0 P1")))).is_feasible
