"""What sets of learners share under every circular: their rows checked, their marks split, codes spelled out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from regulations.assessment.base import (
    HIGHEST_MARK,
    KINDS,
    MODES,
    PROMOTED,
    RETAINED,
    SUMMER_TRAINING,
    RuleSet,
)
from regulations.core import OutOfRange, UnknownValue
from regulations.sets import Frame, branch, half_up, outside

NOT_RETESTABLE = "not-retestable"


def year_average(rules: RuleSet, first: pl.Expr, second: pl.Expr) -> pl.Expr:
    """Return the average of the year of two term averages in tenths."""
    weights = rules.term_weights()
    total = weights[0] * first.cast(pl.Int32) + weights[1] * second.cast(pl.Int32)
    return half_up(total, sum(weights))


def year_value(rules: RuleSet) -> pl.Expr:
    """Return a scored subject's year average, a comment subject's term II."""
    average = year_average(rules, pl.col("term1"), pl.col("term2"))
    return pl.when(pl.col("kind") == "score").then(average).otherwise(pl.col("term2").cast(pl.Int32))


def whole_numbers(frame: Frame, columns: Sequence[str]) -> pl.LazyFrame:
    """Return the frame as a lazy one; refuse a missing column, or one not of whole numbers."""
    lazy = frame.lazy()
    schema = lazy.collect_schema()
    for name in columns:
        if name not in schema:
            raise UnknownValue(f"the frame has no column {name!r}", name=name)
        if not (schema[name].is_integer() or schema[name] == pl.Null):
            raise OutOfRange(f"{name!r} is not a column of whole numbers: {schema[name]}", name=name)
    return lazy


def subject_rows(frame: Frame, optional: Mapping[str, Any]) -> pl.LazyFrame:
    """Return the rows with optional columns filled in, without the exempt ones, faults marked."""
    lazy = whole_numbers(frame, ("term1", "term2"))
    schema = lazy.collect_schema()
    for name in ("learner", "subject", "kind"):
        if name not in schema:
            raise UnknownValue(f"the frame has no column {name!r}", name=name)
    if "retest" in schema:
        whole_numbers(frame, ("retest",))
    filled = {
        name: pl.lit(default, dtype=pl.Int32 if default is None else pl.String)
        for name, default in optional.items()
        if name not in schema
    }
    lazy = lazy.with_columns(**filled).select("learner", "subject", "kind", "term1", "term2", *optional)
    strange = ~pl.col("kind").is_in(list(KINDS)) | ~pl.col("mode").is_in(list(MODES))
    strange = strange.fill_null(value=True)
    limit = pl.when(pl.col("kind") == "score").then(pl.lit(HIGHEST_MARK)).otherwise(pl.lit(1))
    beyond = pl.any_horizontal(
        (pl.col(name) < 0) | (pl.col(name) > limit) for name in ("term1", "term2", "retest")
    ).fill_null(value=False)
    is_counted = pl.col("mode") != "exempt"
    is_score = pl.col("kind") == "score"
    return lazy.with_columns(
        retest=pl.when(is_counted).then(pl.col("retest")),
        is_unknown=strange | (beyond & ~is_score & is_counted),
        is_outside=beyond & is_score & is_counted,
        is_missing=(pl.col("term1").is_null() | pl.col("term2").is_null()) & is_counted,
        is_score=is_score & is_counted,
        is_comment=(pl.col("kind") == "comment") & is_counted,
    )


def split_values(rows: pl.LazyFrame, values: Sequence[str]) -> pl.LazyFrame:
    """Add `<value>_score` and `<value>_comment`, null in the rows of the other kind: sums then need no filter."""
    return rows.with_columns(
        pl.when(f"is_{kind}").then(pl.col(value)).alias(f"{value}_{kind}")
        for value in values
        for kind in KINDS
    )


def scored(value: str) -> pl.Expr:
    """Return a value in the rows of scored subjects, null in the others."""
    return pl.col(f"{value}_score")


def row_faults() -> list[pl.Expr]:
    """Return the faults of a learner's rows: unknown, off the scale, missing; and how many subjects are scored."""
    return [
        pl.col("is_score").sum().cast(pl.Int64).alias("scores"),
        (pl.col("is_unknown").any() | (pl.col("subject").n_unique() != pl.len())).alias("has_unknown"),
        pl.col("is_outside").any().alias("has_outside"),
        pl.col("is_missing").any().alias("has_missing"),
    ]


