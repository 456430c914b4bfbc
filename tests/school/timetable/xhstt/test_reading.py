"""Reading and writing: what a file says, what it must not say, and that what we write is read back."""

from __future__ import annotations

import gzip

import pytest

from khue.school.timetable.solving.xhstt.evaluating import evaluate
from khue.school.timetable.solving.xhstt.model import BadFile
from khue.school.timetable.solving.xhstt.reading import parse_archive, read_archive, read_solutions
from khue.school.timetable.solving.xhstt.writing import solutions_xml, write_whole

SMALL = """<?xml version="1.0" encoding="UTF-8"?>
<HighSchoolTimetableArchive Id="Own"><Instances><Instance Id="Own1">
<MetaData><Name>Trường nhỏ</Name></MetaData>
<Times>
 <TimeGroups><Day Id="Mo"><Name>Mo</Name></Day><Day Id="Tu"><Name>Tu</Name></Day>
  <TimeGroup Id="early"><Name>early</Name></TimeGroup></TimeGroups>
 <Time Id="Mo1"><Day Reference="Mo"/><TimeGroups><TimeGroup Reference="early"/></TimeGroups></Time>
 <Time Id="Mo2"><Day Reference="Mo"/></Time>
 <Time Id="Tu1"><Day Reference="Tu"/><TimeGroups><TimeGroup Reference="early"/></TimeGroups></Time>
 <Time Id="Tu2"><Day Reference="Tu"/></Time>
</Times>
<Resources>
 <ResourceTypes><ResourceType Id="Class"/><ResourceType Id="Teacher"/><ResourceType Id="Room"/></ResourceTypes>
 <ResourceGroups><ResourceGroup Id="pupils"><ResourceType Reference="Class"/></ResourceGroup>
  <ResourceGroup Id="rooms"><ResourceType Reference="Room"/></ResourceGroup></ResourceGroups>
 <Resource Id="6A"><ResourceType Reference="Class"/><ResourceGroups><ResourceGroup Reference="pupils"/></ResourceGroups></Resource>
 <Resource Id="6B"><ResourceType Reference="Class"/><ResourceGroups><ResourceGroup Reference="pupils"/></ResourceGroups></Resource>
 <Resource Id="An"><ResourceType Reference="Teacher"/></Resource>
 <Resource Id="P1"><ResourceType Reference="Room"/><ResourceGroups><ResourceGroup Reference="rooms"/></ResourceGroups></Resource>
</Resources>
<Events>
 <EventGroups><Course Id="maths"><Name>maths</Name></Course><EventGroup Id="all"><Name>all</Name></EventGroup></EventGroups>
 <Event Id="toan6A"><Duration>2</Duration><Workload>3</Workload><Course Reference="maths"/>
  <Resources><Resource Reference="6A"/><Resource Reference="An"><Role>teacher</Role></Resource>
   <Resource><Role>room</Role><ResourceType Reference="Room"/><Workload>1</Workload></Resource></Resources>
  <EventGroups><EventGroup Reference="all"/></EventGroups></Event>
 <Event Id="assembly"><Duration>1</Duration><Time Reference="Tu2"/>
  <ResourceGroups><ResourceGroup Reference="pupils"/></ResourceGroups>
  <EventGroups><EventGroup Reference="all"/></EventGroups></Event>
</Events>
<Constraints>
 <AssignTimeConstraint Id="times"><Name>times</Name><Required>true</Required><Weight>1</Weight><CostFunction>Linear</CostFunction>
  <AppliesTo><EventGroups><EventGroup Reference="all"/></EventGroups></AppliesTo></AssignTimeConstraint>
 <AssignResourceConstraint Id="rooms"><Name>rooms</Name><Required>true</Required><Weight>2</Weight><CostFunction>Linear</CostFunction>
  <AppliesTo><EventGroups><EventGroup Reference="all"/></EventGroups></AppliesTo><Role>room</Role></AssignResourceConstraint>
 <AvoidClashesConstraint Id="clashes"><Name>clashes</Name><Required>true</Required><Weight>1</Weight><CostFunction>Linear</CostFunction>
  <AppliesTo><ResourceGroups><ResourceGroup Reference="pupils"/></ResourceGroups><Resources><Resource Reference="6A"/></Resources></AppliesTo></AvoidClashesConstraint>
 <PreferTimesConstraint Id="early"><Name>early</Name><Required>false</Required><Weight>5</Weight><CostFunction>Quadratic</CostFunction>
  <AppliesTo><EventGroups><EventGroup Reference="maths"/></EventGroups></AppliesTo><TimeGroups><TimeGroup Reference="early"/></TimeGroups></PreferTimesConstraint>
 <SpreadEventsConstraint Id="spread"><Name>spread</Name><Required>false</Required><Weight>1</Weight><CostFunction>Step</CostFunction>
  <AppliesTo><EventGroups><EventGroup Reference="all"/></EventGroups></AppliesTo>
  <TimeGroups><TimeGroup Reference="Mo"><Minimum>2</Minimum><Maximum>2</Maximum></TimeGroup></TimeGroups></SpreadEventsConstraint>
 <OrderEventsConstraint Id="order"><Name>order</Name><Required>false</Required><Weight>1</Weight><CostFunction>Linear</CostFunction>
  <AppliesTo><EventPairs><EventPair><FirstEvent Reference="toan6A"/><SecondEvent Reference="assembly"/><MinSeparation>1</MinSeparation></EventPair></EventPairs></AppliesTo></OrderEventsConstraint>
</Constraints>
</Instance></Instances>
<SolutionGroups><SolutionGroup Id="stored"><Solution Reference="Own1"><Description>by hand</Description><Events>
 <Event Reference="toan6A"><Duration>1</Duration><Time Reference="Mo1"/><Resources><Resource Reference="P1"><Role>room</Role></Resource></Resources></Event>
 <Event Reference="toan6A"><Duration>1</Duration><Time Reference="Tu2"/></Event>
 </Events><Report><InfeasibilityValue>3</InfeasibilityValue><ObjectiveValue>8</ObjectiveValue></Report></Solution></SolutionGroup></SolutionGroups>
</HighSchoolTimetableArchive>
"""  # fmt: skip


