"""Reads timetables FET wrote: its activities.xml, or a data-and-timetable file."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element

from khue.school.timetable.solving.fet.xml import root_of, root_of_bytes, text, texts, truth, unpacked
from khue.school.timetable.solving.model import Placement, Problem, ProblemError, Solution


def read(path: Path, problem: Problem) -> Solution:
    """Return the timetable in a file FET wrote for `problem`; raises ProblemError."""
    return from_root(root_of(path), path.name, problem)


def read_bytes(data: bytes, name: str, problem: Problem) -> Solution:
    """Return the timetable in the bytes of such a file."""
    return from_root(root_of_bytes(unpacked(data, name), name), name, problem)


def from_root(root: Element, name: str, problem: Problem) -> Solution:
    """Return the timetable under <Activities_Timetable> or <fet>; activities the problem lacks are left out."""
    if root.tag == "Activities_Timetable":
        rows = [(each, "Id", "Day", "Hour", "Room") for each in root.findall("Activity")]
        found = _from_rows(rows, name, problem)
    elif root.tag.lower() == "fet":
        found = _from_data(root, name, problem)
    else:
        raise ProblemError(f"{name}: the first element is <{root.tag}>, neither <fet> nor <Activities_Timetable>")
    if not found:
        raise ProblemError(f"{name}: holds no placed activity of {problem.name!r}")
    return found


def _from_data(root: Element, name: str, problem: Problem) -> dict[str, Placement]:
    """FET writes its timetable behind the data's own constraints: the last one of an activity is its place."""
    times = root.findall("Time_Constraints_List/ConstraintActivityPreferredStartingTime")
    rows = [(each, "Activity_Id", "Preferred_Day", "Preferred_Hour", "") for each in times if truth(each, "Active", True)]
    found = _from_rows(rows, name, problem, last=True)
    known = {room.name for room in problem.rooms}
    for each in root.findall("Space_Constraints_List/ConstraintActivityPreferredRoom"):
        key, room = text(each, "Activity_Id", "").strip(), text(each, "Room", "")
        if key in found and truth(each, "Active", True) and room in known:
            at = found[key]
            found[key] = Placement(at.day, at.period, room, tuple(texts(each, "Real_Room")))
    return found


def _from_rows(rows: list[tuple[Element, str, str, str, str]], name: str, problem: Problem, *, last: bool = False) -> dict[str, Placement]:
    """Return where the rows say activities are; of several rows of one the last counts if `last`, otherwise they are refused."""
    days = {day.name: d for d, day in enumerate(problem.days)}
    periods = {period: h for h, period in enumerate(problem.periods)}
    keys = {activity.key for activity in problem.activities}
    rooms = {room.name for room in problem.rooms}
    found: dict[str, Placement] = {}
    for each, id_tag, day_tag, hour_tag, room_tag in rows:
        key, day, hour = text(each, id_tag).strip(), text(each, day_tag, ""), text(each, hour_tag, "")
        if key not in keys or not day or not hour:
            continue
        if day not in days:
            raise ProblemError(f"{name}: activity {key} is on day {day!r}, which the data lack")
        if hour not in periods:
            raise ProblemError(f"{name}: activity {key} is in hour {hour!r}, which the data lack")
        if key in found and not last:
            raise ProblemError(f"{name}: activity {key} is given twice")
        room = text(each, room_tag, "") if room_tag else ""
        if room and room not in rooms:
            raise ProblemError(f"{name}: activity {key} is in room {room!r}, which the data lack")
        found[key] = Placement(days[day], periods[hour], room, tuple(texts(each, "Real_Room")) if room_tag else ())
    return found
