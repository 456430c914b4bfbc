"""Reading a collection for an actor: the rows of one page with their number, or one row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import connection

from khue.gateway.oneroster.asking import Asked
from khue.gateway.oneroster.tables import TABLES, Table
from khue.kernel import permissions
from khue.kernel.errors import NotFound
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.orgs.models import Unit
from regulations import calendar


@dataclass(frozen=True, slots=True)
class Reading:
    """Whose eyes, of which school year, on which day; made by `reading_of`, which asks for the right."""

    schools: frozenset[int] | None
    year: int
    day: date

    @property
    def values(self) -> dict[str, Any]:
        """Return the parameters every statement takes."""
        return {"all": self.schools is None, "schools": sorted(self.schools or ()), "year": self.year, "day": self.day}


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What an address narrows a collection to: SQL over `x` and its values."""

    where: str = "true"
    values: dict[str, Any] = field(default_factory=dict)


def reading_of(actor: Actor, *, at: datetime, right: str = "oneroster.read", school_id: int | None = None) -> Reading:
    """Return how an actor reads now. Raises NotAllowed, NotFound for a school outside her place."""
    permissions.demand(actor, right, on=permissions.ANYWHERE if school_id is None else school_id, at=at)
    day = local_day(at)
    schools = actor.schools if school_id is None else frozenset({school_id})
    return Reading(schools, calendar.school_year_of(day), day)


def page(reading: Reading, table: Table, asked: Asked, narrowed: Narrowed) -> tuple[list[dict[str, Any]], int]:
    """Return one page of a collection and the number of all that match: two statements."""
    values = {**reading.values, **narrowed.values, **asked.values}
    body = f"from ({table.sql}) x where ({narrowed.where}) and ({asked.where})"
    with connection.cursor() as cursor:
        cursor.execute(f"select count(*) {body}", values)
        total = int(cursor.fetchone()[0])
        if asked.offset >= total:
            return [], total
        cursor.execute(f"select x.* {body} order by {asked.order} limit {int(asked.limit)} offset {int(asked.offset)}", values)
        return _dicts(cursor), total


def one(reading: Reading, table: Table, sourced_id: str, narrowed: Narrowed) -> dict[str, Any] | None:
    """Return one row of a collection by its sourcedId, or None: one statement."""
    with connection.cursor() as cursor:
        cursor.execute(f"select x.* from ({table.sql}) x where ({narrowed.where}) and x.id = %(id)s", {**reading.values, **narrowed.values, "id": sourced_id})
        return next(iter(_dicts(cursor)), None)


def everything(reading: Reading, plural: str, since: datetime | None = None) -> Iterator[dict[str, Any]]:
    """Yield every active row of a collection in the order of ids; with `since`, what changed from then on, gone or not."""
    wanted = "x.status = 'active'" if since is None else "x.modified >= %(since)s"
    with connection.cursor() as cursor:
        cursor.execute(f"select x.* from ({TABLES[plural].sql}) x where {wanted} order by x.id", {**reading.values, "since": since})
        yield from _dicts(cursor)


def _dicts(cursor: Any) -> list[dict[str, Any]]:
    names = [column.name for column in cursor.description]
    found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for row in found:
        if isinstance(row.get("roles"), str):  # the driver leaves JSON as text
            row["roles"] = json.loads(row["roles"])
    return found


def exists(reading: Reading, plural: str, sourced_id: str) -> bool:
    """Return whether a collection has this object for the actor."""
    return one(reading, TABLES[plural], sourced_id, Narrowed()) is not None


def school_of(actor: Actor, code: str) -> Unit:
    """Return the school of this code in the actor's place, or her only one. Raises NotFound."""
    found = Unit.objects.schools()
    if actor.schools is not None:
        found = found.filter(pk__in=list(actor.schools))
    if code:
        found = found.filter(code=code.replace("\0", ""))
    elif actor.schools is None or len(actor.schools) != 1:
        raise NotFound()
    school = found.order_by("pk").first()
    if school is None:
        raise NotFound()
    return school
