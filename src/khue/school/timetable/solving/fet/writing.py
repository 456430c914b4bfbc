"""Writes problems as FET's data files, and timetables as FET writes them (activities.xml, data and timetable)."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.fet.constraints import whose
from khue.school.timetable.solving.model import Constraint, NotHonoured, Problem, Slot, Solution

VERSION = "6.8.5"
_BEHAVIOURS = ("Exclusive", "One day exception", "Two days exception", "Three days exception", "Four days exception")


def data(problem: Problem) -> tuple[bytes, tuple[NotHonoured, ...]]:
    """Return a FET file of the problem, and what FET has no words for."""
    writer = _Writer(problem)
    return _bytes(writer.root()), tuple(NotHonoured(kind, n, "FET has no such constraint") for kind, n in writer.left.items())


def activities_xml(problem: Problem, solution: Solution) -> bytes:
    """Return the timetable as FET's activities.xml."""
    root = Element("Activities_Timetable")
    for activity in problem.activities:
        each = SubElement(root, "Activity")
        _put(each, "Id", activity.key)
        at = solution.get(activity.key)
        _put(each, "Day", problem.days[at.day].name if at else "")
        _put(each, "Hour", problem.periods[at.period] if at else "")
        _put(each, "Room", at.room if at else "")
        for room in at.real_rooms if at else ():
            _put(each, "Real_Room", room)
    return _bytes(root)


def data_and_timetable(source: Element | Problem, problem: Problem, solution: Solution) -> bytes:
    """Return FET's data with the timetable in it, as constraints behind all others.

    source   the root of the file the problem was read from, or the problem itself
    """
    root = _Writer(source).root() if isinstance(source, Problem) else copy.deepcopy(source)
    times, spaces = (_part(root, name) for name in ("Time_Constraints_List", "Space_Constraints_List"))
    for activity in problem.activities:
        at = solution.get(activity.key)
        if at is None:
            continue
        each = SubElement(times, "ConstraintActivityPreferredStartingTime")
        _put(each, "Weight_Percentage", "100")
        _put(each, "Activity_Id", activity.key)
        _put(each, "Preferred_Day", problem.days[at.day].name)
        _put(each, "Preferred_Hour", problem.periods[at.period])
        _end(each, locked=True)
        if at.room:
            each = SubElement(spaces, "ConstraintActivityPreferredRoom")
            _put(each, "Weight_Percentage", "100")
            _put(each, "Activity_Id", activity.key)
            _put(each, "Room", at.room)
            if at.real_rooms:
                _put(each, "Number_of_Real_Rooms", len(at.real_rooms))
            for room in at.real_rooms:
                _put(each, "Real_Room", room)
            _end(each, locked=True)
    return _bytes(root)


def _part(root: Element, name: str) -> Element:
    found = root.find(name)
    return SubElement(root, name) if found is None else found


def _bytes(root: Element) -> bytes:
    indent(root, "\t")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n\n' + tostring(root, encoding="utf-8", short_empty_elements=False) + b"\n"


def _put(parent: Element, tag: str, value: object) -> None:
    SubElement(parent, tag).text = str(value)


def _end(element: Element, *, locked: bool = False) -> None:
    if locked:
        _put(element, "Permanently_Locked", "false")
    _put(element, "Active", "true")
    _put(element, "Comments", "")


