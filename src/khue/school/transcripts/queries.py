"""Reads: classes with how far their transcripts are, one class, one transcript with its history, its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from khue.kernel import files, ledger, permissions
from khue.kernel.database import scope
from khue.kernel.errors import NotAllowed, NotFound
from khue.kernel.jobs.models import Job
from khue.kernel.ledger.models import Entry
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.people.models import Person
from khue.register.schooling.models import ClassGroup
from khue.school.gradebook.models import Closing, Result, Term
from khue.school.transcripts import signing, verifying
from khue.school.transcripts.models import (
    ENDED_STATES,
    Signing,
    SigningBatch,
    State,
    Transcript,
    TranscriptSignature,
)
from khue.school.transcripts.permissions import OF_STEP
from khue.school.transcripts.services import BEFORE

OTHER_CONTENT, OTHER_FILE = verifying.OTHER_CONTENT, verifying.OTHER_FILE
"""Codes of problems besides those of `kernel.sealing`, for whoever puts them into words."""

CAPACITIES: dict[Signing, str | Promise] = {
    Signing.HOMEROOM: _("Giáo viên chủ nhiệm"),
    Signing.PRINCIPAL: "",
    Signing.SEAL: _("Con dấu số của trường"),
}
"""In what capacity each signature is given; for the leader of the school the certificate says it."""

FAMILY_ROLES = ("guardian", "learner")
SHOWN_TO_FAMILY = (State.SEALED, *ENDED_STATES)


@dataclass(frozen=True, slots=True)
class ClassLine:
    """One class in the list: its learners' results and its transcripts by state."""

    group: ClassGroup
    is_closed: bool
    results: int
    drafts: int
    homeroom: int
    principal: int
    seal: int
    sealed: int


def classes(actor: Actor, *, school_year: int, now: datetime) -> list[ClassLine]:
    """Return the classes of a year whose transcripts the actor may see, in two statements."""
    if not permissions.holds(actor, "transcripts.view"):
        raise NotAllowed(right="transcripts.view")
    found = ClassGroup.objects.filter(school_year=school_year, grade__gte=1)
    if actor.schools is not None:
        found = found.filter(school_id__in=actor.schools)
    if actor.role == "homeroom_teacher":
        found = found.filter(
            homeroom__person_id=actor.person_id or 0, homeroom__valid__contains=local_day(now)
        )
    counted = {
        name: Count("transcripts", filter=Q(transcripts__state__in=states))
        for name, states in {
            "drafts": [State.DRAFT], "homeroom_due": [State.LOCKED], "principal_due": [State.HOMEROOM],
            "seal_due": [State.PRINCIPAL], "sealed_count": [State.SEALED],
        }.items()
    }  # fmt: skip
    groups = list(
        found.select_related("school", "homeroom__person")
        .annotate(**counted)
        .order_by("school__name", "grade", "name")[:500]
    )
    results = {
        row["class_group_id"]: row
        for row in Result.objects.filter(class_group__in=groups, term=Term.YEAR, is_current=True)
        .values("class_group_id")
        .annotate(count=Count("pk"), frozen=Count("pk", filter=Q(frozen_at__isnull=False)))
    }
    lines = []
    for group in groups:
        row = results.get(group.pk, {"count": 0, "frozen": 0})
        lines.append(
            ClassLine(
                group, row["count"] > 0 and row["count"] == row["frozen"], row["count"], group.drafts,
                group.homeroom_due, group.principal_due, group.seal_due, group.sealed_count,
            )
        )  # fmt: skip
    return lines


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One learner of a class with the newest version of her transcript, if there is one.

    is_correction  an older version is still in force until this one is sealed
    is_outdated    the result was corrected after this version was locked: a new version is due
    """

    learner: Person
    transcript: Transcript | None
    is_correction: bool
    is_outdated: bool


@dataclass(frozen=True, slots=True)
class Action:
    """What the actor may do for the whole class now: a signature over `documents` (uid, content hash)."""

    step: Signing
    documents: Sequence[tuple[str, str]]

    @property
    def count(self) -> int:
        """Return how many transcripts wait."""
        return len(self.documents)


@dataclass(frozen=True, slots=True)
class ClassSheet:
    """A class's transcripts. `may_prepare` also says that the year is closed."""

    group: ClassGroup
    closed_at: datetime | None
    rows: Sequence[SheetRow]
    counts: Counter[str]
    may_prepare: bool
    actions: Sequence[Action]
    jobs: Sequence[Job]


