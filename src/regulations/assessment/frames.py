"""The same rules for sets: Polars frames of a province in, results and reason codes out.

Shapes. A frame has one row a learner and subject (primary: and quality), in any order; the answer has one
row a learner, in ascending order of `learner`. What belongs to the learner (conduct, absences …) may stand
on each of his rows, or in a second frame of one row a learner given as `learners`.

Units. Marks are whole numbers of tenths; a comment subject's result is 1 for Đạt, 0 for Chưa đạt, in the same
columns as the marks. Levels and decisions are the codes of the rules.

Errors. A learner whose input a rule refuses gets the refusal's code in `error` and nulls for results; the
others get theirs. Of several faults the first of `unknown-value`, `out-of-range`, `incomplete-marks`,
`not-retestable` is named. A column that is missing or not of whole numbers is refused at once, for that is
a fault of the caller and not of a row.

Polars is an extra of the distribution (`analytics`) and imported here only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from regulations.assessment import tt_22_2021, tt_27_2020, tt_30_2014, tt_58_2011
from regulations.assessment.base import (
    HIGHEST_MARK,
    KINDS,
    MODES,
    MORE_HELP,
    NO_AWARD,
    NOT_COMPLETED,
    PRINCIPAL_DECIDES,
    PROMOTED,
    READINGS,
    RETAINED,
    RETEST,
    SUMMER_TRAINING,
    check_choice,
)
from regulations.core import OutOfRange, UnknownValue

if TYPE_CHECKING:
    from regulations.assessment.base import Reading

Frame = pl.DataFrame | pl.LazyFrame

UNKNOWN, RANGE, INCOMPLETE = "unknown-value", "out-of-range", "incomplete-marks"
NOT_RETESTABLE = "not-retestable"

LEARNING_CODES = (
    "learning-conditions-met",
    "subject-below",
    "too-few-subjects-reach",
    "comment-subject-not-passed",
    "raised-one-level",
)
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
AWARD_CODES = ("award-conduct-below", "award-learning-below", "award-good", "award-excellent")
PRIMARY_CODES = ("year-conditions-met", "subject-level-below", "quality-below", "test-below")
COMPLETION_CODES = ("programme-conditions-met", "subject-level-below", "quality-below", "test-below")
"""Reason codes of a judgement, each once, in the order a set gives them."""


def term_averages(rules: tt_22_2021.Circular22, frame: Frame) -> pl.DataFrame:
    """Return the frame with `average` (tenths) and `error`: one row a learner, subject and term.

    frame   `regular` list of tenths, topics' marks among them; `midterm`, `final` tenths; other columns stay
    """
    lazy = _lazy(frame, {"midterm": False, "final": False})
    taken = lazy.collect()
    regular = pl.col("regular")
    number = regular.list.len().cast(pl.Int32)
    total = (
        regular.list.sum().cast(pl.Int32)
        + tt_22_2021.WEIGHT_MIDTERM * pl.col("midterm").cast(pl.Int32)
        + tt_22_2021.WEIGHT_FINAL * pl.col("final").cast(pl.Int32)
    )
    divisor = number + tt_22_2021.WEIGHT_MIDTERM + tt_22_2021.WEIGHT_FINAL
    outside = _outside("midterm") | _outside("final")
    incomplete = pl.col("midterm").is_null() | pl.col("final").is_null()
    marks = taken["regular"].explode()
    fewest = taken["regular"].list.len().min()
    if marks.null_count() or taken["regular"].null_count() or fewest == 0:
        gaps = regular.list.drop_nulls().list.len() < regular.list.len()
        incomplete = incomplete | regular.is_null() | (number == 0) | gaps
    if marks.is_between(0, HIGHEST_MARK).all() is not True:
        outside = outside | (regular.list.min() < 0) | (regular.list.max() > HIGHEST_MARK)
    outside, incomplete = outside.fill_null(value=False), incomplete.fill_null(value=False)
    error = _first_error([(RANGE, outside), (INCOMPLETE, incomplete)])
    average = pl.when(~outside & ~incomplete).then(_half_up(total, divisor))
    return taken.with_columns(average=average, error=error)


def year_averages(rules: tt_22_2021.Circular22, frame: Frame) -> pl.DataFrame:
    """Return the frame with `average` (tenths) and `error`, from `term1` and `term2` in tenths."""
    lazy = _lazy(frame, {"term1": False, "term2": False})
    outside = _outside("term1") | _outside("term2")
    incomplete = pl.col("term1").is_null() | pl.col("term2").is_null()
    error = _first_error([(RANGE, outside), (INCOMPLETE, incomplete)])
    average = pl.when(~outside & ~incomplete).then(_year(pl.col("term1"), pl.col("term2")))
    return lazy.with_columns(average=average, error=error).collect()


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
    rows = _subject_rows(frame, {"mode": "normal", "retest": None})
    rows = rows.with_columns(year=_year_value()).with_columns(after=pl.coalesce("retest", "year"))
    rows = _split_values(rows, values)
    is_comment = pl.col("kind") == "comment"
    is_open = pl.when(is_comment).then(pl.col("year") == 0).otherwise(pl.col("year") < rules.retest_below)
    table = rows.group_by("learner").agg(
        *(aggregate for value in values for aggregate in _counts(rules, value)),
        (_scored("year") >= rules.award_high).sum().cast(pl.Int64).alias("award_count"),
        (pl.col("mode") == "individual_plan").any().alias("is_individual_plan"),
        pl.col("retest").is_not_null().any().alias("was_retested"),
        (pl.col("retest").is_not_null() & ~is_open.fill_null(value=True)).any().alias("wrong_retest"),
        *_row_faults(),
    )
    table = _with_learners(
        table,
        frame,
        learners,
        {"conduct1": True, "conduct2": True, "absences": True},
        {"conduct_after_summer": None, "principal_decision": None},
    )
    table = _judge_levels(rules, table, values, reading, adjust_for_comment)
    conduct = _table_lookup(tt_22_2021.CONDUCT_YEAR, "conduct1", "conduct2")
    table = table.with_columns(conduct_year=conduct)
    not_open = pl.col("wrong_retest") | (
        pl.col("was_retested") & ((pl.col("year_final") != 0) | (pl.col("conduct_year") == "chua_dat"))
    )
    table = table.with_columns(
        error=_first_error(
            [
                (UNKNOWN, _unknown(tt_22_2021.LEVELS, "conduct1", "conduct2", "conduct_after_summer")),
                (UNKNOWN, _unknown((PROMOTED, RETAINED), "principal_decision")),
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
        learning_term1=_name(pl.col("term1_final"), levels),
        learning_term2=_name(pl.col("term2_final"), levels),
        learning_base=_name(pl.col("year_base"), levels),
        learning_year=_name(pl.col("year_final"), levels),
        is_adjusted=pl.col("year_final") > pl.col("year_base"),
        learning_after_retest=pl.when("was_retested").then(_name(pl.col("after_final"), levels)),
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
    return _answer(
        answer, {"mask": ("because", LEARNING_CODES), "award_mask": ("award_because", AWARD_CODES)}
    )


def ranked_results(rules: tt_58_2011.Circular58, frame: Frame, learners: Frame | None = None) -> pl.DataFrame:
    """Return the year of each learner under Circular 58/2011 or one that follows it.

    frame      `learner`, `subject`, `kind`, `term1`, `term2`; optional `mode` and `retest`
    learners   `learner`, `conduct1`, `conduct2`, `conduct_year`, `absences`; optional `conduct_after_summer`
               and `specialised_subject`

    Columns of the answer as of `year_results`, and `average_year` in tenths.
    """
    values = ("term1", "term2", "year", "after")
    rows = _subject_rows(frame, {"mode": "normal", "retest": None})
    rows = rows.with_columns(year=_year_value()).with_columns(after=pl.coalesce("retest", "year"))
    rows = _split_values(rows, values)
    optional = {"conduct_after_summer": None, "specialised_subject": None}
    given = _learner_table(frame, learners, _RANKED_COLUMNS, optional)
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
        *_row_faults(),
    )
    table = table.join(given, on="learner", how="full", coalesce=True)
    for value in values:
        table = _judge_rank(table, value)
    not_open = pl.col("wrong_retest") | (
        pl.col("was_retested") & ((pl.col("year_final") != 1) | (pl.col("conduct_year") == "yeu"))
    )
    needed = ["conduct_year", "absences"] if rules.needs_conduct else ["absences"]
    table = table.with_columns(
        error=_first_error(
            [
                (
                    UNKNOWN,
                    _unknown(
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
        learning_term1=_name(pl.col("term1_final"), levels),
        learning_term2=_name(pl.col("term2_final"), levels),
        learning_base=_name(pl.col("year_base"), levels),
        learning_year=_name(pl.col("year_final"), levels),
        is_adjusted=pl.col("year_final") != pl.col("year_base"),
        average_year=pl.col("year_average"),
        learning_after_retest=pl.when("was_retested").then(_name(pl.col("after_final"), levels)),
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
    return _answer(answer, {"mask": ("because", RANK_CODES)})


def primary_results(
    rules: tt_27_2020.Circular27, frame: Frame, learners: Frame | None = None
) -> pl.DataFrame:
    """Return the year of each pupil under Circular 27/2020.

    frame      `learner`, `kind` ("subject" or "quality"), `code`, `level` (T H C; T Đ C), `test` in tenths or
               null; optional `mode`
    learners   `learner`, `grade`; optional booleans `is_outstanding_in_a_subject`, `has_clear_progress`,
               `is_recognised_by_class`, and `level_after_help`, `principal_decision`

    Columns of the answer: `learner`, `level`, `completion`, `award`, `promotion`, `because` (of the level),
    `promotion_because`, `error`.
    """
    flags = ("is_outstanding_in_a_subject", "has_clear_progress", "is_recognised_by_class")
    optional = {**dict.fromkeys(flags, False), "level_after_help": None, "principal_decision": None}
    given = _learner_table(frame, learners, {"grade": True}, optional)
    rows = _primary_rows(rules, frame, given)
    levels = tt_27_2020.LEVELS
    table = rows.group_by("learner").agg(
        *(
            aggregate
            for level in levels[1:]
            for aggregate in (
                _worse("subject", rules.subject_levels, tt_27_2020.SUBJECTS_ALLOWED[level], f"s_{level}"),
                _worse("quality", rules.quality_levels, tt_27_2020.QUALITIES_ALLOWED[level], f"q_{level}"),
                (pl.col("test") < rules.tests_from[level]).any().alias(f"t_{level}"),
            )
        ),
        *_primary_faults(),
    )
    table = table.join(given, on="learner", how="full", coalesce=True)
    rank = pl.lit(0, dtype=pl.Int8)
    for number, level in enumerate(levels[1:], start=1):
        failed = pl.any_horizontal(f"s_{level}", f"q_{level}", f"t_{level}")
        rank = pl.when(~failed).then(pl.lit(number, dtype=pl.Int8)).otherwise(rank)
    table = table.with_columns(rank=rank).with_columns(level=_name(pl.col("rank"), levels))
    table = table.with_columns(
        error=_primary_error(
            pl.col("grade").is_in(list(tt_27_2020.TERM_END_TESTS)), _unknown(levels, "level_after_help")
        )
    )
    is_completed = pl.col("rank") > 0
    is_good = pl.col("rank") == levels.index("hoan_thanh_tot")
    wins = pl.col("is_recognised_by_class") & (
        pl.col("is_outstanding_in_a_subject") | pl.col("has_clear_progress")
    )
    mask = is_completed.cast(pl.Int16)
    for bit, kind in enumerate(("s", "q", "t"), start=1):
        missed = pl.lit(value=False)
        for number, level in enumerate(levels[1:]):
            missed = pl.when(pl.col("rank") == number).then(pl.col(f"{kind}_{level}")).otherwise(missed)
        mask = mask + missed.cast(pl.Int16) * 2**bit
    answer = table.with_columns(
        completion=_completion(is_completed),
        award=pl.when(pl.col("rank") == len(levels) - 1)
        .then(pl.lit("hoc_sinh_xuat_sac"))
        .when(is_good & wins)
        .then(pl.lit("hoc_sinh_tieu_bieu"))
        .otherwise(pl.lit(NO_AWARD)),
        mask=mask,
        **_primary_promotion(is_completed),
    ).select("learner", "level", "completion", "award", "promotion", "mask", "promotion_because", "error")
    return _answer(answer, {"mask": ("because", PRIMARY_CODES)})


def primary_completion(
    rules: tt_30_2014.Circular30, frame: Frame, learners: Frame | None = None
) -> pl.DataFrame:
    """Return the completion of each pupil under Circular 30/2014, as amended by 22/2016 or not.

    Columns in as of `primary_results` without its booleans; out: `learner`, `completion`, `promotion`,
    `because`, `promotion_because`, `error`.
    """
    optional = {"level_after_help": None, "principal_decision": None}
    given = _learner_table(frame, learners, {"grade": True}, optional)
    rows = _primary_rows(rules, frame, given)
    table = rows.group_by("learner").agg(
        _worse("subject", rules.subject_levels, rules.subject_levels[1], "s"),
        _worse("quality", rules.quality_levels, rules.quality_levels[1], "q"),
        (pl.col("test") < tt_30_2014.TESTS_FROM).any().alias("t"),
        *_primary_faults(),
    )
    table = table.join(given, on="learner", how="full", coalesce=True).with_columns(
        error=_primary_error(
            pl.col("grade").is_in(list(rules.first_year)), _unknown(tt_30_2014.LEVELS, "level_after_help")
        )
    )
    is_completed = ~pl.any_horizontal("s", "q", "t")
    mask = is_completed.cast(pl.Int16)
    for bit, kind in enumerate(("s", "q", "t"), start=1):
        mask = mask + pl.col(kind).cast(pl.Int16) * 2**bit
    answer = table.with_columns(
        completion=_completion(is_completed), level=_completion(is_completed), mask=mask
    ).with_columns(**_primary_promotion(is_completed))
    answer = answer.select("learner", "completion", "promotion", "mask", "promotion_because", "error")
    return _answer(answer, {"mask": ("because", COMPLETION_CODES)})


_RANKED_COLUMNS = {"conduct1": True, "conduct2": True, "conduct_year": True, "absences": True}


def _half_up(total: pl.Expr, divisor: pl.Expr | int) -> pl.Expr:
    return (2 * total + divisor) // (2 * divisor)


def _year(first: pl.Expr, second: pl.Expr) -> pl.Expr:
    weights = tt_22_2021.WEIGHT_TERM1, tt_22_2021.WEIGHT_TERM2
    total = weights[0] * first.cast(pl.Int32) + weights[1] * second.cast(pl.Int32)
    return _half_up(total, sum(weights))


def _year_value() -> pl.Expr:
    """Return a scored subject's year average, a comment subject's term II."""
    average = _year(pl.col("term1"), pl.col("term2"))
    return pl.when(pl.col("kind") == "score").then(average).otherwise(pl.col("term2").cast(pl.Int32))


def _lazy(frame: Frame, columns: Mapping[str, bool]) -> pl.LazyFrame:
    """Return the frame as a lazy one; refuse a missing column, or one not of whole numbers."""
    lazy = frame.lazy()
    schema = lazy.collect_schema()
    for name in columns:
        if name not in schema:
            raise UnknownValue(f"the frame has no column {name!r}", name=name)
        if not (schema[name].is_integer() or schema[name] == pl.Null):
            raise OutOfRange(f"{name!r} is not a column of whole numbers: {schema[name]}", name=name)
    return lazy


def _subject_rows(frame: Frame, optional: Mapping[str, Any]) -> pl.LazyFrame:
    """Return the rows with optional columns filled in, without the exempt ones, faults marked."""
    lazy = _lazy(frame, {"term1": False, "term2": False})
    schema = lazy.collect_schema()
    for name in ("learner", "subject", "kind"):
        if name not in schema:
            raise UnknownValue(f"the frame has no column {name!r}", name=name)
    if "retest" in schema:
        _lazy(frame, {"retest": False})
    filled = {
        name: pl.lit(default, dtype=pl.Int32 if default is None else pl.String)
        for name, default in optional.items()
        if name not in schema
    }
    lazy = lazy.with_columns(**filled).select("learner", "subject", "kind", "term1", "term2", *optional)
    unknown = ~pl.col("kind").is_in(list(KINDS)) | ~pl.col("mode").is_in(list(MODES))
    unknown = unknown.fill_null(value=True)
    limit = pl.when(pl.col("kind") == "score").then(pl.lit(HIGHEST_MARK)).otherwise(pl.lit(1))
    outside = pl.any_horizontal(
        (pl.col(name) < 0) | (pl.col(name) > limit) for name in ("term1", "term2", "retest")
    ).fill_null(value=False)
    is_counted = pl.col("mode") != "exempt"
    is_score = pl.col("kind") == "score"
    return lazy.with_columns(
        retest=pl.when(is_counted).then(pl.col("retest")),
        is_unknown=unknown | (outside & ~is_score & is_counted),
        is_outside=outside & is_score & is_counted,
        is_missing=(pl.col("term1").is_null() | pl.col("term2").is_null()) & is_counted,
        is_score=is_score & is_counted,
        is_comment=(pl.col("kind") == "comment") & is_counted,
    )


def _split_values(rows: pl.LazyFrame, values: Sequence[str]) -> pl.LazyFrame:
    """Add `<value>_score` and `<value>_comment`, null in the rows of the other kind: sums then need no filter."""
    return rows.with_columns(
        pl.when(f"is_{kind}").then(pl.col(value)).alias(f"{value}_{kind}")
        for value in values
        for kind in KINDS
    )


def _scored(value: str) -> pl.Expr:
    return pl.col(f"{value}_score")


def _counts(rules: tt_22_2021.Circular22, value: str) -> list[pl.Expr]:
    """Return what the levels need of one value: how many reach each mark, the lowest, comments not passed."""
    thresholds = sorted({*rules.high.values(), *rules.minimum.values()})
    counts = [(_scored(value) >= one).sum().cast(pl.Int64).alias(f"{value}_from_{one}") for one in thresholds]
    failures = (pl.col(f"{value}_comment") == 0).sum().cast(pl.Int64)
    if not rules.counts_comments:
        failures = pl.lit(0, dtype=pl.Int64)
    return [
        *counts,
        _scored(value).min().cast(pl.Int64).alias(f"{value}_lowest"),
        failures.alias(f"{value}_failures"),
    ]


def _row_faults() -> list[pl.Expr]:
    return [
        pl.col("is_score").sum().cast(pl.Int64).alias("scores"),
        (pl.col("is_unknown").any() | (pl.col("subject").n_unique() != pl.len())).alias("has_unknown"),
        pl.col("is_outside").any().alias("has_outside"),
        pl.col("is_missing").any().alias("has_missing"),
    ]


def _learner_table(
    frame: Frame, learners: Frame | None, needed: Mapping[str, bool], optional: Mapping[str, Any]
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


def _with_learners(
    table: pl.LazyFrame,
    frame: Frame,
    learners: Frame | None,
    needed: Mapping[str, bool],
    optional: Mapping[str, Any],
) -> pl.LazyFrame:
    return table.join(
        _learner_table(frame, learners, needed, optional), on="learner", how="full", coalesce=True
    )


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
        (learning, *_second_chance("learning_after_retest", "retest", RETEST, ["chua_dat"])),
        (pl.lit(value=True), *_summer(["chua_dat"])),
    ]
    return [
        _branch([(test, result) for test, result, _ in branches]).alias("promotion"),
        _branch([(test, why) for test, _, why in branches]).alias("promotion_because"),
    ]


def _summer(failing: list[str]) -> tuple[pl.Expr, pl.Expr]:
    return _second_chance("conduct_after_summer", "summer-training", SUMMER_TRAINING, failing)


def _second_chance(column: str, name: str, waiting: str, failing: list[str]) -> tuple[pl.Expr, pl.Expr]:
    result = pl.col(column)
    return (
        _branch(
            [
                (result.is_null(), pl.lit(waiting)),
                (result.is_in(failing), pl.lit(RETAINED)),
                (pl.lit(value=True), pl.lit(PROMOTED)),
            ]
        ),
        _branch(
            [
                (result.is_null(), pl.lit(f"{name}-needed")),
                (result.is_in(failing), pl.lit(f"{name}-failed")),
                (pl.lit(value=True), pl.lit(f"{name}-passed")),
            ]
        ),
    )


def _branch(branches: Sequence[tuple[pl.Expr, pl.Expr]]) -> pl.Expr:
    """Return the result of the first branch whose test holds."""
    answer = branches[-1][1]
    for test, result in reversed(branches[:-1]):
        answer = pl.when(test).then(result).otherwise(answer)
    return answer


def _rank_sums(rules: tt_58_2011.Circular58, value: str) -> list[pl.Expr]:
    scored = _scored(value)
    is_core = pl.col("subject").is_in(list(rules.core_subjects))
    is_special = pl.col("subject") == pl.col("specialised_subject")
    lowest = scored.min()
    return [
        scored.sum().cast(pl.Int64).alias(f"{value}_sum"),
        lowest.cast(pl.Int64).alias(f"{value}_lowest"),
        pl.when((scored == lowest).sum() > 1)
        .then(lowest)
        .otherwise(scored.filter(scored > lowest).min())
        .cast(pl.Int64)
        .fill_null(HIGHEST_MARK)
        .alias(f"{value}_second"),
        scored.filter(is_core).max().cast(pl.Int64).fill_null(0).alias(f"{value}_core"),
        scored.filter(is_special).max().cast(pl.Int64).alias(f"{value}_special"),
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
        _half_up(pl.col(f"{value}_sum"), pl.col("scores").clip(lower_bound=1)).alias(f"{value}_average")
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
        (weak, *_second_chance("learning_after_retest", "retest", RETEST, ["yeu", "kem"])),
        (bad, *_summer(["yeu"])),
        (
            pl.lit(value=True),
            pl.lit(PROMOTED),
            pl.when(pl.col("conduct_year").is_null())
            .then(pl.lit("promotion-conditions-met-learning"))
            .otherwise(pl.lit("promotion-conditions-met")),
        ),
    ]
    return {
        "promotion": _branch([(test, result) for test, result, _ in branches]),
        "promotion_because": _branch([(test, why) for test, _, why in branches]),
    }


def _primary_rows(
    rules: tt_27_2020.Circular27 | tt_30_2014.Circular30, frame: Frame, given: pl.LazyFrame
) -> pl.LazyFrame:
    """Return the counted rows with their faults marked."""
    lazy = _lazy(frame, {"test": False})
    schema = lazy.collect_schema()
    for name in ("learner", "kind", "code", "level"):
        if name not in schema:
            raise UnknownValue(f"the frame has no column {name!r}", name=name)
    if "mode" not in schema:
        lazy = lazy.with_columns(mode=pl.lit("normal"))
    lazy = lazy.select("learner", "kind", "code", "level", "test", "mode").join(
        given.select("learner", "grade"), on="learner", how="left"
    )
    is_subject = pl.col("kind") == "subject"
    allowed = (
        pl.when(is_subject)
        .then(pl.col("level").is_in(list(rules.subject_levels)))
        .otherwise(pl.col("level").is_in(list(rules.quality_levels)))
    )
    unknown = ~pl.col("kind").is_in(["subject", "quality"]) | ~pl.col("mode").is_in(list(MODES))
    due = pl.lit(value=False)
    for grade in rules.first_year:
        if isinstance(rules, tt_27_2020.Circular27):
            codes = rules.subjects_with_periodic_test(
                grade=grade, period=tt_27_2020.YEAR_END, has_minority_language=True
            )
        else:
            codes = rules.subjects_with_periodic_test(
                grade=grade, period=tt_27_2020.YEAR_END, taught=tt_30_2014.TESTED_WHERE_TAUGHT
            )
        due = due | ((pl.col("grade") == grade) & pl.col("code").is_in(list(codes)))
    test = pl.col("test")
    wrong = (
        (test < tt_27_2020.LOWEST_TEST) | (test > tt_27_2020.HIGHEST_TEST) | (test % tt_27_2020.POINT != 0)
    )
    needs_test = due & is_subject & pl.col("mode").is_in(["normal", "reduced"])
    return lazy.with_columns(
        is_unknown=unknown.fill_null(value=True) | (~allowed).fill_null(value=False),
        is_wrong=wrong.fill_null(value=False),
        is_missing=pl.col("level").is_null() | (needs_test & test.is_null()),
    ).filter((pl.col("mode") != "exempt") | pl.col("is_unknown"))


def _worse(kind: str, levels: Sequence[str], needed: str, name: str) -> pl.Expr:
    """Return whether a row of the kind lies below the level needed."""
    below = list(levels[: levels.index(needed)])
    return ((pl.col("kind") == kind) & pl.col("level").is_in(below)).any().alias(name)


def _primary_faults() -> list[pl.Expr]:
    return [
        (pl.col("is_unknown").any() | (pl.struct("kind", "code").n_unique() != pl.len())).alias(
            "has_unknown"
        ),
        pl.col("is_wrong").any().alias("has_outside"),
        pl.col("is_missing").any().alias("has_missing"),
        (pl.col("kind") == "subject").any().alias("has_subject"),
        (pl.col("kind") == "quality").any().alias("has_quality"),
        (pl.col("mode") == "individual_plan").any().alias("is_individual_plan"),
    ]


def _primary_error(is_grade: pl.Expr, unknown_level: pl.Expr) -> pl.Expr:
    return _first_error(
        [
            (UNKNOWN, unknown_level | _unknown((PROMOTED, RETAINED), "principal_decision")),
            (UNKNOWN, pl.col("has_unknown") | pl.col("is_twice")),
            (RANGE, pl.col("has_outside") | ~is_grade.fill_null(value=False)),
            (INCOMPLETE, pl.col("has_missing") | ~_sure("has_subject") | ~_sure("has_quality")),
        ]
    )


def _completion(is_completed: pl.Expr) -> pl.Expr:
    return pl.when(is_completed).then(pl.lit("hoan_thanh")).otherwise(pl.lit(NOT_COMPLETED))


def _primary_promotion(is_completed: pl.Expr) -> dict[str, pl.Expr]:
    helped, decision = pl.col("level_after_help"), pl.col("principal_decision")
    branches = [
        (is_completed, pl.lit(PROMOTED), pl.lit("class-completed")),
        ((helped != NOT_COMPLETED).fill_null(value=False), pl.lit(PROMOTED), pl.lit("completed-after-help")),
        (decision.is_not_null(), decision, pl.lit("principal-decided")),
        (helped.is_null() & ~pl.col("is_individual_plan"), pl.lit(MORE_HELP), pl.lit("more-help-needed")),
        (pl.lit(value=True), pl.lit(PRINCIPAL_DECIDES), pl.lit("principal-decides")),
    ]
    return {
        "promotion": _branch([(test, result) for test, result, _ in branches]),
        "promotion_because": _branch([(test, why) for test, _, why in branches]),
    }


def _sure(name: str) -> pl.Expr:
    return pl.col(name).fill_null(value=False)


def _outside(name: str) -> pl.Expr:
    return ((pl.col(name) < 0) | (pl.col(name) > HIGHEST_MARK)).fill_null(value=False)


def _unknown(choices: Sequence[str], *names: str) -> pl.Expr:
    """Return whether one of the columns has a value that is neither null nor of the list."""
    return pl.any_horizontal((~pl.col(name).is_in(list(choices))).fill_null(value=False) for name in names)


def _first_error(faults: Sequence[tuple[str, pl.Expr]]) -> pl.Expr:
    """Return the code of the first fault, null without one."""
    error = pl.lit(None, dtype=pl.String)
    for code, fault in reversed(faults):
        error = pl.when(fault.fill_null(value=False)).then(pl.lit(code)).otherwise(error)
    return error


def _table_lookup(table: Mapping[tuple[str, str], str], first: str, second: str) -> pl.Expr:
    keys = pl.concat_str(pl.col(first), pl.lit("|"), pl.col(second))
    return keys.replace_strict(
        {"|".join(key): value for key, value in table.items()}, default=None, return_dtype=pl.String
    )


def _name(rank: pl.Expr, levels: Sequence[str]) -> pl.Expr:
    return rank.replace_strict(dict(enumerate(levels)), return_dtype=pl.String)


def _answer(table: pl.LazyFrame, masks: Mapping[str, tuple[str, Sequence[str]]]) -> pl.DataFrame:
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
