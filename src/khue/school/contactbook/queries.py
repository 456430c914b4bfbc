"""Reads of the family pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch

from khue.kernel import permissions
from khue.kernel.errors import NotAllowed, NotFound
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.people.models import Person
from khue.register.schooling.mine import led
from khue.register.schooling.models import Placement
from khue.school.contactbook.models import FamilyChange
from khue.school.contactbook.services import FIELDS, current, latest_health, may_decide


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
    found = Person.objects.filter(uid=uid, pk__in=actor.people, merged_into=None).first()
    if found is None:
        raise NotFound()
    return found


@dataclass(frozen=True, slots=True)
class Line:
    """One field of a proposal: what the school had, what the family wants."""

    label: str
    before: str
    after: str
    who: str
    at: datetime


def lines(change: FamilyChange) -> list[Line]:
    """Return the difference a proposal makes, in the order of the form."""
    return [
        Line(str(field.title), change.before[name], change.after[name], change.proposed_name, change.proposed_at)
        for name, field in FIELDS.items()
        if name in change.after
    ]


@dataclass(frozen=True, slots=True)
class Details:
    """A child's contact and health as they stand, and what her family proposed, the newest first."""

    child: Person
    values: dict[str, str]
    changes: list[tuple[FamilyChange, list[Line]]]

    @property
    def waiting(self) -> FamilyChange | None:
        """Return the proposal that waits."""
        return next((one for one, _lines in self.changes if one.state == FamilyChange.State.PROPOSED), None)


def details(actor: Actor, uid: str, *, now: datetime) -> Details:
    """Return what a guardian sees before she proposes a change: three statements."""
    who = child(actor, uid, now=now)
    permissions.demand(actor, "contactbook.propose_change", on=who, at=now)
    record = latest_health(who.pk)
    changes = list(FamilyChange.objects.filter(learner=who).order_by("-pk")[:10])
    return Details(who, current(who, record.body if record else None), [(one, lines(one)) for one in changes])


def changes(actor: Actor, *, now: datetime, limit: int = 200) -> list[FamilyChange]:
    """Return the proposals the actor may decide, those that wait first: of her school, or of the class she leads."""
    if not any(permissions.holds(actor, right) for right in ("contactbook.decide_change", "contactbook.decide_health")):
        raise NotAllowed(right="contactbook.decide_change")
    found = FamilyChange.objects.filter(school_id__in=actor.schools or ()).select_related("learner", "class_group")
    if actor.role == "homeroom_teacher":
        found = found.filter(class_group__in=led(actor, local_day(now)))
    elif not permissions.holds(actor, "contactbook.decide_health"):
        found = found.filter(has_health=False)
    elif not permissions.holds(actor, "contactbook.decide_change"):
        found = found.filter(has_health=True)
    return sorted(found.order_by("-pk")[:limit], key=lambda one: one.state != FamilyChange.State.PROPOSED)


def change(actor: Actor, uid: str, *, now: datetime) -> FamilyChange:
    """Return one proposal the actor may decide; raises NotFound for every other."""
    found = FamilyChange.objects.select_related("learner", "class_group__homeroom").filter(uid=uid).first()
    if found is None or not may_decide(actor, found, at=now):
        raise NotFound()
    return found
