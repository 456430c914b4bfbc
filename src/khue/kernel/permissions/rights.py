"""Declaring rights and asking for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.functional import Promise

from khue.kernel.errors import NotAllowed, NotFound, SecondFactorNeeded
from khue.kernel.permissions.actors import Actor
from khue.kernel.registries import Registry

Relation = Callable[[Actor, Any, datetime], bool]


@dataclass(frozen=True, slots=True)
class Right:
    """One right: its roles by default with the relation each needs, and whether a second factor is needed."""

    code: str
    title: str | Promise
    roles: Mapping[str, str]
    needs_second_factor: bool = False


ANYWHERE = object()
"""`on=ANYWHERE` asks whether the actor may do it somewhere in her place, for lists that filter by her schools."""

RIGHTS: Registry[Right] = Registry("rights")
RELATIONS: Registry[Relation] = Registry("relations")


def right(
    code: str, title: str | Promise, roles: Mapping[str, str], *, needs_second_factor: bool = False
) -> Right:
    """Declare a right in an app's permissions.py."""
    return RIGHTS.add(code, Right(code, title, dict(roles), needs_second_factor))


def relation(name: str, function: Relation) -> Relation:
    """Register how `name` is decided between an actor and a thing."""
    return RELATIONS.add(name, function)


def school_of(thing: Any) -> int | None:
    """Return the school a thing belongs to: its `school_id`, or itself where it is the school."""
    if thing is None or isinstance(thing, int):
        return thing
    if hasattr(thing, "school_id"):
        return thing.school_id
    return getattr(thing, "scope_school_id", None)


relation("any", lambda actor, thing, at: True)


def _in_place(actor: Actor, thing: Any, at: datetime) -> bool:
    if thing is ANYWHERE:
        return actor.schools is None or bool(actor.schools)
    return actor.schools is None or (thing is not None and actor.covers_school(school_of(thing)))


relation("unit", _in_place)


def _relation_of(actor: Actor, declared: Right) -> str | None:
    if declared.code in actor.removed_rights:
        return None
    found = declared.roles.get(actor.role)
    if found is None and declared.code in actor.added_rights:
        return "unit"
    return found


def holds(actor: Actor, code: str) -> bool:
    """Return whether the actor's role has the right anywhere: for menus and buttons."""
    return actor.is_system or _relation_of(actor, RIGHTS[code]) is not None


def allowed(actor: Actor, code: str, *, on: Any = None, at: datetime) -> bool:
    """Return whether the actor may, on this thing, at this moment; the second factor is not asked."""
    if actor.is_system:
        return True
    needed = _relation_of(actor, RIGHTS[code])
    return needed is not None and RELATIONS[needed](actor, on, at)


def demand(actor: Actor, code: str, *, on: Any = None, at: datetime) -> None:
    """Return if the actor may; else raise.

    Raises NotFound for a thing outside her place (absent and forbidden look the same), NotAllowed where
    her role lacks the right on a thing she may know of, SecondFactorNeeded where the right needs one.
    """
    if allowed(actor, code, on=on, at=at):
        if RIGHTS[code].needs_second_factor and settings.KHUE_SECOND_FACTOR and not actor.is_strong:
            raise SecondFactorNeeded(right=code)
        return
    if on is not None and on is not ANYWHERE and not actor.covers_school(school_of(on)):
        raise NotFound()
    raise NotAllowed(right=code)
