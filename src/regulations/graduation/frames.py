"""The recognition of a whole exam at once: a Polars frame of candidates in, scores and reason codes out.

One row a candidate in any order; the answer has the rows in the same order. Scores, averages and points are
whole hundredths. Polars is an extra of the distribution (`analytics`) and is imported here only.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import polars as pl

from regulations.core import OutOfRange, UnknownValue
from regulations.graduation.base import HIGHEST, NOT_RECOGNISED, RECOGNISED

UNKNOWN, RANGE, INCOMPLETE = "unknown-value", "out-of-range", "incomplete-marks"

CODES = (
    "results-cancelled",
    "paper-not-above-fail-mark",
    "graduation-score-below",
    "graduation-score-reached",
    "bonus-capped",
)
"""Reason codes in the order the one-candidate function gives them."""

Columns = Mapping[str, Any]
"""Column to the Polars type wanted, None for any."""

COMMON: Columns = {"candidate": None, "papers": pl.List(pl.Int64), "bonus": pl.Int64, "priority": pl.Int64}
OPTIONAL: Columns = {"cancelled": pl.Boolean, "exempt_papers": pl.Int64}
OF_YEARS: Columns = {"grade10": pl.Int64, "grade11": pl.Int64, "grade12": pl.Int64}
OF_ONE_YEAR: Columns = {"grade12": pl.Int64, "components": pl.List(pl.Int64), "stream": pl.String}


def apply(rules: ModuleType, frame: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Return the recognition of every candidate under circular 24/2024 or 15/2020 (or a draft of either).

    frame   `candidate` any; `papers` list of hundredths; `bonus`, `priority` hundredths; optional `cancelled`,
            `exempt_papers` (0 or 1). 24/2024: `grade10`, `grade11`, `grade12`. 15/2020: `grade12` (null when
            there is none), `components` list, `stream` ("THPT" or "GDTX")

    Returns `candidate`, `score`, `years_average` (null under 15/2020), `fail_marks`, `bonus` (as counted),
    `level`, `reasons` (codes, each once, in order) and `error`: a candidate whose input is refused has the
    refusal's code there and nulls elsewhere, and the others get their results. Of several faults the first of
    unknown-value, out-of-range, incomplete-marks is named.

    Raises UnknownValue for a column that is missing and OutOfRange for one of another kind: no row's fault.
    """
    of_years = hasattr(rules, "YEAR_WEIGHTS")
    lazy = _checked(frame.lazy(), {**COMMON, **(OF_YEARS if of_years else OF_ONE_YEAR)})
    faults, score, years, papers = _of_years(rules) if of_years else _of_one_year(rules)
    fault = pl.coalesce(pl.when(met).then(pl.lit(code)) for code, met in faults)
    counted = pl.min_horizontal("bonus", pl.lit(rules.BONUS_CAP, pl.Int64))
    low = papers.list.eval(pl.element() <= rules.FAIL_MARK).list.sum().cast(pl.Int64)
    results = lazy.with_columns(score=score, years_average=years, fail_marks=low, error=fault).with_columns(
        counted=counted
    )
    met = {
        "results-cancelled": pl.col("cancelled"),
        "paper-not-above-fail-mark": pl.col("fail_marks") > 0,
        "graduation-score-below": pl.col("score") < rules.PASS_SCORE,
        "bonus-capped": pl.col("bonus") > rules.BONUS_CAP,
    }
    against = pl.any_horizontal(met[code] for code in CODES[:3])
    met["graduation-score-reached"] = ~against
    reasons = pl.concat_list(pl.when(met[code]).then(pl.lit(code)) for code in CODES).list.drop_nulls()
    level = pl.when(against).then(pl.lit(NOT_RECOGNISED)).otherwise(pl.lit(RECOGNISED))
    shown = {
        "score": pl.col("score"),
        "years_average": pl.col("years_average"),
        "fail_marks": pl.col("fail_marks"),
        "bonus": pl.col("counted"),
        "level": level,
        "reasons": reasons,
    }
    good = pl.col("error").is_null()
    return results.select(
        "candidate", *(pl.when(good).then(value).alias(name) for name, value in shown.items()), "error"
    ).collect()


Faults = tuple[tuple[str, pl.Expr], ...]


