"""The engine: places, improves, goes on from where it was, repeats itself, and says why nothing fits."""

from dataclasses import replace

import pytest

from khue.school.timetable.solving import keeping
from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.checking import check
from khue.school.timetable.solving.engine import solve
from khue.school.timetable.solving.model import ProblemError
from tests.school.timetable.solving.schools import at, four_lessons, school


def _counted(rounds):
    """Return a stop that says yes after so many questions: the same in every run, unlike a clock."""
    left = [rounds]

    def stop():
        left[0] -= 1
        return left[0] < 0

    return stop


def test_a_school_is_placed_and_streams_better_timetables():
    problem = school(4)
    seen = []
    result = solve(problem, seconds=20, seed=3, progress=seen.append, stop=lambda: bool(seen and seen[-1].cost == 0))
    assert result.status == "feasible"
    assert check(problem, result.best.solution).is_feasible
    keys = [(b.activities - b.placed, b.violations, b.cost) for b in seen]
    assert keys == sorted(keys, reverse=True)
    assert result.first_seconds is not None
    assert result.first_seconds <= result.seconds


def test_the_same_seed_gives_the_same_timetable_and_another_another():
    problem = school(3)
    one, two, other = (solve(problem, seconds=60, seed=seed, stop=_counted(40)).best.solution for seed in (1, 1, 2))
    assert one == two
    assert one != other


def test_a_run_goes_on_from_a_timetable():
    problem = school(3)
    first = solve(problem, seconds=20, seed=1, stop=_counted(30)).best
    seen = []
    again = solve(problem, seconds=20, seed=9, start=first.solution, progress=seen.append, stop=_counted(0)).best
    assert again.cost <= first.cost
    assert seen[0].cost == pytest.approx(first.cost)


def test_nobody_can_be_in_two_places():
    crowded = replace(four_lessons(), days=(m.Day("Hai", 0),), periods=("1", "2", "3"))
    result = solve(crowded, seconds=5)
    assert result.status == "infeasible"
    assert any("Lan" in reason and "4" in reason and "3" in reason for reason in result.reasons)


@pytest.mark.parametrize(
    ("constraint", "word"),
    [
        (m.MaxDays(who=m.Who("teachers", ("Lan",)), most=0), "Lan"),
        (m.StartsIn(activities=("c",), slots=frozenset({(0, 3)})), "[c]"),
        (m.MinDaysBetween(activities=("a", "b"), least=3), "ngày"),
    ],
)
def test_what_cannot_fit_is_said_in_words(constraint, word):
    result = solve(four_lessons(constraint), seconds=20)
    assert result.status == "infeasible"
    assert any(word in reason for reason in result.reasons)


def test_rooms_that_exclude_each_other_are_named():
    wishes = [m.PrefersRooms(activities=("a",), rooms=(room,)) for room in ("Lab", "Xa")]
    result = solve(four_lessons(*wishes), seconds=5)
    assert result.status == "infeasible"
    assert "phòng" in result.reasons[0]


@pytest.mark.parametrize(
    "constraint",
    [
        m.SameDay(activities=("a", "không")),
        m.MaxDays(who=m.Who("teachers", ("Ai",)), most=1),
        m.PrefersRooms(activities=("a",), rooms=("Không",)),
    ],
)
def test_a_name_that_is_not_there_is_refused(constraint):
    with pytest.raises(ProblemError, match="is not in the problem"):
        solve(four_lessons(constraint), seconds=1)


def test_an_activity_that_is_there_twice_is_refused():
    problem = four_lessons()
    with pytest.raises(ProblemError, match="'a' is in the problem twice"):
        solve(replace(problem, activities=(*problem.activities, problem.activities[0])), seconds=1)


def test_a_change_of_the_year_keeps_the_lessons_where_they_were():
    problem = school(3)
    before = solve(problem, seconds=20, seed=1, stop=_counted(20)).best.solution
    keys = tuple(before)
    starts = tuple((before[key].day, before[key].period) for key in keys)
    changed = problem.with_constraints(m.KeepPlaces(activities=keys, starts=starts, weight=50.0))
    teacher = problem.activities[0].teachers[0]
    day, period = starts[0]
    changed = changed.with_constraints(m.Unavailable(who=m.Who("teachers", (teacher,)), slots=frozenset({(day, period)})))
    result = solve(changed, seconds=6, seed=1, start=before)
    assert result.status == "feasible"
    moved = sum((at.day, at.period) != start for at, start in zip((result.best.solution[k] for k in keys), starts, strict=True))
    assert 0 < moved <= 12


def test_the_best_is_kept_whole_and_found_again(tmp_path):
    problem, timetable = four_lessons(), at("a 0 0 Lab", "b 0 1")
    path = tmp_path / "x.best.json"
    assert keeping.load(path, problem, digest="1") is None
    keeping.save(path, timetable, digest="1", facts={"cost": 2.0})
    assert keeping.load(path, problem, digest="1") == timetable
    assert keeping.load(path, problem, digest="2") is None
    assert [p.name for p in tmp_path.iterdir()] == ["x.best.json"]
    keeping.save(path, {}, digest="22222222222", facts={})
    keeping.save(path, timetable, digest="1", facts={"cost": 2.0})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.best.1.json", "x.best.22222222.json", "x.best.json"]
    assert keeping.load(tmp_path / "x.best.1.json", problem, digest="1") == timetable
    path.write_text('{"digest": "1", "timetable": {"a": [9, 9, "", []]}}')
    with pytest.raises(ProblemError, match="outside the days"):
        keeping.load(path, problem, digest="1")
    path.write_text("{")
    with pytest.raises(ProblemError, match="cannot be read"):
        keeping.load(path, problem, digest="1")
