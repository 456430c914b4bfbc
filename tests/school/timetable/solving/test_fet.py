"""FET's files: read, written and read again, honoured or named, refused with a sentence."""

import gzip
import os
from dataclasses import replace
from pathlib import Path

import pytest

from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.checking import check
from khue.school.timetable.solving.fet import constraints, reading, solutions, writing
from khue.school.timetable.solving.fet.xml import root_of_bytes
from khue.school.timetable.solving.model import ProblemError
from tests.school.timetable.solving.schools import at, four_lessons
from tests.school.timetable.solving.test_kinds import CASES, PLACES, ROOMS, WISH

FOLDER = os.environ.get("KHUE_TIMETABLE_INSTANCES", "")
SHARED = sorted(Path(FOLDER).rglob("*.fet.gz")) if FOLDER else []


def _fet(constraint="", students="6A", more="", name="T", entity=""):
    return f"""<?xml version="1.0"?>{entity}<fet version="6.8.5"><Mode>Official</Mode><Institution_Name>Trường</Institution_Name>
<Days_List><Day><Name>Hai</Name></Day><Day><Name>Ba</Name></Day></Days_List>
<Hours_List><Hour><Name>1</Name></Hour><Hour><Name>2</Name></Hour></Hours_List>
<Subjects_List><Subject><Name>Toán</Name></Subject><Subject><Name>  </Name></Subject></Subjects_List>
<Teachers_List><Teacher><Name>T</Name></Teacher></Teachers_List>
<Students_List><Year><Name>6A</Name><Group><Name>6A1</Name><Subgroup><Name>6A1x</Name></Subgroup></Group>
<Group><Name>6A2</Name></Group></Year></Students_List>
<Activities_List><Activity><Teacher>{name}</Teacher><Subject>Toán</Subject><Students>{students}</Students><Duration>1</Duration>
<Id>7</Id><Activity_Group_Id>7</Activity_Group_Id></Activity><Activity><Teacher>T</Teacher><Subject>  </Subject>
<Students>6A2</Students><Duration>2</Duration><Id>8</Id><Activity_Group_Id>7</Activity_Group_Id></Activity>
<Activity><Teacher>T</Teacher><Subject>Toán</Subject><Students>6A2</Students><Id>9</Id><Active>false</Active></Activity>{more}</Activities_List>
<Rooms_List><Room><Name>R</Name></Room></Rooms_List>
<Time_Constraints_List>{constraint}</Time_Constraints_List><Space_Constraints_List></Space_Constraints_List></fet>""".encode()


def test_sets_of_learners_share_their_smallest_parts():
    problem = reading.read_bytes(_fet(), "x.fet")
    assert problem.groups == {"6A": ("6A1x", "6A2"), "6A1": ("6A1x",), "6A1x": ("6A1x",), "6A2": ("6A2",)}
    assert [a.key for a in problem.activities] == ["7", "8"]
    assert [a.part for a in problem.activities] == [1, 2]


def test_a_filter_means_a_subject_whose_name_is_blank():
    its = """<ConstraintActivitiesPreferredTimeSlots><Weight_Percentage>100</Weight_Percentage><Teacher_Name></Teacher_Name>
<Students_Name></Students_Name><Subject_Name>  </Subject_Name><Activity_Tag_Name></Activity_Tag_Name>
<Preferred_Time_Slot><Preferred_Day>Hai</Preferred_Day><Preferred_Hour>1</Preferred_Hour></Preferred_Time_Slot>
</ConstraintActivitiesPreferredTimeSlots>"""
    (constraint,) = reading.read_bytes(_fet(its), "x.fet").constraints
    assert constraint.activities == ("8",)


def test_what_is_not_honoured_is_named_with_its_number():
    problem = reading.read_bytes(_fet("<ConstraintOfTomorrow><Active>true</Active></ConstraintOfTomorrow>" * 2), "x.fet")
    assert [(n.kind, n.count) for n in problem.not_honoured] == [("ConstraintOfTomorrow", 2)]
    inactive = "<ConstraintOfTomorrow><Active>false</Active></ConstraintOfTomorrow>"
    assert reading.read_bytes(_fet(inactive), "x.fet").not_honoured == ()


