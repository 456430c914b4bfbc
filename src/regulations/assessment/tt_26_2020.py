"""Circular 26/2020/TT-BGDĐT: amends Circular 58/2011 from school year 2020-21 until a grade leaves it.

Three kinds of marks instead of tests by length, foreign language beside mathematics and literature, and the
adjustment clause for one single subject.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from regulations.assessment import tt_22_2021, tt_58_2011
from regulations.assessment.base import check_count, check_mark, check_marks
from regulations.core import IncompleteMarks, Tenths, cites, half_up

INSTRUMENT = "26/2020/TT-BGDĐT"

REGULAR_MARKS = ((35, 2), (70, 3))
"""Periods a year up to which so many regular marks a term are needed; more need four."""
REGULAR_MARKS_MOST = 4
WEIGHT_MIDTERM, WEIGHT_FINAL = 2, 3
CORE_SUBJECTS = ("toan", "ngu_van", "ngoai_ngu", "ngoai_ngu_1")
"""The foreign language under both of its codes: the programmes name it differently."""


class Circular58As26(tt_58_2011.Circular58):
    """Circular 58/2011 as amended by Circular 26/2020."""

    id: ClassVar[str] = "secondary.tt58-2011+tt26-2020"
    amends: ClassVar[str | None] = tt_58_2011.INSTRUMENT
    first_year: ClassVar[Mapping[int, int]] = dict.fromkeys(range(6, 13), 2020)
    last_year: ClassVar[Mapping[int, int]] = {
        grade: year - 1 for grade, year in tt_22_2021.Circular22.first_year.items()
    }
    core_subjects: ClassVar[tuple[str, ...]] = CORE_SUBJECTS

    @cites(INSTRUMENT, article=1, clause=4)
    def required_regular_marks(self, *, periods_per_year: int) -> int:
        """Return how many regular marks a scored subject needs each term, from its periods a school year."""
        periods = check_count(periods_per_year, name="periods_per_year", citation=self.cite(8))
        return next((marks for most, marks in REGULAR_MARKS if periods <= most), REGULAR_MARKS_MOST)

    @cites(INSTRUMENT, article=1, clause=5)
    def subject_term_average(  # type: ignore[override]
        self, *, regular: Sequence[Tenths], midterm: Tenths | None, final: Tenths | None
    ) -> Tenths:
        """Return a scored subject's average for one term, in tenths; each mark 0 to 100."""
        place = self.cite(11, 1, "a")
        marks = check_marks(regular, name="regular", citation=place)
        if not marks:
            raise IncompleteMarks("no regular mark", citation=place, name="regular", got=0, needed=1)
        middle = check_mark(midterm, name="midterm", citation=place)
        last = check_mark(final, name="final", citation=place)
        total = sum(marks) + WEIGHT_MIDTERM * middle + WEIGHT_FINAL * last
        return half_up(total, len(marks) + WEIGHT_MIDTERM + WEIGHT_FINAL)

    @cites(INSTRUMENT, article=1, clause=5)
    def mark_weights(self) -> tuple[int, int, int]:
        """Return how often a regular mark, the midterm and the final count in a subject's average for a term."""
        return 1, WEIGHT_MIDTERM, WEIGHT_FINAL


RULES = Circular58As26()
