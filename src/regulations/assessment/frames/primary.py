"""The year of a set of pupils of primary school: Circulars 27/2020, 22/2016 and 30/2014."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from regulations.assessment import tt_22_2016, tt_27_2020, tt_30_2014
from regulations.assessment.base import (
    MODES,
    MORE_HELP,
    NO_AWARD,
    NOT_COMPLETED,
    PRINCIPAL_DECIDES,
    PROMOTED,
    RETAINED,
)
from regulations.assessment.frames.common import (
    learner_table,
    level_name,
    spelled_answer,
    sure,
    whole_numbers,
)
from regulations.core import UnknownValue
from regulations.sets import INCOMPLETE, RANGE, UNKNOWN, Frame, branch, first_error, unknown

PRIMARY_CODES = ("year-conditions-met", "subject-level-below", "quality-below", "test-below")
COMPLETION_CODES = ("programme-conditions-met", "subject-level-below", "quality-below", "test-below")
"""Reason codes of a judgement, each once, in the order a set gives them."""


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
    given = learner_table(frame, learners, ("grade",), optional)
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
    table = table.with_columns(rank=rank).with_columns(level=level_name(pl.col("rank"), levels))
    table = table.with_columns(
        error=_primary_error(
            pl.col("grade").is_in(list(tt_27_2020.TERM_END_TESTS)), unknown(levels, "level_after_help")
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
    return spelled_answer(answer, {"mask": ("because", PRIMARY_CODES)})


def primary_completion(
    rules: tt_30_2014.Circular30, frame: Frame, learners: Frame | None = None
) -> pl.DataFrame:
    """Return the completion of each pupil under Circular 30/2014, as amended by 22/2016 or not.

    Columns in as of `primary_results`, of its booleans only `has_outstanding_achievement`; out: `learner`,
    `completion`, `award` (null under 30/2014 itself, which has none), `promotion`, `because`,
    `promotion_because`, `error`.
    """
    optional = {
        "has_outstanding_achievement": False,
        "level_after_help": None,
        "principal_decision": None,
    }
    given = learner_table(frame, learners, ("grade",), optional)
    rows = _primary_rows(rules, frame, given)
    table = rows.group_by("learner").agg(
        _worse("subject", rules.subject_levels, rules.subject_levels[1], "s"),
        _worse("quality", rules.quality_levels, rules.quality_levels[1], "q"),
        (pl.col("test") < tt_30_2014.TESTS_FROM).any().alias("t"),
        _worse("subject", rules.subject_levels, rules.subject_levels[-1], "below_best"),
        _worse("quality", rules.quality_levels, rules.quality_levels[-1], "quality_below_best"),
        (pl.col("test") < tt_22_2016.EXCELLENT_TESTS_FROM).any().alias("test_below_best"),
        *_primary_faults(),
    )
    table = table.join(given, on="learner", how="full", coalesce=True).with_columns(
        error=_primary_error(
            pl.col("grade").is_in(list(rules.first_year)), unknown(tt_30_2014.LEVELS, "level_after_help")
        )
    )
    is_completed = ~pl.any_horizontal("s", "q", "t")
    mask = is_completed.cast(pl.Int16)
    for bit, kind in enumerate(("s", "q", "t"), start=1):
        mask = mask + pl.col(kind).cast(pl.Int16) * 2**bit
    answer = table.with_columns(
        completion=_completion(is_completed),
        level=_completion(is_completed),
        award=_commendation() if isinstance(rules, tt_22_2016.Circular30As22) else pl.lit(None, pl.String),
        mask=mask,
    ).with_columns(**_primary_promotion(is_completed))
    answer = answer.select(
        "learner", "completion", "award", "promotion", "mask", "promotion_because", "error"
    )
    return spelled_answer(answer, {"mask": ("because", COMPLETION_CODES)})


def _commendation() -> pl.Expr:
    excellent = ~pl.any_horizontal("below_best", "quality_below_best", "test_below_best")
    return branch(
        [
            (excellent, pl.lit("hoan_thanh_xuat_sac_noi_dung")),
            (pl.col("has_outstanding_achievement"), pl.lit("thanh_tich_vuot_troi")),
            (pl.lit(value=True), pl.lit(NO_AWARD)),
        ]
    )


def _primary_rows(
    rules: tt_27_2020.Circular27 | tt_30_2014.Circular30, frame: Frame, given: pl.LazyFrame
) -> pl.LazyFrame:
    """Return the counted rows with their faults marked."""
    lazy = whole_numbers(frame, ("test",))
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
    return first_error(
        [
            (UNKNOWN, unknown_level | unknown((PROMOTED, RETAINED), "principal_decision")),
            (UNKNOWN, pl.col("has_unknown") | pl.col("is_twice")),
            (RANGE, pl.col("has_outside") | ~is_grade.fill_null(value=False)),
            (INCOMPLETE, pl.col("has_missing") | ~sure("has_subject") | ~sure("has_quality")),
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
        "promotion": branch([(test, result) for test, result, _ in branches]),
        "promotion_because": branch([(test, why) for test, _, why in branches]),
    }
