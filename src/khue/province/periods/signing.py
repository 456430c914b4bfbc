"""The job that signs: each snapshot of an approval by itself, in the worker, the only process that reaches keys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cryptography.hazmat.primitives import hashes
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from lxml import etree

from khue.kernel import audit, events, faults, jobs, ledger, permissions
from khue.kernel.jobs import Step
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.kernel.sealing import keyring
from khue.kernel.sealing.checks import Problem, Requirement, judge
from khue.kernel.sealing.identity import Identity, SignerRole
from khue.kernel.sealing.signers import Signer
from khue.kernel.sealing.xml import CONTENT_ID, parse_xml, sign_xml, to_bytes, verify_xml
from khue.province.periods.events import SubmissionMoved
from khue.province.periods.freezing import act_of
from khue.province.periods.models import (
    State,
    Submission,
    SubmissionAct,
    SubmissionApproval,
    SubmissionSignature,
)
from khue.province.periods.services import NotTheHead
from khue.register.orgs.models import Unit
from khue.register.staff.models import Position, Post

NAMESPACE = "urn:khue:submission:1"
FIELD = "head"
SIGN = "periods.sign"
REQUIREMENTS = (Requirement(FIELD, frozenset({SignerRole.PRINCIPAL})),)


def statement(held: Submission) -> bytes:
    """Return the unsigned statement of a head: which snapshot of which school, by its hash and its counts."""
    root = etree.Element(f"{{{NAMESPACE}}}submission", nsmap={None: NAMESPACE})
    body = etree.SubElement(root, f"{{{NAMESPACE}}}content", Id=CONTENT_ID)
    facts = {
        "period": str(held.period.uid), "name": held.period.name, "schoolYear": str(held.school_year), "day": held.period.reference_on.isoformat(),
        "school": held.school.code, "number": str(held.snapshot.number), "sha256": held.snapshot.sha256,
        "takenAt": held.snapshot.taken_at.astimezone(timezone.get_default_timezone()).isoformat(timespec="seconds"),
    }  # fmt: skip
    for name, value in facts.items():
        etree.SubElement(body, f"{{{NAMESPACE}}}{name}").text = value
    counts = etree.SubElement(body, f"{{{NAMESPACE}}}counts")
    for name, count in sorted(held.snapshot.counts.items()):
        etree.SubElement(counts, f"{{{NAMESPACE}}}count", of=name).text = str(count)
    return to_bytes(root)


def problems(signature: SubmissionSignature, *, now: datetime) -> tuple[Problem, ...]:
    """Return what is wrong with a signature: certificate, integrity, capacity, school, or that it names another snapshot."""
    held = signature.submission
    found = verify_xml(bytes(signature.xml), keyring.trust(), now=now, proven_at=signature.signed_at)
    wrong = judge(found.checks, REQUIREMENTS, organisation_id=held.school.code)
    if found.content is None or _told(found.content, "sha256") != signature.snapshot.sha256 or _told(found.content, "school") != held.school.code:
        wrong += (Problem("other-content", FIELD),)
    return wrong


def _told(content: bytes, name: str) -> str:
    node = parse_xml(content).find(f".//{{{NAMESPACE}}}{name}")
    return (node.text or "") if node is not None else ""


def identity_for(actor: Actor, school: Unit, *, now: datetime) -> Identity:
    """Return the head's identity at her school that day; raises NotTheHead."""
    post = (
        Post.objects.select_related("person")
        .filter(person_id=actor.person_id or 0, school_id=school.pk, position=Position.PRINCIPAL, valid__contains=local_day(now)).first()
    )  # fmt: skip
    if post is None:
        raise NotTheHead(school=school.name)
    return Identity(post.person.name, SignerRole.PRINCIPAL, school.name, school.code, post.person.code)


@jobs.kind(SIGN, _("Ký số liệu của trường"))
def sign(job: Job, actor: Actor) -> Iterator[Step]:
    """Sign the snapshots of one approval, one a step; what is signed already, or no longer what was approved, is passed over."""
    approval = SubmissionApproval.objects.select_related("school").get(pk=job.parameters["approval"])
    signer = keyring.signer_for(identity_for(actor, approval.school, now=timezone.now()), now=timezone.now())
    signed, passed = job.cursor.get("signed", 0), job.cursor.get("passed", 0)
    for index in range(job.cursor.get("next", 0), len(approval.documents)):
        submission_id, sha256 = approval.documents[index]
        done, uid = sign_one(approval, submission_id, sha256, actor=actor, signer=signer, now=timezone.now())
        signed, passed = signed + done, passed + (not done)
        faults.hit("periods.sign.before_progress")
        yield Step(
            done=index + 1, total=len(approval.documents), cursor={"next": index + 1, "signed": signed, "passed": passed},
            result={"signed": signed, "passed": passed}, result_url=reverse("periods:submission", args=[uid]),
        )  # fmt: skip


def sign_one(
    approval: SubmissionApproval, submission_id: int, sha256: str, *, actor: Actor, signer: Signer, now: datetime
) -> tuple[bool, str]:
    """Sign one snapshot in the caller's transaction; returns whether it was, and the submission's uid. Raises NotAllowed."""
    held = Submission.objects.select_for_update(of=("self",)).select_related("period", "school", "snapshot").get(pk=submission_id)
    permissions.demand(actor, "periods.sign", on=held, at=now)
    if held.state != State.WAITING or held.snapshot.sha256 != sha256:
        return False, str(held.uid)
    xml = sign_xml(statement(held), field=FIELD, signer=signer, signed_at=now)
    faults.hit("periods.sign.after_signing")
    SubmissionSignature.objects.create(
        submission=held, snapshot=held.snapshot, school_id=held.school_id, approval=approval, signer_name=approval.signer_name,
        signer_role=SignerRole.PRINCIPAL.value, certificate_sha256=signer.certificate.fingerprint(hashes.SHA256()).hex(), signed_at=now, xml=xml,
    )  # fmt: skip
    held.state, held.step, held.signed_at = State.CHECKING, 0, now
    held.at_unit_id = held.path[0] if held.path else None
    held.save(update_fields=["state", "step", "signed_at", "at_unit"])
    act_of(held, SubmissionAct.Act.SIGN, actor=actor, now=now).save()
    body = {"sha256": sha256, "number": held.snapshot.number, "certificate": signer.certificate.fingerprint(hashes.SHA256()).hex()}
    ledger.append(held, act="periods.sign", body=body, actor=actor, at=now)
    audit.record(actor, "periods.submission.sign", on=held, at=now, sha256=sha256)
    events.publish(SubmissionMoved(str(held.period.uid), str(held.uid), held.school_id, "sign", held.state, sha256), at=now)
    faults.hit("periods.sign.before_commit")
    return True, str(held.uid)
