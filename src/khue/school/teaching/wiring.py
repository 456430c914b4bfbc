"""What this app registers with the kernel: who teaches which subject to which class, rights, a menu entry."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from khue.kernel import homes, menus
from khue.kernel.permissions import Actor, relation
from khue.kernel.permissions.loading import local_day
from khue.register.schooling.mine import MY_CLASSES
from khue.school.teaching import (
    moving,  # noqa: F401  lets assignments follow to another school
    permissions,  # noqa: F401  declares rights
)
from khue.school.teaching.models import Assignment

homes.declare("teaching", __file__)


def teaches(actor: Actor, thing: Any, at: datetime) -> bool:
    """Return whether the actor teaches the thing's subject to the thing's class today."""
    if actor.person_id is None or thing is None:
        return False
    day = local_day(at)
    return Assignment.objects.filter(
        class_group_id=thing.class_group_id, subject_code=thing.subject_code, school_id__in=actor.schools or (),
        valid__contains=day, post__person_id=actor.person_id, post__valid__contains=day,
    ).exists()  # fmt: skip


relation("teaches", teaches)


def taught(actor: Actor, day: date) -> QuerySet[Any]:
    """Return the ids of the classes the actor teaches today."""
    return Assignment.objects.filter(
        post__person_id=actor.person_id or 0, post__valid__contains=day, valid__contains=day
    ).values("class_group_id")


MY_CLASSES.add("taught", taught)

menus.MENU.add(
    "teaching",
    menus.Entry(_("Phân công"), "teaching:board", icon="user-check", right="teaching.view_assignments", sort=60),
)
