"""Certain reasons why a problem has no timetable, found by counting and said in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.compiling import Compiled
from khue.school.timetable.solving.model import Problem
from khue.school.timetable.solving.wording import activity_name, demand_sentence
from khue.school.timetable.solving.words import Words
from khue.school.timetable.solving.words import marked as _

if TYPE_CHECKING:
    from khue.school.timetable.solving.clashing import Clash


def certain(problem: Problem, c: Compiled) -> list[Words]:
    """Return reasons that rule out every timetable; an empty list proves nothing."""
    return [*_no_start(problem, c), *_too_many_periods(c), *_too_few_days(c), *_no_room(problem), *_full_rooms(problem, c)]


def days_clash() -> Words:
    """Return the reason when no choice of days respects the constraints, found by exhausting them."""
    return Words(
        _("Không có cách nào chia các tiết vào các ngày mà giữ được mọi ràng buộc bắt buộc; hãy nới số buổi, giờ bận hoặc khoảng cách ngày.")
    )


def whole_clash() -> Words:
    """Return the reason when the whole in one model has no solution."""
    return Words(_("Đã xét hết mọi khả năng: không có cách xếp nào giữ được mọi ràng buộc bắt buộc."))


def clash_sentences(problem: Problem, clash: Clash) -> list[Words]:
    """Return what clashes as sentences: each demand, whether the set is the smallest, which single one to relax."""
    if not clash.demands:
        return [Words(_("Chỉ riêng các tiết phải dạy đã không xếp được; hãy sửa phân công hoặc khung tuần."))]
    found = [Words(_("Các yêu cầu sau mâu thuẫn nhau:") if len(clash.demands) > 1 else _("Yêu cầu sau không thể giữ được:"))]
    found += [demand_sentence(problem, demand) for demand in clash.demands]
    if clash.is_smallest:
        found.append(Words(_("Bỏ bất kì yêu cầu nào trong đó thì phần còn lại không còn mâu thuẫn này.")))
    else:
        found.append(Words(_("Có thể còn bớt được yêu cầu không liên quan: chưa đủ thời gian để chứng minh.")))
    for demand, helps in zip(clash.demands, clash.relaxing, strict=True):
        if helps:
            found.append(Words(_("Nới yêu cầu này là xếp được: %(demand)s"), {"demand": demand_sentence(problem, demand)}))
    if True not in clash.relaxing:
        found.append(Words(_("Chưa thấy yêu cầu nào mà chỉ nới riêng nó là xếp được: có thể còn mâu thuẫn khác.")))
    return found


def _no_start(problem: Problem, c: Compiled) -> Iterator[Words]:
    for u in c.empty:
        names = ", ".join(activity_name(problem, c.keys[i]) for i in c.members[u])
        yield Words(
            _("%(activities)s không còn tiết nào để xếp: giờ bận, giờ nghỉ, phòng và tiết mong muốn loại trừ nhau."), {"activities": names}
        )


def _too_many_periods(c: Compiled) -> Iterator[Words]:
    text = {
        "teachers": _("Giáo viên %(name)s có %(hours)s tiết một tuần nhưng chỉ có %(slots)s tiết có thể dạy."),
        "groups": _("%(name)s có %(hours)s tiết một tuần nhưng chỉ có %(slots)s tiết có thể học."),
    }
    for agenda in c.agendas:
        slots = c.slots - agenda.shut.bit_count()
        for week in (m.ODD_WEEKS, m.EVEN_WEEKS):
            hours = sum(c.length[i] for i, _u in agenda.parts if c.problem.activities[i].weeks & week)
            if hours > slots:
                yield Words(text[agenda.kind], {"name": agenda.name, "hours": hours, "slots": slots})
                break


def _too_few_days(c: Compiled) -> Iterator[Words]:
    for k in c.rest:
        if isinstance(k, m.MaxDays) and k.is_hard and k.per == "day":
            for g in c.agendas_named(k.who):
                agenda = c.agendas[g]
                if not agenda.is_weekly:
                    continue
                open_a_day = sorted(
                    (c.height - (agenda.shut >> (d * c.height) & ((1 << c.height) - 1)).bit_count() for d in range(len(c.problem.days))),
                    reverse=True,
                )
                hours, room = sum(c.length[i] for i, _u in agenda.parts), sum(open_a_day[: k.most])
                if hours > room:
                    yield Words(
                        _("%(name)s có %(hours)s tiết một tuần nhưng %(days)s buổi được phép chỉ có %(slots)s tiết."),
                        {"name": agenda.name, "hours": hours, "days": k.most, "slots": room},
                    )


def _no_room(problem: Problem) -> Iterator[Words]:
    wishes: dict[str, set[str]] = {}
    for k in problem.constraints:
        if isinstance(k, m.PrefersRooms) and k.is_hard:
            for key in k.activities:
                wishes[key] = wishes.get(key, set(k.rooms)) & set(k.rooms)
    for key, rooms in wishes.items():
        if not rooms:
            yield Words(
                _("%(activity)s không có phòng nào đáp ứng mọi yêu cầu về phòng."), {"activity": activity_name(problem, key)}
            )


def _full_rooms(problem: Problem, c: Compiled) -> Iterator[Words]:
    """Rooms whose lessons, held nowhere else, are more than a week of them."""
    users: dict[frozenset[int], int] = {}
    for i, choices in enumerate(c.choices):
        if choices and all(len(choice.classes) == 1 for choice in choices) and problem.activities[i].weeks == m.EVERY_WEEK:
            rooms = frozenset(cls for choice in choices for cls in choice.classes)
            users[rooms] = users.get(rooms, 0) + c.length[i]
    closed = c.mask(problem.closed)
    for rooms in users:
        hours = sum(its for those, its in users.items() if those <= rooms)
        room = sum(c.classes[cls].holds * (c.slots - (c.classes[cls].shut | closed).bit_count()) for cls in rooms)
        if hours > room:
            names = ", ".join(name for cls in sorted(rooms) for name in c.classes[cls].rooms)
            yield Words(
                _("Các phòng %(rooms)s phải nhận %(hours)s tiết một tuần nhưng chỉ có %(slots)s tiết."),
                {"rooms": names, "hours": hours, "slots": room},
            )
