"""Each constraint kind satisfied and violated; each cost function; the sum of weights."""

from __future__ import annotations

import pytest

from khue.school.timetable.solving.xhstt.evaluating import evaluate
from khue.school.timetable.solving.xhstt.model import KINDS, Event, EventResource
from tests.school.timetable.xhstt.making import constraint, days, event, school, solution

A, B, D = 0, 1, 2
C, T1, T2, R1, R2 = range(5)

WHOLE = ((A, 2, 0, R1), (A, 1, 3, R1), (B, 2, 4, R2), (D, 1, 2))
"""Class C: Mo1 Mo2 . | Tu1 Tu2 Tu3. Teacher T1: Mo1 Mo2 Mo3 | Tu1."""

CASES = [
    # what, constraint, deviation of the timetable WHOLE
    ("all rooms given", constraint("AssignResource", role="room0", events=(A, B, D)), 0),
    ("all times given", constraint("AssignTime", events=(A, B, D)), 0),
    ("two parts of 1 to 2", constraint("SplitEvents", events=(A,), minimum_duration=1, maximum_duration=2, minimum=1, maximum=2), 0),
    ("only one part asked", constraint("SplitEvents", events=(A,), minimum_duration=1, maximum_duration=2, minimum=1, maximum=1), 1),
    ("too short and too few", constraint("SplitEvents", events=(A,), minimum_duration=2, maximum_duration=2, minimum=3, maximum=3), 2),
    ("one double", constraint("DistributeSplitEvents", events=(A,), duration=2, minimum=1, maximum=1), 0),
    ("two doubles asked", constraint("DistributeSplitEvents", events=(A,), duration=2, minimum=2, maximum=2), 1),
    ("no single asked", constraint("DistributeSplitEvents", events=(A, B), duration=1, minimum=0, maximum=0), 1),
    ("room R1 liked", constraint("PreferResources", role="room0", events=(A,), preferred=frozenset({R1})), 0),
    ("room R2 liked", constraint("PreferResources", role="room0", events=(A,), preferred=frozenset({R2})), 3),
    ("starts liked", constraint("PreferTimes", events=(A,), times=frozenset({0, 3})), 0),
    ("a start of a double not liked", constraint("PreferTimes", events=(A,), times=frozenset({3})), 2),
    ("only singles looked at", constraint("PreferTimes", events=(A,), times=frozenset({3}), duration=1), 0),
    ("one room", constraint("AvoidSplitAssignments", role="room0", groups=((A,),)), 0),
    ("two rooms", constraint("AvoidSplitAssignments", role="room0", groups=((A, B),)), 1),
    ("a start each day", constraint("SpreadEvents", groups=((A,),), time_groups=days(1, 1)), 0),
    ("two starts on a day", constraint("SpreadEvents", groups=((A, B),), time_groups=days(0, 1)), 1),
    ("two starts a day asked", constraint("SpreadEvents", groups=((A,),), time_groups=days(2, 2)), 2),
    ("linked with itself", constraint("LinkEvents", groups=((A,),)), 0),
    ("never together", constraint("LinkEvents", groups=((A, B),)), 5),
    ("D before B", constraint("OrderEvents", pairs=((D, B, 0, 6),)), 0),
    ("a gap of two asked", constraint("OrderEvents", pairs=((D, B, 2, 6),)), 1),
    ("B after D at once", constraint("OrderEvents", pairs=((D, B, 0, 0),)), 1),
    ("B before A", constraint("OrderEvents", pairs=((B, A, 0, 6),)), 6),
    ("no clash", constraint("AvoidClashes", resources=(C, T1, T2, R1, R2)), 0),
    ("free when closed", constraint("AvoidUnavailableTimes", resources=(C,), times=frozenset({2})), 0),
    ("busy when closed", constraint("AvoidUnavailableTimes", resources=(C,), times=frozenset({1, 2, 5})), 2),
    ("no gap", constraint("LimitIdleTimes", resources=(C, T1), time_groups=days(), maximum=0), 0),
    ("a gap asked", constraint("LimitIdleTimes", resources=(C,), time_groups=days(), minimum=1, maximum=2), 1),
    ("two days", constraint("ClusterBusyTimes", resources=(T1,), time_groups=days(), minimum=2, maximum=2), 0),
    ("a free day asked", constraint("ClusterBusyTimes", resources=(T1,), time_groups=days(), minimum=0, maximum=1), 1),
    ("two days asked of T2", constraint("ClusterBusyTimes", resources=(T2,), time_groups=days(), minimum=2, maximum=2), 1),
    ("2 or 3 a day", constraint("LimitBusyTimes", resources=(C,), time_groups=days(), minimum=2, maximum=3), 0),
    ("at most 1 a day", constraint("LimitBusyTimes", resources=(C,), time_groups=days(), minimum=0, maximum=1), 3),
    ("a free day is no lack", constraint("LimitBusyTimes", resources=(T2,), time_groups=days(), minimum=3, maximum=3), 1),
    ("load of 4", constraint("LimitWorkload", resources=(T1,), minimum=4, maximum=4), 0),
    ("too little load", constraint("LimitWorkload", resources=(T2,), minimum=5, maximum=9), 3),
    ("too much load", constraint("LimitWorkload", resources=(R1,), minimum=0, maximum=1), 2),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "deviation"), [(c, d) for _, c, d in CASES], ids=[name for name, _, _ in CASES]
)
def test_a_kind(rule, deviation):
    instance = school(rule)
    found = evaluate(instance, solution(instance, *WHOLE))
    assert (found.hard, found.soft) == (deviation, 0)
    assert sum(v.deviation for v in found.violations) == deviation


