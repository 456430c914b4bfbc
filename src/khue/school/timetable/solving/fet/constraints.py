"""FET's constraints as the model's: one builder a shape, by name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast
from xml.etree.ElementTree import Element

from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.fet.xml import decimal, number, text, texts, truth
from khue.school.timetable.solving.model import Activity, Constraint, ProblemError, Slot


class Unsupported(Exception):
    """The constraint is not honoured; the message says why."""


@dataclass
class Context:
    """What a constraint may refer to; `closed` gathers the breaks."""

    days: dict[str, int]
    periods: dict[str, int]
    activities: dict[str, Activity]
    inactive: set[str]
    groups: dict[str, tuple[str, ...]]
    teachers: set[str]
    rooms: set[str]
    capacity: dict[str, int]
    learners: dict[str, int]
    days_a_term: int
    height: int
    has_halves: bool = False
    closed: set[Slot] = field(default_factory=set)
    partly: Counter[tuple[str, str]] = field(default_factory=Counter)  # (kind, what of it is not honoured)

    def day(self, name: str) -> int:
        """Return a day's number."""
        if name not in self.days:
            raise ProblemError(f"day {name!r} is not in <Days_List>")
        return self.days[name]

    def period(self, name: str) -> int:
        """Return a period's number."""
        if name not in self.periods:
            raise ProblemError(f"hour {name!r} is not in <Hours_List>")
        return self.periods[name]

    def slots(self, element: Element, tag: str, day: str = "Day", hour: str = "Hour") -> frozenset[Slot]:
        """Return the slots in the children of that name."""
        return frozenset((self.day(text(each, day)), self.period(text(each, hour))) for each in element.findall(tag))

    def keys(self, found: Iterable[str]) -> tuple[str, ...]:
        """Return the active ones of these activities."""
        keys = []
        for key in map(str.strip, found):
            if key in self.activities:
                keys.append(key)
            elif key not in self.inactive:
                raise ProblemError(f"activity {key} is not in <Activities_List>")
        return tuple(keys)

    def room(self, name: str) -> str:
        """Return a room's name, known."""
        if name not in self.rooms:
            raise ProblemError(f"room {name!r} is not in <Rooms_List>")
        return name

    def matching(self, element: Element, *, component: int | None = None) -> tuple[str, ...]:
        """Return the activities a filter of teacher, students, subject, tag and duration means."""
        teacher, students = text(element, "Teacher_Name", ""), text(element, "Students_Name", "")
        subject, tag = text(element, "Subject_Name", ""), text(element, "Activity_Tag_Name", "")
        duration = text(element, "Duration", "")
        if students and students not in self.groups:
            raise ProblemError(f"students {students!r} are not in <Students_List>")
        atoms = set(self.groups.get(students, ()))
        return tuple(
            key
            for key, a in self.activities.items()
            if (not teacher or teacher in a.teachers)
            and (not students or any(atoms.intersection(self.groups[g]) for g in a.groups))
            and (not subject or subject == a.subject)
            and (not tag or tag in a.tags)
            and (not duration.strip() or duration.strip() == str(a.duration))
            and (component is None or a.part == component)
        )


Builder = Callable[[Element, Context, dict[str, Any]], list[Constraint]]
_BUILDERS: dict[str, Builder] = {}
_OF_PEOPLE: dict[str, Builder] = {}
MOST_DAYS = 1_000
"""The most days anybody may ask to lie between two activities; weeks have fewer."""
_PEOPLE = re.compile(r"^Constraint(Teachers|Teacher|StudentsSet|Students)(?=[A-Z])(.+)$")


def build(element: Element, source: str, context: Context) -> list[Constraint]:
    """Return the model's constraints for an element; raises Unsupported or ProblemError."""
    common: dict[str, Any] = {"weight": decimal(element, "Weight_Percentage", 100.0), "source": source}
    builder = _BUILDERS.get(element.tag)
    if builder is not None:
        return builder(element, context, common)
    match = _PEOPLE.match(element.tag)
    if match and match[2] in _OF_PEOPLE:
        common["who"] = _who(element, match[1], context)
        return _OF_PEOPLE[match[2]](element, context, common)
    raise Unsupported("this kind is not known to the solver")


