"""A whole term and a whole year by levels: the order in which Circular 22/2021/TT-BGDĐT and those that follow it
put their own rules together. No threshold and no formula is here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from regulations.assessment.base import (
    LearningOutcome,
    NotRetestable,
    Reading,
    RuleSet,
    SubjectResult,
    TermMarks,
    TermResults,
    YearResults,
    check_choice,
    check_count,
    counted,
    split_kinds,
    term_values,
)
from regulations.core import Outcome, Tenths, cites

if TYPE_CHECKING:
    import polars

INSTRUMENT = "22/2021/TT-BGDĐT"

LEVELS = ("chua_dat", "dat", "kha", "tot")
"""Learning and conduct levels, lowest first."""


class YearByLevels(RuleSet):
    """Terms and years put together from the rules of a circular."""

    @cites(INSTRUMENT, article=9, clause=1, point="b")
    def subject(
        self,
        code: str,
        *,
        term1: TermMarks | None = None,
        term2: TermMarks | None = None,
        retest: Tenths | None = None,
    ) -> SubjectResult:
        """Return a scored subject's results from its marks; see `subject_term_average`."""
        averages = [
            None
            if marks is None
            else self.subject_term_average(
                regular=marks.regular + marks.topics, midterm=marks.midterm, final=marks.final
            )
            for marks in (term1, term2)
        ]
        return SubjectResult(code, "score", averages[0], averages[1], retest=retest)

    @cites(INSTRUMENT, article=9)
    def term_results(
        self,
        *,
        subjects: Iterable[SubjectResult],
        term: int,
        conduct: str | None = None,
        reading: Reading = "strict",
        adjust_for_comment: bool = True,
    ) -> TermResults:
        """Return one term's results of one learner. `term` is 1 or 2.

        Raises IncompleteMarks naming every subject without a result of the term (`facts["subjects"]`).
        """
        chosen = counted(subjects)
        averages, comments = split_kinds(chosen, term_values(chosen, term, self.cite(9, 1)))
        if conduct is not None:
            check_choice(conduct, LEVELS, name=f"conduct{term}", citation=self.cite(8, 2, "a"))
        learning = self.learning_level(
            scored=averages, comments=comments, reading=reading, adjust_for_comment=adjust_for_comment
        )
        return TermResults(self.id, self.version, averages, comments, learning, conduct)

    @cites(INSTRUMENT, article=9)
    def year_results(
        self,
        *,
        subjects: Iterable[SubjectResult],
        conduct1: str | None,
        conduct2: str | None,
        absences: int | None,
        conduct_after_summer: str | None = None,
        is_individual_plan: bool = False,
        principal_decision: str | None = None,
        reading: Reading = "strict",
        adjust_for_comment: bool = True,
    ) -> YearResults:
        """Return term I, term II and the year of one learner, every judgement with its reasons.

        subjects   each subject once, with its two term results (see `SubjectResult`) and its re-assessment
        conduct1, conduct2   the levels the homeroom teacher set
        absences   half-day sessions missed in the year

        Raises IncompleteMarks for anything missing, NotRetestable for a re-assessment not open to it.
        """
        chosen = counted(subjects)
        terms = [
            self.term_results(
                subjects=chosen,
                term=term,
                conduct=conduct,
                reading=reading,
                adjust_for_comment=adjust_for_comment,
            )
            for term, conduct in ((1, conduct1), (2, conduct2))
        ]
        averages = {
            code: self.subject_year_average(term1=first, term2=terms[1].averages[code])
            for code, first in terms[0].averages.items()
        }
        comments = {
            code: self.comment_subject_year(term1=first, term2=terms[1].comments[code])
            for code, first in terms[0].comments.items()
        }
        learning = self.learning_level(
            scored=averages, comments=comments, reading=reading, adjust_for_comment=adjust_for_comment
        )
        conduct = self.conduct_year(term1=conduct1, term2=conduct2)
        after = self._after_retest(chosen, averages, comments, learning, conduct, reading, adjust_for_comment)
        open_to_retest = (
            _joined(self.retestable_subjects(scored=averages, comments=comments))
            if learning.level == "chua_dat" and conduct.level != "chua_dat"
            else ()
        )
        return YearResults(
            self.id,
            self.version,
            terms[0],
            terms[1],
            averages,
            comments,
            learning,
            conduct,
            self.award(conduct=conduct.level, learning=learning.level, scored=averages),
            self.promotion(
                conduct=conduct.level,
                learning=learning.level,
                absences=check_count(absences, name="absences", citation=self.cite(12, 1, "c")),
                learning_after_retest=after.level if after else None,
                conduct_after_summer=conduct_after_summer,
                is_individual_plan=is_individual_plan or any(one.mode == "individual_plan" for one in chosen),
                principal_decision=principal_decision,
            ),
            open_to_retest,
            after,
        )

    def apply(self, frame: polars.DataFrame | polars.LazyFrame) -> polars.DataFrame:
        """Return the year's results of a set of learners; see `regulations.assessment.frames.year_results`."""
        from regulations.assessment import frames

        return frames.year_results(self, frame)  # type: ignore[arg-type]

    def _after_retest(
        self,
        subjects: Sequence[SubjectResult],
        averages: Mapping[str, Tenths],
        comments: Mapping[str, str],
        learning: LearningOutcome,
        conduct: Outcome,
        reading: Reading,
        adjust_for_comment: bool,
    ) -> LearningOutcome | None:
        """Return the level with the re-assessed results in place of the year's, None when there are none."""
        again = {one.code: one for one in subjects if one.retest is not None}
        if not again:
            return None
        scored, failed = self.retestable_subjects(scored=averages, comments=comments)
        for code in again:
            if learning.level != "chua_dat" or conduct.level == "chua_dat" or code not in scored + failed:
                raise NotRetestable(
                    f"{code} is not open to re-assessment", citation=self.cite(14), subject=code
                )
        new_averages: dict[str, Any] = {
            code: again[code].retest if code in again else mark for code, mark in averages.items()
        }
        new_comments: dict[str, Any] = {
            code: again[code].retest if code in again else result for code, result in comments.items()
        }
        # Our reading: the level after re-assessment is found anew, adjustment clause included.
        return self.learning_level(
            scored=new_averages,
            comments=new_comments,
            reading=reading,
            adjust_for_comment=adjust_for_comment,
        )


def _joined(groups: tuple[tuple[str, ...], tuple[str, ...]]) -> tuple[str, ...]:
    return groups[0] + groups[1]