def learner_table(
    frame: Frame, learners: Frame | None, needed: Sequence[str], optional: Mapping[str, Any]
) -> pl.LazyFrame:
    """Return one row a learner with the needed and optional columns."""
    source = (frame if learners is None else learners).lazy()
    schema = source.collect_schema()
    for name in ("learner", *needed):
        if name not in schema:
            raise UnknownValue(f"no column {name!r} of the learner", name=name)
    for name in ("absences", "grade"):
        if name in needed and not (schema[name].is_integer() or schema[name] == pl.Null):
            raise OutOfRange(f"{name!r} is not a column of whole numbers: {schema[name]}", name=name)
    filled = {
        name: pl.lit(default, dtype=pl.String if default is None else pl.Boolean)
        for name, default in optional.items()
        if name not in schema
    }
    source = source.with_columns(**filled).select("learner", *needed, *optional)
    # Rows that contradict each other about a learner are a fault; which one is meant is not guessed.
    return source.unique().with_columns(is_twice=pl.len().over("learner") > 1).unique("learner", keep="first")


def second_chance(column: str, name: str, waiting: str, failing: list[str]) -> tuple[pl.Expr, pl.Expr]:
    """Return the decision and its reason after a re-assessment or a training, whose result stands in `column`."""
    result = pl.col(column)
    return (
        branch(
            [
                (result.is_null(), pl.lit(waiting)),
                (result.is_in(failing), pl.lit(RETAINED)),
                (pl.lit(value=True), pl.lit(PROMOTED)),
            ]
        ),
        branch(
            [
                (result.is_null(), pl.lit(f"{name}-needed")),
                (result.is_in(failing), pl.lit(f"{name}-failed")),
                (pl.lit(value=True), pl.lit(f"{name}-passed")),
            ]
        ),
    )


def summer(failing: list[str]) -> tuple[pl.Expr, pl.Expr]:
    """Return the decision and its reason after training in summer."""
    return second_chance("conduct_after_summer", "summer-training", SUMMER_TRAINING, failing)


def sure(name: str) -> pl.Expr:
    """Return a column of truth values with null as no."""
    return pl.col(name).fill_null(value=False)


def out_of_scale(name: str, highest: int = HIGHEST_MARK) -> pl.Expr:
    """Return whether a number lies outside its scale; null is no fault."""
    return outside(name, 0, highest)


def table_lookup(table: Mapping[tuple[str, str], str], first: str, second: str) -> pl.Expr:
    """Return the value of a table of two keys, null for a pair it does not hold."""
    keys = pl.concat_str(pl.col(first), pl.lit("|"), pl.col(second))
    return keys.replace_strict(
        {"|".join(key): value for key, value in table.items()}, default=None, return_dtype=pl.String
    )


def level_name(rank: pl.Expr, levels: Sequence[str]) -> pl.Expr:
    """Return the code of a level given by its place."""
    return rank.replace_strict(dict(enumerate(levels)), return_dtype=pl.String)


def spelled_answer(table: pl.LazyFrame, masks: Mapping[str, tuple[str, Sequence[str]]]) -> pl.DataFrame:
    """Collect, spell out the reason codes, and blank the results of refused learners."""
    answer = table.collect().sort("learner")
    spelled = {
        name: pl.Series(
            [[code for bit, code in enumerate(codes) if mask >> bit & 1] for mask in range(2 ** len(codes))],
            dtype=pl.List(pl.String),
        ).gather(answer[mask].fill_null(0))
        for mask, (name, codes) in masks.items()
    }
    answer = answer.with_columns(**spelled).drop(*masks)
    results = [name for name in answer.columns if name not in ("learner", "error")]
    return answer.with_columns(
        pl.when(pl.col("error").is_null()).then(pl.col(name)).alias(name) for name in results
    )
