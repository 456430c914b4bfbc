"""Candidate numbers, exam rooms and what a room needs.

At most 24 a room; the last room of a site may hold up to 28. The order inside a site is by elective group,
then by name, so that those who sit the same papers sit together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from regulations.core import Citation, OutOfRange, UnknownValue, cites
from regulations.graduation import tt_24_2024
from regulations.names import list_key

INSTRUMENT = tt_24_2024.INSTRUMENT
PLACE = Citation(INSTRUMENT)

ROOM_SIZE = 24
LAST_ROOM_MAX = 28
SERIAL_DIGITS = 6
ROOM_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """One candidate as the list of a site needs one: `group` is the code of the elective pair."""

    id: str
    full_name: str
    born_on: date | None
    site: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Seat:
    """A candidate's number (8 digits), site, room of the site ("001" …) and place in the room from 1."""

    id: str
    number: str
    site: str
    room: str
    place: int


@cites(INSTRUMENT)
def split_rooms(candidates: int, *, size: int = ROOM_SIZE, last_room_max: int = LAST_ROOM_MAX) -> list[int]:
    """Return how many candidates sit in each room of a site, in order of the rooms.

    Rooms are filled; a rest that fits on top of the last full room is put there, else it has its own room.
    Raises OutOfRange for a negative number or more candidates than numbers have digits for, an empty room, or a
    last room smaller than the others.
    """
    for name, value, least in (
        ("candidates", candidates, 0),
        ("size", size, 1),
        ("last_room_max", last_room_max, size),
    ):
        if type(value) is not int or value < least:
            raise OutOfRange(f"{name}: {value!r}", citation=PLACE, name=name, got=value, least=least)
    if candidates >= 10**SERIAL_DIGITS:
        raise OutOfRange(
            f"candidates: {candidates!r}",
            citation=PLACE,
            name="candidates",
            got=candidates,
            most=10**SERIAL_DIGITS - 1,
        )
    full, rest = divmod(candidates, size)
    rooms = [size] * full
    if rest and rooms and size + rest <= last_room_max:
        rooms[-1] += rest
    elif rest:
        rooms.append(rest)
    return rooms


@cites(INSTRUMENT)
def candidate_number(council: str, serial: int) -> str:
    """Return a candidate number: the two digits of the exam council and six of the serial, from 1."""
    if len(council) != 2 or not (council.isascii() and council.isdigit()):
        raise UnknownValue(f"not a council code: {council!r}", citation=PLACE, name="council", got=council)
    if type(serial) is not int or not 1 <= serial < 10**SERIAL_DIGITS:
        raise OutOfRange(f"serial: {serial!r}", citation=PLACE, name="serial", got=serial)
    return f"{council}{serial:0{SERIAL_DIGITS}d}"


@cites(INSTRUMENT)
def arrange(
    council: str,
    candidates: Iterable[Candidate],
    *,
    size: int = ROOM_SIZE,
    last_room_max: int = LAST_ROOM_MAX,
) -> list[Seat]:
    """Return every candidate's number and seat, in order of the numbers.

    Sites follow one another by code; inside one the order is group, name, date of birth, identifier. The
    numbers run without gaps over the whole council. Raises UnknownValue for an identifier given twice.
    """
    people = sorted(
        candidates, key=lambda one: (one.site, one.group, *list_key(one.full_name, one.born_on, one.id))
    )
    twice = [one for one, count in Counter(person.id for person in people).items() if count > 1]
    if twice:
        raise UnknownValue(f"given twice: {twice}", citation=PLACE, name="candidates", got=tuple(twice))
    by_site: dict[str, list[Candidate]] = {}
    for person in people:
        by_site.setdefault(person.site, []).append(person)
    seats: list[Seat] = []
    for site, there in by_site.items():
        rooms = split_rooms(len(there), size=size, last_room_max=last_room_max)
        places = [(room, place) for room, count in enumerate(rooms, 1) for place in range(1, count + 1)]
        for person, (room, place) in zip(there, places, strict=True):
            number = candidate_number(council, len(seats) + 1)
            seats.append(Seat(person.id, number, site, f"{room:0{ROOM_DIGITS}d}", place))
    return seats


@cites(INSTRUMENT)
def papers_needed(
    seats: Iterable[Seat], papers: Mapping[str, Sequence[str]]
) -> dict[tuple[str, str], dict[str, int]]:
    """Return how many papers of each subject each (site, room) needs.

    papers   candidate's identifier to the subjects sat; raises UnknownValue for a seat without an entry
    """
    needed: dict[tuple[str, str], Counter[str]] = {}
    for seat in seats:
        if seat.id not in papers:
            raise UnknownValue(f"no papers for {seat.id!r}", citation=PLACE, name="papers", got=seat.id)
        needed.setdefault((seat.site, seat.room), Counter()).update(papers[seat.id])
    return {room: dict(sorted(counts.items())) for room, counts in sorted(needed.items())}
