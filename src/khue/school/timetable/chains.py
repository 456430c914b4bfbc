"""Chains of swaps that free a teacher: "to free Friday afternoon for her, move these three lessons".

Two spans of the week change places for one lesson and, one after another, for everybody it pushes: who must leave the
span it comes into goes the other way (a Kempe chain). So no chain makes a clash of people; what it costs is measured.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from khue.school.timetable import places, problems
from khue.school.timetable.models import Lesson
from khue.school.timetable.places import Spot
from khue.school.timetable.problems import FIXED, Built
from khue.school.timetable.services.drafts import changed, difference
from khue.school.timetable.weeks import Place

WIDTH, TRIED, LONGEST, SHOWN = 3, 12, 8, 3


@dataclass(frozen=True, slots=True)
class Move:
    """One lesson of a chain: where it stands and where it goes."""

    key: str
    name: str
    before: Place
    after: Place


@dataclass(frozen=True, slots=True)
class Chain:
    """Moves that together free the teacher; cost: by how much the soft cost rises (less than 0: better than now)."""

    moves: tuple[Move, ...]
    cost: float


@dataclass(frozen=True, slots=True)
class _State:
    """Places by key as a chain leaves them, and what it costs so far."""

    at: dict[str, Place]
    cost: float
    moved: frozenset[str]


def propose(built: Built, post_id: int, wanted: Iterable[Place]) -> list[Chain] | None:
    """Return chains after which the post has no lesson in the places, the cheapest first.

    None where she is free there already; empty where no chain was found.
    """
    places_ = frozenset(wanted)
    now = {key: at for key, rows in built.rows.items() if (at := problems.place_of(rows[0])) is not None}
    hers = [key for key, rows in built.rows.items() if any(row.post_id == post_id for row in rows) and key in now]
    inside = sorted(key for key in hers if _cells(now[key], built.rows[key][0].duration) & places_)
    if not inside:
        return None
    states = [_State(now, 0.0, frozenset())]
    for key in inside:
        found: list[_State] = []
        for state in states:
            if _cells(state.at[key], built.rows[key][0].duration) & places_:
                found += _freed(built, state, key, frozenset(hers), places_)
            else:
                found.append(state)
        states = sorted(found, key=lambda one: (one.cost, len(one.moved)))[:WIDTH]
    return [
        Chain(tuple(Move(key, built.names[key], now[key], state.at[key]) for key in sorted(state.moved, key=lambda k: (k not in inside, now[k]))), state.cost)
        for state in states[:SHOWN]
    ]


def _freed(built: Built, state: _State, key: str, hers: frozenset[str], closed: frozenset[Place]) -> list[_State]:
    length = built.rows[key][0].duration
    options = []
    for slot in built.grid.every():
        target = built.grid.place(slot)
        if built.grid.slot((*target[:2], target[2] + length - 1)) is None or _cells(target, length) & closed:
            continue
        after = exchange(built, state.at, key, target)
        if after is None or len(after) > LONGEST:
            continue
        if any(_cells(place, built.rows[other][0].duration) & closed for other, place in after.items() if other in hers):
            continue
        options.append(after)
    found = []
    for after in sorted(options, key=len)[:TRIED]:
        spots = {other: _spot(built, other, place) for other, place in after.items()}
        standing = changed(built, built.solution(), {other: _spot(built, other, place) for other, place in state.at.items()})
        missing, hard, cost = difference(built, standing, spots)
        if missing <= 0 and hard <= 0:
            found.append(_State({**state.at, **after}, state.cost + cost, state.moved | set(after)))
    return found


def _spot(built: Built, key: str, place: Place) -> Spot:
    return [*place, *places.spot(built.rows[key][0])[3:]]


def _cells(place: Place, length: int) -> frozenset[Place]:
    day, half, period = place
    return frozenset((day, half, period + n) for n in range(length))


def exchange(built: Built, at: dict[str, Place], key: str, target: Place) -> dict[str, Place] | None:
    """Return where the lessons go when `key` moves to `target` and whoever it pushes goes to its old span.

    None where the chain would touch a pinned or common lesson, or one that sticks out of both spans.
    """
    length = built.rows[key][0].duration
    source = at[key]
    there, here = _cells(target, length), _cells(source, length)
    if there & here:
        return None
    occupied: dict[Place, list[str]] = defaultdict(list)
    for other, place in at.items():
        for cell in _cells(place, built.rows[other][0].duration) & (there | here):
            occupied[cell].append(other)
    moved: dict[str, Place] = {}
    waiting = [key]
    while waiting:
        one = waiting.pop()
        if one in moved:
            continue
        place = _other_side(at[one], built.rows[one][0].duration, source, target, here, there)
        if place is None or any(_is_fixed(row) for row in built.rows[one]):
            return None
        moved[one] = place
        people = _people(built.rows[one])
        waiting += [
            other for cell in _cells(place, built.rows[one][0].duration) for other in occupied[cell]
            if other not in moved and people & _people(built.rows[other])
        ]  # fmt: skip
    return moved


def _other_side(
    at: Place, length: int, source: Place, target: Place, here: frozenset[Place], there: frozenset[Place]
) -> Place | None:
    cells = _cells(at, length)
    if cells <= here:
        return (*target[:2], target[2] + at[2] - source[2])
    if cells <= there:
        return (*source[:2], source[2] + at[2] - target[2])
    return None


def _is_fixed(row: Lesson) -> bool:
    return row.is_pinned or row.subject_code in FIXED


def _people(rows: Iterable[Lesson]) -> set[tuple[str, int | None]]:
    def each() -> Iterator[tuple[str, int | None]]:
        for row in rows:
            yield "class", row.class_group_id
            if row.post_id is not None:
                yield "post", row.post_id

    return set(each())