def honoured() -> tuple[str, ...]:
    """Return the names of all constraints of FET that are read and respected."""
    people = [f"Constraint{who}{rest}" for rest in _OF_PEOPLE for who in whose(rest)]
    return tuple(sorted({*_BUILDERS, *people}))


def whose(rest: str) -> tuple[str, ...]:
    """Return the beginnings of names under which FET has a constraint on people's weeks."""
    return _LESS.get(rest, ("Teacher", "Teachers", "StudentsSet", "Students"))


def _who(element: Element, kind: str, context: Context) -> m.Who:
    if kind == "Teachers":
        return m.TEACHERS
    if kind == "Students":
        return m.GROUPS
    if kind == "Teacher":
        name = text(element, "Teacher_Name", "") or text(element, "Teacher", "")
        if name not in context.teachers:
            raise ProblemError(f"teacher {name!r} is not in <Teachers_List>")
        return m.Who("teachers", (name,))
    name = text(element, "Students", "") or text(element, "Students_Name", "")
    if name not in context.groups:
        raise ProblemError(f"students {name!r} are not in <Students_List>")
    return m.Who("groups", (name,))


def _on(table: dict[str, Builder], *names: str) -> Callable[[Builder], Builder]:
    def note(builder: Builder) -> Builder:
        for name in names:
            table[name] = builder
        return builder

    return note


def _first(element: Element, *tags: str) -> int:
    """Return the whole number of the first of these children that is there."""
    for tag in tags:
        if element.find(tag) is not None:
            return number(element, tag)
    raise ProblemError(f"<{tags[0]}> is missing")


def _tag(element: Element) -> str:
    return text(element, "Activity_Tag_Name", "") or text(element, "Activity_Tag", "")


_LESS = {
    "NotAvailableTimes": ("Teacher", "StudentsSet"),
    "EarlyMaxBeginningsAtSecondHour": ("StudentsSet", "Students"),
    **dict.fromkeys(
        (
            "MaxGapsPerMorningAndAfternoon", "MaxHoursDailyHalfDays", "MaxZeroGapsPerAfternoon", "MinDaysPerWeek", "MinHoursDailyRealDays",
            "MinRealDaysPerWeek",
        ),
        ("Teacher", "Teachers"),
    ),
}  # fmt: skip
"""Constraints on people's weeks that FET does not have for everybody."""


# --- people -----------------------------------------------------------------------------------------------------