def parsed(text: str = SMALL):
    return parse_archive(text.encode(), name="small.xml")


def test_an_archive_is_read_whole():
    archive = parsed()
    (instance,) = archive.instances
    assert (instance.id, instance.name, instance.times) == (
        "Own1",
        "Trường nhỏ",
        ("Mo1", "Mo2", "Tu1", "Tu2"),
    )
    maths, assembly = instance.events
    assert [(p.role, p.kind, p.resource, p.workload) for p in maths.resources] == [
        ("", "Class", 0, 3),
        ("teacher", "Teacher", 2, 3),
        ("room", "Room", None, 1),
    ]
    assert (assembly.time, [p.resource for p in assembly.resources]) == (3, [0, 1])
    by_id = {c.id: c for c in instance.constraints}
    assert by_id["clashes"].resources == (0, 1)
    assert by_id["early"].times == {0, 2}
    assert by_id["order"].pairs == ((0, 1, 1, 4),)
    assert [c.is_hard for c in instance.constraints] == [True, True, True, False, False, False]


def test_the_stored_solution_costs_what_its_report_says():
    archive = parsed()
    (solution,) = archive.solutions
    found = evaluate(archive.instances[0], solution)
    # A clash of 6A on Tu2 (1) and an hour without a room (2); 5 for Tu2, 1 for the spread, 2 for the order.
    assert (found.hard, found.soft) == solution.reported == (3, 8)
    assert [lesson.start for lesson in solution.lessons] == [0, 3, 3]


def test_gzip_and_a_single_instance(tmp_path):
    single = SMALL[SMALL.index("<Instance Id") : SMALL.index("</Instances>")]
    packed = tmp_path / "one.xml.gz"
    packed.write_bytes(gzip.compress(single.encode()))
    assert read_archive(packed).instances == parsed().instances


