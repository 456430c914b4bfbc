"""The same rules for sets: Polars frames of a province in, results and reason codes out.

Shapes. A frame has one row a learner and subject (primary: and quality), in any order; the answer has one
row a learner, in ascending order of `learner`. What belongs to the learner (conduct, absences …) may stand
on each of his rows, or in a second frame of one row a learner given as `learners`. Results of single subjects
(`marks`) and of children (`preschool`) keep the rows of their frame, in their order.

Units. Marks are whole numbers of tenths; a comment subject's result is 1 for Đạt, 0 for Chưa đạt, in the same
columns as the marks. Levels and decisions are the codes of the rules.

Errors. A learner whose input a rule refuses gets the refusal's code in `error` and nulls for results; the
others get theirs. Of several faults the first of `unknown-value`, `out-of-range`, `incomplete-marks`,
`not-retestable` is named. A column that is missing or not of whole numbers is refused at once, for that is
a fault of the caller and not of a row.

Polars is an extra of the distribution (`analytics`) and imported here only.
"""

from __future__ import annotations

from regulations.assessment.frames.levels import AWARD_CODES, LEARNING_CODES, year_results
from regulations.assessment.frames.marks import comment_terms, term_averages, year_averages
from regulations.assessment.frames.preschool import group_sizes, growth_classes
from regulations.assessment.frames.primary import (
    COMPLETION_CODES,
    PRIMARY_CODES,
    primary_completion,
    primary_results,
)
from regulations.assessment.frames.ranks import RANK_CODES, ranked_results

__all__ = [
    "AWARD_CODES",
    "COMPLETION_CODES",
    "LEARNING_CODES",
    "PRIMARY_CODES",
    "RANK_CODES",
    "comment_terms",
    "group_sizes",
    "growth_classes",
    "primary_completion",
    "primary_results",
    "ranked_results",
    "term_averages",
    "year_averages",
    "year_results",
]
