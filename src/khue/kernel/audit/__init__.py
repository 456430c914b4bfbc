"""Who did what, when and why; who looked at whose file.

Services call `record` (`record_many` for sets) inside their transaction. Reading views call `looked` on the request; the rows are
written after the view, because a view that reads never writes.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from khue.kernel.permissions.actors import Actor


def record(
    actor: Actor, act: str, *, on: Any, at: datetime, reason: str = "", person_id: int | None = None,
    school_id: int | None = None, **facts: Any,
) -> None:  # fmt: skip
    """Add one act; `facts` are ids, codes and values before and after, never names.

    person_id, school_id  whom it concerns and where, when the thing itself does not say
    """
    _insert([_row(actor, act, on, at, reason, person_id, school_id, facts)])


def record_many(
    actor: Actor, act: str, things: Iterable[tuple[Any, dict[str, Any]]], *, at: datetime, reason: str = ""
) -> None:
    """Add one act on each of many (thing, facts), each as `record` does, in one statement."""
    rows = [_row(actor, act, on, at, reason, None, None, facts) for on, facts in things]
    if rows:
        _insert(rows)


def _row(
    actor: Actor, act: str, on: Any, at: datetime, reason: str, person_id: int | None, school_id: int | None,
    facts: dict[str, Any],
) -> list[Any]:  # fmt: skip
    from psycopg.types.json import Jsonb

    from khue.kernel.ids import uid7
    from khue.kernel.permissions.rights import school_of

    is_row = hasattr(on, "_meta")
    person = person_id or getattr(on, "learner_id", None) or getattr(on, "person_id", None)
    return [
        uid7(), at, actor.account_id, actor.name[:120], actor.role, act, on._meta.label_lower if is_row else "",
        on.pk if is_row else None, school_id or (school_of(on) if is_row else None), person, reason[:500],
        Jsonb(facts), actor.request_id,
    ]  # fmt: skip


def _insert(rows: list[list[Any]]) -> None:
    from django.db import connection

    places = f"({', '.join(['%s'] * len(rows[0]))})"
    with connection.cursor() as cursor:  # no RETURNING: the actor need not be able to read what she adds
        cursor.execute(
            "insert into audit_act (uid, at, account_id, actor_name, role, act, target_type, target_id, school_id,"
            f" person_id, reason, facts, request_id) values {', '.join([places] * len(rows))}",
            [value for row in rows for value in row],
        )


def looked(request: Any, people: Iterable[tuple[int, int | None]], what: str) -> None:
    """Note on the request that these (person id, school id) files were shown; written after the view."""
    noted = getattr(request, "khue_looks", None)
    if noted is None:
        noted = request.khue_looks = {}
    for person_id, school_id in people:
        noted[person_id, what] = school_id


def write_looks(actor: Actor, looks: dict[tuple[int, str], int | None], *, at: datetime) -> None:
    """Add or count the looks of one request: one statement, one row a person, part and day."""
    from django.db import connection
    from django.utils import timezone

    if not looks or actor.account_id is None:
        return
    rows = sorted((person, what, school) for (person, what), school in looks.items())
    with connection.cursor() as cursor:
        cursor.execute(
            "select khue_looked(%s, %s, %s, %s, %s, %s::bigint[], %s::text[], %s::bigint[])",
            [
                actor.account_id, actor.name[:120], actor.role, at, timezone.localtime(at).date(),
                [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows],
            ],
        )  # fmt: skip
