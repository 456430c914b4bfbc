"""Circular 17/2023/TT-BGDĐT: contests for gifted pupils, in force 25/11/2023."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from regulations.core import Citation, Outcome, OutOfRange, Reason, UnknownValue, cites

ID = "hsg.tt17-2023"
INSTRUMENT = "17/2023/TT-BGDĐT"
TITLE = "Quy chế thi chọn học sinh giỏi cấp quốc gia"
FIRST_YEAR, LAST_YEAR = 2023, 2024
VERSION = 1

PRIZES = ("nhat", "nhi", "ba", "khuyen_khich")
"""Best first."""

TEAM = 10
TEAM_HANOI = 20

CAPS = Citation(INSTRUMENT, 32)


@dataclass(frozen=True, slots=True)
class Shares:
    """Percentages that bound the prizes of a subject; a province may set others for its own contest.

    prizes          of the candidates
    first_to_third  of the prizes
    first           of the prizes
    """

    prizes: int = 60
    first_to_third: int = 60
    first: int = 5


NATIONAL = Shares()


@dataclass(frozen=True, slots=True)
class PrizeCaps:
    """The most prizes of a subject."""

    prizes: int
    first_to_third: int
    first: int


def governs(*, year: int) -> bool:
    """Return whether it governs contests of the school year that begins in `year`."""
    return FIRST_YEAR <= year <= LAST_YEAR


@cites(INSTRUMENT, article=32)
def prize_caps(candidates: int, *, shares: Shares = NATIONAL, of_rounded: bool = True) -> PrizeCaps:
    """Return how many prizes a subject with so many candidates may have.

    of_rounded   whether the later caps are shares of the rounded number of prizes or of the exact one

    Raises OutOfRange for a negative number or a share outside 0 to 100.
    """
    _check_count("candidates", candidates)
    for name in ("prizes", "first_to_third", "first"):
        share = getattr(shares, name)
        if type(share) is not int or not 0 <= share <= 100:
            raise OutOfRange(f"share of {name}: {share!r}", citation=CAPS, name=name, got=share)
    # Our reading: each cap is rounded down, and the later ones are of the rounded number of prizes.
    exact = candidates * shares.prizes
    prizes = exact // 100
    base = prizes * 100 if of_rounded else exact
    return PrizeCaps(prizes, base * shares.first_to_third // 10_000, base * shares.first // 10_000)


@cites(INSTRUMENT, article=32)
def check_prizes(awarded: Mapping[str, int], candidates: int, *, shares: Shares = NATIONAL) -> Outcome:
    """Return "hop_le" when a list of prizes keeps within the caps, else "vuot" with each cap passed.

    awarded   prize code to number; codes left out count 0, unknown ones raise UnknownValue
    """
    for prize, number in awarded.items():
        if prize not in PRIZES:
            raise UnknownValue(f"unknown prize {prize!r}", citation=CAPS, name="awarded", got=prize)
        _check_count(prize, number)
    caps = prize_caps(candidates, shares=shares)
    numbers = [awarded.get(prize, 0) for prize in PRIZES]
    sums = (
        ("prizes", sum(numbers), caps.prizes),
        ("first_to_third", sum(numbers[:3]), caps.first_to_third),
        ("first", numbers[0], caps.first),
    )
    over = [
        Reason("too-many-prizes", CAPS, {"group": group, "got": got, "most": most})
        for group, got, most in sums
        if got > most
    ]
    if over:
        return Outcome("vuot", tuple(over))
    return Outcome("hop_le", (Reason("prizes-within-caps", CAPS, {"got": sums[0][1], "most": caps.prizes}),))


@cites(INSTRUMENT, article=32)
def propose_prizes(
    scores: Sequence[int], seconds: int, *, least: int = 0, shares: Shares = NATIONAL
) -> tuple[str | None, ...]:
    """Return a prize or None for each score, in the order given: the most the caps allow, equals alike.

    scores   of all candidates of the subject, any whole-number scale
    seconds  how many of the first three are first or second prizes at most; the board decides
    least    a lower score wins nothing

    Equals whom a cap would part get the lower prize together.
    """
    _check_count("seconds", seconds)
    caps = prize_caps(len(scores), shares=shares)
    ceilings = (caps.first, min(seconds, caps.first_to_third), caps.first_to_third, caps.prizes)
    ranked = sorted((score for score in scores if score >= least), reverse=True)
    lowest = [_cut(ranked, ceiling) for ceiling in ceilings]
    return tuple(_prize(score, lowest) for score in scores)


@cites(INSTRUMENT)
def team_limit(*, hanoi: bool = False) -> int:
    """Return the most members of a unit's team in one subject."""
    return TEAM_HANOI if hanoi else TEAM


def _cut(ranked: Sequence[int], ceiling: int) -> int | None:
    """Return the lowest score that still fits under the ceiling with all its equals, or None."""
    if len(ranked) <= ceiling:
        return ranked[-1] if ranked else None
    fitting = [score for score in ranked[:ceiling] if score > ranked[ceiling]]
    return fitting[-1] if fitting else None


def _prize(score: int, lowest: Sequence[int | None]) -> str | None:
    for prize, cut in zip(PRIZES, lowest, strict=True):
        if cut is not None and score >= cut:
            return prize
    return None


def _check_count(name: str, value: object) -> None:
    if type(value) is not int or value < 0:
        raise OutOfRange(f"{name}: {value!r}", citation=CAPS, name=name, got=value)