class _Writer:
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.left: Counter[str] = Counter()
        self.height = len(problem.periods)
        inside = {atom for name, atoms in problem.groups.items() for atom in atoms if atoms != (name,)}
        self.tops = [name for name, atoms in problem.groups.items() if atoms != (name,) or name not in inside]
        self.has_halves = any(day.half for day in problem.days)
        of_dates = [k for k in problem.constraints if isinstance(k, m.MinHours) and _asks_any(k)]
        self.asked = {(k.who, k.weight, k.tag) for k in of_dates} if self.has_halves else set()
        self.wished = {key for k in problem.constraints if isinstance(k, m.PrefersRooms) for key in k.activities}

    def root(self) -> Element:
        p = self.problem
        root = Element("fet", {"version": VERSION})
        terms = [k.days_a_term for k in p.constraints if isinstance(k, m.MaxTerms | m.MaxInATerm | m.MinInATerm)]
        _put(root, "Mode", "Mornings_Afternoons" if self.has_halves else "Terms" if terms else "Official")
        _put(root, "Institution_Name", p.name)
        _put(root, "Comments", "")
        if terms:
            _put(root, "Number_of_Terms", len(p.days) // terms[0])
            _put(root, "Number_of_Days_Per_Term", terms[0])
        self._list(root, "Days_List", "Day", "Number_of_Days", [day.name for day in p.days])
        self._list(root, "Hours_List", "Hour", "Number_of_Hours", p.periods)
        self._list(root, "Subjects_List", "Subject", None, p.subjects or sorted({a.subject for a in p.activities}))
        self._list(root, "Activity_Tags_List", "Activity_Tag", None, p.tags)
        self._teachers(root)
        self._students(root)
        self._activities(root)
        SubElement(root, "Buildings_List")
        buildings = sorted({room.building for room in p.rooms if room.building})
        for name in buildings:
            _put(SubElement(root[-1], "Building"), "Name", name)
        self._rooms(root)
        self._constraints(root)
        return root

    def _list(self, root: Element, part: str, tag: str, count: str | None, names: Any) -> None:
        its = SubElement(root, part)
        if count:
            _put(its, count, len(names))
        for name in names:
            _put(SubElement(its, tag), "Name", name)

    def _teachers(self, root: Element) -> None:
        its = SubElement(root, "Teachers_List")
        both = {n: k.most for k in self.problem.constraints if isinstance(k, m.MaxFullDates) and k.is_hard for n in k.who.names}
        for name in self.problem.teachers:
            each = SubElement(its, "Teacher")
            _put(each, "Name", name)
            most = both.get(name, len(_BEHAVIOURS))
            if self.has_halves:  # without it FET finds no timetable at all
                _put(each, "Mornings_Afternoons_Behavior", _BEHAVIOURS[most] if most < len(_BEHAVIOURS) else "Unrestricted")

    def _students(self, root: Element) -> None:
        its = SubElement(root, "Students_List")
        groups = self.problem.groups
        for name in self.tops:
            atoms = groups[name]
            year = SubElement(its, "Year")
            _put(year, "Name", name)
            if atoms != (name,):
                for atom in atoms:
                    _put(SubElement(year, "Group"), "Name", atom)

    def _activities(self, root: Element) -> None:
        its = SubElement(root, "Activities_List")
        many = Counter(a.lesson for a in self.problem.activities)
        for a in self.problem.activities:
            each = SubElement(its, "Activity")
            for name in a.teachers:
                _put(each, "Teacher", name)
            _put(each, "Subject", a.subject)
            for tag in a.tags:
                _put(each, "Activity_Tag", tag)
            for name in a.groups:
                _put(each, "Students", name)
            _put(each, "Duration", a.duration)
            _put(each, "Total_Duration", a.duration)
            _put(each, "Id", a.key)
            _put(each, "Activity_Group_Id", a.lesson if many[a.lesson] > 1 else 0)
            if a.learners is not None:
                _put(each, "Number_Of_Students", a.learners)
            _put(each, "Active", "true")
            _put(each, "Comments", "")
            if a.weeks != m.EVERY_WEEK:
                self.left["weeks"] += 1

    def _rooms(self, root: Element) -> None:
        its = SubElement(root, "Rooms_List")
        for room in self.problem.rooms:
            each = SubElement(its, "Room")
            _put(each, "Name", room.name)
            _put(each, "Building", room.building)
            _put(each, "Capacity", room.capacity)
            _put(each, "Virtual", "true" if room.parts else "false")
            if room.parts:
                _put(each, "Number_of_Sets_of_Real_Rooms", len(room.parts))
            for part in room.parts:
                those = SubElement(each, "Set_of_Real_Rooms")
                _put(those, "Number_of_Real_Rooms", len(part))
                for name in part:
                    _put(those, "Real_Room", name)
            if room.holds != 1:
                self.left["holds"] += 1

    def _constraints(self, root: Element) -> None:
        times, spaces = SubElement(root, "Time_Constraints_List"), SubElement(root, "Space_Constraints_List")
        for its, name in ((times, "Time"), (spaces, "Space")):
            each = SubElement(its, f"ConstraintBasicCompulsory{name}")
            _put(each, "Weight_Percentage", "100")
            _end(each)
        if self.problem.closed:
            self._with(times, "ConstraintBreakTimes", m.Constraint(), ("Break_Time", sorted(self.problem.closed), "Day", "Hour"))
        for k in self.problem.constraints:
            written = False
            for tag, fields in self._written(k):
                self._with(spaces if isinstance(k, _OF_SPACE) else times, tag, k, *fields)
                written = True
            if not written and not isinstance(k, m.MaxFullDates | m.HomeRooms) and not (isinstance(k, m.MinHours) and self.is_asked(k)):
                self.left[type(k).__name__] += 1

    def is_asked(self, k: m.MinHours) -> bool:
        """Return whether a bound asks for hours on every date, which FET says beside the least hours of mornings and afternoons."""
        return _asks_any(k) and (k.who, k.weight, k.tag) in self.asked

    def _with(self, parent: Element, tag: str, k: Constraint, *fields: Any) -> None:
        each = SubElement(parent, tag)
        _put(each, "Weight_Percentage", f"{k.weight:g}")
        for name, value, *tags in fields:
            if tags:
                _put(each, f"Number_of_{name}s", len(value))
                for day, period in value:
                    its = SubElement(each, name)
                    _put(its, tags[0], self.problem.days[day].name)
                    _put(its, tags[1], self.problem.periods[period])
            elif isinstance(value, tuple):
                _put(each, "Number_of_Activities" if name == "Activity_Id" else f"Number_of_{name}s", len(value))
                for one in value:
                    _put(each, name, one)
            else:
                _put(each, name, value)
        _end(each)

    def _written(self, k: Constraint) -> Iterator[tuple[str, list[Any]]]:
        """Yield (name, fields) of the FET constraints that say the same; nothing when FET has no words for it."""
        if isinstance(k, m.OfPeople):
            for rest, more in _people(k, self):
                for prefix, fields in self._whose(k, whose(rest)):
                    yield f"Constraint{prefix}{rest}", [*fields, *more]
        elif type(k) in _ACTIVITIES:
            yield from _ACTIVITIES[type(k)](k, self)

    def _whose(self, k: m.OfPeople, known: Iterable[str]) -> Iterator[tuple[str, list[Any]]]:
        """Yield (beginning of the name, fields) for those meant, one by one where FET has no word for all; `known` are its words."""
        teachers = k.who.kind == "teachers"
        everybody, one = ("Teachers", "Teacher") if teachers else ("Students", "StudentsSet")
        if not k.who.names and everybody in known:
            yield everybody, []
        elif one in known:
            for name in k.who.names or (self.problem.teachers if teachers else self.tops):
                yield one, [("Teacher_Name", name), ("Teacher", name)] if teachers else [("Students", name)]


_OF_SPACE = (
    m.RoomUnavailable, m.PrefersRooms, m.HomeRooms, m.MaxRooms, m.SameRoomIfAdjoining, m.MaxMovesBetweenBuildings,
    m.MinGapsBetweenBuildings, m.MaxMovesBetweenRooms, m.MinGapsBetweenRooms,
)  # fmt: skip
_DAYS = {"day": "Days", "date": "RealDays", "morning": "Mornings", "afternoon": "Afternoons"}


def _people(k: m.OfPeople, w: _Writer) -> Iterator[tuple[str, list[Any]]]:
    """Yield (rest of the name, fields) for a constraint on people."""
    if isinstance(k, m.Unavailable):
        yield "NotAvailableTimes", [("Not_Available_Time", sorted(k.slots), "Day", "Hour")]
    elif isinstance(k, m.MaxDays) and k.per in _DAYS:
        days = _DAYS[k.per]
        yield f"Max{days}PerWeek", [("Max_Days_Per_Week" if "Days" in days else f"Max_{days}_Per_Week", k.most)]
    elif isinstance(k, m.MinDays) and k.per in _DAYS:
        days = _DAYS[k.per]
        yield f"Min{days}PerWeek", [("Minimum_Days_Per_Week" if "Days" in days else f"Minimum_{days}_Per_Week", k.least)]
    elif isinstance(k, m.IntervalMaxDays) and k.per in ("day", "morning", "afternoon"):
        prefix = {"day": "", "morning": "Morning", "afternoon": "Afternoon"}[k.per]
        end = w.problem.periods[k.last] if k.last < w.height else ""
        fields = [("Interval_Start_Hour", w.problem.periods[k.first]), ("Interval_End_Hour", end), ("Max_Days_Per_Week", k.most)]
        yield f"{prefix}IntervalMaxDaysPerWeek", fields
    elif isinstance(k, m.MaxGaps):
        yield from _gaps(k)
    elif isinstance(k, m.MaxHours) and k.subject is None and k.per in ("day", "date"):
        tagged = "ActivityTag" if k.tag is not None else ""
        tag = [("Activity_Tag_Name", k.tag), ("Activity_Tag", k.tag)] if tagged else []
        yield f"{tagged}MaxHoursDaily{'RealDays' if k.per == 'date' else ''}", [*tag, ("Maximum_Hours_Daily", k.most)]
    elif isinstance(k, m.MinHours):
        yield from _least_hours(k, w)
    elif isinstance(k, m.MaxContinuous):
        tag = [("Activity_Tag_Name", k.tag), ("Activity_Tag", k.tag)] if k.tag is not None else []
        yield f"{'ActivityTag' if tag else ''}MaxHoursContinuously", [*tag, ("Maximum_Hours_Continuously", k.most)]
    elif isinstance(k, m.EarlyStart):
        prefix = {None: "", 0: "Mornings", 1: "Afternoons"}[k.half]
        yield f"{prefix}EarlyMaxBeginningsAtSecondHour", [("Max_Beginnings_At_Second_Hour", k.most)]
    elif isinstance(k, m.MaxSpan) and k.per in ("day", "date"):
        fields = [("Max_Span", k.most), ("Allow_One_Day_Exception_of_Plus_One", _truth(k.one_longer_day))]
        yield f"MaxSpanPer{'Real' if k.per == 'date' else ''}Day", fields
    elif isinstance(k, m.MinRest):
        yield "MinRestingHours", [("Minimum_Resting_Hours", k.least), ("Circular", _truth(k.circular))]
    elif isinstance(k, m.MinRestAtNoon):
        yield "MinRestingHoursBetweenMorningAndAfternoon", [("Minimum_Resting_Hours", k.least)]
    elif isinstance(k, m.MaxConsecutiveDays) and k.most == 3:
        yield "MaxThreeConsecutiveDays", [("Allow_Afternoon_Morning_Afternoon_Morning_Exception", _truth(k.from_noon))]
    elif isinstance(k, m.MaxTagsADay) and k.tags == ("N1", "N2", "N3") and k.most == 2 and k.per in ("day", "date"):
        yield f"MaxTwoActivityTagsPer{'Real' if k.per == 'date' else ''}DayFromN1N2N3", []
    elif isinstance(k, m.MaxMovesBetweenBuildings | m.MaxMovesBetweenRooms) and k.per in ("day", "date", "week"):
        place = "Building" if isinstance(k, m.MaxMovesBetweenBuildings) else "Room"
        rest = {"day": ("Day", "Day"), "date": ("RealDay", "Real_Day"), "week": ("Week", "Week")}[k.per]
        yield f"Max{place}ChangesPer{rest[0]}", [(f"Max_{place}_Changes_Per_{rest[1]}", k.most)]
    elif isinstance(k, m.MinGapsBetweenBuildings | m.MinGapsBetweenRooms):
        place = "Building" if isinstance(k, m.MinGapsBetweenBuildings) else "Room"
        yield f"MinGapsBetween{place}Changes", [(f"Min_Gaps_Between_{place}_Changes", k.least)]
    elif isinstance(k, m.MinGapsBetweenTags) and k.is_hard:
        first, second = k.tags
        if first == second:
            yield "MinGapsBetweenActivityTag", [("Activity_Tag", first), ("MinGaps", k.least)]
        else:
            yield "MinGapsBetweenOrderedPairOfActivityTags", [("First_Activity_Tag", first), ("Second_Activity_Tag", second), ("MinGaps", k.least)]


def _gaps(k: m.MaxGaps) -> Iterator[tuple[str, list[Any]]]:
    if k.half is None and k.per in ("week", "day", "date"):
        rest = {"week": "Week", "day": "Day", "date": "RealDay"}[k.per]
        yield f"MaxGapsPer{rest}", [("Max_Gaps", k.most)]
    elif k.half == 1 and k.most == 0 and k.per == "day":
        yield "MaxZeroGapsPerAfternoon", []


def _asks_any(k: m.MinHours) -> bool:
    return k.per == "date" and k.least == 1 and not k.may_be_empty and k.who.kind == "groups"


def _least_hours(k: m.MinHours, w: _Writer) -> Iterator[tuple[str, list[Any]]]:
    names = {"day": ("Daily", "Daily", "Days"), "date": ("DailyRealDays", "Daily", "Days"), "morning": ("PerMorning", "Per_Morning", "Mornings"), "afternoon": ("PerAfternoon", "Per_Afternoon", "Afternoons")}
    if k.per == "day" and w.has_halves and not k.may_be_empty and k.who.kind == "groups":
        return  # FET would let half days be free
    if k.per in names and (k.tag is None or k.per == "day"):
        rest, tag, empty = names[k.per]
        tagged = [("Activity_Tag_Name", k.tag), ("Activity_Tag", k.tag)] if k.tag is not None else []
        may_be_empty = k.may_be_empty and not (k.per == "day" and (k.who, k.weight, k.tag) in w.asked)
        fields = [*tagged, (f"Minimum_Hours_{tag}", k.least), (f"Allow_Empty_{empty}", _truth(may_be_empty))]
        yield f"{'ActivityTag' if tagged else ''}MinHours{rest}", fields


def _truth(value: bool) -> str:
    return "true" if value else "false"


Written = Iterator[tuple[str, list[Any]]]


def _keys(k: m.OfActivities) -> tuple[str, tuple[str, ...]]:
    return ("Activity_Id", k.activities)


def _each_slots(tag: str, slot: str, day: str, hour: str) -> Callable[[Any, _Writer], Written]:
    def written(k: Any, w: _Writer) -> Written:
        for key in k.activities:
            yield tag, [("Activity_Id", key), (slot, sorted(k.slots), day, hour)]

    return written


def _named(tag: str, *fields: tuple[str, str]) -> Callable[[Any, _Writer], Written]:
    """Write the activities, then these (tag, attribute)."""

    def written(k: Any, w: _Writer) -> Written:
        more = []
        for name, attribute in fields:
            value = getattr(k, attribute)
            more.append((name, _truth(value) if isinstance(value, bool) else value))
        yield f"Constraint{tag}", [_keys(k), *more]

    return written


def _ordinal(*tags: str) -> Callable[[Any, _Writer], Written]:
    def written(k: Any, w: _Writer) -> Written:
        names = ("First_Activity_Id", "Second_Activity_Id", "Third_Activity_Id")
        tag = tags[len(k.activities) - 2] if len(tags) > 1 else tags[0]
        yield f"Constraint{tag}", list(zip(names, k.activities, strict=False))

    return written


def _selected(tag: str, argument: str, attribute: str, *, empty: bool = False) -> Callable[[Any, _Writer], Written]:
    def written(k: Any, w: _Writer) -> Written:
        more: list[Any] = [(argument, getattr(k, attribute))]
        if empty:
            more.append(("Allow_Empty_Slots", _truth(k.may_be_empty)))
        slots: list[Slot] = sorted(k.slots)
        yield f"Constraint{tag}", [_keys(k), ("Selected_Time_Slot", slots, "Selected_Day", "Selected_Hour"), *more]

    return written


def _not_together(k: m.NotTogether, w: _Writer) -> Written:
    if not k.others:
        yield "ConstraintActivitiesNotOverlapping", [_keys(k)]
    else:
        for one in k.activities:
            for other in k.others:
                if one != other:
                    yield "ConstraintActivitiesNotOverlapping", [("Activity_Id", (one, other))]


def _before(k: m.Before, w: _Writer) -> Written:
    yield from _ordinal("TwoActivitiesOrderedIfSameDay" if k.same_day_only else "TwoActivitiesOrdered")(k, w)


def _ends_day(k: m.EndsDay, w: _Writer) -> Written:
    for key in k.activities:
        yield "ConstraintActivityEndsStudentsDay", [("Activity_Id", key)]


def _room_unavailable(k: m.RoomUnavailable, w: _Writer) -> Written:
    yield "ConstraintRoomNotAvailableTimes", [("Room", k.room), ("Not_Available_Time", sorted(k.slots), "Day", "Hour")]


def _prefers(k: m.PrefersRooms | m.HomeRooms, w: _Writer) -> Written:
    for key in k.activities:
        if isinstance(k, m.PrefersRooms) or key not in w.wished:
            yield "ConstraintActivityPreferredRooms", [("Activity_Id", key), ("Preferred_Room", k.rooms)]


def _keep(k: m.KeepPlaces, w: _Writer) -> Written:
    for key, (day, period) in zip(k.activities, k.starts, strict=True):
        fields = [("Activity_Id", key), ("Preferred_Day", w.problem.days[day].name), ("Preferred_Hour", w.problem.periods[period])]
        yield "ConstraintActivityPreferredStartingTime", fields


_ACTIVITIES: dict[type[Constraint], Callable[[Any, _Writer], Written]] = {
    m.StartsIn: _each_slots(
        "ConstraintActivityPreferredStartingTimes", "Preferred_Starting_Time", "Preferred_Starting_Day", "Preferred_Starting_Hour"
    ),
    m.LiesIn: _each_slots("ConstraintActivityPreferredTimeSlots", "Preferred_Time_Slot", "Preferred_Day", "Preferred_Hour"),
    m.SameStart: _named("ActivitiesSameStartingTime"),
    m.SameDay: _named("ActivitiesSameStartingDay"),
    m.SamePeriod: _named("ActivitiesSameStartingHour"),
    m.NotTogether: _not_together,
    m.MinDaysBetween: _named("MinDaysBetweenActivities", ("Consecutive_If_Same_Day", "adjoining"), ("MinDays", "least")),
    m.MaxDaysBetween: _named("MaxDaysBetweenActivities", ("MaxDays", "most")),
    m.MinGapsBetween: _named("MinGapsBetweenActivities", ("MinGaps", "least")),
    m.MaxGapsBetween: _named("MaxGapsBetweenActivities", ("MaxGaps", "most")),
    m.Follows: _ordinal("TwoActivitiesConsecutive"),
    m.Adjoins: _ordinal("TwoActivitiesGrouped", "ThreeActivitiesGrouped"),
    m.Before: _before,
    m.EndsDay: _ends_day,
    m.MaxSlotsUsed: _selected("ActivitiesOccupyMaxTimeSlotsFromSelection", "Max_Number_of_Occupied_Time_Slots", "most"),
    m.MinSlotsUsed: _selected("ActivitiesOccupyMinTimeSlotsFromSelection", "Min_Number_of_Occupied_Time_Slots", "least"),
    m.MaxTogether: _selected("ActivitiesMaxSimultaneousInSelectedTimeSlots", "Max_Number_of_Simultaneous_Activities", "most"),
    m.MinTogether: _selected(
        "ActivitiesMinSimultaneousInSelectedTimeSlots", "Min_Number_of_Simultaneous_Activities", "least", empty=True
    ),
    m.MaxInSlots: _selected("MaxTotalActivitiesFromSetInSelectedTimeSlots", "Max_Total_Number_of_Activities", "most"),
    m.MaxTerms: _named("ActivitiesOccupyMaxTerms", ("Max_Number_of_Occupied_Terms", "most")),
    m.MaxInATerm: _named("ActivitiesMaxInATerm", ("Max_Number_of_Activities_in_A_Term", "most")),
    m.MinInATerm: _named(
        "ActivitiesMinInATerm", ("Min_Number_of_Activities_in_A_Term", "least"), ("Allow_Empty_Terms", "may_be_empty")
    ),
    m.KeepPlaces: _keep,
    m.RoomUnavailable: _room_unavailable,
    m.PrefersRooms: _prefers,
    m.HomeRooms: _prefers,
    m.MaxRooms: _named("ActivitiesOccupyMaxDifferentRooms", ("Max_Number_of_Different_Rooms", "most")),
    m.SameRoomIfAdjoining: _named("ActivitiesSameRoomIfConsecutive"),
}
