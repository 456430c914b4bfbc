"""Circular 22/2016/TT-BGDĐT: amends Circular 30/2014 from 2016-17 until a grade moves to Circular 27/2020.

Three levels instead of two: subjects `HTT HT CHT`, competences and qualities `T Đ C`; mid-term tests of
Vietnamese and mathematics in grades 4 and 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from regulations.assessment import tt_27_2020, tt_30_2014
from regulations.assessment.base import NO_AWARD
from regulations.core import Outcome, Reason, Tenths, cites

INSTRUMENT = "22/2016/TT-BGDĐT"

SUBJECT_LEVELS = ("CHT", "HT", "HTT")
QUALITY_LEVELS = ("C", "Đ", "T")
MID_TERM_GRADES = (4, 5)
EXCELLENT_TESTS_FROM: Tenths = 90


class Circular30As22(tt_30_2014.Circular30):
    """Circular 30/2014 as amended by Circular 22/2016."""

    id: ClassVar[str] = "primary.tt22-2016"
    amends: ClassVar[str | None] = tt_30_2014.INSTRUMENT
    first_year: ClassVar[Mapping[int, int]] = dict.fromkeys(range(1, 6), 2016)
    last_year: ClassVar[Mapping[int, int]] = {
        grade: year - 1 for grade, year in tt_27_2020.Circular27.first_year.items()
    }
    subject_levels: ClassVar[tuple[str, ...]] = SUBJECT_LEVELS
    quality_levels: ClassVar[tuple[str, ...]] = QUALITY_LEVELS
    mid_term_grades: ClassVar[tuple[int, ...]] = MID_TERM_GRADES

    @cites(INSTRUMENT, article=1, clause=12)
    def award(
        self,
        *,
        subjects: Mapping[str, str],
        qualities: Mapping[str, str],
        final_tests: Mapping[str, Tenths],
        has_outstanding_achievement: bool = False,
    ) -> Outcome:
        """Return the year's commendation: "hoan_thanh_xuat_sac_noi_dung", "thanh_tich_vuot_troi" or "khong".

        has_outstanding_achievement   in a subject, competence or quality, as the class and teachers found
        """
        self.class_programme_completed(subjects=subjects, qualities=qualities, final_tests=final_tests)
        place = self.cite(16)
        if (
            set(subjects.values()) == {SUBJECT_LEVELS[-1]}
            and set(qualities.values()) == {QUALITY_LEVELS[-1]}
            and all(mark >= EXCELLENT_TESTS_FROM for mark in final_tests.values())
        ):
            facts = {"tests_from": EXCELLENT_TESTS_FROM}
            return Outcome("hoan_thanh_xuat_sac_noi_dung", (Reason("award-all-excellent", place, facts),))
        if has_outstanding_achievement:
            return Outcome("thanh_tich_vuot_troi", (Reason("award-outstanding-achievement", place),))
        return Outcome(NO_AWARD, (Reason("award-nothing-outstanding", place),))


RULES = Circular30As22()
