"""Writes solutions as XHSTT, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from khue.school.timetable.solving.xhstt.evaluating import evaluate
from khue.school.timetable.solving.xhstt.model import Instance, Solution

GROUP = "Khue"


def solutions_xml(pairs: Iterable[tuple[Instance, Solution]], *, description: str = "") -> bytes:
    """Return an XHSTT archive with one solution group that holds the solutions.

    The instances themselves are not repeated, so a reader needs them from the file they came in. The report
    of each solution carries the cost as the referee computes it.
    """
    root = Element("HighSchoolTimetableArchive")
    SubElement(root, "Instances")
    group = SubElement(SubElement(root, "SolutionGroups"), "SolutionGroup", Id=GROUP)
    about = SubElement(group, "MetaData")
    SubElement(about, "Contributor").text = "Khuê"
    SubElement(about, "Date").text = ""
    SubElement(about, "Description").text = description
    for instance, solution in pairs:
        group.append(solution_element(instance, solution))
    indent(root)
    return tostring(root, encoding="utf-8", xml_declaration=True)


def solution_element(instance: Instance, solution: Solution) -> Element:
    """Return one <Solution> with its lessons and its report."""
    root = Element("Solution", Reference=instance.id)
    if solution.description:
        SubElement(root, "Description").text = solution.description
    events = SubElement(root, "Events")
    for lesson in solution.lessons:
        event = instance.events[lesson.event]
        element = SubElement(events, "Event", Reference=event.id)
        SubElement(element, "Duration").text = str(lesson.duration)
        if lesson.start is not None:
            SubElement(element, "Time", Reference=instance.times[lesson.start])
        chosen = [
            (place, resource)
            for place, resource in zip(event.resources, lesson.resources, strict=True)
            if place.resource is None and resource is not None
        ]
        if chosen:
            resources = SubElement(element, "Resources")
            for place, resource in chosen:
                child = SubElement(resources, "Resource", Reference=instance.resources[resource].id)
                SubElement(child, "Role").text = place.role
    cost = evaluate(instance, solution)
    report = SubElement(root, "Report")
    SubElement(report, "InfeasibilityValue").text = str(cost.hard)
    SubElement(report, "ObjectiveValue").text = str(cost.soft)
    return root


def write_whole(path: Path, content: bytes) -> None:
    """Put `content` at `path` so that a reader sees the old file or the new one, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
