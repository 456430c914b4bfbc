"""The kinds of records that can be imported, by code, in the order a school does them."""

from khue.gateway.exchange.kinds.assignments import Assignments
from khue.gateway.exchange.kinds.base import Kind
from khue.gateway.exchange.kinds.classes import Classes
from khue.gateway.exchange.kinds.learners import Learners
from khue.gateway.exchange.kinds.marks import Marks
from khue.gateway.exchange.kinds.staff import Staff
from khue.kernel.registries import Registry

KINDS: Registry[Kind] = Registry("kinds of import")
for _kind in (Classes(), Staff(), Learners(), Assignments(), Marks()):
    KINDS.add(_kind.code, _kind)  # type: ignore[arg-type]  # lazy titles are str or Promise

__all__ = ["KINDS", "Kind"]
