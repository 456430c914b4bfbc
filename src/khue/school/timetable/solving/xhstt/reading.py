"""Reads XHSTT: an archive, or a single instance, plain or gzipped.

The file comes from outside: no DTD, no entity, a ceiling on the unpacked size, and every reference must resolve.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from khue.school.timetable.solving.xhstt.model import (
    COST_FUNCTIONS,
    KINDS,
    Archive,
    BadFile,
    Constraint,
    Event,
    EventResource,
    Instance,
    Lesson,
    Resource,
    Solution,
    TimeLimit,
)

MAX_BYTES = 256 * 1024 * 1024
MOST_WEIGHT, MOST_NUMBER = 10_000, 100_000
"""The largest weight and the largest other whole number read: sums of costs stay below a unit of infeasibility."""
MAX_DURATION = 10_000
EVENT_KINDS = {
    "AssignResource",
    "AssignTime",
    "SplitEvents",
    "DistributeSplitEvents",
    "PreferResources",
    "PreferTimes",
}
GROUP_KINDS = {"AvoidSplitAssignments", "SpreadEvents", "LinkEvents"}
ROLE_KINDS = {"AssignResource", "PreferResources", "AvoidSplitAssignments"}
BOUND_KINDS = {
    "DistributeSplitEvents",
    "LimitIdleTimes",
    "ClusterBusyTimes",
    "LimitBusyTimes",
    "LimitWorkload",
}
DAY_KINDS = {"SpreadEvents", "LimitIdleTimes", "ClusterBusyTimes", "LimitBusyTimes"}


def read_archive(path: str | Path) -> Archive:
    """Return the instances and solutions of an .xml or .xml.gz file.

    Raises BadFile for anything that is not XHSTT: broken XML, a DTD or entity, a missing part, an unknown
    reference, a solution that does not fit its instance.
    """
    return parse_archive(_content(Path(path)), name=Path(path).name)


def parse_archive(content: bytes, *, name: str = "the file") -> Archive:
    """Return the archive written in `content`; `name` is how the sentence of a refusal calls the file."""
    root = _parse(content, name)
    if root.tag == "Instance":
        root_instances: Iterable[Element] = [root]
    elif root.tag == "HighSchoolTimetableArchive":
        root_instances = root.iterfind("Instances/Instance")
    else:
        raise BadFile(
            f"{name} begins with <{root.tag}>, not with <HighSchoolTimetableArchive> or <Instance>."
        )
    archive = Archive(id=root.get("Id", ""))
    for element in root_instances:
        archive.instances.append(_InstanceReader(element).read())
    known = {instance.id: instance for instance in archive.instances}
    if len(known) < len(archive.instances):
        raise BadFile(f"{name} holds two instances of one Id.")
    if root.tag != "Instance":
        archive.solutions.extend(_solutions(root, known))
    return archive


def read_solutions(path: str | Path, instances: Iterable[Instance]) -> list[Solution]:
    """Return the solutions a second file holds for `instances`, which it need not repeat."""
    path = Path(path)
    root = _parse(_content(path), path.name)
    if root.tag not in ("HighSchoolTimetableArchive", "SolutionGroups", "SolutionGroup", "Solution"):
        raise BadFile(f"{path.name} begins with <{root.tag}>, which holds no XHSTT solutions.")
    return list(_solutions(root, {instance.id: instance for instance in instances}))


def _content(path: Path) -> bytes:
    """Return the unpacked bytes of a file, at most MAX_BYTES."""
    try:
        with path.open("rb") as plain:
            is_packed = plain.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if is_packed else path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise BadFile(f"There is no file {path}.") from error
    except (OSError, EOFError, zlib.error) as error:
        raise BadFile(f"{path.name} cannot be unpacked: {error}.") from error
    if len(content) > MAX_BYTES:
        raise BadFile(f"{path.name} unpacks to more than {MAX_BYTES // 1024 // 1024} MiB.")
    return content


def _parse(content: bytes, name: str) -> Element:
    try:
        return ElementTree.fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        raise BadFile(f"{name} declares a document type or an entity, which XHSTT does not have.") from error
    except (ParseError, ValueError, LookupError) as error:
        raise BadFile(f"{name} is not well-formed XML: {error}.") from error


def _text(element: Element, tag: str, default: str | None = None) -> str | None:
    found = element.find(tag)
    return default if found is None else (found.text or "").strip()


def _number(element: Element, tag: str, place: str, default: int | None = None) -> int:
    """Return a child's whole number, at least 0."""
    text = _text(element, tag)
    if text is None:
        if default is None:
            raise BadFile(f"{place} has no <{tag}>.")
        return default
    try:
        number = int(text)
    except ValueError:
        raise BadFile(f"{place} has <{tag}> '{text[:40]}', which is not a whole number.") from None
    if number < 0:
        raise BadFile(f"{place} has <{tag}> {text[:40]}, which is below zero.")
    most = MOST_WEIGHT if tag == "Weight" else MOST_NUMBER
    if number > most:
        raise BadFile(f"{place} has <{tag}> {text[:40]}, which is above {most}.")
    return number


