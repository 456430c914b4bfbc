"""Sets of assignments for imports: one statement a set. The caller holds the school's import lock and the rights."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import connection

from khue.kernel import ids
from khue.school.teaching.models import Assignment


def known(school_id: int, school_year: int) -> list[Assignment]:
    """Return the assignments of a school and year, also those an undo emptied, oldest first."""
    return list(
        Assignment.objects.filter(school_id=school_id, school_year=school_year).order_by("id").only(
            "id", "version", "post_id", "class_group_id", "subject_code", "periods", "valid"
        )
    )  # fmt: skip


def create(rows: Sequence[Mapping[str, Any]], *, school_id: int, school_year: int, from_day: date, until: date) -> list[int]:
    """Make assignments and return their ids in order. rows: post_id, class_group_id, subject_code, periods."""
    if not rows:
        return []
    document = [{"uid": str(ids.uid7()), **row} for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into teaching_assignment (uid, version, post_id, class_group_id, school_id, school_year, subject_code, periods, valid)"
            " select uid, 1, post_id, class_group_id, %s, %s, subject_code, periods, daterange(%s::date, %s::date)"
            " from json_to_recordset(%s::json) as t(uid uuid, post_id bigint, class_group_id bigint, subject_code text, periods int)"
            " returning id, uid::text",
            [school_id, school_year, from_day, until, json.dumps(document)],
        )
        found = {uid: pk for pk, uid in cursor.fetchall()}
    return [found[row["uid"]] for row in document]


def change(rows: Sequence[tuple[int, int, int]]) -> dict[int, int]:
    """Set the periods of assignments (id, version, periods); returns id to new version, without those that moved."""
    return _update(rows, "periods = t.value")


def reopen(rows: Sequence[tuple[int, int, int]], *, from_day: date, until: date) -> dict[int, int]:
    """Let emptied assignments (id, version, periods) hold again; returns id to new version."""
    return _update(rows, "periods = t.value, valid = daterange(%s::date, %s::date)", [from_day, until])


def end(rows: Sequence[tuple[int, int]], *, on: date) -> dict[int, int]:
    """End assignments (id, version) from a day; one that had not begun holds on no day."""
    days = "valid = case when lower(a.valid) >= %s::date then 'empty'::daterange else daterange(lower(a.valid), %s::date) end"
    return _update([(*row, 0) for row in rows], days, [on, on])


def empty(rows: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Make assignments (id, version) hold on no day, unless they changed since."""
    return _update([(*row, 0) for row in rows], "valid = 'empty'::daterange")


def _update(rows: Sequence[tuple[int, int, int]], sets: str, values: Sequence[Any] = ()) -> dict[int, int]:
    if not rows:
        return {}
    document = json.dumps([{"id": row[0], "version": row[1], "value": row[2]} for row in rows])
    with connection.cursor() as cursor:
        cursor.execute(
            f"update teaching_assignment a set {sets} from json_to_recordset(%s::json) as t(id bigint, version int, value int)"
            " where a.id = t.id and a.version = t.version returning a.id, a.version",
            [*values, document],
        )
        return dict(cursor.fetchall())
