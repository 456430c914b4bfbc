"""Marking essays in two rounds, sanctions on a paper, and the days for re-marking.

The differences that call for talk, a third marker or the whole panel come from general knowledge of the
regulation: they are arguments with these defaults.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from regulations.calendar import add_calendar_days
from regulations.core import (
    Citation,
    Hundredths,
    Outcome,
    OutOfRange,
    Reason,
    UnknownValue,
    cites,
    half_up,
)
from regulations.graduation import tt_24_2024
from regulations.graduation.base import check_score

INSTRUMENT = tt_24_2024.INSTRUMENT
PLACE = Citation(INSTRUMENT)

ESSAY_STEP: Hundredths = 25
AGREE_BELOW: Hundredths = 100
DISCUSS_TO: Hundredths = 150
MEAN_TO: Hundredths = 250

SETTLED, TO_AGREE, TO_DISCUSS, THIRD_MARKER, COLLECTIVE = (
    "xong",
    "thong_nhat",
    "doi_thoai",
    "cham_lan_ba",
    "cham_tap_the",
)

SANCTIONS = {"khien_trach": (3, 4), "canh_cao": (1, 2), "dinh_chi": (0, 1)}
"""Sanction to the part of the paper's score that is left."""


@dataclass(frozen=True, slots=True)
class EssayLimits:
    """Where the steps of reconciling two markings begin, in hundredths of a point.

    agree_below  a smaller difference is settled by the two markers
    discuss_to   up to it they talk with a minute and the head of the board decides
    mean_to      three markings no further apart than this are averaged
    """

    agree_below: Hundredths = AGREE_BELOW
    discuss_to: Hundredths = DISCUSS_TO
    mean_to: Hundredths = MEAN_TO


@dataclass(frozen=True, slots=True)
class EssayMark(Outcome):
    """Where the marking of an essay stands: `level` is the step; `mark` is None until it is settled."""

    mark: Hundredths | None = None


@cites(INSTRUMENT)
def essay_mark(
    first: Hundredths,
    second: Hundredths,
    *,
    agreed: Hundredths | None = None,
    third: Hundredths | None = None,
    collective: Hundredths | None = None,
    limits: EssayLimits | None = None,
    step: Hundredths = ESSAY_STEP,
) -> EssayMark:
    """Return an essay's mark from two independent markings, or what is to be done next.

    agreed      the mark the two markers (or the head of the board) settled on
    third       a third marker's mark
    collective  the mark of the whole panel

    Raises OutOfRange for a mark off the 10-point scale or its step.
    """
    limits = limits or EssayLimits()
    for name, mark in (("first", first), ("second", second)):
        _check_essay(mark, name, step)
    for name, late in (("agreed", agreed), ("third", third), ("collective", collective)):
        if late is not None:
            _check_essay(late, name, step)
    difference = abs(first - second)
    facts = {"first": first, "second": second, "difference": difference}
    if difference == 0:
        return EssayMark(SETTLED, (Reason("essay-markings-equal", PLACE, facts),), mark=first)
    if difference <= limits.discuss_to:
        wait = TO_AGREE if difference < limits.agree_below else TO_DISCUSS
        if agreed is None:
            return EssayMark(wait, (Reason("essay-to-agree", PLACE, facts),))
        return EssayMark(SETTLED, (Reason("essay-agreed", PLACE, facts),), mark=agreed)
    if third is None:
        return EssayMark(THIRD_MARKER, (Reason("essay-needs-third-marker", PLACE, facts),))
    return _three(first, second, third, collective, limits, facts)


@cites(INSTRUMENT)
def after_sanction(score: Hundredths, sanction: str | None) -> Hundredths:
    """Return what a sanction leaves of a paper: three quarters, a half, or nothing.

    sanction   "khien_trach", "canh_cao", "dinh_chi" or None; the heaviest of several is the caller's choice
    """
    check_score(score, name="score", citation=PLACE)
    if sanction is None:
        return score
    if sanction not in SANCTIONS:
        raise UnknownValue(f"unknown sanction {sanction!r}", citation=PLACE, name="sanction", got=sanction)
    part, whole = SANCTIONS[sanction]
    return half_up(score * part, whole)


@cites(INSTRUMENT)
def remark_deadlines(published_on: date, *, request_days: int, result_days: int) -> tuple[date, date]:
    """Return the last day to ask for re-marking and the last day for its result.

    The days are the circular's own: `REMARK_REQUEST_DAYS` and `REMARK_RESULT_DAYS` of the rules in force.
    """
    request_by = add_calendar_days(published_on, request_days)
    return request_by, add_calendar_days(request_by, result_days)


def _three(
    first: Hundredths,
    second: Hundredths,
    third: Hundredths,
    collective: Hundredths | None,
    limits: EssayLimits,
    facts: dict[str, Hundredths],
) -> EssayMark:
    facts = {**facts, "third": third}
    if third in (first, second):
        return EssayMark(SETTLED, (Reason("essay-two-of-three", PLACE, facts),), mark=third)
    spread = max(first, second, third) - min(first, second, third)
    if spread <= limits.mean_to:
        mean = half_up(first + second + third, 3)
        return EssayMark(SETTLED, (Reason("essay-mean-of-three", PLACE, {**facts, "mean": mean}),), mark=mean)
    if collective is None:
        return EssayMark(COLLECTIVE, (Reason("essay-needs-panel", PLACE, {**facts, "spread": spread}),))
    return EssayMark(SETTLED, (Reason("essay-marked-by-panel", PLACE, facts),), mark=collective)


def _check_essay(mark: object, name: str, step: Hundredths) -> None:
    score = check_score(mark, name=name, citation=PLACE)
    if score % step:
        raise OutOfRange(f"{name} is no multiple of {step}", citation=PLACE, name=name, got=mark, step=step)
