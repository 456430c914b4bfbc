"""The recognition of a whole exam at once: a Polars frame of candidates in, scores and reason codes out.

One row a candidate in any order; the answer has the rows in the same order. Scores, averages and points are
whole hundredths. Polars is an extra of the distribution (`analytics`) and is imported here only.
"""

from __future__ import annotations

from types import ModuleType

import polars as pl

from regulations import sets
from regulations.graduation.base import HIGHEST, NOT_RECOGNISED, RECOGNISED
from regulations.sets import INCOMPLETE, NO, RANGE, UNKNOWN, Columns, Faults, Frame, half_up

CODES = (
    "results-cancelled",
    "paper-not-above-fail-mark",
    "graduation-score-below",
    "graduation-score-reached",
    "bonus-capped",
)
"""Reason codes in the order the one-candidate function gives them."""

COMMON: Columns = {"candidate": None, "papers": pl.List(pl.Int64), "bonus": pl.Int64, "priority": pl.Int64}
OPTIONAL = {"cancelled": (pl.Boolean, False), "exempt_papers": (pl.Int64, 0)}
OF_YEARS: Columns = {"grade10": pl.Int64, "grade11": pl.Int64, "grade12": pl.Int64}
OF_ONE_YEAR: Columns = {"grade12": pl.Int64, "components": pl.List(pl.Int64)}

FOUND = "found"
"""Prefix of the columns in between, so that none of the caller's is overwritten."""


def apply(rules: ModuleType, frame: Frame) -> pl.DataFrame:
    """Return the recognition of every candidate under any regulation of the exam (or a draft of one).

    frame   `candidate` any; `papers` list of hundredths; `bonus`, `priority` hundredths; optional `cancelled`.
            24/2024: `grade10`, `grade11`, `grade12`, optional `exempt_papers` (0 or 1). 15/2020: `grade12` (null
            when there is none), `components` list, `stream` ("THPT" or "GDTX"), optional `exempt_papers`.
            02/2015 and 03/2019: `grade12`, `components` list

    Returns `candidate`, `score`, `years_average` (null before 24/2024), `fail_marks`, `bonus` (as counted),
    `level`, `reasons` (codes, each once, in order) and `error`: a candidate whose input is refused has the
    refusal's code there and nulls elsewhere, and the others get their results. Of several faults the first of
    unknown-value, out-of-range, incomplete-marks is named.

    Raises UnknownValue for a column that is missing and OutOfRange for one of another kind: no row's fault.
    """
    # What an amending circular leaves as it was stands in the module it amends.
    limits = getattr(rules, "amended", rules)
    if hasattr(rules, "YEAR_WEIGHTS"):
        lazy = sets.checked(frame, {**COMMON, **OF_YEARS}, OPTIONAL)
        faults, score, years, sat = _of_years(rules)
    elif hasattr(rules, "EXEMPT_LANGUAGE"):
        lazy = sets.checked(frame, {**COMMON, **OF_ONE_YEAR, "stream": pl.String}, OPTIONAL)
        faults, score, years, sat = _of_one_year(rules)
    else:
        lazy = sets.checked(frame, {**COMMON, **OF_ONE_YEAR}, {"cancelled": OPTIONAL["cancelled"]})
        faults, score, years, sat = _by_halves(rules, limits)
    low = sat.list.eval(pl.element() <= limits.FAIL_MARK).list.sum().cast(pl.Int64)
    lazy = lazy.with_columns(
        score.alias(f"{FOUND}_score"), years.alias(f"{FOUND}_years"), low.alias(f"{FOUND}_low")
    )
    found = pl.col(f"{FOUND}_score")
    met = {
        "results-cancelled": pl.col("cancelled"),
        "paper-not-above-fail-mark": pl.col(f"{FOUND}_low") > 0,
        "graduation-score-below": found < limits.PASS_SCORE,
        "bonus-capped": pl.col("bonus") > limits.BONUS_CAP,
    }
    against = pl.any_horizontal(met[code] for code in CODES[:3])
    met["graduation-score-reached"] = ~against
    shown = {
        "score": found,
        "years_average": pl.col(f"{FOUND}_years"),
        "fail_marks": pl.col(f"{FOUND}_low"),
        "bonus": _counted(limits),
        "level": pl.when(against).then(pl.lit(NOT_RECOGNISED)).otherwise(pl.lit(RECOGNISED)),
        "reasons": sets.reasons({code: met[code] for code in CODES}),
    }
    return sets.answer(lazy, "candidate", shown, faults)


