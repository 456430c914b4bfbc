"""The XHSTT problem as plain data: instance, constraints, solution, archive.

Everything is an index into the instance's lists: times in their XML order, resources, events. Both the
evaluator and the solver read these classes; they share nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field

KINDS = (
    "AssignResource",
    "AssignTime",
    "SplitEvents",
    "DistributeSplitEvents",
    "PreferResources",
    "PreferTimes",
    "AvoidSplitAssignments",
    "SpreadEvents",
    "LinkEvents",
    "OrderEvents",
    "AvoidClashes",
    "AvoidUnavailableTimes",
    "LimitIdleTimes",
    "ClusterBusyTimes",
    "LimitBusyTimes",
    "LimitWorkload",
)
COST_FUNCTIONS = ("Linear", "Quadratic", "Step")


class BadFile(ValueError):
    """An XHSTT file says something that cannot be; the text is one sentence naming thing and place."""


@dataclass(frozen=True)
class Resource:
    """A teacher, class, room or pupil; `kind` is the id of its resource type."""

    id: str
    name: str
    kind: str


@dataclass(frozen=True)
class EventResource:
    """A place for one resource in an event.

    role      "" only where the resource is preassigned
    kind      id of the resource type it takes
    resource  index of the preassigned resource, None when the solver chooses
    workload  what the whole event counts for its resource, whole units
    """

    role: str
    kind: str
    resource: int | None
    workload: int


@dataclass(frozen=True)
class Event:
    """Lessons of `duration` times to be split and placed; `time` is a preassigned starting time or None."""

    id: str
    name: str
    duration: int
    time: int | None
    resources: tuple[EventResource, ...]


@dataclass(frozen=True)
class TimeLimit:
    """A group of times with its bounds; both 0 where the constraint gives its bounds once for all groups."""

    times: tuple[int, ...]
    minimum: int = 0
    maximum: int = 0


@dataclass(frozen=True)
class Constraint:
    """One constraint of any of the sixteen kinds; the fields its kind does not know keep their defaults.

    kind        one of KINDS, the XML name without "Constraint"
    events      points of application of constraints on single events
    groups      points of application of constraints on groups of events
    pairs       (first, second, minimum, maximum separation) of OrderEvents
    resources   points of application of constraints on resources
    times       preferred or unavailable times
    preferred   preferred resources
    time_groups days or other groups looked at one by one
    duration    the duration DistributeSplitEvents counts, or PreferTimes looks at (None: all)
    """

    id: str
    name: str
    kind: str
    is_hard: bool
    weight: int
    cost_function: str
    role: str = ""
    events: tuple[int, ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()
    pairs: tuple[tuple[int, int, int, int], ...] = ()
    resources: tuple[int, ...] = ()
    times: frozenset[int] = frozenset()
    preferred: frozenset[int] = frozenset()
    time_groups: tuple[TimeLimit, ...] = ()
    duration: int | None = None
    minimum: int = 0
    maximum: int = 0
    minimum_duration: int = 1
    maximum_duration: int = 1


@dataclass(frozen=True)
class Instance:
    """One school's problem; `times` and `kinds` hold ids, the rest records."""

    id: str
    name: str
    times: tuple[str, ...]
    kinds: tuple[str, ...]
    resources: tuple[Resource, ...]
    events: tuple[Event, ...]
    constraints: tuple[Constraint, ...]


@dataclass(frozen=True)
class Lesson:
    """A solution event: part of `event`, from `start` on (None: no time), with one resource a place (or None)."""

    event: int
    duration: int
    start: int | None
    resources: tuple[int | None, ...]


@dataclass(frozen=True)
class Solution:
    """Lessons of one instance; `reported` is the (hard, soft) cost the file itself gives, if any."""

    instance: str
    lessons: tuple[Lesson, ...]
    group: str = ""
    description: str = ""
    reported: tuple[int, int] | None = None


@dataclass
class Archive:
    """What a file holds: its instances and the solutions stored with them."""

    id: str
    instances: list[Instance] = field(default_factory=list)
    solutions: list[Solution] = field(default_factory=list)