def test_a_mode_that_is_not_honoured_is_named():
    for mode, kinds in (("Official", []), ("Terms", []), ("Block_Planning", ["Mode Block_Planning"]), ("Ngày mai", ["Mode Ngày mai"])):
        problem = reading.read_bytes(_fet().decode().replace("Official", mode).encode(), "x.fet")
        assert [n.kind for n in problem.not_honoured] == kinds


def test_real_rooms_asked_for_a_virtual_one_are_named():
    wish = """<ConstraintActivityPreferredRoom><Weight_Percentage>100</Weight_Percentage><Activity_Id>7</Activity_Id><Room>R</Room>
<Real_Room>R1</Real_Room></ConstraintActivityPreferredRoom>"""
    problem = reading.read_bytes(_fet().decode().replace("<Space_Constraints_List>", f"<Space_Constraints_List>{wish}").encode(), "x.fet")
    assert [(n.kind, n.count) for n in problem.not_honoured] == [("ConstraintActivityPreferredRoom", 1)]
    assert [k.rooms for k in problem.constraints] == [("R",)]


_APART = """<ConstraintMinDaysBetweenActivities><Activity_Id>7</Activity_Id><Activity_Id>8</Activity_Id><MinDays>1000000</MinDays>
</ConstraintMinDaysBetweenActivities>"""


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<fet", "broken XML at line 1"),
        (_fet(entity='<!DOCTYPE fet [<!ENTITY a "b">]>'), "declares entities"),
        (b"<other/>", "<other>"),
        (_fet(students="9Z"), "activity 7: students '9Z'"),
        (_fet(name="Ai"), "activity 7: teacher 'Ai'"),
        (_fet(more="<Activity><Id>7</Id><Subject>Toán</Subject><Duration>1</Duration></Activity>"), "activity 7 occurs twice"),
        (_fet(more="<Activity><Id>5</Id><Duration>hai</Duration></Activity>"), "<Duration> holds 'hai'"),
        (_fet("<ConstraintTeacherMaxDaysPerWeek><Teacher_Name>Ai</Teacher_Name></ConstraintTeacherMaxDaysPerWeek>"), "no. 1 of Time"),
        (_fet("<ConstraintActivitiesSameStartingDay><Activity_Id>99</Activity_Id></ConstraintActivitiesSameStartingDay>"), "activity 99"),
        (_fet("<ConstraintStudentsMaxGapsPerWeek><Weight_Percentage>200</Weight_Percentage></ConstraintStudentsMaxGapsPerWeek>"), "200"),
        (b"\x1f\x8b broken", "cannot be unpacked"),
        (_fet(more="<Activity><Id>5</Id><Duration>99999999999999999999</Duration></Activity>"), "not within 0 to 1000000"),
        (_fet("<ConstraintTeachersMaxGapsPerWeek><Max_Gaps>-1</Max_Gaps></ConstraintTeachersMaxGapsPerWeek>"), "<Max_Gaps> holds -1"),
        (_fet().replace(b"<Hours_List>", b"<Hours_List><Number_of_Hours>5</Number_of_Hours>"), "<Number_of_Hours> says 5, but 2 are listed"),
        (_fet().replace(b'version="6.8.5"', b'version="5.27.3-algeria17"'), "save it in FET 6 first"),
        (_fet(_APART), "<MinDays> holds 1000000, which is not within 0 to 1000"),
    ],
)  # fmt: skip
def test_bad_files_are_refused_in_a_sentence_that_names_the_place(data, words):
    with pytest.raises(ProblemError, match="^x.fet") as refused:
        reading.read_bytes(data, "x.fet")
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(ProblemError, match="there is no such file"):
        reading.read(tmp_path / "none.fet")


