"""Correcting what is closed: the teacher asks, the homeroom teacher checks, the principal decides.

The frozen line stays; a done correction lies over it. Results get a new revision beside the old, and the
ledger of the register says both values and the reason (TT 22/2021, Art. 18 to 20).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from khue.kernel import audit, events, ledger, permissions
from khue.kernel.database import scope
from khue.kernel.errors import Invalid, NotFound, Stale
from khue.kernel.permissions import Actor
from khue.register.people.models import Person
from khue.register.schooling.models import ClassGroup
from khue.school.gradebook import cells, judging
from khue.school.gradebook.cells import Marks
from khue.school.gradebook.errors import CorrectionEnded, CorrectionOpen, RegisterOpen, SamePerson, SameValue
from khue.school.gradebook.events import MarkCorrected
from khue.school.gradebook.gathering import class_terms
from khue.school.gradebook.judging import Judged
from khue.school.gradebook.models import Closing, Correction, Line, Register, Result, Term
from khue.school.gradebook.queries.registers import overlay
from khue.school.gradebook.services.closing import insert_results, refusal, result_rows
from khue.school.gradebook.services.conduct import conduct_levels
from khue.school.gradebook.services.marks import held_register, ruling
from regulations.core import RuleError

DONE = "gradebook.mark.corrected"
REASON_LENGTH = 500


def _reason(text: str) -> str:
    cleaned = cells.plain(text)[:REASON_LENGTH]
    if len(cleaned) < 5:
        raise Invalid(fields={"reason": [_("Hãy ghi lý do, ví dụ “Nhập nhầm điểm bài giữa kỳ”.")]})
    return cleaned


@transaction.atomic
def ask_correction(
    *, actor: Actor, register: UUID | str, learner: str, slot: str, value: str, reason: str, now: datetime
) -> Correction:
    """Ask for another value of one cell of a closed register.

    Raises NotFound, NotAllowed unless the actor teaches the subject to the class, RegisterOpen, Invalid for a
    value that does not fit or without a reason, SameValue, CorrectionOpen while one waits.
    """
    held = held_register(actor, register)
    permissions.demand(actor, "gradebook.ask_correction", on=held, at=now)
    if held.locked_at is None:
        raise RegisterOpen()
    sheet, cause = ruling(held), _reason(reason)
    line = Line.objects.filter(register=held, learner__uid=learner).first()
    if line is None or slot not in sheet.slots:
        raise NotFound()
    try:
        wanted = cells.parse(sheet.kind, slot, value)
    except cells.Refused as why:
        raise Invalid(fields={"value": [why.sentence]}) from why
    old = cells.value_of(sheet.kind, effective(held, line), slot)
    if wanted == old:
        raise SameValue()
    try:
        with transaction.atomic():
            correction = Correction.objects.create(
                register=held, learner_id=line.learner_id, school_id=held.school_id, slot=slot, old_value=old,
                new_value=wanted, reason=cause, asked_by=actor.account_id or 0, asked_at=now,
            )  # fmt: skip
    except IntegrityError as error:
        raise CorrectionOpen() from error
    body = {
        "correction": str(correction.uid), "learner": learner, "slot": slot, "old": old, "new": wanted, "reason": cause,
    }  # fmt: skip
    ledger.append(
        held, act="gradebook.correction.asked", body=body, actor=actor, at=now, person_id=line.learner_id
    )
    audit.record(actor, "gradebook.correction.ask", on=correction, at=now, reason=cause, slot=slot, old=old, new=wanted)
    return correction


def effective(register: Register, line: Line) -> Marks:
    """Return a line with its done corrections over it."""
    marks = Marks(
        line.regular, line.midterm, line.final, line.levels, line.comment, line.states, line.stamps, line.is_exempt
    )
    done = Correction.objects.filter(
        register=register, learner_id=line.learner_id, state=Correction.State.DONE
    ).order_by("decided_at", "pk")
    overlay(ruling(register), marks, done.values_list("slot", "new_value"))
    return marks


def _held(actor: Actor, correction: UUID | str, state: str, right: str, now: datetime) -> tuple[Correction, Register]:
    """Lock register, then correction; ask for the right before anything is said of how it stands.

    Raises NotFound, NotAllowed, CorrectionEnded when it does not wait for this step.
    """
    register_uid = (
        Correction.objects.filter(uid=correction).values_list("register__uid", flat=True).first()
    )
    if register_uid is None:
        raise NotFound()
    register = held_register(actor, register_uid)
    permissions.demand(actor, right, on=register, at=now)
    found = Correction.objects.select_for_update(of=("self",)).get(uid=correction)
    if found.state != state:
        raise CorrectionEnded(state=found.state)
    return found, register


@transaction.atomic
def check_correction(*, actor: Actor, correction: UUID | str, now: datetime) -> Correction:
    """Say, as homeroom teacher, that the correction was compared with the paper.

    In primary school she often is the teacher who asked; the second person then is the principal.
    Raises NotFound, NotAllowed, CorrectionEnded.
    """
    found, register = _held(actor, correction, Correction.State.ASKED, "gradebook.check_correction", now)
    found.state, found.checked_by, found.checked_at = Correction.State.CHECKED, actor.account_id, now
    found.save(update_fields=["state", "checked_by", "checked_at"])
    ledger.append(
        register, act="gradebook.correction.checked", body={"correction": str(found.uid)}, actor=actor, at=now,
        person_id=found.learner_id,
    )  # fmt: skip
    audit.record(actor, "gradebook.correction.check", on=found, at=now)
    return found


@transaction.atomic
def decide_correction(
    *, actor: Actor, correction: UUID | str, approve: bool, answer: str = "", now: datetime
) -> Correction:
    """Approve a checked correction and make the new results, or refuse it with a reason.

    Raises NotFound, NotAllowed unless the actor is the principal, SamePerson for who asked or checked,
    CorrectionEnded, Invalid without a reason to refuse, Incomplete when the results would lack something.
    """
    found, register = _held(actor, correction, Correction.State.CHECKED, "gradebook.approve_correction", now)
    if actor.account_id in (found.asked_by, found.checked_by):
        raise SamePerson()
    found.state = Correction.State.DONE if approve else Correction.State.REFUSED
    found.answer = "" if approve else _reason(answer)
    found.decided_by, found.decided_at = actor.account_id, now
    found.save(update_fields=["state", "answer", "decided_by", "decided_at"])
    learner = _learner_uid(register, found)
    cell = {"learner": learner, "slot": found.slot, "old": found.old_value, "new": found.new_value}
    body = {"correction": str(found.uid), "cells": [cell], "reason": found.reason}
    if not approve:
        body = {"correction": str(found.uid), "reason": found.answer}
    act = DONE if approve else "gradebook.correction.refused"
    ledger.append(register, act=act, body=body, actor=actor, at=now, person_id=found.learner_id)
    audit.record(actor, act, on=found, at=now, reason=found.reason, old=found.old_value, new=found.new_value)
    if approve:
        revise(actor, register.class_group, found.learner_id, register.term, reason=found.reason, now=now)
        events.publish(
            MarkCorrected(found.pk, found.learner_id, register.class_group_id, register.school_year, register.term),
            at=now,
        )
    return found


def _learner_uid(register: Register, correction: Correction) -> str:
    """Return the learner's uid as the entry that asked has it: her file may be another school's by now."""
    for entry in ledger.history(register):
        data = entry.document["data"]
        if data.get("correction") == str(correction.uid) and data.get("learner"):
            return str(data["learner"])
    return ""


def revise(
    actor: Actor, group: ClassGroup, learner_id: int, term: int, *, reason: str, now: datetime,
    decisions: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Make new revisions of a learner's results of a term and, where the year is closed, of the year.

    The caller holds the register; the Closing rows are locked here, in order. The old revisions stay. Where she
    changed class since, the year is the new class's, of another school perhaps: it is revised there, as the
    consequence it is, by the same act.
    """
    with scope.opened(everything=True):
        _revise(actor, group, learner_id, term, reason=reason, now=now, decisions=decisions)


