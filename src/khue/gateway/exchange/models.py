"""Batches: one uploaded file on its way from upload to applied, and back.

An ImportRow is kept for what must be shown or undone: refused, asked and changed rows after the dry run; every
row that made, changed or met an object after applying, with the fingerprint that lets the same row pass untouched
the next time.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from khue.kernel.database.rows import Guard, Row, Scope
from khue.kernel.files.models import StoredFile
from khue.register.orgs.models import Unit


class State(models.TextChoices):
    """Where a batch stands."""

    UPLOADED = "uploaded", _("Đã tải lên")
    MAPPED = "mapped", _("Đã ghép cột")
    CHECKING = "checking", _("Đang kiểm tra")
    CHECKED = "checked", _("Đã kiểm tra, chưa ghi")
    APPLYING = "applying", _("Đang ghi")
    APPLIED = "applied", _("Đã ghi")
    UNDOING = "undoing", _("Đang hoàn tác")
    UNDONE = "undone", _("Đã hoàn tác")


class What(models.TextChoices):
    """What becomes of a row."""

    NEW = "new", _("Thêm mới")
    CHANGED = "changed", _("Thay đổi")
    UNCHANGED = "unchanged", _("Đã có, không đổi")
    REFUSED = "refused", _("Không nhập được")
    ASKED = "asked", _("Cần hỏi lại")
    CONFLICT = "conflict", _("Vừa bị người khác sửa")


class ImportBatch(Row):
    """One file of one kind for one school."""

    guard = Guard(coded=("uid", "school_id", "kind", "file_id"), scope=Scope(school="school_id"))

    school = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("trường"))
    kind = models.CharField(_("loại dữ liệu"), max_length=20)
    school_year = models.PositiveSmallIntegerField(_("năm học (năm bắt đầu)"))
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+", verbose_name=_("tệp"))
    state = models.CharField(_("trạng thái"), max_length=10, choices=State.choices, default=State.UPLOADED)
    sheet = models.CharField(_("trang tính"), max_length=120, blank=True)
    header_first = models.PositiveIntegerField(_("dòng tiêu đề đầu"), default=0)
    header_last = models.PositiveIntegerField(_("dòng tiêu đề cuối"), default=0)
    mapping = models.JSONField(_("ghép cột"), default=dict)
    options = models.JSONField(_("lựa chọn"), default=dict)
    counters = models.JSONField(_("số đếm lúc kiểm tra"), default=dict)
    applied = models.JSONField(_("số đếm lúc ghi"), default=dict)
    notes = models.JSONField(_("ghi chú về tệp"), default=list)
    preview = models.JSONField(_("các dòng đầu"), default=dict)
    result_file = models.ForeignKey(StoredFile, models.PROTECT, null=True, related_name="+", verbose_name=_("tệp kết quả"))
    job_id = models.BigIntegerField(_("việc chạy nền"), null=True)
    account_id = models.BigIntegerField(_("người tải lên"), null=True)
    account_name = models.CharField(_("tên người tải lên"), max_length=120, blank=True)
    checked_at = models.DateTimeField(_("kiểm tra lúc"), null=True)
    applied_at = models.DateTimeField(_("ghi lúc"), null=True)
    undone_at = models.DateTimeField(_("hoàn tác lúc"), null=True)

    class Meta:
        verbose_name = _("lần nhập dữ liệu")
        indexes = [models.Index(fields=["school", "-created_at"], name="exchange_batch_school")]


class ImportRow(models.Model):
    """One row of a batch that is shown, undone or recognised.

    number      row of the sheet as the user counts them, from 1
    fingerprint of the row's cells, the mapping, the options and the school's classes; with the versions it says
                that nothing moved on either side
    object_id   what the row made or met (person, class, post; the placement is the second), with its version after
    detail      reasons, differences before and after, what to put back
    """

    guard = Guard(deletable=True, scope=Scope(school="school_id"))

    pk = models.CompositePrimaryKey("batch_id", "number")
    batch = models.ForeignKey(ImportBatch, models.PROTECT, related_name="rows", db_index=False, verbose_name=_("lần nhập"))
    number = models.PositiveIntegerField(_("dòng"))
    school_id = models.BigIntegerField(_("trường"))
    what = models.CharField(_("kết quả"), max_length=10, choices=What.choices)
    is_applied = models.BooleanField(_("đã ghi"), default=False)
    fingerprint = models.UUIDField(_("dấu vân tay của dòng"), null=True)
    object_id = models.BigIntegerField(_("đối tượng"), null=True)
    object_version = models.IntegerField(_("phiên bản"), null=True)
    second_id = models.BigIntegerField(_("đối tượng thứ hai"), null=True)
    second_version = models.IntegerField(_("phiên bản thứ hai"), null=True)
    detail = models.JSONField(_("chi tiết"), null=True)

    class Meta:
        verbose_name = _("dòng nhập")
        indexes = [models.Index(fields=["fingerprint"], name="exchange_row_fingerprint", condition=models.Q(fingerprint__isnull=False))]


class ImportMapping(Row):
    """What a school's column headings mean: learned from the user's corrections, used at the next file."""

    guard = Guard(deletable=True)

    school_id = models.BigIntegerField(_("trường"))
    kind = models.CharField(_("loại dữ liệu"), max_length=20)
    heading = models.CharField(_("tiêu đề cột (đã rút gọn)"), max_length=200)
    field = models.CharField(_("trường dữ liệu"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("ghép cột đã nhớ")
        constraints = [models.UniqueConstraint(fields=["school_id", "kind", "heading"], name="exchange_one_meaning")]