def _references(element: Element | None, tag: str) -> Iterator[tuple[Element, str]]:
    if element is not None:
        for child in element.iterfind(tag):
            yield child, child.get("Reference", "")


class _InstanceReader:
    """Reads one <Instance>: names first, then what refers to them."""

    def __init__(self, element: Element) -> None:
        self.element = element
        self.id = element.get("Id", "")
        self.place = f"Instance '{self.id}'"
        self.times: dict[str, int] = {}
        self.time_groups: dict[str, list[int]] = {}
        self.kinds: list[str] = []
        self.resources: dict[str, int] = {}
        self.resource_records: list[Resource] = []
        self.resource_groups: dict[str, list[int]] = {}
        self.events: dict[str, int] = {}
        self.event_records: list[Event] = []
        self.event_groups: dict[str, list[int]] = {}

    def read(self) -> Instance:
        """Return the instance, whole."""
        if not self.id:
            raise BadFile("An <Instance> has no Id.")
        self._read_times()
        self._read_resources()
        self._read_events()
        constraints = tuple(self._constraints())
        return Instance(
            id=self.id,
            name=_text(self.element, "MetaData/Name") or self.id,
            times=tuple(self.times),
            kinds=tuple(self.kinds),
            resources=tuple(self.resource_records),
            events=tuple(self.event_records),
            constraints=constraints,
        )

    def _lookup(self, names: dict, reference: str, what: str, place: str):  # noqa: ANN202
        try:
            return names[reference]
        except KeyError:
            raise BadFile(
                f"{place} refers to {what} '{reference[:60]}', which {self.place} does not have."
            ) from None

    def _declare(self, names: dict, element: Element, what: str, value: object) -> str:
        """Give `element`'s Id a value; refuse an empty or repeated Id."""
        identifier = element.get("Id", "")
        if not identifier:
            raise BadFile(f"{self.place} has a {what} without Id.")
        if identifier in names:
            raise BadFile(f"{self.place} has two {what}s of Id '{identifier}'.")
        names[identifier] = value
        return identifier

    def _read_times(self) -> None:
        part = self.element.find("Times")
        if part is None:
            raise BadFile(f"{self.place} has no <Times>.")
        for group in part.iterfind("TimeGroups/*"):
            self._declare(self.time_groups, group, "time group", [])
        for element in part.iterfind("Time"):
            index = len(self.times)
            identifier = self._declare(self.times, element, "time", index)
            belongs = [(c, c.get("Reference", "")) for c in element if c.tag in ("Day", "Week")]
            belongs += _references(element.find("TimeGroups"), "TimeGroup")
            for _, reference in belongs:
                place = f"Time '{identifier}' of {self.place}"
                self._lookup(self.time_groups, reference, "time group", place).append(index)

    def _read_resources(self) -> None:
        part = self.element.find("Resources")
        if part is None:
            return
        self.kinds = [kind.get("Id", "") for kind in part.iterfind("ResourceTypes/ResourceType")]
        known = {kind: kind for kind in self.kinds}
        for group in part.iterfind("ResourceGroups/ResourceGroup"):
            self._declare(self.resource_groups, group, "resource group", [])
        for element in part.iterfind("Resource"):
            index = len(self.resources)
            identifier = self._declare(self.resources, element, "resource", index)
            place = f"Resource '{identifier}' of {self.place}"
            kind = element.find("ResourceType")
            reference = "" if kind is None else kind.get("Reference", "")
            self._lookup(known, reference, "resource type", place)
            self.resource_records.append(
                Resource(identifier, _text(element, "Name") or identifier, reference)
            )
            for _, group_id in _references(element.find("ResourceGroups"), "ResourceGroup"):
                self._lookup(self.resource_groups, group_id, "resource group", place).append(index)

    def _read_events(self) -> None:
        part = self.element.find("Events")
        if part is None:
            return
        for group in part.iterfind("EventGroups/*"):
            self._declare(self.event_groups, group, "event group", [])
        for element in part.iterfind("Event"):
            index = len(self.events)
            if not self.times:
                raise BadFile(f"{self.place} has events and no <Time> for them.")
            identifier = self._declare(self.events, element, "event", index)
            place = f"Event '{identifier}' of {self.place}"
            self.event_records.append(self._event(element, identifier, place))
            groups = [
                *_references(element, "Course"),
                *_references(element.find("EventGroups"), "EventGroup"),
            ]
            for _, group_id in groups:
                members = self._lookup(self.event_groups, group_id, "event group", place)
                if index not in members[-1:]:
                    members.append(index)

    def _event(self, element: Element, identifier: str, place: str) -> Event:
        duration = _number(element, "Duration", place)
        if not 1 <= duration <= MAX_DURATION:
            raise BadFile(f"{place} has duration {duration}, outside 1 to {MAX_DURATION}.")
        workload = _number(element, "Workload", place, duration)
        start = element.find("Time")
        time = None
        if start is not None:
            time = self._lookup(self.times, start.get("Reference", ""), "time", place)
            if time + duration > len(self.times):
                raise BadFile(
                    f"{place} is preassigned a time from which its duration runs past the last time."
                )
        places: list[EventResource] = []
        for child in element.iterfind("Resources/Resource"):
            places.append(self._event_resource(child, workload, place))
        # A resource group in an event preassigns every resource of the group.
        for _, reference in _references(element.find("ResourceGroups"), "ResourceGroup"):
            taken = {p.resource for p in places}
            for resource in self._lookup(self.resource_groups, reference, "resource group", place):
                if resource not in taken:
                    places.append(EventResource("", self.resource_records[resource].kind, resource, workload))
        roles = [p.role for p in places if p.role]
        if len(set(roles)) < len(roles):
            raise BadFile(f"{place} has two resources of one role.")
        return Event(identifier, _text(element, "Name") or identifier, duration, time, tuple(places))

    def _event_resource(self, element: Element, workload: int, place: str) -> EventResource:
        role = _text(element, "Role", "") or ""
        reference = element.get("Reference")
        kind = element.find("ResourceType")
        if reference is None:
            if not role or kind is None:
                raise BadFile(
                    f"{place} has a resource with neither Reference nor both Role and ResourceType."
                )
            resource, kind_id = None, kind.get("Reference", "")
            if kind_id not in self.kinds:
                raise BadFile(
                    f"{place} refers to resource type '{kind_id}', which {self.place} does not have."
                )
        else:
            resource = self._lookup(self.resources, reference, "resource", place)
            kind_id = self.resource_records[resource].kind
        return EventResource(role, kind_id, resource, _number(element, "Workload", place, workload))

    def _constraints(self) -> Iterator[Constraint]:
        part = self.element.find("Constraints")
        for element in () if part is None else part:
            kind = element.tag.removesuffix("Constraint")
            identifier = element.get("Id", "")
            if kind not in KINDS or kind == element.tag:
                raise BadFile(f"{self.place} has a constraint <{element.tag}>, which XHSTT does not have.")
            yield self._constraint(element, kind, identifier)

    def _constraint(self, element: Element, kind: str, identifier: str) -> Constraint:
        place = f"{kind}Constraint '{identifier}' of {self.place}"
        required = (_text(element, "Required", "") or "").lower()
        if required not in ("true", "false"):
            raise BadFile(f"{place} has <Required> '{required}', which is neither true nor false.")
        cost_function = _text(element, "CostFunction", "") or ""
        if cost_function not in COST_FUNCTIONS:
            raise BadFile(f"{place} has cost function '{cost_function[:40]}', not Linear, Quadratic or Step.")
        applies = element.find("AppliesTo")
        if applies is None:
            raise BadFile(f"{place} has no <AppliesTo>.")
        minimum = maximum = 0
        if kind in BOUND_KINDS:
            minimum, maximum = _number(element, "Minimum", place), _number(element, "Maximum", place)
        shortest = longest = 1
        if kind == "SplitEvents":
            minimum, maximum = (_number(element, t, place) for t in ("MinimumAmount", "MaximumAmount"))
            shortest, longest = (_number(element, t, place) for t in ("MinimumDuration", "MaximumDuration"))
        duration = None
        if kind == "DistributeSplitEvents" or (
            kind == "PreferTimes" and element.find("Duration") is not None
        ):
            duration = _number(element, "Duration", place)
        role = _text(element, "Role", "") or ""
        if kind in ROLE_KINDS and not role:
            raise BadFile(f"{place} has no <Role>.")
        return Constraint(
            id=identifier,
            name=_text(element, "Name") or identifier,
            kind=kind,
            is_hard=required == "true",
            weight=_number(element, "Weight", place),
            cost_function=cost_function,
            role=role,
            events=self._members(applies, "Event", self.events, self.event_groups, place)
            if kind in EVENT_KINDS
            else (),
            groups=self._event_groups(applies, place) if kind in GROUP_KINDS else (),
            pairs=self._pairs(applies, place) if kind == "OrderEvents" else (),
            resources=self._members(applies, "Resource", self.resources, self.resource_groups, place),
            times=frozenset(self._members(element, "Time", self.times, self.time_groups, place))
            if kind in ("PreferTimes", "AvoidUnavailableTimes")
            else frozenset(),
            preferred=frozenset(
                self._members(element, "Resource", self.resources, self.resource_groups, place)
            )
            if kind == "PreferResources"
            else frozenset(),
            time_groups=self._time_limits(element, kind, place) if kind in DAY_KINDS else (),
            duration=duration,
            minimum=minimum,
            maximum=maximum,
            minimum_duration=shortest,
            maximum_duration=longest,
        )

    def _members(
        self, element: Element, what: str, singles: dict[str, int], groups: dict[str, list[int]], place: str
    ) -> tuple[int, ...]:
        """Return the distinct things named one by one or by group under <Xs> and <XGroups>, in index order."""
        found: set[int] = set()
        for _, reference in _references(element.find(f"{what}Groups"), f"{what}Group"):
            found.update(self._lookup(groups, reference, f"{what.lower()} group", place))
        for _, reference in _references(element.find(f"{what}s"), what):
            found.add(self._lookup(singles, reference, what.lower(), place))
        return tuple(sorted(found))

    def _event_groups(self, applies: Element, place: str) -> tuple[tuple[int, ...], ...]:
        part = applies.find("EventGroups")
        return tuple(
            tuple(self._lookup(self.event_groups, reference, "event group", place))
            for _, reference in _references(part, "EventGroup")
        )

    def _pairs(self, applies: Element, place: str) -> tuple[tuple[int, int, int, int], ...]:
        pairs = []
        for element in applies.iterfind("EventPairs/EventPair"):
            ends = []
            for tag in ("FirstEvent", "SecondEvent"):
                end = element.find(tag)
                reference = "" if end is None else end.get("Reference", "")
                ends.append(self._lookup(self.events, reference, "event", place))
            least = _number(element, "MinSeparation", place, 0)
            most = _number(element, "MaxSeparation", place, len(self.times))
            pairs.append((ends[0], ends[1], least, most))
        return tuple(pairs)

    def _time_limits(self, element: Element, kind: str, place: str) -> tuple[TimeLimit, ...]:
        limits = []
        for child, reference in _references(element.find("TimeGroups"), "TimeGroup"):
            times = tuple(self._lookup(self.time_groups, reference, "time group", place))
            if kind == "SpreadEvents":
                low, high = _number(child, "Minimum", place), _number(child, "Maximum", place)
                limits.append(TimeLimit(times, low, high))
            else:
                limits.append(TimeLimit(times))
        return tuple(limits)


