"""Children of preschools as sets: classes of growth, and how many a group may have. Rows stay in their order."""

from __future__ import annotations

import polars as pl

from regulations import sets
from regulations.assessment import tt_52_2020, who_2006
from regulations.assessment.base import RuleSet
from regulations.sets import INCOMPLETE, RANGE, UNKNOWN, Frame


def growth_classes(rules: RuleSet, frame: Frame) -> pl.DataFrame:
    """Return the class of each z-score.

    frame   `child` any; `indicator`; `z` in hundredths (-201 is -2.01); optional `age_months`, null under 61

    Returns `child`, `growth`, `error`. Z-scores themselves need powers of decimals and are found one by one.
    """
    lazy = sets.checked(
        frame, {"child": None, "indicator": pl.String, "z": pl.Int64}, {"age_months": (pl.Int64, 0)}
    )
    z, indicator = pl.col("z"), pl.col("indicator")
    is_school_age = (pl.col("age_months") >= who_2006.SCHOOL_AGE_MONTHS) & (indicator == who_2006.BMI_FOR_AGE)

    def limit(school: int, other: int) -> pl.Expr:
        return pl.when(is_school_age).then(pl.lit(school)).otherwise(pl.lit(other))

    def named(table: dict[str, tuple[str, str]], place: int) -> pl.Expr:
        names = {key: pair[place] for key, pair in table.items()}
        return indicator.replace_strict(names, default=None, return_dtype=pl.String)

    growth = sets.branch(
        [
            (z < who_2006.SEVERE_BELOW, named(who_2006.LOW, 0)),
            (z < who_2006.MODERATE_BELOW, named(who_2006.LOW, 1)),
            (
                z > limit(who_2006.SCHOOL_VERY_HIGH_ABOVE, who_2006.VERY_HIGH_ABOVE),
                named(who_2006.HIGH, 1),
            ),
            (z > limit(who_2006.SCHOOL_HIGH_ABOVE, who_2006.HIGH_ABOVE), named(who_2006.HIGH, 0)),
            (pl.lit(value=True), pl.lit(who_2006.NORMAL)),
        ]
    )
    faults = (
        (UNKNOWN, sets.unknown(who_2006.INDICATORS, "indicator")),
        (RANGE, sets.outside("age_months", 0, None)),
        (INCOMPLETE, sets.missing("indicator", "z")),
    )
    return sets.answer(lazy, "child", {"growth": growth}, faults)


def group_sizes(rules: RuleSet, frame: Frame) -> pl.DataFrame:
    """Return the most children each group may have.

    frame   `unit` any; `group` a code of the grades list; optional `disabled_children` (at most 2),
            `is_independent`, `is_mixed`

    Returns `unit`, `most`, `error`.
    """
    lazy = sets.checked(
        frame,
        {"unit": None, "group": pl.String},
        {
            "disabled_children": (pl.Int64, 0),
            "is_independent": (pl.Boolean, False),
            "is_mixed": (pl.Boolean, False),
        },
    )
    group = pl.col("group")

    def sizes(table: dict[str, int]) -> pl.Expr:
        return group.replace_strict(table, default=None, return_dtype=pl.Int64)

    mixed = {code: tt_52_2020.LARGEST_MIXED[code[:2]] for code in tt_52_2020.LARGEST}
    largest = sets.branch(
        [
            (pl.col("is_mixed"), sizes(mixed)),
            (pl.col("is_independent"), sizes({**tt_52_2020.LARGEST, **tt_52_2020.LARGEST_INDEPENDENT})),
            (pl.lit(value=True), sizes(tt_52_2020.LARGEST)),
        ]
    )
    most = largest - tt_52_2020.PLACES_PER_DISABLED_CHILD * pl.col("disabled_children")
    faults = (
        (UNKNOWN, sets.unknown(tuple(tt_52_2020.LARGEST), "group")),
        (RANGE, sets.outside("disabled_children", 0, tt_52_2020.MOST_DISABLED_CHILDREN)),
        (INCOMPLETE, sets.missing("group")),
    )
    return sets.answer(lazy, "unit", {"most": most}, faults)
