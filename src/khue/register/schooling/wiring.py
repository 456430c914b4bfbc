"""What this app registers with the kernel: who is homeroom teacher of a class."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from khue.kernel import homes, menus
from khue.kernel.database import guards
from khue.kernel.database.known import known_counts_sql
from khue.kernel.permissions import Actor, holds, relation
from khue.kernel.permissions.loading import local_day
from khue.register.orgs import measures
from khue.register.schooling import (
    merging,  # noqa: F401 - says what keeps two files apart
    permissions,  # noqa: F401 - declares the rights
)
from khue.register.schooling.finding import FUNCTIONS, find_learners
from khue.register.schooling.models import ClassGroup, Placement, SchoolPlan, Transfer

homes.declare("schooling", __file__)
guards.AFTER_TABLES.append(FUNCTIONS)


def _works_at(actor: Actor, thing: Any) -> bool:
    """Return whether the thing lies in one of the schools the actor works at."""
    return thing.school_id in (actor.schools or ())


def is_homeroom(actor: Actor, thing: Any, at: datetime) -> bool:
    """Return whether the actor holds the homeroom post of the thing's class today.

    No statement where the query that read the thing has the answer with it: as `seen_homeroom`, or as the
    class's loaded post.
    """
    if actor.person_id is None or thing is None:
        return False
    seen = getattr(thing, "seen_homeroom", None)
    if seen is not None:
        return bool(seen) and _works_at(actor, thing)
    if isinstance(thing, ClassGroup) and ClassGroup.homeroom.is_cached(thing):  # type: ignore[attr-defined]
        held = thing.homeroom
        return (
            held is not None and held.person_id == actor.person_id and local_day(at) in held.valid
            and _works_at(actor, thing)
        )  # fmt: skip
    class_group_id = thing.pk if isinstance(thing, ClassGroup) else getattr(thing, "class_group_id", None)
    return class_group_id is not None and ClassGroup.objects.filter(
        pk=class_group_id, school_id__in=actor.schools or (), homeroom__person_id=actor.person_id,
        homeroom__valid__contains=local_day(at),
    ).exists()  # fmt: skip


relation("homeroom", is_homeroom)
_THERE = "is_main and valid @> %(day)s::date"
measures.add(
    "learners", _("Học sinh"),
    f"select school_id, count(*) from schooling_placement where {_THERE} group by 1",
    known=known_counts_sql(Placement, "school_id", _THERE),
)  # fmt: skip
menus.MENU.add("classes", menus.Entry(_("Lớp học"), "schooling:classes", "users", "schooling.view_classes", sort=20))
menus.MENU.add("transfers", menus.Entry(_("Chuyển trường"), "schooling:transfers", "arrows-exchange", "schooling.ask_transfer", sort=60))


def transfers_waiting(actor: Actor, now: datetime) -> list[menus.Card]:
    """Return a card when transfers wait for this school's answer."""
    if not holds(actor, "schooling.agree_transfer") or not actor.schools:
        return []
    waiting = Transfer.objects.filter(
        Q(from_school_id__in=actor.schools, released_at=None) | Q(to_school_id__in=actor.schools, accepted_at=None),
        state__in=["asked", "released", "accepted"],
    ).count()  # fmt: skip
    if not waiting:
        return []
    title = _("Đề nghị chuyển trường chờ trả lời")
    return [menus.Card(title, reverse("schooling:transfers"), urgency=0, count=waiting, action=_("Xem và trả lời"))]


def find_people(actor: Actor, words: str, limit: int) -> list[menus.Hit]:
    """Return learners and classes' members whose folded names hold all the words, within the actor's place."""
    if not holds(actor, "people.view_file"):
        return []
    found = find_learners(actor, words, limit, local_day(timezone.now()))
    rows = found.values_list("uid", "name", "code")
    return [menus.Hit(name, reverse("schooling:learner", args=[uid]), _("Học sinh"), code) for uid, name, code in rows]


def find_classes(actor: Actor, words: str, limit: int) -> list[menus.Hit]:
    """Return classes whose name begins with the words, newest year first."""
    if not holds(actor, "schooling.view_classes"):
        return []
    found = ClassGroup.objects.filter(name__istartswith=words)
    if actor.schools is not None:
        found = found.filter(school_id__in=actor.schools)
    rows = found.select_related("school").order_by("-school_year", "name")[:limit]
    return [
        menus.Hit(g.name, reverse("schooling:class", args=[g.uid]), _("Lớp"), f"{g.school.name} · {g.school_year}–{g.school_year + 1}")
        for g in rows
    ]


def plans_waiting(actor: Actor, now: datetime) -> list[menus.Card]:
    """Return a card while mergers of schools are planned; first of all where one could not be done on its day."""
    if not holds(actor, "orgs.change_tree"):
        return []
    found = SchoolPlan.objects.filter(state=SchoolPlan.State.PLANNED)
    if actor.schools is not None:
        found = found.filter(source_id__in=actor.schools)
    late = [on <= local_day(now) for on in found.values_list("on", flat=True)]
    if not late:
        return []
    title = _("Kế hoạch sáp nhập trường chưa thực hiện được") if any(late) else _("Kế hoạch sáp nhập trường chờ đến ngày")
    return [menus.Card(title, reverse("schooling:plans"), urgency=0 if any(late) else 2, count=len(late), action=_("Xem kế hoạch"))]


menus.HOME.add("transfers", transfers_waiting)
menus.HOME.add("school plans", plans_waiting)
menus.SEARCH.add("learners", find_people)
menus.SEARCH.add("classes", find_classes)
