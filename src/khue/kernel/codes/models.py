"""Code lists and their items with validity; items are closed, never deleted.

A code may have several rows with days apart: its names over time. What a record shows is the item valid on
the record's day (`queries.name_of`).
"""

from __future__ import annotations

from datetime import date

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Value
from django.utils.translation import gettext_lazy as _
from psycopg.types.range import DateRange

from khue.kernel.database.fields import PeriodField, period
from khue.kernel.database.rows import Guard, Row

BEGINNING = date(1900, 1, 1)
"""From when an item is valid whose list names no first day."""


def always() -> DateRange:
    """Return the days of an item that was always valid."""
    return period(BEGINNING)


def _one(expression: object) -> Func:
    """Return int8range(x, x, '[]'), which compares with && as x compares with =."""
    return Func(expression, expression, Value("[]"), function="int8range")


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
    valid = PeriodField(default=always)
    external = models.JSONField(_("mã ở hệ thống khác"), default=dict)
    facts = models.JSONField(_("thuộc tính"), default=dict)

    class Meta:
        verbose_name = _("mục của danh mục")
        constraints = [
            ExclusionConstraint(
                name="codes_one_name_a_day",
                expressions=[
                    (_one(F("code_list_id")), RangeOperators.OVERLAPS),
                    (_one(Func(F("code"), Value(0), function="hashtextextended")), RangeOperators.OVERLAPS),
                    (F("valid"), RangeOperators.OVERLAPS),
                ],
            ),
        ]
        indexes = [models.Index(fields=["code_list", "code"], name="codes_item_code")]


class CodeListVersion(models.Model):
    """One loading of a list that changed something: what was added, closed and renamed."""

    guard = Guard(append_only=True)

    code_list = models.ForeignKey(CodeList, models.PROTECT, related_name="versions", verbose_name=_("danh mục"))
    number = models.PositiveIntegerField(_("phiên bản"))
    digest = models.CharField(_("băm nội dung"), max_length=64)
    effective_on = models.DateField(_("áp dụng từ ngày"))
    loaded_at = models.DateTimeField(_("nạp lúc"))
    added = models.JSONField(_("mã thêm"), default=list)
    closed = models.JSONField(_("mã đóng"), default=list)
    renamed = models.JSONField(_("mã đổi tên"), default=list)

    class Meta:
        verbose_name = _("phiên bản danh mục")
        constraints = [models.UniqueConstraint(fields=["code_list", "number"], name="codes_one_version_a_number")]