def test_what_is_written_is_read_back(tmp_path):
    archive = parsed()
    (instance,), (solution,) = archive.instances, archive.solutions
    target = tmp_path / "deep" / "best.xml"
    write_whole(target, solutions_xml([(instance, solution)]))
    (again,) = read_solutions(target, [instance])
    assert again.lessons == solution.lessons
    assert again.reported == (3, 8)
    assert [path.name for path in target.parent.iterdir()] == ["best.xml"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "best.xml"
    write_whole(target, b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(target, b"new")
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["best.xml"]


BAD = [
    ("not XML", "<a>", "small.xml is not well-formed XML"),
    ("another format", "<fet/>", "begins with <fet>"),
    ("an entity", '<!DOCTYPE a [<!ENTITY x "y">]><HighSchoolTimetableArchive/>', "document type or an entity"),
    ("unknown constraint", ("<OrderEventsConstraint", "</OrderEventsConstraint>"), "constraint <LimitLunchConstraint>"),
    ("unknown time", ('<Time Reference="Tu2"/>\n', '<Time Reference="Su9"/>\n'), "Event 'assembly'.*time 'Su9'"),
    ("unknown resource", ('<Resource Reference="An">', '<Resource Reference="Ai">'), "Event 'toan6A'.*resource 'Ai'"),
    ("unknown resource group", ('<ResourceGroups><ResourceGroup Reference="pupils"/></ResourceGroups>\n  <EventGroups>', '<ResourceGroups><ResourceGroup Reference="x"/></ResourceGroups>\n  <EventGroups>'), "Event 'assembly'.*resource group 'x'"),
    ("unknown event group", ('<EventGroup Reference="maths"/>', '<EventGroup Reference="physics"/>'), "PreferTimesConstraint 'early'.*event group 'physics'"),
    ("two of one Id", ('<Time Id="Mo2">', '<Time Id="Mo1">'), "two times of Id 'Mo1'"),
    ("no duration", ("<Duration>2</Duration><Workload>", "<Workload>"), "Event 'toan6A'.*no <Duration>"),
    ("a word for a number", ("<Weight>5</Weight>", "<Weight>many</Weight>"), "PreferTimesConstraint 'early'.*'many'.*whole number"),
    ("below zero", ("<Weight>5</Weight>", "<Weight>-5</Weight>"), "below zero"),
    ("a weight no sum should reach", ("<Weight>5</Weight>", "<Weight>1000000000000000</Weight>"), "PreferTimesConstraint 'early'.*<Weight> 1000000000000000, which is above 10000"),
    ("a number no school has", ("<MinSeparation>1<", "<MinSeparation>99999999999999999999<"), "<MinSeparation> 9+, which is above 100000"),
    ("no role", ("<Role>room</Role></AssignResourceConstraint>", "</AssignResourceConstraint>"), "AssignResourceConstraint 'rooms'.*no <Role>"),
    ("cost function", ("<CostFunction>Step", "<CostFunction>Cubic"), "SpreadEventsConstraint 'spread'.*'Cubic'"),
    ("neither true nor false", ("<Required>false</Required><Weight>5", "<Required>maybe</Required><Weight>5"), "'maybe'"),
    ("runs past the end", ('<Duration>1</Duration><Time Reference="Tu2"/>\n', '<Duration>2</Duration><Time Reference="Tu2"/>\n'), "Event 'assembly'.*past the last time"),
    ("a place for nothing", ('<Role>room</Role><ResourceType Reference="Room"/><W', "<Role>room</Role><W"), "Event 'toan6A'.*neither Reference"),
    ("solution: unknown event", ('<Event Reference="toan6A"><Duration>1</Duration><Time Reference="Mo1"/>', '<Event Reference="ly"><Duration>1</Duration><Time Reference="Mo1"/>'), "group 'stored' places event 'ly'"),
    ("solution: too little", ('<Event Reference="toan6A"><Duration>1</Duration><Time Reference="Tu2"/></Event>', ""), "'toan6A' of duration 2 into lessons of 1"),
    ("solution: wrong type", ('<Resource Reference="P1"><Role>room', '<Resource Reference="An"><Role>room'), "role 'room' resource 'An', which is not of type 'Room'"),
    ("solution: of another instance", ('<Solution Reference="Own1">', '<Solution Reference="Own2">'), "solves instance 'Own2'"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "sentence"), [(c, s) for _, c, s in BAD], ids=[name for name, _, _ in BAD]
)
def test_bad_input_is_named_with_its_place(change, sentence):
    text = change
    if isinstance(change, tuple):
        assert change[0] in SMALL
        if change[0].startswith("<OrderEvents"):
            text = SMALL.replace("OrderEventsConstraint", "LimitLunchConstraint")
        else:
            text = SMALL.replace(*change, 1)
    with pytest.raises(BadFile, match=sentence) as refused:
        parsed(text)
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)


def test_events_without_any_time_are_named():
    begin, end = SMALL.index(" <Time Id="), SMALL.index("</Times>")
    with pytest.raises(BadFile, match="Instance 'Own1' has events and no <Time> for them"):
        parsed(SMALL[:begin] + SMALL[end:])


def test_files_that_are_not_there_or_not_whole(tmp_path):
    with pytest.raises(BadFile, match="no file"):
        read_archive(tmp_path / "none.xml")
    cut = tmp_path / "cut.xml.gz"
    cut.write_bytes(gzip.compress(SMALL.encode())[:200])
    with pytest.raises(BadFile, match=r"cut\.xml\.gz cannot be unpacked"):
        read_archive(cut)


def test_a_file_that_unpacks_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("khue.school.timetable.solving.xhstt.reading.MAX_BYTES", 1024)
    bomb = tmp_path / "bomb.xml.gz"
    bomb.write_bytes(gzip.compress(b" " * 100_000))
    with pytest.raises(BadFile, match="unpacks to more"):
        read_archive(bomb)
