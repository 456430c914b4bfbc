"""Writes: prepare the transcripts of a class, approve their signing, begin a new version, revoke.

The order is the law's (TT 22/2021 Art. 18 to 20; the digital transcript of CV 119/BGDĐT-GDTH): data closed →
draft → approved and locked by the homeroom teacher, who signs → principal → seal of the school. An approval
is one act for a class; `signing` then signs each document by itself in a job.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from khue.kernel import audit, events, jobs, ledger, permissions, text
from khue.kernel.errors import DomainError, Invalid, NotFound, Stale
from khue.kernel.ids import uid7
from khue.kernel.ledger import canonical
from khue.kernel.permissions import Actor
from khue.register.people.models import Person
from khue.register.schooling.models import ClassGroup
from khue.school.gradebook.models import Closing, Result, Term
from khue.school.transcripts import building
from khue.school.transcripts.documents.content import ContentError, check
from khue.school.transcripts.events import TranscriptRevoked
from khue.school.transcripts.models import (
    ENDED_STATES,
    OPEN_STATES,
    Signing,
    SigningBatch,
    State,
    Transcript,
)
from khue.school.transcripts.permissions import OF_STEP

BEFORE = {
    Signing.HOMEROOM: State.LOCKED,
    Signing.PRINCIPAL: State.HOMEROOM,
    Signing.SEAL: State.PRINCIPAL,
}
"""The state in which a transcript waits for a signature."""


class YearNotClosed(DomainError):
    """The class's year is not closed; a transcript says only what is closed. Facts: class_name."""

    code, status = "transcripts.year-not-closed", 409
    title = _("Chưa lập được học bạ vì lớp %(class_name)s chưa khoá sổ cả năm.")
    advice = _("Hãy hoàn thành việc khoá sổ cả năm của lớp rồi lập học bạ.")


class SignatoryMissing(DomainError):
    """The class has no homeroom teacher or the school no leader; the form names both."""

    code, status = "transcripts.signatory-missing", 409
    title = _("Chưa lập được học bạ vì chưa có giáo viên chủ nhiệm hoặc hiệu trưởng.")
    advice = _("Hãy nhờ văn thư ghi đủ hai người này trong danh sách nhân sự rồi làm lại.")


class DataIncomplete(DomainError):
    """A learner's data do not make a transcript. Facts: name, place."""

    code, status = "transcripts.data-incomplete", 409
    title = _("Dữ liệu của %(name)s chưa đủ để lập học bạ.")
    advice = _("Hãy xem lại hồ sơ và kết quả của học sinh này (mục %(place)s).")


class NothingToSign(DomainError):
    """No transcript of the class waits for this signature."""

    code, status = "transcripts.nothing-to-sign", 409
    title = _("Không có học bạ nào của lớp đang chờ chữ ký này.")
    advice = _("Hãy tải lại trang để xem các học bạ đang ở bước nào.")


class NotTheSigner(DomainError):
    """The documents name another person for this signature. Facts: name."""

    code, status = "transcripts.not-the-signer", 409
    title = _("Học bạ ghi người ký là %(name)s, không phải người đang đăng nhập.")
    advice = _("Nếu người ký đã thay đổi, hãy trả lại và lập lại học bạ của lớp trước khi ký.")


class NotSealed(DomainError):
    """Only a sealed transcript can be corrected or revoked."""

    code, status = "transcripts.not-sealed", 409
    title = _("Học bạ này chưa có hiệu lực hoặc đã hết hiệu lực nên không làm việc này được.")


class CorrectionUnderWay(DomainError):
    """A newer version of this transcript is being prepared or signed."""

    code, status = "transcripts.correction-under-way", 409
    title = _("Đã có một phiên bản mới của học bạ này đang chờ ký.")


class NothingChanged(DomainError):
    """The data say what the sealed transcript says already."""

    code, status = "transcripts.nothing-changed", 409
    title = _("Dữ liệu hiện nay giống hệt học bạ đã ký, không có gì để sửa.")
    advice = _("Hãy sửa điểm hoặc hồ sơ theo quy trình trước, rồi lập phiên bản mới.")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What preparing a class did: how many drafts are new, renewed, as they were, and who has no result."""

    created: int
    renewed: int
    unchanged: int
    without_result: tuple[str, ...]


def content_hash(content: dict[str, Any]) -> str:
    """Return the SHA-256 of a content's canonical bytes in hexadecimal."""
    return hashlib.sha256(canonical.encode(content)).hexdigest()


