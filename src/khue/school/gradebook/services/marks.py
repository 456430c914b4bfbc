"""Entering marks: any number of cells of one register in one act, merged cell by cell."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from khue.kernel import audit, events, ledger, permissions
from khue.kernel.accounts.models import Account
from khue.kernel.errors import Invalid, NotFound
from khue.kernel.ledger.models import Entry
from khue.kernel.permissions import Actor
from khue.school.gradebook import assessed, cells
from khue.school.gradebook.cells import PLACE, Marks, Sheet
from khue.school.gradebook.errors import RegisterLocked, TooManyCells
from khue.school.gradebook.events import MarkSet
from khue.school.gradebook.models import Kind, Register

MOST_CELLS = 2000
ACT = "gradebook.marks.set"


@dataclass(frozen=True, slots=True)
class CellChange:
    """One cell as somebody wants it.

    learner  uid of the learner
    value    as typed: "8,5", "Đ", "T", "v", "" to withdraw
    seen     the register's entry number she saw when she began; 0 for an empty register
    """

    learner: str
    slot: str
    value: str
    seen: int = 0


@dataclass(frozen=True, slots=True)
class CellNow:
    """One cell after the save: its value as `cells` writes it, and its stamp."""

    learner: str
    slot: str
    value: str
    stamp: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """A cell somebody else changed meanwhile; hers was not written. `value` is theirs, `mine` hers."""

    learner: str
    slot: str
    value: str
    stamp: int
    mine: str
    who: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class CellRefused:
    """A cell that was not written because the text does not fit, with why and what was perhaps meant."""

    learner: str
    slot: str
    typed: str
    code: str
    sentence: str
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class LineNow:
    """A touched line after the save: what its term column shows, and which cells are still missing."""

    learner: str
    outcome: str
    missing: tuple[str, ...]


@dataclass(slots=True)
class Saved:
    """What one save did, cell by cell.

    saved      written now, or there already
    kept       cells the sender had left as she saw them and somebody else changed: theirs stays
    """

    sequence: int
    at: datetime
    by: str
    saved: list[CellNow] = field(default_factory=list)
    kept: list[CellNow] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    refused: list[CellRefused] = field(default_factory=list)
    lines: list[LineNow] = field(default_factory=list)
    changed: int = 0


@dataclass(slots=True)
class Held:
    """One locked line while a save works on it. `has_moved`: she is another class's to assess by now."""

    pk: int
    learner_id: int
    marks: Marks
    has_moved: bool = False


def held_register(actor: Actor, uid: UUID | str) -> Register:
    """Return a register of the actor's schools under its lock; raise NotFound."""
    found = (
        Register.objects.select_for_update(of=("self",)).select_related("class_group").filter(uid=uid).first()
    )
    if found is None or not actor.covers_school(found.school_id):
        raise NotFound()
    return found


def ruling(register: Register) -> Sheet:
    """Return the ruling of a register whose class group is loaded."""
    return cells.sheet(
        kind=register.kind, regular_count=register.regular_count, rule_set=register.rule_set,
        subject=register.subject_code, grade=register.class_group.grade, term=register.term,
    )  # fmt: skip


@transaction.atomic
def save_cells(*, actor: Actor, register: UUID | str, changes: Sequence[CellChange], now: datetime) -> Saved:
    """Write cells of an open register in one act, whatever their number: at most nine statements.

    Each cell is taken alone: one that does not fit is refused, one that somebody else changed since `seen`
    is returned with both values, the others are written. The same request again changes nothing.

    Raises NotFound, NotAllowed unless the actor teaches this subject to this class, RegisterLocked once
    the term is closed, TooManyCells.
    """
    if len(changes) > MOST_CELLS:
        raise TooManyCells(most=MOST_CELLS, count=len(changes))
    held = held_register(actor, register)
    permissions.demand(actor, "gradebook.record_mark", on=held, at=now)
    if held.locked_at is not None:
        raise RegisterLocked(locked_at=held.locked_at.isoformat())
    return _save(actor, held, list({(c.learner, c.slot): c for c in changes}.values()), now)


