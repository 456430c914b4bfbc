"""A subject's results of a term and a year, for sets: one row a learner, subject and term (or year).

Other columns of the frame stay, rows stay in their order; a comment subject's results are 1 for Đạt, 0 for Chưa đạt.
"""

from __future__ import annotations

from inspect import signature
from typing import Any

import polars as pl

from regulations.assessment import tt_58_2011
from regulations.assessment.base import HIGHEST_MARK, RuleSet
from regulations.assessment.frames.common import out_of_scale, whole_numbers, year_average
from regulations.core import OutOfRange, UnknownValue
from regulations.sets import INCOMPLETE, NO, RANGE, UNKNOWN, Frame, first_error, fits, half_up


def term_averages(rules: RuleSet, frame: Frame) -> pl.DataFrame:
    """Return the frame with `average` (tenths) and `error` under any circular of secondary school.

    frame   `regular` list of tenths, topics' marks among them; `final` tenths; `midterm` tenths, or under
            Circular 58/2011 `periodic`, a list of tenths, empty where there was no test; optional `required`, how
            many regular marks there must be, null where it is not asked
    """
    is_list = asks_for(rules.subject_term_average, "periodic")
    taken = _taken(frame, lists=("regular", "periodic") if is_list else ("regular",))
    once, middle_weight, last_weight = rules.mark_weights()
    number = pl.col("regular").list.len().cast(pl.Int32)
    lists, total = _list_faults(taken, "regular"), once * pl.col("regular").list.sum().cast(pl.Int32)
    divisor = once * number
    outside, incomplete = (
        lists[0] | out_of_scale("final"),
        lists[1] | pl.col("final").is_null() | (number == 0),
    )
    if is_list:
        beyond, gap = _list_faults(taken, "periodic")
        outside, incomplete = outside | beyond, incomplete | gap
        total = total + middle_weight * pl.col("periodic").list.sum().cast(pl.Int32)
        divisor = divisor + middle_weight * pl.col("periodic").list.len().cast(pl.Int32)
    else:
        outside, incomplete = outside | out_of_scale("midterm"), incomplete | pl.col("midterm").is_null()
        total = total + middle_weight * pl.col("midterm").cast(pl.Int32)
        divisor = divisor + middle_weight
    if "required" in taken.columns:
        incomplete = incomplete | (number < pl.col("required"))
    total = total + last_weight * pl.col("final").cast(pl.Int32)
    return _with_average(taken, half_up(total, divisor + last_weight), outside, incomplete)


def year_averages(rules: RuleSet, frame: Frame) -> pl.DataFrame:
    """Return the frame with `average` (tenths) and `error`, from `term1` and `term2` in tenths."""
    taken = whole_numbers(frame, ("term1", "term2")).collect()
    outside = out_of_scale("term1") | out_of_scale("term2")
    incomplete = pl.col("term1").is_null() | pl.col("term2").is_null()
    return _with_average(taken, year_average(rules, pl.col("term1"), pl.col("term2")), outside, incomplete)


def comment_terms(rules: RuleSet, frame: Frame) -> pl.DataFrame:
    """Return the frame with `result` (1 Đạt, 0 Chưa đạt) and `error` of a comment subject's term.

    frame   `regular` list of 1 and 0; `midterm`, `final` 1, 0 or null for none; `required`, how many regular
            assessments there must be (of 22/2021 and those that follow it). Under Circular 58/2011 `regular`
            are all tests but the term test, there is no `midterm`, and `required` counts the term test as well
    """
    is_share = asks_for(rules.comment_subject_term, "required_total")
    taken = _taken(frame, lists=("regular",), numbers=("final",) if is_share else ("midterm", "final"))
    if "required" not in taken.columns:
        raise UnknownValue("no column 'required'", name="required")
    beyond, gap = _list_faults(taken, "regular", highest=1)
    ends = pl.any_horizontal(
        out_of_scale(name, 1) for name in (("final",) if is_share else ("midterm", "final"))
    )
    needed, passed = pl.col("required"), pl.col("regular").list.sum().cast(pl.Int64)
    number, last = pl.col("regular").list.len().cast(pl.Int64), (pl.col("final") == 1).fill_null(value=False)
    if is_share:
        share, of = tt_58_2011.PASSED_SHARE
        result = last & (number + 1 >= needed) & (of * (passed + 1) >= share * (number + 1))
    else:
        middle = (pl.col("midterm") == 1).fill_null(value=False)
        result = last & middle & (number >= needed) & (passed == number)
    error = first_error(
        [
            (UNKNOWN, beyond | ends),
            (RANGE, (needed < 0).fill_null(value=False)),
            (INCOMPLETE, gap | needed.is_null()),
        ]
    )
    taken = taken.with_columns(error=error)
    return taken.with_columns(result=pl.when(pl.col("error").is_null()).then(result.cast(pl.Int8)))


def asks_for(rule: Any, name: str) -> bool:
    """Return whether a one-learner rule has an argument of that name."""
    return name in signature(rule).parameters


def _taken(frame: Frame, *, lists: tuple[str, ...], numbers: tuple[str, ...] | None = None) -> pl.DataFrame:
    """Return the frame, its columns checked: lists of whole numbers, and whole numbers."""
    if numbers is None:
        numbers = ("final",) if "periodic" in lists else ("midterm", "final")
    lazy = whole_numbers(frame, numbers)
    schema = lazy.collect_schema()
    for name in lists:
        if name not in schema:
            raise UnknownValue(f"no column {name!r}", name=name)
        if schema[name] == pl.Null or not fits(schema[name], pl.List(pl.Int64)):
            raise OutOfRange(f"{name!r} is not a column of lists of whole numbers: {schema[name]}", name=name)
    if "required" in schema and not fits(schema["required"], pl.Int64):
        raise OutOfRange(
            f"'required' is not a column of whole numbers: {schema['required']}", name="required"
        )
    return lazy.collect()


def _list_faults(taken: pl.DataFrame, name: str, highest: int = HIGHEST_MARK) -> tuple[pl.Expr, pl.Expr]:
    """Return whether a row's list leaves the scale, and whether it is missing or has a gap.

    A look at all elements at once comes first: lists without a fault, the common case, then cost no look each.
    """
    elements, column = taken[name].explode(keep_nulls=False, empty_as_null=False), pl.col(name)
    outside, incomplete = NO, NO
    if elements.null_count() or taken[name].null_count():
        gaps = column.list.drop_nulls().list.len() < column.list.len()
        incomplete = (column.is_null() | gaps).fill_null(value=False)
    if elements.is_between(0, highest).all() is not True:
        outside = ((column.list.min() < 0) | (column.list.max() > highest)).fill_null(value=False)
    return outside, incomplete


def _with_average(
    taken: pl.DataFrame, average: pl.Expr, outside: pl.Expr, incomplete: pl.Expr
) -> pl.DataFrame:
    faulty = {"outside": outside, "incomplete": incomplete.fill_null(value=False)}
    found = taken.lazy().select(**{name: one.any() for name, one in faulty.items()}).collect()
    if not any(found.row(0)):
        return taken.with_columns(average=average, error=pl.lit(None, dtype=pl.String))
    error = first_error([(RANGE, faulty["outside"]), (INCOMPLETE, faulty["incomplete"])])
    good = ~faulty["outside"] & ~faulty["incomplete"]
    return taken.with_columns(average=pl.when(good).then(average), error=error)