def _revise(
    actor: Actor, group: ClassGroup, learner_id: int, term: int, *, reason: str, now: datetime,
    decisions: Mapping[str, Any] | None,
) -> None:  # fmt: skip
    year = Result.objects.filter(
        learner_id=learner_id, school_year=group.school_year, term=Term.YEAR, is_current=True
    ).select_related("class_group").order_by("class_group_id")  # fmt: skip
    last = group if term == Term.YEAR else next((one.class_group for one in year), group)
    changed = [(last, Term.YEAR.value)] if term == Term.YEAR else [(group, term), (last, Term.YEAR.value)]
    closings = {
        (one.class_group_id, one.term): one
        for one in Closing.objects.select_for_update(of=("self",))
        .filter(class_group__in={group.pk, last.pk}).order_by("pk")
    }  # fmt: skip
    for where, one in changed:
        closing = closings.get((where.pk, one))
        if closing is None or closing.closed_at is None:
            continue
        judged = _judged_again(where, learner_id, one, decisions)
        current = Result.objects.filter(
            learner_id=learner_id, class_group=where, school_year=where.school_year, term=one, is_current=True
        ).first()
        revision = current.revision + 1 if current else 1
        if current is not None:
            Result.objects.filter(pk=current.pk).update(is_current=False)
        insert_results(list(result_rows(judged[0], [judged[1]], now=now, revision=revision, reason=reason)))
        body = {
            "term": one, "learner": judged[1].learner.uid, "revision": revision, "result": judged[1].input_hash,
            "old": current.input_hash if current else "", "reason": reason,
        }  # fmt: skip
        ledger.append(closing, act="gradebook.result.revised", body=body, actor=actor, at=now, person_id=learner_id)


