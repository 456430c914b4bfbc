"""The year of a set of learners by levels: Circular 22/2021 and those that follow it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from regulations.assessment import tt_22_2021
from regulations.assessment.base import (
    NO_AWARD,
    PRINCIPAL_DECIDES,
    PROMOTED,
    READINGS,
    RETAINED,
    RETEST,
    Reading,
    check_choice,
)
from regulations.assessment.frames.common import (
    NOT_RETESTABLE,
    learner_table,
    level_name,
    row_faults,
    scored,
    second_chance,
    spelled_answer,
    split_values,
    subject_rows,
    summer,
    table_lookup,
    year_value,
)
from regulations.sets import INCOMPLETE, RANGE, UNKNOWN, Frame, branch, first_error, unknown

LEARNING_CODES = (
    "learning-conditions-met",
    "subject-below",
    "too-few-subjects-reach",
    "comment-subject-not-passed",
    "raised-one-level",
)
AWARD_CODES = ("award-conduct-below", "award-learning-below", "award-good", "award-excellent")
"""Reason codes of a judgement, each once, in the order a set gives them."""


def year_results(
    rules: tt_22_2021.Circular22,
    frame: Frame,
    learners: Frame | None = None,
    *,
    reading: Reading = "strict",
    adjust_for_comment: bool = True,
) -> pl.DataFrame:
    """Return the year of each learner under Circular 22/2021 or one that follows it.

    frame      `learner`, `subject`, `kind` ("score" or "comment"), `term1`, `term2`; optional `mode` and
               `retest`
    learners   `learner`, `conduct1`, `conduct2`, `absences`; optional `conduct_after_summer`,
               `principal_decision`

    Columns of the answer: `learner`; `learning_term1`, `learning_term2`, `learning_base`, `learning_year`,
    `is_adjusted`; `conduct_year`; `award`; `promotion`; `learning_after_retest` (null when nothing was
    re-assessed); `because` (of the year's learning), `award_because` lists of codes; `promotion_because`; `error`.
    """
    check_choice(reading, READINGS, name="reading")
    values = ("term1", "term2", "year", "after")
    rows = subject_rows(frame, {"mode": "normal", "retest": None})
    rows = rows.with_columns(year=year_value(rules)).with_columns(after=pl.coalesce("retest", "year"))
    rows = split_values(rows, values)
    is_comment = pl.col("kind") == "comment"
    is_open = pl.when(is_comment).then(pl.col("year") == 0).otherwise(pl.col("year") < rules.retest_below)
    table = rows.group_by("learner").agg(
        *(aggregate for value in values for aggregate in _counts(rules, value)),
        (scored("year") >= rules.award_high).sum().cast(pl.Int64).alias("award_count"),
        (pl.col("mode") == "individual_plan").any().alias("is_individual_plan"),
        pl.col("retest").is_not_null().any().alias("was_retested"),
        (pl.col("retest").is_not_null() & ~is_open.fill_null(value=True)).any().alias("wrong_retest"),
        *row_faults(),
    )
    table = _with_learners(
        table,
        frame,
        learners,
        ("conduct1", "conduct2", "absences"),
        {"conduct_after_summer": None, "principal_decision": None},
    )
    table = _judge_levels(rules, table, values, reading, adjust_for_comment)
    conduct = table_lookup(tt_22_2021.CONDUCT_YEAR, "conduct1", "conduct2")
    table = table.with_columns(conduct_year=conduct)
    not_open = pl.col("wrong_retest") | (
        pl.col("was_retested") & ((pl.col("year_final") != 0) | (pl.col("conduct_year") == "chua_dat"))
    )
    table = table.with_columns(
        error=first_error(
            [
                (UNKNOWN, unknown(tt_22_2021.LEVELS, "conduct1", "conduct2", "conduct_after_summer")),
                (UNKNOWN, unknown((PROMOTED, RETAINED), "principal_decision")),
                (UNKNOWN, pl.col("has_unknown") | pl.col("is_twice")),
                (RANGE, pl.col("has_outside") | (pl.col("absences") < 0)),
                (INCOMPLETE, pl.col("has_missing") | (pl.col("scores").fill_null(0) == 0)),
                (INCOMPLETE, pl.any_horizontal(pl.col("conduct1", "conduct2", "absences").is_null())),
                (NOT_RETESTABLE, not_open),
            ]
        )
    )
    levels = tt_22_2021.LEVELS
    table = table.with_columns(
        learning_term1=level_name(pl.col("term1_final"), levels),
        learning_term2=level_name(pl.col("term2_final"), levels),
        learning_base=level_name(pl.col("year_base"), levels),
        learning_year=level_name(pl.col("year_final"), levels),
        is_adjusted=pl.col("year_final") > pl.col("year_base"),
        learning_after_retest=pl.when("was_retested").then(level_name(pl.col("after_final"), levels)),
    )
    table = table.with_columns(*_award(rules), *_promotion(rules), mask=_learning_mask(rules))
    answer = table.select(
        "learner",
        "learning_term1",
        "learning_term2",
        "learning_base",
        "learning_year",
        "is_adjusted",
        "conduct_year",
        "award",
        "promotion",
        "learning_after_retest",
        "mask",
        "award_mask",
        "promotion_because",
        "error",
    )
    return spelled_answer(
        answer, {"mask": ("because", LEARNING_CODES), "award_mask": ("award_because", AWARD_CODES)}
    )


def _with_learners(
    table: pl.LazyFrame,
    frame: Frame,
    learners: Frame | None,
    needed: Sequence[str],
    optional: Mapping[str, Any],
) -> pl.LazyFrame:
    return table.join(
        learner_table(frame, learners, needed, optional), on="learner", how="full", coalesce=True
    )


def _counts(rules: tt_22_2021.Circular22, value: str) -> list[pl.Expr]:
    """Return what the levels need of one value: how many reach each mark, the lowest, comments not passed."""
    thresholds = sorted({*rules.high.values(), *rules.minimum.values()})
    counts = [(scored(value) >= one).sum().cast(pl.Int64).alias(f"{value}_from_{one}") for one in thresholds]
    failures = (pl.col(f"{value}_comment") == 0).sum().cast(pl.Int64)
    if not rules.counts_comments:
        failures = pl.lit(0, dtype=pl.Int64)
    return [
        *counts,
        scored(value).min().cast(pl.Int64).alias(f"{value}_lowest"),
        failures.alias(f"{value}_failures"),
    ]


def _level(
    rules: tt_22_2021.Circular22, value: str, *, without_lowest: Reading | None = None, pardoned: int = 0
) -> pl.Expr:
    """Return a level as 0 to 3 from the counts, lowest first.

    without_lowest   "strict": the lowest mark is left out; "counterfactual": it is the best mark
    pardoned         comment subjects taken as passed
    """
    lowest = pl.col(f"{value}_lowest")

    def reaching(one: int) -> pl.Expr:
        count: pl.Expr = pl.col(f"{value}_from_{one}")
        if without_lowest == "strict":
            return count - (lowest >= one).cast(pl.Int64)
        if without_lowest == "counterfactual":
            return count + (lowest < one).cast(pl.Int64)
        return count

    number = pl.col("scores") - (1 if without_lowest == "strict" else 0)
    failures = (pl.col(f"{value}_failures") - pardoned).clip(lower_bound=0)
    rank = pl.lit(0, dtype=pl.Int8)
    for position, level in enumerate(tt_22_2021.LEVELS[1:], start=1):
        meets = (
            (failures <= rules.comment_failures[level])
            & (reaching(rules.minimum[level]) == number)
            & (reaching(rules.high[level]) >= rules.min_count)
        )
        rank = pl.when(meets).then(pl.lit(position, dtype=pl.Int8)).otherwise(rank)
    return rank


def _judge_levels(
    rules: tt_22_2021.Circular22,
    table: pl.LazyFrame,
    values: Sequence[str],
    reading: Reading,
    adjust_for_comment: bool,
) -> pl.LazyFrame:
    """Add `<value>_base` and `<value>_final`, both 0 to 3."""
    table = table.with_columns(_level(rules, value).alias(f"{value}_base") for value in values)
    finals = []
    for value in values:
        # Only the lowest mark can be the one subject: leaving out another changes no minimum.
        best = _level(rules, value, without_lowest=reading)
        if adjust_for_comment:
            best = pl.max_horizontal(best, _level(rules, value, pardoned=1))
        base = pl.col(f"{value}_base")
        raised = (best - base >= tt_22_2021.STEPS_LOST).cast(pl.Int8)
        finals.append((base + raised).alias(f"{value}_final"))
    return table.with_columns(finals)


def _learning_mask(rules: tt_22_2021.Circular22) -> pl.Expr:
    """Return the reason codes of the year's learning as bits in the order of `LEARNING_CODES`."""
    base, final = pl.col("year_base"), pl.col("year_final")
    conditions: dict[int, list[pl.Expr]] = {
        position: [
            pl.col(f"year_from_{rules.minimum[level]}") < pl.col("scores"),
            pl.col(f"year_from_{rules.high[level]}") < rules.min_count,
            pl.col("year_failures") > rules.comment_failures[level],
        ]
        for position, level in enumerate(tt_22_2021.LEVELS[1:], start=1)
    }
    mask: pl.Expr = (base > 0).cast(pl.Int16)
    for bit in range(3):
        failed = pl.lit(value=False)
        for position, failures in conditions.items():
            asked = (base == position - 1) | (final == position - 1)
            failed = failed | (asked & failures[bit])
        mask = mask + failed.cast(pl.Int16) * 2 ** (bit + 1)
    raised: pl.Expr = (final > base).cast(pl.Int16)
    answer: pl.Expr = mask + raised * 2 ** LEARNING_CODES.index("raised-one-level")
    return answer


def _award(rules: tt_22_2021.Circular22) -> list[pl.Expr]:
    low_conduct = pl.col("conduct_year") != "tot"
    low_learning = pl.col("learning_year") != "tot"
    none = low_conduct | low_learning
    excellent = pl.col("award_count") >= rules.award_count
    award = (
        pl.when(none)
        .then(pl.lit(NO_AWARD))
        .when(excellent)
        .then(pl.lit("hoc_sinh_xuat_sac"))
        .otherwise(pl.lit("hoc_sinh_gioi"))
    )
    bits = (low_conduct, low_learning, ~none & ~excellent, ~none & excellent)
    mask = pl.sum_horizontal(bit.cast(pl.Int16) * 2**number for number, bit in enumerate(bits))
    return [award.alias("award"), mask.alias("award_mask")]


def _promotion(rules: tt_22_2021.Circular22) -> list[pl.Expr]:
    learning, conduct = pl.col("learning_year") == "chua_dat", pl.col("conduct_year") == "chua_dat"
    branches = [
        (
            pl.col("is_individual_plan"),
            pl.col("principal_decision").fill_null(PRINCIPAL_DECIDES),
            pl.when(pl.col("principal_decision").is_null())
            .then(pl.lit("principal-decides"))
            .otherwise(pl.lit("principal-decided")),
        ),
        (pl.col("absences") > rules.most_absences, pl.lit(RETAINED), pl.lit("too-many-absences")),
        (~learning & ~conduct, pl.lit(PROMOTED), pl.lit("promotion-conditions-met")),
        (learning & conduct, pl.lit(RETAINED), pl.lit("both-not-passed")),
        (learning, *second_chance("learning_after_retest", "retest", RETEST, ["chua_dat"])),
        (pl.lit(value=True), *summer(["chua_dat"])),
    ]
    return [
        branch([(test, result) for test, result, _ in branches]).alias("promotion"),
        branch([(test, why) for test, _, why in branches]).alias("promotion_because"),
    ]
