"""What a broken constraint means, in the words of a Vietnamese school."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.checking import Violation
from khue.school.timetable.solving.model import Problem, Slot
from khue.school.timetable.solving.words import Words
from khue.school.timetable.solving.words import marked as _

if TYPE_CHECKING:
    from khue.school.timetable.solving.clashing import Demand

MOST_NAMES = 4

_TEXTS = {
    "Unplaced": _("%(activities)s chưa được xếp."),
    "Outside": _("%(activities)s nằm ngoài các tiết học của trường (%(slots)s)."),
    "Clash": _("%(people)s trùng giờ: %(activities)s cùng ở %(slots)s."),
    "RoomClash": _("Phòng %(people)s bị dùng quá sức chứa ở %(slots)s: %(activities)s."),
    "RoomMissing": _("%(activities)s chưa có đủ phòng."),
    "Adjoining": _("%(activities)s cùng ngày nhưng không liền nhau."),
    "Unavailable": _("%(people)s bận ở %(slots)s nhưng có %(activities)s."),
    "MaxDays": _("%(people)s phải đến trường quá số buổi cho phép %(units)s buổi."),
    "MinDays": _("%(people)s thiếu %(units)s buổi so với số buổi tối thiểu."),
    "IntervalMaxDays": _("%(people)s có tiết trong khoảng giờ hạn chế quá %(units)s buổi."),
    "MaxGaps": _("%(people)s có thừa %(units)s tiết trống."),
    "MaxHours": _("%(people)s có quá nhiều tiết trong %(slots)s."),
    "MinHours": _("%(people)s thiếu %(units)s tiết trong %(slots)s."),
    "MaxContinuous": _("%(people)s có quá nhiều tiết liền nhau từ %(slots)s."),
    "EarlyStart": _("%(people)s vào học muộn %(units)s lần so với quy định."),
    "MaxSpan": _("Buổi học của %(people)s kéo dài quá %(units)s tiết."),
    "MinRest": _("%(people)s thiếu %(units)s tiết nghỉ giữa hai ngày."),
    "MinRestAtNoon": _("%(people)s thiếu %(units)s tiết nghỉ giữa buổi sáng và buổi chiều."),
    "MaxConsecutiveDays": _("%(people)s phải đến trường quá nhiều buổi liên tiếp."),
    "MaxFullDates": _("%(people)s có quá nhiều ngày dạy cả sáng lẫn chiều."),
    "MaxTagsADay": _("%(people)s có quá nhiều loại tiết trong %(slots)s."),
    "MaxMovesBetweenBuildings": _("%(people)s phải đổi cơ sở quá %(units)s lần."),
    "MinGapsBetweenBuildings": _("%(people)s không đủ thời gian đi giữa hai cơ sở trước %(slots)s."),
    "MaxMovesBetweenRooms": _("%(people)s phải đổi phòng quá %(units)s lần."),
    "MinGapsBetweenRooms": _("%(people)s không đủ thời gian đổi phòng trước %(slots)s."),
    "MinGapsBetweenTags": _("%(people)s có %(activities)s cùng ngày mà cách nhau quá ít tiết."),
    "Balance": _("Số tiết sáng và chiều của %(people)s lệch quá %(units)s tiết."),
    "CommonFree": _("%(people)s thiếu %(units)s tiết trống chung để họp."),
    "StartsIn": _("%(activities)s bắt đầu ở %(slots)s, không đúng tiết mong muốn."),
    "LiesIn": _("%(activities)s nằm ở %(slots)s, ngoài các tiết mong muốn."),
    "SameStart": _("%(activities)s không bắt đầu cùng lúc."),
    "SameDay": _("%(activities)s không cùng ngày."),
    "SamePeriod": _("%(activities)s không cùng tiết trong ngày."),
    "NotTogether": _("%(activities)s không được học cùng lúc nhưng trùng ở %(slots)s."),
    "MinDaysBetween": _("%(activities)s xếp quá gần nhau (%(slots)s)."),
    "MaxDaysBetween": _("%(activities)s xếp quá xa nhau."),
    "MinGapsBetween": _("%(activities)s cùng ngày mà cách nhau quá ít tiết."),
    "MaxGapsBetween": _("%(activities)s cùng ngày mà cách nhau quá nhiều tiết."),
    "Follows": _("%(activities)s phải đi liền nhau theo thứ tự nhưng không liền."),
    "Adjoins": _("%(activities)s phải liền nhau nhưng không liền."),
    "Before": _("%(activities)s sai thứ tự trước sau."),
    "EndsDay": _("%(activities)s không phải tiết cuối buổi."),
    "MaxSlotsUsed": _("Các tiết đã chọn bị dùng quá %(units)s: %(activities)s."),
    "MinSlotsUsed": _("Các tiết đã chọn còn thiếu %(units)s: %(activities)s."),
    "MaxTogether": _("Quá nhiều tiết học cùng lúc ở %(slots)s: %(activities)s."),
    "MinTogether": _("Quá ít tiết học cùng lúc ở %(slots)s: %(activities)s."),
    "MaxInSlots": _("Quá %(units)s tiết rơi vào khoảng giờ hạn chế: %(activities)s."),
    "MaxADay": _("Quá nhiều tiết cùng môn trong %(slots)s: %(activities)s."),
    "MaxTerms": _("%(activities)s trải ra quá nhiều đợt."),
    "MaxInATerm": _("Quá nhiều tiết trong một đợt: %(activities)s."),
    "MinInATerm": _("Quá ít tiết trong một đợt: %(activities)s."),
    "KeepPlaces": _("%(activities)s bị chuyển khỏi chỗ cũ %(slots)s."),
    "RoomUnavailable": _("Phòng %(people)s đóng cửa ở %(slots)s nhưng có %(activities)s."),
    "PrefersRooms": _("%(activities)s không ở phòng mong muốn (%(people)s)."),
    "HomeRooms": _("%(activities)s không ở phòng của lớp (%(people)s)."),
    "MaxRooms": _("%(activities)s dùng quá nhiều phòng khác nhau."),
    "SameRoomIfAdjoining": _("%(activities)s liền nhau nhưng khác phòng."),
}


_DEMANDS = {
    "Unavailable": _("%(people)s không có tiết ở %(slots)s"),
    "MaxDays": _("%(people)s đến trường tối đa %(most)s buổi hoặc ngày mỗi tuần"),
    "MinDays": _("%(people)s đến trường ít nhất %(least)s buổi hoặc ngày mỗi tuần"),
    "IntervalMaxDays": _("%(people)s có tiết trong khoảng giờ hạn chế tối đa %(most)s buổi"),
    "MaxGaps": _("%(people)s có tối đa %(most)s tiết trống"),
    "MaxHours": _("%(people)s có tối đa %(most)s tiết mỗi buổi, ngày hoặc tuần"),
    "MinHours": _("%(people)s có ít nhất %(least)s tiết mỗi buổi hoặc ngày"),
    "MaxContinuous": _("%(people)s không có quá %(most)s tiết liền"),
    "EarlyStart": _("%(people)s học từ tiết đầu buổi"),
    "MaxSpan": _("Buổi học của %(people)s dài tối đa %(most)s tiết"),
    "MinRest": _("%(people)s nghỉ ít nhất %(least)s tiết giữa hai ngày"),
    "MinRestAtNoon": _("%(people)s nghỉ trưa ít nhất %(least)s tiết"),
    "MaxConsecutiveDays": _("%(people)s không đến trường quá %(most)s buổi liền"),
    "MaxFullDates": _("%(people)s dạy cả sáng và chiều tối đa %(most)s ngày"),
    "MaxTagsADay": _("%(people)s học tối đa %(most)s loại tiết mỗi buổi"),
    "MaxMovesBetweenBuildings": _("%(people)s đổi cơ sở tối đa %(most)s lần"),
    "MinGapsBetweenBuildings": _("%(people)s cần %(least)s tiết trống khi đổi cơ sở"),
    "MaxMovesBetweenRooms": _("%(people)s đổi phòng tối đa %(most)s lần"),
    "MinGapsBetweenRooms": _("%(people)s cần %(least)s tiết trống khi đổi phòng"),
    "MinGapsBetweenTags": _("%(people)s có ít nhất %(least)s tiết giữa hai loại tiết trong một ngày"),
    "Balance": _("Số tiết sáng và chiều của %(people)s chênh nhau tối đa %(most)s"),
    "CommonFree": _("%(people)s cùng trống ít nhất %(least)s trong các tiết %(slots)s"),
    "StartsIn": _("%(activities)s bắt đầu ở %(slots)s"),
    "LiesIn": _("%(activities)s nằm trong %(slots)s"),
    "SameStart": _("%(activities)s bắt đầu cùng lúc"),
    "SameDay": _("%(activities)s cùng ngày"),
    "SamePeriod": _("%(activities)s cùng tiết trong ngày"),
    "NotTogether": _("%(activities)s không học cùng lúc"),
    "MinDaysBetween": _("%(activities)s cách nhau ít nhất %(least)s ngày"),
    "MaxDaysBetween": _("%(activities)s cách nhau tối đa %(most)s ngày"),
    "MinGapsBetween": _("%(activities)s cách nhau ít nhất %(least)s tiết"),
    "MaxGapsBetween": _("%(activities)s cách nhau tối đa %(most)s tiết"),
    "Follows": _("%(activities)s đi liền nhau theo thứ tự"),
    "Adjoins": _("%(activities)s liền nhau"),
    "Before": _("%(activities)s theo đúng thứ tự trước sau"),
    "EndsDay": _("%(activities)s ở cuối buổi"),
    "MaxSlotsUsed": _("%(activities)s dùng tối đa %(most)s trong các tiết %(slots)s"),
    "MinSlotsUsed": _("%(activities)s dùng ít nhất %(least)s trong các tiết %(slots)s"),
    "MaxTogether": _("Tối đa %(most)s tiết cùng lúc trong số %(activities)s"),
    "MinTogether": _("Ít nhất %(least)s tiết cùng lúc trong số %(activities)s"),
    "MaxInSlots": _("Tối đa %(most)s tiết rơi vào %(slots)s trong số %(activities)s"),
    "MaxADay": _("Tối đa %(most)s tiết mỗi ngày trong số %(activities)s"),
    "MaxTerms": _("%(activities)s trải ra tối đa %(most)s đợt"),
    "MaxInATerm": _("Tối đa %(most)s tiết một đợt trong số %(activities)s"),
    "MinInATerm": _("Ít nhất %(least)s tiết một đợt trong số %(activities)s"),
    "KeepPlaces": _("%(activities)s ở nguyên chỗ cũ"),
    "RoomUnavailable": _("Phòng %(people)s không dùng ở %(slots)s"),
    "PrefersRooms": _("%(activities)s học ở một trong các phòng %(people)s"),
    "HomeRooms": _("%(activities)s học ở phòng của lớp (%(people)s)"),
    "MaxRooms": _("%(activities)s dùng tối đa %(most)s phòng"),
    "SameRoomIfAdjoining": _("%(activities)s liền nhau thì cùng phòng"),
}


def demand_sentence(problem: Problem, demand: Demand) -> Words:
    """Return what a demand asks, with the people, activities and slots it names; several of one source share a sentence."""
    k = demand.constraints[0]
    rooms = (k.room,) if isinstance(k, m.RoomUnavailable) else getattr(k, "rooms", ())
    slots = sorted(getattr(k, "slots", ()))
    facts = {
        "people": _some(demand.people or rooms), "activities": _some(activity_name(problem, key) for key in demand.activities),
        "slots": _some(slot_name(problem, slot) for slot in slots), "most": getattr(k, "most", ""), "least": getattr(k, "least", ""),
    }  # fmt: skip
    return Words(_DEMANDS[type(k).__name__], facts)


def sentence(problem: Problem, violation: Violation) -> Words:
    """Return the sentence for a violation; an unknown kind is named as it is."""
    text = _TEXTS.get(violation.kind, _("%(kind)s: %(people)s %(activities)s."))
    facts = {
        "kind": violation.kind,
        "units": violation.units,
        "people": _some(violation.people),
        "activities": _some(activity_name(problem, key) for key in violation.activities),
        "slots": _some(slot_name(problem, slot) for slot in violation.slots),
    }
    return Words(text, facts)


def activity_name(problem: Problem, key: str) -> str:
    """Return an activity as a person calls it: subject, groups, teachers and its key."""
    activity = next((a for a in problem.activities if a.key == key), None)
    if activity is None:
        return key
    who = " ".join([*activity.groups[:2], *activity.teachers[:2]])
    return f"{activity.subject} {who} [{key}]".strip()


def slot_name(problem: Problem, slot: Slot) -> str:
    """Return a slot as day and period."""
    day, period = slot
    if 0 <= day < len(problem.days) and 0 <= period < len(problem.periods):
        return f"{problem.days[day].name}, {problem.periods[period]}"
    return f"({day}, {period})"


def _some(names: Iterable[str]) -> str:
    listed = list(dict.fromkeys(names))
    more = f" … ({len(listed)})" if len(listed) > MOST_NAMES else ""
    return ", ".join(listed[:MOST_NAMES]) + more
