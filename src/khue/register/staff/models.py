"""Posts: who works where, as what, in which days."""

from __future__ import annotations

import pghistory
from django.db import models
from django.utils.translation import gettext_lazy as _

from khue.kernel.database.fields import PeriodField, no_overlap
from khue.kernel.database.rows import Guard, Row, Scope
from khue.register.orgs.models import Unit
from khue.register.people.models import Person


class Position(models.TextChoices):
    """Positions a post may have in a school or office."""

    PRINCIPAL = "principal", _("Hiệu trưởng")
    VICE_PRINCIPAL = "vice_principal", _("Phó hiệu trưởng")
    TEACHER = "teacher", _("Giáo viên")
    CLERK = "clerk", _("Văn thư, giáo vụ")
    ACCOUNTANT = "accountant", _("Kế toán")
    NURSE = "nurse", _("Nhân viên y tế")
    LIBRARIAN = "librarian", _("Thư viện, thiết bị")
    OFFICER = "officer", _("Chuyên viên")
    OTHER = "other", _("Nhân viên khác")


@pghistory.track(model_name="PostHistory")
class Post(Row):
    """One person's post at one unit for some days."""

    guard = Guard(coded=("uid", "person_id", "school_id"), scope=Scope(school="school_id", person="person_id"))

    person = models.ForeignKey(Person, models.PROTECT, related_name="posts", verbose_name=_("người"))
    school = models.ForeignKey(Unit, models.PROTECT, related_name="posts", verbose_name=_("đơn vị"))
    position = models.CharField(_("chức vụ"), max_length=20, choices=Position.choices)
    contract_kind = models.CharField(_("hình thức hợp đồng"), max_length=20, blank=True)
    load_percent = models.PositiveSmallIntegerField(_("phần trăm định mức"), default=100)
    subject_code = models.CharField(_("môn dạy chính"), max_length=40, blank=True)
    short_name = models.CharField(_("tên viết tắt trong trường"), max_length=60, blank=True)
    facts = models.JSONField(_("các trường khác theo QĐ 4998"), default=dict)
    valid = PeriodField()

    class Meta:
        verbose_name = _("vị trí công tác")
        constraints = [
            no_overlap("staff_one_post_a_place", "person_id", "school_id"),
            models.CheckConstraint(name="staff_load_within_100", condition=models.Q(load_percent__gte=1, load_percent__lte=100)),
        ]
        indexes = [models.Index(fields=["school", "person"], name="staff_post_school")]
