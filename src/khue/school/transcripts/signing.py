"""The job that signs: each document of an approval by itself, one transaction a document.

Runs in the worker, the only process that reaches keys. A document whose signature is there already is
passed over, so the job may be killed and started again anywhere. Bytes are written before the row that
names them commits; without the row they are nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from khue.kernel import audit, events, faults, files, jobs, ledger, permissions
from khue.kernel.errors import DomainError
from khue.kernel.jobs import Step
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.kernel.sealing import keyring
from khue.kernel.sealing.identity import Identity, SignerRole
from khue.kernel.sealing.signers import Signer
from khue.kernel.sealing.stamps import stamp
from khue.kernel.sealing.xml import sign_xml
from khue.register.staff.models import Position, Post
from khue.school.transcripts import verifying
from khue.school.transcripts.documents import twin
from khue.school.transcripts.documents.render import FIELDS, render
from khue.school.transcripts.events import TranscriptSealed, TranscriptSigned
from khue.school.transcripts.models import (
    Signing,
    SigningBatch,
    State,
    Transcript,
    TranscriptSignature,
)
from khue.school.transcripts.permissions import OF_STEP
from khue.school.transcripts.services import BEFORE, NotTheSigner

PUBLIC_PATH = "/xac-minh/{token}/"
"""Printed on paper, so it never changes; `gateway.portal` answers there."""

FIELD_OF = dict(zip(Signing, (field.name for field in FIELDS), strict=True))
AFTER = {
    Signing.HOMEROOM: State.HOMEROOM,
    Signing.PRINCIPAL: State.PRINCIPAL,
    Signing.SEAL: State.SEALED,
}
ROLES = {
    Position.TEACHER: SignerRole.TEACHER,
    Position.VICE_PRINCIPAL: SignerRole.VICE_PRINCIPAL,
    Position.PRINCIPAL: SignerRole.PRINCIPAL,
}
REASONS = {
    Signing.HOMEROOM: "Xác nhận của giáo viên chủ nhiệm",
    Signing.PRINCIPAL: "Phê duyệt của lãnh đạo nhà trường",
    Signing.SEAL: "Đóng dấu của nhà trường",
}


class SelfCheckFailed(DomainError):
    """A document just sealed does not verify; it is not kept. Facts: problems."""

    code, status = "transcripts.self-check-failed", 500
    title = _("Học bạ vừa ký không qua được bước tự kiểm tra nên không được lưu.")
    advice = _("Hãy báo người quản trị hệ thống kiểm tra chứng thư số.")


def address_of(token: str) -> str:
    """Return the public address where a version can be checked; it stands in the QR code."""
    return settings.KHUE_PUBLIC_URL.rstrip("/") + PUBLIC_PATH.format(token=token)


@dataclass(frozen=True, slots=True)
class Files:
    """A transcript's two files."""

    pdf: bytes
    xml: bytes


def unsigned(transcript: Transcript) -> Files:
    """Return the files of a transcript before the first signature, always the same bytes."""
    made = transcript.locked_at or transcript.created_at
    pdf = render(transcript.content, verification_address=address_of(transcript.token), created_at=made)
    return Files(pdf, twin.write(transcript.content))


@jobs.kind("transcripts.sign", _("Ký học bạ"))
def sign_batch(job: Job, actor: Actor) -> Iterator[Step]:
    """Sign the documents of one approval, one a step."""
    batch = SigningBatch.objects.select_related("class_group__school").get(pk=job.parameters["batch"])
    step = Signing(batch.step)
    signer = keyring.signer_for(identity_for(batch, step, actor, now=timezone.now()), now=timezone.now())
    signed, passed = job.cursor.get("signed", 0), job.cursor.get("passed", 0)
    for index in range(job.cursor.get("next", 0), len(batch.documents)):
        transcript_id, content_sha256 = batch.documents[index]
        done = sign_one(
            actor=actor, batch=batch, transcript_id=transcript_id, content_sha256=content_sha256,
            signer=signer, now=timezone.now(),
        )  # fmt: skip
        signed, passed = signed + done, passed + (not done)
        faults.hit("transcripts.sign.before_progress")
        yield Step(
            done=index + 1,
            cursor={"next": index + 1, "signed": signed, "passed": passed},
            result={"signed": signed, "passed": passed},
            result_url=reverse("transcripts:class", args=[batch.class_group.uid]),
        )


def identity_for(batch: SigningBatch, step: Signing, actor: Actor, *, now: datetime) -> Identity:
    """Return whose key signs: the approver's own, or the school's seal. Raises NotTheSigner."""
    school = batch.class_group.school
    if step == Signing.SEAL:
        return Identity(school.name, SignerRole.SEAL, school.name, school.code, school.code)
    post = (
        Post.objects.select_related("person")
        .filter(person_id=actor.person_id or 0, school_id=school.pk, valid__contains=local_day(now))
        .first()
    )
    if post is None or post.position not in ROLES:
        raise NotTheSigner(name=batch.signer_name)
    person = post.person
    return Identity(person.name, ROLES[Position(post.position)], school.name, school.code, person.code)