@transaction.atomic
def prepare_class(*, actor: Actor, group: ClassGroup, now: datetime) -> Prepared:
    """Make or renew the drafts of a class whose year is closed. Doing it twice changes nothing.

    Transcripts that are locked, signed or sealed stay as they are. Raises YearNotClosed,
    SignatoryMissing, DataIncomplete.
    """
    permissions.demand(actor, "transcripts.prepare", on=group, at=now)
    closing = (
        Closing.objects.select_for_update(of=("self",)).filter(class_group=group, term=Term.YEAR).first()
    )
    if closing is None or closing.closed_at is None:
        raise YearNotClosed(class_name=group.name)
    results = {
        result.learner_id: result
        for result in Result.objects.filter(
            class_group=group, term=Term.YEAR, is_current=True, frozen_at__isnull=False
        )
    }
    held = list(Transcript.objects.select_for_update(of=("self",)).filter(class_group=group).order_by("pk"))
    drafts = {item.learner_id: item for item in held if item.state == State.DRAFT}
    busy = {item.learner_id for item in held if item.state not in (State.DRAFT, *ENDED_STATES)}
    wanted = sorted(set(results) - busy | set(drafts))
    facts = building.class_facts(group, now=now)
    _demand_signatories(facts)
    read = building.sources(facts, wanted)
    created, renewed = [], []
    ended = _last_ended(held)
    for learner_id in wanted:
        draft = drafts.get(learner_id)
        if draft is None:
            before = ended.get(learner_id)
            created.append(_new_draft(learner_id, results[learner_id], facts, read, before=before, now=now))
        elif _renew(draft, results.get(learner_id, draft.result), facts, read):
            renewed.append(draft)
    Transcript.objects.bulk_create(created)
    Transcript.objects.bulk_update(renewed, ["result", "content", "content_sha256"])
    audit.record(
        actor, "transcripts.class.prepare", on=group, at=now, created=len(created), renewed=len(renewed)
    )
    missing = _without_result(group, results)
    return Prepared(len(created), len(renewed), len(drafts) - len(renewed), missing)


def _demand_signatories(facts: building.ClassFacts) -> None:
    if not facts.signatories.homeroom or not facts.signatories.principal:
        raise SignatoryMissing()


def _last_ended(held: Iterable[Transcript]) -> dict[int, Transcript]:
    """Return the newest version of each learner that was sent back or revoked."""
    return {
        item.learner_id: item
        for item in sorted(held, key=lambda item: item.number)
        if item.state in ENDED_STATES
    }


def _without_result(group: ClassGroup, results: dict[int, Result]) -> tuple[str, ...]:
    placed = group.placements.filter(is_main=True, closed__in=("", "year_end", "completed"))
    found = placed.exclude(learner_id__in=list(results)).values_list("learner__name", flat=True)
    return tuple(sorted(found))


def _new_draft(
    learner_id: int, result: Result, facts: building.ClassFacts, read: building.Sources, *,
    before: Transcript | None, now: datetime, reason: str = "",
) -> Transcript:  # fmt: skip
    """Return an unsaved draft: the first version, or the one after `before`."""
    uid = uid7()
    number = 1 if before is None else before.number + 1
    reason = reason or (before.end_reason if before else "")
    content = _content(learner_id, facts, read, str(uid), number, before, reason)
    group = facts.group
    return Transcript(
        uid=uid,
        learner_id=learner_id,
        class_group=group,
        school_id=group.school_id,
        school_year=group.school_year,
        number=number,
        result=result,
        content=content,
        content_sha256=content_hash(content),
        supersedes=before,
        reason=reason,
    )


