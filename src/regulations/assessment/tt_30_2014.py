"""Circular 30/2014/TT-BGDĐT: assessing primary pupils in 2014-15 and 2015-16.

Codes as the circular writes them: subjects `HT` Hoàn thành, `CHT` Chưa hoàn thành; competences and
qualities `Đ` Đạt, `CĐ` Chưa đạt. Tests in whole points 1 to 10, here in tenths. Known to us in outline.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

from regulations.assessment.base import NOT_COMPLETED, RuleSet, check_choice, counted, primary_promotion
from regulations.assessment.tt_27_2020 import (
    HIGHEST_TEST,
    LOWEST_TEST,
    PERIODS,
    POINT,
    YEAR_END,
    Missing,
    PrimarySubject,
)
from regulations.core import Citation, IncompleteMarks, Outcome, OutOfRange, Reason, Tenths, cites

if TYPE_CHECKING:
    import polars

INSTRUMENT = "30/2014/TT-BGDĐT"

COMPLETED = "hoan_thanh"
LEVELS = (NOT_COMPLETED, COMPLETED)
SUBJECT_LEVELS = ("CHT", "HT")
QUALITY_LEVELS = ("CĐ", "Đ")
"""Lowest first; a pupil completes the class from the second on."""

TESTS_FROM: Tenths = 50
TESTED_ALL = ("tieng_viet", "toan")
TESTED_FROM_4 = ("khoa_hoc", "lich_su_dia_li")
TESTED_WHERE_TAUGHT = ("ngoai_ngu", "tin_hoc", "tieng_dan_toc")


class Circular30(RuleSet):
    """The rules of Circular 30/2014, one pupil at a time or as a set by `apply`."""

    id: ClassVar[str] = "primary.tt30-2014"
    instrument: ClassVar[str] = INSTRUMENT
    title: ClassVar[str] = "Quy định đánh giá học sinh tiểu học"
    level = "primary"
    first_year: ClassVar[Mapping[int, int]] = dict.fromkeys(range(1, 6), 2014)
    last_year: ClassVar[Mapping[int, int]] = dict.fromkeys(range(1, 6), 2015)
    subject_levels: ClassVar[tuple[str, ...]] = SUBJECT_LEVELS
    quality_levels: ClassVar[tuple[str, ...]] = QUALITY_LEVELS
    mid_term_grades: ClassVar[tuple[int, ...]] = ()

    @cites(INSTRUMENT, article=10)
    def subjects_with_periodic_test(
        self, *, grade: int, period: str, taught: Collection[str] = ()
    ) -> tuple[str, ...]:
        """Return the codes of the subjects tested in `grade` at `period`.

        taught   which of foreign language, informatics and a minority language the class has, by code
        """
        place = self.cite(10)
        check_choice(period, PERIODS, name="period", citation=place)
        if grade not in self.first_year:
            raise OutOfRange(f"no primary grade: {grade!r}", citation=place, name="grade", got=grade)
        if period.startswith("giua"):
            return TESTED_ALL if grade in self.mid_term_grades else ()
        return (
            TESTED_ALL
            + (TESTED_FROM_4 if grade >= 4 else ())
            + tuple(code for code in TESTED_WHERE_TAUGHT if code in taught)
        )

    @cites(INSTRUMENT, article=10)
    def is_valid_test_mark(self, mark: Tenths) -> bool:
        """Return whether a test may have this mark, in tenths: whole points from 1 to 10, never 0."""
        return type(mark) is int and LOWEST_TEST <= mark <= HIGHEST_TEST and mark % POINT == 0

    @cites(INSTRUMENT, article=14)
    def class_programme_completed(
        self, *, subjects: Mapping[str, str], qualities: Mapping[str, str], final_tests: Mapping[str, Tenths]
    ) -> Outcome:
        """Return "hoan_thanh" when the class programme is completed, else "chua_hoan_thanh" and what failed.

        subjects    level of the year's end by subject code; qualities: of each competence and quality
        final_tests marks of the tests of the year's end in tenths by subject code

        Raises IncompleteMarks without a subject or a quality.
        """
        place = self.cite(14)
        reasons = list(self._failed(subjects, qualities, final_tests, place))
        if reasons:
            return Outcome(NOT_COMPLETED, tuple(reasons))
        return Outcome(COMPLETED, (Reason("programme-conditions-met", place, {"tests_from": TESTS_FROM}),))

    @cites(INSTRUMENT, article=14)
    def promotion(
        self,
        *,
        level: str,
        level_after_help: str | None = None,
        is_individual_plan: bool = False,
        principal_decision: str | None = None,
    ) -> Outcome:
        """Return whether the pupil goes up; without completion the principal decides, no formula does.

        level, level_after_help   "hoan_thanh" or "chua_hoan_thanh"
        """
        place = self.cite(14)
        check_choice(level, LEVELS, name="level", citation=place)
        if level_after_help is not None:
            check_choice(level_after_help, LEVELS, name="level_after_help", citation=place)
        return primary_promotion(
            level,
            level_after_help,
            is_individual_plan=is_individual_plan,
            decision=principal_decision,
            completed=place,
            helped=place,
        )

    @cites(INSTRUMENT, article=10)
    def missing(self, *, grade: int, subjects: Iterable[PrimarySubject], period: str) -> Missing:
        """Return which of the subjects still lack a level or a test of `period`, in the order given."""
        given = tuple(subjects)
        taught = [one.code for one in given]
        due = self.subjects_with_periodic_test(grade=grade, period=period, taught=taught)
        return Missing(
            tuple(one.code for one in given if one.levels.get(period) is None and one.mode != "exempt"),
            tuple(
                one.code
                for one in given
                if one.code in due and one.tests.get(period) is None and one.mode in ("normal", "reduced")
            ),
        )

    @cites(INSTRUMENT, article=14)
    def year_results(
        self,
        *,
        grade: int,
        subjects: Iterable[PrimarySubject],
        qualities: Mapping[str, str],
        level_after_help: str | None = None,
        is_individual_plan: bool = False,
        principal_decision: str | None = None,
    ) -> tuple[Outcome, Outcome]:
        """Return the completion of the class programme and the promotion of one pupil, with their reasons.

        Raises IncompleteMarks naming the subjects without a level or a test of the year's end.
        """
        chosen = counted(subjects)
        missing = self.missing(grade=grade, subjects=chosen, period=YEAR_END)
        if missing.subjects or missing.tests:
            raise IncompleteMarks(
                f"no level or test of the year's end: {', '.join(missing.subjects + missing.tests)}",
                citation=self.cite(14),
                name=YEAR_END,
                subjects=missing.subjects,
                tests=missing.tests,
            )
        completion = self.class_programme_completed(
            subjects={one.code: one.levels[YEAR_END] for one in chosen},
            qualities=qualities,
            final_tests={one.code: one.tests[YEAR_END] for one in chosen if YEAR_END in one.tests},
        )
        return completion, self.promotion(
            level=completion.level,
            level_after_help=level_after_help,
            is_individual_plan=is_individual_plan or any(one.mode == "individual_plan" for one in chosen),
            principal_decision=principal_decision,
        )

    def apply(self, frame: polars.DataFrame | polars.LazyFrame) -> polars.DataFrame:
        """Return the completion of a set of pupils; see `regulations.assessment.frames.primary_completion`."""
        from regulations.assessment import frames

        return frames.primary_completion(self, frame)

    def _failed(
        self,
        subjects: Mapping[str, str],
        qualities: Mapping[str, str],
        tests: Mapping[str, Tenths],
        place: Citation,
    ) -> Iterable[Reason]:
        for name, given in (("subjects", subjects), ("qualities", qualities)):
            if not given:
                raise IncompleteMarks(f"no {name}", citation=place, name=name)
        facts: dict[str, object]
        for code in sorted(subjects):
            got = check_choice(subjects[code], self.subject_levels, name=code, citation=place)
            if got == self.subject_levels[0]:
                facts = {"subject": code, "got": got, "needed": self.subject_levels[1], "level": COMPLETED}
                yield Reason("subject-level-below", place, facts)
        for code in sorted(qualities):
            got = check_choice(qualities[code], self.quality_levels, name=code, citation=place)
            if got == self.quality_levels[0]:
                facts = {"quality": code, "got": got, "needed": self.quality_levels[1], "level": COMPLETED}
                yield Reason("quality-below", place, facts)
        for code in sorted(tests):
            mark = tests[code]
            if not self.is_valid_test_mark(mark):
                raise OutOfRange(
                    f"{code} is not a whole mark from 1 to 10", citation=place, name=code, got=mark
                )
            if mark < TESTS_FROM:
                facts = {"subject": code, "got": mark, "needed": TESTS_FROM, "level": COMPLETED}
                yield Reason("test-below", place, facts)


RULES = Circular30()
