"""Which classes are a teacher's own: those she leads, and those higher apps add (the ones she teaches).

A teacher opens the files of the learners of these classes, not those of the whole school.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from django.db.models import BooleanField, Exists, OuterRef, Q, QuerySet, Value

from khue.kernel.permissions import ANYWHERE, RIGHTS, Actor, relation
from khue.kernel.permissions.loading import local_day
from khue.kernel.registries import Registry
from khue.register.people.models import Person
from khue.register.schooling.models import ClassGroup, Closed, Placement

STAYING = ("", Closed.YEAR_END, Closed.COMPLETED)
"""How the placement of a learner stands who is still the class's: not ended, or ended with the year."""

MY_CLASSES: Registry[Callable[[Actor, date], QuerySet[Any]]] = Registry("classes of a teacher")
"""Functions of (actor, day) that return a query of class ids."""


def led(actor: Actor, day: date) -> QuerySet[Any]:
    """Return the ids of the classes the actor is homeroom teacher of."""
    return ClassGroup.objects.filter(homeroom__person_id=actor.person_id or 0, homeroom__valid__contains=day).values("pk")


MY_CLASSES.add("led", led)


def school_year_of(day: date) -> int:
    """Return the school year a day counts to: it turns on 1 August, as admissions for the next begin."""
    return day.year if day.month >= 8 else day.year - 1


def _places(actor: Actor, day: date) -> QuerySet[Placement]:
    """Return the main places of this school year in the actor's own classes."""
    own = Q(pk__in=[])
    for classes in MY_CLASSES.values():
        own |= Q(class_group__in=classes(actor, day))
    return Placement.objects.main().filter(
        own, school_id__in=actor.schools or (), school_year=school_year_of(day), closed__in=STAYING
    )


OWN: set[str] = {"own_learner"}
"""The relations that ask whether a learner is of the actor's own classes; an app adds those it builds on it."""


def is_own_learner(actor: Actor, day: date) -> Exists | Value:
    """Return the expression over people that says whether one is a learner of the actor's own classes.

    Plainly false for a role none of whose rights asks for it, which spares most readers the longest part of a file's query.
    """
    if not any(right.roles.get(actor.role) in OWN for right in RIGHTS.values()):
        return Value(False, output_field=BooleanField())
    return Exists(_places(actor, day).filter(learner_id=OuterRef("pk")))


def own_learner(actor: Actor, thing: Any, at: datetime) -> bool:
    """Return whether the thing (a person, or what names a learner or a class) is of the actor's own classes.

    No statement where the query that read the thing has the answer with it as `seen_own_learner`.
    """
    if thing is ANYWHERE:
        return bool(actor.schools)
    if thing is None or actor.person_id is None:
        return False
    seen = getattr(thing, "seen_own_learner", None)
    if seen is not None:
        return bool(seen)
    places = _places(actor, local_day(at))
    if isinstance(thing, ClassGroup):
        return places.filter(class_group=thing).exists()
    return places.filter(learner_id=thing.pk if isinstance(thing, Person) else thing.learner_id).exists()


relation("own_learner", own_learner)


def sees_all_files(actor: Actor) -> bool:
    """Return whether the files of every learner of the province are hers to open, where she may open files at all."""
    return actor.schools is None and RIGHTS["people.view_file"].roles.get(actor.role) != "own_learner"


def files_of(actor: Actor, day: date) -> QuerySet[Person]:
    """Return the learners whose files the actor may open, as far as her place and her classes reach.

    Who may open files at all is asked by the caller.
    """
    found = Person.objects.filter(placements__is_main=True, merged_into=None)
    if actor.schools is not None:
        found = found.filter(school_id__in=actor.schools)
    if RIGHTS["people.view_file"].roles.get(actor.role) == "own_learner":
        found = found.filter(is_own_learner(actor, day))
    return found
