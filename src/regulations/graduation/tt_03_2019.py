"""Circular 03/2019/TT-BGDĐT, amending the exam of 2019: 70 parts of the papers, 30 of grade 12.

From general knowledge; kept so that old results can be explained. All else is as circular 02/2015 left it.
"""

from __future__ import annotations

from collections.abc import Sequence

from regulations.core import Citation, Hundredths, cites
from regulations.graduation import tt_02_2015 as amended
from regulations.graduation.base import GraduationScore, Rounding

ID = "grad.tt03-2019"
INSTRUMENT = "03/2019/TT-BGDĐT"
AMENDS = amended.INSTRUMENT
TITLE = "Sửa đổi Quy chế thi trung học phổ thông quốc gia, áp dụng năm 2019"
FIRST_EXAM, LAST_EXAM = 2019, 2019
VERSION = 1

WEIGHTS = (7, 3)
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
) -> GraduationScore:
    """Return the recognition of a candidate; see the circular amended for the arguments."""
    return amended.graduation_score(
        papers=papers,
        grade12=grade12,
        components=components,
        bonus=bonus,
        priority=priority,
        cancelled=cancelled,
        rounding=rounding,
        weights=WEIGHTS,
        at=RECOGNITION,
    )
