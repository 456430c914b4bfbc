"""Report periods and what schools hand up in them: snapshots that never change, and the way of each to the top.

A snapshot is a document of canonical lines, one a record, kept once under the SHA-256 of its bytes. A submission is
one school in one period: which snapshot stands, who has signed it, at which body of the dated tree it is. Every step is
a row that is only added and an entry of the submission's own ledger chain.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from khue.kernel.database.rows import Guard, Row, Scope
from khue.kernel.ids import uid7
from khue.kernel.jobs.models import Job
from khue.kernel.ledger.models import Chained
from khue.register.orgs.models import Level, Unit

SHA256 = 64
"""Characters of a SHA-256 in hexadecimal."""


class PeriodKind(models.TextChoices):
    """When in the school year a period falls (statistics: đầu năm, giữa năm, cuối năm, đột xuất)."""

    START = "start", _("Đầu năm học")
    MIDDLE = "middle", _("Giữa năm học")
    END = "end", _("Cuối năm học")
    AD_HOC = "ad_hoc", _("Đột xuất")


class RecordKind(models.TextChoices):
    """The objects of QĐ 4998/QĐ-BGDĐT a period takes."""

    SCHOOL = "school", _("Trường")
    CLASS = "class", _("Lớp")
    STAFF = "staff", _("Nhân sự")
    LEARNER = "learner", _("Học sinh")
    RESULT = "result", _("Kết quả học tập")


class ReportPeriod(Row, Chained):
    """One period the authority opened. Its dates are data; once frozen only its state and root move.

    reference_on  the day the data tell about
    freezes_at    the moment a job takes the snapshots
    dues          kind of unit → last day for its step: {"school": "2025-10-05", "commune": "2025-10-15", "province": …}
    root          SHA-256 over all first snapshots in the order of school codes, once all are taken
    """

    class State(models.TextChoices):
        """Where a period stands."""

        OPEN = "open", _("Đang mở, chưa chốt")
        FREEZING = "freezing", _("Đang chốt số liệu")
        FROZEN = "frozen", _("Đã chốt, đang nộp")
        CLOSED = "closed", _("Đã kết thúc")

    guard = Guard(
        coded=("uid", "kind", "school_year", "frozen_at"), frozen="old.state <> 'open'",
        thawed=("state", "frozen_at", "closed_at", "root", "counts", "job_id", "ledger_seq", "ledger_head"),
    )  # fmt: skip

    kind = models.CharField(_("loại kỳ"), max_length=10, choices=PeriodKind.choices)
    name = models.CharField(_("tên kỳ"), max_length=120)
    school_year = models.PositiveSmallIntegerField(_("năm học (năm bắt đầu)"))
    reference_on = models.DateField(_("ngày số liệu"))
    freezes_at = models.DateTimeField(_("chốt lúc"))
    dues = models.JSONField(_("hạn của từng cấp"), default=dict)
    levels = ArrayField(models.CharField(max_length=20, choices=Level.choices), verbose_name=_("cấp học"), default=list)
    objects_taken = ArrayField(models.CharField(max_length=10, choices=RecordKind.choices), verbose_name=_("loại bản ghi"), default=list)
    state = models.CharField(_("trạng thái"), max_length=10, choices=State.choices, default=State.OPEN)
    opened_by = models.CharField(_("người mở"), max_length=120, blank=True)
    frozen_at = models.DateTimeField(_("chốt xong lúc"), null=True)
    closed_at = models.DateTimeField(_("kết thúc lúc"), null=True)
    root = models.CharField(_("băm của cả kỳ"), max_length=SHA256, blank=True)
    counts = models.JSONField(_("số bản ghi"), default=dict)
    job = models.ForeignKey(Job, models.PROTECT, null=True, related_name="+", verbose_name=_("việc chốt"))

    class Meta:
        verbose_name = _("kỳ nộp dữ liệu")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "school_year"], name="periods_one_a_year", condition=~Q(kind=PeriodKind.AD_HOC)
            )
        ]
        indexes = [models.Index(fields=["state", "freezes_at"], name="periods_due")]

    def __str__(self) -> str:
        return self.name


class SnapshotContent(models.Model):
    """The bytes of a snapshot, once for equal ones: deflated, then encrypted; the hash is of the plain document."""

    guard = Guard(append_only=True, scope=Scope(school="school_id"))

    sha256 = models.CharField(_("băm SHA-256"), max_length=SHA256)
    school_id = models.BigIntegerField(_("trường"))
    size = models.PositiveBigIntegerField(_("số byte"))
    body = models.BinaryField(_("nội dung"))

    class Meta:
        verbose_name = _("nội dung bản chốt")
        constraints = [models.UniqueConstraint(fields=["school_id", "sha256"], name="periods_content_once")]


class SchoolSnapshot(models.Model):
    """What one school held when a period was frozen, or frozen again for it; only ever added.

    counts      "level.object" → records
    faults      [{"level", "object", "symbol", "problem", "count"}]: what the field table finds missing or wrong
    difference  "level.object" → {"added", "removed", "changed"} against the one before
    """

    guard = Guard(append_only=True, scope=Scope(school="school_id"))

    uid = models.UUIDField(_("mã ngoài"), default=uid7, unique=True, editable=False)
    period = models.ForeignKey(ReportPeriod, models.PROTECT, related_name="snapshots", verbose_name=_("kỳ"))
    school = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("trường"))
    number = models.PositiveSmallIntegerField(_("lần chốt"))
    content = models.ForeignKey(SnapshotContent, models.PROTECT, related_name="+", verbose_name=_("nội dung"))
    sha256 = models.CharField(_("băm SHA-256"), max_length=SHA256)
    taken_at = models.DateTimeField(_("chốt lúc"))
    taken_by = models.CharField(_("người chốt"), max_length=120, blank=True)
    reason = models.CharField(_("lý do chốt lại"), max_length=500, blank=True)
    counts = models.JSONField(_("số bản ghi"), default=dict)
    faults = models.JSONField(_("thiếu, sai"), default=list)
    difference = models.JSONField(_("khác lần trước"), default=dict)

    class Meta:
        verbose_name = _("bản chốt của trường")
        constraints = [
            models.UniqueConstraint(fields=["period", "school", "number"], name="periods_snapshot_once"),
            models.CheckConstraint(name="periods_again_says_why", condition=Q(number=1) | ~Q(reason="")),
        ]


class State(models.TextChoices):
    """Where a submission stands."""

    WAITING = "waiting", _("Chờ hiệu trưởng ký")
    CHECKING = "checking", _("Chờ cấp trên kiểm tra")
    RETURNED = "returned", _("Bị trả lại, trường đang sửa")
    UNLOCKED = "unlocked", _("Đã mở khoá, trường đang sửa")
    CONFIRMED = "confirmed", _("Đã xác nhận")


class Submission(Row, Chained):
    """One school in one period.

    path  ids of the bodies above the school on the reference day, from the nearest up: whoever they were then
    step  how many of them have confirmed; path[step] has it now while it is being checked
    """

    guard = Guard(coded=("uid", "period_id", "school_id", "path"), scope=Scope(school="school_id"))

    period = models.ForeignKey(ReportPeriod, models.PROTECT, related_name="submissions", verbose_name=_("kỳ"))
    school = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("trường"))
    school_year = models.PositiveSmallIntegerField(_("năm học (năm bắt đầu)"))
    snapshot = models.ForeignKey(SchoolSnapshot, models.PROTECT, related_name="+", verbose_name=_("bản chốt"))
    state = models.CharField(_("trạng thái"), max_length=10, choices=State.choices, default=State.WAITING)
    path = ArrayField(models.BigIntegerField(), verbose_name=_("các cấp kiểm tra"), default=list)
    step = models.PositiveSmallIntegerField(_("số cấp đã xác nhận"), default=0)
    at_unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+", verbose_name=_("đang ở"))
    signed_at = models.DateTimeField(_("ký lúc"), null=True)
    confirmed_at = models.DateTimeField(_("xác nhận lúc"), null=True)
    unlock_reason = models.CharField(_("lý do xin mở khoá"), max_length=500, blank=True)
    remarks = models.CharField(_("nhận xét khi trả lại"), max_length=2000, blank=True)

    class Meta:
        verbose_name = _("hồ sơ nộp của trường")
        constraints = [
            models.UniqueConstraint(fields=["period", "school"], name="periods_submission_once"),
            models.CheckConstraint(
                name="periods_checked_somewhere", condition=~Q(state=State.CHECKING) | Q(at_unit__isnull=False, signed_at__isnull=False)
            ),
            models.CheckConstraint(name="periods_confirmed_is_dated", condition=Q(state=State.CONFIRMED) ^ Q(confirmed_at=None)),
        ]  # fmt: skip
        indexes = [models.Index(fields=["period", "state", "at_unit"], name="periods_board")]


class SubmissionAct(models.Model):
    """One thing done with a submission: frozen, signed, confirmed, returned, unlocked; only ever added."""

    class Act(models.TextChoices):
        """What was done."""

        FREEZE = "freeze", _("Chốt số liệu")
        REFREEZE = "refreeze", _("Chốt lại số liệu")
        SIGN = "sign", _("Hiệu trưởng ký")
        CONFIRM = "confirm", _("Kiểm tra và xác nhận")
        RETURN = "return", _("Trả lại")
        ASK_UNLOCK = "ask_unlock", _("Xin mở khoá")
        UNLOCK = "unlock", _("Mở khoá")
        REFUSE_UNLOCK = "refuse_unlock", _("Không cho mở khoá")

    guard = Guard(append_only=True, scope=Scope(school="school_id"))

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="acts", verbose_name=_("hồ sơ nộp"))
    school_id = models.BigIntegerField(_("trường"))
    act = models.CharField(_("việc"), max_length=14, choices=Act.choices)
    snapshot = models.ForeignKey(SchoolSnapshot, models.PROTECT, related_name="+", verbose_name=_("bản chốt"))
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+", verbose_name=_("cấp"))
    account_id = models.BigIntegerField(_("người làm"), null=True)
    actor_name = models.CharField(_("tên"), max_length=120, blank=True)
    role = models.CharField(_("vai trò"), max_length=30, blank=True)
    at = models.DateTimeField(_("lúc"))
    text = models.CharField(_("nhận xét, lý do"), max_length=2000, blank=True)

    class Meta:
        verbose_name = _("việc với hồ sơ nộp")
        indexes = [models.Index(fields=["submission", "id"], name="periods_acts")]


class SubmissionApproval(Row):
    """A head's approval to sign: which snapshots, by their hashes; the job signs exactly these."""

    guard = Guard(coded=("uid", "school_id", "account_id", "approved_at", "job_id"), frozen="old.job_id is not null", scope=Scope(school="school_id"))

    school = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("trường"))
    account_id = models.BigIntegerField(_("người duyệt"), null=True)
    signer_name = models.CharField(_("ký tên"), max_length=120)
    approved_at = models.DateTimeField(_("duyệt lúc"))
    documents = models.JSONField(_("các bản chốt được duyệt"))
    job = models.ForeignKey(Job, models.PROTECT, null=True, related_name="+", verbose_name=_("việc chạy nền"))

    class Meta:
        verbose_name = _("đợt ký số liệu")


