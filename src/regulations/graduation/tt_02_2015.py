"""Circulars 02/2015/TT-BGDĐT and 04/2017/TT-BGDĐT: the national exam of 2015 to 2018, for old records.

Half of the papers, half of grade 12. From general knowledge; kept so that old results can be explained.
"""

from __future__ import annotations

from collections.abc import Sequence

from regulations.core import Citation, Hundredths, cites
from regulations.graduation.base import (
    ROUNDINGS,
    GraduationScore,
    Rounding,
    capped,
    check_choice,
    check_points,
    check_score,
    check_scores,
    recognition,
    rounded,
)

ID = "grad.tt02-2015"
INSTRUMENT = "02/2015/TT-BGDĐT"
TITLE = "Quy chế thi trung học phổ thông quốc gia các năm 2015 đến 2018"
FIRST_EXAM, LAST_EXAM = 2015, 2018
VERSION = 1

PAPERS = 4
FAIL_MARK: Hundredths = 100
PASS_SCORE: Hundredths = 500
BONUS_CAP: Hundredths = 400
WEIGHTS = (1, 1)
"""Of the papers and of grade 12."""
COMPONENTS = (0, 2, 3)
"""How many subjects a combined paper may have; none before 2017."""

RECOGNITION = Citation(INSTRUMENT)


def governs(*, year: int) -> bool:
    """Return whether it governs the exam held in the calendar year `year`."""
    return FIRST_EXAM <= year <= LAST_EXAM


@cites(INSTRUMENT)
def graduation_score(
    *,
    papers: Sequence[Hundredths],
    grade12: Hundredths,
    components: Sequence[Hundredths] = (),
    bonus: Hundredths = 0,
    priority: Hundredths = 0,
    cancelled: bool = False,
    rounding: Rounding = "half-up",
    weights: tuple[int, int] = WEIGHTS,
    at: Citation = RECOGNITION,
) -> GraduationScore:
    """Return the recognition of a candidate from four papers and the average of grade 12.

    components   the subjects of a combined paper (2017 and later), each of which has the fail mark too
    weights, at  of papers and grade 12, and the place of law; the circular of 2019 sets its own
    """
    check_choice(rounding, ROUNDINGS, name="rounding")
    sat = check_scores(papers, name="papers", counts=(PAPERS,), citation=at)
    parts = check_scores(components, name="components", counts=COMPONENTS, citation=at)
    year = check_score(grade12, name="grade12", citation=at)
    check_points(priority, name="priority", citation=at)
    counted, cut = capped(check_points(bonus, name="bonus", citation=at), BONUS_CAP, at)
    of_papers, of_year = weights
    total = of_papers * (sum(sat) + counted) + of_year * PAPERS * year
    score = priority + rounded(total, (of_papers + of_year) * PAPERS, rounding)
    return recognition(
        score=score,
        sat=(*sat, *parts),
        bonus=counted,
        cut=cut,
        pass_score=PASS_SCORE,
        fail_mark=FAIL_MARK,
        cancelled=cancelled,
        at=at,
    )