def _save(actor: Actor, register: Register, changes: list[CellChange], now: datetime) -> Saved:
    sheet = ruling(register)
    lines = _lines(register, {change.learner for change in changes})
    answer = Saved(register.ledger_seq, now, actor.name)
    written: list[dict[str, str]] = []
    doubtful: list[tuple[CellChange, str]] = []
    stamp = register.ledger_seq + 1
    for change in changes:
        line = lines.get(change.learner)
        value = _checked(sheet, line, change, answer)
        if line is None or value is None:
            continue
        there, was = line.marks.stamps[PLACE[change.slot]], cells.value_of(sheet.kind, line.marks, change.slot)
        if value == was:
            answer.saved.append(CellNow(change.learner, change.slot, was, there))
        elif there > change.seen:
            doubtful.append((change, value))
        else:
            written.append(_write(sheet, line, change, value, was, stamp))
            answer.saved.append(CellNow(change.learner, change.slot, value, stamp))
    if doubtful:
        _judge_doubtful(register, sheet, lines, doubtful, answer)
    touched = {cell["learner"] for cell in written}
    if written:
        _store(actor, register, [lines[uid] for uid in touched], sheet, written, now)
        answer.sequence, answer.changed = register.ledger_seq, len(written)
    for uid, line in lines.items():
        shown = cells.outcome(sheet.kind, line.marks)
        answer.lines.append(LineNow(uid, shown, cells.missing(sheet, line.marks)))
    return answer


def _checked(sheet: Sheet, line: Held | None, change: CellChange, answer: Saved) -> str | None:
    """Return the value of a change, or None after noting why it is refused."""
    try:
        if line is None:
            raise cells.Refused("not-in-register", _("Em này không có trong sổ."))
        if line.has_moved:
            sentence = _("Em đã chuyển sang lớp khác; điểm của em ghi ở sổ của lớp mới.")
            raise cells.Refused("has-moved", sentence)
        if change.slot not in sheet.slots:
            raise cells.Refused("no-such-cell", _("Sổ này không có cột đó."))
        if line.marks.is_exempt and change.slot != "comment":
            raise cells.Refused("exempt", _("Em này được miễn môn học."))
        return cells.parse(sheet.kind, change.slot, change.value)
    except cells.Refused as why:
        answer.refused.append(
            CellRefused(change.learner, change.slot, change.value[:100], why.code, why.sentence, why.suggestion)
        )
        return None


def _write(sheet: Sheet, line: Held, change: CellChange, value: str, was: str, stamp: int) -> dict[str, str]:
    cells.put(sheet.kind, line.marks, change.slot, value)
    line.marks.stamps[PLACE[change.slot]] = stamp
    return {"learner": change.learner, "slot": change.slot, "old": was, "new": value}


_LINES = f"""
select coalesce(p.uid, f.uid)::text, l.id, l.learner_id, l.regular, l.midterm, l.final, l.levels, l.comment, l.states,
       l.stamps, l.is_exempt, l.average, l.level,
       exists (select 1 from schooling_placement s where s.learner_id = l.learner_id and s.class_group_id = %(class)s
                  and s.is_main and s.closed = any(%(moved)s)
                  and not khue_still_ours(s.learner_id, s.class_group_id, s.school_year, %(term)s, {assessed.SECOND}))
       and not exists (select 1 from schooling_placement s where s.learner_id = l.learner_id
                  and s.class_group_id = %(class)s and s.is_main and s.closed = any(%(staying)s)) as has_moved
  from gradebook_line l {assessed.named("l.learner_id")}
 where l.register_id = %(register)s and coalesce(p.uid, f.uid) = any(%(learners)s::uuid[])
"""


def _lines(register: Register, learners: Iterable[str]) -> dict[str, Held]:
    """Return the lines of these learners by uid; the register's lock holds them."""
    values = {
        "register": register.pk, "class": register.class_group_id, "term": register.term,
        "learners": [uid for uid in learners if is_uuid(uid)], **assessed.parameters(register.school_year),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_LINES, values)
        return {row[0]: Held(row[1], row[2], Marks(*row[3:13]), row[13]) for row in cursor.fetchall()}


def is_uuid(value: str) -> bool:
    """Return whether the text is a uid as this app writes it."""
    try:
        return str(UUID(value)) == value
    except ValueError:
        return False


def _judge_doubtful(
    register: Register, sheet: Sheet, lines: Mapping[str, Held], doubtful: list[tuple[CellChange, str]], answer: Saved
) -> None:
    """Tell cells the sender left as she saw them (theirs stays) from real conflicts (both are shown)."""
    since = min(change.seen for change, _value in doubtful)
    entries = list(
        Entry.objects.filter(
            chain=ledger.chain_key(register), school_year=register.school_year, sequence__gt=since
        ).order_by("sequence")
    )
    seen_value, last = _trace(entries, {(c.learner, c.slot): c.seen for c, _value in doubtful})
    names = account_names(who["actor"].get("account") for who, _at in last.values())
    for change, value in doubtful:
        key = (change.learner, change.slot)
        marks = lines[change.learner].marks
        theirs, stamp = cells.value_of(sheet.kind, marks, change.slot), marks.stamps[PLACE[change.slot]]
        if seen_value.get(key) == value:
            answer.kept.append(CellNow(change.learner, change.slot, theirs, stamp))
            continue
        document, at = last.get(key, (None, None))
        who = names.get(document["actor"].get("account"), "") if document else ""
        answer.conflicts.append(Conflict(change.learner, change.slot, theirs, stamp, value, who, at))


