"""Circular 27/2020/TT-BGDĐT: assessing primary pupils, grades 1 to 5.

Codes: subject levels `T` Hoàn thành tốt, `H` Hoàn thành, `C` Chưa hoàn thành; qualities and competences
`T` Tốt, `Đ` Đạt, `C` Cần cố gắng, as the circular writes them. Year levels `hoan_thanh_xuat_sac
hoan_thanh_tot hoan_thanh chua_hoan_thanh`. Tests are marked in whole points 1 to 10, here in tenths 10 to 100.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from regulations.assessment.base import (
    NO_AWARD,
    Mode,
    RuleSet,
    check_choice,
    check_mark,
    counted,
    primary_promotion,
)
from regulations.core import (
    Citation,
    IncompleteMarks,
    Outcome,
    OutOfRange,
    Reason,
    Tenths,
    cites,
    half_up,
)

if TYPE_CHECKING:
    import polars

INSTRUMENT = "27/2020/TT-BGDĐT"

PERIODS = ("giua_hk1", "cuoi_hk1", "giua_hk2", "cuoi_nam")
"""The four times of periodic assessment, in order."""
YEAR_END = "cuoi_nam"

SUBJECT_LEVELS = ("C", "H", "T")
QUALITY_LEVELS = ("C", "Đ", "T")
"""Lowest first."""

LEVELS = ("chua_hoan_thanh", "hoan_thanh", "hoan_thanh_tot", "hoan_thanh_xuat_sac")
SUBJECTS_ALLOWED = {"hoan_thanh_xuat_sac": "T", "hoan_thanh_tot": "T", "hoan_thanh": "H"}
QUALITIES_ALLOWED = {"hoan_thanh_xuat_sac": "T", "hoan_thanh_tot": "T", "hoan_thanh": "Đ"}
TESTS_FROM: Mapping[str, Tenths] = {"hoan_thanh_xuat_sac": 90, "hoan_thanh_tot": 70, "hoan_thanh": 50}

POINT: Tenths = 10
LOWEST_TEST: Tenths = 10
HIGHEST_TEST: Tenths = 100

MINORITY_LANGUAGE = "tieng_dan_toc"
LANGUAGE_AND_MATHS = ("tieng_viet", "toan")
TERM_END_TESTS: Mapping[int, tuple[str, ...]] = {
    1: LANGUAGE_AND_MATHS,
    2: LANGUAGE_AND_MATHS,
    3: (*LANGUAGE_AND_MATHS, "ngoai_ngu_1", "tin_hoc_cong_nghe"),
    4: (*LANGUAGE_AND_MATHS, "ngoai_ngu_1", "lich_su_dia_li", "khoa_hoc", "tin_hoc_cong_nghe"),
    5: (*LANGUAGE_AND_MATHS, "ngoai_ngu_1", "lich_su_dia_li", "khoa_hoc", "tin_hoc_cong_nghe"),
}
MID_TERM_TESTS: Mapping[int, tuple[str, ...]] = {
    1: (),
    2: (),
    3: (),
    4: LANGUAGE_AND_MATHS,
    5: LANGUAGE_AND_MATHS,
}
LAST_GRADE = 5


@dataclass(frozen=True, slots=True)
class PrimarySubject:
    """One pupil's results of one subject or activity in one year.

    levels  "T", "H" or "C" by period (`PERIODS`); tests: marks in tenths, whole points, by period
    """

    code: str
    levels: Mapping[str, str] = field(default_factory=dict)
    tests: Mapping[str, Tenths] = field(default_factory=dict)
    mode: Mode = "normal"


@dataclass(frozen=True, slots=True)
class PrimaryYear:
    """One pupil's results of a year, every judgement with its reasons.

    subjects, qualities, tests   the results of the year's end by code
    completion   "hoan_thanh" or "chua_hoan_thanh": the class programme, in grade 5 that of primary school
    award        "hoc_sinh_xuat_sac", "hoc_sinh_tieu_bieu" or "khong"
    promotion    "len_lop", "danh_gia_bo_sung", "hieu_truong_quyet_dinh" or "o_lai_lop"
    """

    rule_set: str
    version: int
    subjects: Mapping[str, str]
    qualities: Mapping[str, str]
    tests: Mapping[str, Tenths]
    level: Outcome
    completion: Outcome
    award: Outcome
    promotion: Outcome


class Circular27(RuleSet):
    """The rules of Circular 27/2020, one pupil at a time or as a set by `apply`."""

    id: ClassVar[str] = "primary.tt27-2020"
    instrument: ClassVar[str] = INSTRUMENT
    title: ClassVar[str] = "Quy định đánh giá học sinh tiểu học"
    level = "primary"
    # Article 20: grade by grade.
    first_year: ClassVar[Mapping[int, int]] = {1: 2020, 2: 2021, 3: 2022, 4: 2023, 5: 2024}
    tests_from: ClassVar[Mapping[str, Tenths]] = TESTS_FROM
    subject_levels: ClassVar[tuple[str, ...]] = SUBJECT_LEVELS
    quality_levels: ClassVar[tuple[str, ...]] = QUALITY_LEVELS

    @cites(INSTRUMENT, article=7, clause=1, point="b")
    def subjects_with_periodic_test(
        self, *, grade: int, period: str, has_minority_language: bool = False
    ) -> tuple[str, ...]:
        """Return the codes of the subjects tested in `grade` at `period`, none for the mid-terms of 1 to 3."""
        place = self.cite(7, 1, "b")
        check_choice(period, PERIODS, name="period", citation=place)
        if grade not in TERM_END_TESTS:
            raise OutOfRange(f"no primary grade: {grade!r}", citation=place, name="grade", got=grade)
        if period.startswith("giua"):
            return MID_TERM_TESTS[grade]
        return TERM_END_TESTS[grade] + ((MINORITY_LANGUAGE,) if has_minority_language else ())

    @cites(INSTRUMENT, article=7, clause=1, point="c")
    def is_valid_test_mark(self, mark: Tenths) -> bool:
        """Return whether a test may have this mark, in tenths: whole points from 1 to 10, never 0."""
        return (
            isinstance(mark, int)
            and not isinstance(mark, bool)
            and LOWEST_TEST <= mark <= HIGHEST_TEST
            and mark % POINT == 0
        )

    @cites(INSTRUMENT, article=7, clause=1, point="c")
    def combine_test_parts(self, parts: Sequence[Tenths]) -> Tenths:
        """Return one mark in tenths for a test given in parts (Tin học và Công nghệ): the mean, half up.

        Raises IncompleteMarks without a part.
        """
        place = self.cite(7, 1, "c")
        if not parts:
            raise IncompleteMarks("no part", citation=place, name="parts")
        # Our reading: how two parts become one mark is left to the school; the mean in whole points.
        points = [self._test(part, "part", place) // POINT for part in parts]
        return POINT * half_up(sum(points), len(points))

    @cites(INSTRUMENT, article=9, clause=2, point="a")
    def year_level(
        self, *, subjects: Mapping[str, str], qualities: Mapping[str, str], final_tests: Mapping[str, Tenths]
    ) -> Outcome:
        """Return the year's level, with what kept it from the next.

        subjects    level of the year's end by subject code; qualities: likewise, qualities and competences
        final_tests marks of the tests of the year's end in tenths by subject code

        Raises IncompleteMarks without a subject or a quality.
        """
        place = self.cite(9, 2, "a")
        results = self._levels(subjects, self.subject_levels, "subjects", place)
        marks = self._levels(qualities, self.quality_levels, "qualities", place)
        tests = {code: self._test(final_tests[code], code, place) for code in sorted(final_tests)}
        level = LEVELS[0]
        wanting: list[Reason] = []
        for candidate in reversed(LEVELS[1:]):
            failed = list(self._failed(candidate, results, marks, tests, place))
            if not failed:
                level = candidate
                break
            # Each level asks for less than the one before: the last list is of the level just missed.
            wanting = failed
        if level != LEVELS[0]:
            met = {"level": level, "tests_from": self.tests_from[level]}
            wanting.insert(0, Reason("year-conditions-met", place, met))
        return Outcome(level, tuple(wanting))

    @cites(INSTRUMENT, article=11, clause=1)
    def class_programme_completed(
        self, *, subjects: Mapping[str, str], qualities: Mapping[str, str], final_tests: Mapping[str, Tenths]
    ) -> Outcome:
        """Return "hoan_thanh" when the pupil has completed the class programme, else "chua_hoan_thanh"."""
        outcome = self.year_level(subjects=subjects, qualities=qualities, final_tests=final_tests)
        return self._completion(outcome)

    @cites(INSTRUMENT, article=11, clause=2)
    def promotion(
        self,
        *,
        level: str,
        level_after_help: str | None = None,
        is_individual_plan: bool = False,
        principal_decision: str | None = None,
    ) -> Outcome:
        """Return whether the pupil goes up.

        level_after_help    the year level after more guidance and a new assessment, None while there is none
        principal_decision  "len_lop" or "o_lai_lop" once the principal decided: no formula does it here
        """
        check_choice(level, LEVELS, name="level", citation=self.cite(11, 2))
        if level_after_help is not None:
            check_choice(level_after_help, LEVELS, name="level_after_help", citation=self.cite(11, 2))
        return primary_promotion(
            level,
            level_after_help,
            is_individual_plan=is_individual_plan,
            decision=principal_decision,
            completed=self.cite(11, 1),
            helped=self.cite(11, 2),
        )

    @cites(INSTRUMENT, article=13, clause=1, point="a")
    def award(
        self,
        *,
        level: str,
        is_outstanding_in_a_subject: bool = False,
        has_clear_progress: bool = False,
        is_recognised_by_class: bool = False,
    ) -> Outcome:
        """Return the year's title: "hoc_sinh_xuat_sac", "hoc_sinh_tieu_bieu" or "khong".

        has_clear_progress   in at least one quality or competence
        """
        place = self.cite(13, 1, "a")
        check_choice(level, LEVELS, name="level", citation=place)
        if level == "hoan_thanh_xuat_sac":
            return Outcome("hoc_sinh_xuat_sac", (Reason("award-year-level", place, {"level": level}),))
        if level != "hoan_thanh_tot":
            return Outcome(
                NO_AWARD, (Reason("award-level-below", place, {"got": level, "needed": "hoan_thanh_tot"}),)
            )
        wanting = []
        if not (is_outstanding_in_a_subject or has_clear_progress):
            wanting.append(Reason("award-needs-outstanding-or-progress", place))
        if not is_recognised_by_class:
            wanting.append(Reason("award-needs-recognition", place))
        if wanting:
            return Outcome(NO_AWARD, tuple(wanting))
        return Outcome("hoc_sinh_tieu_bieu", (Reason("award-year-level", place, {"level": level}),))

    @cites(INSTRUMENT, article=9)
    def year_results(
        self,
        *,
        grade: int,
        subjects: Iterable[PrimarySubject],
        qualities: Mapping[str, str],
        is_outstanding_in_a_subject: bool = False,
        has_clear_progress: bool = False,
        is_recognised_by_class: bool = False,
        level_after_help: str | None = None,
        is_individual_plan: bool = False,
        principal_decision: str | None = None,
    ) -> PrimaryYear:
        """Return the year of one pupil, every judgement with its reasons.

        subjects    each subject or activity once; qualities: qualities and competences at the year's end

        Raises IncompleteMarks naming the subjects without a level or a test of the year's end
        (`facts["subjects"]`, `facts["tests"]`).
        """
        chosen = counted(subjects)
        missing = self.missing(grade=grade, subjects=chosen, period=YEAR_END)
        if missing.subjects or missing.tests:
            raise IncompleteMarks(
                f"no level or test of the year's end: {', '.join(missing.subjects + missing.tests)}",
                citation=self.cite(9, 1),
                name=YEAR_END,
                subjects=missing.subjects,
                tests=missing.tests,
            )
        levels = {one.code: one.levels[YEAR_END] for one in chosen}
        tests = {one.code: one.tests[YEAR_END] for one in chosen if YEAR_END in one.tests}
        level = self.year_level(subjects=levels, qualities=qualities, final_tests=tests)
        return PrimaryYear(
            self.id,
            self.version,
            levels,
            dict(qualities),
            tests,
            level,
            self._completion(level),
            self.award(
                level=level.level,
                is_outstanding_in_a_subject=is_outstanding_in_a_subject,
                has_clear_progress=has_clear_progress,
                is_recognised_by_class=is_recognised_by_class,
            ),
            self.promotion(
                level=level.level,
                level_after_help=level_after_help,
                is_individual_plan=is_individual_plan or any(one.mode == "individual_plan" for one in chosen),
                principal_decision=principal_decision,
            ),
        )

    @cites(INSTRUMENT, article=7, clause=1)
    def missing(self, *, grade: int, subjects: Iterable[PrimarySubject], period: str) -> Missing:
        """Return which of the subjects still lack a level or a test of `period`, in the order given.

        A subject of an individual plan needs no test.
        """
        given = tuple(subjects)
        due = self.subjects_with_periodic_test(
            grade=grade,
            period=period,
            has_minority_language=any(one.code == MINORITY_LANGUAGE for one in given),
        )
        return Missing(
            tuple(one.code for one in given if one.levels.get(period) is None and one.mode != "exempt"),
            tuple(
                one.code
                for one in given
                if one.code in due and one.tests.get(period) is None and one.mode in ("normal", "reduced")
            ),
        )

    def apply(self, frame: polars.DataFrame | polars.LazyFrame) -> polars.DataFrame:
        """Return the year's results of a set of pupils; see `regulations.assessment.frames.primary_results`."""
        from regulations.assessment import frames

        return frames.primary_results(self, frame)

    def _levels(
        self, given: Mapping[str, str], levels: Sequence[str], name: str, place: Citation
    ) -> dict[str, str]:
        if not given:
            raise IncompleteMarks(f"no {name}", citation=place, name=name)
        return {code: check_choice(given[code], levels, name=code, citation=place) for code in sorted(given)}

    def _test(self, mark: object, name: str, place: Citation) -> Tenths:
        value = check_mark(mark, name=name, citation=place)
        if not self.is_valid_test_mark(value):
            raise OutOfRange(f"{name} is not a whole mark from 1 to 10", citation=place, name=name, got=value)
        return value

    def _failed(
        self,
        level: str,
        subjects: Mapping[str, str],
        qualities: Mapping[str, str],
        tests: Mapping[str, Tenths],
        place: Citation,
    ) -> Iterable[Reason]:
        for code, got in subjects.items():
            if self.subject_levels.index(got) < self.subject_levels.index(SUBJECTS_ALLOWED[level]):
                facts = {"subject": code, "got": got, "needed": SUBJECTS_ALLOWED[level], "level": level}
                yield Reason("subject-level-below", place, facts)
        for code, got in qualities.items():
            if self.quality_levels.index(got) < self.quality_levels.index(QUALITIES_ALLOWED[level]):
                facts = {"quality": code, "got": got, "needed": QUALITIES_ALLOWED[level], "level": level}
                yield Reason("quality-below", place, facts)
        for code, mark in tests.items():
            if mark < self.tests_from[level]:
                yield Reason(
                    "test-below",
                    place,
                    {"subject": code, "got": mark, "needed": self.tests_from[level], "level": level},
                )

    def _completion(self, level: Outcome) -> Outcome:
        if level.level == LEVELS[0]:
            return level
        return Outcome("hoan_thanh", (Reason("class-completed", self.cite(11, 1), {"level": level.level}),))


@dataclass(frozen=True, slots=True)
class Missing:
    """What a period still lacks: codes of subjects without a level, and of subjects without their test."""

    subjects: tuple[str, ...]
    tests: tuple[str, ...]


RULES = Circular27()
