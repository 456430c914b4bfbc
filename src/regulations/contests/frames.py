"""Caps of prizes of all subjects of a contest at once: a Polars frame in, caps and reason codes out.

One row a subject in any order; the answer has the rows in the same order. Polars is an extra of the distribution
(`analytics`) and is imported here only.
"""

from __future__ import annotations

from types import ModuleType

import polars as pl

from regulations import sets
from regulations.contests.tt_17_2023 import Shares
from regulations.sets import INCOMPLETE, RANGE, Frame


def apply(
    rules: ModuleType, frame: Frame, *, shares: Shares | None = None, of_rounded: bool = True
) -> pl.DataFrame:
    """Return the caps of every subject, and whether a list of prizes keeps within them.

    frame    `subject` any; `candidates`; optional numbers of prizes `nhat`, `nhi`, `ba`, `khuyen_khich`, 0 where
             they are missing
    shares, of_rounded   settings of the one-subject function; a list of prizes is judged by rounded caps

    Returns `subject`, `prizes`, `first_to_third`, `first` (the most of each), `level` ("hop_le" or "vuot"),
    `reasons` and `error` (out-of-range, incomplete-marks), with nulls in a row that is refused.
    """
    chosen = rules.NATIONAL if shares is None else shares
    rules.prize_caps(0, shares=chosen)  # refuses shares that are none
    lazy = sets.checked(
        frame,
        {"subject": None, "candidates": pl.Int64},
        dict.fromkeys(rules.PRIZES, (pl.Int64, 0)),
    )
    exact = pl.col("candidates") * chosen.prizes
    prizes = exact // 100
    base = prizes * 100 if of_rounded else exact
    judged = {
        "prizes": (list(rules.PRIZES), prizes),
        "first_to_third": (list(rules.PRIZES[:3]), prizes * 100 * chosen.first_to_third // 10_000),
        "first": (list(rules.PRIZES[:1]), prizes * 100 * chosen.first // 10_000),
    }
    over = pl.any_horizontal(pl.sum_horizontal(names) > most for names, most in judged.values())
    shown = {
        "prizes": prizes,
        "first_to_third": base * chosen.first_to_third // 10_000,
        "first": base * chosen.first // 10_000,
        "level": pl.when(over).then(pl.lit("vuot")).otherwise(pl.lit("hop_le")),
        "reasons": sets.reasons({"too-many-prizes": over, "prizes-within-caps": ~over}),
    }
    outside = pl.any_horizontal(sets.outside(name, 0, None) for name in ("candidates", *rules.PRIZES))
    return sets.answer(lazy, "subject", shown, ((RANGE, outside), (INCOMPLETE, sets.missing("candidates"))))
