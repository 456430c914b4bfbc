"""What the ledger says of a register: who changed a cell when, and whether the table says the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from khue.kernel import ledger, permissions
from khue.kernel.errors import NotFound
from khue.kernel.ledger.models import Entry
from khue.kernel.permissions import Actor
from khue.school.gradebook import cells
from khue.school.gradebook.cells import Marks
from khue.school.gradebook.models import Correction, Line, Register
from khue.school.gradebook.queries.registers import Grid, GridRow, register_grid
from khue.school.gradebook.services.marks import account_names, ruling


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one cell, values as `cells` writes them; `reason` only for corrections."""

    at: datetime
    who: str
    role: str
    old: str
    new: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell whose value in the table is not what the ledger says it is: changed outside the services."""

    register: str
    learner: str
    slot: str
    recorded: str
    found: str


def cell_history(actor: Actor, register: UUID | str, learner: str, slot: str, *, now: datetime) -> list[Change]:
    """Return the changes of one cell from the ledger, oldest first. Raises NotFound, NotAllowed."""
    held = Register.objects.filter(uid=register).first()
    if held is None:
        raise NotFound()
    permissions.demand(actor, "gradebook.view_register", on=held, at=now)
    return changes_of(ledger.history(held), learner, {slot})


def changes_of(entries: Iterable[Entry], learner: str, slots: set[str] | None = None) -> list[Change]:
    """Return the changes of a learner's cells that these entries hold."""
    return [change for _slot, change in slot_changes(entries, learner, slots)]


def slot_changes(
    entries: Iterable[Entry], learner: str, slots: set[str] | None = None
) -> list[tuple[str, Change]]:
    """Return (slot, change) of a learner's cells that these entries hold, oldest first; one statement for names."""
    found: list[tuple[Entry, dict[str, Any], dict[str, Any]]] = []
    for entry in entries:
        document = entry.document
        for cell in document["data"].get("cells", ()):
            if cell["learner"] == learner and (slots is None or cell["slot"] in slots):
                found.append((entry, document, cell))
    names = account_names(document["actor"].get("account") for _entry, document, _cell in found)
    return [
        (
            cell["slot"],
            Change(
                entry.at,
                names.get(document["actor"].get("account")) or document["actor"].get("system", ""),
                document["actor"].get("role", ""), cell["old"], cell["new"], document["data"].get("reason", ""),
            ),
        )
        for entry, document, cell in found
    ]  # fmt: skip


def differences(register: Register) -> list[Difference]:
    """Return the cells of a register that differ from what its ledger entries add up to.

    For checks by commands in system scope: a mark changed by hand in the database is named here.
    """
    recorded: dict[tuple[str, str], str] = {}
    for entry in ledger.history(register):
        if entry.act == "gradebook.mark.corrected":
            continue  # the frozen line keeps its value; the correction stands beside it
        for cell in entry.document["data"].get("cells", ()):
            recorded[cell["learner"], cell["slot"]] = cell["new"]
    sheet = ruling(register)
    wrong = []
    for line in Line.objects.filter(register=register).select_related("learner").order_by("learner_id"):
        marks = Marks(
            line.regular, line.midterm, line.final, line.levels, line.comment, line.states, line.stamps, line.is_exempt
        )
        learner = str(line.learner.uid)
        for slot in sheet.slots:
            found = cells.value_of(sheet.kind, marks, slot)
            expected = recorded.get((learner, slot), "")
            if found != expected:
                wrong.append(Difference(str(register.uid), learner, slot, expected, found))
    return wrong


def _shown(slot: str, change: Change) -> Change:
    return change if slot == "comment" else replace(change, old=cells.show(change.old), new=cells.show(change.new))


@dataclass(frozen=True, slots=True)
class LineHistory:
    """One learner's line with every change of its cells, newest first, and its corrections."""

    grid: Grid
    row: GridRow
    learner_id: int
    changes: tuple[tuple[str, Change], ...]
    corrections: tuple[Correction, ...]


def line_history(actor: Actor, register: UUID | str, learner: str, *, now: datetime) -> LineHistory:
    """Return one line of a register with its history: five statements. Raises NotFound, NotAllowed."""
    grid = register_grid(actor, register, now=now)
    place = next((place for place, row in enumerate(grid.rows) if row.learner == learner), None)
    if place is None:
        raise NotFound()
    held = Register(uid=UUID(grid.uid), school_year=grid.school_year)
    changes = [(cells.title(slot), _shown(slot, one)) for slot, one in slot_changes(ledger.history(held), learner)]
    learner_id = grid.learner_ids[place]
    corrections = Correction.objects.filter(register__uid=grid.uid, learner_id=learner_id).order_by("-asked_at")
    return LineHistory(grid, grid.rows[place], learner_id, tuple(reversed(changes)), tuple(corrections))
