"""A timetabling problem as data: days, periods, activities, rooms and constraints; and its solution.

Nothing here decides anything. `checking.check` says what a solution breaks, `engine.solve` looks for one.

A *slot* is `(day, period)`, both counted from 0. A *day* is what has its own first and last lesson: a whole day, or
one session of it; the sessions of one calendar day share `Day.date`. Gaps never span two days, so a school of two
sessions has twelve days and no gap at noon.

A constraint's `weight` is 0 to 100. 100 is hard: a solution that breaks it is not feasible. Below it, each unit by
which it is broken costs weight/100; the sum over all is the soft cost, which is FET's own measure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

Slot = tuple[int, int]
Span = Literal["day", "date", "week", "morning", "afternoon"]

HARD = 100.0
EVERY_WEEK, ODD_WEEKS, EVEN_WEEKS = 3, 1, 2


class ProblemError(ValueError):
    """A problem, a file or a solution cannot be used; the message is one sentence naming the thing and the place."""


@dataclass(frozen=True, slots=True)
class Day:
    """One day, or one session of a day; `date` counts calendar days, `half` is 0 in the morning, 1 after noon."""

    name: str
    date: int
    half: int = 0


@dataclass(frozen=True, slots=True)
class Room:
    """A room; `holds` is how many activities it takes at once (a sports ground may take three).

    parts   a virtual room is made of real ones: for each part, one of the named rooms
    """

    name: str
    building: str = ""
    capacity: int = 0
    holds: int = 1
    parts: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Activity:
    """What is placed at once: `duration` periods in a row on one day.

    key       its name in the problem, unique
    teachers  all of them are busy; groups: names of `Problem.groups`, all their atoms are busy
    lesson    activities of the same lesson (the parts of one split subject) share it; part counts from 1
    weeks     EVERY_WEEK, ODD_WEEKS or EVEN_WEEKS: two activities clash only in a common week
    """

    key: str
    teachers: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    subject: str = ""
    tags: tuple[str, ...] = ()
    duration: int = 1
    lesson: str = ""
    part: int = 1
    weeks: int = EVERY_WEEK
    learners: int | None = None


@dataclass(frozen=True, slots=True)
class Who:
    """Whose days a constraint looks at: teachers, or groups of learners; no names: all of them."""

    kind: Literal["teachers", "groups"]
    names: tuple[str, ...] = ()


TEACHERS, GROUPS = Who("teachers"), Who("groups")


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """What every constraint has: its weight, and the place it came from, for messages."""

    weight: float = HARD
    source: str = ""

    @property
    def is_hard(self) -> bool:
        """Return whether breaking it makes a solution infeasible."""
        return self.weight >= HARD


@dataclass(frozen=True, kw_only=True)
class OfPeople(Constraint):
    """A constraint on the days of people."""

    who: Who


@dataclass(frozen=True, kw_only=True)
class OfActivities(Constraint):
    """A constraint on activities, by key."""

    activities: tuple[str, ...]


# --- people: when -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Unavailable(OfPeople):
    """Has no activity in these slots; one unit a slot used."""

    slots: frozenset[Slot]


@dataclass(frozen=True, kw_only=True)
class MaxDays(OfPeople):
    """Comes on at most `most` days (dates, mornings or afternoons) a week; one unit each above."""

    most: int
    per: Span = "day"


@dataclass(frozen=True, kw_only=True)
class MinDays(OfPeople):
    """Comes on at least `least` days (dates, mornings or afternoons) a week; one unit each missing."""

    least: int
    per: Span = "day"


@dataclass(frozen=True, kw_only=True)
class IntervalMaxDays(OfPeople):
    """Has lessons in the periods `first` to `last` (not included) on at most `most` days; one unit each above."""

    first: int
    last: int
    most: int
    per: Span = "day"


@dataclass(frozen=True, kw_only=True)
class MaxGaps(OfPeople):
    """Has at most `most` free periods between lessons of one day, in sum a day, date or week; one unit each above.

    half   counts only days of this half (0 morning, 1 afternoon) when given
    """

    most: int
    per: Span = "week"
    half: int | None = None


@dataclass(frozen=True, kw_only=True)
class MaxHours(OfPeople):
    """Has at most `most` periods a day (date, week …), of one tag or subject if named; one unit a day above."""

    most: int
    per: Span = "day"
    tag: str | None = None
    subject: str | None = None


@dataclass(frozen=True, kw_only=True)
class MinHours(OfPeople):
    """Has at least `least` periods on each day (date …) with lessons, on every day unless `may_be_empty`."""

    least: int
    per: Span = "day"
    may_be_empty: bool = True
    tag: str | None = None


@dataclass(frozen=True, kw_only=True)
class MaxContinuous(OfPeople):
    """Has at most `most` periods in a row, of one tag if named; one unit a row that is longer."""

    most: int
    tag: str | None = None


@dataclass(frozen=True, kw_only=True)
class EarlyStart(OfPeople):
    """Starts every day with the first open period, but at most `most` days a week with the second.

    half   only days of this half when given
    """

    most: int
    half: int | None = None


@dataclass(frozen=True, kw_only=True)
class MaxSpan(OfPeople):
    """From the first to the last lesson of a day (date) there are at most `most` periods; one unit each above."""

    most: int
    per: Span = "day"
    one_longer_day: bool = False


@dataclass(frozen=True, kw_only=True)
class MinRest(OfPeople):
    """Between the end of one day and the start of the next date lie at least `least` periods of the grid."""

    least: int
    circular: bool = False


@dataclass(frozen=True, kw_only=True)
class MinRestAtNoon(OfPeople):
    """Between the last morning lesson and the first afternoon lesson of a date lie at least `least` periods."""

    least: int


@dataclass(frozen=True, kw_only=True)
class MaxConsecutiveDays(OfPeople):
    """Never comes on more than `most` days in a row; one unit each above.

    from_noon   one more is allowed when the row begins with an afternoon
    """

    most: int = 3
    from_noon: bool = False


@dataclass(frozen=True, kw_only=True)
class MaxFullDates(OfPeople):
    """Comes both in the morning and in the afternoon on at most `most` dates; one unit each above."""

    most: int


@dataclass(frozen=True, kw_only=True)
class MaxTagsADay(OfPeople):
    """Of these tags at most `most` occur on one day (date); one unit each above."""

    tags: tuple[str, ...]
    most: int
    per: Span = "day"


@dataclass(frozen=True, kw_only=True)
class MaxMovesBetweenBuildings(OfPeople):
    """Changes building at most `most` times a day (date, week); one unit each above."""

    most: int
    per: Span = "day"


@dataclass(frozen=True, kw_only=True)
class MinGapsBetweenBuildings(OfPeople):
    """Has at least `least` free periods when the next lesson of the day is in another building; travel time."""

    least: int


@dataclass(frozen=True, kw_only=True)
class MinGapsBetweenTags(OfPeople):
    """Has at least `least` periods between a lesson with the first tag and a later one of that day with the second.

    One unit a pair and period missing. The two tags may be the same.
    """

    tags: tuple[str, str]
    least: int


@dataclass(frozen=True, kw_only=True)
class MaxMovesBetweenRooms(OfPeople):
    """Changes room at most `most` times a day (date, week); one unit each above."""

    most: int
    per: Span = "day"


@dataclass(frozen=True, kw_only=True)
class MinGapsBetweenRooms(OfPeople):
    """Has at least `least` free periods when the next lesson of the day is in another room."""

    least: int


@dataclass(frozen=True, kw_only=True)
class Balance(OfPeople):
    """Periods of mornings and of afternoons in the week differ by at most `most`; one unit each above."""

    most: int


@dataclass(frozen=True, kw_only=True)
class CommonFree(OfPeople):
    """All of them are free together in at least `least` of these slots (a meeting of a subject group)."""

    slots: frozenset[Slot]
    least: int = 1


# --- activities: when -------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class StartsIn(OfActivities):
    """Each starts in one of these slots; one unit each that does not."""

    slots: frozenset[Slot]


@dataclass(frozen=True, kw_only=True)
class LiesIn(OfActivities):
    """Each lies in these slots with all its periods; one unit a period outside."""

    slots: frozenset[Slot]


@dataclass(frozen=True, kw_only=True)
class SameStart(OfActivities):
    """All start in the same slot; one unit a pair that does not."""


@dataclass(frozen=True, kw_only=True)
class SameDay(OfActivities):
    """All start on the same day; one unit a pair that does not."""


@dataclass(frozen=True, kw_only=True)
class SamePeriod(OfActivities):
    """All start in the same period of their days; one unit a pair that does not."""


@dataclass(frozen=True, kw_only=True)
class NotTogether(OfActivities):
    """No two overlap; one unit a period and pair that do.

    others   when given, only pairs of one of `activities` and one of `others` count
    """

    others: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MinDaysBetween(OfActivities):
    """Any two lie at least `least` calendar days apart; one unit a pair and day too close.

    adjoining   two on one date follow each other directly; this holds whatever the weight is
    """

    least: int
    adjoining: bool = False


@dataclass(frozen=True, kw_only=True)
class MaxDaysBetween(OfActivities):
    """Any two lie at most `most` calendar days apart; one unit a pair and day too far."""

    most: int


@dataclass(frozen=True, kw_only=True)
class MinGapsBetween(OfActivities):
    """Any two on one day have at least `least` periods between them; one unit a pair and period missing."""

    least: int


@dataclass(frozen=True, kw_only=True)
class MaxGapsBetween(OfActivities):
    """Any two on one day have at most `most` periods between them; one unit a pair that has more."""

    most: int


@dataclass(frozen=True, kw_only=True)
class Follows(OfActivities):
    """The second (of two) starts when the first ends, on the same day; a break may lie between."""


@dataclass(frozen=True, kw_only=True)
class Adjoins(OfActivities):
    """Two or three follow each other directly on one day, in any order; breaks may lie between."""


@dataclass(frozen=True, kw_only=True)
class Before(OfActivities):
    """The first (of two) comes earlier in the week than the second; only on a shared day if `same_day_only`."""

    same_day_only: bool = False


@dataclass(frozen=True, kw_only=True)
class EndsDay(OfActivities):
    """Each is the last of the day for all its learners; one unit each that is not."""


@dataclass(frozen=True, kw_only=True)
class MaxSlotsUsed(OfActivities):
    """Together they use at most `most` of these slots; one unit each above."""

    slots: frozenset[Slot]
    most: int


@dataclass(frozen=True, kw_only=True)
class MinSlotsUsed(OfActivities):
    """Together they use at least `least` of these slots; one unit each missing."""

    slots: frozenset[Slot]
    least: int


@dataclass(frozen=True, kw_only=True)
class MaxTogether(OfActivities):
    """At most `most` of them run at once in each of these slots; one unit each above."""

    slots: frozenset[Slot]
    most: int


@dataclass(frozen=True, kw_only=True)
class MinTogether(OfActivities):
    """At least `least` of them run at once in each of these slots, or none if `may_be_empty`."""

    slots: frozenset[Slot]
    least: int
    may_be_empty: bool = False


@dataclass(frozen=True, kw_only=True)
class MaxInSlots(OfActivities):
    """At most `most` of them touch these slots; one unit each above."""

    slots: frozenset[Slot]
    most: int


@dataclass(frozen=True, kw_only=True)
class MaxADay(OfActivities):
    """At most `most` of them start on one day (date); one unit each above."""

    most: int
    per: Span = "day"


@dataclass(frozen=True, kw_only=True)
class MaxTerms(OfActivities):
    """They lie in at most `most` terms of `days_a_term` days; one unit each above."""

    most: int
    days_a_term: int


@dataclass(frozen=True, kw_only=True)
class MaxInATerm(OfActivities):
    """At most `most` of them lie in one term of `days_a_term` days; one unit each above."""

    most: int
    days_a_term: int


@dataclass(frozen=True, kw_only=True)
class MinInATerm(OfActivities):
    """At least `least` of them lie in each term of `days_a_term` days (in no term if `may_be_empty`)."""

    least: int
    days_a_term: int
    may_be_empty: bool = False


@dataclass(frozen=True, kw_only=True)
class KeepPlaces(OfActivities):
    """Each stays where it was (`starts`, in the order of the keys): a change of the year touches as little as may be."""

    starts: tuple[Slot, ...]


# --- rooms ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class RoomUnavailable(Constraint):
    """The room is closed in these slots; one unit a slot used."""

    room: str
    slots: frozenset[Slot]


@dataclass(frozen=True, kw_only=True)
class PrefersRooms(OfActivities):
    """Each is held in one of these rooms; one unit each that is not. Activities without any wish need no room."""

    rooms: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class HomeRooms(OfActivities):
    """The same, for activities that have no wish of their own: the home rooms of their people."""

    rooms: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class MaxRooms(OfActivities):
    """Together they use at most `most` rooms; one unit each above."""

    most: int


@dataclass(frozen=True, kw_only=True)
class SameRoomIfAdjoining(OfActivities):
    """Any two that follow each other directly are in one room; one unit a pair that is not."""


# --- the problem ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NotHonoured:
    """Something in a file the solver does not honour: its kind, how often it occurs, and why."""

    kind: str
    count: int
    reason: str


@dataclass(frozen=True)
class Problem:
    """Everything to place and everything to respect.

    groups        each set of learners and its atoms: learners that always go together. Two sets clash when they
                  share an atom. A class without subgroups is its own only atom.
    closed        slots in which nothing is held (breaks)
    not_honoured  what the file had that no part of the program respects
    """

    name: str
    days: tuple[Day, ...]
    periods: tuple[str, ...]
    activities: tuple[Activity, ...]
    teachers: tuple[str, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    subjects: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    rooms: tuple[Room, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    closed: frozenset[Slot] = frozenset()
    not_honoured: tuple[NotHonoured, ...] = ()

    def slots(self) -> Iterable[Slot]:
        """Yield every slot of the grid, day by day."""
        return ((day, period) for day in range(len(self.days)) for period in range(len(self.periods)))

    def with_constraints(self, *more: Constraint) -> Problem:
        """Return it with further constraints."""
        return replace(self, constraints=(*self.constraints, *more))


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an activity is: its first slot, its room ("" for none), and a virtual room's real ones."""

    day: int
    period: int
    room: str = ""
    real_rooms: tuple[str, ...] = ()


Solution = Mapping[str, Placement]
