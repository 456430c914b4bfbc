"""Admission scores of a whole province at once: a Polars frame of candidates in, scores and reasons out.

One row a candidate in any order; the answer has the rows in the same order. Scores and points are whole
hundredths. Places are given to sets by nature: see `assign_wishes`. Polars is an extra of the distribution
(`analytics`) and is imported here only.
"""

from __future__ import annotations

from types import ModuleType

import polars as pl

from regulations.admission.base import ELIGIBLE, HIGHEST, NOT_ELIGIBLE
from regulations.core import Hundredths, OutOfRange, UnknownValue

UNKNOWN, RANGE, INCOMPLETE = "unknown-value", "out-of-range", "incomplete-marks"

CODES = (
    "paper-below-minimum",
    "zero-paper-disqualifies",
    "admission-papers",
    "admission-priority",
    "admission-incentive",
)
"""Reason codes in the order the one-candidate function gives them."""

COLUMNS = {"papers": pl.List(pl.Int64), "priority_groups": pl.List(pl.String), "prizes": pl.List(pl.String)}


def apply(
    rules: ModuleType,
    frame: pl.DataFrame | pl.LazyFrame,
    *,
    zero_paper_disqualifies: bool = True,
    minimum_paper: Hundredths = 0,
    both_count: bool = True,
) -> pl.DataFrame:
    """Return the admission score of every candidate under circular 30/2024 (or a draft of it).

    frame   `candidate` any; `papers` list of hundredths; `priority_groups` list of "1", "2", "3"; `prizes`
            list of "Nhất", "Nhì", "Ba"; an empty list where there is none
    The settings are those of the one-candidate function.

    Returns `candidate`, `papers_total`, `priority`, `incentive`, `total`, `eligible`, `level`, `reasons`
    (codes, each once, in order) and `error`: a candidate whose input is refused has the refusal's code there
    and nulls elsewhere. Of several faults the first of unknown-value, out-of-range, incomplete-marks is named.

    Raises UnknownValue for a column that is missing and OutOfRange for one of another kind: no row's fault.
    """
    lazy = _checked(frame.lazy())
    papers = pl.col("papers")
    priority, unknown_group = _points("priority_groups", rules.PRIORITY)
    incentive, unknown_prize = _points("prizes", rules.INCENTIVE)
    outside = papers.list.eval((pl.element() < 0) | (pl.element() > HIGHEST)).list.any()
    holes = papers.list.eval(pl.element().is_null()).list.any()
    missing = pl.any_horizontal(pl.col(name).is_null() for name in COLUMNS)
    faults = (
        (UNKNOWN, unknown_group | unknown_prize),
        (RANGE, outside),
        (INCOMPLETE, missing | holes | ~papers.list.len().is_in(list(rules.PAPERS))),
    )
    results = lazy.with_columns(
        error=pl.coalesce(pl.when(met).then(pl.lit(code)) for code, met in faults),
        papers_total=papers.list.sum(),
        priority=priority if both_count else pl.when(priority >= incentive).then(priority).otherwise(0),
        incentive=incentive if both_count else pl.when(priority >= incentive).then(0).otherwise(incentive),
        low=papers.list.eval(pl.element() < minimum_paper).list.any(),
        zero=papers.list.eval(pl.element() == 0).list.any() & zero_paper_disqualifies,
    )
    eligible = ~(pl.col("low") | pl.col("zero"))
    met = (pl.col("low"), pl.col("zero"), pl.lit(True), pl.col("priority") > 0, pl.col("incentive") > 0)
    reasons = [pl.when(one).then(pl.lit(code)) for code, one in zip(CODES, met, strict=True)]
    shown = {
        "papers_total": pl.col("papers_total"),
        "priority": pl.col("priority"),
        "incentive": pl.col("incentive"),
        "total": pl.col("papers_total") + pl.col("priority") + pl.col("incentive"),
        "eligible": eligible,
        "level": pl.when(eligible).then(pl.lit(ELIGIBLE)).otherwise(pl.lit(NOT_ELIGIBLE)),
        "reasons": pl.concat_list(reasons).list.drop_nulls(),
    }
    good = pl.col("error").is_null()
    return results.select(
        "candidate", *(pl.when(good).then(value).alias(name) for name, value in shown.items()), "error"
    ).collect()


def _points(column: str, table: dict[str, Hundredths]) -> tuple[pl.Expr, pl.Expr]:
    """Return the most points of a list of codes, 0 for none, and whether one of them is unknown."""
    known = list(table)
    points = pl.element().replace_strict(table, default=None, return_dtype=pl.Int64)
    most = pl.col(column).list.eval(points).list.max().fill_null(0)
    return most, pl.col(column).list.eval(~pl.element().is_in(known) | pl.element().is_null()).list.any()


def _checked(lazy: pl.LazyFrame) -> pl.LazyFrame:
    """Return the frame with its columns in one width; refuse a column that is missing or of another kind."""
    schema = lazy.collect_schema()
    for name in ("candidate", *COLUMNS):
        if name not in schema:
            raise UnknownValue(f"no column {name!r}", name=name, got=tuple(schema))
    for name, kind in COLUMNS.items():
        got = schema[name]
        if not (isinstance(got, pl.List) and (got.inner == pl.Null or _fits(got.inner, kind.inner))):
            raise OutOfRange(f"column {name!r} is {got}", name=name, got=str(got))
    return lazy.with_columns(pl.col(name).cast(kind) for name, kind in COLUMNS.items())


def _fits(got: object, kind: object) -> bool:
    return got == kind or (kind == pl.Int64 and isinstance(got, pl.DataType) and got.is_integer())
