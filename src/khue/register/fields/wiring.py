"""What this app registers with the kernel: its rights and relations, the frames of counting, its homes, its menu entry."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from khue.kernel import homes, menus
from khue.kernel.permissions import RELATIONS, Actor, relation
from khue.register.fields import frames, happenings, permissions  # noqa: F401 - permissions declares the rights
from khue.register.schooling.mine import OWN

homes.declare("fields", __file__)
frames.declare()
happenings.declare()


def _is_own(actor: Actor, thing: Any) -> bool:
    """Return whether the file is the actor's own."""
    return actor.person_id is not None and getattr(thing, "person_id", None) == actor.person_id


def own_file(actor: Actor, thing: Any, at: datetime) -> bool:
    """Return whether the file is the actor's own or of a learner of her classes."""
    if _is_own(actor, thing):
        return True
    return hasattr(thing, "seen_own_learner") and RELATIONS["own_learner"](actor, thing, at)


def homeroom_file(actor: Actor, thing: Any, at: datetime) -> bool:
    """Return whether the file is the actor's own or of a learner of the class she leads."""
    return _is_own(actor, thing) or (hasattr(thing, "seen_homeroom") and RELATIONS["homeroom"](actor, thing, at))


relation("own_person", lambda actor, thing, at: _is_own(actor, thing))
relation("own_file", own_file)
OWN.add("own_file")
relation("homeroom_file", homeroom_file)
menus.MENU.add(
    "fields.catalogue", menus.Entry(_("Danh mục dữ liệu"), "fields:catalogue", "list-details", "fields.view_catalogue", sort=88)
)
