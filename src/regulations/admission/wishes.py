"""Assigning grade-10 places by score and wishes, with what each candidate is told.

What the province sets comes in as `WishRules`; nothing of it is law of the ministry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from regulations.admission.matching import INSTRUMENT, PLACE, TIES, Rank, Ties, match
from regulations.core import Hundredths, Outcome, OutOfRange, Reason, UnknownValue, cites

PLACED, UNPLACED = "trung_tuyen", "khong_trung_tuyen"


@dataclass(frozen=True, slots=True)
class Applicant:
    """One candidate.

    id        the identifier that also draws the lot
    score     admission score in hundredths
    wishes    schools, best first
    tiebreak  the province's keys, higher is better, as whole numbers of one scale
    eligible  False for one who may not be admitted anywhere (a paper not sat, a zero where it disqualifies)
    """

    id: str
    score: Hundredths
    wishes: tuple[str, ...]
    tiebreak: tuple[int, ...] = ()
    eligible: bool = True


@dataclass(frozen=True, slots=True)
class WishRules:
    """What a province sets for one admission.

    handicaps   hundredths taken from the score on wish 1, 2, 3 …; wishes beyond the list take the last one
    most        how many wishes one may have, None for any number
    ties, seed  see `matching.match`
    floor       school to the least effective score it admits, in hundredths
    """

    handicaps: tuple[Hundredths, ...] = ()
    most: int | None = None
    ties: Ties = "refuse"
    seed: str | None = None
    floor: Mapping[str, Hundredths] | None = None


@dataclass(frozen=True, slots=True)
class Placement(Outcome):
    """One candidate's result: `level` is "trung_tuyen" or "khong_trung_tuyen"; wishes count from 1."""

    school: str | None = None
    wish: int | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """The whole result: placements by identifier, cut-offs (effective scores in hundredths) by school."""

    placements: Mapping[str, Placement]
    cutoffs: Mapping[str, Hundredths]


@cites(INSTRUMENT)
def assign_wishes(
    applicants: Iterable[Applicant], quota: Mapping[str, int], *, rules: WishRules | None = None
) -> Assignment:
    """Return every candidate's place.

    quota   school to places

    Raises UnresolvedTie when equals contest a last place and `rules.ties` is "refuse", UnknownValue for a
    candidate given twice or an unknown school, OutOfRange for too many wishes.
    """
    rules = rules or WishRules()
    people = _people(applicants, rules)
    ranks: dict[tuple[str, str], Rank] = {}
    for person in people.values():
        for number, school in enumerate(person.wishes):
            score = effective_score(person.score, number + 1, rules.handicaps)
            if person.eligible and score >= (rules.floor or {}).get(school, score):
                ranks[person.id, school] = (score, *person.tiebreak)
    result = match(
        {one: person.wishes for one, person in people.items()}, ranks, quota, ties=rules.ties, seed=rules.seed
    )
    cutoffs = {school: rank[0] for school, rank in result.last.items()}
    placements = {
        one: _placement(person, result.placed[one], ranks, cutoffs) for one, person in people.items()
    }
    return Assignment(placements, cutoffs)


@cites(INSTRUMENT)
def effective_score(score: Hundredths, wish: int, handicaps: Sequence[Hundredths]) -> Hundredths:
    """Return the score that counts on wish number `wish` (from 1)."""
    if not handicaps:
        return score
    return score - handicaps[min(wish, len(handicaps)) - 1]


@cites(INSTRUMENT)
def improve_only(
    before: Assignment, after: Assignment, quota: Mapping[str, int]
) -> tuple[dict[str, Placement], dict[str, int]]:
    """Return the placements after re-marking when nobody loses a place already given, and the extra places.

    Each candidate keeps the better of the two runs (the lower wish number). The second value says how many
    more than its quota each school then has; a person decides on them and both runs are kept.

    Raises UnknownValue unless both runs are of the same candidates.
    """
    if before.placements.keys() != after.placements.keys():
        raise UnknownValue("the two runs are of different candidates", citation=PLACE, name="after")
    # Our reading: nobody is moved down without a decision, so the second run only improves.
    best = {
        one: min(
            old, after.placements[one], key=lambda placement: (placement.wish is None, placement.wish or 0)
        )
        for one, old in before.placements.items()
    }
    taken: dict[str, int] = {}
    for placement in best.values():
        if placement.school is not None:
            taken[placement.school] = taken.get(placement.school, 0) + 1
    return best, {
        school: count - quota[school] for school, count in sorted(taken.items()) if count > quota[school]
    }


def _people(applicants: Iterable[Applicant], rules: WishRules) -> dict[str, Applicant]:
    if rules.ties not in TIES:
        raise UnknownValue(
            f"unknown rule for ties: {rules.ties!r}", citation=PLACE, name="ties", got=rules.ties
        )
    people: dict[str, Applicant] = {}
    for person in applicants:
        if person.id in people:
            raise UnknownValue(
                f"{person.id} is given twice", citation=PLACE, name="applicants", got=person.id
            )
        if rules.most is not None and len(person.wishes) > rules.most:
            raise OutOfRange(
                f"{person.id} has {len(person.wishes)} wishes",
                citation=PLACE,
                name="wishes",
                applicant=person.id,
                got=len(person.wishes),
                most=rules.most,
            )
        people[person.id] = person
    return people


def _placement(
    person: Applicant,
    school: str | None,
    ranks: Mapping[tuple[str, str], Rank],
    cutoffs: Mapping[str, Hundredths],
) -> Placement:
    """Return the result with a reason for each wish that failed and for the one that did not."""
    if not person.eligible:
        return Placement(UNPLACED, (Reason("not-eligible-for-admission", PLACE),))
    reasons: list[Reason] = []
    for number, wished in enumerate(person.wishes, 1):
        rank = ranks.get((person.id, wished))
        facts: dict[str, object] = {"school": wished, "wish": number, "cutoff": cutoffs.get(wished, 0)}
        if rank is None:
            reasons.append(Reason("wish-below-floor", PLACE, facts))
            continue
        facts["score"] = rank[0]
        if wished == school:
            reasons.append(Reason("wish-granted", PLACE, facts))
            return Placement(PLACED, tuple(reasons), school=school, wish=number)
        if wished not in cutoffs:
            reasons.append(Reason("wish-no-places", PLACE, facts))
        else:
            code = "wish-tie-lost" if rank[0] >= cutoffs[wished] else "wish-below-cutoff"
            reasons.append(Reason(code, PLACE, facts))
    return Placement(UNPLACED, (*reasons, Reason("no-wish-granted", PLACE, {"wishes": len(person.wishes)})))
