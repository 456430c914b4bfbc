"""What a school has to teach in a week, read from the register: classes, assignments, the common periods.

Also what is missing or cannot fit, as sentences that lead to the place where it is mended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.urls import reverse
from django.utils.translation import gettext as _

from khue.register.schooling.models import ClassGroup
from khue.school.teaching.models import Assignment
from khue.school.timetable import catalogue, weeks
from khue.school.timetable.catalogue import Wish
from khue.school.timetable.models import WeekPattern
from khue.school.timetable.names import subject_title
from khue.school.timetable.problems import CLASS_HOUR, FLAG
from khue.school.timetable.solving import model as m

ACTIVITIES = ("hoat_dong_trai_nghiem", "hoat_dong_trai_nghiem_huong_nghiep")
"""Hoạt động trải nghiệm: the flag ceremony and the class hour are forms of it (TT 32/2018/TT-BGDĐT)."""


@dataclass(frozen=True, slots=True)
class Needed:
    """One row of a lesson to place: key and part, whose, how long, in which weeks."""

    key: str
    class_group_id: int
    post_id: int | None
    subject_code: str
    part: int
    duration: int
    weeks: int
    assignment_id: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing of the checklist: a sentence, whether it stops the work, and where to mend it."""

    sentence: str
    url: str
    is_blocking: bool = True


@dataclass(frozen=True)
class Register:
    """The classes of a school year and the assignments of a day."""

    groups: Sequence[ClassGroup]
    assignments: Sequence[Assignment]


def read(school_id: int, school_year: int, on: date) -> Register:
    """Return the register of a school on a day; two statements."""
    groups = list(
        ClassGroup.objects.filter(school_id=school_id, school_year=school_year).exclude(facts__has_key="withdrawn")
        .select_related("homeroom__person").order_by("grade", "name")
    )  # fmt: skip
    held = list(
        Assignment.objects.filter(school_id=school_id, school_year=school_year, valid__contains=on)
        .select_related("post__person", "class_group").order_by("class_group__grade", "class_group__name", "subject_code", "pk")
    )  # fmt: skip
    return Register(groups, held)


def needed(register: Register, pattern: WeekPattern, wishes: Iterable[Wish]) -> list[Needed]:
    """Return every lesson to place, the common periods first."""
    wishes = [wish for wish in wishes if catalogue.KINDS[wish.kind].is_structural]
    rows: list[Needed] = []
    common = [code for code, place in ((FLAG, pattern.flag), (CLASS_HOUR, pattern.class_hour)) if place]
    for code in common:
        for group in register.groups:
            rows.append(Needed(f"{code}-{group.pk}.1", group.pk, group.homeroom_id, code, 1, 1, m.EVERY_WEEK))
    joined: dict[tuple[str, str, int], str] = {}
    for one in register.assignments:
        periods = _periods(one, len(common) if pattern.counts_as_activity else 0)
        stem = _joined(one, wishes, joined)
        for part, duration in enumerate(_split(one, periods, wishes), 1):
            rows.append(Needed(
                f"{stem}.{part}", one.class_group_id, one.post_id, one.subject_code, part, duration, _weeks(one, wishes), one.pk,
            ))  # fmt: skip
    return rows


def _periods(one: Assignment, common: int) -> int:
    own = one.subject_code in ACTIVITIES and one.post_id == one.class_group.homeroom_id
    return max(0, one.periods - common) if own else one.periods


def _names(wish: Wish, one: Assignment) -> bool:
    p = wish.parameters
    classes = p.get("classes") or ()
    return one.subject_code in p["subjects"] and (not classes or str(one.class_group.uid) in classes)


def _joined(one: Assignment, wishes: Sequence[Wish], joined: dict[tuple[str, str, int], str]) -> str:
    for wish in wishes:
        if wish.kind == "subject_joined" and _names(wish, one):
            return joined.setdefault((wish.source, one.subject_code, one.post_id), f"a{one.pk}")
    return f"a{one.pk}"


