"""Who may do what, where, when.

    RECORD = right("gradebook.record_mark", _("Nhập điểm"), {"subject_teacher": "teaches"})
    demand(actor, "gradebook.record_mark", on=register, at=now)

A right names the roles that have it and, for each, the relation that must hold between the actor and the
thing: `unit` (the thing's school lies in her place), `teaches`, `homeroom`, `own_child`, `self`, `any`.
Relations of higher apps are registered by them (`relation("teaches", function)`).
"""

from khue.kernel.permissions.actors import ANONYMOUS, Actor, system_actor
from khue.kernel.permissions.rights import (
    ANYWHERE,
    RELATIONS,
    RIGHTS,
    Right,
    allowed,
    demand,
    holds,
    relation,
    right,
)

__all__ = [
    "ANONYMOUS",
    "ANYWHERE",
    "RELATIONS",
    "RIGHTS",
    "Actor",
    "Right",
    "allowed",
    "demand",
    "holds",
    "relation",
    "right",
    "system_actor",
]