def _judged_again(
    group: ClassGroup, learner_id: int, term: int, decisions: Mapping[str, Any] | None
) -> tuple[Any, Judged]:
    [loaded] = class_terms([group.pk], school_year=group.school_year, term=term, also=[learner_id])
    loaded.learners = [one for one in loaded.learners if one.id == learner_id]
    if not loaded.learners:
        raise NotFound()
    if term == Term.YEAR:
        [learner] = loaded.learners
        kept = (learner.results.get(0) or {}).get("decisions") or {}
        loaded.learners = [replace(learner, decisions={**learner.decisions, **kept, **(decisions or {})})]
    judge = judging.judge_year if term == Term.YEAR else judging.judge_term
    try:
        [judged] = judge(loaded)
    except RuleError as error:
        raise Invalid(fields={"decisions": [str(error)]}) from error
    if judged.missing:
        raise refusal(judged.missing, group.grade)
    return loaded, judged


@transaction.atomic
def decide_year(
    *, actor: Actor, class_group: UUID | str, learner: str, decisions: Mapping[str, Any], reason: str, now: datetime,
    revision: int | None = None,
) -> None:  # fmt: skip
    """Put a decision on a closed year: results of re-assessment, conduct after summer, the principal's word.

    decisions   any of `retest` ({subject: tenths, "dat" or "chua_dat"}), `conduct_after_summer`,
                `principal_decision` (len_lop, o_lai_lop)
    revision    the result she decided upon; None takes the present one

    Makes a new revision of the year's result. Raises NotFound, NotAllowed unless the actor is the principal,
    RegisterOpen while the year is, Stale where the result is another by now, Invalid for a decision the rules do
    not open.
    """
    group = ClassGroup.objects.select_related("school").filter(uid=class_group).first()
    person = Person.objects.filter(uid=learner).first()
    if group is None or person is None or not actor.covers_school(group.school_id):
        raise NotFound()
    permissions.demand(actor, "gradebook.close_year", on=group, at=now)
    known = {"retest", "conduct_after_summer", "principal_decision"}
    level = decisions.get("conduct_after_summer")
    if not decisions or set(decisions) - known or (level is not None and level not in conduct_levels(group)):
        raise Invalid(fields={"decisions": [_("Quyết định không hợp lệ.")]})
    closing = Closing.objects.select_for_update(of=("self",)).filter(class_group=group, term=Term.YEAR).first()
    if closing is None or closing.closed_at is None:
        raise RegisterOpen()
    cause = _reason(reason)
    there = Result.objects.filter(learner=person, class_group=group, term=Term.YEAR, is_current=True).first()
    if there is not None and revision is not None and there.revision != revision:
        raise Stale(mine=revision, theirs=there.revision)
    revise(actor, group, person.pk, Term.YEAR.value, reason=cause, now=now, decisions=decisions)
    audit.record(
        actor, "gradebook.year.decide", on=group, at=now, reason=cause, person_id=person.pk, decisions=dict(decisions)
    )
    events.publish(MarkCorrected(0, person.pk, group.pk, group.school_year, 0), at=now)
