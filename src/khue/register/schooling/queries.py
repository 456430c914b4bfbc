"""Reads: classes, who is in them on a day, a learner's way through school, transfers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, F, Func, JSONField, OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject

from khue.kernel import permissions
from khue.kernel.errors import NotFound
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.people.models import Kinship, Person
from khue.register.schooling.mine import STAYING, is_own_learner, school_year_of
from khue.register.schooling.models import ClassGroup, Placement, SchoolPlan, Transfer

__all__ = ["STAYING", "school_year_of"]


def classes(actor: Actor, *, school_year: int, on: date, school_id: int | None = None) -> QuerySet[ClassGroup]:
    """Return the classes of a year in the actor's place with `learners` on a day, by grade and name."""
    found = ClassGroup.objects.filter(school_year=school_year).exclude(facts__has_key="withdrawn")  # undone imports
    if actor.schools is not None:
        found = found.filter(school_id__in=actor.schools)
    if school_id is not None:
        found = found.filter(school_id=school_id)
    present = Q(placements__valid__contains=on, placements__is_main=True)
    return (
        found.select_related("homeroom__person", "school")
        .annotate(learners=Count("placements", filter=present))
        .order_by("school__name", "grade", "name")
    )


def class_group(actor: Actor, uid: str, *, at: datetime) -> ClassGroup:
    """Return one class; raises NotFound outside the actor's place."""
    found = ClassGroup.objects.select_related("homeroom__person", "school").filter(uid=uid).first()
    if found is None:
        raise NotFound()
    permissions.demand(actor, "schooling.view_classes", on=found, at=at)
    return found


def members(group: ClassGroup, *, on: date) -> list[Placement]:
    """Return the placements of a class on a day (of its last day once the year is over), in name order."""
    held = (
        group.placements.filter(is_main=True)
        .select_related("learner")
        .order_by("learner__sort_key", "learner__born_on", "learner_id")
    )
    return list(held.filter(valid__contains=on)) or list(held.filter(closed__in=STAYING))


@dataclass(frozen=True, slots=True)
class Tie:
    """A guardian in a learner's file."""

    name: str
    relation: str


@dataclass(frozen=True, slots=True)
class Change:
    """A change of school in a learner's file."""

    uid: str
    from_school: str
    to_school: str
    state: str
    effective_on: date


@dataclass(frozen=True, slots=True)
class LearnerFile:
    """A learner's file: who she is, her way through school, her family, her transfers."""

    person: Person
    placements: Sequence[Placement]
    guardians: Sequence[Tie]
    transfers: Sequence[Change]
    on: date

    @property
    def current(self) -> Placement | None:
        """Return where she is today."""
        return next((p for p in self.placements if p.is_main and self.on in p.valid), None)


def learner_file(actor: Actor, uid: str, *, at: datetime) -> LearnerFile:
    """Return one learner's file in two statements; raises NotFound outside the actor's place, NotAllowed for a
    teacher who neither leads nor teaches her class."""
    day = local_day(at)
    moves = Transfer.objects.filter(learner=OuterRef("pk")).order_by("-pk")
    person = (
        Person.objects.filter(uid=uid, merged_into=None)
        .annotate(
            seen_own_learner=is_own_learner(actor, day),
            ties=Func(F("pk"), function="khue_ties", output_field=JSONField()),
            moves=ArraySubquery(
                moves.values(found=JSONObject(
                    uid="uid", from_school="from_school__name", to_school="to_school__name", state="state",
                    effective_on="effective_on",
                ))
            ),
        )
        .first()
    )  # fmt: skip
    if person is None:
        raise NotFound()
    permissions.demand(actor, "people.view_file", on=person, at=at)
    placements = (
        Placement.objects.filter(learner=person)
        .select_related("class_group__homeroom", "school")
        .order_by("-valid")
    )
    guardians = [Tie(one["name"], str(Kinship.Relation(one["relation"]).label)) for one in person.ties]  # type: ignore[attr-defined]
    transfers = [
        Change(
            one["uid"], one["from_school"], one["to_school"], str(Transfer.State(one["state"]).label),
            date.fromisoformat(one["effective_on"]),
        )
        for one in person.moves  # type: ignore[attr-defined]
    ]  # fmt: skip
    return LearnerFile(person, list(placements), guardians, transfers, day)


def transfers(actor: Actor) -> QuerySet[Transfer]:
    """Return the transfers that touch the actor's schools, open ones first."""
    found = Transfer.objects.select_related("from_school", "to_school", "to_class")
    if actor.schools is not None:
        found = found.filter(Q(from_school_id__in=actor.schools) | Q(to_school_id__in=actor.schools))
    return found.order_by("state", "-pk")


def transfer(actor: Actor, uid: str) -> Transfer:
    """Return one transfer of the actor's schools; raises NotFound."""
    found = transfers(actor).filter(uid=uid).first()
    if found is None:
        raise NotFound()
    return found


def plans(actor: Actor, *, at: datetime) -> list[SchoolPlan]:
    """Return the mergers planned for schools of the actor's place, those to come first, then the last hundred that were."""
    permissions.demand(actor, "orgs.change_tree", at=at)
    found = SchoolPlan.objects.select_related("source", "target")
    if actor.schools is not None:
        found = found.filter(source_id__in=actor.schools)
    return list(found.annotate(waits=Q(state=SchoolPlan.State.PLANNED)).order_by("-waits", "on", "-pk")[:100])


def learner_ids_in(group: ClassGroup, *, on: date) -> list[int]:
    """Return the ids of a class's learners on a day, in name order."""
    return [place.learner_id for place in members(group, on=on)]


