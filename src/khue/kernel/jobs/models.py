"""A job: long work a person asked for, with its progress, its result and who asked."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from khue.kernel.database.rows import Guard, Row, Scope


class Job(Row):
    """One piece of long work. `cursor` is where it goes on after a kill; written in the same transaction as the work."""

    class State(models.TextChoices):
        """Where a job stands."""

        WAITING = "waiting", _("Đang chờ")
        RUNNING = "running", _("Đang chạy")
        DONE = "done", _("Đã xong")
        FAILED = "failed", _("Không thành công")
        STOPPED = "stopped", _("Đã dừng")

    guard = Guard(scope=Scope(school="school_id", person=None, account="account_id"))

    kind = models.CharField(_("loại"), max_length=60)
    title = models.CharField(_("tên việc"), max_length=200)
    account_id = models.BigIntegerField(_("người yêu cầu"), null=True, db_index=True)
    grant_id = models.BigIntegerField(_("vai trò lúc yêu cầu"), null=True)
    school_id = models.BigIntegerField(_("trường"), null=True)
    key = models.CharField(_("khoá chống lặp"), max_length=120, null=True, unique=True)
    parameters = models.JSONField(_("tham số"), default=dict)
    state = models.CharField(_("trạng thái"), max_length=10, choices=State.choices, default=State.WAITING)
    total = models.PositiveIntegerField(_("tổng số"), default=0)
    done = models.PositiveIntegerField(_("đã xong"), default=0)
    cursor = models.JSONField(_("vị trí"), default=dict)
    message = models.CharField(_("thông báo"), max_length=500, blank=True)
    result = models.JSONField(_("kết quả"), default=dict)
    result_url = models.CharField(_("xem kết quả"), max_length=300, blank=True)
    heartbeat_at = models.DateTimeField(_("nhịp cuối"), null=True)
    finished_at = models.DateTimeField(_("xong lúc"), null=True)
    wants_stop = models.BooleanField(_("yêu cầu dừng"), default=False)

    class Meta:
        verbose_name = _("việc chạy nền")

    @property
    def percent(self) -> int:
        """Return whole percent done, 0 to 100."""
        return min(100, 100 * self.done // self.total) if self.total else 0
