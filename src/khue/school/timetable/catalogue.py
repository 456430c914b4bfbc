"""The kinds of wishes a school may have on its timetable, in its own words, and what each says to the solver.

Parameters are JSON: `teachers`, `classes`, `rooms` lists of uids (empty: all of them); `subjects`, `others` lists of
subject codes; `slots` lists of [weekday, half, period]; `number` a whole number. A *structural* kind changes what there
is to place (pairs, joined classes, odd weeks) and is read when a version is drawn up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from khue.kernel.errors import Invalid
from khue.school.timetable.solving import model as m

if TYPE_CHECKING:
    from khue.school.timetable.problems import Builder

Parameters = Mapping[str, Any]
Make = Callable[["Builder", Parameters], Iterable[Callable[..., m.Constraint]]]
SECTIONS = {"teacher": _("Giáo viên"), "class": _("Lớp"), "subject": _("Môn học"), "room": _("Phòng")}
LISTS = ("teachers", "classes", "rooms", "subjects", "others", "slots")


@dataclass(frozen=True)
class Kind:
    """One kind. needs: parameters that must be there; takes: those that may; number: (low, high) of `number`."""

    code: str
    section: str
    title: str | Promise
    make: Callable[..., Iterable[m.Constraint]] | None
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    number: tuple[int, int] = (0, 0)
    number_label: str | Promise = ""
    weight: int = 100
    only_hard: bool = False
    help: str | Promise = ""

    @property
    def is_structural(self) -> bool:
        """Return whether it changes what there is to place."""
        return self.make is None

    @property
    def parameters(self) -> tuple[str, ...]:
        """Return every parameter it knows."""
        return (*self.needs, *self.takes)


KINDS: dict[str, Kind] = {}


def _kind(code: str, title: str | Promise, **values: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def add(make: Callable[..., Any]) -> Callable[..., Any]:
        KINDS[code] = Kind(code, code.partition("_")[0], title, make, **values)
        return make

    return add


def _structural(code: str, title: str | Promise, **values: Any) -> None:
    KINDS[code] = Kind(code, code.partition("_")[0], title, None, only_hard=True, **values)


def checked(kind: str, parameters: Parameters, weight: int) -> dict[str, Any]:
    """Return the parameters as they are stored; raises Invalid that names the field."""
    found = KINDS.get(kind)
    problems: dict[str, list[str]] = {}
    if found is None:
        raise Invalid(fields={"kind": [str(_("Không có loại yêu cầu này."))]})
    if set(parameters) - set(found.parameters):
        problems["kind"] = [str(_("Yêu cầu có nội dung không thuộc loại này."))]
    kept: dict[str, Any] = {}
    for name in found.parameters:
        value = parameters.get(name)
        if name == "number":
            low, high = found.number
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                problems[name] = [str(_("Hãy nhập một số từ %(low)s đến %(high)s.") % {"low": low, "high": high})]
        elif name in found.needs and not value:
            problems[name] = [str(_("Hãy chọn ít nhất một mục."))]
        elif name == "slots":
            if not all(_is_place(one) for one in value or ()):
                problems[name] = [str(_("Có tiết không đọc được."))]
        elif not all(isinstance(one, str) and len(one) <= 60 for one in value or ()):
            problems[name] = [str(_("Danh sách không đọc được."))]
        kept[name] = value if name == "number" else list(value or ())
    if not 1 <= weight <= 100 or (found.only_hard and weight != 100):
        problems["weight"] = [str(_("Mức cần thiết từ 1 đến 100."))]
    if problems:
        raise Invalid(fields=problems)
    return kept


def _is_place(one: Any) -> bool:
    return (
        isinstance(one, (list, tuple)) and len(one) == 3 and all(isinstance(n, int) for n in one)
        and 0 <= one[0] <= 6 and 0 <= one[1] <= 1 and 0 <= one[2] <= 9
    )  # fmt: skip


@dataclass(frozen=True)
class Wish:
    """A rule of a school as the builder reads it."""

    kind: str
    parameters: Parameters
    weight: float = 100
    source: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


# --- teachers ---------------------------------------------------------------------------------------------------

_PERIODS, _DAYS, _SESSIONS = _("Số tiết"), _("Số ngày"), _("Số buổi")


@_kind("teacher_off", _("Giáo viên không dạy vào các tiết"), needs=("slots",), takes=("teachers",))
def _teacher_off(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.Unavailable(who=b.teachers(p), slots=b.slots(p), **k)


@_kind("teacher_max_gaps", _("Giáo viên có tối đa bao nhiêu tiết trống giữa các tiết dạy mỗi tuần"), needs=("number",),
       takes=("teachers",), number=(0, 20), number_label=_PERIODS, weight=60)  # fmt: skip
def _teacher_max_gaps(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.MaxGaps(who=b.teachers(p), most=p["number"], per="week", **k)


@_kind("teacher_max_gaps_session", _("Giáo viên có tối đa bao nhiêu tiết trống mỗi buổi"), needs=("number",),
       takes=("teachers",), number=(0, 6), number_label=_PERIODS, weight=80)  # fmt: skip
def _teacher_max_gaps_session(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.MaxGaps(who=b.teachers(p), most=p["number"], per="day", **k)


@_kind("teacher_max_days", _("Giáo viên đến trường tối đa bao nhiêu ngày mỗi tuần"), needs=("number",), takes=("teachers",),
       number=(1, 7), number_label=_DAYS, weight=80)  # fmt: skip
def _teacher_max_days(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.MaxDays(who=b.teachers(p), most=p["number"], per="date", **k)


@_kind("teacher_free_days", _("Giáo viên được nghỉ trọn ít nhất bao nhiêu ngày học"), needs=("number",), takes=("teachers",),
       number=(1, 6), number_label=_DAYS, weight=70)  # fmt: skip
def _teacher_free_days(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    dates = len({day for day, _half in b.grid.sessions})
    yield m.MaxDays(who=b.teachers(p), most=max(0, dates - p["number"]), per="date", **k)


@_kind("teacher_max_sessions", _("Giáo viên dạy tối đa bao nhiêu buổi mỗi tuần"), needs=("number",), takes=("teachers",),
       number=(1, 14), number_label=_SESSIONS, weight=80)  # fmt: skip
def _teacher_max_sessions(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.MaxDays(who=b.teachers(p), most=p["number"], per="day", **k)


@_kind("teacher_max_day", _("Giáo viên dạy tối đa bao nhiêu tiết mỗi ngày"), needs=("number",), takes=("teachers",),
       number=(1, 12), number_label=_PERIODS)  # fmt: skip
def _teacher_max_day(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.MaxHours(who=b.teachers(p), most=p["number"], per="date", **k)


@_kind("teacher_max_session", _("Giáo viên dạy tối đa bao nhiêu tiết mỗi buổi"), needs=("number",), takes=("teachers",),
       number=(1, 10), number_label=_PERIODS)  # fmt: skip
def _teacher_max_session(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.MaxHours(who=b.teachers(p), most=p["number"], per="day", **k)


@_kind("teacher_min_session", _("Buổi nào giáo viên đến trường thì dạy ít nhất bao nhiêu tiết"), needs=("number",),
       takes=("teachers",), number=(1, 5), number_label=_PERIODS, weight=60)  # fmt: skip
def _teacher_min_session(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.MinHours(who=b.teachers(p), least=p["number"], per="day", **k)


@_kind("teacher_continuous", _("Giáo viên không dạy quá bao nhiêu tiết liền"), needs=("number",), takes=("teachers",),
       number=(1, 9), number_label=_PERIODS, weight=80)  # fmt: skip
def _teacher_continuous(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.MaxContinuous(who=b.teachers(p), most=p["number"], **k)


@_kind("teacher_full_dates", _("Giáo viên dạy cả sáng và chiều tối đa bao nhiêu ngày"), needs=("number",), takes=("teachers",),
       number=(0, 6), number_label=_DAYS, weight=70)  # fmt: skip
def _teacher_full_dates(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.MaxFullDates(who=b.teachers(p), most=p["number"], **k)


@_kind("teacher_noon", _("Giữa tiết cuối buổi sáng và tiết đầu buổi chiều, giáo viên nghỉ ít nhất bao nhiêu tiết"),
       needs=("number",), takes=("teachers",), number=(1, 6), number_label=_PERIODS, weight=70)  # fmt: skip
def _teacher_noon(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.MinRestAtNoon(who=b.teachers(p), least=p["number"], **k)


@_kind("teacher_rest", _("Từ tiết cuối hôm trước đến tiết đầu hôm sau, giáo viên nghỉ ít nhất bao nhiêu tiết"),
       needs=("number",), takes=("teachers",), number=(1, 10), number_label=_PERIODS, weight=70)  # fmt: skip
def _teacher_rest(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.MinRest(who=b.teachers(p), least=p["number"], **k)


@_kind("teacher_balance", _("Số tiết sáng và số tiết chiều của giáo viên chênh nhau tối đa"), needs=("number",),
       takes=("teachers",), number=(0, 20), number_label=_PERIODS, weight=30)  # fmt: skip
def _teacher_balance(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.Balance(who=b.teachers(p), most=p["number"], **k)


@_kind("teacher_days_in_a_row", _("Giáo viên không đến trường quá bao nhiêu buổi liền"), needs=("number",), takes=("teachers",),
       number=(1, 12), number_label=_SESSIONS, weight=50)  # fmt: skip
def _teacher_days_in_a_row(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.MaxConsecutiveDays(who=b.teachers(p), most=p["number"], **k)


@_kind("teacher_meeting", _("Tổ họp: các giáo viên này cùng trống ít nhất bao nhiêu trong các tiết"),
       needs=("teachers", "slots", "number"), number=(1, 5), number_label=_PERIODS)  # fmt: skip
def _teacher_meeting(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.CommonFree(who=b.teachers(p), slots=b.slots(p), least=p["number"], **k)


@_kind("teacher_travel", _("Đổi điểm trường hoặc dãy nhà thì giáo viên cần trống ít nhất bao nhiêu tiết"), needs=("number",),
       takes=("teachers",), number=(1, 4), number_label=_PERIODS)  # fmt: skip
def _teacher_travel(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.MinGapsBetweenBuildings(who=b.teachers(p), least=p["number"], **k)


@_kind("teacher_moves", _("Giáo viên đổi phòng tối đa bao nhiêu lần mỗi buổi"), needs=("number",), takes=("teachers",),
       number=(0, 6), number_label=_("Số lần"), weight=30)  # fmt: skip
def _teacher_moves(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.MaxMovesBetweenRooms(who=b.teachers(p), most=p["number"], per="day", **k)


# --- classes ----------------------------------------------------------------------------------------------------


@_kind("class_off", _("Lớp không học vào các tiết"), needs=("slots",), takes=("classes",))
def _class_off(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.Unavailable(who=b.classes(p), slots=b.slots(p), **k)


@_kind("class_no_gaps", _("Lớp không có tiết trống giữa buổi"), takes=("classes",))
def _class_no_gaps(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.MaxGaps(who=b.classes(p), most=0, per="day", **k)


@_kind("class_from_first", _("Lớp học từ tiết đầu buổi"), takes=("classes",))
def _class_from_first(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.EarlyStart(who=b.classes(p), most=0, **k)


@_kind("class_max_session", _("Lớp học tối đa bao nhiêu tiết mỗi buổi"), needs=("number",), takes=("classes",), number=(1, 10),
       number_label=_PERIODS)  # fmt: skip
def _class_max_session(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.MaxHours(who=b.classes(p), most=p["number"], per="day", **k)


@_kind("class_max_day", _("Lớp học tối đa bao nhiêu tiết mỗi ngày"), needs=("number",), takes=("classes",), number=(1, 12),
       number_label=_PERIODS)  # fmt: skip
def _class_max_day(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.MaxHours(who=b.classes(p), most=p["number"], per="date", **k)


@_kind("class_min_session", _("Buổi nào lớp có học thì học ít nhất bao nhiêu tiết"), needs=("number",), takes=("classes",),
       number=(1, 6), number_label=_PERIODS, weight=80)  # fmt: skip
def _class_min_session(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.MinHours(who=b.classes(p), least=p["number"], per="day", **k)


@_kind("class_max_afternoons", _("Lớp học buổi chiều tối đa bao nhiêu ngày"), needs=("number",), takes=("classes",),
       number=(0, 6), number_label=_DAYS)  # fmt: skip
def _class_max_afternoons(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.MaxDays(who=b.classes(p), most=p["number"], per="afternoon", **k)


@_kind("class_heavy", _("Lớp học tối đa bao nhiêu tiết các môn nặng mỗi buổi"), needs=("subjects", "number"), takes=("classes",),
       number=(1, 6), number_label=_PERIODS, weight=60)  # fmt: skip
def _class_heavy(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.MaxHours(who=b.classes(p), most=p["number"], per="day", tag=b.tag(p["subjects"]), **k)


@_kind("class_travel", _("Đổi điểm trường hoặc dãy nhà thì lớp cần trống ít nhất bao nhiêu tiết"), needs=("number",),
       takes=("classes",), number=(1, 4), number_label=_PERIODS)  # fmt: skip
def _class_travel(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.MinGapsBetweenBuildings(who=b.classes(p), least=p["number"], **k)


@_kind("class_shared_learners", _("Các lớp có học sinh học chung các môn này: không xếp cùng lúc"), needs=("classes", "subjects"))
def _class_shared_learners(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    for one, other in combinations(p["classes"], 2):
        first, second = (b.keys(p["subjects"], [uid]) for uid in (one, other))
        if first and second:
            yield m.NotTogether(activities=first, others=second, **k)


# --- subjects ---------------------------------------------------------------------------------------------------


@_kind("subject_off", _("Môn không xếp vào các tiết"), needs=("subjects", "slots"), takes=("classes",),
       help=_("Ví dụ: Giáo dục thể chất không xếp ngay trước và sau bữa trưa."))  # fmt: skip
def _subject_off(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    if keys := b.keys_of(p):
        yield m.LiesIn(activities=keys, slots=frozenset(b.grid.every()) - b.slots(p), **k)


@_kind("subject_only", _("Môn chỉ xếp vào các tiết"), needs=("subjects", "slots"), takes=("classes",))
def _subject_only(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    if keys := b.keys_of(p):
        yield m.LiesIn(activities=keys, slots=b.slots(p), **k)


@_kind("subject_early", _("Môn nặng xếp trong bao nhiêu tiết đầu buổi"), needs=("subjects", "number"), takes=("classes",),
       number=(1, 9), number_label=_PERIODS, weight=40)  # fmt: skip
def _subject_early(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    if keys := b.keys_of(p):
        yield m.LiesIn(activities=keys, slots=frozenset(s for s in b.grid.every() if s[1] < p["number"]), **k)


@_kind("subject_day", _("Một lớp học tối đa bao nhiêu tiết của một môn mỗi ngày"), needs=("number",), takes=("subjects", "classes"),
       number=(1, 6), number_label=_PERIODS)  # fmt: skip
def _subject_day(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    for group, subject in b.pairs(p):
        if b.periods(group, subject) > p["number"]:
            yield m.MaxHours(who=m.Who("groups", (group,)), most=p["number"], per="date", subject=subject, **k)


@_kind("subject_spread", _("Các lần học cùng môn của một lớp rơi vào những ngày khác nhau"), takes=("subjects", "classes"), weight=90)
def _subject_spread(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    for group, subject in b.pairs(p):
        keys = b.keys_in(group, subject)
        if 1 < len(keys) <= len({day for day, _half in b.grid.sessions}):
            yield m.MaxADay(activities=keys, most=1, per="date", **k)


@_kind("subject_order", _("Trong cùng một ngày, môn thứ nhất học trước môn thứ hai"), needs=("subjects", "others"),
       takes=("classes",), weight=50)  # fmt: skip
def _subject_order(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    for one, other in b.twos(p):
        yield m.Before(activities=(one, other), same_day_only=True, **k)


@_kind("subject_apart", _("Hai môn không học cùng một buổi"), needs=("subjects", "others"), takes=("classes",), weight=50)
def _subject_apart(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    yield m.MaxTagsADay(who=b.classes(p), tags=(b.tag(p["subjects"]), b.tag(p["others"])), most=1, **k)


@_kind("subject_not_adjoining", _("Hai môn không học liền nhau"), needs=("subjects", "others"), takes=("classes",), weight=40)
def _subject_not_adjoining(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    for one, other in b.twos(p):
        yield m.MinGapsBetween(activities=(one, other), least=1, **k)


@_kind("subject_together", _("Các lớp học môn này cùng lúc (tổ hợp, chuyên đề, bồi dưỡng)"), needs=("subjects", "classes"))
def _subject_together(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    for keys in b.nth(p):
        if len(keys) > 1:
            yield m.SameStart(activities=keys, **k)


@_kind("subject_at_once", _("Cùng một lúc có tối đa bao nhiêu lớp học môn này"), needs=("subjects", "number"), number=(1, 30),
       number_label=_("Số lớp"))  # fmt: skip
def _subject_at_once(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    if keys := b.keys_of(p):
        yield m.MaxTogether(activities=keys, slots=frozenset(b.grid.every()), most=p["number"], **k)


@_kind("subject_last", _("Môn học vào tiết cuối buổi"), needs=("subjects",), takes=("classes",), weight=50)
def _subject_last(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    if keys := b.keys_of(p):
        yield m.EndsDay(activities=keys, **k)


_structural("subject_double", _("Môn xếp thành tiết đôi: số cặp mỗi tuần"), needs=("subjects", "number"), takes=("classes",),
            number=(1, 5), number_label=_("Số cặp"))  # fmt: skip
_structural("subject_joined", _("Ghép lớp: các lớp học chung môn này với cùng giáo viên"), needs=("subjects", "classes"))
_structural("subject_odd_weeks", _("Môn chỉ học tuần lẻ"), needs=("subjects",), takes=("classes",))
_structural("subject_even_weeks", _("Môn chỉ học tuần chẵn"), needs=("subjects",), takes=("classes",))


# --- rooms ------------------------------------------------------------------------------------------------------


@_kind("room_for_subject", _("Môn học tại một trong các phòng"), needs=("subjects", "rooms"), takes=("classes",))
def _room_for_subject(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    if (keys := b.keys_of(p)) and (rooms := b.rooms(p)):
        yield m.PrefersRooms(activities=keys, rooms=rooms, **k)


@_kind("room_of_class", _("Lớp học tại phòng"), needs=("classes", "rooms"))
def _room_of_class(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    if (keys := b.keys((), p["classes"])) and (rooms := b.rooms(p)):
        yield m.HomeRooms(activities=keys, rooms=rooms, **k)


@_kind("room_off", _("Phòng không dùng vào các tiết"), needs=("rooms", "slots"), only_hard=True)
def _room_off(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    for name in b.rooms(p):
        yield m.RoomUnavailable(room=name, slots=b.slots(p), **k)


@_kind("room_same", _("Các tiết liền nhau cùng môn của một lớp ở cùng phòng"), takes=("subjects", "classes"), weight=60)
def _room_same(b: Builder, p: Parameters, **k: Any) -> Iterable[m.Constraint]:
    for group, subject in b.pairs(p):
        keys = b.keys_in(group, subject)
        if len(keys) > 1:
            yield m.SameRoomIfAdjoining(activities=keys, **k)


USUAL: tuple[tuple[str, dict[str, Any], int], ...] = (
    ("class_no_gaps", {"classes": []}, 100),
    ("class_from_first", {"classes": []}, 100),
    ("subject_day", {"number": 2, "subjects": [], "classes": []}, 100),
    ("subject_spread", {"subjects": [], "classes": []}, 60),
    ("subject_early", {"subjects": ["toan", "ngu_van", "tieng_viet"], "number": 4, "classes": []}, 20),
    ("teacher_max_session", {"number": 5, "teachers": []}, 100),
    ("teacher_max_gaps", {"number": 0, "teachers": []}, 50),
    ("teacher_max_gaps_session", {"number": 1, "teachers": []}, 80),
)
"""What nearly every school wants; offered as one button, then the school's own to change."""
