"""Writes: the week of a school, its rooms, its wishes. Lock: the school's row of what changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from khue.kernel import audit, permissions, text
from khue.kernel.database.fields import period
from khue.kernel.errors import DomainError, Invalid, NotFound, Stale
from khue.kernel.permissions import Actor
from khue.register.orgs.models import Unit
from khue.school.timetable import catalogue, weeks
from khue.school.timetable.models import Room, TimetableRule, WeekPattern

RELAXED = 90
"""The weight of a demand made a wish: it is still met wherever that is possible."""


class RoomNameTaken(DomainError):
    """The school has a room of that name."""

    code, status = "timetable.room-name-taken", 409
    title = _("Trường đã có phòng tên %(name)s.")
    advice = _("Hãy đặt tên khác, hoặc sửa phòng đã có.")


class WeekStartsEarlier(DomainError):
    """A week pattern cannot begin before the present one."""

    code, status = "timetable.week-starts-earlier", 409
    title = _("Khung tuần đang dùng bắt đầu từ %(day)s; khung mới phải bắt đầu từ ngày đó hoặc sau đó.")


@transaction.atomic
def save_week(*, actor: Actor, school: Unit, values: Mapping[str, Any], from_day: date, now: datetime) -> WeekPattern:
    """Set the week of a school from a day on; one that begins on that day is corrected, an older one ends there.

    values  the columns of WeekPattern. Raises Invalid (fields), WeekStartsEarlier.
    """
    permissions.demand(actor, "timetable.plan", on=school, at=now)
    values = _checked_week(values)
    Unit.objects.select_for_update(of=("self",)).get(pk=school.pk)
    held = WeekPattern.objects.select_for_update(of=("self",)).filter(school=school).order_by("-valid").first()
    if held is not None and held.valid.lower > from_day:
        raise WeekStartsEarlier(day=f"{held.valid.lower:%d/%m/%Y}")
    if held is not None and held.valid.lower == from_day:
        for name, value in values.items():
            setattr(held, name, value)
        held.save()
    else:
        if held is not None:
            held.valid = period(held.valid.lower, from_day)
            held.save(update_fields=["valid"])
        held = WeekPattern.objects.create(school=school, valid=period(from_day), **values)
    audit.record(actor, "timetable.week.set", on=held, at=now, from_day=from_day.isoformat())
    return held


def _checked_week(values: Mapping[str, Any]) -> dict[str, Any]:
    problems: dict[str, list[str]] = {}
    kept = dict(values)
    for name in ("mornings", "afternoons"):
        counts = kept[name]
        if len(counts) != weeks.SEVEN or not all(isinstance(n, int) and 0 <= n <= weeks.MOST_PERIODS for n in counts):
            problems[name] = [str(_("Mỗi ngày từ 0 đến 10 tiết."))]
    if not problems and not sum(kept["mornings"]) + sum(kept["afternoons"]):
        problems["mornings"] = [str(_("Tuần phải có ít nhất một tiết."))]
    if not problems:
        grid = weeks.grid_of(WeekPattern(mornings=kept["mornings"], afternoons=kept["afternoons"]))
        for name in ("flag", "class_hour"):
            if kept.get(name) and grid.slot(kept[name]) is None:
                problems[name] = [str(_("Khung tuần không có tiết này."))]
        if kept.get("flag") and kept.get("flag") == kept.get("class_hour"):
            problems["class_hour"] = [str(_("Trùng với tiết chào cờ."))]
    if problems:
        raise Invalid(fields=problems)
    return kept


@transaction.atomic
def save_room(*, actor: Actor, school: Unit, values: Mapping[str, Any], now: datetime, uid: str | None = None, version: int | None = None) -> Room:
    """Add a room, or change one. Raises NotFound, Stale, RoomNameTaken, Invalid."""
    permissions.demand(actor, "timetable.plan", on=school, at=now)
    values = dict(values) | {"name": text.clean(values.get("name", "")), "building": text.clean(values.get("building", ""))}
    if not values["name"]:
        raise Invalid(fields={"name": [str(_("Hãy nhập tên phòng."))]})
    if Room.objects.filter(school=school, name=values["name"]).exclude(uid=uid).exists():
        raise RoomNameTaken(name=values["name"])
    if uid is None:
        held = Room.objects.create(school=school, **values)
        audit.record(actor, "timetable.room.add", on=held, at=now)
        return held
    found = Room.objects.select_for_update(of=("self",)).filter(uid=uid, school=school).first()
    if found is None:
        raise NotFound()
    if version is not None and found.version != version:
        raise Stale(theirs=found.version, mine=version)
    for name, value in values.items():
        setattr(found, name, value)
    try:
        with transaction.atomic():
            found.save()
    except IntegrityError as error:
        raise Invalid(fields={"holds": [str(_("Số lớp cùng lúc từ 1 đến 20."))]}) from error
    audit.record(actor, "timetable.room.change", on=found, at=now)
    return found


@transaction.atomic
def save_rule(
    *, actor: Actor, school: Unit, school_year: int, kind: str, parameters: Mapping[str, Any], weight: int, is_active: bool = True,
    now: datetime, uid: str | None = None, version: int | None = None,
) -> TimetableRule:  # fmt: skip
    """Add a wish, or change one. Raises Invalid (fields), NotFound, Stale."""
    permissions.demand(actor, "timetable.plan", on=school, at=now)
    kept = catalogue.checked(kind, parameters, weight)
    if uid is None:
        held = TimetableRule.objects.create(
            school=school, school_year=school_year, kind=kind, parameters=kept, weight=weight, is_active=is_active
        )
        audit.record(actor, "timetable.rule.add", on=held, at=now, kind=kind, weight=weight)
        return held
    held = _held_rule(actor, uid, now)
    if version is not None and held.version != version:
        raise Stale(theirs=held.version, mine=version)
    held.parameters, held.weight, held.is_active = kept, weight, is_active
    held.save(update_fields=["parameters", "weight", "is_active"])
    audit.record(actor, "timetable.rule.change", on=held, at=now, weight=weight, active=is_active)
    return held


@transaction.atomic
def relax_rule(*, actor: Actor, uid: str, now: datetime) -> TimetableRule:
    """Make a demand a wish of weight RELAXED; what can only be demanded is switched off. Raises NotFound."""
    held = _held_rule(actor, uid, now)
    kind = catalogue.KINDS.get(held.kind)
    if kind is None or kind.only_hard:
        held.is_active = False
    else:
        held.weight = min(held.weight, RELAXED)
    held.save(update_fields=["weight", "is_active"])
    audit.record(actor, "timetable.rule.relax", on=held, at=now, weight=held.weight, active=held.is_active)
    return held


@transaction.atomic
def drop_rule(*, actor: Actor, uid: str, now: datetime) -> None:
    """Take a wish away. Raises NotFound."""
    held = _held_rule(actor, uid, now)
    audit.record(actor, "timetable.rule.drop", on=held, at=now, kind=held.kind)
    held.delete()


def _held_rule(actor: Actor, uid: str, now: datetime) -> TimetableRule:
    held = TimetableRule.objects.select_for_update(of=("self",)).filter(uid=uid).first()
    if held is None:
        raise NotFound()
    permissions.demand(actor, "timetable.plan", on=held, at=now)
    return held


@transaction.atomic
def add_usual_rules(*, actor: Actor, school: Unit, school_year: int, now: datetime) -> int:
    """Add the wishes nearly every school has, of which it has none of the kind yet; returns how many."""
    permissions.demand(actor, "timetable.plan", on=school, at=now)
    present = set(TimetableRule.objects.filter(school=school, school_year=school_year).values_list("kind", flat=True))
    made = TimetableRule.objects.bulk_create(
        TimetableRule(school=school, school_year=school_year, kind=kind, parameters=catalogue.checked(kind, parameters, weight), weight=weight)
        for kind, parameters, weight in catalogue.USUAL
        if kind not in present
    )
    audit.record(actor, "timetable.rule.usual", on=school, at=now, count=len(made))
    return len(made)
