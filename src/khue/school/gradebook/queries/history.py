"""What the ledger says of a register: who changed a cell when, and whether the table says the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from khue.kernel import ledger, permissions
from khue.kernel.errors import NotFound
from khue.kernel.ledger.models import Entry
from khue.kernel.permissions import Actor
from khue.school.gradebook import cells
from khue.school.gradebook.cells import Marks
from khue.school.gradebook.models import Line, Register
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
    found: list[tuple[Entry, dict[str, Any], dict[str, Any]]] = []
    for entry in entries:
        document = entry.document
        for cell in document["data"].get("cells", ()):
            if cell["learner"] == learner and (slots is None or cell["slot"] in slots):
                found.append((entry, document, cell))
    names = account_names(document["actor"].get("account") for _entry, document, _cell in found)
    return [
        Change(
            entry.at,
            names.get(document["actor"].get("account")) or document["actor"].get("system", ""),
            document["actor"].get("role", ""), cell["old"], cell["new"], document["data"].get("reason", ""),
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
