"""What the ledger says of a register: who changed a cell when, and whether the table says the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from khue.kernel import ledger, permissions
from khue.kernel.errors import NotFound
from khue.kernel.permissions import Actor
from khue.school.gradebook import cells
from khue.school.gradebook.cells import Marks
from khue.school.gradebook.models import Correction, Line, Register
from khue.school.gradebook.queries.registers import Grid, GridRow, register_grid
from khue.school.gradebook.services.marks import ruling


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
    entries = entries_about([ledger.chain_key(held)], learner, school_year=held.school_year)
    return [change for _chain, where, change in slot_changes(entries, learner) if where == slot]


ENTRIES = """
select e.chain, e.at, e.document,
       coalesce((select a.name from accounts_account a where a.id = (e.document #>> '{actor,account}')::bigint),
                e.document #>> '{actor,system}', '') as who, e.sequence
  from (select n.chain, n.at, n.sequence, convert_from(n.body, 'UTF8')::jsonb as document
          from ledger_entry n where n.chain = any(%(chains)s) and n.school_year = %(year)s) e
 where e.document @> jsonb_build_object('data', jsonb_build_object('cells',
         jsonb_build_array(jsonb_build_object('learner', %(learner)s::text))))
 order by e.at, e.sequence
"""
"""SQL of the entries that changed cells of one learner in some registers, with who did: names come along."""


def entries_about(chains: Iterable[str], learner: str, *, school_year: int) -> list[tuple[Any, ...]]:
    """Return (chain, at, document, who, sequence) of the entries that changed a learner's cells, oldest first: one statement."""
    with connection.cursor() as cursor:
        cursor.execute(ENTRIES, {"chains": list(chains), "learner": learner, "year": school_year})
        return cursor.fetchall()


def slot_changes(entries: Iterable[tuple[Any, ...]], learner: str) -> list[tuple[str, str, Change]]:
    """Return (chain, slot, change) of a learner's cells that these entries hold, in their order."""
    found = []
    for chain, at, given, who, _sequence in entries:
        document: Mapping[str, Any] = json.loads(given) if isinstance(given, str) else given
        actor, data = document["actor"], document["data"]
        for cell in data["cells"]:
            if cell["learner"] == learner:
                change = Change(at, who, actor.get("role", ""), cell["old"], cell["new"], data.get("reason", ""))
                found.append((chain, cell["slot"], change))
    return found


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
class AskedFor:
    """One correction of a line in words: when it was asked, how it stands, why."""

    asked_at: datetime
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class LineHistory:
    """One learner's line with every change of its cells, newest first, and its corrections."""

    grid: Grid
    row: GridRow
    learner_id: int
    changes: tuple[tuple[str, Change], ...]
    corrections: tuple[AskedFor, ...]


def line_history(actor: Actor, register: UUID | str, learner: str, *, now: datetime) -> LineHistory:
    """Return one line of a register with its history: three statements. Raises NotFound, NotAllowed."""
    grid = register_grid(actor, register, now=now, learner=learner)
    if not grid.rows or not grid.rows[0].learner:
        raise NotFound()
    [row], [learner_id] = grid.rows, grid.learner_ids
    held = Register(uid=UUID(grid.uid), school_year=grid.school_year)
    entries = entries_about([ledger.chain_key(held)], learner, school_year=grid.school_year)
    changes = [(cells.title(slot), _shown(slot, one)) for _chain, slot, one in slot_changes(entries, learner)]
    corrections = [
        AskedFor(at, str(Correction.State(state).label), reason)
        for at, state, reason in sorted(row.corrections, key=lambda one: one[0], reverse=True)
    ]
    return LineHistory(grid, row, learner_id, tuple(reversed(changes)), tuple(corrections))
