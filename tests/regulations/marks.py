"""Rule sets and short ways to levels for the cases of assessment."""

from __future__ import annotations

from regulations import assessment
from regulations.core import (
    Outcome,
)

T22 = assessment.rules_for(grade=7, year=2025)
T43 = assessment.rules_for(grade=7, year=2025, programme="continuing")
T26 = assessment.rules_for(grade=7, year=2020)
T58 = assessment.rules_for(grade=7, year=2015)
Q02 = assessment.rules_for(grade=7, year=2015, programme="continuing")
T27 = assessment.rules_for(grade=4, year=2025)
T22P = assessment.rules_for(grade=4, year=2017)
T30 = assessment.rules_for(grade=4, year=2015)


def scored(*marks: int) -> dict[str, int]:
    return {f"s{number}": mark for number, mark in enumerate(marks)}


def level(*marks: int, comments: tuple[str, ...] = (), **settings) -> str:
    results = {f"c{number}": result for number, result in enumerate(comments)}
    return T22.learning_level(scored=scored(*marks), comments=results, **settings).level


def codes(outcome: Outcome) -> list[str]:
    return [reason.code for reason in outcome.because]
