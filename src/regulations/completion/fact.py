"""Completion of lower secondary as one fact with kinds of evidence, whatever the year called it.

Admission, universal education and statistics ask for the fact; which paper proves it changed in 2026.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from regulations.completion.base import NOT_RECOGNISED, RECOGNISED
from regulations.core import Citation, Outcome, Reason, UnknownValue, cites

LAW_2025 = "123/2025/QH15"
LAW_PLACE = Citation(LAW_2025)

Evidence = Literal["diploma", "confirmation"]

LAST_DIPLOMA_YEAR = 2024
"""The last school year (by its beginning) that ended in a diploma; later ones end in a confirmation."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One learner's completed lower secondary.

    evidence   "diploma" (serial and register number) or "confirmation" (number in the transcript)
    number     the diploma's serial, or the running number of the confirmation
    year       the school year completed, by its beginning
    issued_on  the day of the diploma or of the confirmation
    signer     the office that issued it
    """

    evidence: Evidence
    number: str
    year: int
    issued_on: date
    signer: str


@cites(LAW_2025)
def evidence_of(year: int) -> Evidence:
    """Return which evidence the school year that begins in `year` ends with."""
    return "diploma" if year <= LAST_DIPLOMA_YEAR else "confirmation"


@cites(LAW_2025)
def completed(evidence: Iterable[Completion]) -> Outcome:
    """Return whether lower secondary is completed: "cong_nhan" with the evidence used, or not.

    A diploma of a year that ended with confirmations, or the reverse, proves nothing and is named. Raises
    UnknownValue for an unknown kind of evidence.
    """
    wrong: list[Reason] = []
    for one in evidence:
        if one.evidence not in ("diploma", "confirmation"):
            raise UnknownValue(
                f"unknown evidence {one.evidence!r}", citation=LAW_PLACE, name="evidence", got=one.evidence
            )
        facts = {"evidence": one.evidence, "number": one.number, "year": one.year}
        if one.evidence == evidence_of(one.year):
            return Outcome(RECOGNISED, (Reason(f"completed-by-{one.evidence}", LAW_PLACE, facts),))
        wrong.append(Reason("evidence-of-wrong-year", LAW_PLACE, facts))
    return Outcome(NOT_RECOGNISED, (*wrong, Reason("no-evidence-of-completion", LAW_PLACE)))
