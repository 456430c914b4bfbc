"""Generated ordinary schools, and the annealing that takes the gaps out of teachers' weeks."""

import random
from collections import Counter
from time import monotonic

import pytest

from khue.school.timetable.solving import model as m
from khue.school.timetable.solving import ordinary, running
from khue.school.timetable.solving.checking import check
from khue.school.timetable.solving.compiling import SCALE, compiled
from khue.school.timetable.solving.engine import solve
from khue.school.timetable.solving.polishing import Polisher
from tests.school.timetable.solving.schools import at, four_lessons


@pytest.fixture(scope="module", params=[1, 2])
def placed(request):
    """Return a small school with a run that has just placed everything."""
    problem = ordinary.school(8, sessions=request.param, seed=3)
    run = running._Run(problem, 60, 1, 1, None, lambda: False)
    run.c = compiled(problem)
    run.relations = running.Relations(run.c)
    run.board = running.Board(run.c, run.relations, run.rng)
    return problem, run, run._place()


def test_a_school_teaches_what_the_programme_asks_with_teachers_of_the_norm():
    problem = ordinary.school(20, seed=1)
    load = Counter()
    for one in problem.activities:
        load.update(dict.fromkeys((*one.groups, *one.teachers), one.duration))
    assert {load[name] for name in problem.groups if name[0] in "67"} == {29}
    assert {load[name] for name in problem.groups if name[0] in "89"} == {30}
    assert max(load[name] for name in problem.teachers) <= ordinary.NORM + 3
    assert len(problem.teachers) / len(problem.groups) <= 1.9 + 0.2
    assert ordinary.school(20, seed=1) == problem != ordinary.school(20, seed=2)
    with pytest.raises(m.ProblemError):
        ordinary.school(3)


def test_annealing_knows_its_cost_and_breaks_nothing(placed):
    problem, run, state = placed
    run.board.load_state(state)
    polisher = Polisher(run.c, run.board, random.Random(5))
    before = check(problem, running.solution_of(run.c, state)).cost
    assert polisher._load() == pytest.approx(before * SCALE)
    best, cost = polisher.run(4000, SCALE, SCALE * 0.05, monotonic() + 60, lambda: False)
    report = check(problem, running.solution_of(run.c, best))
    assert report.is_feasible
    assert cost == pytest.approx(report.cost * SCALE)
    assert report.cost < before / 2
    assert polisher._load() >= cost, "the board holds the last timetable, never a better one than the best"


def test_annealing_stops_when_it_is_told(placed):
    _problem, run, state = placed
    run.board.load_state(state)
    polisher = Polisher(run.c, run.board, random.Random(5))
    best, cost = polisher.run(4000, SCALE, SCALE * 0.05, monotonic() + 60, lambda: True)
    assert best.starts == state.starts and cost == polisher._load()


def test_ordinary_schools_end_without_class_gaps_and_with_few_teacher_gaps():
    problem = ordinary.school(8, sessions=2, seed=4)
    seen = []
    result = solve(problem, seconds=25, seed=1, progress=seen.append, stop=lambda: bool(seen) and ordinary.gaps(problem, seen[-1].solution, "teachers")[0] <= 9)
    assert result.status == "feasible"
    assert ordinary.gaps(problem, result.best.solution, "groups")[0] == 0
    gaps, teachers = ordinary.gaps(problem, result.best.solution, "teachers")
    assert gaps / teachers <= 0.5 and teachers == len(problem.teachers)


def test_gaps_are_counted_within_a_day():
    problem = four_lessons()
    assert ordinary.gaps(problem, at("a 0 0", "b 0 3", "c 1 0", "d 0 2"), "teachers") == (2, 2)