Parts = tuple[Faults, pl.Expr, pl.Expr, pl.Expr]
"""Faults, score, average of the years, and the list of marks that may not be fail marks."""


def _of_years(rules: ModuleType) -> Parts:
    """Return the parts of circular 24/2024."""
    exempt, papers = pl.col("exempt_papers"), pl.col("papers")
    faults = _faults(
        lists=("papers",),
        scores=tuple(OF_YEARS),
        unknown=~exempt.is_in([0, 1]),
        lacking=papers.list.len() != rules.PAPERS - exempt,
    )
    weighted = pl.sum_horizontal(
        weight * pl.col(grade) for weight, grade in zip(rules.YEAR_WEIGHTS, OF_YEARS, strict=True)
    )
    years = half_up(weighted, pl.lit(sum(rules.YEAR_WEIGHTS), pl.Int64))
    divisor = papers.list.len().cast(pl.Int64)
    total = papers.list.sum() + _counted(rules) + divisor * years
    return faults, half_up(total, 2 * divisor) + pl.col("priority"), years, papers


def _of_one_year(rules: ModuleType) -> Parts:
    """Return the parts of circular 15/2020; a null `grade12` leaves the papers alone to count."""
    exempt, year = pl.col("exempt_papers"), pl.col("grade12")
    needed = pl.col("stream").replace_strict(rules.PAPERS, default=None, return_dtype=pl.Int64)
    components = pl.col("components").list.len()
    faults = _faults(
        lists=("papers", "components"),
        scores=(),
        unknown=needed.is_null() | ~exempt.is_in([0, 1]),
        lacking=(pl.col("papers").list.len() != needed - exempt) | ~components.is_in([0, *rules.COMPONENTS]),
        beyond=sets.outside("grade12", 0, HIGHEST),
    )
    total = pl.col("papers").list.sum() + exempt * rules.EXEMPT_LANGUAGE
    exam, whole = rules.BONUS_PARTS * total + needed * _counted(rules), rules.BONUS_PARTS * needed
    weights = rules.PAPERS_WEIGHT + rules.YEAR_WEIGHT
    with_year = half_up(rules.PAPERS_WEIGHT * exam + rules.YEAR_WEIGHT * whole * year, weights * whole)
    score = pl.when(year.is_null()).then(half_up(exam, whole)).otherwise(with_year) + pl.col("priority")
    return faults, score, pl.lit(None, pl.Int64), pl.concat_list("papers", "components")


def _by_halves(rules: ModuleType, limits: ModuleType) -> Parts:
    """Return the parts of circulars 02/2015 and 03/2019: weights of papers and of grade 12."""
    faults = _faults(
        lists=("papers", "components"),
        scores=("grade12",),
        unknown=NO,
        lacking=(pl.col("papers").list.len() != limits.PAPERS)
        | ~pl.col("components").list.len().is_in(list(limits.COMPONENTS)),
    )
    of_papers, of_year = rules.WEIGHTS
    total = of_papers * (pl.col("papers").list.sum() + _counted(limits))
    total = total + of_year * limits.PAPERS * pl.col("grade12")
    score = half_up(total, pl.lit((of_papers + of_year) * limits.PAPERS, pl.Int64)) + pl.col("priority")
    return faults, score, pl.lit(None, pl.Int64), pl.concat_list("papers", "components")


def _counted(limits: ModuleType) -> pl.Expr:
    """Return the bonus within its cap."""
    return pl.min_horizontal("bonus", pl.lit(limits.BONUS_CAP, pl.Int64))


def _faults(
    *,
    lists: tuple[str, ...],
    scores: tuple[str, ...],
    unknown: pl.Expr,
    lacking: pl.Expr,
    beyond: pl.Expr = NO,
) -> Faults:
    """Return the code of each fault with when it is met, the first to be named first."""
    points = ("bonus", "priority")
    off = [sets.any_outside(name, 0, HIGHEST) for name in lists]
    off += [sets.outside(name, 0, HIGHEST) for name in scores] + [
        sets.outside(name, 0, None) for name in points
    ]
    gaps = [sets.has_gap(name) for name in lists]
    return (
        (UNKNOWN, unknown),
        (RANGE, pl.any_horizontal(*off, beyond)),
        (INCOMPLETE, pl.any_horizontal(*gaps, sets.missing(*points, *scores), lacking)),
    )