@pytest.mark.parametrize("case", [*CASES, *ROOMS, *PLACES], ids=lambda case: type(case[0]).__name__)
def test_a_problem_written_and_read_again_breaks_the_same(case):
    constraint, *timetables, _ = case
    problem = four_lessons(*([WISH] if case in PLACES else []), constraint)
    data, left = writing.data(problem)
    again = reading.read_bytes(gzip.compress(data), "y.fet.gz")
    assert again.groups == problem.groups
    assert [d.date for d in again.days] == [0, 0, 1, 1]
    if isinstance(constraint, m.MaxFullDates):
        assert any(isinstance(k, m.MaxFullDates) for k in again.constraints)
    for timetable in timetables:
        if timetable is not None and not [n for n in left if n.kind not in ("holds", "weeks")]:
            assert check(again, timetable).hard == check(problem, timetable).hard


def test_what_fet_has_no_words_for_is_named():
    _, left = writing.data(four_lessons(m.CommonFree(who=m.TEACHERS, slots=frozenset({(0, 0)})), m.Balance(who=m.TEACHERS, most=1)))
    assert {n.kind: n.count for n in left} == {"CommonFree": 1, "Balance": 1, "holds": 1}


def _halves(*constraints):
    """A problem whose mornings and afternoons are days of their own, written for FET."""
    return writing.data(four_lessons(*constraints))[0].decode()


def test_fet_is_told_that_teachers_may_come_in_mornings_and_afternoons():
    """Without it FET finds no timetable of two sessions at all."""
    exclusive = m.MaxFullDates(who=m.Who("teachers", ("Lan",)), most=0)
    written = _halves(exclusive)
    assert "<Mode>Mornings_Afternoons</Mode>" in written
    assert written.count("<Mornings_Afternoons_Behavior>Exclusive<") == written.count("<Mornings_Afternoons_Behavior>Unrestricted<") == 1


def test_where_a_day_has_halves_fet_lets_learners_have_a_free_one_but_no_free_day():
    rule = """<ConstraintStudentsMinHoursDaily><Weight_Percentage>100</Weight_Percentage><Minimum_Hours_Daily>2</Minimum_Hours_Daily>
<Allow_Empty_Days>false</Allow_Empty_Days></ConstraintStudentsMinHoursDaily>"""
    whole = reading.read_bytes(_fet(rule), "x.fet").constraints
    assert [(k.least, k.per, k.may_be_empty) for k in whole] == [(2, "day", False)]
    data = _fet(rule).replace(b"Official", b"Mornings_Afternoons")
    problem = reading.read_bytes(data, "x.fet")
    assert [(k.least, k.per, k.may_be_empty) for k in problem.constraints] == [(2, "day", True), (1, "date", False)]
    written, left = writing.data(problem)
    assert not left
    assert written.count(b"<Allow_Empty_Days>false<") == written.count(b"MinHoursDaily>") // 2 == 1
    assert [replace(k, source="") for k in reading.read_bytes(written, "y.fet").constraints] == [replace(k, source="") for k in problem.constraints]


def test_who_has_no_constraint_for_all_in_fet_gets_one_each():
    closed = m.Unavailable(who=m.TEACHERS, slots=frozenset({(0, 0)}))
    early = m.EarlyStart(who=m.TEACHERS, most=0)
    written, left = writing.data(four_lessons(closed, early))
    assert written.count(b"<ConstraintTeacherNotAvailableTimes>") == 2
    assert b"ConstraintTeachersNotAvailableTimes" not in written
    assert {n.kind for n in left} == {"EarlyStart", "holds"}, "FET bounds late beginnings of learners only"


def test_every_tag_of_a_total_is_fet_s():
    rule = m.MaxInSlots(activities=("a", "b"), slots=frozenset({(0, 0)}), most=1)
    assert "<Max_Total_Number_of_Activities>1<" in _halves(rule)


def test_a_place_wished_before_is_not_the_place_fet_found():
    problem = four_lessons(m.StartsIn(activities=("a",), slots=frozenset({(3, 3)}), weight=50.0))
    data = writing.data(problem)[0].decode()
    one = """<ConstraintActivityPreferredStartingTime><Weight_Percentage>50</Weight_Percentage><Activity_Id>a</Activity_Id>
<Preferred_Day>Thứ Ba chiều</Preferred_Day><Preferred_Hour>4</Preferred_Hour><Active>true</Active></ConstraintActivityPreferredStartingTime>"""
    both = data.replace("<Time_Constraints_List>", f"<Time_Constraints_List>{one}")
    timetable = at("a 0 0", "b 0 1", "c 2 0")
    found = writing.data_and_timetable(root_of_bytes(both.encode(), "d.fet"), problem, timetable)
    assert solutions.read_bytes(found, "t.fet", problem) == timetable


