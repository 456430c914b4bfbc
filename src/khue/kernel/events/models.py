"""The outbox: what happened, kept with the change that made it true."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from khue.kernel.database.rows import Guard
from khue.kernel.ids import uid7


class Event(models.Model):
    """One fact that higher or outer parts may want to know; body holds ids and codes only."""

    guard = Guard()

    uid = models.UUIDField(default=uid7, unique=True, editable=False)
    kind = models.CharField(_("loại"), max_length=80)
    body = models.JSONField(_("nội dung"), default=dict)
    at = models.DateTimeField(_("lúc"))
    stored_at = models.DateTimeField(_("lúc ghi"), db_default=Now())
    delivered_at = models.DateTimeField(_("lúc phát"), null=True)

    class Meta:
        verbose_name = _("sự kiện")
        indexes = [models.Index(fields=["id"], name="events_waiting", condition=models.Q(delivered_at=None))]
