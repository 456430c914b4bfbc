"""Circular 30/2024/TT-BGDĐT: admission to lower and upper secondary schools, in force 14/02/2025.

Scores and points are hundredths. Each paper counts once, on the ten-point scale.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from regulations.admission.base import (
    ELIGIBLE,
    NOT_ELIGIBLE,
    AdmissionScore,
    check_papers,
    points_of,
)
from regulations.core import Citation, Hundredths, Outcome, Reason, UnknownValue, cites

ID = "grade10.tt30-2024"
INSTRUMENT = "30/2024/TT-BGDĐT"
TITLE = "Quy chế tuyển sinh trung học cơ sở và tuyển sinh trung học phổ thông"
FIRST_YEAR, LAST_YEAR = 2025, None
VERSION = 1

PAPERS = (3,)
PRIORITY: dict[str, Hundredths] = {"1": 200, "2": 150, "3": 100}
"""Points of each priority group (Article 14)."""

PRIORITY_GROUNDS = {
    "child-of-martyr": "1",
    "child-of-invalid-81": "1",
    "child-of-chemical-victim": "1",
    "child-of-revolutionary-before-1945": "1",
    "child-of-hero": "2",
    "child-of-heroic-mother": "2",
    "child-of-invalid-under-81": "2",
    "parent-ethnic-minority": "3",
    "ethnic-minority": "3",
    "especially-difficult-area": "3",
}

INCENTIVE: dict[str, Hundredths] = {"Nhất": 150, "Nhì": 100, "Ba": 50}
"""Provincial prizes in contests that exist on national level too; subject contests for gifted pupils do not count."""

DIRECT_GROUNDS = (
    "ethnic-boarding-pupil",
    "very-small-ethnic-group",
    "disability",
    "national-prize",
    "international-prize",
)

THIRD_SUBJECT_MOST_YEARS = 3
PUBLISH_BY = (3, 31)
"""Month and day by which the plan and the third subject are published."""

MINUTES: Mapping[str, tuple[int, ...]] = {
    "ngu_van": (120,),
    "toan": (90, 120),
    "third": (60, 90),
    "combined": (90, 120),
}

SCORE = Citation(INSTRUMENT, 13, 6)
POINTS = Citation(INSTRUMENT, 14)
THIRD = Citation(INSTRUMENT, 13)


def governs(*, year: int) -> bool:
    """Return whether it governs admission for the school year that begins in `year`."""
    return year >= FIRST_YEAR


@cites(INSTRUMENT, article=14)
def priority_points(groups: Iterable[str]) -> Hundredths:
    """Return the points of the highest of the priority groups "1", "2", "3"; 0 without any."""
    return max((points_of(group, PRIORITY, name="priority_groups", at=POINTS) for group in groups), default=0)


@cites(INSTRUMENT, article=14)
def priority_groups(grounds: Iterable[str]) -> tuple[str, ...]:
    """Return the groups of the grounds shown; raise UnknownValue for a ground the article does not list."""
    groups: set[str] = set()
    for ground in grounds:
        if ground not in PRIORITY_GROUNDS:
            raise UnknownValue(f"unknown ground {ground!r}", citation=POINTS, name="grounds", got=ground)
        groups.add(PRIORITY_GROUNDS[ground])
    return tuple(sorted(groups))


@cites(INSTRUMENT, article=14)
def incentive_points(prizes: Iterable[str]) -> Hundredths:
    """Return the points of the best of the prizes "Nhất", "Nhì", "Ba"; 0 without any."""
    return max((points_of(prize, INCENTIVE, name="prizes", at=POINTS) for prize in prizes), default=0)


@cites(INSTRUMENT, article=13, clause=6)
def admission_score(
    *,
    papers: Sequence[Hundredths],
    priority_groups: Iterable[str] = (),
    prizes: Iterable[str] = (),
    zero_paper_disqualifies: bool = True,
    minimum_paper: Hundredths = 0,
    both_count: bool = True,
) -> AdmissionScore:
    """Return a candidate's score: the three papers, the highest priority, the best prize.

    zero_paper_disqualifies  the province's rule that a paper of 0 bars admission
    minimum_paper            the province's least score of each paper; 0 sets none
    both_count               whether priority and incentive add up, or only the larger counts

    Raises IncompleteMarks for a paper missing: not to have sat a paper is not a zero.
    """
    sat = check_papers(papers, at=SCORE, counts=PAPERS)
    # Our reading: of several groups and several prizes one each counts, and the two add up.
    priority, incentive = priority_points(priority_groups), incentive_points(prizes)
    if not both_count:
        priority, incentive = (priority, 0) if priority >= incentive else (0, incentive)
    reasons = [
        Reason("admission-papers", SCORE, {"total": sum(sat), "count": len(sat)}),
        *([Reason("admission-priority", POINTS, {"points": priority})] if priority else []),
        *([Reason("admission-incentive", POINTS, {"points": incentive})] if incentive else []),
    ]
    against = [
        Reason("paper-below-minimum", SCORE, {"got": paper, "needed": minimum_paper})
        for paper in sat
        if paper < minimum_paper
    ]
    if zero_paper_disqualifies and 0 in sat:
        against.append(Reason("zero-paper-disqualifies", SCORE))
    return AdmissionScore(
        NOT_ELIGIBLE if against else ELIGIBLE,
        (*against, *reasons),
        papers=sum(sat),
        priority=priority,
        incentive=incentive,
    )


@cites(INSTRUMENT, article=14)
def direct_admission(grounds: Iterable[str]) -> Outcome:
    """Return whether a pupil is admitted directly ("tuyen_thang") or by score ("xet_diem").

    Raises UnknownValue for a ground the article does not list.
    """
    shown = tuple(grounds)
    for ground in shown:
        if ground not in DIRECT_GROUNDS:
            raise UnknownValue(f"unknown ground {ground!r}", citation=POINTS, name="grounds", got=ground)
    if shown:
        return Outcome(
            "tuyen_thang", tuple(Reason("direct-admission", POINTS, {"ground": one}) for one in shown)
        )
    return Outcome("xet_diem", (Reason("admission-by-score", POINTS),))


@cites(INSTRUMENT, article=13)
def third_subject_allowed(subject: str, earlier: Mapping[int, str], *, year: int) -> Outcome:
    """Return whether the third subject may be used for `year`: "duoc" or "khong_duoc".

    earlier   year to the third subject used; not more than three years running
    """
    running = 0
    while earlier.get(year - 1 - running) == subject:
        running += 1
    facts = {"subject": subject, "years": running, "most": THIRD_SUBJECT_MOST_YEARS}
    if running >= THIRD_SUBJECT_MOST_YEARS:
        return Outcome("khong_duoc", (Reason("third-subject-too-often", THIRD, facts),))
    return Outcome("duoc", (Reason("third-subject-allowed", THIRD, facts),))


@cites(INSTRUMENT, article=13)
def minutes_allowed(paper: str, minutes: int) -> bool:
    """Return whether a paper may take so many minutes; `paper` is a key of MINUTES, else UnknownValue."""
    if paper not in MINUTES:
        raise UnknownValue(f"unknown paper {paper!r}", citation=THIRD, name="paper", got=paper)
    return minutes in MINUTES[paper]


@cites(INSTRUMENT, article=4)
def publish_by(year: int) -> date:
    """Return the day by which the plan for the school year beginning in `year` is published."""
    return date(year, *PUBLISH_BY)
