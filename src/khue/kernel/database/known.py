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
