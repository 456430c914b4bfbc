"""The year of a set of learners by ranks: Circular 58/2011, as amended or followed."""

from __future__ import annotations

import polars as pl

from regulations.assessment import tt_58_2011
from regulations.assessment.base import HIGHEST_MARK, NO_AWARD, PROMOTED, RETAINED, RETEST
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
    year_value,
)
from regulations.sets import INCOMPLETE, RANGE, UNKNOWN, Frame, branch, first_error, half_up, unknown

RANK_CODES = (
    "rank-conditions-met",
    "average-below",
    "no-core-subject-reaches",
    "specialised-subject-below",
    "subject-below",
    "comment-subject-not-passed",
    "rank-adjusted",
    "rank-fall-not-listed",
)
"""Reason codes of a rank, each once, in the order a set gives them."""

RANKED_COLUMNS = ("conduct1", "conduct2", "conduct_year", "absences")


def ranked_results(rules: tt_58_2011.Circular58, frame: Frame, learners: Frame | None = None) -> pl.DataFrame:
    """Return the year of each learner under Circular 58/2011 or one that follows it.

    frame      `learner`, `subject`, `kind`, `term1`, `term2`; optional `mode` and `retest`
    learners   `learner`, `conduct1`, `conduct2`, `conduct_year`, `absences`; optional `conduct_after_summer`
               and `specialised_subject`

    Columns of the answer as of `year_results`, and `average_year` in tenths.
    """
    values = ("term1", "term2", "year", "after")
    rows = subject_rows(frame, {"mode": "normal", "retest": None})
    rows = rows.with_columns(year=year_value(rules)).with_columns(after=pl.coalesce("retest", "year"))
    rows = split_values(rows, values)
    optional = {"conduct_after_summer": None, "specialised_subject": None}
    given = learner_table(frame, learners, RANKED_COLUMNS, optional)
    rows = rows.join(given.select("learner", "specialised_subject"), on="learner", how="left")
    is_open = (
        pl.when(pl.col("kind") == "comment")
        .then(pl.col("year") == 0)
        .otherwise(pl.col("year") < tt_58_2011.RETEST_BELOW)
    )
    table = rows.group_by("learner").agg(
        *(aggregate for value in values for aggregate in _rank_sums(rules, value)),
        pl.col("retest").is_not_null().any().alias("was_retested"),
        (pl.col("retest").is_not_null() & ~is_open.fill_null(value=True)).any().alias("wrong_retest"),
        *row_faults(),
    )
    table = table.join(given, on="learner", how="full", coalesce=True)
    for value in values:
        table = _judge_rank(table, value)
    not_open = pl.col("wrong_retest") | (
        pl.col("was_retested") & ((pl.col("year_final") != 1) | (pl.col("conduct_year") == "yeu"))
    )
    needed = ["conduct_year", "absences"] if rules.needs_conduct else ["absences"]
    table = table.with_columns(
        error=first_error(
            [
                (
                    UNKNOWN,
                    unknown(
                        tt_58_2011.CONDUCT, "conduct1", "conduct2", "conduct_year", "conduct_after_summer"
                    ),
                ),
                (UNKNOWN, pl.col("has_unknown") | pl.col("is_twice")),
                (RANGE, pl.col("has_outside") | (pl.col("absences") < 0)),
                (INCOMPLETE, pl.col("has_missing") | (pl.col("scores").fill_null(0) == 0)),
                (
                    INCOMPLETE,
                    pl.col("specialised_subject").is_not_null() & pl.col("year_special").is_null(),
                ),
                (INCOMPLETE, pl.any_horizontal(pl.col(needed).is_null())),
                (NOT_RETESTABLE, not_open),
            ]
        )
    )
    levels = tt_58_2011.LEVELS
    table = table.with_columns(
        learning_term1=level_name(pl.col("term1_final"), levels),
        learning_term2=level_name(pl.col("term2_final"), levels),
        learning_base=level_name(pl.col("year_base"), levels),
        learning_year=level_name(pl.col("year_final"), levels),
        is_adjusted=pl.col("year_final") != pl.col("year_base"),
        average_year=pl.col("year_average"),
        learning_after_retest=pl.when("was_retested").then(level_name(pl.col("after_final"), levels)),
    )
    table = table.with_columns(award=_old_award(), **_old_promotion(), mask=_rank_mask())
    answer = table.select(
        "learner",
        "learning_term1",
        "learning_term2",
        "learning_base",
        "learning_year",
        "is_adjusted",
        "average_year",
        "conduct_year",
        "award",
        "promotion",
        "learning_after_retest",
        "mask",
        "promotion_because",
        "error",
    )
    return spelled_answer(answer, {"mask": ("because", RANK_CODES)})


def _rank_sums(rules: tt_58_2011.Circular58, value: str) -> list[pl.Expr]:
    marks = scored(value)
    is_core = pl.col("subject").is_in(list(rules.core_subjects))
    is_special = pl.col("subject") == pl.col("specialised_subject")
    lowest = marks.min()
    return [
        marks.sum().cast(pl.Int64).alias(f"{value}_sum"),
        lowest.cast(pl.Int64).alias(f"{value}_lowest"),
        pl.when((marks == lowest).sum() > 1)
        .then(lowest)
        .otherwise(marks.filter(marks > lowest).min())
        .cast(pl.Int64)
        .fill_null(HIGHEST_MARK)
        .alias(f"{value}_second"),
        marks.filter(is_core).max().cast(pl.Int64).fill_null(0).alias(f"{value}_core"),
        marks.filter(is_special).max().cast(pl.Int64).alias(f"{value}_special"),
        (pl.col(f"{value}_comment") == 0).sum().cast(pl.Int64).alias(f"{value}_failures"),
    ]


