"""Circular 58/2011/TT-BGDĐT: assessing and ranking learners of grades 6 to 12, until 2019-20.

Codes: ranks `gioi kha trung_binh yeu kem`; conduct `tot kha trung_binh yeu`; comment subjects `dat chua_dat`
(printed Đ, CĐ); titles `hoc_sinh_gioi hoc_sinh_tien_tien khong`. Marks are tenths.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar

from regulations.assessment.base import (
    KINDS,
    NO_AWARD,
    NOT_PASSED,
    NOT_RATED,
    PASSED,
    PROMOTED,
    RETAINED,
    RETEST,
    SUMMER_TRAINING,
    Kind,
    LearningOutcome,
    NotRetestable,
    RuleSet,
    SubjectResult,
    TermResults,
    YearResults,
    check_choice,
    check_count,
    check_mark,
    check_marks,
    counted,
    split_kinds,
    term_values,
)
from regulations.core import Citation, IncompleteMarks, Outcome, OutOfRange, Reason, Tenths, cites, half_up

if TYPE_CHECKING:
    import polars

INSTRUMENT = "58/2011/TT-BGDĐT"

WEIGHT_PERIODIC, WEIGHT_TERM_TEST = 2, 3
WEIGHT_TERM1, WEIGHT_TERM2 = 1, 2
REGULAR_TESTS_FEW, REGULAR_TESTS_SOME, REGULAR_TESTS_MANY = 2, 3, 4
PERIODS_FEW, PERIODS_MANY = 1, 3
"""Periods a week: up to one needs few regular tests a term, three or more need many (Article 8)."""

LEVELS = ("kem", "yeu", "trung_binh", "kha", "gioi")
CONDUCT = ("yeu", "trung_binh", "kha", "tot")
"""Lowest first."""


@dataclass(frozen=True, slots=True)
class Rank:
    """The conditions of one rank, marks in tenths; `core` is what one core subject reaches, None asks none."""

    average: Tenths
    core: Tenths | None
    minimum: Tenths
    comments_passed: bool


RANKS: Mapping[str, Rank] = {
    "gioi": Rank(80, 80, 65, comments_passed=True),
    "kha": Rank(65, 65, 50, comments_passed=True),
    "trung_binh": Rank(50, 50, 35, comments_passed=True),
    "yeu": Rank(35, None, 20, comments_passed=False),
}
POINTS = {"gioi": 1, "kha": 2, "trung_binh": 3, "yeu": 4, "kem": 5}
"""Clause of Article 13 that defines each rank."""

ADJUSTED = {
    ("gioi", "trung_binh"): "kha",
    ("gioi", "yeu"): "trung_binh",
    ("kha", "yeu"): "trung_binh",
    ("kha", "kem"): "yeu",
}
"""(rank but for one subject, rank with it) -> rank after Article 13 clause 6."""

CORE_SUBJECTS = ("toan", "ngu_van")
MOST_ABSENCES = 45
RETEST_BELOW: Tenths = 50
PASSED_SHARE = (2, 3)
"""Of a comment subject's tests, so many in so many are passed."""


