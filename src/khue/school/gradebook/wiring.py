"""What this app registers with the kernel: relations, rights, menu entries, jobs, listeners."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from khue.kernel.permissions import RELATIONS, Actor, relation
from khue.school.gradebook import permissions
from khue.school.gradebook.queries.registers import Seen

__all__ = ["permissions"]


def sees_register(actor: Actor, thing: Any, at: datetime) -> bool:
    """Return whether the actor teaches the register's subject to its class or is homeroom teacher of it."""
    if isinstance(thing, Seen):
        return actor.covers_school(thing.school_id) and (thing.is_taught or thing.is_homeroom)
    return RELATIONS["teaches"](actor, thing, at) or RELATIONS["homeroom"](actor, thing, at)


relation("sees_register", sees_register)