class SubmissionSignature(models.Model):
    """The head's signature under one snapshot, with the signed file; only ever added."""

    guard = Guard(append_only=True, scope=Scope(school="school_id"))

    submission = models.ForeignKey(Submission, models.PROTECT, related_name="signatures", verbose_name=_("hồ sơ nộp"))
    snapshot = models.OneToOneField(SchoolSnapshot, models.PROTECT, related_name="signature", verbose_name=_("bản chốt"))
    school_id = models.BigIntegerField(_("trường"))
    approval = models.ForeignKey(SubmissionApproval, models.PROTECT, related_name="signatures", verbose_name=_("đợt ký"))
    signer_name = models.CharField(_("ký tên"), max_length=120)
    signer_role = models.CharField(_("tư cách ký"), max_length=30)
    certificate_sha256 = models.CharField(_("chứng thư số"), max_length=SHA256)
    signed_at = models.DateTimeField(_("ký lúc"))
    xml = models.BinaryField(_("tệp đã ký"))

    class Meta:
        verbose_name = _("chữ ký trên hồ sơ nộp")


class SnapshotComparison(models.Model):
    """A snapshot against the register of a later moment: corrections made since, counted and listed; only ever added.

    totals   as `SchoolSnapshot.difference`
    changes  the first of them, as `comparing.Change` tells them
    """

    guard = Guard(append_only=True, scope=Scope(school="school_id"))

    snapshot = models.ForeignKey(SchoolSnapshot, models.PROTECT, related_name="comparisons", verbose_name=_("bản chốt"))
    school_id = models.BigIntegerField(_("trường"))
    compared_at = models.DateTimeField(_("so lúc"))
    sha256 = models.CharField(_("băm lúc so"), max_length=SHA256)
    totals = models.JSONField(_("số khác"), default=dict)
    changes = models.BinaryField(_("chi tiết"))

    class Meta:
        verbose_name = _("so bản chốt với hiện nay")
        indexes = [models.Index(fields=["snapshot", "compared_at"], name="periods_compared")]
