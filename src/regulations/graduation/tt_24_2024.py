"""Circular 24/2024/TT-BGDĐT: the upper-secondary graduation exam from 2025.

Scores, averages and points are hundredths. Each of the averages is rounded once, to two places; the
graduation score uses the rounded averages and is itself rounded once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from regulations.core import Citation, Hundredths, IncompleteMarks, Outcome, Tenths, cites, half_up
from regulations.graduation.base import (
    ROUNDINGS,
    STREAMS,
    Award,
    GraduationScore,
    RemarkOutcome,
    Rounding,
    Stream,
    best_of_each,
    capped,
    check_choice,
    check_points,
    check_score,
    check_scores,
    may_sit,
    points_of_group,
    recognition,
    remark,
    rounded,
)

ID = "grad.tt24-2024"
INSTRUMENT = "24/2024/TT-BGDĐT"
TITLE = "Quy chế thi tốt nghiệp trung học phổ thông từ năm 2025"
FIRST_EXAM, LAST_EXAM = 2025, None
VERSION = 1

PAPERS = 4
FAIL_MARK: Hundredths = 100
PASS_SCORE: Hundredths = 500
YEAR_WEIGHTS = (1, 2, 3)
BONUS_CAP: Hundredths = 200
PRIORITY: dict[int, Hundredths] = {1: 0, 2: 25, 3: 50}
"""Points of each priority group (diện)."""

PRIORITY_GROUNDS = {
    "none": 1,
    "invalid-under-81": 2,
    "child-of-invalid-under-81": 2,
    "hero": 2,
    "child-of-hero": 2,
    "child-of-heroic-mother": 2,
    "ethnic-minority": 2,
    "kinh-in-difficult-commune": 2,
    "chemical-victim": 2,
    "child-of-chemical-victim": 2,
    "aged-35-continuing": 2,
    "ethnic-minority-in-difficult-commune": 3,
    "ethnic-minority-boarding-school": 3,
    "invalid-81": 3,
    "child-of-invalid-81": 3,
    "child-of-martyr": 3,
}
"""Ground to priority group (Article 42, as the digests list them)."""

BANDS = {
    ("national", 1): 200,
    ("national", 2): 200,
    ("national", 3): 200,
    ("national", 4): 150,
    ("provincial", 1): 200,
    ("provincial", 2): 150,
    ("provincial", 3): 100,
}
"""(level, rank) to points; rank 4 is consolation, or fourth in science and technology."""

DIPLOMA = {1: 200, 2: 150, 3: 100}
"""Rank of an intermediate diploma (Giỏi, Khá, Trung bình) to points. From general knowledge."""

BONUS: dict[tuple[str, str, int], Hundredths] = {
    (kind, level, rank): points for kind in ("hsg", "contest") for (level, rank), points in BANDS.items()
} | {("intermediate", "", rank): points for rank, points in DIPLOMA.items()}

REMARK_ADJUST: Hundredths = 25
REMARK_DIALOGUE: Hundredths = 50
REMARK_REQUEST_DAYS, REMARK_RESULT_DAYS = 10, 15

RECOGNITION = Citation(INSTRUMENT, 44)


def governs(*, year: int) -> bool:
    """Return whether it governs the exam held in the calendar year `year`."""
    return year >= FIRST_EXAM


@cites(INSTRUMENT, article=44)
def class_average(scored: Sequence[Tenths]) -> Hundredths:
    """Return a grade's average in hundredths from the year averages of its scored subjects, in tenths.

    Raises IncompleteMarks without a subject and OutOfRange for a mark outside 0 to 100.
    """
    if not scored:
        raise IncompleteMarks("no scored subject", citation=RECOGNITION, name="scored")
    marks = [check_score(mark * 10 if type(mark) is int else mark, name="scored") for mark in scored]
    return half_up(sum(marks), len(marks))


@cites(INSTRUMENT, article=44)
def years_average(*, grade10: Hundredths, grade11: Hundredths, grade12: Hundredths) -> Hundredths:
    """Return the average of the years, weights 1, 2 and 3, rounded to two places."""
    grades = check_scores(
        (grade10, grade11, grade12), name="grade averages", counts=(3,), citation=RECOGNITION
    )
    total = sum(weight * grade for weight, grade in zip(YEAR_WEIGHTS, grades, strict=True))
    return half_up(total, sum(YEAR_WEIGHTS))


@cites(INSTRUMENT, article=42)
def priority_group(grounds: Iterable[str]) -> int:
    """Return the highest priority group (1 to 3) of the grounds shown; 1 without any.

    Raises UnknownValue for a ground the article does not list.
    """
    groups = [1]
    for ground in grounds:
        check_choice(ground, PRIORITY_GROUNDS, name="ground", citation=Citation(INSTRUMENT, 42))
        groups.append(PRIORITY_GROUNDS[ground])
    return max(groups)


@cites(INSTRUMENT, article=42)
def priority_points(group: int) -> Hundredths:
    """Return the points of a priority group: 0, 0.25 or 0.5."""
    return points_of_group(group, PRIORITY, at=Citation(INSTRUMENT, 42))


@cites(INSTRUMENT, article=43)
def bonus_points(awards: Iterable[Award], *, stream: Stream = "THPT") -> Hundredths:
    """Return the bonus points of the documents shown: the best of each kind, together at most 2.0.

    `stream` decides nothing here: one table serves both streams; it is checked all the same.
    """
    check_choice(stream, STREAMS, name="stream")
    return min(best_of_each(awards, BONUS, at=Citation(INSTRUMENT, 43)), BONUS_CAP)


@cites(INSTRUMENT, article=44)
def graduation_score(
    *,
    papers: Sequence[Hundredths],
    grade10: Hundredths,
    grade11: Hundredths,
    grade12: Hundredths,
    bonus: Hundredths = 0,
    priority: Hundredths = 0,
    exempt_papers: int = 0,
    cancelled: bool = False,
    rounding: Rounding = "half-up",
    divisor: int | None = None,
) -> GraduationScore:
    """Return the recognition of a candidate of any stream.

    papers         the scores of the papers sat, four less those exempted
    grade10…12     the grades' averages in hundredths
    bonus          bonus points before the cap
    priority       points of the highest priority group
    exempt_papers  0, or 1 when a certificate exempts from the foreign language
    cancelled      whether the candidate's results were cancelled as a sanction
    rounding       how the graduation score comes to two places
    divisor        what papers and bonus are divided by; None takes the number of papers sat

    Raises IncompleteMarks and OutOfRange for missing papers or averages.
    """
    check_choice(exempt_papers, (0, 1), name="exempt_papers", citation=RECOGNITION)
    check_choice(rounding, ROUNDINGS, name="rounding")
    papers = check_scores(papers, name="papers", counts=(PAPERS - exempt_papers,), citation=RECOGNITION)
    check_points(priority, name="priority", citation=RECOGNITION)
    counted, cut = capped(
        check_points(bonus, name="bonus", citation=RECOGNITION), BONUS_CAP, Citation(INSTRUMENT, 43)
    )
    years = years_average(grade10=grade10, grade11=grade11, grade12=grade12)
    # Our reading: with an exemption the divisor is the number of papers sat, for the bonus as well.
    divisor = len(papers) if divisor is None else divisor
    check_choice(divisor, (PAPERS - 1, PAPERS), name="divisor", citation=RECOGNITION)
    score = rounded(sum(papers) + counted + divisor * years, 2 * divisor, rounding) + priority
    return recognition(
        score=score,
        sat=papers,
        bonus=counted,
        cut=cut,
        pass_score=PASS_SCORE,
        fail_mark=FAIL_MARK,
        cancelled=cancelled,
        at=RECOGNITION,
        years_average=years,
    )


@cites(INSTRUMENT)
def eligible(*, finished_grade12: bool, learning: str, conduct: str) -> Outcome:
    """Return whether a pupil of grade 12 may sit the exam.

    learning, conduct   the year's levels: "tot", "kha", "dat", "chua_dat"
    """
    # Our reading: both levels at least Đạt; the digests give the condition in part only.
    levels = ("tot", "kha", "dat", "chua_dat")
    return may_sit(
        finished_grade12=finished_grade12,
        learning=learning,
        conduct=conduct,
        levels=(levels, levels),
        barring=("chua_dat", "chua_dat"),
        at=Citation(INSTRUMENT),
    )


@cites(INSTRUMENT)
def remark_essay(first: Hundredths, second: Hundredths) -> RemarkOutcome:
    """Return the mark after an essay was marked again: adjusted from 0.25 up or down, dialogue from 0.5."""
    return remark(
        first, second, adjust_from=REMARK_ADJUST, dialogue_from=REMARK_DIALOGUE, at=Citation(INSTRUMENT)
    )