def _trace(
    entries: Iterable[Entry], seen: Mapping[tuple[str, str], int]
) -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], tuple[dict[str, Any], datetime]]]:
    """Return what each cell held when it was seen, and the document of the entry that changed it last."""
    first: dict[tuple[str, str], str] = {}
    last: dict[tuple[str, str], tuple[dict[str, Any], datetime]] = {}
    for entry in entries:
        document = entry.document
        for cell in document["data"].get("cells", ()):
            key = (cell["learner"], cell["slot"])
            if key in seen and entry.sequence > seen[key]:
                first.setdefault(key, cell["old"])
                last[key] = (document, entry.at)
    return first, last


def account_names(ids: Iterable[int | None]) -> dict[int | None, str]:
    """Return the names of accounts by id; no statement for none."""
    wanted = {pk for pk in ids if pk is not None}
    return dict(Account.objects.filter(pk__in=wanted).values_list("pk", "name")) if wanted else {}


_UPDATE = """
update gradebook_line l
   set regular = n.regular, midterm = n.midterm, final = n.final, levels = n.levels, comment = n.comment,
       states = n.states, stamps = n.stamps, average = n.average, level = n.level, is_exempt = n.is_exempt
  from jsonb_to_recordset(%s::jsonb) as n(id bigint, regular smallint[], midterm smallint, final smallint,
       levels varchar(2)[], comment text, states varchar(1)[], stamps int[], average smallint, level text,
       is_exempt boolean)
 where l.id = n.id
"""


def _store(
    actor: Actor, register: Register, held: Sequence[Held], sheet: Sheet, written: list[dict[str, str]], now: datetime
) -> None:
    """Write entry, lines, audit and event: four statements."""
    ledger.append(register, act=ACT, body={"cells": written}, actor=actor, at=now)
    write_lines(sheet, held)
    slots = sorted({cell["slot"] for cell in written})
    audit.record(
        actor, ACT, on=register, at=now, slots=slots, cells=len(written), sequence=register.ledger_seq
    )
    events.publish(MarkSet(register.pk, register.ledger_seq, len(written)), at=now)


def write_lines(sheet: Sheet, held: Sequence[Held]) -> None:
    """Settle these lines and write them in one statement."""
    rows = []
    for line in held:
        marks = line.marks
        cells.settle(sheet, marks)
        scored = sheet.kind == Kind.SCORE
        rows.append({
            "id": line.pk, "regular": marks.regular[: sheet.regular_count] if scored else [],
            "midterm": marks.midterm, "final": marks.final, "levels": [] if scored else marks.levels,
            "comment": marks.comment, "states": marks.states if any(marks.states) else [],
            "stamps": marks.stamps, "average": marks.average, "level": marks.level, "is_exempt": marks.is_exempt,
        })  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE, [json.dumps(rows, ensure_ascii=False)])


@transaction.atomic
def exempt(
    *, actor: Actor, register: UUID | str, learner: str, is_exempt: bool, reason: str, now: datetime
) -> None:
    """Exempt one learner from a subject for the term, or end it (an individual plan, TT 22/2021 Art. 11).

    The principal's decision, with its reason. Raises NotFound, NotAllowed, RegisterLocked, Invalid without a reason.
    """
    held = held_register(actor, register)
    permissions.demand(actor, "gradebook.exempt", on=held, at=now)
    if held.locked_at is not None:
        raise RegisterLocked(locked_at=held.locked_at.isoformat())
    line = _lines(held, {learner}).get(learner)
    if line is None:
        raise NotFound()
    if line.marks.is_exempt == is_exempt:
        return
    line.marks.is_exempt, reason = is_exempt, cells.plain(reason)[:500]
    if len(reason) < 5:
        raise Invalid(fields={"reason": [_("Hãy ghi căn cứ, ví dụ số quyết định và lý do.")]})
    body = {"exempt": {"learner": learner, "old": not is_exempt, "new": is_exempt}, "reason": reason}
    ledger.append(held, act="gradebook.exempt.set", body=body, actor=actor, at=now, person_id=line.learner_id)
    write_lines(ruling(held), [line])
    audit.record(
        actor, "gradebook.exempt.set", on=held, at=now, reason=reason, person_id=line.learner_id, is_exempt=is_exempt
    )
    events.publish(MarkSet(held.pk, held.ledger_seq, 1), at=now)