def _solutions(root: Element, known: dict[str, Instance]) -> Iterator[Solution]:
    """Yield the solutions below `root` whose instance is known; refuse those of an unknown one."""
    groups: Iterable[Element] = [root] if root.tag == "SolutionGroup" else root.iter("SolutionGroup")
    pairs = [(group.get("Id", ""), solution) for group in groups for solution in group.iterfind("Solution")]
    if root.tag == "Solution":
        pairs = [("", root)]
    lookups = {
        identifier: (
            {event.id: index for index, event in enumerate(instance.events)},
            {time: index for index, time in enumerate(instance.times)},
            {resource.id: index for index, resource in enumerate(instance.resources)},
        )
        for identifier, instance in known.items()
    }
    for group, element in pairs:
        reference = element.get("Reference", "")
        if reference not in known:
            raise BadFile(
                f"Solution group '{group}' solves instance '{reference[:60]}', which is not in the file."
            )
        yield _solution(element, group, known[reference], lookups[reference])


def _solution(element: Element, group: str, instance: Instance, lookup: tuple) -> Solution:
    place = f"The solution of '{instance.id}' in group '{group}'"
    lessons = tuple(_lesson(child, instance, lookup, place) for child in element.iterfind("Events/Event"))
    placed: dict[int, int] = {}
    for lesson in lessons:
        placed[lesson.event] = placed.get(lesson.event, 0) + lesson.duration
    for index, duration in placed.items():
        if duration != instance.events[index].duration:
            raise BadFile(
                f"{place} splits event '{instance.events[index].id}' of duration "
                f"{instance.events[index].duration} into lessons of {duration} in all."
            )
    missing = tuple(whole_lesson(instance, i) for i in range(len(instance.events)) if i not in placed)
    reported = None
    if element.find("Report/InfeasibilityValue") is not None:
        reported = tuple(
            _number(element, f"Report/{tag}", place, 0) for tag in ("InfeasibilityValue", "ObjectiveValue")
        )
    return Solution(
        instance=instance.id,
        lessons=lessons + missing,
        group=group,
        description=_text(element, "Description", "") or "",
        reported=reported,
    )