def sign_one(
    *, actor: Actor, batch: SigningBatch, transcript_id: int, content_sha256: str, signer: Signer, now: datetime
) -> bool:  # fmt: skip
    """Sign one transcript in the caller's transaction; return False when it need not or may not be.

    It is passed over when the signature is there, or the document is no longer what was approved (sent
    back meanwhile). Raises NotAllowed when the approver has lost the right.
    """
    from khue.kernel.sealing.pdf import sign_pdf  # loads for a second, and most processes never sign

    step = Signing(batch.step)
    held = (
        Transcript.objects.select_for_update(of=("self",)).select_related("supersedes").get(pk=transcript_id)
    )
    permissions.demand(actor, OF_STEP[step], on=held, at=now)
    if held.state != BEFORE[step] or held.content_sha256 != content_sha256:
        return False
    before = _files_before(held, step)
    field, look = FIELD_OF[step], stamp(signer.certificate, now)
    fields = FIELDS if step == Signing.HOMEROOM else ()
    after = Files(
        pdf=sign_pdf(
            before.pdf, field=field, signer=signer, signed_at=now, reason=REASONS[step], stamp=look, fields=fields
        ),
        xml=sign_xml(before.xml, field=field, signer=signer, signed_at=now),
    )  # fmt: skip
    faults.hit("transcripts.sign.after_signing")
    if step == Signing.SEAL:
        _self_check(held, after, now)
    signature = _keep(held, batch, step, signer, after, actor, now)
    faults.hit("transcripts.sign.after_files")
    _advance(held, signature, actor, now)
    return True


def _files_before(held: Transcript, step: Signing) -> Files:
    if step == Signing.HOMEROOM:
        return unsigned(held)
    earlier = list(Signing)[list(Signing).index(step) - 1]
    last = TranscriptSignature.objects.select_related("pdf", "xml").get(transcript=held, step=earlier)
    return Files(files.read(last.pdf), files.read(last.xml))


def _self_check(held: Transcript, made: Files, now: datetime) -> None:
    """Verify a document just sealed, against the files the register has of its earlier stages."""
    stages = {FIELD_OF[Signing(item.step)]: item.pdf.sha256 for item in held.signatures.select_related("pdf")}
    stages[FIELD_OF[Signing.SEAL]] = hashlib.sha256(made.pdf).hexdigest()
    problems = verifying.problems_of(held, pdf=made.pdf, xml=made.xml, now=now, stages=stages)
    if problems:
        raise SelfCheckFailed(problems=[f"{item.code} {item.field}".strip() for item in problems])


def _keep(
    held: Transcript, batch: SigningBatch, step: Signing, signer: Signer, made: Files, actor: Actor, now: datetime
) -> TranscriptSignature:  # fmt: skip
    """Store both files and the signature's row."""
    base = f"hoc-ba-{held.content['learner']['code']}-{held.school_year}-v{held.number}"
    whose = {"school_id": held.school_id, "person_id": held.learner_id, "account_id": actor.account_id}
    pdf = files.store(
        made.pdf, name=f"{base}.pdf", content_type="application/pdf", purpose="transcripts.pdf", **whose
    )
    xml = files.store(
        made.xml, name=f"{base}.xml", content_type="application/xml", purpose="transcripts.xml", **whose
    )
    identity = verifying.identity_of(signer.certificate)
    return TranscriptSignature.objects.create(
        transcript=held, learner_id=held.learner_id, school_id=held.school_id, step=step, batch=batch,
        account_id=actor.account_id, signer_name=identity.name, signer_role=str(identity.role or ""),
        certificate_sha256=verifying.fingerprint(signer.certificate), signed_at=now, pdf=pdf, xml=xml,
    )  # fmt: skip


def _advance(held: Transcript, signature: TranscriptSignature, actor: Actor, now: datetime) -> None:
    """Move the state on; a sealed version takes the place of the one before it in the same transaction."""
    step = Signing(signature.step)
    sealed = step == Signing.SEAL
    if sealed:
        _supersede(held, actor, now)
    held.state = AFTER[step]
    held.sealed_at = now if sealed else None
    held.save(update_fields=["state", "sealed_at"])
    faults.hit("transcripts.sign.after_state")
    body = {
        "step": step.value, "number": held.number, "content": held.content_sha256,
        "pdf": signature.pdf.sha256, "xml": signature.xml.sha256, "certificate": signature.certificate_sha256,
    }  # fmt: skip
    ledger.append(held, act="transcripts.sign", body=body, actor=actor, at=now, person_id=held.learner_id)
    audit.record(actor, f"transcripts.sign.{step.value}", on=held, at=now, number=held.number)
    events.publish(TranscriptSigned(held.pk, held.learner_id, held.school_id, step.value), at=now)
    if sealed:
        event = TranscriptSealed(
            held.pk, held.learner_id, held.school_id, held.school_year, held.supersedes_id
        )
        events.publish(event, at=now)


def _supersede(held: Transcript, actor: Actor, now: datetime) -> None:
    others = Transcript.objects.select_for_update(of=("self",)).filter(
        class_group_id=held.class_group_id, learner_id=held.learner_id, state=State.SEALED
    )
    for old in others.order_by("pk"):
        old.state, old.ended_at, old.end_reason = State.SUPERSEDED, now, held.reason
        old.save(update_fields=["state", "ended_at", "end_reason"])
        body = {
            "number": old.number,
            "content": old.content_sha256,
            "by": str(held.uid),
            "reason": held.reason,
        }
        ledger.append(
            old, act="transcripts.supersede", body=body, actor=actor, at=now, person_id=old.learner_id
        )
        audit.record(actor, "transcripts.supersede", on=old, at=now, reason=held.reason)
