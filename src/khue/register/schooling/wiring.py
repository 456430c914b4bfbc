"""What this app registers with the kernel: who is homeroom teacher of a class."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from khue.kernel.permissions import Actor, relation
from khue.kernel.permissions.loading import local_day
from khue.register.schooling.models import ClassGroup
from khue.register.schooling import permissions  # noqa: F401 - declares the rights


def is_homeroom(actor: Actor, thing: Any, at: datetime) -> bool:
    """Return whether the actor holds the homeroom post of the thing's class today."""
    if actor.person_id is None or thing is None:
        return False
    class_group_id = thing.pk if isinstance(thing, ClassGroup) else getattr(thing, "class_group_id", None)
    return class_group_id is not None and ClassGroup.objects.filter(
        pk=class_group_id, school_id__in=actor.schools or (), homeroom__person_id=actor.person_id,
        homeroom__valid__contains=local_day(at),
    ).exists()  # fmt: skip


relation("homeroom", is_homeroom)
