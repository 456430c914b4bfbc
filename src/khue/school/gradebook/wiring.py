"""What this app registers with the kernel: relations, rights, menu entries, home cards, jobs, listeners."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from khue.kernel import events, menus
from khue.kernel.database import guards
from khue.kernel.permissions import RELATIONS, Actor, holds, relation
from khue.school.gradebook import assessed, catalogue, merging, permissions, queries, services
from khue.school.gradebook.queries.registers import Seen
from khue.school.gradebook.queries.results import Seen as SeenClass

__all__ = ["catalogue", "merging", "permissions", "services"]


def sees_register(actor: Actor, thing: Any, at: datetime) -> bool:
    """Return whether the actor teaches the register's subject to its class or is homeroom teacher of it."""
    if isinstance(thing, Seen):
        return actor.covers_school(thing.school_id) and (thing.is_taught or thing.is_homeroom)
    return RELATIONS["teaches"](actor, thing, at) or RELATIONS["homeroom"](actor, thing, at)


relation("sees_register", sees_register)
guards.AFTER_TABLES.append(assessed.FUNCTIONS)


def leads_class(actor: Actor, thing: Any, at: datetime) -> bool:
    """Return whether the actor is homeroom teacher of the class; `Seen` has the answer with it."""
    if isinstance(thing, SeenClass):
        return actor.covers_school(thing.school_id) and thing.is_homeroom
    return RELATIONS["homeroom"](actor, thing, at)


relation("leads_class", leads_class)


def leads_learner(actor: Actor, thing: Any, at: datetime) -> bool:
    """Return whether the actor is homeroom teacher of the learner's class of that year: `queries.explaining.Asked`."""
    return bool(actor.covers_school(thing.school_id) and getattr(thing, "is_homeroom", False))


relation("leads_learner", leads_learner)

menus.MENU.add("gradebook", menus.Entry(_("Sổ điểm"), "gradebook:index", "notebook", "gradebook.open", sort=20))
menus.MENU.add(
    "gradebook.classes", menus.Entry(_("Chủ nhiệm"), "gradebook:classes", "users-group", "gradebook.homeroom_list", sort=22)
)
menus.MENU.add(
    "gradebook.attendance",
    menus.Entry(_("Điểm danh"), "gradebook:attendance-list", "checkbox", "gradebook.attendance_list", sort=21),
)
menus.MENU.add(
    "gradebook.corrections",
    menus.Entry(_("Sửa điểm"), "gradebook:corrections", "clipboard-check", "gradebook.list_corrections", sort=26),
)


def gaps(actor: Actor, now: datetime) -> list[menus.Card]:
    """Return a card for the registers the actor teaches that still lack marks: one statement."""
    if not holds(actor, "gradebook.open") or actor.role in ("principal", "vice_principal"):
        return []
    lines = [line for line in queries.my_registers(actor, now=now) if line.is_taught]
    open_lines = [line for line in lines if line.missing]
    if not open_lines:
        return []
    title = ngettext("%(count)s sổ còn thiếu điểm", "%(count)s sổ còn thiếu điểm", len(open_lines))
    names = ", ".join(f"{line.class_name} {line.subject}" for line in open_lines[:3])
    return [
        menus.Card(
            title % {"count": len(open_lines)}, reverse("gradebook:index"), urgency=1, count=None, detail=names,
            action=_("Mở sổ điểm"),
        )
    ]  # fmt: skip


menus.HOME.add("gradebook.gaps", gaps)


def waiting(actor: Actor, now: datetime) -> list[menus.Card]:
    """Return a card for corrections that wait for this actor: one statement."""
    if not (holds(actor, "gradebook.check_correction") or holds(actor, "gradebook.approve_correction")):
        return []
    count = sum(1 for one in queries.corrections(actor, now=now) if one.may_check or one.may_decide)
    if not count:
        return []
    title = ngettext("%(count)s đề nghị sửa điểm chờ thầy cô", "%(count)s đề nghị sửa điểm chờ thầy cô", count)
    card = menus.Card(title % {"count": count}, reverse("gradebook:corrections"), urgency=0, action=_("Xem đề nghị"))
    return [card]


menus.HOME.add("gradebook.waiting", waiting)


@events.on("schooling.learner-placed")
def add_to_registers(body: dict[str, Any]) -> None:
    """Give a learner who began in a class her lines in its open registers, and the marks she brings; harmless twice."""
    services.registers.add_lines([body["class_group_id"]], [1, 2])
    services.carry_marks([body["class_group_id"]], learners=[body["learner_id"]], now=timezone.now())