def whole_lesson(instance: Instance, index: int) -> Lesson:
    """Return an event nobody split or placed: one lesson with what is preassigned."""
    event = instance.events[index]
    return Lesson(index, event.duration, event.time, tuple(place.resource for place in event.resources))


def _lesson(element: Element, instance: Instance, lookup: tuple, place: str) -> Lesson:
    events, times, resources = lookup
    reference = element.get("Reference", "")
    if reference not in events:
        raise BadFile(f"{place} places event '{reference[:60]}', which the instance does not have.")
    index = events[reference]
    event = instance.events[index]
    place = f"{place}, event '{reference}',"
    duration = _number(element, "Duration", place, event.duration)
    if not 1 <= duration <= event.duration:
        raise BadFile(f"{place} has a lesson of duration {duration}, outside 1 to {event.duration}.")
    start = event.time
    time = element.find("Time")
    if time is not None:
        if time.get("Reference", "") not in times:
            raise BadFile(
                f"{place} is put at time '{time.get('Reference', '')}', which the instance does not have."
            )
        start = times[time.get("Reference", "")]
        if start + duration > len(times):
            raise BadFile(f"{place} runs past the last time.")
    chosen = [p.resource for p in event.resources]
    roles = {p.role: i for i, p in enumerate(event.resources) if p.role}
    for child in element.iterfind("Resources/Resource"):
        name = child.get("Reference", "")
        role = _text(child, "Role", "") or ""
        if name not in resources:
            raise BadFile(f"{place} takes resource '{name[:60]}', which the instance does not have.")
        if not role and resources[name] in chosen:
            continue
        if role not in roles:
            raise BadFile(f"{place} gives a resource to role '{role[:60]}', which the event does not have.")
        wanted = event.resources[roles[role]]
        if instance.resources[resources[name]].kind != wanted.kind:
            raise BadFile(
                f"{place} gives role '{role}' resource '{name}', which is not of type '{wanted.kind}'."
            )
        if wanted.resource not in (None, resources[name]):
            raise BadFile(f"{place} gives role '{role}' another resource than the preassigned one.")
        chosen[roles[role]] = resources[name]
    return Lesson(index, duration, start, tuple(chosen))