def _content(
    learner_id: int, facts: building.ClassFacts, read: building.Sources, uid: str, number: int,
    before: Transcript | None, reason: str,
) -> dict[str, Any]:  # fmt: skip
    """Return the checked content; names the version it takes the place of where that one was sealed."""
    named = None
    if before is not None and before.sealed_at is not None:
        named = {
            "uid": str(before.uid),
            "version": before.number,
            "content_sha256": before.content_sha256,
            "reason": reason,
        }
    content = building.content_of(
        learner_id, facts=facts, read=read, uid=uid, number=number, supersedes=named
    )
    try:
        check(content)
    except ContentError as error:
        place = str(error).partition(":")[0].removeprefix("content.")
        raise DataIncomplete(name=read.people[learner_id].name, place=place) from error
    return content


def _renew(draft: Transcript, result: Result, facts: building.ClassFacts, read: building.Sources) -> bool:
    """Bring a draft up to date and return whether that changed it; a new date alone changes nothing."""
    content = _content(
        draft.learner_id, facts, read, str(draft.uid), draft.number, draft.supersedes, draft.reason
    )
    if content | {"drawn_on": draft.content["drawn_on"]} == draft.content:
        return False
    draft.result, draft.content, draft.content_sha256 = result, content, content_hash(content)
    return True


# -- approving ---------------------------------------------------------------------------------------------


@transaction.atomic
def approve(
    *, actor: Actor, group: ClassGroup, step: str, now: datetime, documents: Sequence[tuple[str, str]] | None = None
) -> SigningBatch:  # fmt: skip
    """Approve one signature for all transcripts of the class that wait for it, and start the signing job.

    documents  (uid, content hash) of what the approver was shown; None approves what waits now. Where it
               differs from what waits, Stale is raised and nothing is approved.

    The homeroom teacher's approval locks the drafts. Raises NothingToSign, NotTheSigner, Stale, and
    NoRecentCheckpoint while the ledger does not leave the machine.
    """
    step = Signing(step)
    permissions.demand(actor, OF_STEP[step], on=group, at=now)
    ledger.require_recent_checkpoint(now)
    if step == Signing.HOMEROOM:
        waiting = _waiting(group, (State.DRAFT, State.LOCKED))
    else:
        waiting = _waiting(group, (BEFORE[step],))
    if not waiting:
        raise NothingToSign()
    shown = {(str(item.uid), item.content_sha256) for item in waiting}
    if documents is not None and shown != set(documents):
        raise Stale(mine=len(documents), theirs=len(shown))
    name = _signer_name(actor, step, waiting, group)
    for item in waiting:
        if item.state == State.DRAFT:
            item.state, item.locked_at = State.LOCKED, now
            item.save(update_fields=["state", "locked_at"])
    batch = SigningBatch.objects.create(
        class_group=group, school_id=group.school_id, school_year=group.school_year, step=step,
        account_id=actor.account_id, signer_name=name, approved_at=now,
        documents=[[item.pk, item.content_sha256] for item in waiting],
    )  # fmt: skip
    batch.job = jobs.start(
        "transcripts.sign",
        actor=actor,
        title=str(_("%(step)s: lớp %(name)s")) % {"step": step.label, "name": group.name},
        at=now,
        school_id=group.school_id,
        parameters={"batch": batch.pk},
        total=len(waiting),
        key=f"transcripts.sign:{batch.uid}",
    )
    batch.save(update_fields=["job"])
    audit.record(actor, "transcripts.batch.approve", on=batch, at=now, step=step.value, count=len(waiting))
    return batch


def _waiting(group: ClassGroup, states: Iterable[str]) -> list[Transcript]:
    found = Transcript.objects.select_for_update(of=("self",)).filter(class_group=group, state__in=states)
    return list(found.order_by("pk"))


def _signer_name(actor: Actor, step: Signing, waiting: Sequence[Transcript], group: ClassGroup) -> str:
    """Return the name the signature bears; raises NotTheSigner when a document names another person."""
    if step == Signing.SEAL:
        return group.school.name
    person = Person.objects.filter(pk=actor.person_id or 0).first()
    for item in waiting:
        named = item.content["signers"][step.value]
        if person is None or text.clean(named) != text.clean(person.name):
            raise NotTheSigner(name=named)
    assert person is not None
    return person.name


# -- new versions ------------------------------------------------------------------------------------------