def _rank(value: str, lowest: pl.Expr, failures: pl.Expr) -> pl.Expr:
    """Return a rank as 0 to 4 from the sums, lowest first."""
    average, special = pl.col(f"{value}_average"), pl.col(f"{value}_special")
    core = (
        pl.when(special.is_null())
        .then(pl.col(f"{value}_core"))
        .otherwise(pl.min_horizontal(f"{value}_core", special))
    )
    answer = pl.lit(0, dtype=pl.Int8)
    for position, level in enumerate(tt_58_2011.LEVELS[1:], start=1):
        rank = tt_58_2011.RANKS[level]
        meets = (average >= rank.average) & (lowest >= rank.minimum)
        if rank.core is not None:
            meets = meets & (core >= rank.core)
        if rank.comments_passed:
            meets = meets & (failures == 0)
        answer = pl.when(meets).then(pl.lit(position, dtype=pl.Int8)).otherwise(answer)
    return answer


def _judge_rank(table: pl.LazyFrame, value: str) -> pl.LazyFrame:
    """Add `<value>_average`, `_base`, `_final` and `_fall` (a fall the table of clause 6 does not list)."""
    lowest, failures = pl.col(f"{value}_lowest"), pl.col(f"{value}_failures")
    # Without a scored subject there is no average; the row is refused for it, so any divisor does.
    table = table.with_columns(
        half_up(pl.col(f"{value}_sum"), pl.col("scores").clip(lower_bound=1)).alias(f"{value}_average")
    )
    table = table.with_columns(_rank(value, lowest, failures).alias(f"{value}_base"))
    base = pl.col(f"{value}_base")
    by_mark = _rank(value, pl.col(f"{value}_second"), failures)
    by_comment = pl.when(failures == 1).then(_rank(value, lowest, pl.lit(0))).otherwise(base)
    # Waiving any other subject changes nothing; of these two at most one can raise the rank by two.
    best = pl.max_horizontal(by_mark, by_comment)
    levels = tt_58_2011.LEVELS
    final = base
    for (without, fallen), raised in tt_58_2011.ADJUSTED.items():
        hit = (best == levels.index(without)) & (base == levels.index(fallen))
        final = pl.when(hit).then(pl.lit(levels.index(raised), dtype=pl.Int8)).otherwise(final)
    fall = (best - base > 2) & (final == base)
    return table.with_columns(final.alias(f"{value}_final"), fall.alias(f"{value}_fall"))


def _rank_mask() -> pl.Expr:
    base = pl.col("year_base")
    special = pl.col("year_special")
    failed: list[pl.Expr] = [pl.lit(value=False)] * 5
    for position, level in enumerate(tt_58_2011.LEVELS[1:], start=1):
        rank = tt_58_2011.RANKS[level]
        no = pl.lit(value=False)
        conditions = [
            pl.col("year_average") < rank.average,
            no if rank.core is None else pl.col("year_core") < rank.core,
            no if rank.core is None else (special < rank.core).fill_null(value=False),
            pl.col("year_lowest") < rank.minimum,
            pl.col("year_failures") > 0 if rank.comments_passed else no,
        ]
        failed = [
            pl.when(base == position - 1).then(condition).otherwise(before)
            for condition, before in zip(conditions, failed, strict=True)
        ]
    bits = [base > 0, *failed, pl.col("year_final") != base, pl.col("year_fall")]
    return pl.sum_horizontal(bit.cast(pl.Int16) * 2**number for number, bit in enumerate(bits))


def _old_award() -> pl.Expr:
    conduct, learning = pl.col("conduct_year"), pl.col("learning_year")
    return (
        pl.when((conduct == "tot") & (learning == "gioi"))
        .then(pl.lit("hoc_sinh_gioi"))
        .when(conduct.is_in(["tot", "kha"]) & learning.is_in(["gioi", "kha"]))
        .then(pl.lit("hoc_sinh_tien_tien"))
        .otherwise(pl.lit(NO_AWARD))
    )


def _old_promotion() -> dict[str, pl.Expr]:
    weak = pl.col("learning_year") == "yeu"
    bad = (pl.col("conduct_year") == "yeu").fill_null(value=False)
    branches = [
        (pl.col("absences") > tt_58_2011.MOST_ABSENCES, pl.lit(RETAINED), pl.lit("too-many-absences")),
        (pl.col("learning_year") == "kem", pl.lit(RETAINED), pl.lit("rank-too-low")),
        (weak & bad, pl.lit(RETAINED), pl.lit("both-not-passed")),
        (weak, *second_chance("learning_after_retest", "retest", RETEST, ["yeu", "kem"])),
        (bad, *summer(["yeu"])),
        (
            pl.lit(value=True),
            pl.lit(PROMOTED),
            pl.when(pl.col("conduct_year").is_null())
            .then(pl.lit("promotion-conditions-met-learning"))
            .otherwise(pl.lit("promotion-conditions-met")),
        ),
    ]
    return {
        "promotion": branch([(test, result) for test, result, _ in branches]),
        "promotion_because": branch([(test, why) for test, _, why in branches]),
    }
