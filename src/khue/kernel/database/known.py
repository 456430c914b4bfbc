"""Known time: rows as they were known at a moment, out of the history tables the database itself writes.

Every write of a tracked model leaves a row in its history with the moment it was made; the last one before a moment is
what was known then. Valid time stays a column of the row: "as it was on D, as known at E" filters what this returns by D.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import models
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone


def end_of(day: date) -> datetime:
    """Return the moment a day ends where the province lies: what is known on a day is what was written before it."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


def history_of(model: type[models.Model]) -> type[models.Model]:
    """Return the history model of a tracked model; raises LookupError for one that keeps none."""
    for event in model._meta.apps.get_models():
        if getattr(event, "pgh_tracked_model", None) is model:
            return event
    raise LookupError(f"{model._meta.label} keeps no history")


def known(model: type[models.Model], ids: Iterable[Any] | QuerySet[Any], *, at: datetime) -> QuerySet[Any]:
    """Return the history rows that say what was known of the rows with these ids at a moment: one a row, none for later ones.

    ids  primary keys, or a query of them; they are found by the index of the history on its row
    """
    events: Any = history_of(model)
    found: QuerySet[Any] = events.objects.filter(pgh_obj_id__in=ids, pgh_created_at__lt=at)
    return found.order_by("pgh_obj_id", "-pgh_id").distinct("pgh_obj_id")


def known_value(model: type[models.Model], column: str, *, at: datetime, ref: str = "pk") -> Subquery:
    """Return the expression of a column as it was known at a moment, beside the row as it is; null where nothing was.

    ref  what names the row of `model` in the outer query
    """
    events: Any = history_of(model)
    found = events.objects.filter(pgh_obj_id=OuterRef(ref), pgh_created_at__lt=at).order_by("-pgh_id")
    return Subquery(found.values(column)[:1])


def known_sql(model: type[models.Model], columns: str) -> str:
    """Return SQL of a table, in brackets, with the columns named as they were known at the parameter %(moment)s.

    columns  names of the database, with commas; `id` is the row's own

    A row that was not written since is known from the table itself; only what was written since is looked up in the
    history, by its index on the row. So a count of what was known yesterday costs little more than one of today.
    """
    table, history = model._meta.db_table, history_of(model)._meta.db_table
    return (
        f'(select {columns} from "{table}" where changed_at < %(moment)s union all'
        f' select k.* from "{table}" t cross join lateral (select {columns} from "{history}" h where h.pgh_obj_id = t.id'
        " and h.pgh_created_at < %(moment)s order by h.pgh_id desc limit 1) k where t.changed_at >= %(moment)s)"
    )


def known_counts_sql(model: type[models.Model], by: str, condition: str) -> str:
    """Return SQL of (by, number of rows) for rows that meet a condition, as known at the parameter %(moment)s.

    by         a column
    condition  on columns without a table's name, such as today's count has an index for

    Today's count by its index, less what was written since as it is now, plus that as it was: little more than today's count costs.
    The table needs an index on changed_at.
    """
    table, history = model._meta.db_table, history_of(model)._meta.db_table
    return (
        f'select {by}, sum(n)::bigint from (select {by}, count(*) as n from "{table}" where {condition} group by 1'
        f' union all select {by}, -count(*) from "{table}" where changed_at >= %(moment)s and {condition} group by 1'
        f' union all select {by}, count(*) from (select k.* from "{table}" t cross join lateral (select * from "{history}" h'
        " where h.pgh_obj_id = t.id and h.pgh_created_at < %(moment)s order by h.pgh_id desc limit 1) k"
        f" where t.changed_at >= %(moment)s) was where {condition} group by 1) parts group by 1"
    )


def known_row_sql(model: type[models.Model], columns: str, outer: str, moment: str = "%(moment)s") -> str:
    """Return SQL to follow `lateral`, in brackets: the columns of the one row `outer` as they were known; no row where nothing was.

    columns  names of the database, with commas
    outer    alias of the table in the query around it, which is found by what never changes
    """
    history = history_of(model)._meta.db_table
    own = ", ".join(f"{outer}.{name.strip()}" for name in columns.split(","))
    return (
        f"(select {own} where {outer}.changed_at < {moment} union all (select {columns} from \"{history}\" h"
        f" where {outer}.changed_at >= {moment} and h.pgh_obj_id = {outer}.id and h.pgh_created_at < {moment} order by h.pgh_id desc limit 1))"
    )


def remember(schema_editor: Any, table: str, history: str, *, size: int = 10_000) -> None:
    """Give the rows of a table that begins to keep history their first line: as they are, since they were last written.

    For a migration of its own that is not atomic: each `size` ids are a transaction, so nobody waits for it and it goes
    on where it was stopped.
    """
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        cursor.execute("select column_name from information_schema.columns where table_schema = current_schema() and table_name = %s", [table])
        own = {name for (name,) in cursor.fetchall()}
        cursor.execute("select column_name from information_schema.columns where table_schema = current_schema() and table_name = %s", [history])
        columns = ", ".join(f'"{name}"' for (name,) in cursor.fetchall() if name in own)
        cursor.execute(f'select coalesce(max(id), 0) from "{table}"')
        last = cursor.fetchone()[0]
        for first in range(0, last, size):
            cursor.execute(
                f'insert into "{history}" (pgh_created_at, pgh_label, pgh_obj_id, {columns})'
                f" select changed_at, 'insert', id, {columns} from \"{table}\" t where id > %s and id <= %s"
                f' and not exists (select from "{history}" h where h.pgh_obj_id = t.id)',
                [first, first + size],
            )
