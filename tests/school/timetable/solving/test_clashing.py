"""What clashes is found as the smallest set, in words, with what to relax; planted clashes of several kinds."""

from dataclasses import replace

import pytest

from khue.school.timetable.solving import explaining, ordinary, wording
from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.clashing import Demand, clash_of
from khue.school.timetable.solving.engine import solve
from tests.school.timetable.solving.schools import four_lessons, school

MORNINGS = frozenset((d, h) for d in (0, 2) for h in range(4))
FIRST = frozenset({(0, 0)})


def lan(kind, **values):
    return kind(who=m.Who("teachers", ("Lan",)), **values)


PLANTED = {
    "days of a teacher": [lan(m.MaxDays, most=0, source="A")],
    "a teacher who is away when her subject is taught": [
        lan(m.Unavailable, slots=MORNINGS, source="A"), m.LiesIn(activities=("a",), slots=MORNINGS, source="B"),
    ],
    "two lessons of a class at one time": [
        m.StartsIn(activities=("a",), slots=FIRST, source="A"), m.StartsIn(activities=("b",), slots=FIRST, source="B"),
    ],
    "days apart in too few days": [
        m.MinDaysBetween(activities=("a", "b"), least=1, source="A"), lan(m.MaxDays, most=1, per="date", source="B"),
    ],
    "a room for two classes at once": [
        m.PrefersRooms(activities=("a", "d"), rooms=("Lab",), source="A"), m.SameStart(activities=("a", "d"), source="B"),
    ],
    "order and places": [
        m.Before(activities=("a", "b"), source="A"), m.StartsIn(activities=("b",), slots=FIRST, source="B"),
    ],
    "gaps, free slots and times": [
        m.MaxGaps(who=m.Who("groups", ("6A",)), most=0, per="day", source="A"), m.StartsIn(activities=("a",), slots=FIRST, source="B"),
        m.StartsIn(activities=("b",), slots=frozenset({(0, 3)}), source="C"), m.LiesIn(activities=("c",), slots=frozenset({(1, 0), (1, 1)}), source="D"),
    ],
}  # fmt: skip
NOISE = (
    m.MaxHours(who=m.TEACHERS, most=4, source="noise 1"), m.Unavailable(who=m.Who("teachers", ("Minh",)), slots=frozenset({(3, 3)}), source="noise 2"),
    m.MaxGaps(who=m.TEACHERS, most=3, per="week", weight=50.0, source="noise 3"),
)  # fmt: skip


@pytest.mark.parametrize("name", list(PLANTED))
def test_planted_clashes_are_found_whole_and_without_anything_else(name):
    planted = PLANTED[name]
    problem = four_lessons(NOISE[0], *planted, *NOISE[1:])
    clash = clash_of(problem, seconds=30)
    assert {demand.source for demand in clash.demands} == {k.source for k in planted}
    assert clash.is_smallest
    assert clash.relaxing == (True,) * len(planted)


def test_a_wish_for_all_is_named_for_the_teacher_it_hurts():
    problem = four_lessons(m.MaxHours(who=m.TEACHERS, most=3, per="week", source="A"))
    clash = clash_of(problem, seconds=20)
    assert [demand.people for demand in clash.demands] == [("Lan",)]
    assert "Lan" in str(wording.demand_sentence(problem, clash.demands[0]))


def test_two_clashes_at_once_say_that_no_single_one_helps():
    problem = four_lessons(lan(m.MaxDays, most=0, source="A"), m.MaxDays(who=m.Who("teachers", ("Minh",)), most=0, source="B"))
    clash = clash_of(problem, seconds=20)
    assert len(clash.demands) == 1 and clash.relaxing == (False,)
    assert "mâu thuẫn khác" in " ".join(map(str, explaining.clash_sentences(problem, clash)))


def test_lessons_that_do_not_fit_clash_without_any_demand():
    crowded = replace(four_lessons(NOISE[0]), days=(m.Day("Hai", 0),), periods=("1", "2", "3"))
    clash = clash_of(crowded, seconds=10)
    assert clash.demands == ()
    assert "phân công" in str(explaining.clash_sentences(crowded, clash)[0])


def test_what_has_a_timetable_has_no_clash_and_no_time_proves_nothing():
    assert clash_of(four_lessons(*NOISE), seconds=10) is None
    assert clash_of(four_lessons(*PLANTED["order and places"]), seconds=0) is None


def test_the_engine_explains_an_ordinary_school():
    problem = school(4)
    teacher = problem.activities[0].teachers[0]
    planted = m.MaxDays(who=m.TEACHERS, most=2, source="two days")
    result = solve(problem.with_constraints(planted), seconds=40)
    assert result.status == "infeasible"
    told = [str(words) for words in explaining.clash_sentences(problem, result.clash)]
    assert {demand.source for demand in result.clash.demands} == {"two days"} and teacher.split()[0]
    assert len(result.clash.demands[0].people) == 1, told
    assert any("Nới yêu cầu này" in words for words in told) or "mâu thuẫn khác" in told[-1]


@pytest.mark.parametrize("kind", sorted(name for name in vars(m) if isinstance(getattr(m, name), type) and issubclass(getattr(m, name), m.Constraint)))
def test_every_kind_of_demand_has_words(kind):
    if kind in ("Constraint", "OfPeople", "OfActivities"):
        return
    text = wording._DEMANDS[kind]
    assert text % dict.fromkeys(("people", "activities", "slots", "most", "least"), "x")


def test_a_generated_school_names_the_wish_that_was_planted():
    problem = ordinary.school(6, seed=2)
    key = next(a for a in problem.activities if a.subject == "toan")
    away = m.Unavailable(who=m.Who("teachers", key.teachers), slots=frozenset(s for s in problem.slots() if s[0] < 4), source="away")
    clash = clash_of(problem.with_constraints(away), seconds=60)
    assert "away" in {demand.source for demand in clash.demands}
    assert isinstance(clash.demands[0], Demand)