@_on(_OF_PEOPLE, "NotAvailableTimes")
def _unavailable(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
    return [m.Unavailable(slots=x.slots(e, "Not_Available_Time"), **c)]


def _count_days(rest: str, per: m.Span) -> None:
    most = ("Max_Days_Per_Week", "Max_Mornings_Per_Week", "Max_Afternoons_Per_Week")
    least = ("Minimum_Days_Per_Week", "Minimum_Mornings_Per_Week", "Minimum_Afternoons_Per_Week")
    _OF_PEOPLE[f"Max{rest}PerWeek"] = lambda e, x, c: [m.MaxDays(most=_first(e, *most), per=per, **c)]
    _OF_PEOPLE[f"Min{rest}PerWeek"] = lambda e, x, c: [m.MinDays(least=_first(e, *least), per=per, **c)]


for _rest, _per in (("Days", "day"), ("RealDays", "date"), ("Mornings", "morning"), ("Afternoons", "afternoon")):
    _count_days(_rest, cast(m.Span, _per))


def _interval(per: m.Span) -> Builder:
    def builder(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
        end = text(e, "Interval_End_Hour", "")
        most = _first(e, "Max_Days_Per_Week", "Max_Mornings_Per_Week", "Max_Afternoons_Per_Week")
        first = x.period(text(e, "Interval_Start_Hour"))
        return [m.IntervalMaxDays(first=first, last=x.period(end) if end else x.height, most=most, per=per, **c)]

    return builder


_OF_PEOPLE["IntervalMaxDaysPerWeek"] = _interval("day")
_OF_PEOPLE["MorningIntervalMaxDaysPerWeek"] = _interval("morning")
_OF_PEOPLE["AfternoonIntervalMaxDaysPerWeek"] = _interval("afternoon")

_OF_PEOPLE["MaxGapsPerWeek"] = lambda e, x, c: [m.MaxGaps(most=number(e, "Max_Gaps"), **c)]
_OF_PEOPLE["MaxGapsPerDay"] = lambda e, x, c: [m.MaxGaps(most=number(e, "Max_Gaps"), per="day", **c)]


@_on(_OF_PEOPLE, "MaxGapsPerRealDay")
def _gaps_real_day(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
    if truth(e, "Allow_One_Day_Exception_of_Plus_One", False):
        raise Unsupported("one day with one gap more is not expressible")
    return [m.MaxGaps(most=number(e, "Max_Gaps"), per="date", **c)]


@_on(_OF_PEOPLE, "MaxGapsPerMorningAndAfternoon")
def _gaps_halves(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
    return [m.MaxGaps(most=number(e, "Max_Gaps"), per="day", **c)]


_OF_PEOPLE["MaxZeroGapsPerAfternoon"] = lambda e, x, c: [m.MaxGaps(most=0, per="day", half=1, **c)]


def _hours(per: m.Span) -> Builder:
    return lambda e, x, c: [m.MaxHours(most=number(e, "Maximum_Hours_Daily"), per=per, **c)]


for _rest, _per in (("", "day"), ("RealDays", "date"), ("HalfDays", "day")):
    _OF_PEOPLE[f"MaxHoursDaily{_rest}"] = _hours(cast(m.Span, _per))


def _tag_hours(per: m.Span) -> Builder:
    return lambda e, x, c: [m.MaxHours(most=number(e, "Maximum_Hours_Daily"), per=per, tag=_tag(e), **c)]


_OF_PEOPLE["ActivityTagMaxHoursDaily"] = _tag_hours("day")
_OF_PEOPLE["ActivityTagMaxHoursDailyRealDays"] = _tag_hours("date")


def _least_hours(per: m.Span) -> Builder:
    def builder(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
        empty = [truth(e, t, False) for t in ("Allow_Empty_Days", "Allow_Empty_Mornings", "Allow_Empty_Afternoons") if e.find(t) is not None]
        least = _first(e, "Minimum_Hours_Daily", "Minimum_Hours_Per_Morning", "Minimum_Hours_Per_Afternoon")
        tag, may_be_empty = _tag(e) or None, empty[0] if empty else True
        if per == "day" and x.has_halves and not may_be_empty and c["who"].kind == "groups":  # then FET lets half days be free
            whole = m.MinHours(least=1, per="date", may_be_empty=False, tag=tag, **c)
            return [m.MinHours(least=least, per=per, may_be_empty=True, tag=tag, **c), whole]
        return [m.MinHours(least=least, per=per, may_be_empty=may_be_empty, tag=tag, **c)]

    return builder


for _rest, _per in (
    ("MinHoursDaily", "day"), ("MinHoursDailyRealDays", "date"), ("MinHoursPerMorning", "morning"), ("MinHoursPerAfternoon", "afternoon"),
    ("ActivityTagMinHoursDaily", "day"),
):  # fmt: skip
    _OF_PEOPLE[_rest] = _least_hours(cast(m.Span, _per))

_OF_PEOPLE["MaxHoursContinuously"] = lambda e, x, c: [m.MaxContinuous(most=number(e, "Maximum_Hours_Continuously"), **c)]
_OF_PEOPLE["ActivityTagMaxHoursContinuously"] = lambda e, x, c: [
    m.MaxContinuous(most=number(e, "Maximum_Hours_Continuously"), tag=_tag(e), **c)
]


def _early(half: int | None) -> Builder:
    return lambda e, x, c: [m.EarlyStart(most=number(e, "Max_Beginnings_At_Second_Hour"), half=half, **c)]


_OF_PEOPLE["EarlyMaxBeginningsAtSecondHour"] = _early(None)
_OF_PEOPLE["MorningsEarlyMaxBeginningsAtSecondHour"] = _early(0)
_OF_PEOPLE["AfternoonsEarlyMaxBeginningsAtSecondHour"] = _early(1)


def _span(per: m.Span) -> Builder:
    def builder(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
        exception = truth(e, "Allow_One_Day_Exception_of_Plus_One", False)
        return [m.MaxSpan(most=number(e, "Max_Span"), per=per, one_longer_day=exception, **c)]

    return builder


_OF_PEOPLE["MaxSpanPerDay"] = _span("day")
_OF_PEOPLE["MaxSpanPerRealDay"] = _span("date")
_OF_PEOPLE["MinRestingHours"] = lambda e, x, c: [
    m.MinRest(least=number(e, "Minimum_Resting_Hours"), circular=truth(e, "Circular", False), **c)
]
_OF_PEOPLE["MinRestingHoursBetweenMorningAndAfternoon"] = lambda e, x, c: [
    m.MinRestAtNoon(least=number(e, "Minimum_Resting_Hours"), **c)
]
_OF_PEOPLE["MaxThreeConsecutiveDays"] = lambda e, x, c: [
    m.MaxConsecutiveDays(most=3, from_noon=truth(e, "Allow_Afternoon_Morning_Afternoon_Morning_Exception", False), **c)
]
_OF_PEOPLE["MaxTwoActivityTagsPerDayFromN1N2N3"] = lambda e, x, c: [m.MaxTagsADay(tags=("N1", "N2", "N3"), most=2, **c)]
_OF_PEOPLE["MaxTwoActivityTagsPerRealDayFromN1N2N3"] = lambda e, x, c: [
    m.MaxTagsADay(tags=("N1", "N2", "N3"), most=2, per="date", **c)
]


def _moves(place: str, kind: type[m.MaxMovesBetweenBuildings] | type[m.MaxMovesBetweenRooms]) -> None:
    def of(rest: str, per: m.Span) -> Builder:
        tags = (f"Max_{place}_Changes_Per_{rest}", f"Max_{place}_Changes_Per_Day", f"Max_{place}_Changes_Per_Week")
        return lambda e, x, c: [kind(most=_first(e, *tags), per=per, **c)]

    _OF_PEOPLE[f"Max{place}ChangesPerDay"] = of("Day", "day")
    _OF_PEOPLE[f"Max{place}ChangesPerRealDay"] = of("Real_Day", "date")
    _OF_PEOPLE[f"Max{place}ChangesPerWeek"] = of("Week", "week")


_moves("Building", m.MaxMovesBetweenBuildings)
_moves("Room", m.MaxMovesBetweenRooms)
_OF_PEOPLE["MinGapsBetweenBuildingChanges"] = lambda e, x, c: [
    m.MinGapsBetweenBuildings(least=number(e, "Min_Gaps_Between_Building_Changes"), **c)
]
_OF_PEOPLE["MinGapsBetweenRoomChanges"] = lambda e, x, c: [
    m.MinGapsBetweenRooms(least=number(e, "Min_Gaps_Between_Room_Changes"), **c)
]




def _between_tags(e: Element, c: dict[str, Any], first: str, second: str) -> list[Constraint]:
    if c["weight"] < m.HARD:
        raise Unsupported("FET knows it as hard only")
    return [m.MinGapsBetweenTags(tags=(text(e, first), text(e, second)), least=number(e, "MinGaps"), **c)]


_OF_PEOPLE["MinGapsBetweenActivityTag"] = lambda e, x, c: _between_tags(e, c, "Activity_Tag", "Activity_Tag")
_OF_PEOPLE["MinGapsBetweenOrderedPairOfActivityTags"] = lambda e, x, c: _between_tags(e, c, "First_Activity_Tag", "Second_Activity_Tag")


# --- activities -------------------------------------------------------------------------------------------------


@_on(_BUILDERS, "ConstraintBasicCompulsoryTime", "ConstraintBasicCompulsorySpace")
def _basic(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
    if c["weight"] < 100:
        raise Unsupported("basic constraints are always hard here")
    return []


@_on(_BUILDERS, "ConstraintBreakTimes")
def _breaks(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
    x.closed.update(x.slots(e, "Break_Time"))
    return []


def _listed(kind: Callable[..., Constraint], least: int = 1) -> Builder:
    """Return a builder for constraints that only list activities; too few active ones leave nothing to respect."""

    def builder(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
        keys = x.keys(texts(e, "Activity_Id"))
        return [kind(activities=keys, **c)] if len(keys) >= least else []

    return builder


_BUILDERS["ConstraintActivitiesSameStartingTime"] = _listed(m.SameStart, 2)
_BUILDERS["ConstraintActivitiesSameStartingDay"] = _listed(m.SameDay, 2)
_BUILDERS["ConstraintActivitiesSameStartingHour"] = _listed(m.SamePeriod, 2)
_BUILDERS["ConstraintActivitiesNotOverlapping"] = _listed(m.NotTogether, 2)
_BUILDERS["ConstraintActivityEndsStudentsDay"] = _listed(m.EndsDay)
_BUILDERS["ConstraintActivitiesSameRoomIfConsecutive"] = _listed(m.SameRoomIfAdjoining, 2)


@_on(_BUILDERS, "ConstraintActivitiesEndStudentsDay")
def _end_day(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
    keys = x.matching(e)
    return [m.EndsDay(activities=keys, **c)] if keys else []


@_on(_BUILDERS, "ConstraintActivityTagsNotOverlapping")
def _tags_apart(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
    tags = texts(e, "Activity_Tag")
    of = [tuple(key for key, a in x.activities.items() if tag in a.tags) for tag in tags]
    pairs = [(one, other) for i, one in enumerate(of) for other in of[:i] if one and other]
    return [m.NotTogether(activities=one, others=other, **c) for one, other in pairs]


@_on(_BUILDERS, "ConstraintMinDaysBetweenActivities")
def _min_days(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
    keys = x.keys(texts(e, "Activity_Id"))
    if len(keys) < 2:
        return []
    adjoining = truth(e, "Consecutive_If_Same_Day", False) or truth(e, "Adjacent_If_Broken", False)
    return [m.MinDaysBetween(activities=keys, least=number(e, "MinDays", most=MOST_DAYS), adjoining=adjoining, **c)]


def _number_between(kind: Callable[..., Constraint], tag: str, argument: str) -> Builder:
    def builder(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
        keys = x.keys(texts(e, "Activity_Id"))
        return [kind(activities=keys, **{argument: number(e, tag)}, **c)] if len(keys) > 1 else []

    return builder


_BUILDERS["ConstraintMaxDaysBetweenActivities"] = _number_between(m.MaxDaysBetween, "MaxDays", "most")
_BUILDERS["ConstraintMinGapsBetweenActivities"] = _number_between(m.MinGapsBetween, "MinGaps", "least")
_BUILDERS["ConstraintMaxGapsBetweenActivities"] = _number_between(m.MaxGapsBetween, "MaxGaps", "most")


def _ordinal(kind: Callable[..., Constraint], many: int = 2, **more: object) -> Builder:
    tags = ("First_Activity_Id", "Second_Activity_Id", "Third_Activity_Id")[:many]

    def builder(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
        keys = x.keys(text(e, tag) for tag in tags)
        return [kind(activities=keys, **more, **c)] if len(keys) == many else []

    return builder


_BUILDERS["ConstraintTwoActivitiesConsecutive"] = _ordinal(m.Follows)
_BUILDERS["ConstraintTwoActivitiesGrouped"] = _ordinal(m.Adjoins)
_BUILDERS["ConstraintThreeActivitiesGrouped"] = _ordinal(m.Adjoins, 3)
_BUILDERS["ConstraintTwoActivitiesOrdered"] = _ordinal(m.Before)
_BUILDERS["ConstraintTwoActivitiesOrderedIfSameDay"] = _ordinal(m.Before, same_day_only=True)


@_on(_BUILDERS, "ConstraintActivityPreferredStartingTime")
def _one_start(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
    keys = x.keys([text(e, "Activity_Id")])
    day, hour = text(e, "Preferred_Day", ""), text(e, "Preferred_Hour", "")
    days = [x.day(day)] if day else list(x.days.values())
    hours = [x.period(hour)] if hour else list(x.periods.values())
    slots = frozenset((d, h) for d in days for h in hours)
    return [m.StartsIn(activities=keys, slots=slots, **c)] if keys else []


@_on(_BUILDERS, "ConstraintActivityPreferredDay")
def _one_day(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
    keys, day = x.keys([text(e, "Activity_Id")]), x.day(text(e, "Preferred_Day"))
    slots = frozenset((day, h) for h in x.periods.values())
    return [m.StartsIn(activities=keys, slots=slots, **c)] if keys else []


def _starts(e: Element, x: Context) -> frozenset[Slot]:
    return x.slots(e, "Preferred_Starting_Time", "Preferred_Starting_Day", "Preferred_Starting_Hour")


def _times(e: Element, x: Context) -> frozenset[Slot]:
    return x.slots(e, "Preferred_Time_Slot", "Preferred_Day", "Preferred_Hour")


def _preferred(kind: Callable[..., Constraint], slots: Callable[[Element, Context], frozenset[Slot]], which: str) -> Builder:
    def builder(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
        if which == "one":
            keys = x.keys([text(e, "Activity_Id")])
        else:
            keys = x.matching(e, component=number(e, "Component_Number") if which == "part" else None)
        return [kind(activities=keys, slots=slots(e, x), **c)] if keys else []

    return builder


for _which, _prefix in (("one", "Activity"), ("many", "Activities"), ("part", "Subactivities")):
    _BUILDERS[f"Constraint{_prefix}PreferredStartingTimes"] = _preferred(m.StartsIn, _starts, _which)
    _BUILDERS[f"Constraint{_prefix}PreferredTimeSlots"] = _preferred(m.LiesIn, _times, _which)


def _selected(kind: Callable[..., Constraint], argument: str, *tags: str, empty: bool = False) -> Builder:
    def builder(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
        keys = x.keys(texts(e, "Activity_Id"))
        slots = x.slots(e, "Selected_Time_Slot", "Selected_Day", "Selected_Hour")
        more: dict[str, Any] = {argument: _first(e, *tags)}
        if empty:
            more["may_be_empty"] = truth(e, "Allow_Empty_Slots", False)
        return [kind(activities=keys, slots=slots, **more, **c)] if keys else []

    return builder


_BUILDERS["ConstraintActivitiesOccupyMaxTimeSlotsFromSelection"] = _selected(m.MaxSlotsUsed, "most", "Max_Number_of_Occupied_Time_Slots")
_BUILDERS["ConstraintActivitiesOccupyMinTimeSlotsFromSelection"] = _selected(m.MinSlotsUsed, "least", "Min_Number_of_Occupied_Time_Slots")
_BUILDERS["ConstraintActivitiesMaxSimultaneousInSelectedTimeSlots"] = _selected(
    m.MaxTogether, "most", "Max_Number_of_Simultaneous_Activities"
)
_BUILDERS["ConstraintActivitiesMinSimultaneousInSelectedTimeSlots"] = _selected(
    m.MinTogether, "least", "Min_Number_of_Simultaneous_Activities", empty=True
)
_BUILDERS["ConstraintMaxTotalActivitiesFromSetInSelectedTimeSlots"] = _selected(
    m.MaxInSlots, "most", "Max_Total_Number_of_Activities"
)


@_on(_BUILDERS, "ConstraintActivitiesOccupyMaxTerms")
def _max_terms(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
    keys, most = x.keys(texts(e, "Activity_Id")), _first(e, "Max_Number_of_Occupied_Terms")
    return [m.MaxTerms(activities=keys, most=most, days_a_term=x.days_a_term, **c)] if keys else []


@_on(_BUILDERS, "ConstraintActivitiesMaxInATerm")
def _max_in_a_term(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
    keys, most = x.keys(texts(e, "Activity_Id")), _first(e, "Max_Number_of_Activities_in_A_Term")
    return [m.MaxInATerm(activities=keys, most=most, days_a_term=x.days_a_term, **c)] if keys else []


@_on(_BUILDERS, "ConstraintActivitiesMinInATerm")
def _min_in_a_term(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
    keys, least = x.keys(texts(e, "Activity_Id")), _first(e, "Min_Number_of_Activities_in_A_Term")
    empty = truth(e, "Allow_Empty_Terms", False)
    return [m.MinInATerm(activities=keys, least=least, days_a_term=x.days_a_term, may_be_empty=empty, **c)] if keys else []


# --- rooms ------------------------------------------------------------------------------------------------------


@_on(_BUILDERS, "ConstraintRoomNotAvailableTimes")
def _room_unavailable(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
    return [m.RoomUnavailable(room=x.room(text(e, "Room")), slots=x.slots(e, "Not_Available_Time"), **c)]


def _wishes(kind: type[m.PrefersRooms | m.HomeRooms], keys: Iterable[str], e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
    """Return the wish for rooms, less those too small for an activity, which FET gives it never."""
    rooms = tuple(x.room(name) for name in (texts(e, "Preferred_Room") or texts(e, "Room")))
    fitting: dict[tuple[str, ...], list[str]] = {}
    for key in keys:
        large = tuple(name for name in rooms if x.capacity[name] >= x.learners[key])
        if rooms and not large and c["weight"] >= m.HARD and kind is m.PrefersRooms:
            raise ProblemError(f"activity {key}: none of its rooms holds {x.learners[key]} learners")
        fitting.setdefault(large, []).append(key)
    return [kind(activities=tuple(those), rooms=large, **c) for large, those in fitting.items()]


@_on(_BUILDERS, "ConstraintActivityPreferredRoom", "ConstraintActivityPreferredRooms")
def _activity_rooms(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
    keys = x.keys([text(e, "Activity_Id")])
    if keys and e.find("Real_Room") is not None:
        x.partly[e.tag, "which real rooms stand for the virtual one is not asked"] += 1
    return _wishes(m.PrefersRooms, keys, e, x, c)


def _by(fits: Callable[[Activity, Element], bool]) -> Builder:
    def builder(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
        keys = tuple(key for key, a in x.activities.items() if fits(a, e))
        return _wishes(m.PrefersRooms, keys, e, x, c)

    return builder


for _plural in ("", "s"):
    _BUILDERS[f"ConstraintSubjectPreferredRoom{_plural}"] = _by(lambda a, e: a.subject == text(e, "Subject"))
    _BUILDERS[f"ConstraintSubjectActivityTagPreferredRoom{_plural}"] = _by(lambda a, e: a.subject == text(e, "Subject") and _tag(e) in a.tags)
    _BUILDERS[f"ConstraintActivityTagPreferredRoom{_plural}"] = _by(lambda a, e: _tag(e) in a.tags)


@_on(_BUILDERS, "ConstraintStudentsSetHomeRoom", "ConstraintStudentsSetHomeRooms")
def _students_home(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
    name = text(e, "Students")
    keys = tuple(key for key, a in x.activities.items() if a.groups == (name,))
    return _wishes(m.HomeRooms, keys, e, x, c)


@_on(_BUILDERS, "ConstraintTeacherHomeRoom", "ConstraintTeacherHomeRooms")
def _teacher_home(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
    name = text(e, "Teacher")
    keys = tuple(key for key, a in x.activities.items() if a.teachers == (name,))
    return _wishes(m.HomeRooms, keys, e, x, c)


@_on(_BUILDERS, "ConstraintActivitiesOccupyMaxDifferentRooms")
def _max_rooms(e: Element, x: Context, c: dict[str, Any]) -> list[Constraint]:
    keys, most = x.keys(texts(e, "Activity_Id")), _first(e, "Max_Number_of_Different_Rooms")
    return [m.MaxRooms(activities=keys, most=most, **c)] if keys else []
