"""Roles as data, and who holds which role where and when."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from khue.kernel.accounts.models import Account
from khue.kernel.database.fields import PeriodField, no_overlap
from khue.kernel.database.rows import Guard, Row


class Role(Row):
    """A role people act in. The rights it has by default stand in the apps' code; here they are widened or narrowed."""

    class Tier(models.TextChoices):
        """Where the role's place lies."""

        FAMILY = "family", _("Gia đình")
        SCHOOL = "school", _("Trường")
        COMMUNE = "commune", _("Xã, phường")
        PROVINCE = "province", _("Tỉnh")
        MINISTRY = "ministry", _("Bộ")
        SYSTEM = "system", _("Hệ thống")

    guard = Guard(coded=("uid", "code"))

    code = models.CharField(_("mã"), max_length=40, unique=True)
    name = models.CharField(_("tên"), max_length=80)
    tier = models.CharField(_("tầng"), max_length=10, choices=Tier.choices)
    sort = models.PositiveSmallIntegerField(_("thứ tự"), default=0)
    added_rights = ArrayField(models.CharField(max_length=80), verbose_name=_("quyền thêm"), default=list, blank=True)
    removed_rights = ArrayField(models.CharField(max_length=80), verbose_name=_("quyền bớt"), default=list, blank=True)

    class Meta:
        verbose_name = _("vai trò")

    def __str__(self) -> str:
        return self.name


class Grant(Row):
    """One account holds one role at one place for some days; it ends inside an open session too.

    unit_id is the unit with everything under it on that day; None for roles whose place follows from
    facts (a guardian's children, a system's contract).
    """

    guard = Guard(coded=("uid", "account_id", "role_id", "unit_id"))

    account = models.ForeignKey(Account, models.PROTECT, related_name="grants", verbose_name=_("tài khoản"))
    role = models.ForeignKey(Role, models.PROTECT, related_name="+", verbose_name=_("vai trò"))
    unit_id = models.BigIntegerField(_("đơn vị"), null=True, blank=True, db_index=True)
    unit_name = models.CharField(_("tên đơn vị"), max_length=200, blank=True)
    valid = PeriodField()
    reason = models.CharField(_("lý do"), max_length=300, blank=True)
    given_by = models.ForeignKey(Account, models.PROTECT, related_name="+", null=True, verbose_name=_("người cấp"))

    class Meta:
        verbose_name = _("quyền được giao")
        constraints = [
            no_overlap("permissions_grant_once", "account_id", "role_id", "unit_id"),
        ]
