"""First grades by zone of residence: who gets which school, and above all who has none yet.

Criteria and their order are the commune's; schooling is compulsory, so a child without a place is the
result that matters and is reported, never dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from regulations.admission import match
from regulations.core import Citation, Outcome, OutOfRange, Reason, UnknownValue, cites

INSTRUMENT = "43/2019/QH14"
PLACE = Citation(INSTRUMENT)

CRITERIA = ("zone-permanent", "zone-temporary", "sibling-or-work", "out-of-zone")
"""Usual order of criteria, strongest first; a commune passes its own."""


@dataclass(frozen=True, slots=True)
class Application:
    """One child's wish for one school.

    school      its code
    criterion   which criterion the child meets there
    distance    metres from home, or any whole number where less is better
    """

    school: str
    criterion: str
    distance: int = 0


@dataclass(frozen=True, slots=True)
class ZoneResult:
    """Who got which school, who has none, and how many places each school has left."""

    placed: Mapping[str, str]
    without_place: tuple[str, ...]
    free: Mapping[str, int]
    outcomes: Mapping[str, Outcome]


@cites(INSTRUMENT)
def place_by_zone(
    children: Mapping[str, Iterable[Application]],
    places: Mapping[str, int],
    *,
    seed: str,
    criteria: tuple[str, ...] = CRITERIA,
) -> ZoneResult:
    """Return the first round: schools in the order wished, by criterion, distance, then lot.

    children   identifier to the child's applications, best first; none are allowed and count as without
    places     school to places
    seed       the published seed of the lot

    Raises UnknownValue for an unknown school or criterion, OutOfRange for a negative distance.
    """
    wishes = {child: tuple(applications) for child, applications in children.items()}
    ranks = {
        (child, one.school): (-_criterion(one.criterion, criteria), -_distance(one.distance))
        for child, applications in wishes.items()
        for one in applications
    }
    result = match(
        {child: [one.school for one in applications] for child, applications in wishes.items()},
        ranks,
        places,
        ties="lot",
        seed=seed,
    )
    placed = {child: school for child, school in result.placed.items() if school is not None}
    taken = list(placed.values())
    outcomes = {child: _outcome(result.placed[child]) for child in wishes}
    return ZoneResult(
        placed,
        tuple(sorted(child for child in wishes if child not in placed)),
        {school: number - taken.count(school) for school, number in places.items()},
        outcomes,
    )


@cites(INSTRUMENT)
def zone_balance(
    children: Mapping[str, int], classes: Mapping[str, int], *, class_size: int
) -> dict[str, int]:
    """Return for each school the places its classes have beyond the children of its zone; below 0 is a lack.

    children   school to children of age in its zone
    classes    school to first-grade classes; a school without an entry has none
    """
    for name, numbers in (("children", children), ("classes", classes)):
        for school, number in numbers.items():
            if type(number) is not int or number < 0:
                raise OutOfRange(f"{name} of {school}: {number!r}", citation=PLACE, name=name, got=number)
    schools = sorted({*children, *classes})
    return {school: classes.get(school, 0) * class_size - children.get(school, 0) for school in schools}


def _criterion(criterion: str, criteria: tuple[str, ...]) -> int:
    if criterion not in criteria:
        raise UnknownValue(
            f"unknown criterion {criterion!r}",
            citation=PLACE,
            name="criterion",
            got=criterion,
            choices=criteria,
        )
    return criteria.index(criterion)


def _distance(distance: object) -> int:
    if type(distance) is not int or distance < 0:
        raise OutOfRange(f"distance: {distance!r}", citation=PLACE, name="distance", got=distance)
    return distance


def _outcome(school: str | None) -> Outcome:
    if school is None:
        return Outcome("chua_co_cho", (Reason("child-without-place", PLACE),))
    return Outcome("co_cho", (Reason("child-placed", PLACE, {"school": school}),))
