"""What a new version changes for each teacher and class, told when it is published.

The listener of `timetable.published` writes it down, the same however often it is called; `/ngay-cua-toi/` shows it to the
teachers, the homeroom teachers of the classes, the learners and their families.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from khue.kernel import events
from khue.school.timetable import weeks
from khue.school.timetable.models import ClassSheet, Lesson, Timetable, WeekChange
from khue.school.timetable.names import subject_title

Line = dict[str, Any]


@events.on("timetable.published")
def tell(body: dict[str, Any]) -> None:
    """Write down the changes of every post and class named."""
    held = Timetable.objects.filter(pk=body["timetable_id"]).first()
    if held is None:
        return
    instead = list(body.get("instead") or ())
    rows = Lesson.objects.select_related("class_group", "post__person", "room").order_by("day", "half", "period", "pk")
    before, after = list(rows.filter(timetable_id__in=instead)), list(rows.filter(timetable=held))
    posts, classes = set(body["posts"]), set(body["classes"])
    by_post = [_grouped((one for one in side if one.post_id in posts), "post_id") for side in (before, after)]
    by_class = [_grouped((one for one in side if one.class_group_id in classes), "class_group_id") for side in (before, after)]
    known = set(WeekChange.objects.filter(timetable=held).values_list("post_id", flat=True))
    WeekChange.objects.bulk_create(
        WeekChange(
            timetable=held, school_id=held.school_id, post_id=post, on=date.fromisoformat(body["on"]),
            news=_news(by_post[0][post], by_post[1][post], is_first=not instead),
        )
        for post in sorted(posts - known)
    )  # fmt: skip
    sheets = list(ClassSheet.objects.filter(timetable=held, class_group_id__in=classes).order_by("pk"))
    for sheet in sheets:
        sheet.news = _news(by_class[0][sheet.class_group_id], by_class[1][sheet.class_group_id], is_first=not instead)
    ClassSheet.objects.bulk_update(sheets, ["news"])


def _grouped(lessons: Iterable[Lesson], column: str) -> dict[int, list[Lesson]]:
    found: dict[int, list[Lesson]] = defaultdict(list)
    for one in lessons:
        found[getattr(one, column)].append(one)
    return found


def _news(before: Sequence[Lesson], after: Sequence[Lesson], *, is_first: bool) -> dict[str, Any]:
    return {"first": is_first, "lines": [] if is_first else changes(before, after)}


def changes(before: Iterable[Lesson], after: Iterable[Lesson]) -> list[Line]:
    """Return what is otherwise, lesson by lesson: {subject, group, was, now}, each {place, weeks, teacher, room} or null.

    Of a subject in a class, lessons that stay are left out; of the others those of one place belong together, then those
    in the order of the week.
    """
    sides: dict[tuple[str, str], tuple[list[Line], list[Line]]] = defaultdict(lambda: ([], []))
    for side, lessons in enumerate((before, after)):
        for one in lessons:
            sides[one.class_group.name, one.subject_code][side].append(_fact(one))
    found = []
    for (group, subject), (was, now) in sides.items():
        for line in list(was):
            if line in now:
                was.remove(line)
                now.remove(line)
        pairs: list[tuple[Line | None, Line | None]] = []
        for line in list(was):
            same = next((other for other in now if (other["place"], other["weeks"]) == (line["place"], line["weeks"])), None)
            if same is not None:
                pairs.append((line, same))
                was.remove(line)
                now.remove(same)
        longest = max(len(was), len(now))
        pairs += zip(was + [None] * (longest - len(was)), now + [None] * (longest - len(now)), strict=True)
        found += [{"subject": subject, "group": group, "was": one, "now": other} for one, other in pairs]
    return sorted(found, key=lambda line: ((line["now"] or line["was"])["place"] or [9], line["group"], line["subject"]))


def _fact(one: Lesson) -> Line:
    return {
        "place": None if one.day is None else [one.day, one.half, one.period], "weeks": one.weeks,
        "teacher": (one.post.short_name or one.post.person.name) if one.post else "", "room": one.room.name if one.room else "",
    }  # fmt: skip


def words(line: Line, *, with_group: bool) -> str:
    """Return one change as a sentence: "Toán 7A1: từ Thứ Hai sáng tiết 2 sang Thứ Tư sáng tiết 1"."""
    name = subject_title(line["subject"]) + (f" {line['group']}" if with_group else "")
    was, now = line["was"], line["now"]
    if was is None or now is None:
        text = _("%(name)s: thêm %(at)s") if was is None else _("%(name)s: không còn học %(at)s")
        return text % {"name": name, "at": _at(now or was)}
    parts = []
    if (was["place"], was["weeks"]) != (now["place"], now["weeks"]):
        parts.append(_("từ %(was)s sang %(now)s") % {"was": _at(was), "now": _at(now)})
    else:
        parts.append(_at(now))
    if was["teacher"] != now["teacher"]:
        parts.append(_("giáo viên %(now)s thay %(was)s") % {"was": was["teacher"] or _("chưa có"), "now": now["teacher"] or _("chưa có")})
    if was["room"] != now["room"]:
        parts.append(_("phòng %(room)s") % {"room": now["room"]} if now["room"] else _("học tại phòng của lớp"))
    return _("%(name)s: %(what)s") % {"name": name, "what": ", ".join(parts)}


def _at(fact: Line) -> str:
    if fact["place"] is None:
        return _("chưa xếp")
    bit = {1: _("tuần lẻ"), 2: _("tuần chẵn")}.get(fact["weeks"], "")
    return " ".join(filter(None, (weeks.place_name(fact["place"]), bit)))
