"""Transcripts for other systems: what is there, its files, and the approvals."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Field, Router, Schema

from khue.kernel import audit
from khue.kernel.errors import NotFound
from khue.school.transcripts import queries, services, views
from khue.school.transcripts.models import Signing, Transcript

router = Router()


class SignatureOut(Schema):
    """One signature; files by their SHA-256."""

    step: str
    signer: str
    role: str
    signed_at: datetime
    certificate_sha256: str
    pdf_sha256: str
    xml_sha256: str


class TranscriptLine(Schema):
    """One version of one learner's transcript."""

    uid: UUID
    learner: UUID
    learner_code: str
    class_group: UUID | None
    school_year: int
    number: int
    state: str
    content_sha256: str
    sealed_at: datetime | None
    ended_at: datetime | None
    supersedes: UUID | None


class TranscriptOut(TranscriptLine):
    """A version with its content (urn:khue:transcript:1) and its signatures."""

    content: dict[str, Any]
    signatures: list[SignatureOut]


class PreparedOut(Schema):
    """What preparing a class did."""

    created: int
    renewed: int
    unchanged: int
    without_result: list[str]


class DocumentIn(Schema):
    """One transcript with the content hash the approver has seen."""

    uid: UUID
    content_sha256: str = Field(pattern="^[0-9a-f]{64}$")


class ApprovalIn(Schema):
    """Which signature over which documents; without documents it covers what waits now."""

    step: Signing
    documents: list[DocumentIn] | None = Field(default=None, max_length=200)


class ApprovalOut(Schema):
    """The approval and the job that signs."""

    uid: UUID
    step: str
    count: int
    job: UUID


class ReasonIn(Schema):
    """Why."""

    reason: str = Field(min_length=5, max_length=500)


def _line(item: Transcript, class_group: UUID | None) -> dict[str, Any]:
    return {
        "uid": item.uid,
        "learner": item.learner.uid,
        "learner_code": item.learner.code,
        "class_group": class_group,
        "school_year": item.school_year,
        "number": item.number,
        "state": item.state,
        "content_sha256": item.content_sha256,
        "sealed_at": item.sealed_at,
        "ended_at": item.ended_at,
        "supersedes": item.supersedes.uid if item.supersedes else None,
    }


@router.get("/class-groups/{uid}/transcripts", response=list[TranscriptLine], operation_id="list_transcripts")
def list_transcripts(request: HttpRequest, uid: UUID) -> list[dict[str, Any]]:
    """Return the newest version of each learner's transcript of a class, in name order."""
    sheet = queries.class_sheet(request.actor, str(uid), now=timezone.now())
    audit.looked(request, [(row.learner.pk, sheet.group.school_id) for row in sheet.rows], "transcripts")
    newest = [row.transcript.pk for row in sheet.rows if row.transcript]
    found = Transcript.objects.filter(pk__in=newest).select_related("learner", "supersedes")
    by_key = {item.pk: item for item in found.defer("content")}
    return [_line(by_key[key], uid) for key in newest]


@router.post("/class-groups/{uid}/transcripts", response=PreparedOut, operation_id="prepare_transcripts")
def prepare_transcripts(request: HttpRequest, uid: UUID) -> services.Prepared:
    """Make or renew the drafts of a class whose year is closed."""
    now = timezone.now()
    group = queries.group_of(request.actor, str(uid), now=now)
    return services.prepare_class(actor=request.actor, group=group, now=now)


@router.post("/class-groups/{uid}/approvals", response=ApprovalOut, operation_id="approve_transcripts")
def approve_transcripts(request: HttpRequest, uid: UUID, body: ApprovalIn) -> dict[str, Any]:
    """Approve one signature for a class and start the signing job."""
    now = timezone.now()
    group = queries.group_of(request.actor, str(uid), now=now)
    pairs = None
    if body.documents is not None:
        pairs = [(str(item.uid), item.content_sha256) for item in body.documents]
    batch = services.approve(actor=request.actor, group=group, step=body.step, now=now, documents=pairs)
    assert batch.job is not None
    return {"uid": batch.uid, "step": batch.step, "count": len(batch.documents), "job": batch.job.uid}


@router.get("/transcripts/{uid}", response=TranscriptOut, operation_id="get_transcript")
def get_transcript(request: HttpRequest, uid: UUID) -> dict[str, Any]:
    """Return one version with its content and signatures."""
    page = queries.page(request.actor, str(uid), now=timezone.now())
    found = page.transcript
    audit.looked(request, [(found.learner_id, found.school_id)], "transcript")
    signatures = [
        {
            "step": item.step,
            "signer": item.signer_name,
            "role": item.signer_role,
            "signed_at": item.signed_at,
            "certificate_sha256": item.certificate_sha256,
            "pdf_sha256": item.pdf.sha256,
            "xml_sha256": item.xml.sha256,
        }
        for item in page.signatures
    ]
    return _line(found, page.class_uid) | {"content": found.content, "signatures": signatures}


@router.get("/transcripts/{uid}/files/{kind}", operation_id="get_transcript_file")
def get_transcript_file(request: HttpRequest, uid: UUID, kind: str) -> HttpResponse:
    """Return the PDF or the XML of a version; `kind` is pdf or xml."""
    if kind not in ("pdf", "xml"):
        raise NotFound()
    return views.copy(request, uid, kind)


@router.post("/transcripts/{uid}/versions", response=TranscriptLine, operation_id="correct_transcript")
def correct_transcript(request: HttpRequest, uid: UUID, body: ReasonIn) -> dict[str, Any]:
    """Begin a new version of a sealed transcript from today's data."""
    made = services.correct(actor=request.actor, uid=str(uid), reason=body.reason, now=timezone.now())
    return _line(made, queries.class_uid_of(made))


@router.post("/transcripts/{uid}/revocation", response=TranscriptLine, operation_id="revoke_transcript")
def revoke_transcript(request: HttpRequest, uid: UUID, body: ReasonIn) -> dict[str, Any]:
    """Revoke a sealed transcript."""
    made = services.revoke(actor=request.actor, uid=str(uid), reason=body.reason, now=timezone.now())
    return _line(made, queries.class_uid_of(made))
