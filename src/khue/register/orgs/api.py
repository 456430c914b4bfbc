"""Units and their tree for other systems."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema
from ninja.pagination import LimitOffsetPagination, paginate
from pydantic import Field

from khue.kernel import permissions
from khue.kernel.permissions.loading import local_day
from khue.register.orgs import known, queries
from khue.register.orgs.models import Unit

router = Router()


class UnitOut(Schema):
    """One unit; days are half-open: [from_day, until)."""

    uid: UUID
    code: str
    kind: str = Field(description="ministry, province, district, commune, school, centre, college")
    name: str = Field(description="its name on the day asked for")
    levels: list[str]
    commune_code: str
    from_day: date
    until: date | None
    parent: UUID | None = Field(description="who administers it on that day")
    version: int

    @staticmethod
    def resolve_name(row: Unit) -> str:
        """Return the name on the day asked for."""
        return row.name_then  # type: ignore[attr-defined]

    @staticmethod
    def resolve_parent(row: Unit) -> UUID | None:
        """Return the uid of the unit above on the day asked for."""
        return row.parent_then  # type: ignore[attr-defined]

    @staticmethod
    def resolve_from_day(row: Unit) -> date:
        """Return its first day."""
        return row.valid.lower

    @staticmethod
    def resolve_until(row: Unit) -> date | None:
        """Return the first day it no longer is."""
        return row.valid.upper


class NodeOut(Schema):
    """One unit of the tree on a day with what lies under it then."""

    uid: UUID
    code: str
    kind: str
    name: str
    has_children: bool
    schools: int
    learners: int

    @staticmethod
    def of(node: queries.Node) -> dict[str, Any]:
        """Return the schema's values of a node."""
        return {
            "uid": node.uid, "code": node.code, "kind": node.kind, "name": node.name, "has_children": node.has_children,
            "schools": node.numbers.get("schools", 0), "learners": node.numbers.get("learners", 0),
        }  # fmt: skip


class FollowerOut(Schema):
    """A unit that stands in another's place on some day."""

    uid: UUID
    code: str
    kind: str
    name: str


def _ask(request: HttpRequest, day: date | None) -> date:
    now = timezone.now()
    permissions.demand(request.actor, "orgs.view_tree", at=now)  # type: ignore[attr-defined]
    return day or local_day(now)


Day = Annotated[date | None, Query(description="the day asked for; today by default")]


@router.get("/units", response=list[UnitOut], operation_id="list_units")
@paginate(LimitOffsetPagination)
def list_units(
    request: HttpRequest,
    day: Day = None,
    kind: Annotated[str, Query(pattern="^[a-z]{0,12}$")] = "",
    parent: UUID | None = None,
    code: Annotated[str, Query(max_length=20)] = "",
) -> QuerySet[Unit]:
    """List the units of the caller's place that exist on a day, by kind and code."""
    return queries.units(request.actor, day=_ask(request, day), kind=kind, parent=parent, code=code)  # type: ignore[attr-defined]


@router.get("/units/{uuid:uid}", response=UnitOut, operation_id="get_unit")
def get_unit(request: HttpRequest, uid: UUID, day: Day = None) -> Unit:
    """Return one unit as it is named and tied on a day."""
    return queries.one_unit(request.actor, uid, day=_ask(request, day))  # type: ignore[attr-defined]


@router.get("/units/{uuid:uid}/successors", response=list[FollowerOut], operation_id="list_unit_successors")
def list_unit_successors(request: HttpRequest, uid: UUID, day: Day = None) -> list[queries.Node]:
    """List the units that stand in this one's place on a later day."""
    return queries.successors(request.actor, uid, day=_ask(request, day))  # type: ignore[attr-defined]


@router.get("/units/{uuid:uid}/predecessors", response=list[FollowerOut], operation_id="list_unit_predecessors")
def list_unit_predecessors(request: HttpRequest, uid: UUID, day: date) -> list[queries.Node]:
    """List the units that stood in this one's place on an earlier day."""
    _ask(request, day)
    return queries.predecessors(request.actor, uid, day=day)  # type: ignore[attr-defined]


@router.get("/tree", response=list[NodeOut], operation_id="get_tree")
def get_tree(
    request: HttpRequest,
    day: Day = None,
    parent: UUID | None = None,
    known_on: Annotated[date | None, Query(description="by what was known at the end of this day; today by default")] = None,
) -> list[dict[str, Any]]:
    """Return the units directly under `parent` (the roots without it) on a day, with counts of schools and learners."""
    asked, actor = _ask(request, day), request.actor  # type: ignore[attr-defined]
    if known_on is not None and known_on < local_day(timezone.now()):
        return [NodeOut.of(node) for node in known.children(actor, parent, day=asked, known_on=known_on)]
    return [NodeOut.of(node) for node in queries.children(actor, parent, day=asked)]
