"""Transcripts (học bạ): one learner, one school year, one version; frozen, signed, superseded, never edited.

What a transcript says is `content` (see `documents.content`); its hash is what an approval names. The files
are made when it is signed: each signature row carries the PDF and the XML as they are with it, so the last
one is the transcript and the earlier ones are its proof.
"""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from khue.kernel.database.rows import Guard, Row, Scope
from khue.kernel.files.models import StoredFile
from khue.kernel.jobs.models import Job
from khue.kernel.ledger.models import Chained
from khue.register.people.models import Person
from khue.register.schooling.models import ClassGroup
from khue.school.gradebook.models import Result

TOKEN_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # noqa: S105  what people read from paper: no 0, O, 1, I


def new_token() -> str:
    """Return 26 random signs (130 bits) for the public address of one version."""
    return "".join(secrets.choice(TOKEN_ALPHABET) for _number in range(26))


class State(models.TextChoices):
    """Where a transcript stands (domain: draft, locked, signed in turn, sealed, then replaced or revoked)."""

    DRAFT = "draft", _("Bản nháp")
    LOCKED = "locked", _("Đã chốt, chờ chủ nhiệm ký")
    HOMEROOM = "homeroom", _("Chủ nhiệm đã ký")
    PRINCIPAL = "principal", _("Hiệu trưởng đã ký")
    SEALED = "sealed", _("Đã đóng dấu")
    SUPERSEDED = "superseded", _("Đã được thay thế")
    REVOKED = "revoked", _("Đã thu hồi")


OPEN_STATES = (State.DRAFT, State.LOCKED, State.HOMEROOM, State.PRINCIPAL)
ENDED_STATES = (State.SUPERSEDED, State.REVOKED)


class Signing(models.TextChoices):
    """The three signatures in their order; the value ends the name of the field in the file."""

    HOMEROOM = "homeroom", _("Giáo viên chủ nhiệm ký")
    PRINCIPAL = "principal", _("Hiệu trưởng ký")
    SEAL = "seal", _("Đóng dấu của trường")


