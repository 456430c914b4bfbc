"""The instruments as data: reading the list, finding one, and its standing on a day."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from regulations.core import UnknownValue
from regulations.names import fold

State = Literal["chua_hieu_luc", "con_hieu_luc", "het_hieu_luc", "khong_ro"]
NOT_YET: Final = "chua_hieu_luc"
IN_FORCE: Final = "con_hieu_luc"
ENDED: Final = "het_hieu_luc"
UNKNOWN: Final = "khong_ro"

STATES: Mapping[str, tuple[str, str]] = {
    NOT_YET: ("Chưa có hiệu lực", "Not yet in force"),
    IN_FORCE: ("Còn hiệu lực", "In force"),
    ENDED: ("Hết hiệu lực", "No longer in force"),
    UNKNOWN: ("Chưa rõ hiệu lực", "Standing not known"),
}
"""State on a day to its Vietnamese and English name."""

KINDS: Mapping[str, tuple[str, str]] = {
    "law": ("Luật", "Law"),
    "resolution": ("Nghị quyết", "Resolution"),
    "decree": ("Nghị định", "Decree"),
    "decision": ("Quyết định", "Decision"),
    "circular": ("Thông tư", "Circular"),
    "directive": ("Chỉ thị", "Directive"),
    "dispatch": ("Công văn", "Official letter"),
}
"""Kind to its Vietnamese and English name."""

USUAL_WAIT = timedelta(days=90)

GUIDANCE = "D"
"""Prefix of the places in the ministry's list of guiding documents of 2023-2024 (D1 to D22)."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """One legal document.

    number        as printed: `24/2024/TT-BGDĐT`
    kind          a key of KINDS
    issued_on, in_force_from, in_force_to   None where not known; `in_force_to` is the last day
    replaced_by   number of what took its place, None without or not known
    amends        number of what it amends
    mark          "V" read in a source, "K" general knowledge
    seed          where the needs of provinces name it: "D7" is place 7 of the list of guiding documents
    """

    number: str
    kind: str
    title: str
    issuer: str
    issued_on: date | None
    in_force_from: date | None
    in_force_to: date | None
    replaced_by: str | None
    amends: str | None
    mark: str
    seed: str

    @property
    def name(self) -> str:
        """Return kind and number as a Vietnamese reader writes them."""
        return f"{KINDS[self.kind][0]} {self.number}"


@cache
def _shelf() -> dict[str, Instrument]:
    text = files("regulations.shelf").joinpath("instruments.csv").read_text("utf-8")
    return {row["number"]: _instrument(row) for row in csv.DictReader(text.splitlines())}


def instruments() -> tuple[Instrument, ...]:
    """Return all instruments, the ministry's guiding documents first, then by kind of matter."""
    return tuple(_shelf().values())


def instrument(number: str) -> Instrument:
    """Return the instrument of that number; raise UnknownValue when it is not on the shelf."""
    if number not in _shelf():
        raise UnknownValue(f"not on the shelf: {number!r}", name="instrument", got=number)
    return _shelf()[number]


def slug_of(number: str) -> str:
    """Return an instrument's number as an address carries it: `24-2024-tt-bgddt`."""
    return "-".join(part for part in re.split(r"[^a-z0-9]+", fold(number)) if part)


def by_slug(slug: str) -> Instrument:
    """Return the instrument with this slug; raise UnknownValue when none has it."""
    if slug not in _slugs():
        raise UnknownValue(f"not on the shelf: {slug!r}", name="slug", got=slug)
    return _slugs()[slug]


@cache
def _slugs() -> dict[str, Instrument]:
    return {slug_of(one.number): one for one in instruments()}


def replaced(number: str) -> tuple[Instrument, ...]:
    """Return the instruments this one took the place of, in the order of the shelf."""
    return tuple(one for one in instruments() if one.replaced_by == number)


def guidance_list() -> tuple[Instrument, ...]:
    """Return the 22 documents that guide digital transformation of education, in the ministry's order."""
    listed = [one for one in instruments() if one.seed.startswith(GUIDANCE) and one.seed != GUIDANCE]
    return tuple(sorted(listed, key=lambda one: int(one.seed.removeprefix(GUIDANCE))))


def amended_by(number: str) -> tuple[Instrument, ...]:
    """Return the instruments that amend `number`, in the order of the shelf."""
    return tuple(one for one in instruments() if one.amends == number)


def state_on(number: str, day: date) -> State:
    """Return an instrument's standing on a day; "khong_ro" where the dates known do not tell.

    Where the first day is not known it is "khong_ro" for ninety days after issue, and where nothing but a
    successor is known, from the successor's first day.
    """
    one = instrument(number)
    if one.in_force_to is not None and day > one.in_force_to:
        return ENDED
    if one.in_force_from is None:
        if one.issued_on is None:
            return UNKNOWN
        # Our reading: a document issued ninety days ago without a first day in our data is in force by now.
        if day < one.issued_on + USUAL_WAIT:
            return NOT_YET if day < one.issued_on else UNKNOWN
    elif day < one.in_force_from:
        return NOT_YET
    if one.in_force_to is None and one.replaced_by is not None:
        return IN_FORCE if day < _begins_not_before(instrument(one.replaced_by)) else UNKNOWN
    return IN_FORCE


def in_force_now_instead_of(number: str, day: date) -> Instrument | None:
    """Return what stands in place of a replaced instrument on a day, following the chain; None if nothing does."""
    one = instrument(number)
    while one.replaced_by is not None:
        one = instrument(one.replaced_by)
        if state_on(one.number, day) == IN_FORCE:
            return one
    return None


def search(text: str) -> tuple[Instrument, ...]:
    """Return the instruments whose number, title or issuer holds every word of the text.

    Words are compared without capitals and diacritics; an empty text finds everything.
    """
    words = fold(text).split()
    return tuple(one for one in instruments() if all(word in _searched(one.number) for word in words))


def _begins_not_before(one: Instrument) -> date:
    """Return a day before which the instrument was certainly not in force, from what is known of it."""
    known = one.in_force_from or one.issued_on
    if known is not None:
        return known
    years = [part for part in one.number.split("/")[1:2] if part.isdigit()]
    return date(int(years[0]), 1, 1) if years else date.min


@cache
def _searched(number: str) -> str:
    one = instrument(number)
    return fold(f"{one.name} {one.title} {one.issuer}")


def _instrument(row: Mapping[str, str]) -> Instrument:
    return Instrument(
        number=row["number"],
        kind=row["kind"],
        title=row["title"],
        issuer=row["issuer"],
        issued_on=_day(row["issued_on"]),
        in_force_from=_day(row["in_force_from"]),
        in_force_to=_day(row["in_force_to"]),
        replaced_by=row["replaced_by"] or None,
        amends=row["amends"] or None,
        mark=row["mark"],
        seed=row["seed"],
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
