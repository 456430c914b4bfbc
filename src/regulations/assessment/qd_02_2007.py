"""Decision 02/2007/QĐ-BGDĐT with Circular 26/2014/TT-BGDĐT: continuing education before Circular 43/2021.

Known to us in outline only: the ranks and formulas of Circular 58/2011, and no conduct for those who study
by themselves. Its places of law are therefore cited without article.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ClassVar

from regulations.assessment.base import Programme
from regulations.assessment.tt_22_2021 import Circular22
from regulations.assessment.tt_58_2011 import Circular58
from regulations.core import Citation, cites

INSTRUMENT = "02/2007/QĐ-BGDĐT"


def _under(rule: Callable[..., Any]) -> Any:
    """Return a rule of Circular 58/2011 as it stands under this decision."""

    @wraps(rule)
    def same(*args: Any, **kwargs: Any) -> Any:
        return rule(*args, **kwargs)

    return cites(INSTRUMENT)(same)


class Decision02(Circular58):
    """The rules before Circular 43/2021; `conduct` may be None for a learner who studies by himself."""

    id: ClassVar[str] = "gdtx.qd02-2007+tt26-2014"
    instrument: ClassVar[str] = INSTRUMENT
    title: ClassVar[str] = "Quy chế đánh giá, xếp loại học viên theo học Chương trình giáo dục thường xuyên"
    programme: ClassVar[Programme] = "continuing"
    first_year: ClassVar[Mapping[int, int]] = dict.fromkeys(range(6, 13), 2007)
    last_year: ClassVar[Mapping[int, int]] = {
        grade: year - 1 for grade, year in Circular22.first_year.items()
    }
    needs_conduct: ClassVar[bool] = False

    def cite(
        self, article: int | None = None, clause: int | None = None, point: str | None = None
    ) -> Citation:
        """Return the decision as a whole: which article says what is not known to us."""
        return Citation(self.instrument)

    required_regular_tests = _under(Circular58.required_regular_tests)
    missed_periodic = _under(Circular58.missed_periodic)
    subject_term_average = _under(Circular58.subject_term_average)
    mark_weights = _under(Circular58.mark_weights)
    term_weights = _under(Circular58.term_weights)
    subject_year_average = _under(Circular58.subject_year_average)
    overall_average = _under(Circular58.overall_average)
    comment_subject_term = _under(Circular58.comment_subject_term)
    comment_subject_year = _under(Circular58.comment_subject_year)
    learning_level = _under(Circular58.learning_level)
    award = _under(Circular58.award)
    retestable_subjects = _under(Circular58.retestable_subjects)
    promotion = _under(Circular58.promotion)
    term_results = _under(Circular58.term_results)
    year_results = _under(Circular58.year_results)


RULES = Decision02()