def group_of(actor: Actor, uid: str, *, now: datetime) -> ClassGroup:
    """Return a class whose transcripts the actor may see, with when its year was closed and the signing that runs:
    one statement. Raises NotFound."""
    closing = Closing.objects.filter(class_group=OuterRef("pk"), term=Term.YEAR)
    running = (
        SigningBatch.objects.filter(class_group=OuterRef("pk"), job__finished_at=None, job__isnull=False)
        .order_by("job_id")
        .values(found=JSONObject(**{name: f"job__{name}" for name in JOB_FIELDS}))
    )
    found = (
        ClassGroup.objects.select_related("school", "homeroom__person")
        .annotate(closed_at=Subquery(closing.values("closed_at")[:1]), running=ArraySubquery(running))
        .filter(uid=uid)
        .first()
    )
    if found is None:
        raise NotFound()
    permissions.demand(actor, "transcripts.view", on=found, at=now)
    return found


def class_sheet(actor: Actor, uid: str, *, now: datetime) -> ClassSheet:
    """Return one class's transcripts and what may be done: three statements, whatever the class size."""
    group = group_of(actor, uid, now=now)
    versions = (
        Transcript.objects.filter(class_group=group)
        .select_related("learner")
        .defer("content")
        .order_by("number")
    )
    newest = {item.learner_id: item for item in versions}
    sealed = {item.learner_id for item in versions if item.state == State.SEALED}
    results = {
        result.learner_id: result
        for result in Result.objects.filter(class_group=group, term=Term.YEAR, is_current=True)
        .select_related("learner")
        .only("learner", "is_current")
    }
    learners = {key: result.learner for key, result in results.items()}
    learners |= {item.learner_id: item.learner for item in newest.values()}
    ordered = sorted(learners.values(), key=lambda person: (person.sort_key, str(person.born_on), person.pk))
    rows = [_row(person, newest.get(person.pk), results.get(person.pk), sealed) for person in ordered]
    closed_at: datetime | None = group.closed_at  # type: ignore[attr-defined]
    return ClassSheet(
        group=group,
        closed_at=closed_at,
        rows=rows,
        counts=Counter(item.state for item in newest.values()),
        may_prepare=closed_at is not None and _may(actor, "transcripts.prepare", group, now),
        actions=_actions(actor, group, list(newest.values()), now),
        jobs=[_job(values) for values in group.running],  # type: ignore[attr-defined]
    )


def _row(person: Person, newest: Transcript | None, result: Result | None, sealed: set[int]) -> SheetRow:
    return SheetRow(
        learner=person,
        transcript=newest,
        is_correction=newest is not None and person.pk in sealed and newest.state != State.SEALED,
        is_outdated=(
            newest is not None
            and result is not None
            and newest.result_id != result.pk
            and newest.state not in (State.DRAFT, *ENDED_STATES)
        ),
    )


def _may(actor: Actor, code: str, group: ClassGroup, now: datetime) -> bool:
    """Return whether the actor, who was shown the class, may do this to it; asks the database only where
    this right rests on another relation than seeing the class did."""
    shown, wanted = (permissions.RIGHTS[name].roles.get(actor.role) for name in ("transcripts.view", code))
    if shown is not None and shown == wanted:
        return permissions.holds(actor, code)
    return permissions.allowed(actor, code, on=group, at=now)


def _actions(actor: Actor, group: ClassGroup, newest: Sequence[Transcript], now: datetime) -> list[Action]:
    found = []
    for step in Signing:
        states = {BEFORE[step]} | ({State.DRAFT} if step == Signing.HOMEROOM else set())
        waiting = [(str(item.uid), item.content_sha256) for item in newest if item.state in states]
        if waiting and _may(actor, OF_STEP[step], group, now):
            found.append(Action(step, sorted(waiting)))
    return found


JOB_FIELDS = ("id", "uid", "title", "state", "total", "done", "message", "result_url", "wants_stop", "account_id")
"""What the progress of a job shows."""


def _job(values: Mapping[str, Any]) -> Job:
    """Return a job as the progress component wants it, from the fields read with its class."""
    return Job(**{**values, "uid": UUID(values["uid"])})


