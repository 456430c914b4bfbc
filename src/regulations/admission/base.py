"""What both circulars on grade 10 share: the form of a score and the checks of input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regulations.core import Citation, Hundredths, IncompleteMarks, Outcome, OutOfRange, UnknownValue

HIGHEST: Hundredths = 1000
ELIGIBLE, NOT_ELIGIBLE = "du_dieu_kien", "khong_du_dieu_kien"


@dataclass(frozen=True, slots=True)
class AdmissionScore(Outcome):
    """A candidate's score in hundredths, part by part; `level` says whether it may be used at all."""

    papers: Hundredths = 0
    priority: Hundredths = 0
    incentive: Hundredths = 0

    @property
    def total(self) -> Hundredths:
        """Return papers, priority and incentive together."""
        return self.papers + self.priority + self.incentive

    @property
    def eligible(self) -> bool:
        """Return whether the candidate may be admitted on this score."""
        return self.level == ELIGIBLE


def check_papers(
    papers: Sequence[object], *, at: Citation, counts: tuple[int, ...]
) -> tuple[Hundredths, ...]:
    """Return the papers' scores; raise IncompleteMarks for too few or a missing one, OutOfRange off the scale."""
    if len(papers) not in counts:
        raise IncompleteMarks(
            f"{len(papers)} papers given", citation=at, name="papers", got=len(papers), needed=counts
        )
    checked: list[Hundredths] = []
    for paper in papers:
        if paper is None:
            raise IncompleteMarks("a paper is missing", citation=at, name="papers")
        if type(paper) is not int or not 0 <= paper <= HIGHEST:
            raise OutOfRange(
                f"a paper is not a score in hundredths: {paper!r}", citation=at, name="papers", got=paper
            )
        checked.append(paper)
    return tuple(checked)


def points_of(code: object, table: dict[str, Hundredths], *, name: str, at: Citation) -> Hundredths:
    """Return the points of a code; raise UnknownValue for one the table does not hold."""
    if not isinstance(code, str) or code not in table:
        raise UnknownValue(
            f"{name} is unknown: {code!r}", citation=at, name=name, got=code, choices=tuple(table)
        )
    return table[code]