class Circular58(RuleSet):
    """The rules of Circular 58/2011, one learner at a time or as a set by `apply`."""

    id: ClassVar[str] = "secondary.tt58-2011"
    instrument: ClassVar[str] = INSTRUMENT
    title: ClassVar[str] = (
        "Quy chế đánh giá, xếp loại học sinh trung học cơ sở và học sinh trung học phổ thông"
    )
    level = "secondary"
    # In force from 26/01/2012; our reading: the year 2011-12 was closed under it.
    first_year: ClassVar[Mapping[int, int]] = dict.fromkeys(range(6, 13), 2011)
    last_year: ClassVar[Mapping[int, int]] = dict.fromkeys(range(6, 13), 2019)
    core_subjects: ClassVar[tuple[str, ...]] = CORE_SUBJECTS
    needs_conduct: ClassVar[bool] = True

    @cites(INSTRUMENT, article=8, clause=1)
    def required_regular_tests(self, *, periods_per_week: Fraction | int) -> int:
        """Return how many regular tests a subject needs each term, from its periods a week."""
        if not isinstance(periods_per_week, Fraction | int) or periods_per_week <= 0:
            raise OutOfRange(
                f"not periods a week: {periods_per_week!r}", citation=self.cite(8, 1), got=periods_per_week
            )
        if periods_per_week <= PERIODS_FEW:
            return REGULAR_TESTS_FEW
        return REGULAR_TESTS_SOME if periods_per_week < PERIODS_MANY else REGULAR_TESTS_MANY

    @cites(INSTRUMENT, article=7)
    def missed_periodic(self, *, kind: Kind) -> Tenths | str:
        """Return what a test missed without make-up counts as: 0, or Chưa đạt."""
        return 0 if check_choice(kind, KINDS, name="kind") == "score" else NOT_PASSED

    @cites(INSTRUMENT, article=11, clause=1, point="a")
    def subject_term_average(
        self, *, regular: Sequence[Tenths], periodic: Sequence[Tenths], final: Tenths | None
    ) -> Tenths:
        """Return a scored subject's average for one term, in tenths.

        regular   marks of regular tests, weight 1, at least one; periodic: of tests of a period or more, weight
                  2, as many as the teaching plan has; final: of the term test, weight 3; each 0 to 100
        """
        place = self.cite(11, 1, "a")
        marks = check_marks(regular, name="regular", citation=place)
        middle = check_marks(periodic, name="periodic", citation=place)
        if not marks:
            raise IncompleteMarks("no regular mark", citation=place, name="regular", got=0, needed=1)
        last = check_mark(final, name="final", citation=place)
        total = sum(marks) + WEIGHT_PERIODIC * sum(middle) + WEIGHT_TERM_TEST * last
        return half_up(total, len(marks) + WEIGHT_PERIODIC * len(middle) + WEIGHT_TERM_TEST)

    @cites(INSTRUMENT, article=11, clause=1, point="a")
    def mark_weights(self) -> tuple[int, int, int]:
        """Return how often a regular mark, a periodic one and the term test count in a subject's average for a term."""
        return 1, WEIGHT_PERIODIC, WEIGHT_TERM_TEST

    @cites(INSTRUMENT, article=11, clause=1, point="b")
    def term_weights(self) -> tuple[int, int]:
        """Return how often term I and term II count in a subject's average for the year."""
        return WEIGHT_TERM1, WEIGHT_TERM2

    @cites(INSTRUMENT, article=11, clause=1, point="b")
    def subject_year_average(self, *, term1: Tenths | None, term2: Tenths | None) -> Tenths:
        """Return a scored subject's average for the year from its printed term averages, in tenths."""
        place = self.cite(11, 1, "b")
        first = check_mark(term1, name="term1", citation=place)
        second = check_mark(term2, name="term2", citation=place)
        return half_up(WEIGHT_TERM1 * first + WEIGHT_TERM2 * second, WEIGHT_TERM1 + WEIGHT_TERM2)

    @cites(INSTRUMENT, article=11, clause=2)
    def overall_average(self, *, scored: Mapping[str, Tenths]) -> Tenths:
        """Return the plain mean of the scored subjects' averages, in tenths; no subject weighs more."""
        place = self.cite(11, 2)
        marks = [check_mark(scored[code], name=code, citation=place) for code in sorted(scored)]
        if not marks:
            raise IncompleteMarks("no scored subject", citation=place, name="scored")
        return half_up(sum(marks), len(marks))

    @cites(INSTRUMENT, article=10, clause=2, point="a")
    def comment_subject_term(self, *, tests: Sequence[str], final: str | None, required_total: int) -> str:
        """Return "dat" when there are enough tests, two thirds of them and the term test are passed.

        tests   results of all other tests of the term; required_total: how many there must be with the term
                test; final: None when the term test is missing, which is not passed
        """
        place = self.cite(10, 2, "a")
        needed = check_count(required_total, name="required_total", citation=place)
        results = [check_choice(one, (PASSED, NOT_PASSED), name="tests", citation=place) for one in tests]
        if final is None:
            return NOT_PASSED
        results.append(check_choice(final, (PASSED, NOT_PASSED), name="final", citation=place))
        share, of = PASSED_SHARE
        enough = len(results) >= needed and of * results.count(PASSED) >= share * len(results)
        return PASSED if enough and final == PASSED else NOT_PASSED

    @cites(INSTRUMENT, article=10, clause=2, point="b")
    def comment_subject_year(self, *, term1: str | None = None, term2: str | None) -> str:
        """Return a comment subject's result of the year, which is that of term II."""
        if term1 is not None:
            check_choice(term1, (PASSED, NOT_PASSED), name="term1", citation=self.cite(10, 2, "b"))
        return check_choice(term2, (PASSED, NOT_PASSED), name="term2", citation=self.cite(10, 2, "b"))

    @cites(INSTRUMENT, article=13)
    def learning_level(
        self,
        *,
        scored: Mapping[str, Tenths],
        comments: Mapping[str, str],
        core_subjects: Sequence[str] | None = None,
        specialised_subject: str | None = None,
    ) -> LearningOutcome:
        """Return the rank of a term or a year, with the conditions that kept it from the next.

        scored    average by subject code, tenths; comments: "dat" or "chua_dat" by subject code
        core_subjects   one of them reaches the rank's core mark; None takes the circular's
        specialised_subject   code of a specialised class's subject, which must reach it too

        Raises IncompleteMarks without a scored subject, or without the specialised one.
        """
        place = self.cite(13)
        average = self.overall_average(scored=scored)
        results = {
            code: check_choice(comments[code], (PASSED, NOT_PASSED), name=code, citation=place)
            for code in sorted(comments)
        }
        if specialised_subject is not None and specialised_subject not in scored:
            raise IncompleteMarks(
                f"{specialised_subject} is missing", citation=place, name=specialised_subject
            )
        core = tuple(self.core_subjects if core_subjects is None else core_subjects)
        case = _Case(average, dict(sorted(scored.items())), results, core, specialised_subject)
        base = _rank_of(case)
        because = list(self._why(case, base))
        final = base
        for subject in (*case.scored, *case.comments):
            without = _rank_of(case, waived=subject)
            if (without, base) in ADJUSTED:
                final = ADJUSTED[without, base]
                facts = {"subject": subject, "base": base, "level": final, "without": without}
                because.append(Reason("rank-adjusted", self.cite(13, 6), facts))
                break
            if LEVELS.index(without) - LEVELS.index(base) > 2:
                # The table of clause 6 has no line for this fall: it stays, and a person should look.
                facts = {"subject": subject, "base": base, "without": without}
                because.append(Reason("rank-fall-not-listed", self.cite(13, 6), facts))
        return LearningOutcome(final, tuple(because), base=base, adjusted=final != base, average=average)

    @cites(INSTRUMENT, article=18)
    def award(self, *, conduct: str, learning: str, scored: Mapping[str, Tenths] | None = None) -> Outcome:
        """Return the title of a term or a year: "hoc_sinh_gioi", "hoc_sinh_tien_tien" or "khong".

        scored is not asked; it is there so that every secondary circular is called alike.
        """
        place = self.cite(18)
        check_choice(conduct, CONDUCT, name="conduct", citation=place)
        check_choice(learning, LEVELS, name="learning", citation=place)
        if conduct == "tot" and learning == "gioi":
            facts = {"conduct": conduct, "learning": learning}
            return Outcome("hoc_sinh_gioi", (Reason("award-conditions-met", self.cite(18, 1), facts),))
        wanting = []
        if CONDUCT.index(conduct) < CONDUCT.index("kha"):
            wanting.append(Reason("award-conduct-below", self.cite(18, 2), {"got": conduct, "needed": "kha"}))
        if LEVELS.index(learning) < LEVELS.index("kha"):
            wanting.append(
                Reason("award-learning-below", self.cite(18, 2), {"got": learning, "needed": "kha"})
            )
        if wanting:
            return Outcome(NO_AWARD, tuple(wanting))
        facts = {"conduct": conduct, "learning": learning}
        return Outcome("hoc_sinh_tien_tien", (Reason("award-conditions-met", self.cite(18, 2), facts),))

    @cites(INSTRUMENT, article=16)
    def retestable_subjects(
        self, *, scored: Mapping[str, Tenths], comments: Mapping[str, str]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the scored subjects below 5.0 and the comment subjects at CĐ, in the order given."""
        place = self.cite(16)
        low = tuple(
            code
            for code, mark in scored.items()
            if check_mark(mark, name=code, citation=place) < RETEST_BELOW
        )
        failed = tuple(
            code
            for code, result in comments.items()
            if check_choice(result, (PASSED, NOT_PASSED), name=code, citation=place) == NOT_PASSED
        )
        return low, failed

    @cites(INSTRUMENT, article=15)
    def promotion(
        self,
        *,
        conduct: str | None,
        learning: str,
        absences: int,
        learning_after_retest: str | None = None,
        conduct_after_summer: str | None = None,
    ) -> Outcome:
        """Return whether the learner goes up: "len_lop", "o_lai_lop", "kiem_tra_lai" or "ren_luyen_he".

        absences   half-day sessions missed in the year; the two "after" are None while there is no result
        """
        place = self.cite(15, 1)
        if conduct is not None or self.needs_conduct:
            check_choice(conduct, CONDUCT, name="conduct", citation=place)
        check_choice(learning, LEVELS, name="learning", citation=place)
        days = check_count(absences, name="absences", citation=self.cite(15, 1, "b"))
        if learning_after_retest is not None:
            check_choice(learning_after_retest, LEVELS, name="learning_after_retest", citation=self.cite(16))
        if conduct_after_summer is not None:
            check_choice(conduct_after_summer, CONDUCT, name="conduct_after_summer", citation=self.cite(17))
        if days > MOST_ABSENCES:
            facts: dict[str, object] = {"got": days, "most": MOST_ABSENCES}
            return Outcome(RETAINED, (Reason("too-many-absences", self.cite(15, 2, "a"), facts),))
        if learning == "kem":
            return Outcome(RETAINED, (Reason("rank-too-low", self.cite(15, 2, "b"), {"got": learning}),))
        if learning == "yeu" and conduct == "yeu":
            return Outcome(RETAINED, (Reason("both-not-passed", self.cite(15, 2, "b"), {"level": "yeu"}),))
        if learning == "yeu":
            return self._again("retest", RETEST, learning_after_retest, LEVELS, self.cite(16))
        if conduct == "yeu":
            return self._again(
                "summer-training", SUMMER_TRAINING, conduct_after_summer, CONDUCT, self.cite(17)
            )
        facts = {"conduct": conduct, "learning": learning, "absences": days, "most": MOST_ABSENCES}
        code = "promotion-conditions-met" if conduct is not None else "promotion-conditions-met-learning"
        return Outcome(PROMOTED, (Reason(code, place, facts),))

    @cites(INSTRUMENT, article=13)
    def term_results(
        self,
        *,
        subjects: Iterable[SubjectResult],
        term: int,
        conduct: str | None = None,
        core_subjects: Sequence[str] | None = None,
        specialised_subject: str | None = None,
    ) -> TermResults:
        """Return one term's results of one learner. `term` is 1 or 2.

        Raises IncompleteMarks naming every subject without a result of the term (`facts["subjects"]`).
        """
        chosen = counted(subjects)
        averages, comments = split_kinds(chosen, term_values(chosen, term, self.cite(11, 1)))
        if conduct is not None:
            check_choice(conduct, CONDUCT, name=f"conduct{term}", citation=self.cite(4))
        learning = self.learning_level(
            scored=averages,
            comments=comments,
            core_subjects=core_subjects,
            specialised_subject=specialised_subject,
        )
        return TermResults(self.id, self.version, averages, comments, learning, conduct)

    @cites(INSTRUMENT, article=13)
    def year_results(
        self,
        *,
        subjects: Iterable[SubjectResult],
        conduct1: str | None,
        conduct2: str | None,
        conduct_year: str | None,
        absences: int | None,
        conduct_after_summer: str | None = None,
        core_subjects: Sequence[str] | None = None,
        specialised_subject: str | None = None,
    ) -> YearResults:
        """Return term I, term II and the year of one learner, every judgement with its reasons.

        conduct_year   the level a person set for the year: the circular has no table from the terms'
        """
        chosen = counted(subjects)
        settings = {"core_subjects": core_subjects, "specialised_subject": specialised_subject}
        first, second = (
            self.term_results(subjects=chosen, term=term, conduct=conduct, **settings)  # type: ignore[arg-type]
            for term, conduct in ((1, conduct1), (2, conduct2))
        )
        averages = {
            code: self.subject_year_average(term1=mark, term2=second.averages[code])
            for code, mark in first.averages.items()
        }
        comments = {
            code: self.comment_subject_year(term1=result, term2=second.comments[code])
            for code, result in first.comments.items()
        }
        learning = self.learning_level(scored=averages, comments=comments, **settings)  # type: ignore[arg-type]
        if conduct_year is not None or self.needs_conduct:
            check_choice(conduct_year, CONDUCT, name="conduct_year", citation=self.cite(4))
        retestable = self._retestable(averages, comments, learning.level, conduct_year)
        again = {one.code: one.retest for one in chosen if one.retest is not None}
        for code in again:
            if code not in retestable:
                raise NotRetestable(
                    f"{code} is not open to re-assessment", citation=self.cite(16), subject=code
                )
        after = (
            self.learning_level(
                scored={code: again.get(code, mark) for code, mark in averages.items()},  # type: ignore[misc]
                comments={code: again.get(code, result) for code, result in comments.items()},  # type: ignore[misc]
                **settings,  # type: ignore[arg-type]
            )
            if again
            else None
        )
        return YearResults(
            self.id,
            self.version,
            first,
            second,
            averages,
            comments,
            learning,
            self._conduct(conduct_year),
            self._award(conduct_year, learning.level),
            self.promotion(
                conduct=conduct_year,
                learning=learning.level,
                absences=check_count(absences, name="absences", citation=self.cite(15, 1, "b")),
                learning_after_retest=after.level if after else None,
                conduct_after_summer=conduct_after_summer,
            ),
            retestable,
            after,
        )

    def apply(self, frame: polars.DataFrame | polars.LazyFrame) -> polars.DataFrame:
        """Return the year's results of a set of learners; see `regulations.assessment.frames`."""
        from regulations.assessment import frames

        return frames.ranked_results(self, frame)

    def _retestable(
        self, averages: Mapping[str, Tenths], comments: Mapping[str, str], rank: str, conduct: str | None
    ) -> tuple[str, ...]:
        if rank != "yeu" or conduct == "yeu":
            return ()
        low, failed = self.retestable_subjects(scored=averages, comments=comments)
        return low + failed

    def _conduct(self, level: str | None) -> Outcome:
        if level is None:
            return Outcome(NOT_RATED, (Reason("conduct-not-rated", self.cite(4)),))
        return Outcome(level, (Reason("conduct-set-by-person", self.cite(4), {"level": level}),))

    def _award(self, conduct: str | None, learning: str) -> Outcome:
        if conduct is None:
            return Outcome(NO_AWARD, (Reason("conduct-not-rated", self.cite(4)),))
        return self.award(conduct=conduct, learning=learning)

    def _again(
        self, name: str, waiting: str, result: str | None, levels: Sequence[str], place: Citation
    ) -> Outcome:
        if result is None:
            return Outcome(waiting, (Reason(f"{name}-needed", place),))
        if levels.index(result) < levels.index("trung_binh"):
            return Outcome(RETAINED, (Reason(f"{name}-failed", place, {"level": result}),))
        return Outcome(PROMOTED, (Reason(f"{name}-passed", place, {"level": result}),))

    def _why(self, case: _Case, base: str) -> Iterable[Reason]:
        """Yield what was reached, and each condition of the rank just above that failed."""
        if base != LEVELS[0]:
            yield Reason(
                "rank-conditions-met", self.cite(13, POINTS[base]), {"level": base, "average": case.average}
            )
        if base == LEVELS[-1]:
            return
        level = LEVELS[LEVELS.index(base) + 1]
        rank, place = RANKS[level], self.cite(13, POINTS[level])
        if case.average < rank.average:
            facts = {"got": case.average, "needed": rank.average, "level": level}
            yield Reason("average-below", place, facts)
        if rank.core is not None:
            if not any(case.scored.get(code, 0) >= rank.core for code in case.core):
                yield Reason("no-core-subject-reaches", place, {"needed": rank.core, "level": level})
            if case.specialised is not None and case.scored[case.specialised] < rank.core:
                facts = {"subject": case.specialised, "got": case.scored[case.specialised]}
                yield Reason(
                    "specialised-subject-below", place, {**facts, "needed": rank.core, "level": level}
                )
        for code, mark in case.scored.items():
            if mark < rank.minimum:
                yield Reason(
                    "subject-below",
                    place,
                    {"subject": code, "got": mark, "needed": rank.minimum, "level": level},
                )
        for code, result in case.comments.items():
            if rank.comments_passed and result == NOT_PASSED:
                yield Reason(
                    "comment-subject-not-passed", place, {"subject": code, "level": level, "most": 0}
                )


@dataclass(frozen=True, slots=True)
class _Case:
    average: Tenths
    scored: Mapping[str, Tenths]
    comments: Mapping[str, str]
    core: tuple[str, ...]
    specialised: str | None


def _rank_of(case: _Case, *, waived: str | None = None) -> str:
    """Return the rank; `waived` names a subject whose own minimum, or whose CĐ, is not asked."""
    minimum = min((mark for code, mark in case.scored.items() if code != waived), default=100)
    all_passed = all(result == PASSED for code, result in case.comments.items() if code != waived)
    core = max((case.scored[code] for code in case.core if code in case.scored), default=0)
    if case.specialised is not None:
        core = min(core, case.scored[case.specialised])
    for level, rank in RANKS.items():
        if (
            case.average >= rank.average
            and (rank.core is None or core >= rank.core)
            and minimum >= rank.minimum
            and (all_passed or not rank.comments_passed)
        ):
            return level
    return LEVELS[0]


RULES = Circular58()
