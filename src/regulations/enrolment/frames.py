"""Children and classes of a whole province at once: ages of entry, sizes of classes.

Answers have the rows of their frame in their order: the key, `level`, `reasons` and `error` (unknown-value,
out-of-range, incomplete-marks), with nulls in a row that is refused. Polars is an extra of the distribution
(`analytics`) and is imported here only.
"""

from __future__ import annotations

from types import ModuleType

import polars as pl

from regulations import sets
from regulations.enrolment.base import (
    DECISION,
    ENTRY_AGES,
    ON_TIME,
    OVER,
    OVER_AGE,
    SPECIAL,
    UNDER_AGE,
    WITHIN,
)
from regulations.sets import INCOMPLETE, NO, RANGE, UNKNOWN, Frame

AGE_CODES = {
    ON_TIME: "entry-age-right",
    UNDER_AGE: "entry-age-under",
    OVER_AGE: "entry-age-over-needs-ground",
    SPECIAL: "entry-age-over-with-ground",
    DECISION: "entry-age-needs-decision",
}


def entry_ages(rules: ModuleType, frame: Frame, *, year: int) -> pl.DataFrame:
    """Return how each child's age stands to grade 1, 6 or 10 in the school year that begins in `year`.

    frame   `child` any; `birth_year`, `grade`; optional `grounds` (a listed ground for over-age entry is shown),
            `shift` (years repeated less years skipped)
    """
    lazy = sets.checked(
        frame,
        {"child": None, "birth_year": pl.Int64, "grade": pl.Int64},
        {"grounds": (pl.Boolean, False), "shift": (pl.Int64, 0)},
    )
    ages = pl.col("grade").replace_strict(ENTRY_AGES, default=None, return_dtype=pl.Int64)
    age, expected = year - pl.col("birth_year"), ages + pl.col("shift")
    level = sets.branch(
        [
            (age == expected, pl.lit(ON_TIME)),
            (age < expected, pl.lit(UNDER_AGE)),
            (~pl.col("grounds"), pl.lit(OVER_AGE)),
            (age <= expected + rules.OVER_AGE, pl.lit(SPECIAL)),
            (pl.lit(value=True), pl.lit(DECISION)),
        ]
    )
    faults = (
        (UNKNOWN, ~pl.col("grade").is_in(list(ENTRY_AGES)).fill_null(value=False)),
        (RANGE, (age < 0).fill_null(value=False)),
        (INCOMPLETE, sets.missing("birth_year")),
    )
    reasons = sets.reasons({code: level == name for name, code in AGE_CODES.items()})
    return sets.answer(lazy, "child", {"level": level, "reasons": reasons}, faults)


def class_sizes(
    rules: ModuleType, frame: Frame, *, level: str, province_most: int | None = None
) -> pl.DataFrame:
    """Return whether each class of a level keeps within its size: "trong_muc" or "vuot_muc".

    frame   `class` any; `learners`; optional, of primary schools under circular 28/2020, `disabled` and
            `principal_allows_more`
    level   "primary", "lower_secondary" or "upper_secondary", which the charter governs
    province_most   the province's lower number, where it has set one; not known to circular 28/2020
    """
    optional = {"disabled": (pl.Int64, 0), "principal_allows_more": (pl.Boolean, False)}
    lazy = sets.checked(frame, {"class": None, "learners": pl.Int64}, optional)
    most = rules.CLASS_SIZE if hasattr(rules, "CLASS_SIZE") else rules.CLASS_SIZES[level]
    disabled = NO
    if hasattr(rules, "INCLUSIVE_MOST"):
        disabled = (pl.col("disabled") > rules.INCLUSIVE_MOST) & ~pl.col("principal_allows_more")
    elif province_most is not None:
        most = min(most, province_most)
    large = pl.col("learners") > most
    over = large | disabled
    shown = {
        "level": pl.when(over).then(pl.lit(OVER)).otherwise(pl.lit(WITHIN)),
        "reasons": sets.reasons(
            {"class-too-large": large, "too-many-disabled-in-class": disabled, "class-within-size": ~over}
        ),
    }
    outside = sets.outside("learners", 0, None) | sets.outside("disabled", 0, None)
    return sets.answer(lazy, "class", shown, ((RANGE, outside), (INCOMPLETE, sets.missing("learners"))))