class Transcript(Row, Chained):
    """One version of one learner's transcript of one school year at one school."""

    guard = Guard(
        coded=(
            "uid", "learner_id", "class_group_id", "school_id", "school_year", "number", "token",
            "supersedes_id", "locked_at", "sealed_at", "ended_at",
        ),
        scope=Scope(school="school_id", person="learner_id", is_portable=True),
        frozen="old.locked_at is not null",
        thawed=("state", "sealed_at", "ended_at", "end_reason", "ledger_seq", "ledger_head"),
    )  # fmt: skip

    learner = models.ForeignKey(
        Person, models.PROTECT, related_name="transcripts", verbose_name=_("học sinh")
    )
    class_group = models.ForeignKey(
        ClassGroup, models.PROTECT, related_name="transcripts", verbose_name=_("lớp")
    )
    school_id = models.BigIntegerField(_("trường"))
    school_year = models.PositiveSmallIntegerField(_("năm học (năm bắt đầu)"))
    number = models.PositiveSmallIntegerField(_("phiên bản học bạ"), default=1)
    token = models.CharField(_("mã xác minh"), max_length=26, unique=True, default=new_token, editable=False)
    state = models.CharField(_("trạng thái"), max_length=12, choices=State.choices, default=State.DRAFT)
    result = models.ForeignKey(Result, models.PROTECT, related_name="+", verbose_name=_("kết quả cả năm"))
    content = models.JSONField(_("nội dung"))
    content_sha256 = models.CharField(_("băm nội dung"), max_length=64)
    supersedes = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="successors", verbose_name=_("thay cho")
    )
    reason = models.CharField(_("lý do lập lại"), max_length=500, blank=True)
    locked_at = models.DateTimeField(_("chốt lúc"), null=True)
    sealed_at = models.DateTimeField(_("đóng dấu lúc"), null=True)
    ended_at = models.DateTimeField(_("hết hiệu lực lúc"), null=True)
    end_reason = models.CharField(_("lý do hết hiệu lực"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("học bạ")
        constraints = [
            models.UniqueConstraint(
                fields=["learner", "class_group", "number"], name="transcripts_one_version"
            ),
            models.UniqueConstraint(
                fields=["learner", "class_group"], name="transcripts_one_sealed",
                condition=Q(state=State.SEALED),
            ),
            models.UniqueConstraint(
                fields=["learner", "class_group"], name="transcripts_one_under_way",
                condition=Q(state__in=OPEN_STATES),
            ),
            models.CheckConstraint(
                name="transcripts_draft_is_open", condition=Q(state=State.DRAFT, locked_at=None) | (
                    ~Q(state=State.DRAFT) & Q(locked_at__isnull=False)
                ),
            ),
            models.CheckConstraint(
                name="transcripts_sealed_stays",
                condition=Q(sealed_at=None, state__in=(*OPEN_STATES, State.REVOKED)) | Q(
                    sealed_at__isnull=False, state__in=(State.SEALED, *ENDED_STATES)
                ),
            ),
            models.CheckConstraint(
                name="transcripts_end_is_dated", condition=Q(ended_at=None) ^ Q(state__in=ENDED_STATES),
            ),
            models.CheckConstraint(
                name="transcripts_successor_says_why",
                condition=Q(supersedes=None, number=1) | Q(supersedes__isnull=False, number__gt=1) & ~Q(reason=""),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["class_group", "state"], name="transcripts_class_state"),
            models.Index(fields=["school_id", "school_year"], name="transcripts_school_year"),
        ]


class SigningBatch(Row):
    """One approval for one class: who approved which contents for which signature, and the job that signs.

    `documents` lists [transcript id, content hash] as they were approved; the job signs exactly these, each
    by itself. Nothing of an approval changes afterwards but the job.
    """

    guard = Guard(
        coded=("uid", "class_group_id", "school_id", "step", "account_id", "approved_at", "job_id"),
        scope=Scope(school="school_id"),
        frozen="old.job_id is not null",
    )

    class_group = models.ForeignKey(
        ClassGroup, models.PROTECT, related_name="signing_batches", verbose_name=_("lớp")
    )
    school_id = models.BigIntegerField(_("trường"))
    school_year = models.PositiveSmallIntegerField(_("năm học (năm bắt đầu)"))
    step = models.CharField(_("việc ký"), max_length=10, choices=Signing.choices)
    account_id = models.BigIntegerField(_("người duyệt"), null=True)
    signer_name = models.CharField(_("ký tên"), max_length=120)
    approved_at = models.DateTimeField(_("duyệt lúc"))
    documents = models.JSONField(_("các học bạ được duyệt"))
    job = models.ForeignKey(Job, models.PROTECT, null=True, related_name="+", verbose_name=_("việc chạy nền"))

    class Meta:
        verbose_name = _("đợt ký học bạ")
        indexes = [models.Index(fields=["class_group", "approved_at"], name="transcripts_batch_class")]


class TranscriptSignature(Row):
    """One signature under one transcript, with the files as they are after it. Only ever added."""

    guard = Guard(append_only=True, scope=Scope(school="school_id", person="learner_id", is_portable=True))

    transcript = models.ForeignKey(
        Transcript, models.PROTECT, related_name="signatures", verbose_name=_("học bạ")
    )
    learner_id = models.BigIntegerField(_("học sinh"))
    school_id = models.BigIntegerField(_("trường"))
    step = models.CharField(_("chữ ký"), max_length=10, choices=Signing.choices)
    batch = models.ForeignKey(
        SigningBatch, models.PROTECT, related_name="signatures", verbose_name=_("đợt ký")
    )
    account_id = models.BigIntegerField(_("người duyệt"), null=True)
    signer_name = models.CharField(_("ký tên"), max_length=120)
    signer_role = models.CharField(_("tư cách ký"), max_length=30)
    certificate_sha256 = models.CharField(_("chứng thư số"), max_length=64)
    signed_at = models.DateTimeField(_("ký lúc"))
    pdf = models.ForeignKey(StoredFile, models.PROTECT, related_name="+", verbose_name=_("tệp PDF"))
    xml = models.ForeignKey(StoredFile, models.PROTECT, related_name="+", verbose_name=_("tệp XML"))

    class Meta:
        verbose_name = _("chữ ký trên học bạ")
        constraints = [
            models.UniqueConstraint(fields=["transcript", "step"], name="transcripts_sign_once"),
        ]
