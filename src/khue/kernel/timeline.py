"""What happened to a person, told by the apps that know: one statement for all of them together.

An app registers a part: SQL that selects (on date, facts jsonb) for %(person)s, and a function that tells the facts in words.

    timeline.PARTS.add("schooling.placed", Part("select lower(p.valid), jsonb_build_object(…) from …", told))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.utils.functional import Promise

from khue.kernel.registries import Registry


@dataclass(frozen=True, slots=True)
class Telling:
    """One event in words: what, a detail, where it is seen."""

    what: str | Promise
    detail: str | Promise = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of event. `right` is asked of the actor before any of it is read; "" where the file's own right is enough."""

    sql: str
    told: Callable[[dict[str, Any]], Telling]
    right: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One dated event of a person."""

    on: date
    kind: str
    what: str | Promise
    detail: str | Promise
    url: str


PARTS: Registry[Part] = Registry("events of a person")


def of_person(person_id: int, *, on: date, now: datetime, allowed: Callable[[str], bool], limit: int = 300) -> list[Event]:
    """Return what happened to a person until a day, the newest first: one statement.

    allowed  says whether the actor holds a right on this person's file
    """
    parts = [(code, part) for code, part in PARTS.items() if not part.right or allowed(part.right)]
    if not parts:
        return []
    union = " union all ".join(f"select '{code}' as kind, t.* from ({part.sql}) as t(on_day, facts)" for code, part in parts)
    with connection.cursor() as cursor:
        cursor.execute(
            f"select kind, on_day, facts::text from ({union}) e where on_day <= %(day)s order by on_day desc, kind limit %(limit)s",
            {"person": person_id, "day": on, "now": now, "limit": limit},
        )
        rows = cursor.fetchall()
    return [_event(kind, day, facts) for kind, day, facts in rows]


def _event(kind: str, day: date, facts: str) -> Event:
    import json

    told = PARTS[kind].told(json.loads(facts))
    return Event(day, kind, told.what, told.detail, told.url)
