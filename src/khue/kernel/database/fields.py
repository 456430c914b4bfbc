"""Periods and constraints on them that need no extension."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db.models import F, Func, Q
from django.db.models.expressions import Value
from django.utils.translation import gettext_lazy as _
from psycopg.types.range import DateRange


class PeriodField(DateRangeField):
    """Valid time: a half-open range of days, [from, to); an open end means until further notice."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        if not args:
            kwargs.setdefault("verbose_name", _("thời gian hiệu lực"))
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]


def period(start: date, end: date | None = None) -> DateRange:
    """Return [start, end)."""
    return DateRange(start, end, "[)")


class _OneValue(Func):
    """int8range(x, x, '[]'): a range of one value, so that equality joins an exclusion without btree_gist."""

    function = "int8range"

    def __init__(self, column: str) -> None:
        super().__init__(F(column), F(column), Value("[]"))


def no_overlap(name: str, *columns: str, condition: Q | None = None, period: str = "valid") -> ExclusionConstraint:
    """Return the constraint that rows alike in `columns` never overlap in `period`."""
    pairs: list[tuple[Any, str]] = [(_OneValue(column), RangeOperators.OVERLAPS) for column in columns]
    pairs.append((F(period), RangeOperators.OVERLAPS))
    return ExclusionConstraint(name=name, expressions=pairs, condition=condition, index_type="gist")
