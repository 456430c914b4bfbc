"""Sets of posts, one statement a set: find, open, change, undo. See `people.bulk`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import connection

from khue.kernel import ids

FIELDS = ("position", "contract_kind", "subject_code", "short_name", "load_percent")

_KNOWN = """
select o.id, o.version, o.position, o.contract_kind, o.subject_code, o.short_name, o.load_percent, o.facts,
       lower(o.valid), upper(o.valid), p.id, p.code, p.version, p.name, p.name_fold, p.born_on, p.born_precision, p.sex,
       p.phone, p.email, p.ethnic_group, p.personal_index, p.facts
  from staff_post o join people_person p on p.id = o.person_id
 where o.school_id = %s and (o.valid @> %s::date or isempty(o.valid))
 order by o.id
"""
_NAMES = (
    "post_id", "post_version", "position", "contract_kind", "subject_code", "short_name", "load_percent", "post_facts",
    "from_day", "until", "id", "code", "version", "name", "fold", "born_on", "born_precision", "sex",
    "phone", "email", "ethnic_group", "personal_index", "facts",
)  # fmt: skip


def posts_of(school_id: int, *, on: date) -> list[dict[str, Any]]:
    """Return the posts of one school that hold on a day, and those an undone import left, with their people.

    `is_open` says which hold; a school has some hundred posts at most, so matching is done by the caller.
    """
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [school_id, on])
        found = []
        for values in cursor.fetchall():
            row = dict(zip(_NAMES, values, strict=True))
            for name in ("facts", "post_facts"):
                if isinstance(row[name], str):
                    row[name] = json.loads(row[name])
            row["is_open"] = row["from_day"] is not None
            found.append(row)
    return found


def open_posts(rows: Sequence[Mapping[str, Any]], *, school_id: int, from_day: date) -> dict[int, int]:
    """Open posts and return person to post. rows: person_id and any of FIELDS (`position` defaults to teacher)."""
    if not rows:
        return {}
    document = [
        {
            "uid": str(ids.uid7()), "person": row["person_id"], "position": row.get("position") or "teacher",
            "contract": row.get("contract_kind") or "", "subject": row.get("subject_code") or "",
            "short": row.get("short_name") or "", "load": row.get("load_percent") or 100,
        }
        for row in rows
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into staff_post (uid, version, person_id, school_id, position, contract_kind, load_percent,"
            " subject_code, short_name, facts, valid)"
            " select uid, 1, person, %s, position, contract, load, subject, short, '{}', daterange(%s::date, null)"
            " from json_to_recordset(%s::json) as t(uid uuid, person bigint, position text, contract text, load int,"
            " subject text, short text) returning id, person_id",
            [school_id, from_day, json.dumps(document, ensure_ascii=False)],
        )
        return {person: post for post, person in cursor.fetchall()}


_UPDATE = """
update staff_post o set {sets}
  from (select (d ->> 'id')::bigint as id, (d ->> 'version')::int as version, d
          from jsonb_array_elements(%s::jsonb) as x(d)) t
 where o.id = t.id and o.version = t.version
returning o.id, o.version
"""


def change_posts(rows: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """Change fields of posts and return id to new version; one whose version moved is left out.

    rows  id, version, any of FIELDS
    """
    if not rows:
        return {}
    sets = ", ".join(
        f"{name} = case when t.d ? '{name}' then (t.d ->> '{name}'){'::int' if name == 'load_percent' else ''} else o.{name} end"
        for name in FIELDS
    )
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE.format(sets=sets), [json.dumps(list(rows), ensure_ascii=False)])
        return dict(cursor.fetchall())


def undo_posts(rows: Sequence[tuple[int, int]]) -> set[int]:
    """Make posts (id, version) hold on no day, unless they changed since; returns those undone."""
    return _set_days(rows, "'empty'::daterange", [])


def reopen_posts(rows: Sequence[tuple[int, int]], *, from_day: date) -> set[int]:
    """Let posts an undo emptied hold again from a day on; returns those reopened."""
    return _set_days(rows, "daterange(%s::date, null)", [from_day])


def _set_days(rows: Sequence[tuple[int, int]], days: str, values: list[Any]) -> set[int]:
    if not rows:
        return set()
    document = json.dumps([{"id": row[0], "version": row[1]} for row in rows])
    with connection.cursor() as cursor:
        cursor.execute(
            f"update staff_post o set valid = {days} from json_to_recordset(%s::json) as t(id bigint, version int)"
            " where o.id = t.id and o.version = t.version returning o.id",
            [*values, document],
        )
        return {row[0] for row in cursor.fetchall()}
