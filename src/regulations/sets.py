"""What every rule set needs to be fed in sets: columns checked, faults named row by row, reasons spelled out.

A set is a Polars frame, lazy or not. A column that is missing or of another kind is the caller's fault and is
refused at once; what is wrong in a row is named in that row's `error`, its results are null, and the other rows get
theirs. Of several faults of a row the first of `unknown-value`, `out-of-range`, `incomplete-marks` is named, then
those a subject adds. Whole numbers stay whole numbers: no expression here divides but by `//`.

Polars is an extra of the distribution (`analytics`); only modules of sets import this one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from regulations.core import OutOfRange, UnknownValue

Frame = pl.DataFrame | pl.LazyFrame

UNKNOWN, RANGE, INCOMPLETE = "unknown-value", "out-of-range", "incomplete-marks"

Faults = Sequence[tuple[str, pl.Expr]]
"""Code of a fault with when it is met, the first to be named first."""

Columns = Mapping[str, Any]
"""Column to the Polars type wanted, None for any."""

NO = pl.lit(value=False)


def checked(
    frame: Frame, wanted: Columns, optional: Mapping[str, tuple[Any, Any]] | None = None
) -> pl.LazyFrame:
    """Return the frame with the columns wanted in their types, whole numbers in one width, optional ones filled.

    optional   column to (type, value it has where it is missing or null)

    Raises UnknownValue for a column that is missing and OutOfRange for one of another kind.
    """
    lazy = frame.lazy()
    schema = lazy.collect_schema()
    for name in wanted:
        if name not in schema:
            raise UnknownValue(f"no column {name!r}", name=name, got=tuple(schema))
    kinds = {**wanted, **{name: kind for name, (kind, _default) in (optional or {}).items()}}
    for name, kind in kinds.items():
        if name in schema and kind is not None and not fits(schema[name], kind):
            raise OutOfRange(f"column {name!r} is {schema[name]}", name=name, got=str(schema[name]))
    filled = [pl.col(name).cast(kind) for name, kind in wanted.items() if kind is not None]
    for name, (kind, default) in (optional or {}).items():
        value = pl.lit(default, kind)
        filled.append((pl.col(name).cast(kind).fill_null(value) if name in schema else value).alias(name))
    return lazy.with_columns(filled)


def fits(got: pl.DataType, kind: Any) -> bool:
    """Return whether a column holds what is wanted: whole numbers of any width, text, or nothing but nulls."""
    if isinstance(kind, pl.List):
        return got == pl.Null or (isinstance(got, pl.List) and fits(got.inner, kind.inner))  # type: ignore[arg-type]
    if got == pl.Null:
        return True
    return got.is_integer() if kind == pl.Int64 else got == kind


def half_up(total: pl.Expr, divisor: pl.Expr | int) -> pl.Expr:
    """Return total / divisor rounded to a whole number, ties up; exact, and the same as `core.half_up`."""
    return (2 * total + divisor) // (2 * divisor)


def outside(name: str, lowest: int, highest: int | None) -> pl.Expr:
    """Return whether a number lies outside its range, ends included; None has no upper end, null is no fault."""
    low = pl.col(name) < lowest
    return (low if highest is None else low | (pl.col(name) > highest)).fill_null(value=False)


def any_outside(name: str, lowest: int, highest: int) -> pl.Expr:
    """Return whether an element of a list lies outside the range."""
    beyond = (pl.element() < lowest) | (pl.element() > highest)
    return pl.col(name).list.eval(beyond).list.any().fill_null(value=False)


def has_gap(name: str) -> pl.Expr:
    """Return whether a list is missing or one of its elements is."""
    return pl.col(name).is_null() | pl.col(name).list.eval(pl.element().is_null()).list.any().fill_null(
        value=False
    )


def missing(*names: str) -> pl.Expr:
    """Return whether one of the columns has no value."""
    return pl.any_horizontal(pl.col(name).is_null() for name in names)


def unknown(choices: Sequence[Any], *names: str) -> pl.Expr:
    """Return whether one of the columns has a value that is neither null nor of the list."""
    return pl.any_horizontal((~pl.col(name).is_in(list(choices))).fill_null(value=False) for name in names)


def first_error(faults: Faults) -> pl.Expr:
    """Return the code of the first fault met, null without one."""
    error = pl.lit(None, dtype=pl.String)
    for code, fault in reversed(faults):
        error = pl.when(fault.fill_null(value=False)).then(pl.lit(code)).otherwise(error)
    return error


def branch(branches: Sequence[tuple[pl.Expr, pl.Expr]]) -> pl.Expr:
    """Return the result of the first branch whose test holds; the last one holds always."""
    answer = branches[-1][1]
    for test, result in reversed(branches[:-1]):
        answer = pl.when(test).then(result).otherwise(answer)
    return answer


def reasons(met: Mapping[str, pl.Expr]) -> pl.Expr:
    """Return the codes of the reasons that hold, each once, in the order given."""
    return pl.concat_list(pl.when(holds).then(pl.lit(code)) for code, holds in met.items()).list.drop_nulls()


def answer(lazy: pl.LazyFrame, key: str, shown: Mapping[str, pl.Expr], faults: Faults) -> pl.DataFrame:
    """Return the key, the results (null in rows with a fault) and `error`, in the order of the rows."""
    good = pl.col("error").is_null()
    return (
        lazy.with_columns(error=first_error(faults))
        .select(key, *(pl.when(good).then(value).alias(name) for name, value in shown.items()), "error")
        .collect()
    )
