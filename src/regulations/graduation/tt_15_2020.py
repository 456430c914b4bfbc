"""Circular 15/2020/TT-BGDĐT, as amended: the upper-secondary graduation exam of 2020 to 2024.

Scores, averages and points are hundredths. 70 parts of the papers, 30 of grade 12.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from regulations.core import Citation, Hundredths, Outcome, cites
from regulations.graduation.base import (
    HIGHEST,
    ROUNDINGS,
    STREAMS,
    Award,
    GraduationScore,
    RemarkOutcome,
    Rounding,
    Stream,
    average,
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

ID = "grad.tt15-2020"
INSTRUMENT = "15/2020/TT-BGDĐT"
TITLE = "Quy chế thi tốt nghiệp trung học phổ thông các năm 2020 đến 2024"
FIRST_EXAM, LAST_EXAM = 2020, 2024
VERSION = 1

PAPERS = {"THPT": 4, "GDTX": 3}
BONUS_PARTS = 4
"""The bonus is divided by four in both streams."""

PAPERS_WEIGHT, YEAR_WEIGHT = 7, 3
FAIL_MARK: Hundredths = 100
PASS_SCORE: Hundredths = 500
BONUS_CAP: Hundredths = 400
PRIORITY: dict[int, Hundredths] = {1: 0, 2: 25, 3: 50}
EXEMPT_LANGUAGE: Hundredths = HIGHEST

BANDS = {
    ("national", 1): 200,
    ("national", 2): 200,
    ("national", 3): 200,
    ("national", 4): 150,
    ("provincial", 1): 200,
    ("provincial", 2): 150,
    ("provincial", 3): 100,
}
RANKS = {1: 200, 2: 150, 3: 100}
CERTIFICATE: Hundredths = 100
"""Each language or IT certificate of the continuing stream, one of a kind."""

BONUS: dict[tuple[str, str, int], Hundredths] = {
    (kind, level, rank): points for kind in ("hsg", "contest") for (level, rank), points in BANDS.items()
} | {(kind, "", rank): points for kind in ("vocational", "intermediate") for rank, points in RANKS.items()}
CONTINUING_BONUS = BONUS | {
    ("certificate-language", "", 1): CERTIFICATE,
    ("certificate-it", "", 1): CERTIFICATE,
}

REMARK_ADJUST: Hundredths = 25
REMARK_DIALOGUE: Hundredths = 50
REMARK_REQUEST_DAYS, REMARK_RESULT_DAYS = 10, 15

COMPONENTS = (2, 3)
RECOGNITION = Citation(INSTRUMENT, 41)


def governs(*, year: int) -> bool:
    """Return whether it governs the exam held in the calendar year `year`."""
    return FIRST_EXAM <= year <= LAST_EXAM


@cites(INSTRUMENT, article=41)
def combined_paper(components: Sequence[Hundredths]) -> Hundredths:
    """Return the score of a combined paper: the mean of its two or three subjects, to two places."""
    return average(check_scores(components, name="components", counts=COMPONENTS, citation=RECOGNITION))


@cites(INSTRUMENT, article=39)
def priority_points(group: int) -> Hundredths:
    """Return the points of a priority group: 0, 0.25 or 0.5."""
    return points_of_group(group, PRIORITY, at=Citation(INSTRUMENT, 39))


@cites(INSTRUMENT, article=40)
def bonus_points(awards: Iterable[Award], *, stream: Stream = "THPT") -> Hundredths:
    """Return the bonus points of the documents shown: the best of each kind, together at most 4.0.

    Language and IT certificates bring points in the continuing stream only.
    """
    check_choice(stream, STREAMS, name="stream")
    table = CONTINUING_BONUS if stream == "GDTX" else BONUS
    return min(best_of_each(awards, table, at=Citation(INSTRUMENT, 40)), BONUS_CAP)


@cites(INSTRUMENT, article=41)
def graduation_score(
    *,
    papers: Sequence[Hundredths],
    grade12: Hundredths | None,
    components: Sequence[Hundredths] = (),
    stream: Stream = "THPT",
    bonus: Hundredths = 0,
    priority: Hundredths = 0,
    exempt_papers: int = 0,
    cancelled: bool = False,
    rounding: Rounding = "half-up",
) -> GraduationScore:
    """Return the recognition of a candidate.

    papers         the papers sat: four in the general stream, three in the continuing one, the combined
                   paper among them; an exempted foreign language is left out
    grade12        the average of grade 12, None for a candidate who has none: then the papers alone count
    components     the component subjects of the combined paper, each of which has the fail mark too
    exempt_papers  1 when a certificate exempts from the foreign language, which then counts 10

    Raises IncompleteMarks and OutOfRange for missing papers.
    """
    check_choice(stream, STREAMS, name="stream", citation=RECOGNITION)
    check_choice(exempt_papers, (0, 1), name="exempt_papers", citation=RECOGNITION)
    check_choice(rounding, ROUNDINGS, name="rounding")
    sat = check_scores(papers, name="papers", counts=(PAPERS[stream] - exempt_papers,), citation=RECOGNITION)
    parts = check_scores(components, name="components", counts=(0, *COMPONENTS), citation=RECOGNITION)
    check_points(priority, name="priority", citation=RECOGNITION)
    counted, cut = capped(
        check_points(bonus, name="bonus", citation=RECOGNITION), BONUS_CAP, Citation(INSTRUMENT, 40)
    )
    total = sum(sat) + exempt_papers * EXEMPT_LANGUAGE
    # (papers / n + bonus / 4) as one fraction over 4n, so that only the end is rounded.
    exam, whole = BONUS_PARTS * total + PAPERS[stream] * counted, BONUS_PARTS * PAPERS[stream]
    if grade12 is None:
        score = rounded(exam, whole, rounding)
    else:
        year = check_score(grade12, name="grade12", citation=RECOGNITION)
        score = rounded(
            PAPERS_WEIGHT * exam + YEAR_WEIGHT * whole * year, (PAPERS_WEIGHT + YEAR_WEIGHT) * whole, rounding
        )
    score += priority
    return recognition(
        score=score,
        sat=(*sat, *parts),
        bonus=counted,
        cut=cut,
        pass_score=PASS_SCORE,
        fail_mark=FAIL_MARK,
        cancelled=cancelled,
        at=RECOGNITION,
    )


@cites(INSTRUMENT)
def eligible(*, finished_grade12: bool, learning: str, conduct: str) -> Outcome:
    """Return whether a pupil of grade 12 may sit the exam.

    learning   "gioi", "kha", "trung_binh", "yeu" or "kem"; conduct "tot", "kha", "trung_binh" or "yeu"
    """
    # Our reading: conduct at least Trung bình and learning not Kém.
    return may_sit(
        finished_grade12=finished_grade12,
        learning=learning,
        conduct=conduct,
        levels=(("gioi", "kha", "trung_binh", "yeu", "kem"), ("tot", "kha", "trung_binh", "yeu")),
        barring=("kem", "yeu"),
        at=Citation(INSTRUMENT),
    )


@cites(INSTRUMENT, article=33)
def remark_essay(first: Hundredths, second: Hundredths) -> RemarkOutcome:
    """Return the mark after an essay was marked again: adjusted from 0.25 up or down, dialogue from 0.5."""
    return remark(
        first, second, adjust_from=REMARK_ADJUST, dialogue_from=REMARK_DIALOGUE, at=Citation(INSTRUMENT, 33)
    )
