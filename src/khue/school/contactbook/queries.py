"""Reads of the family pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch

from khue.kernel import permissions
from khue.kernel.errors import NotFound
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.people.models import Person
from khue.register.schooling.models import Placement


@dataclass(frozen=True, slots=True)
class Child:
    """A child as her family's list shows her."""

    uid: UUID
    name: str
    code: str
    where: str


def children(actor: Actor, *, now: datetime) -> list[Child]:
    """Return the children of a guardian, or the learner herself, with class and school today: two statements."""
    permissions.demand(actor, "contactbook.open_family", at=now)
    today = Placement.objects.filter(is_main=True, valid__contains=local_day(now)).select_related("class_group", "school")
    people = (
        Person.objects.filter(pk__in=actor.people, placements__isnull=False)
        .distinct()
        .order_by("born_on", "pk")
        .prefetch_related(Prefetch("placements", queryset=today, to_attr="today"))
    )
    return [
        Child(p.uid, p.name, p.code, " · ".join(f"{x.class_group.name}, {x.school.name}" for x in p.today))  # type: ignore[attr-defined]
        for p in people
    ]


def child(actor: Actor, uid: str, *, now: datetime) -> Person:
    """Return one child of the actor; raises NotFound for anybody else's."""
    permissions.demand(actor, "contactbook.open_family", at=now)
    found = Person.objects.filter(uid=uid, pk__in=actor.people).first()
    if found is None:
        raise NotFound()
    return found
