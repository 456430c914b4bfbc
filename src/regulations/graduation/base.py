"""What every regulation of the graduation exam shares: papers, awards, results and the checks of input.

Scores are hundredths (825 is 8.25). A threshold or formula of one regulation is in its own module.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from regulations.core import (
    Citation,
    Hundredths,
    IncompleteMarks,
    Outcome,
    OutOfRange,
    Reason,
    UnknownValue,
    half_up,
)

HIGHEST: Hundredths = 1000
RECOGNISED, NOT_RECOGNISED = "tot_nghiep", "khong_tot_nghiep"
ELIGIBLE, NOT_ELIGIBLE = "du_dieu_kien_du_thi", "khong_du_dieu_kien_du_thi"

Rounding = Literal["half-up", "truncate"]
Stream = Literal["THPT", "GDTX"]
STREAMS: tuple[Stream, ...] = ("THPT", "GDTX")
ROUNDINGS: tuple[Rounding, ...] = ("half-up", "truncate")


@dataclass(frozen=True, slots=True)
class Award:
    """One document that may bring bonus points.

    kind    "hsg" (gifted pupils' contest), "contest" (practice, arts, sports, defence, science, letters),
            "vocational", "intermediate" (diplomas), "certificate" (language or IT of continuing education)
    level   "national" or "provincial"; "" where the kind has none
    rank    1 to 3, 4 for consolation or fourth; for diplomas 1 to 3 is Giỏi, Khá, Trung bình
    team    whether it is a team's prize
    """

    kind: str
    level: str = ""
    rank: int = 1
    team: bool = False


@dataclass(frozen=True, slots=True)
class GraduationScore(Outcome):
    """The recognition of one candidate: `level` is "tot_nghiep" or "khong_tot_nghiep".

    score          ĐXTN in hundredths
    fail_marks     how many papers and component subjects are at or below the fail mark
    years_average  the weighted average of the years where the regulation has one, else None
    bonus          the bonus points that counted
    """

    score: Hundredths = 0
    fail_marks: int = 0
    years_average: Hundredths | None = None
    bonus: Hundredths = 0


@dataclass(frozen=True, slots=True)
class RemarkOutcome(Outcome):
    """A re-marked essay: `level` is "dieu_chinh" or "giu_nguyen"."""

    mark: Hundredths = 0
    dialogue_required: bool = False

    @property
    def adjusted(self) -> bool:
        """Return whether the mark of the re-marking replaces the first."""
        return self.level == "dieu_chinh"


def check_score(value: object, *, name: str, citation: Citation | None = None) -> Hundredths:
    """Return a score in hundredths; raise IncompleteMarks without one, OutOfRange outside 0 to 1000."""
    if value is None:
        raise IncompleteMarks(f"{name} is missing", citation=citation, name=name)
    if type(value) is not int or not 0 <= value <= HIGHEST:
        raise OutOfRange(
            f"{name} is not a score in hundredths: {value!r}", citation=citation, name=name, got=value
        )
    return value


def check_scores(
    values: Sequence[object], *, name: str, counts: Iterable[int], citation: Citation | None = None
) -> tuple[Hundredths, ...]:
    """Return the scores, each checked; raise IncompleteMarks when their number is none of `counts`."""
    allowed = tuple(counts)
    if len(values) not in allowed:
        raise IncompleteMarks(
            f"{len(values)} {name} given, {allowed} needed",
            citation=citation,
            name=name,
            got=len(values),
            needed=allowed,
        )
    return tuple(check_score(value, name=name, citation=citation) for value in values)


def check_points(value: object, *, name: str, citation: Citation | None = None) -> Hundredths:
    """Return points in hundredths, any number from 0; raise as `check_score`."""
    if value is None:
        raise IncompleteMarks(f"{name} is missing", citation=citation, name=name)
    if type(value) is not int or value < 0:
        raise OutOfRange(
            f"{name} are not points in hundredths: {value!r}", citation=citation, name=name, got=value
        )
    return value


def check_choice(
    value: object, choices: Iterable[object], *, name: str, citation: Citation | None = None
) -> None:
    """Raise UnknownValue unless `value` is one of `choices`."""
    known = tuple(choices)
    if value not in known:
        raise UnknownValue(
            f"{name} is unknown: {value!r}", citation=citation, name=name, got=value, choices=known
        )


def rounded(numerator: int, denominator: int, rounding: Rounding) -> int:
    """Return the quotient rounded half up or truncated, as the setting says."""
    return half_up(numerator, denominator) if rounding == "half-up" else numerator // denominator


def average(scores: Sequence[Hundredths]) -> Hundredths:
    """Return the mean of scores, ties up; the caller has refused an empty list."""
    return half_up(sum(scores), len(scores))


def best_of_each(
    awards: Iterable[Award], table: dict[tuple[str, str, int], Hundredths], *, at: Citation
) -> Hundredths:
    """Return the points of the awards: the best of each kind, summed.

    A team's prize counts only on national level. Raises UnknownValue for a document the regulation does
    not list: it is never silently worth nothing.
    """
    best: dict[str, Hundredths] = {}
    for award in awards:
        points = table.get((award.kind, award.level, award.rank))
        if points is None:
            raise UnknownValue(
                f"no points for {award.kind} {award.level} {award.rank}",
                citation=at,
                kind=award.kind,
                level=award.level,
                rank=award.rank,
            )
        if award.team and award.level != "national":
            points = 0
        best[award.kind] = max(points, best.get(award.kind, 0))
    return sum(best.values())


def judge(
    *,
    score: Hundredths,
    pass_score: Hundredths,
    low: Sequence[Hundredths],
    fail_mark: Hundredths,
    cancelled: bool,
    at: Citation,
) -> tuple[str, tuple[Reason, ...]]:
    """Return the level and its reasons: no cancelled results, no fail mark, the pass score reached."""
    against = [Reason("results-cancelled", at)] if cancelled else []
    against += [Reason("paper-not-above-fail-mark", at, {"got": got, "limit": fail_mark}) for got in low]
    if score < pass_score:
        against.append(Reason("graduation-score-below", at, {"got": score, "needed": pass_score}))
    if against:
        return NOT_RECOGNISED, tuple(against)
    return RECOGNISED, (Reason("graduation-score-reached", at, {"got": score, "needed": pass_score}),)


def recognition(
    *,
    score: Hundredths,
    sat: Sequence[Hundredths],
    bonus: Hundredths,
    cut: tuple[Reason, ...],
    pass_score: Hundredths,
    fail_mark: Hundredths,
    cancelled: bool,
    at: Citation,
    years_average: Hundredths | None = None,
) -> GraduationScore:
    """Return the recognition of a candidate whose score is known, as every regulation of the exam has it.

    sat   the marks that may not be fail marks: papers, and component subjects where there are any
    """
    low = [mark for mark in sat if mark <= fail_mark]
    level, because = judge(
        score=score, pass_score=pass_score, low=low, fail_mark=fail_mark, cancelled=cancelled, at=at
    )
    return GraduationScore(
        level, because + cut, score=score, fail_marks=len(low), years_average=years_average, bonus=bonus
    )


def points_of_group(group: int, table: Mapping[int, Hundredths], *, at: Citation) -> Hundredths:
    """Return the points of a priority group; raise UnknownValue for a group the table does not hold."""
    check_choice(group, table, name="group", citation=at)
    return table[group]


def may_sit(
    *,
    finished_grade12: bool,
    learning: str,
    conduct: str,
    levels: tuple[Sequence[str], Sequence[str]],
    barring: tuple[str, str],
    at: Citation,
) -> Outcome:
    """Return whether a pupil of grade 12 may sit the exam.

    levels    the codes of learning and of conduct
    barring   the level of learning and that of conduct with which one may not sit
    """
    for name, level, known in (("learning", learning, levels[0]), ("conduct", conduct, levels[1])):
        check_choice(level, known, name=name, citation=at)
    against = [] if finished_grade12 else [Reason("grade-12-not-finished", at)]
    if learning == barring[0]:
        against.append(Reason("learning-too-low-for-exam", at, {"got": learning}))
    if conduct == barring[1]:
        against.append(Reason("conduct-too-low-for-exam", at, {"got": conduct}))
    if against:
        return Outcome(NOT_ELIGIBLE, tuple(against))
    return Outcome(ELIGIBLE, (Reason("may-sit-exam", at),))


def capped(bonus: Hundredths, cap: Hundredths, at: Citation) -> tuple[Hundredths, tuple[Reason, ...]]:
    """Return the bonus within its cap, with a reason when it was cut."""
    if bonus <= cap:
        return bonus, ()
    return cap, (Reason("bonus-capped", at, {"got": bonus, "cap": cap}),)


def remark(
    first: Hundredths, second: Hundredths, *, adjust_from: Hundredths, dialogue_from: Hundredths, at: Citation
) -> RemarkOutcome:
    """Return whether a re-marking replaces the first mark, up or down, and whether the panels must meet."""
    check_score(first, name="first", citation=at)
    check_score(second, name="remark", citation=at)
    difference = abs(first - second)
    if difference < adjust_from:
        reason = Reason(
            "remark-within-tolerance", at, {"first": first, "remark": second, "needed": adjust_from}
        )
        return RemarkOutcome("giu_nguyen", (reason,), mark=first)
    reasons = [Reason("remark-adjusted", at, {"first": first, "remark": second, "needed": adjust_from})]
    dialogue = difference >= dialogue_from
    if dialogue:
        reasons.append(
            Reason("remark-needs-dialogue", at, {"difference": difference, "needed": dialogue_from})
        )
    return RemarkOutcome("dieu_chinh", tuple(reasons), mark=second, dialogue_required=dialogue)
