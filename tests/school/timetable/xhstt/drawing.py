"""Random small instances with constraints of every kind, for property tests."""

from __future__ import annotations

import random

from khue.school.timetable.solving.xhstt.model import (
    COST_FUNCTIONS,
    KINDS,
    Constraint,
    Event,
    EventResource,
    Instance,
    Resource,
    TimeLimit,
)


def instance(seed: int, *, slots: int = 8, events: int = 6, constraints: int = 12) -> Instance:
    """Return an instance that depends on nothing but the numbers given."""
    rng = random.Random(seed)
    resources = [Resource(f"c{i}", f"c{i}", "Class") for i in range(2)]
    resources += [Resource(f"t{i}", f"t{i}", "Teacher") for i in range(3)]
    resources += [Resource(f"r{i}", f"r{i}", "Room") for i in range(3)]
    made = []
    for number in range(events):
        duration = rng.randint(1, 3)
        places = [EventResource("", "Class", rng.randrange(2), duration)]
        if rng.random() < 0.8:
            places.append(EventResource("teacher", "Teacher", 2 + rng.randrange(3), rng.randint(0, 4)))
        for role in range(rng.randrange(3)):
            places.append(EventResource(f"room{role}", "Room", None, rng.randint(0, 4)))
        time = rng.randrange(slots - duration + 1) if rng.random() < 0.1 else None
        made.append(Event(f"e{number}", f"e{number}", duration, time, tuple(places)))
    rules = [_rule(rng, number, slots, len(made), len(resources)) for number in range(constraints)]
    return Instance(
        "Random",
        "Random",
        tuple(f"time{t}" for t in range(slots)),
        ("Class", "Teacher", "Room"),
        tuple(resources),
        tuple(made),
        tuple(rules),
    )


def _rule(rng: random.Random, number: int, slots: int, events: int, resources: int) -> Constraint:
    kind = rng.choice(KINDS)
    some = tuple(sorted(rng.sample(range(events), rng.randint(1, events))))
    low = rng.choice((0, 0, 0, 1, 2))
    cut = slots // 2
    groups = (tuple(range(cut)), tuple(range(cut, slots)))
    if rng.random() < 0.3:
        groups = (*groups, tuple(sorted(rng.sample(range(slots), 3))))
    return Constraint(
        id=f"{kind}{number}",
        name=kind,
        kind=kind,
        is_hard=rng.random() < 0.5,
        weight=rng.choice((0, 1, 1, 2, 7)),
        cost_function=rng.choice(COST_FUNCTIONS),
        role=rng.choice(("room0", "room1", "teacher")),
        events=some,
        groups=tuple(
            tuple(sorted(rng.sample(range(events), rng.randint(1, min(3, events)))))
            for _ in range(rng.randint(1, 2))
        ),
        pairs=tuple((*rng.sample(range(events), 2), low, rng.randint(low, slots)) for _ in range(2)),
        resources=tuple(sorted(rng.sample(range(resources), rng.randint(1, resources)))),
        times=frozenset(rng.sample(range(slots), rng.randint(1, slots - 1))),
        preferred=frozenset(rng.sample(range(5, 8), rng.randint(1, 3))),
        time_groups=tuple(TimeLimit(g, rng.choice((0, 0, 1)), rng.randint(1, 3)) for g in groups),
        duration=rng.choice((1, 2)) if kind == "DistributeSplitEvents" else rng.choice((None, 1, 2)),
        minimum=low,
        maximum=rng.randint(low, 4),
        minimum_duration=rng.choice((1, 1, 2)),
        maximum_duration=rng.choice((2, 3)),
    )
