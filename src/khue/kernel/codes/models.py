"""Code lists and their items with validity; items are closed, never deleted."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from khue.kernel.database.fields import PeriodField
from khue.kernel.database.rows import Guard, Row


class CodeList(Row):
    """One shared list: ethnic groups, communes, reasons of leaving."""

    guard = Guard(coded=("uid", "code"))

    code = models.CharField(_("mã"), max_length=60, unique=True)
    name = models.CharField(_("tên"), max_length=200)
    owner = models.CharField(_("tầng quản lý"), max_length=20, default="ministry")
    is_open = models.BooleanField(_("trường được thêm"), default=False)
    source = models.CharField(_("nguồn"), max_length=300, blank=True)
    is_verified = models.BooleanField(_("đã đối chiếu"), default=False)

    class Meta:
        verbose_name = _("danh mục")


class CodeItem(Row):
    """One value of a list, valid for some days; `external` holds its codes in other systems."""

    guard = Guard(coded=("uid", "code_list_id", "code"))

    code_list = models.ForeignKey(CodeList, models.PROTECT, related_name="items", verbose_name=_("danh mục"))
    code = models.CharField(_("mã"), max_length=40)
    name = models.CharField(_("tên"), max_length=300)
    name_en = models.CharField(_("tên tiếng Anh"), max_length=300, blank=True)
    sort = models.PositiveIntegerField(_("thứ tự"), default=0)
    parent_code = models.CharField(_("thuộc mã"), max_length=40, blank=True)
    valid = PeriodField(null=True)
    external = models.JSONField(_("mã ở hệ thống khác"), default=dict)
    facts = models.JSONField(_("thuộc tính"), default=dict)

    class Meta:
        verbose_name = _("mục của danh mục")
        constraints = [models.UniqueConstraint(fields=["code_list", "code"], name="codes_one_item_a_code")]
