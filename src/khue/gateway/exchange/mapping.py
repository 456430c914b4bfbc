"""Which column is what: the heading row is found by scoring, columns are guessed, corrections are remembered."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from khue.gateway.exchange.kinds.base import Field
from khue.gateway.exchange.models import ImportMapping
from khue.gateway.exchange.sheets import RawCell, Sheet
from khue.gateway.exchange.sheets.cells import as_text
from khue.kernel import text

HEAD_ROWS = 40
"""The heading is looked for in so many first rows: forms begin with the school's name, the motto, a title."""
SURE, LIKELY, FAINT = 1.0, 0.8, 0.6


@dataclass(frozen=True, slots=True)
class Heading:
    """Where the heading stands (rows from 0, both included) and what each column is called there."""

    first: int
    last: int
    labels: tuple[str, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Guess:
    """What a column is taken for, how surely (0 to 1), and whether the school said so before."""

    column: int
    label: str
    field: str
    confidence: float
    is_learned: bool = False


_NOISE = re.compile(r"\([^)]*\)|\[[^\]]*\]|[*:.,\"'_/\-–—]+")


@lru_cache(maxsize=16_384)
def folded(label: str) -> str:
    """Return a heading as it is compared: no marks, no brackets, no punctuation, at most 200 letters."""
    plain = " ".join(_NOISE.sub(" ", text.fold(text.clean(label))).split())
    return (plain or " ".join(text.fold(label).split()))[:200]


@lru_cache(maxsize=8192)
def _confidence(label: str, synonym: str) -> float:
    if label == synonym:
        return SURE
    mine, theirs = label.split(), synonym.split()
    if len(theirs) > 1 and f" {synonym} " in f" {label} ":
        return LIKELY - 0.02 * (len(mine) - len(theirs))
    if len(theirs) > 1 and set(theirs) <= set(mine):
        return LIKELY - 0.1 - 0.02 * (len(mine) - len(theirs))
    if len(synonym) >= 6 and abs(len(label) - len(synonym)) <= 3:
        ratio = difflib.SequenceMatcher(None, label, synonym).ratio()
        if ratio >= 0.86:
            return FAINT * ratio
    return 0.0


@lru_cache(maxsize=512)
def _synonyms(one: Field) -> tuple[str, ...]:
    return tuple(dict.fromkeys(folded(s) for s in (one.code.replace("_", " "), str(one.title), *one.synonyms)))


def best_field(label: str, fields: Iterable[Field]) -> tuple[str, float]:
    """Return the field a heading most likely means and how surely; ("", 0.0) where none fits."""
    plain = folded(label)
    best, sure = "", 0.0
    if not plain:
        return best, sure
    for one in fields:
        for synonym in _synonyms(one):
            found = _confidence(plain, synonym)
            if not one.is_plain and found < SURE:
                continue
            if found > sure:
                best, sure = one.code, found
    return best, sure


def find_heading(sheet: Sheet, fields: Sequence[Field]) -> Heading | None:
    """Return the heading of a sheet: one row, or two or three under merged cells; None where nothing fits.

    The score of a place is the sum of the confidences of the distinct fields it would give. Headings are first
    looked for by their exact names, which costs little; only a sheet without any is searched by likeness.
    """
    places = [
        (first, height)
        for first in range(min(HEAD_ROWS, len(sheet.rows)))
        for height in (1, 2, 3)
        if first + height <= len(sheet.rows)
    ]
    exact = {name: one.code for one in reversed(fields) for name in _synonyms(one)}
    labels = {place: labels_of(sheet, place[0], place[0] + place[1] - 1) for place in places}
    named = {place: len({exact[folded(label)] for label in labels[place] if folded(label) in exact}) for place in places}
    most = max(named.values(), default=0)
    if most >= 2:
        places = [place for place in places if named[place] >= most - 1]
    best: Heading | None = None
    for first, height in places:
        score = _score(labels[first, height], fields) - 0.25 * (height - 1)
        if score > 0 and (best is None or score > best.score + 1e-9):
            best = Heading(first, first + height - 1, labels[first, height], score)
    return best if best is not None and best.score >= 1.0 else None


def _score(labels: Sequence[str], fields: Sequence[Field]) -> float:
    found: dict[str, float] = {}
    for label in labels:
        if len(label) > 120:
            continue
        code, sure = best_field(label, fields)
        if code:
            found[code] = max(found.get(code, 0.0), sure)
    required = sum(one.is_required and one.code in found for one in fields)
    return sum(found.values()) + 0.5 * required


def labels_of(sheet: Sheet, first: int, last: int) -> tuple[str, ...]:
    """Return the columns' names in the rows first to last; a merged cell's text stands over all its columns."""
    width = max((len(row) for row in sheet.rows[first : last + 1]), default=0)
    lines = [[_cell(sheet.rows[row], column) for column in range(width)] for row in range(first, last + 1)]
    for top, left, bottom, right in sheet.merges:
        for row in range(max(top, first), min(bottom, last) + 1):
            for column in range(left, min(right, width - 1) + 1):
                if not lines[row - first][column] and top <= last:
                    lines[row - first][column] = _cell(sheet.rows[top], left) if top >= first else ""
    if not sheet.merges:
        for above, below in itertools.pairwise(lines):
            _spread(above, below)
    labels = []
    for column in range(width):
        parts = list(dict.fromkeys(line[column] for line in lines if line[column]))
        labels.append(" ".join(parts))
    return tuple(labels)


def _spread(above: list[str], below: list[str]) -> None:
    """Carry a heading right over empty cells that have a second line: CSV knows no merged cells."""
    for column in range(1, len(above)):
        if not above[column] and below[column] and below[column - 1] and above[column - 1]:
            above[column] = above[column - 1]


def _cell(row: Sequence[RawCell], column: int) -> str:
    return as_text(row[column]) if column < len(row) else ""


def learned(school_id: int, kind: str) -> dict[str, str]:
    """Return the school's headings to the fields it said they are ("" for: leave it out)."""
    return dict(ImportMapping.objects.filter(school_id=school_id, kind=kind).order_by("id").values_list("heading", "field"))


def guess(labels: Sequence[str], fields: Sequence[Field], known: Mapping[str, str]) -> list[Guess]:
    """Return a guess for each column; of two columns for one field the surer, then the left one, gets it."""
    codes = {one.code for one in fields}
    guesses: list[Guess] = []
    for column, label in enumerate(labels):
        said = known.get(folded(label))
        if label and said is not None and (said in codes or said == ""):
            guesses.append(Guess(column, label, said, SURE if said else 0.0, True))
            continue
        code, sure = best_field(label, fields)
        guesses.append(Guess(column, label, code, sure))
    winners: dict[str, Guess] = {}
    for one in guesses:
        if one.field:
            held = winners.get(one.field)
            if held is None or (one.confidence, one.is_learned) > (held.confidence, held.is_learned):
                winners[one.field] = one
    return [one if winners.get(one.field) is one else Guess(one.column, one.label, "", 0.0, one.is_learned) for one in guesses]


def learn(school_id: int, kind: str, labels: Sequence[str], chosen: Mapping[int, str], fields: Sequence[Field]) -> None:
    """Remember what the user chose wherever a guess would say something else, or said something else before."""
    known = learned(school_id, kind)
    for column, label in enumerate(labels):
        heading, code = folded(label), chosen.get(column, "")
        if not heading:
            continue
        if heading in known:
            if known[heading] != code:
                ImportMapping.objects.filter(school_id=school_id, kind=kind, heading=heading).update(field=code)
        elif best_field(label, fields)[0] != code:
            ImportMapping.objects.get_or_create(
                school_id=school_id, kind=kind, heading=heading, defaults={"field": code}
            )