def _of_years(rules: ModuleType) -> tuple[Faults, pl.Expr, pl.Expr, pl.Expr]:
    """Return faults, score, average of the years and the papers with a fail mark of circular 24/2024."""
    grades = [pl.col(name) for name in OF_YEARS]
    exempt = pl.col("exempt_papers")
    faults = _faults(
        lists=("papers",),
        numbers=("bonus", "priority"),
        scores=tuple(OF_YEARS),
        unknown=~exempt.is_in([0, 1]),
        lacking=pl.col("papers").list.len() != rules.PAPERS - exempt,
    )
    weighted = pl.sum_horizontal(
        weight * grade for weight, grade in zip(rules.YEAR_WEIGHTS, grades, strict=True)
    )
    years = _half_up(weighted, pl.lit(sum(rules.YEAR_WEIGHTS), pl.Int64))
    divisor = pl.col("papers").list.len().cast(pl.Int64)
    counted = pl.min_horizontal("bonus", pl.lit(rules.BONUS_CAP, pl.Int64))
    total = pl.col("papers").list.sum() + counted + divisor * years
    return faults, _half_up(total, 2 * divisor) + pl.col("priority"), years, pl.col("papers")


def _of_one_year(rules: ModuleType) -> tuple[Faults, pl.Expr, pl.Expr, pl.Expr]:
    """Return the same of circular 15/2020; a null `grade12` leaves the papers alone to count."""
    stream, exempt = pl.col("stream"), pl.col("exempt_papers")
    needed = stream.replace_strict(rules.PAPERS, default=None, return_dtype=pl.Int64)
    components = pl.col("components").list.len()
    year = pl.col("grade12")
    faults = _faults(
        lists=("papers", "components"),
        numbers=("bonus", "priority"),
        scores=(),
        unknown=needed.is_null() | ~exempt.is_in([0, 1]),
        lacking=(pl.col("papers").list.len() != needed - exempt) | ~components.is_in([0, *rules.COMPONENTS]),
        outside=(year < 0) | (year > HIGHEST),
    )
    counted = pl.min_horizontal("bonus", pl.lit(rules.BONUS_CAP, pl.Int64))
    total = pl.col("papers").list.sum() + exempt * rules.EXEMPT_LANGUAGE
    exam, whole = rules.BONUS_PARTS * total + needed * counted, rules.BONUS_PARTS * needed
    weights = rules.PAPERS_WEIGHT + rules.YEAR_WEIGHT
    with_year = _half_up(rules.PAPERS_WEIGHT * exam + rules.YEAR_WEIGHT * whole * year, weights * whole)
    score = pl.when(year.is_null()).then(_half_up(exam, whole)).otherwise(with_year) + pl.col("priority")
    return faults, score, pl.lit(None, pl.Int64), pl.concat_list("papers", "components")


def _faults(
    *,
    lists: tuple[str, ...],
    numbers: tuple[str, ...],
    scores: tuple[str, ...],
    unknown: pl.Expr,
    lacking: pl.Expr,
    outside: pl.Expr | None = None,
) -> Faults:
    """Return the code of each fault with when it is met, the first to be named first."""
    in_lists = [
        pl.col(name).list.eval((pl.element() < 0) | (pl.element() > HIGHEST)).list.any() for name in lists
    ]
    of_numbers = [pl.col(name) < 0 for name in numbers]
    of_scores = [(pl.col(name) < 0) | (pl.col(name) > HIGHEST) for name in scores]
    beyond = [] if outside is None else [outside]
    missing = [pl.col(name).is_null() for name in (*lists, *numbers, *scores)]
    holes = [pl.col(name).list.eval(pl.element().is_null()).list.any() for name in lists]
    return (
        (UNKNOWN, unknown),
        (RANGE, pl.any_horizontal(*in_lists, *of_numbers, *of_scores, *beyond)),
        (INCOMPLETE, pl.any_horizontal(*missing, *holes, lacking)),
    )


def _checked(lazy: pl.LazyFrame, wanted: Columns) -> pl.LazyFrame:
    """Return the frame with whole numbers of one width and the optional columns filled."""
    schema = lazy.collect_schema()
    for name, kind in wanted.items():
        if name not in schema:
            raise UnknownValue(f"no column {name!r}", name=name, got=tuple(schema))
        if kind is not None and not _fits(schema[name], kind):
            raise OutOfRange(f"column {name!r} is {schema[name]}", name=name, got=str(schema[name]))
    filled = [pl.col(name).cast(kind) for name, kind in wanted.items() if kind is not None]
    for name, kind in OPTIONAL.items():
        empty = pl.lit(False) if kind == pl.Boolean else pl.lit(0, pl.Int64)
        filled.append((pl.col(name).cast(kind).fill_null(empty) if name in schema else empty).alias(name))
    return lazy.with_columns(filled)


def _fits(got: pl.DataType, kind: pl.DataType) -> bool:
    """Return whether a column holds what is wanted: whole numbers of any width, text, or nothing but nulls."""
    if isinstance(kind, pl.List):
        return isinstance(got, pl.List) and _fits(got.inner, kind.inner)  # type: ignore[arg-type]
    if got == pl.Null:
        return True
    return got.is_integer() if kind == pl.Int64 else got == kind


def _half_up(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    return (2 * numerator + denominator) // (2 * denominator)
