"""Completion of lower secondary for a whole province at once: a Polars frame of learners in, results out.

One row a learner in any order; the answer has the rows in the same order: `learner`, `level`, `reasons` (codes,
each once, in the order of the one-learner function) and `error`. A learner whose input is refused has the
refusal's code there and nulls elsewhere; of several faults the first of unknown-value, out-of-range,
incomplete-marks is named. A column that is missing raises UnknownValue, one of another kind OutOfRange.

Polars is an extra of the distribution (`analytics`) and is imported here only.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import polars as pl

from regulations import sets
from regulations.completion.base import NOT_RECOGNISED, OLDEST_AGE, RECOGNISED
from regulations.sets import INCOMPLETE, RANGE, UNKNOWN, Faults, Frame

FACTS = {
    "learner": None,
    "age_by_year": pl.Int64,
    "programme_completed": pl.Boolean,
    "dossier_complete": pl.Boolean,
}


def apply(rules: ModuleType, frame: Frame, **settings: Any) -> pl.DataFrame:
    """Return the completion of every learner under any of the three regulations, or a draft of one.

    QĐ 11/2006   see `ranks`; 31/2023: `recognitions`; 15/2026: `confirmations`, with its setting
    """
    if hasattr(rules, "RANKS"):
        return ranks(rules, frame, **settings)
    if hasattr(rules, "YOUNGEST_CONTINUING"):
        return recognitions(rules, frame, **settings)
    return confirmations(rules, frame, **settings)


def ranks(rules: ModuleType, frame: Frame) -> pl.DataFrame:
    """Return the rank of graduation of every learner of grade 9 under decision 11/2006.

    frame   `learner` any; `conduct`, `learning` codes of grade 9's levels
    """
    lazy = sets.checked(frame, {"learner": None, "conduct": pl.String, "learning": pl.String})
    unknown = sets.unknown(rules.CONDUCT, "conduct") | sets.unknown(rules.LEARNING, "learning")
    branches = [
        (
            pl.col("conduct").is_in(list(rules.CONDUCT[rules.CONDUCT.index(conduct) :]))
            & pl.col("learning").is_in(list(rules.LEARNING[rules.LEARNING.index(learning) :])),
            pl.lit(level),
        )
        for level, conduct, learning in rules.RANKS
    ]
    level = sets.branch([*branches, (pl.lit(value=True), pl.lit(NOT_RECOGNISED))])
    refused = level == NOT_RECOGNISED
    shown = {
        "level": level,
        "reasons": sets.reasons(
            {"lower-secondary-rank": ~refused, "lower-secondary-levels-too-low": refused}
        ),
    }
    return sets.answer(lazy, "learner", shown, ((UNKNOWN, unknown | sets.missing("conduct", "learning")),))


def recognitions(rules: ModuleType, frame: Frame) -> pl.DataFrame:
    """Return the recognition of every learner under circular 31/2023.

    frame   `learner`; `age_by_year` year of recognition minus year of birth; `programme_completed`,
            `dossier_complete`; optional `stream` ("GDPT", which it is where it is missing, or "GDTX"),
            `round_number` from 1
    """
    lazy = sets.checked(frame, FACTS, {"stream": (pl.String, "GDPT"), "round_number": (pl.Int64, 1)})
    age, is_general = pl.col("age_by_year"), pl.col("stream") == "GDPT"
    against = {
        "too-old-to-complete": is_general & (age > rules.OLDEST_GENERAL),
        "too-young-to-complete": ~is_general & (age < rules.YOUNGEST_CONTINUING),
        "no-more-rounds": is_general & (pl.col("round_number") > rules.ROUNDS),
        **_undone(),
    }
    outside = sets.outside("age_by_year", 0, OLDEST_AGE) | sets.outside("round_number", 1, None)
    faults = (
        (UNKNOWN, sets.unknown(("GDPT", "GDTX"), "stream")),
        (RANGE, outside),
        (INCOMPLETE, sets.missing(*list(FACTS)[1:])),
    )
    return _concluded(lazy, against, faults)


def confirmations(rules: ModuleType, frame: Frame, *, failed_subjects_bar: bool = False) -> pl.DataFrame:
    """Return whether the principal may confirm completion of every learner under circular 15/2026.

    frame   `learner`, `age_by_year`, `programme_completed`, `dossier_complete`; optional `learning`, `conduct`
            ("dat" where they are missing), `absences`, `failed_subjects` (0 where they are missing)
    failed_subjects_bar   whether one subject that stays at Chưa đạt bars the confirmation
    """
    levels = {"learning": (pl.String, "dat"), "conduct": (pl.String, "dat")}
    counts = {"absences": (pl.Int64, 0), "failed_subjects": (pl.Int64, 0)}
    lazy = sets.checked(frame, FACTS, {**levels, **counts})
    against = {
        "too-old-to-complete": pl.col("age_by_year") > rules.OLDEST,
        **_undone(),
        "lower-secondary-levels-too-low": pl.any_horizontal(pl.col(name) == "chua_dat" for name in levels),
        "absences-bar-completion": pl.col("absences") > rules.MOST_ABSENCES,
        "failed-subjects-bar-completion": (pl.col("failed_subjects") > 0) & pl.lit(failed_subjects_bar),
    }
    outside = pl.any_horizontal(
        sets.outside("age_by_year", 0, OLDEST_AGE), *(sets.outside(name, 0, None) for name in counts)
    )
    faults = (
        (UNKNOWN, sets.unknown(rules.LEVELS, *levels)),
        (RANGE, outside),
        (INCOMPLETE, sets.missing(*list(FACTS)[1:])),
    )
    return _concluded(lazy, against, faults)


def _undone() -> dict[str, pl.Expr]:
    return {
        "programme-not-completed": ~pl.col("programme_completed"),
        "dossier-incomplete": ~pl.col("dossier_complete"),
    }


def _concluded(lazy: pl.LazyFrame, against: dict[str, pl.Expr], faults: Faults) -> pl.DataFrame:
    refused = pl.any_horizontal(*against.values())
    shown = {
        "level": pl.when(refused).then(pl.lit(NOT_RECOGNISED)).otherwise(pl.lit(RECOGNISED)),
        "reasons": sets.reasons({**against, "completion-conditions-met": ~refused}),
    }
    return sets.answer(lazy, "learner", shown, faults)