def _with_rooms(weight, learners="", size=20):
    """Activity 7 of 6A and 8 of 6A2 wish rooms for 10, 20 and 40 learners."""
    rooms = "".join(f"<Room><Name>R{n}</Name><Capacity>{n}</Capacity></Room>" for n in (10, 20, 40))
    wish = f"""<ConstraintSubjectPreferredRooms><Weight_Percentage>{weight}</Weight_Percentage><Subject>Toán</Subject>
<Preferred_Room>R10</Preferred_Room><Preferred_Room>R20</Preferred_Room></ConstraintSubjectPreferredRooms>"""
    data = _fet().decode().replace("<Room><Name>R</Name></Room>", rooms).replace("<Year><Name>6A</Name>", f"<Year><Name>6A</Name><Number_of_Students>{size}</Number_of_Students>")
    data = data.replace("<Space_Constraints_List>", f"<Space_Constraints_List>{wish}").replace("<Id>7</Id>", f"<Id>7</Id>{learners}")
    return reading.read_bytes(data.encode(), "x.fet")


def test_a_room_too_small_for_an_activity_is_none_of_its_rooms():
    (wish,) = _with_rooms(100).constraints
    assert (wish.activities, wish.rooms) == (("7",), ("R20",))
    (wish,) = _with_rooms(100, "<Number_Of_Students>5</Number_Of_Students>").constraints
    assert wish.rooms == ("R10", "R20"), "what the activity says counts, not the size of its class"
    (wish,) = _with_rooms(50, size=30).constraints
    assert wish.rooms == (), "a wish that cannot come true costs"
    with pytest.raises(ProblemError, match="activity 7: none of its rooms holds 30 learners"):
        _with_rooms(100, size=30)


def test_timetables_are_read_as_fet_writes_them():
    problem = four_lessons(WISH)
    timetable = at("a 0 0 Lab", "b 0 1 Xa", "c 2 0")
    assert solutions.read_bytes(writing.activities_xml(problem, timetable), "t.xml", problem) == timetable
    data = writing.data(problem)[0]
    both = writing.data_and_timetable(root_of_bytes(data, "d.fet"), problem, timetable)
    assert solutions.read_bytes(both, "t.fet", problem) == timetable
    with pytest.raises(ProblemError, match="holds no placed activity"):
        solutions.read_bytes(data, "d.fet", problem)
    twice = writing.activities_xml(problem, timetable).replace(b"<Id>b</Id>", b"<Id>a</Id>")
    with pytest.raises(ProblemError, match="t.xml: activity a is given twice"):
        solutions.read_bytes(twice, "t.xml", problem)
    with pytest.raises(ProblemError, match="room 'Không'"):
        wrong = writing.activities_xml(problem, at("a 0 0 Không"))
        solutions.read_bytes(wrong, "t.xml", problem)


@pytest.mark.skipif(not SHARED, reason="KHUE_TIMETABLE_INSTANCES names no folder with .fet.gz files")
@pytest.mark.parametrize("path", SHARED, ids=lambda path: path.name[:30])
def test_every_shared_instance_is_read_whole_and_written_again(path):
    problem = reading.read(path)
    assert problem.not_honoured == ()
    data, left = writing.data(problem)
    assert left == ()
    again = reading.read_bytes(data, "again.fet")
    assert again.groups == problem.groups
    assert [(a.key, a.duration, a.teachers, a.groups) for a in again.activities] == [
        (a.key, a.duration, a.teachers, a.groups) for a in problem.activities
    ]


def test_the_list_of_what_is_honoured_holds_the_everyday_kinds():
    assert {"ConstraintTeacherMaxDaysPerWeek", "ConstraintStudentsMaxGapsPerWeek", "ConstraintBreakTimes"} <= set(constraints.honoured())