@dataclass(frozen=True, slots=True)
class TranscriptPage:
    """One version of a transcript, the other versions of it, its signatures and the ledger's entries."""

    transcript: Transcript
    versions: Sequence[Transcript]
    signatures: Sequence[TranscriptSignature]
    entries: Sequence[Entry]
    may_correct: bool
    may_send_back: bool
    may_revoke: bool
    class_uid: UUID | None


def visible(actor: Actor) -> QuerySet[Transcript]:
    """Return the transcripts the actor's place and role reach; row-level security says the same again.

    The class is not joined: a family, or the school a learner moved to, does not see the class's row.
    """
    found = Transcript.objects.select_related("learner")
    if actor.role in FAMILY_ROLES:
        return found.filter(learner_id__in=actor.people, state__in=SHOWN_TO_FAMILY)
    if actor.schools is None:
        return found
    return found.filter(Q(school_id__in=actor.schools) | Q(learner__school_id__in=actor.schools))


VERSION_FIELDS = ("id", "uid", "number", "state", "reason")
"""What the list of versions shows."""


def transcript(actor: Actor, uid: str, *, now: datetime) -> Transcript:
    """Return one transcript the actor may see with the list of its versions and its class's uid (None where the
    class is out of sight): one statement. Raises NotFound for every other."""
    group = ClassGroup.objects.filter(pk=OuterRef("class_group_id"))
    led = group.filter(homeroom__person_id=actor.person_id or 0, homeroom__valid__contains=local_day(now))
    others = Transcript.objects.filter(
        learner_id=OuterRef("learner_id"), class_group_id=OuterRef("class_group_id"),
        **({"state__in": SHOWN_TO_FAMILY} if actor.role in FAMILY_ROLES else {}),
    )  # fmt: skip
    found = (
        visible(actor)
        .filter(uid=uid)
        .annotate(
            seen_homeroom=Exists(led),
            class_uid=Subquery(group.values("uid")[:1]),
            versions=ArraySubquery(
                others.order_by("-number").values(found=JSONObject(**{name: name for name in VERSION_FIELDS}))
            ),
        )
        .first()
    )
    if found is None:
        raise NotFound()
    if not permissions.allowed(actor, "transcripts.view", on=found, at=now):
        # The file moves with the learner: her present school reads what others wrote.
        moved = actor.covers_school(found.learner.school_id) and actor.role != "homeroom_teacher"
        if not (moved and permissions.allowed(actor, "transcripts.view", on=found.learner, at=now)):
            raise NotFound()
    return found


def page(actor: Actor, uid: str, *, now: datetime) -> TranscriptPage:
    """Return everything the page of one transcript shows: three statements."""
    found = transcript(actor, uid, now=now)
    signatures = found.signatures.select_related("pdf", "xml").order_by("signed_at", "pk")

    def may(code: str) -> bool:
        return permissions.allowed(actor, code, on=found, at=now)

    is_signed = found.state in (State.LOCKED, State.HOMEROOM, State.PRINCIPAL)
    return TranscriptPage(
        transcript=found,
        versions=[Transcript(**{**one, "uid": UUID(one["uid"])}) for one in found.versions],  # type: ignore[attr-defined]
        signatures=list(signatures),
        entries=ledger.history(found),
        may_correct=found.state == State.SEALED and may("transcripts.prepare"),
        may_send_back=is_signed and any(may(code) for code in OF_STEP.values()),
        may_revoke=found.state == State.SEALED and may("transcripts.revoke"),
        class_uid=found.class_uid,  # type: ignore[attr-defined]
    )


def class_uid_of(found: Transcript) -> UUID | None:
    """Return the uid of a transcript's class, None where the class is out of sight."""
    return ClassGroup.objects.filter(pk=found.class_group_id).values_list("uid", flat=True).first()


@dataclass(frozen=True, slots=True)
class Copy:
    """One file of a transcript as it is given out."""

    name: str
    content_type: str
    data: bytes
    is_signed: bool


def copy_of(actor: Actor, uid: str, kind: str, *, now: datetime) -> Copy:
    """Return the newest PDF or XML of a transcript (`kind` pdf or xml); drafts are printed as they stand.

    Raises NotFound, DamagedFile when the stored bytes are not those that were signed.
    """
    if kind not in ("pdf", "xml"):
        raise NotFound()
    found = transcript(actor, uid, now=now)
    last = found.signatures.select_related(kind).order_by("-pk").first()
    if last is not None:
        stored = getattr(last, kind)
        return Copy(stored.name, stored.content_type, files.read(stored), True)
    made = signing.unsigned(found)
    name = f"hoc-ba-ban-nhap-{found.learner.code}-{found.school_year}.{kind}"
    return Copy(name, f"application/{kind}", getattr(made, kind), False)