def _split(one: Assignment, periods: int, wishes: Sequence[Wish]) -> list[int]:
    pairs = max((wish.parameters["number"] for wish in wishes if wish.kind == "subject_double" and _names(wish, one)), default=0)
    pairs = min(pairs, periods // 2)
    return [2] * pairs + [1] * (periods - 2 * pairs)


def _weeks(one: Assignment, wishes: Sequence[Wish]) -> int:
    kinds = {wish.kind for wish in wishes if wish.kind.endswith("_weeks") and _names(wish, one)}
    return {frozenset({"subject_odd_weeks"}): m.ODD_WEEKS, frozenset({"subject_even_weeks"}): m.EVEN_WEEKS}.get(frozenset(kinds), m.EVERY_WEEK)


# --- the checklist ------------------------------------------------------------------------------------------------


def findings(register: Register, pattern: WeekPattern | None, wishes: Sequence[Wish], known: frozenset[str]) -> list[Finding]:
    """Return what is missing or cannot fit, the worst first. known: uids of rooms in use."""
    if pattern is None:
        return [Finding(_("Chưa có khung tuần: mỗi buổi bao nhiêu tiết, chào cờ tiết nào."), reverse("timetable:week"))]
    if not register.groups:
        return [Finding(_("Năm học này chưa có lớp nào."), reverse("schooling:classes"))]
    rows = needed(register, pattern, wishes)
    return [
        *_unassigned(register), *_too_full(register, rows, weeks.grid_of(pattern), wishes), *_dead(register, wishes, known),
        *([] if wishes else [Finding(_("Chưa có yêu cầu nào. Có thể bắt đầu từ bộ yêu cầu thường dùng."), reverse("timetable:rules"), False)]),
    ]  # fmt: skip


def _unassigned(register: Register) -> list[Finding]:
    url = reverse("teaching:board")
    with_any = {one.class_group_id for one in register.assignments}
    empty = [group.name for group in register.groups if group.pk not in with_any]
    found = []
    if empty:
        found.append(Finding(_("Chưa phân công giáo viên cho lớp: %(classes)s.") % {"classes": ", ".join(empty)}, url))
    for one in register.assignments:
        if not one.periods:
            found.append(Finding(_("%(teacher)s dạy %(subject)s lớp %(group)s chưa có số tiết mỗi tuần.") % {
                "teacher": one.post.person.name, "subject": subject_title(one.subject_code), "group": one.class_group.name,
            }, reverse("teaching:change", args=[one.uid]), False))  # fmt: skip
    return found


def _too_full(register: Register, rows: Sequence[Needed], grid: weeks.Grid, wishes: Sequence[Wish]) -> list[Finding]:
    by_class: dict[int, int] = defaultdict(int)
    by_post: dict[int, dict[str, int]] = defaultdict(dict)
    for row in rows:
        by_class[row.class_group_id] += row.duration
        if row.post_id is not None:
            by_post[row.post_id][row.key] = row.duration
    found = []
    for group in register.groups:
        free = grid.size - len(_closed(wishes, "class_off", "classes", str(group.uid), grid))
        if by_class[group.pk] > free:
            found.append(Finding(_("Lớp %(group)s có %(needed)s tiết mỗi tuần nhưng khung tuần chỉ còn %(free)s tiết.") % {
                "group": group.name, "needed": by_class[group.pk], "free": free,
            }, reverse("teaching:board")))  # fmt: skip
    posts = {one.post_id: one.post for one in register.assignments}
    for post_id, held in by_post.items():
        post = posts.get(post_id)
        if post is None:
            continue
        free = grid.size - len(_closed(wishes, "teacher_off", "teachers", str(post.uid), grid))
        if sum(held.values()) > free:
            found.append(Finding(_("%(teacher)s có %(needed)s tiết mỗi tuần nhưng chỉ còn %(free)s tiết có thể dạy.") % {
                "teacher": post.person.name, "needed": sum(held.values()), "free": free,
            }, reverse("timetable:rules")))  # fmt: skip
    return found


def _closed(wishes: Sequence[Wish], kind: str, names: str, uid: str, grid: weeks.Grid) -> set[m.Slot]:
    return {
        slot for wish in wishes
        if wish.kind == kind and wish.weight >= m.HARD and (not wish.parameters[names] or uid in wish.parameters[names])
        for slot in grid.slots(wish.parameters["slots"])
    }  # fmt: skip


def _dead(register: Register, wishes: Sequence[Wish], rooms: frozenset[str]) -> list[Finding]:
    """Wishes that name people, classes or rooms which are no longer there."""
    present = {
        "teachers": {str(one.post.uid) for one in register.assignments}, "classes": {str(group.uid) for group in register.groups},
        "rooms": rooms,
    }  # fmt: skip
    found = []
    for wish in wishes:
        gone = sum(uid not in there for name, there in present.items() for uid in wish.parameters.get(name) or ())
        if gone:
            found.append(Finding(
                _("Yêu cầu “%(title)s” nhắc tới %(count)s giáo viên, lớp hoặc phòng không còn nữa.")
                % {"title": catalogue.KINDS[wish.kind].title, "count": gone},
                reverse("timetable:rule", args=[wish.source]), False,
            ))  # fmt: skip
    return found
