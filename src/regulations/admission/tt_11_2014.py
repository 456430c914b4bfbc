"""Circular 11/2014/TT-BGDĐT, as amended: admission to upper secondary schools until 2024.

The province set coefficients, points and their kinds; the circular only bounded them. Scores are hundredths.
From general knowledge: kept so that old admissions can be explained.
"""

from __future__ import annotations

from collections.abc import Sequence

from regulations.admission.base import (
    ELIGIBLE,
    NOT_ELIGIBLE,
    AdmissionScore,
    check_papers,
)
from regulations.core import Citation, Hundredths, OutOfRange, Reason, UnknownValue, cites

ID = "grade10.tt11-2014"
INSTRUMENT = "11/2014/TT-BGDĐT"
TITLE = "Quy chế tuyển sinh trung học cơ sở và trung học phổ thông (2014)"
FIRST_YEAR, LAST_YEAR = 2014, 2024
VERSION = 1

GROUP_GAP: Hundredths = 50
"""Between neighbouring priority groups."""

PAPERS = (2, 3, 4, 5)
SCORE = Citation(INSTRUMENT)


def governs(*, year: int) -> bool:
    """Return whether it governs admission for the school year that begins in `year`."""
    return FIRST_YEAR <= year <= LAST_YEAR


@cites(INSTRUMENT)
def priority_points(group: int, *, highest: Hundredths, groups: int = 3) -> Hundredths:
    """Return the points of priority group 1 … `groups`, where the province set group 1 to `highest`."""
    if type(group) is not int or not 1 <= group <= groups:
        raise UnknownValue(f"unknown group {group!r}", citation=SCORE, name="group", got=group)
    return max(0, highest - (group - 1) * GROUP_GAP)


@cites(INSTRUMENT)
def admission_score(
    *,
    papers: Sequence[Hundredths],
    coefficients: Sequence[int],
    priority: Hundredths = 0,
    incentive: Hundredths = 0,
    zero_paper_disqualifies: bool = True,
) -> AdmissionScore:
    """Return a candidate's score: papers times the province's coefficients, plus the points it gave.

    Raises IncompleteMarks for a paper missing, OutOfRange unless there is one coefficient of at least 1 a
    paper and points are not negative.
    """
    sat = check_papers(papers, at=SCORE, counts=PAPERS)
    if len(coefficients) != len(sat) or any(type(one) is not int or one < 1 for one in coefficients):
        raise OutOfRange(
            "one coefficient a paper, from 1", citation=SCORE, name="coefficients", got=tuple(coefficients)
        )
    for name, points in (("priority", priority), ("incentive", incentive)):
        if type(points) is not int or points < 0:
            raise OutOfRange(f"{name}: {points!r}", citation=SCORE, name=name, got=points)
    total = sum(paper * coefficient for paper, coefficient in zip(sat, coefficients, strict=True))
    reasons = [
        Reason("admission-papers", SCORE, {"total": total, "count": len(sat)}),
        *([Reason("admission-priority", SCORE, {"points": priority})] if priority else []),
        *([Reason("admission-incentive", SCORE, {"points": incentive})] if incentive else []),
    ]
    against = [Reason("zero-paper-disqualifies", SCORE)] if zero_paper_disqualifies and 0 in sat else []
    return AdmissionScore(
        NOT_ELIGIBLE if against else ELIGIBLE,
        (*against, *reasons),
        papers=total,
        priority=priority,
        incentive=incentive,
    )