def of_learner(actor: Actor, learner: Person, *, now: datetime) -> list[Transcript]:
    """Return a learner's transcripts, newest year first, newest version first."""
    permissions.demand(actor, "transcripts.view", on=learner, at=now)
    found = visible(actor).filter(learner=learner).defer("content")
    return list(found.order_by("-school_year", "-number"))


# -- the public ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PublicSigner:
    """One signature as the public sees it."""

    step: str
    name: str
    title: str | Promise
    signed_at: datetime | None
    is_good: bool


@dataclass(frozen=True, slots=True)
class PublicStatus:
    """What anybody with the address of one version may know: as much as tells a true paper from a false.

    learner  initials and given name; born in which year; never marks
    newer    the number of the version that took its place, None when none did
    """

    state: str
    number: int
    school_year: int
    school: str
    class_name: str
    learner: str
    born_year: str
    sealed_at: datetime | None
    ended_at: datetime | None
    newer: int | None
    signers: Sequence[PublicSigner]
    problems: Sequence[str]
    content_sha256: str

    @property
    def is_valid(self) -> bool:
        """Return whether this version is in force and its files are as they were signed."""
        return self.state == State.SEALED and not self.problems


def masked(name: str) -> str:
    """Return a name by its initials and the given name: "Nguyễn Thị Hoàng Yến" is "N. T. H. Yến"."""
    *others, given = name.split() or [""]
    return " ".join([*(f"{word[0]}." for word in others), given])


def public_status(token: str, *, now: datetime) -> PublicStatus:
    """Return the public standing of the version with this token; raises NotFound for an unknown or
    unsealed one. Needs no actor: whoever holds the document holds the token."""
    with scope.opened(everything=True):
        found, signatures, newer = _public(token)
        verdict = verifying.verify(found, signatures, now=now)
    content = found.content
    checks = {check.field: check for check in verdict.checks}
    signers = []
    for item in signatures:
        check = checks.get(signing.FIELD_OF[Signing(item.step)])
        title = CAPACITIES[Signing(item.step)] or verifying.title_of(item.signer_role)
        signers.append(
            PublicSigner(
                item.step, item.signer_name, title, item.signed_at, check is not None and check.is_good
            )
        )
    return PublicStatus(
        state=found.state,
        number=found.number,
        school_year=found.school_year,
        school=content["school"]["name"],
        class_name=content["class_group"]["name"],
        learner=masked(content["learner"]["name"]),
        born_year=content["learner"]["born_on"][:4],
        sealed_at=found.sealed_at,
        ended_at=found.ended_at,
        newer=newer,
        signers=signers,
        problems=[problem.code for problem in verdict.problems],
        content_sha256=found.content_sha256,
    )


def _public(token: str) -> tuple[Transcript, list[TranscriptSignature], int | None]:
    found = Transcript.objects.filter(token=token, sealed_at__isnull=False).first()
    if found is None:
        raise NotFound()
    signatures = found.signatures.select_related("pdf", "xml").order_by("pk")
    newer = (
        Transcript.objects.filter(
            learner_id=found.learner_id,
            class_group_id=found.class_group_id,
            number__gt=found.number,
            state=State.SEALED,
        )
        .values_list("number", flat=True)
        .first()
    )
    return found, list(signatures), newer


def compare(token: str, sha256: str) -> str:
    """Return how a file with this hash relates to the version: "same", "other-version", "partly-signed"
    (an earlier signing stage of this version) or "unknown". Raises NotFound as `public_status`."""
    with scope.opened(everything=True):
        found, signatures, _newer = _public(token)
        last = signatures[-1] if signatures else None
        if last is not None and sha256 in (last.pdf.sha256, last.xml.sha256):
            return "same"
        if any(sha256 in (item.pdf.sha256, item.xml.sha256) for item in signatures):
            return "partly-signed"
        others = TranscriptSignature.objects.filter(
            transcript__learner_id=found.learner_id,
            transcript__class_group_id=found.class_group_id,
            step=Signing.SEAL,
        ).filter(Q(pdf__sha256=sha256) | Q(xml__sha256=sha256))
        return "other-version" if others.exists() else "unknown"
