"""Circular 43/2021/TT-BGDĐT: assessing learners of continuing education, grades 6 to 12.

The rules of Circular 22/2021 with five subjects where that has six, no comment subject in the level, and
every chosen study topic among the regular marks. The articles are numbered otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ClassVar

from regulations.assessment.base import LearningOutcome, Programme, Reading, check_marks
from regulations.assessment.tt_22_2021 import Circular22
from regulations.core import Citation, Tenths, cites

INSTRUMENT = "43/2021/TT-BGDĐT"

MIN_COUNT = 5
AWARD_COUNT = 5
ARTICLES = {12: 11, 13: 13, 14: 12, 15: 14}
"""Article of Circular 22/2021 -> of this one, where they differ or are known."""


def _under(
    rule: Callable[..., Any], article: int, clause: int | None = None, point: str | None = None
) -> Any:
    """Return a rule of Circular 22/2021 as this circular has it: the same words in another place."""

    @wraps(rule)
    def same(*args: Any, **kwargs: Any) -> Any:
        return rule(*args, **kwargs)

    return cites(INSTRUMENT, article, clause, point)(same)


class Circular43(Circular22):
    """The rules of Circular 43/2021, one learner at a time or as a set by `apply`."""

    id: ClassVar[str] = "gdtx.tt43-2021"
    instrument: ClassVar[str] = INSTRUMENT
    title: ClassVar[str] = (
        "Quy định về đánh giá học viên theo học Chương trình giáo dục thường xuyên cấp trung học cơ sở và cấp "
        "trung học phổ thông"
    )
    programme: ClassVar[Programme] = "continuing"
    # Article 19: the same years as Circular 22/2021.
    first_year: ClassVar[Mapping[int, int]] = dict(Circular22.first_year)
    min_count: ClassVar[int] = MIN_COUNT
    award_count: ClassVar[int] = AWARD_COUNT
    counts_comments: ClassVar[bool] = False

    def cite(
        self, article: int | None = None, clause: int | None = None, point: str | None = None
    ) -> Citation:
        """Return this circular's place for one of Circular 22/2021."""
        return Citation(self.instrument, ARTICLES.get(article or 0, article), clause, point)

    required_regular_marks = _under(Circular22.required_regular_marks, 6, 3, "b")
    required_regular_comments = _under(Circular22.required_regular_comments, 6, 3, "a")
    class_duty = _under(Circular22.class_duty, 7, 1)
    missed_periodic = _under(Circular22.missed_periodic, 7, 4)
    mark_weights = _under(Circular22.mark_weights, 9, 1, "b")
    term_weights = _under(Circular22.term_weights, 9, 1, "b")
    subject_year_average = _under(Circular22.subject_year_average, 9, 1, "b")
    comment_subject_term = _under(Circular22.comment_subject_term, 9, 1, "a")
    comment_subject_year = _under(Circular22.comment_subject_year, 9, 1, "a")
    conduct_year = _under(Circular22.conduct_year, 8, 2, "b")
    award = _under(Circular22.award, 14, 1)
    retestable_subjects = _under(Circular22.retestable_subjects, 12)
    promotion = _under(Circular22.promotion, 11)
    term_results = _under(Circular22.term_results, 9)
    year_results = _under(Circular22.year_results, 9)
    subject = _under(Circular22.subject, 9, 1, "b")

    @cites(INSTRUMENT, article=9, clause=1, point="b")
    def subject_term_average(  # type: ignore[override]
        self,
        *,
        regular: Sequence[Tenths],
        midterm: Tenths | None,
        final: Tenths | None,
        topics: Sequence[Tenths] = (),
        required: int | None = None,
    ) -> Tenths:
        """Return a scored subject's average for one term, in tenths.

        topics   the mark of each chosen study topic; our reading: each counts in the sum and in the divisor
        """
        marks = check_marks(topics, name="topics", citation=self.cite(9, 1, "b"))
        return super().subject_term_average(
            regular=tuple(regular) + marks,
            midterm=midterm,
            final=final,
            required=None if required is None else required + len(marks),
        )

    @cites(INSTRUMENT, article=9, clause=2)
    def learning_level(
        self,
        *,
        scored: Mapping[str, Tenths],
        comments: Mapping[str, str] | None = None,
        min_count: int | None = None,
        reading: Reading = "strict",
        adjust_for_comment: bool = True,
    ) -> LearningOutcome:
        """Return the learning level of a term or a year; subjects assessed by comment are not asked.

        The adjustment for one single subject is taken over from Circular 22/2021 by our reading.
        """
        return super().learning_level(
            scored=scored,
            comments={},
            min_count=min_count,
            reading=reading,
            adjust_for_comment=adjust_for_comment,
        )


RULES = Circular43()
