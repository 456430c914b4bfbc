"""Giving places by ordered wishes: deferred acceptance, the applicants proposing.

The circulars leave the way of assigning to the province. This one is stable (nobody prefers a place that
went to somebody ranked lower there), gives each applicant the best place any stable way could, and does not
depend on the order in which applications are read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from regulations.core import Citation, OutOfRange, RuleError, UnknownValue, cites

INSTRUMENT = "30/2024/TT-BGDĐT"
PLACE = Citation(INSTRUMENT)

Ties = Literal["refuse", "lot", "accept_all", "reject_all"]
TIES: tuple[Ties, ...] = ("refuse", "lot", "accept_all", "reject_all")

Rank = tuple[Any, ...]


class UnresolvedTie(RuleError):
    """The last place is contested by equals and no published rule decides between them."""

    code = "unresolved-tie"


@dataclass(frozen=True, slots=True)
class Matching:
    """Who got which place.

    placed     applicant to place, None without one
    refused    applicant to the places that refused the application, in the order tried
    last       place to the rank of the last one admitted; places with nobody are left out
    """

    placed: Mapping[str, str | None]
    refused: Mapping[str, tuple[str, ...]]
    last: Mapping[str, Rank]


@cites(INSTRUMENT)
def lot(seed: str, applicant: str) -> str:
    """Return an applicant's lot: anyone can draw it again from the published seed and the identifier."""
    return hashlib.sha256(f"{seed}\n{applicant}".encode()).hexdigest()


@cites(INSTRUMENT)
def match(
    wishes: Mapping[str, Sequence[str]],
    ranks: Mapping[tuple[str, str], Rank],
    quota: Mapping[str, int],
    *,
    ties: Ties = "refuse",
    seed: str | None = None,
) -> Matching:
    """Return the pupil-optimal stable assignment.

    wishes   applicant to the places wished for, best first, none twice
    ranks    (applicant, place) to what the place orders by, all of one shape, higher is better; an
             application without a rank is not eligible there and is refused
    quota    place to the number it may take, from 0
    ties     what happens to equals who contest the last places: "refuse" to decide (raises UnresolvedTie),
             draw a "lot" by the published `seed`, "accept_all" beyond the quota, or "reject_all"

    Raises UnknownValue for a place without a quota or a wish repeated, OutOfRange for a negative quota.
    """
    _check(wishes, quota, ties, seed)
    tried = dict.fromkeys(sorted(wishes), 0)
    refused: dict[str, list[str]] = {applicant: [] for applicant in tried}
    kept: dict[str, list[str]] = {place: [] for place in quota}
    barred: dict[str, Rank] = {}
    pool = list(tried)
    while pool:
        proposals: dict[str, list[str]] = {}
        for applicant in pool:
            place = _next_place(applicant, wishes, ranks, tried, refused)
            if place is not None:
                proposals.setdefault(place, []).append(applicant)
        pool = []
        for place, new in proposals.items():
            # Equals of somebody turned away are turned away too, whenever they come: the cut-off only rises.
            late = [one for one in new if ties == "reject_all" and place in barred and ranks[one, place] <= barred[place]]
            welcome = [one for one in new if one not in late]
            kept[place], out = _choose(place, kept[place] + welcome, ranks, quota[place], ties, seed)
            out += late
            if out:
                barred[place] = max(barred.get(place, ranks[out[0], place]), *(ranks[one, place] for one in out))
            for applicant in out:
                refused[applicant].append(place)
            pool += out
    if ties == "refuse":
        _refuse_split_ties(wishes, ranks, kept, refused)
    placed: dict[str, str | None] = dict.fromkeys(wishes)
    for place, admitted in kept.items():
        placed.update(dict.fromkeys(admitted, place))
    last = {place: min(ranks[one, place] for one in admitted) for place, admitted in kept.items() if admitted}
    return Matching(placed, {one: tuple(places) for one, places in refused.items()}, last)


def _next_place(
    applicant: str,
    wishes: Mapping[str, Sequence[str]],
    ranks: Mapping[tuple[str, str], Rank],
    tried: dict[str, int],
    refused: dict[str, list[str]],
) -> str | None:
    """Return the applicant's next wish where one is eligible and note those passed over."""
    while tried[applicant] < len(wishes[applicant]):
        place = wishes[applicant][tried[applicant]]
        tried[applicant] += 1
        if (applicant, place) in ranks:
            return place
        refused[applicant].append(place)
    return None


def _choose(
    place: str,
    applicants: list[str],
    ranks: Mapping[tuple[str, str], Rank],
    quota: int,
    ties: Ties,
    seed: str | None,
) -> tuple[list[str], list[str]]:
    """Return whom the place keeps and whom it turns away, both best first."""
    applicants.sort(key=lambda one: lot(seed or "", one) if ties == "lot" else one)
    applicants.sort(key=lambda one: ranks[one, place], reverse=True)
    kept, out = applicants[:quota], applicants[quota:]
    if not kept or not out or ranks[kept[-1], place] != ranks[out[0], place]:
        return kept, out
    tied = ranks[out[0], place]
    if ties == "accept_all":
        end = quota + sum(ranks[one, place] == tied for one in out)
        return applicants[:end], applicants[end:]
    if ties == "reject_all":
        end = sum(ranks[one, place] > tied for one in kept)
        return applicants[:end], applicants[end:]
    return kept, out


def _refuse_split_ties(
    wishes: Mapping[str, Sequence[str]],
    ranks: Mapping[tuple[str, str], Rank],
    kept: Mapping[str, Sequence[str]],
    refused: Mapping[str, Sequence[str]],
) -> None:
    """Raise UnresolvedTie when of two equals one was kept and the other turned away."""
    lowest: dict[str, Hashable] = {
        place: min(ranks[one, place] for one in admitted) for place, admitted in kept.items() if admitted
    }
    for applicant in sorted(wishes):
        for place in refused[applicant]:
            rank = ranks.get((applicant, place))
            if rank is not None and lowest.get(place) == rank:
                equals = [one for one in kept[place] if ranks[one, place] == rank]
                raise UnresolvedTie(
                    f"{applicant} and {equals} are equal for the last places of {place}",
                    citation=PLACE,
                    place=place,
                    refused=applicant,
                    kept=tuple(sorted(equals)),
                )


def _check(
    wishes: Mapping[str, Sequence[str]], quota: Mapping[str, int], ties: str, seed: str | None
) -> None:
    if ties not in TIES:
        raise UnknownValue(
            f"unknown rule for ties: {ties!r}", citation=PLACE, name="ties", got=ties, choices=TIES
        )
    if ties == "lot" and not seed:
        raise UnknownValue("a lot needs a published seed", citation=PLACE, name="seed", got=seed)
    for place, number in quota.items():
        if type(number) is not int or number < 0:
            raise OutOfRange(
                f"quota of {place}: {number!r}", citation=PLACE, name="quota", place=place, got=number
            )
    for applicant, places in wishes.items():
        if len(set(places)) != len(places):
            raise UnknownValue(
                f"{applicant} wishes for a place twice", citation=PLACE, name="wishes", applicant=applicant
            )
        for place in places:
            if place not in quota:
                raise UnknownValue(
                    f"no quota for {place!r}", citation=PLACE, name="wishes", applicant=applicant, got=place
                )
