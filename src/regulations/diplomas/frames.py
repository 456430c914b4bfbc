"""Diplomas of a whole province at once: days by which they are issued, and balances of blanks.

Answers have the rows of their frame in their order, with `error` (unknown-value, out-of-range, incomplete-marks)
and nulls in a row that is refused. Polars is an extra of the distribution (`analytics`) and is imported here only.
"""

from __future__ import annotations

from types import ModuleType

import polars as pl

from regulations import sets
from regulations.core import OutOfRange
from regulations.diplomas.base import BOOKS
from regulations.sets import INCOMPLETE, NO, RANGE, UNKNOWN, Frame


def apply(rules: ModuleType, frame: Frame, *, days: int | None = None) -> pl.DataFrame:
    """Return the last day to issue each diploma under circular 21/2019 or 10/2026.

    frame   `diploma` any; `kind` ("thcs", "thpt", "certificate"); `decided_on` a day; optional `digital`
    days    10/2026 only: the number once its text is read; None takes the draft's

    Returns `diploma`, `deadline` and `error`; raises OutOfRange for a number of days that is none.
    """
    if days is not None and (type(days) is not int or days < 0):
        raise OutOfRange(f"days: {days!r}", name="days", got=days)
    knows_digital = hasattr(rules, "DIGITAL_DAYS")
    lazy = sets.checked(
        frame, {"diploma": None, "kind": pl.String, "decided_on": pl.Date}, {"digital": (pl.Boolean, False)}
    )
    usual = pl.col("kind").replace_strict(rules.ISSUE_DAYS, default=None, return_dtype=pl.Int64)
    if knows_digital:
        digital = pl.lit(rules.DIGITAL_DAYS, pl.Int64)
        usual = pl.when("digital").then(digital).otherwise(usual)
        if days is not None:
            usual = pl.lit(days, pl.Int64)
    unknown = ~pl.col("kind").is_in(list(rules.ISSUE_DAYS)).fill_null(value=False)
    faults = (
        (UNKNOWN, unknown | (NO if knows_digital else pl.col("digital"))),
        (INCOMPLETE, sets.missing("decided_on")),
    )
    shown = {"deadline": pl.col("decided_on") + pl.duration(days=usual)}
    return sets.answer(lazy, "diploma", shown, faults)


def blank_balances(frame: Frame) -> pl.DataFrame:
    """Return whether the year's blanks of each unit and kind balance.

    frame   `unit` any; `opening`, `received`, `used`, `damaged`, `cancelled`, `closing`

    Returns `unit`, `level` ("can" or "lech"), `difference`, `reasons` and `error`.
    """
    lazy = sets.checked(frame, {"unit": None, **dict.fromkeys(BOOKS, pl.Int64)})
    came_in, gone = BOOKS[:2], BOOKS[2:]
    difference = pl.sum_horizontal(came_in) - pl.sum_horizontal(gone)
    apart = difference != 0
    shown = {
        "level": pl.when(apart).then(pl.lit("lech")).otherwise(pl.lit("can")),
        "difference": difference,
        "reasons": sets.reasons({"blanks-do-not-balance": apart, "blanks-balance": ~apart}),
    }
    outside = pl.any_horizontal(sets.outside(name, 0, None) for name in BOOKS)
    return sets.answer(lazy, "unit", shown, ((RANGE, outside), (INCOMPLETE, sets.missing(*BOOKS))))
