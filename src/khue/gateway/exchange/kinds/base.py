"""What every kind of import declares: its fields, how a cell becomes a value, how rows are planned and written."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from django.utils.functional import Promise

from khue.gateway.exchange.models import ImportBatch, What
from khue.gateway.exchange.reasons import Reason, reason
from khue.gateway.exchange.sheets import RawCell
from khue.kernel.permissions import Actor


class Bad(Exception):
    """A cell cannot be what its column says. Carries the code of the reason and its facts."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


@dataclass(frozen=True, slots=True)
class Noted:
    """A value that was read with a doubt worth a note."""

    value: Any
    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a column may hold.

    title     as people call it
    synonyms  other headings seen in schools' files, in any spelling with or without marks
    parse     from the raw cell to a value; None or "" for an empty cell; raises Bad, may return Noted
    is_plain  the text itself is enough to guess by; False for headings too common to trust alone (“Tên”)
    """

    code: str
    title: str | Promise
    synonyms: tuple[str, ...]
    parse: Callable[[RawCell], Any]
    is_required: bool = False
    is_plain: bool = True


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a batch, a tick box with its explanation."""

    code: str
    title: str | Promise
    help: str | Promise = ""
    default: bool = False


@dataclass(slots=True)
class Parsed:
    """The rows of a sheet as columns of values: `columns[field][i]` belongs to row `numbers[i]` of the sheet."""

    numbers: list[int]
    columns: dict[str, list[Any]]
    fingerprints: list[str]
    problems: dict[int, list[Reason]] = field(default_factory=dict)
    """Index to the reasons that refuse the row."""
    notes: dict[int, list[Reason]] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    """What a kind read besides its rows (the subject names of a workbook)."""

    def get(self, name: str, index: int) -> Any:
        """Return a value, or None where no column was mapped to the field."""
        column = self.columns.get(name)
        return column[index] if column is not None else None

    def refuse(self, index: int, why: Reason) -> None:
        """Say why a row is refused."""
        self.problems.setdefault(index, []).append(why)

    def note(self, index: int, what: Reason) -> None:
        """Add a note to a row that is taken all the same."""
        self.notes.setdefault(index, []).append(what)


@dataclass(slots=True)
class Outcome:
    """What is planned for one row: what it becomes, whom it meets, field by field what changes."""

    index: int
    what: str
    reasons: list[Reason] = field(default_factory=list)
    notes: list[Reason] = field(default_factory=list)
    diff: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    """Field to (before, after) as people read them."""
    target: Hashable = None
    """What the row meets or makes, to find two rows that mean one thing."""
    plan: dict[str, Any] = field(default_factory=dict)
    """What `write` needs."""
    # after writing
    object_id: int | None = None
    object_version: int | None = None
    second_id: int | None = None
    second_version: int | None = None
    created: str = ""
    """The code a new person got."""
    undo: dict[str, Any] = field(default_factory=dict)
    """What `undo` needs to put things back."""


@dataclass(slots=True)
class Context:
    """What planning knows besides the rows: the batch, its school, the days, and what the kind looked up once."""

    batch: ImportBatch
    actor: Actor
    now: datetime
    today: date
    from_day: date
    until: date
    seen: dict[Hashable, int] = field(default_factory=dict)
    """Targets met by earlier rows, with their row."""
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def school_id(self) -> int:
        """Return the school of the batch."""
        return self.batch.school_id

    @property
    def options(self) -> dict[str, Any]:
        """Return the batch's choices."""
        return self.batch.options


class Kind(Protocol):
    """One kind of import. Planning reads and decides; writing only carries out what was planned."""

    code: str
    title: str | Promise
    right: str
    fields: tuple[Field, ...]
    options: tuple[Option, ...]
    help: str | Promise
    layouts: tuple[str, ...]

    def prepare(self, context: Context, parsed: Parsed) -> None:
        """Look up what all rows need (few queries) and find twins inside the file."""

    def plan(self, context: Context, parsed: Parsed, indices: Sequence[int]) -> list[Outcome]:
        """Return an outcome for each row of a unit, in order, without writing."""

    def write(self, context: Context, outcomes: Sequence[Outcome]) -> None:
        """Carry out NEW and CHANGED outcomes of a unit; an outcome that met a newer version becomes CONFLICT."""

    def undo(self, context: Context, rows: Sequence[Any]) -> dict[int, list[Reason]]:
        """Take back applied rows (ImportRow) of a unit; return row number to why something was kept."""


_EMPTY: tuple[Any, str, Mapping[str, Any], str, Mapping[str, Any]] = (None, "", {}, "", {})


def _evaluate(parse: Callable[[RawCell], Any], raw: RawCell) -> tuple[Any, str, Mapping[str, Any], str, Mapping[str, Any]]:
    try:
        value = parse(raw)
    except Bad as bad:
        return None, bad.code, bad.facts, "", {}
    if isinstance(value, Noted):
        return value.value, "", {}, value.code, value.facts
    return value, "", {}, "", {}


def parse_rows(
    fields: Iterable[Field], rows: Sequence[Sequence[RawCell]], numbers: Sequence[int], fingerprints: Sequence[str],
    mapping: Mapping[str, int],
) -> Parsed:  # fmt: skip
    """Return the mapped columns as values; each distinct cell of a column is read once.

    mapping  field code to column index from 0
    """
    parsed = Parsed(list(numbers), {}, list(fingerprints))
    for one in fields:
        position = mapping.get(one.code)
        if position is None:
            continue
        known: dict[Any, tuple[Any, str, Mapping[str, Any], str, Mapping[str, Any]]] = {}
        values: list[Any] = []
        for index, row in enumerate(rows):
            raw = row[position] if position < len(row) else ""
            key = raw if type(raw) is str else (type(raw), raw)
            found = known.get(key)
            if found is None:
                found = known[key] = _evaluate(one.parse, raw) if raw not in ("", None) else _EMPTY
            values.append(found[0])
            if found[1]:
                parsed.refuse(index, Reason(found[1], one.code, (("title", str(one.title)), *found[2].items())))
            elif found[3]:
                parsed.note(index, Reason(found[3], one.code, tuple(found[4].items())))
            if one.is_required and found[0] in (None, "") and not found[1]:
                parsed.refuse(index, reason("missing", one.code, title=str(one.title).lower()))
        parsed.columns[one.code] = values
    return parsed


def taken(context: Context, parsed: Parsed, outcomes: Iterable[Outcome]) -> None:
    """Refuse the later of two rows that mean one target; remembers targets across units."""
    for outcome in outcomes:
        if outcome.target is None or outcome.what in (What.REFUSED, What.ASKED):
            continue
        number = parsed.numbers[outcome.index]
        first = context.seen.setdefault(outcome.target, number)
        if first != number:
            outcome.what, outcome.reasons = What.REFUSED, [reason("twin-row", row=first)]