@transaction.atomic
def correct(*, actor: Actor, uid: str, reason: str, now: datetime) -> Transcript:
    """Begin a new version of a sealed transcript from the data of today; the old one stays valid until
    the new one is sealed, and stays readable for ever.

    Raises NotSealed, CorrectionUnderWay, NothingChanged, Invalid without a reason.
    """
    old = _held(uid)
    permissions.demand(actor, "transcripts.prepare", on=old, at=now)
    reason = _demand_reason(reason)
    if old.state != State.SEALED:
        raise NotSealed()
    others = Transcript.objects.filter(class_group_id=old.class_group_id, learner_id=old.learner_id)
    if others.filter(state__in=OPEN_STATES).exists():
        raise CorrectionUnderWay()
    facts = building.class_facts(old.class_group, now=now)
    _demand_signatories(facts)
    read = building.sources(facts, [old.learner_id])
    result = read.results[old.learner_id][Term.YEAR]
    last = others.order_by("-number").first()
    new = _new_draft(old.learner_id, result, facts, read, before=old, now=now, reason=reason)
    new.number = (last or old).number + 1
    new.content = _content(old.learner_id, facts, read, str(new.uid), new.number, old, reason)
    new.content_sha256 = content_hash(new.content)
    if _substance(new.content) == _substance(old.content):
        raise NothingChanged()
    new.save()
    audit.record(actor, "transcripts.version.begin", on=new, at=now, reason=reason, number=new.number)
    return new


def _substance(content: dict[str, Any]) -> dict[str, Any]:
    """Return what a transcript says of the learner, without what differs in every version."""
    changing = ("uid", "version", "supersedes", "drawn_on", "signers", "principal_title")
    return {name: value for name, value in content.items() if name not in changing}


@transaction.atomic
def send_back(*, actor: Actor, uid: str, reason: str, now: datetime) -> Transcript:
    """End a version that is locked or signed but not sealed, with the reason; the next `prepare_class`
    makes a new one. Raises NotSealed for one that is sealed or ended, Invalid without a reason."""
    held = _held(uid)
    may = [
        code
        for code in ("transcripts.sign_principal", "transcripts.sign_homeroom", "transcripts.seal")
        if permissions.allowed(actor, code, on=held, at=now)
    ]
    permissions.demand(actor, may[0] if may else "transcripts.sign_principal", on=held, at=now)
    reason = _demand_reason(reason)
    if held.state not in (State.LOCKED, State.HOMEROOM, State.PRINCIPAL):
        raise NotSealed()
    return _end(actor, held, "transcripts.version.send-back", reason, now)


@transaction.atomic
def revoke(*, actor: Actor, uid: str, reason: str, now: datetime) -> Transcript:
    """Revoke a sealed transcript (thu hồi) with nothing in its place. Raises NotSealed, Invalid."""
    held = _held(uid)
    permissions.demand(actor, "transcripts.revoke", on=held, at=now)
    ledger.require_recent_checkpoint(now)
    reason = _demand_reason(reason)
    if held.state != State.SEALED:
        raise NotSealed()
    ended = _end(actor, held, "transcripts.revoke", reason, now)
    events.publish(TranscriptRevoked(ended.pk, ended.learner_id, ended.school_id), at=now)
    return ended


def _end(actor: Actor, held: Transcript, act: str, reason: str, now: datetime) -> Transcript:
    held.state, held.ended_at, held.end_reason = State.REVOKED, now, reason
    held.save(update_fields=["state", "ended_at", "end_reason"])
    body = {"number": held.number, "content": held.content_sha256, "reason": reason}
    ledger.append(held, act=act, body=body, actor=actor, at=now, person_id=held.learner_id)
    audit.record(actor, act, on=held, at=now, reason=reason)
    return held


def _held(uid: str) -> Transcript:
    """Return a transcript under its lock; raises NotFound where the scope does not show it."""
    found = (
        Transcript.objects.select_for_update(of=("self",))
        .select_related("class_group__school", "class_group__homeroom__person")
        .filter(uid=uid)
        .first()
    )
    if found is None:
        raise NotFound()
    return found


def _demand_reason(reason: str) -> str:
    cleaned = text.clean(reason)
    if len(cleaned) < 5:
        raise Invalid(fields={"reason": [str(_("Hãy ghi lý do, ít nhất 5 chữ."))]})
    return cleaned[:500]
