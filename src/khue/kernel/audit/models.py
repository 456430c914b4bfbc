"""Acts (who changed what) and looks (who read a person's file). Both are only added."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from khue.kernel.database.rows import Guard, Scope
from khue.kernel.ids import uid7


class Act(models.Model):
    """One act of one actor on one thing, with its reason; facts hold ids and codes, never names."""

    guard = Guard(append_only=True, scope=Scope(school="school_id", person="person_id", is_log=True))

    uid = models.UUIDField(default=uid7, unique=True, editable=False)
    at = models.DateTimeField(_("lúc"))
    account_id = models.BigIntegerField(_("tài khoản"), null=True)
    actor_name = models.CharField(_("người làm"), max_length=120)
    role = models.CharField(_("vai trò"), max_length=40)
    act = models.CharField(_("việc"), max_length=80)
    target_type = models.CharField(_("loại đối tượng"), max_length=60)
    target_id = models.BigIntegerField(_("đối tượng"), null=True)
    school_id = models.BigIntegerField(_("trường"), null=True)
    person_id = models.BigIntegerField(_("người liên quan"), null=True)
    reason = models.CharField(_("lý do"), max_length=500, blank=True)
    facts = models.JSONField(_("chi tiết"), default=dict)
    request_id = models.CharField(max_length=40, blank=True)

    class Meta:
        verbose_name = _("việc đã làm")
        indexes = [
            models.Index(fields=["target_type", "target_id", "-at"], name="audit_act_target"),
            models.Index(fields=["person_id", "-at"], name="audit_act_person"),
        ]


class Look(models.Model):
    """One actor looked at one person's file on one day: first and last time and how often that day."""

    guard = Guard(scope=Scope(school="school_id", person="person_id"))

    account_id = models.BigIntegerField(_("tài khoản"))
    actor_name = models.CharField(_("người xem"), max_length=120)
    role = models.CharField(_("vai trò"), max_length=40)
    person_id = models.BigIntegerField(_("hồ sơ của"))
    school_id = models.BigIntegerField(_("trường"), null=True)
    what = models.CharField(_("phần đã xem"), max_length=40)
    on = models.DateField(_("ngày"))
    first_at = models.DateTimeField(_("lần đầu"), db_default=Now())
    last_at = models.DateTimeField(_("lần cuối"), db_default=Now())
    count = models.PositiveIntegerField(_("số lần"), default=1)

    class Meta:
        verbose_name = _("lượt xem hồ sơ")
        constraints = [
            models.UniqueConstraint(fields=["person_id", "account_id", "role", "what", "on"], name="audit_one_look_a_day"),
        ]