def test_every_kind_has_a_satisfied_and_a_violated_case():
    extra = {"AssignResource", "AssignTime", "AvoidClashes"}  # violated in the tests below
    assert {c.kind for _, c, d in CASES if d == 0} == set(KINDS)
    assert {c.kind for _, c, d in CASES if d > 0} | extra == set(KINDS)


def test_what_is_not_assigned_counts_by_duration():
    instance = school(
        constraint("AssignTime", events=(A, B, D)),
        constraint("AssignResource", role="room0", events=(A, B, D)),
    )
    found = evaluate(instance, solution(instance, (A, 2, None, R1), (A, 1, 3), (B, 2, 4)))
    assert [(v.kind, v.point, v.deviation) for v in found.violations] == [
        ("AssignTime", "A", 2),
        ("AssignTime", "D", 1),
        ("AssignResource", "A", 1),
        ("AssignResource", "B", 2),
    ]


def test_each_lesson_beyond_one_at_a_time_is_a_clash():
    instance = school(constraint("AvoidClashes", resources=(C, T1)))
    found = evaluate(instance, solution(instance, (A, 3, 0), (B, 2, 1), (D, 1, 1)))
    assert [(v.point, v.deviation) for v in found.violations] == [("C", 2), ("T1", 1)]
    twice = school(constraint("AvoidClashes", resources=(T1,)), events=(event("E", 2, fixed=(1, 1)),))
    assert evaluate(twice, solution(twice, (0, 2, 0))).hard == 2


def test_idle_times_lie_between_busy_ones_of_one_day():
    instance = school(constraint("LimitIdleTimes", resources=(C,), time_groups=days(), maximum=0))
    assert evaluate(instance, solution(instance, (A, 1, 0), (A, 1, 2), (A, 1, 4), (B, 2, None))).hard == 1


def test_the_order_waits_until_both_are_placed():
    instance = school(constraint("OrderEvents", pairs=((B, D, 0, 6),)))
    assert evaluate(instance, solution(instance, (B, 1, 5), (B, 1, None), (D, 1, 0))).hard == 0
    assert evaluate(instance, solution(instance, (B, 1, 5), (B, 1, 3), (D, 1, 0))).hard == 6


def test_workload_is_shared_by_duration_and_rounded_up_once():
    parts = Event("E", "E", 3, None, (EventResource("room0", "Room", None, 2),))
    instance = school(constraint("LimitWorkload", resources=(R1,), maximum=0), events=(parts, parts))
    assert evaluate(instance, solution(instance, (0, 1, 0, R1), (0, 2, 1, R2))).hard == 1  # 2/3
    assert evaluate(instance, solution(instance, (0, 3, 0, R1), (1, 1, 3, R1), (1, 2, 4))).hard == 3  # 8/3


@pytest.mark.parametrize(("function", "expected"), [("Linear", 5 * 3), ("Quadratic", 5 * 9), ("Step", 5)])
@pytest.mark.parametrize("hard", [True, False])
def test_cost_functions(function, expected, hard):
    rule = constraint("AssignTime", weight=5, hard=hard, function=function, events=(A,))
    instance = school(rule)
    found = evaluate(instance, solution(instance))
    assert (found.hard, found.soft) == ((expected, 0) if hard else (0, expected))
    placed = evaluate(instance, solution(instance, (A, 3, 0)))
    assert (placed.hard, placed.soft, placed.violations) == (0, 0, ())


def test_points_of_application_are_priced_one_by_one():
    instance = school(constraint("AssignTime", function="Quadratic", events=(A, B), hard=False))
    assert evaluate(instance, solution(instance)).soft == 9 + 4
