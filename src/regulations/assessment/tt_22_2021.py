"""Circular 22/2021/TT-BGDĐT: assessing learners of grades 6 to 12.

Codes: learning and conduct `tot kha dat chua_dat`; comment subjects `dat chua_dat`; titles
`hoc_sinh_xuat_sac hoc_sinh_gioi khong`. Marks are tenths. Articles were read in digests; the clause and
point of some places are from general knowledge and are listed in `docs/open-questions.md`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from regulations.assessment.base import (
    HIGHEST_MARK,
    KINDS,
    NO_AWARD,
    NOT_PASSED,
    PASSED,
    PRINCIPAL_DECIDES,
    PROMOTED,
    READINGS,
    RETAINED,
    RETEST,
    SUMMER_TRAINING,
    ClassDuty,
    Kind,
    LearningOutcome,
    Reading,
    TopicCounts,
    check_choice,
    check_count,
    check_mark,
    check_marks,
)
from regulations.assessment.year_by_levels import INSTRUMENT, LEVELS, YearByLevels
from regulations.core import (
    Citation,
    IncompleteMarks,
    Outcome,
    Reason,
    Tenths,
    UnknownValue,
    cites,
    half_up,
)

REGULAR_MARKS = ((35, 2), (70, 3))
"""Periods a year up to which so many regular marks a term are needed (Article 6); more need four."""
REGULAR_MARKS_MOST = 4
REGULAR_COMMENTS = 2

WEIGHT_MIDTERM, WEIGHT_FINAL = 2, 3
WEIGHT_TERM1, WEIGHT_TERM2 = 1, 2

MINIMUM = {"tot": 65, "kha": 50, "dat": 35}
"""Every scored subject reaches this, in tenths."""
HIGH = {"tot": 80, "kha": 65, "dat": 50}
"""At least `min_count` scored subjects reach this, in tenths."""
COMMENT_FAILURES = {"tot": 0, "kha": 0, "dat": 1}
"""At most so many comment subjects are Chưa đạt."""
MIN_COUNT = 6
POINTS = {"tot": "a", "kha": "b", "dat": "c", "chua_dat": "d"}

STEPS_LOST = 2
"""The adjustment clause asks for a fall of so many levels by one subject, and gives one back."""

CONDUCT_YEAR = {
    ("tot", "tot"): "tot",
    ("kha", "tot"): "tot",
    ("dat", "tot"): "kha",
    ("chua_dat", "tot"): "kha",
    ("tot", "kha"): "kha",
    ("kha", "kha"): "kha",
    ("dat", "kha"): "kha",
    ("chua_dat", "kha"): "dat",
    ("tot", "dat"): "kha",
    ("kha", "dat"): "dat",
    ("dat", "dat"): "dat",
    ("chua_dat", "dat"): "dat",
    ("tot", "chua_dat"): "chua_dat",
    ("kha", "chua_dat"): "chua_dat",
    ("dat", "chua_dat"): "chua_dat",
    ("chua_dat", "chua_dat"): "chua_dat",
}
"""(term I, term II) -> year."""

MOST_ABSENCES = 45
"""Half-day sessions a year, with or without leave."""
RETEST_BELOW: Tenths = 50
AWARD_HIGH: Tenths = 90
AWARD_COUNT = 6
TEST_MINUTES = ((70, (45, 45)),)
TEST_MINUTES_MOST = (60, 90)
TEST_MINUTES_SPECIALISED = (60, 120)


class Circular22(YearByLevels):
    """The rules of Circular 22/2021, one learner at a time or as a set by `apply`."""

    id: ClassVar[str] = "secondary.tt22-2021"
    instrument: ClassVar[str] = INSTRUMENT
    title: ClassVar[str] = "Quy định về đánh giá học sinh trung học cơ sở và học sinh trung học phổ thông"
    level = "secondary"
    # Article 21: grade by grade.
    first_year: ClassVar[Mapping[int, int]] = {
        6: 2021,
        7: 2022,
        10: 2022,
        8: 2023,
        11: 2023,
        9: 2024,
        12: 2024,
    }
    # What another circular or a draft may set differently.
    min_count: ClassVar[int] = MIN_COUNT
    minimum: ClassVar[Mapping[str, Tenths]] = MINIMUM
    high: ClassVar[Mapping[str, Tenths]] = HIGH
    comment_failures: ClassVar[Mapping[str, int]] = COMMENT_FAILURES
    award_count: ClassVar[int] = AWARD_COUNT
    award_high: ClassVar[Tenths] = AWARD_HIGH
    most_absences: ClassVar[int] = MOST_ABSENCES
    retest_below: ClassVar[Tenths] = RETEST_BELOW
    counts_comments: ClassVar[bool] = True

    @cites(INSTRUMENT, article=6, clause=3, point="b")
    def required_regular_marks(self, *, periods_per_year: int) -> int:
        """Return how many regular marks a scored subject needs each term, from its periods a school year."""
        periods = check_count(periods_per_year, name="periods_per_year", citation=self.cite(6, 3, "b"))
        return next((marks for most, marks in REGULAR_MARKS if periods <= most), REGULAR_MARKS_MOST)

    @cites(INSTRUMENT, article=6, clause=3, point="a")
    def required_regular_comments(self) -> int:
        """Return how many regular assessments a comment subject needs each term."""
        return REGULAR_COMMENTS

    @cites(INSTRUMENT, article=7, clause=1)
    def class_duty(self, *, kind: Kind, periods_per_year: int, is_specialised: bool = False) -> ClassDuty:
        """Return what a subject must assess in a term, and the length of its periodic tests in minutes."""
        periods = check_count(periods_per_year, name="periods_per_year", citation=self.cite(7, 1))
        check_choice(kind, KINDS, name="kind")
        regular = (
            self.required_regular_marks(periods_per_year=periods)
            if kind == "score"
            else self.required_regular_comments()
        )
        minutes = next((span for most, span in TEST_MINUTES if periods <= most), TEST_MINUTES_MOST)
        return ClassDuty(regular, test_minutes=TEST_MINUTES_SPECIALISED if is_specialised else minutes)

    @cites(INSTRUMENT, article=7, clause=4)
    def missed_periodic(self, *, kind: Kind) -> Tenths | str:
        """Return what a periodic assessment missed without make-up counts as: 0, or Chưa đạt."""
        return 0 if check_choice(kind, KINDS, name="kind") == "score" else NOT_PASSED

    @cites(INSTRUMENT, article=9, clause=1, point="b")
    def subject_term_average(
        self,
        *,
        regular: Sequence[Tenths],
        midterm: Tenths | None,
        final: Tenths | None,
        topic: Tenths | None = None,
        required: int | None = None,
        topic_counts_as: TopicCounts = "one_of_required",
    ) -> Tenths:
        """Return a scored subject's average for one term, in tenths: 83 is 8.3.

        regular   the term's regular marks, at least one, each 0 to 100, in any order
        topic     the chosen mark of the study-topic cluster; it joins the regular marks
        required  how many regular marks there must be; None does not ask

        Raises IncompleteMarks for fewer marks than needed. The circular defines no average of part of the
        marks, so the divisor never shrinks to what is there.
        """
        place = self.cite(9, 1, "b")
        check_choice(topic_counts_as, ("one_of_required", "extra"), name="topic_counts_as")
        marks = check_marks(regular, name="regular", citation=place)
        # Our reading: whether the topic mark fills one of the required places or comes on top is open.
        filled = len(marks) + (topic is not None and topic_counts_as == "one_of_required")
        if topic is not None:
            marks += (check_mark(topic, name="topic", citation=place),)
        if not marks or (required is not None and filled < required):
            raise IncompleteMarks(
                f"{filled} regular marks of {required or 1}",
                citation=self.cite(6, 3, "b"),
                name="regular",
                got=filled,
                needed=required or 1,
            )
        middle = check_mark(midterm, name="midterm", citation=place)
        last = check_mark(final, name="final", citation=place)
        # Our reading: the text rounds to tenths and is silent on ties; they go up.
        total = sum(marks) + WEIGHT_MIDTERM * middle + WEIGHT_FINAL * last
        return half_up(total, len(marks) + WEIGHT_MIDTERM + WEIGHT_FINAL)

    @cites(INSTRUMENT, article=9, clause=1, point="b")
    def mark_weights(self) -> tuple[int, int, int]:
        """Return how often a regular mark, the midterm and the final count in a subject's average for a term."""
        return 1, WEIGHT_MIDTERM, WEIGHT_FINAL

    @cites(INSTRUMENT, article=9, clause=1, point="b")
    def term_weights(self) -> tuple[int, int]:
        """Return how often term I and term II count in a subject's average for the year."""
        return WEIGHT_TERM1, WEIGHT_TERM2

    @cites(INSTRUMENT, article=9, clause=1, point="b")
    def subject_year_average(self, *, term1: Tenths | None, term2: Tenths | None) -> Tenths:
        """Return a scored subject's average for the year from its printed term averages, in tenths."""
        place = self.cite(9, 1, "b")
        first = check_mark(term1, name="term1", citation=place)
        second = check_mark(term2, name="term2", citation=place)
        return half_up(WEIGHT_TERM1 * first + WEIGHT_TERM2 * second, WEIGHT_TERM1 + WEIGHT_TERM2)

    @cites(INSTRUMENT, article=9, clause=1, point="a")
    def comment_subject_term(
        self,
        *,
        regular: Sequence[str],
        midterm: str | None,
        final: str | None,
        required_regular: int = REGULAR_COMMENTS,
    ) -> str:
        """Return "dat" when every assessment of the term exists and is passed, else "chua_dat".

        A missing assessment is None; it counts as not passed, as the circular has it.
        """
        needed = check_count(required_regular, name="required_regular", citation=self.cite(6, 3, "a"))
        place = self.cite(9, 1, "a")
        results = [check_choice(one, (PASSED, NOT_PASSED), name="regular", citation=place) for one in regular]
        for name, one in (("midterm", midterm), ("final", final)):
            results.append(
                NOT_PASSED
                if one is None
                else check_choice(one, (PASSED, NOT_PASSED), name=name, citation=place)
            )
        enough = len(regular) >= needed
        return PASSED if enough and all(one == PASSED for one in results) else NOT_PASSED

    @cites(INSTRUMENT, article=9, clause=1, point="a")
    def comment_subject_year(self, *, term1: str | None = None, term2: str | None) -> str:
        """Return a comment subject's result of the year, which is that of term II."""
        if term1 is not None:
            check_choice(term1, (PASSED, NOT_PASSED), name="term1", citation=self.cite(9, 1, "a"))
        return check_choice(term2, (PASSED, NOT_PASSED), name="term2", citation=self.cite(9, 1, "a"))

    @cites(INSTRUMENT, article=9, clause=2)
    def learning_level(
        self,
        *,
        scored: Mapping[str, Tenths],
        comments: Mapping[str, str],
        min_count: int | None = None,
        reading: Reading = "strict",
        adjust_for_comment: bool = True,
    ) -> LearningOutcome:
        """Return the learning level of a term or a year, with the conditions that kept it from the next.

        scored    average by subject code, tenths; comments: "dat" or "chua_dat" by subject code
        min_count how many subjects must reach the high mark; None takes the circular's
        reading   of the adjustment clause (Article 9 clause 3): "strict" asks it of the other subjects
                  alone, "counterfactual" gives the one subject the best mark
        adjust_for_comment   whether a comment subject may be the one subject

        Raises IncompleteMarks without a scored subject.
        """
        place = self.cite(9, 2)
        check_choice(reading, READINGS, name="reading", citation=self.cite(9, 3))
        marks = {code: check_mark(scored[code], name=code, citation=place) for code in sorted(scored)}
        if not marks:
            raise IncompleteMarks("no scored subject", citation=place, name="scored")
        results = {
            code: check_choice(comments[code], (PASSED, NOT_PASSED), name=code, citation=place)
            for code in sorted(comments)
        }
        count = (
            self.min_count if min_count is None else check_count(min_count, name="min_count", citation=place)
        )
        failed = [code for code, result in results.items() if result == NOT_PASSED]
        base = self._level(sorted(marks.values()), len(failed), count)
        culprit = self._culprit(base, marks, failed, count, reading, adjust_for_comment)
        final = _above(base) if culprit else base
        because = self._why(base, final, marks, results, count)
        if culprit is not None:
            subject, deserved = culprit
            because += (
                Reason(
                    "raised-one-level",
                    self.cite(9, 3),
                    {"subject": subject, "base": base, "level": final, "without": deserved},
                ),
            )
        return LearningOutcome(final, because, base=base, adjusted=culprit is not None)

    @cites(INSTRUMENT, article=8, clause=2, point="b")
    def conduct_year(self, *, term1: str | None, term2: str | None) -> Outcome:
        """Return the conduct level of the year from those of the two terms."""
        place = self.cite(8, 2, "b")
        first = check_choice(term1, LEVELS, name="conduct1", citation=place)
        second = check_choice(term2, LEVELS, name="conduct2", citation=place)
        level = CONDUCT_YEAR[first, second]
        return Outcome(
            level, (Reason("conduct-of-year", place, {"term1": first, "term2": second, "level": level}),)
        )

    @cites(INSTRUMENT, article=15, clause=1)
    def award(self, *, conduct: str, learning: str, scored: Mapping[str, Tenths]) -> Outcome:
        """Return the year's title: "hoc_sinh_xuat_sac", "hoc_sinh_gioi" or "khong", with what was wanting.

        scored   year averages by subject code, tenths
        """
        place = self.cite(15, 1)
        check_choice(conduct, LEVELS, name="conduct", citation=place)
        check_choice(learning, LEVELS, name="learning", citation=place)
        high = sum(
            check_mark(mark, name=code, citation=place) >= self.award_high for code, mark in scored.items()
        )
        wanting = []
        if conduct != "tot":
            wanting.append(Reason("award-conduct-below", place, {"got": conduct, "needed": "tot"}))
        if learning != "tot":
            wanting.append(Reason("award-learning-below", place, {"got": learning, "needed": "tot"}))
        if wanting:
            return Outcome(NO_AWARD, tuple(wanting))
        facts = {"count": high, "needed": self.award_count, "threshold": self.award_high}
        if high < self.award_count:
            return Outcome("hoc_sinh_gioi", (Reason("award-good", self.cite(15, 1, "a"), facts),))
        return Outcome("hoc_sinh_xuat_sac", (Reason("award-excellent", self.cite(15, 1, "a"), facts),))

    @cites(INSTRUMENT, article=14)
    def retestable_subjects(
        self, *, scored: Mapping[str, Tenths], comments: Mapping[str, str]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the scored subjects below 5.0 and the comment subjects at Chưa đạt, in the order given.

        They are open to re-assessment when the year's learning is Chưa đạt and its conduct at least Đạt.
        """
        place = self.cite(14)
        low = tuple(
            code
            for code, mark in scored.items()
            if check_mark(mark, name=code, citation=place) < self.retest_below
        )
        failed = tuple(
            code
            for code, result in comments.items()
            if check_choice(result, (PASSED, NOT_PASSED), name=code, citation=place) == NOT_PASSED
        )
        return low, failed

    @cites(INSTRUMENT, article=12)
    def promotion(
        self,
        *,
        conduct: str,
        learning: str,
        absences: int,
        learning_after_retest: str | None = None,
        conduct_after_summer: str | None = None,
        is_individual_plan: bool = False,
        principal_decision: str | None = None,
    ) -> Outcome:
        """Return whether the learner goes up: see the codes in `base`.

        absences            half-day sessions missed in the year, with or without leave
        learning_after_retest, conduct_after_summer   None while there is no such result
        is_individual_plan  a disabled learner assessed by an individual plan: the principal decides
        principal_decision  that decision, "len_lop" or "o_lai_lop", when it was taken
        """
        check_choice(conduct, LEVELS, name="conduct", citation=self.cite(12, 1, "a"))
        check_choice(learning, LEVELS, name="learning", citation=self.cite(12, 1, "b"))
        days = check_count(absences, name="absences", citation=self.cite(12, 1, "c"))
        if learning_after_retest is not None:
            check_choice(learning_after_retest, LEVELS, name="learning_after_retest", citation=self.cite(14))
        if conduct_after_summer is not None:
            check_choice(conduct_after_summer, LEVELS, name="conduct_after_summer", citation=self.cite(13))
        if is_individual_plan:
            return self._decided_by_principal(principal_decision)
        if days > self.most_absences:
            facts: dict[str, object] = {"got": days, "most": self.most_absences}
            return Outcome(RETAINED, (Reason("too-many-absences", self.cite(12, 1, "c"), facts),))
        if learning != "chua_dat" and conduct != "chua_dat":
            facts = {"conduct": conduct, "learning": learning, "absences": days, "most": self.most_absences}
            return Outcome(PROMOTED, (Reason("promotion-conditions-met", self.cite(12, 1), facts),))
        if learning == conduct:
            # Article 14 opens re-assessment only to a year conduct of at least Đạt.
            return Outcome(RETAINED, (Reason("both-not-passed", self.cite(14), {"level": "chua_dat"}),))
        if learning == "chua_dat":
            return self._second_chance("retest", RETEST, learning_after_retest, self.cite(14))
        return self._second_chance("summer-training", SUMMER_TRAINING, conduct_after_summer, self.cite(13))

    def _level(self, ordered: Sequence[Tenths], failures: int, count: int) -> str:
        """Return the level of these marks, lowest first, with so many comment subjects not passed."""
        # All reach the minimum when the lowest does; `count` reach the high mark when the count-th best does.
        lowest = ordered[0] if ordered else HIGHEST_MARK
        nth_best = -1 if count else HIGHEST_MARK
        if 0 < count <= len(ordered):
            nth_best = ordered[-count]
        for level in LEVELS[:0:-1]:
            if (
                failures <= self.comment_failures[level]
                and lowest >= self.minimum[level]
                and nth_best >= self.high[level]
            ):
                return level
        return LEVELS[0]

    def _culprit(
        self,
        base: str,
        marks: Mapping[str, Tenths],
        failed: Sequence[str],
        count: int,
        reading: Reading,
        adjust_for_comment: bool,
    ) -> tuple[str, str] | None:
        """Return the one subject that cost two levels or more and the level without it, or None."""
        wanted = _rank(base) + STEPS_LOST
        if wanted >= len(LEVELS):
            return None  # no level is that far above
        ordered = sorted(marks.values())
        best = [HIGHEST_MARK] if reading == "counterfactual" else []
        # Without the lowest mark the level is at least what it is without any other: most are answered here.
        if _rank(self._level(ordered[1:] + best, len(failed), count)) >= wanted:
            without = {
                code: self._level(_without(ordered, mark) + best, len(failed), count)
                for code, mark in marks.items()
            }
            return next((code, level) for code, level in without.items() if _rank(level) >= wanted)
        # Our reading: Article 9 clause 3 says "môn học" without limit, so a comment subject can be the one.
        if failed and adjust_for_comment:
            level = self._level(ordered, len(failed) - 1, count)
            if _rank(level) >= wanted:
                return failed[0], level
        return None

    def _why(
        self, base: str, final: str, marks: Mapping[str, Tenths], results: Mapping[str, str], count: int
    ) -> tuple[Reason, ...]:
        """Return what was reached, and each condition of the levels just above base and final that failed."""
        reasons: list[Reason] = []
        if base != LEVELS[0]:
            facts = {
                "level": base,
                "count": sum(mark >= self.high[base] for mark in marks.values()),
                "needed": count,
                "threshold": self.high[base],
                "minimum": self.minimum[base],
            }
            reasons.append(Reason("learning-conditions-met", self.cite(9, 2, POINTS[base]), facts))
        for level in dict.fromkeys(_above(one) for one in (base, final) if one != LEVELS[-1]):
            reasons.extend(self._failed(level, marks, results, count))
        return tuple(reasons)

    def _failed(
        self, level: str, marks: Mapping[str, Tenths], results: Mapping[str, str], count: int
    ) -> Iterable[Reason]:
        place = self.cite(9, 2, POINTS[level])
        for code, mark in marks.items():
            if mark < self.minimum[level]:
                yield Reason(
                    "subject-below",
                    place,
                    {"subject": code, "got": mark, "needed": self.minimum[level], "level": level},
                )
        high = sum(mark >= self.high[level] for mark in marks.values())
        if high < count:
            facts = {"count": high, "needed": count, "threshold": self.high[level], "level": level}
            yield Reason("too-few-subjects-reach", place, facts)
        failed = [code for code, result in results.items() if result == NOT_PASSED]
        if len(failed) > self.comment_failures[level]:
            for code in failed:
                yield Reason(
                    "comment-subject-not-passed",
                    place,
                    {"subject": code, "level": level, "most": self.comment_failures[level]},
                )

    def _second_chance(self, name: str, waiting: str, result: str | None, place: Citation) -> Outcome:
        if result is None:
            return Outcome(waiting, (Reason(f"{name}-needed", place),))
        if result == "chua_dat":
            return Outcome(RETAINED, (Reason(f"{name}-failed", place, {"level": result}),))
        return Outcome(PROMOTED, (Reason(f"{name}-passed", place, {"level": result}),))

    def _decided_by_principal(self, decision: str | None) -> Outcome:
        place = self.cite(12, 4)
        if decision is None:
            return Outcome(PRINCIPAL_DECIDES, (Reason("principal-decides", place),))
        if decision not in (PROMOTED, RETAINED):
            raise UnknownValue(
                f"not a decision: {decision!r}", citation=place, name="principal_decision", got=decision
            )
        return Outcome(decision, (Reason("principal-decided", place, {"decision": decision}),))


def _without(ordered: list[Tenths], mark: Tenths) -> list[Tenths]:
    """Return marks in ascending order with one of them left out."""
    place = bisect_left(ordered, mark)
    return ordered[:place] + ordered[place + 1 :]


def _rank(level: str) -> int:
    return LEVELS.index(level)


def _above(level: str) -> str:
    return LEVELS[_rank(level) + 1]


RULES = Circular22()
