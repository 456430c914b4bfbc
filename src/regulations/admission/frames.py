"""Admission scores of a whole province at once: a Polars frame of candidates in, scores and reasons out.

One row a candidate in any order; the answer has the rows in the same order. Scores and points are whole
hundredths. Places are given to sets by nature: see `assign_wishes`. Polars is an extra of the distribution
(`analytics`) and is imported here only.

Every answer has `eligible`, `level`, `reasons` (codes, each once, in order) and `error`: a candidate whose input is
refused has the refusal's code there and nulls elsewhere. Of several faults the first of unknown-value,
out-of-range, incomplete-marks is named. A column that is missing raises UnknownValue, one of another kind
OutOfRange: no row's fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import polars as pl

from regulations import sets
from regulations.admission.base import ELIGIBLE, HIGHEST, NOT_ELIGIBLE
from regulations.core import Hundredths, OutOfRange
from regulations.sets import INCOMPLETE, NO, RANGE, UNKNOWN, Faults, Frame

CODES = (
    "paper-below-minimum",
    "zero-paper-disqualifies",
    "admission-papers",
    "admission-priority",
    "admission-incentive",
)
"""Reason codes in the order the one-candidate function gives them."""

PAPERS = {"candidate": None, "papers": pl.List(pl.Int64)}
GROUPS = {**PAPERS, "priority_groups": pl.List(pl.String), "prizes": pl.List(pl.String)}
WEIGHED = {**PAPERS, "coefficients": pl.List(pl.Int64)}
POINTS = {"priority": (pl.Int64, 0), "incentive": (pl.Int64, 0)}
SPECIAL = {"candidate": None, "common": pl.List(pl.Int64), "special": pl.Int64}


def apply(rules: ModuleType, frame: Frame, **settings: Any) -> pl.DataFrame:
    """Return the admission score of every candidate under circular 30/2024, 11/2014 or 05/2023, or a draft.

    30/2024   see `scores_by_groups`; 11/2014: `scores_by_coefficients`; 05/2023: `specialised_scores`, whose
              settings are those of the one-candidate functions
    """
    if hasattr(rules, "COMMON_PAPERS"):
        return specialised_scores(rules, frame, **settings)
    if hasattr(rules, "INCENTIVE"):
        return scores_by_groups(rules, frame, **settings)
    return scores_by_coefficients(rules, frame, **settings)


def scores_by_groups(
    rules: ModuleType,
    frame: Frame,
    *,
    zero_paper_disqualifies: bool = True,
    minimum_paper: Hundredths = 0,
    both_count: bool = True,
) -> pl.DataFrame:
    """Return the admission score of every candidate under circular 30/2024 (or a draft of it).

    frame   `candidate` any; `papers` list of hundredths; `priority_groups` list of "1", "2", "3"; `prizes`
            list of "Nhất", "Nhì", "Ba"; an empty list where there is none

    Returns `candidate`, `papers_total`, `priority`, `incentive`, `total`, `eligible`, `level`, `reasons`, `error`.
    """
    lazy = sets.checked(frame, GROUPS)
    papers = pl.col("papers")
    priority, unknown_group = _points("priority_groups", rules.PRIORITY)
    incentive, unknown_prize = _points("prizes", rules.INCENTIVE)
    faults = (
        (UNKNOWN, unknown_group | unknown_prize),
        (RANGE, sets.any_outside("papers", 0, HIGHEST)),
        (
            INCOMPLETE,
            sets.missing("priority_groups", "prizes")
            | sets.has_gap("papers")
            | ~papers.list.len().is_in(list(rules.PAPERS)),
        ),
    )
    first = priority >= incentive
    return _scores(
        lazy,
        papers.list.sum(),
        priority if both_count else pl.when(first).then(priority).otherwise(0),
        incentive if both_count else pl.when(first).then(0).otherwise(incentive),
        papers.list.eval(pl.element() < minimum_paper).list.any(),
        _zero(zero_paper_disqualifies),
        faults,
    )


def scores_by_coefficients(
    rules: ModuleType, frame: Frame, *, zero_paper_disqualifies: bool = True
) -> pl.DataFrame:
    """Return the admission score of every candidate under circular 11/2014.

    frame   `candidate`; `papers` list of hundredths; `coefficients` list of whole numbers from 1, one a paper;
            optional `priority`, `incentive` hundredths, as the province gave them

    Columns of the answer as of `scores_by_groups`.
    """
    lazy = sets.checked(frame, WEIGHED, POINTS)
    papers, weights = pl.col("papers"), pl.col("coefficients")
    number = papers.list.len()
    unfit = (weights.list.len() != number) | weights.list.eval(pl.element() < 1).list.any()
    faults = (
        (
            RANGE,
            sets.any_outside("papers", 0, HIGHEST)
            | unfit.fill_null(value=False)
            | sets.has_gap("coefficients")
            | sets.outside("priority", 0, None)
            | sets.outside("incentive", 0, None),
        ),
        (INCOMPLETE, sets.has_gap("papers") | ~number.is_in(list(rules.PAPERS))),
    )
    # A list arithmetic wants equal lengths in every row: a row of unequal ones is refused above, so any do.
    fitting = pl.when(weights.list.len() == number).then(weights).otherwise(papers)
    return _scores(
        lazy,
        (papers * fitting).list.sum(),
        pl.col("priority"),
        pl.col("incentive"),
        NO,
        _zero(zero_paper_disqualifies),
        faults,
    )


def specialised_scores(
    rules: ModuleType, frame: Frame, *, coefficient: int | None = None, floor: Hundredths | None = None
) -> pl.DataFrame:
    """Return the score of every candidate for a specialised school under circular 05/2023.

    frame         `candidate`; `common` list of hundredths; `special` hundredths; optional `learning` and
                  `conduct`, lists of the levels of the lower-secondary years, as long as each other
    coefficient   of the specialised paper; None takes the circular's
    floor         each paper must be above it; None sets none

    Returns `candidate`, `total`, `eligible`, `level`, `reasons`, `error`.
    """
    times = rules.COEFFICIENT if coefficient is None else coefficient
    if type(times) is not int or times < 1:
        raise OutOfRange(f"coefficient: {times!r}", citation=rules.PLACE, name="coefficient", got=times)
    levels: dict[str, tuple[Any, Any]] = {name: (pl.List(pl.String), []) for name in ("learning", "conduct")}
    lazy = sets.checked(frame, SPECIAL, levels)
    common, special = pl.col("common"), pl.col("special")
    faults = (
        (RANGE, sets.any_outside("common", 0, HIGHEST) | sets.outside("special", 0, HIGHEST)),
        (
            INCOMPLETE,
            sets.has_gap("common")
            | special.is_null()
            | ~common.list.len().is_in(list(rules.COMMON_PAPERS))
            | (pl.col("learning").list.len() != pl.col("conduct").list.len()),
        ),
    )
    low = NO if floor is None else common.list.eval(pl.element() <= floor).list.any() | (special <= floor)
    fine = pl.element().is_in(list(rules.CONDITION)).fill_null(value=False)
    below = pl.any_horizontal(pl.col(name).list.eval(~fine).list.any() for name in levels)
    against = low | below
    shown = {
        "total": common.list.sum() + times * special,
        **_eligibility(~against),
        "reasons": sets.reasons(
            {
                "specialised-paper-not-above-floor": low,
                "specialised-year-below": below,
                "specialised-score": pl.lit(value=True),
            }
        ),
    }
    return sets.answer(lazy, "candidate", shown, faults)


def _scores(
    lazy: pl.LazyFrame,
    papers: pl.Expr,
    priority: pl.Expr,
    incentive: pl.Expr,
    low: pl.Expr,
    zero: pl.Expr,
    faults: Faults,
) -> pl.DataFrame:
    """Return the answer of both circulars on grade 10."""
    met = (low, zero, pl.lit(value=True), priority > 0, incentive > 0)
    shown = {
        "papers_total": papers,
        "priority": priority,
        "incentive": incentive,
        "total": papers + priority + incentive,
        **_eligibility(~(low | zero)),
        "reasons": sets.reasons(dict(zip(CODES, met, strict=True))),
    }
    return sets.answer(lazy, "candidate", shown, faults)


def _eligibility(eligible: pl.Expr) -> dict[str, pl.Expr]:
    level = pl.when(eligible).then(pl.lit(ELIGIBLE)).otherwise(pl.lit(NOT_ELIGIBLE))
    return {"eligible": eligible, "level": level}


def _zero(disqualifies: bool) -> pl.Expr:
    return pl.col("papers").list.eval(pl.element() == 0).list.any() & pl.lit(disqualifies)


def _points(column: str, table: Mapping[str, Hundredths]) -> tuple[pl.Expr, pl.Expr]:
    """Return the most points of a list of codes, 0 for none, and whether one of them is unknown."""
    points = pl.element().replace_strict(table, default=None, return_dtype=pl.Int64)
    most = pl.col(column).list.eval(points).list.max().fill_null(0)
    strange = ~pl.element().is_in(list(table)) | pl.element().is_null()
    return most, pl.col(column).list.eval(strange).list.any()
