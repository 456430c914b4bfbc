"""People: one person, one immutable code for life; family ties. The personal number is encrypted.

`school_id` is the school that holds the person's file today; the services of placements and posts keep it.
"""

from __future__ import annotations

import pghistory
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Func, TextField
from django.utils.translation import gettext_lazy as _

from khue.kernel.database.fields import PeriodField, no_overlap
from khue.kernel.database.rows import Guard, Row, Scope


class Sex(models.TextChoices):
    """Sex as papers state it (QCVN 109:2017/BTTTT: 0 unknown, 1 male, 2 female)."""

    MALE = "1", _("Nam")
    FEMALE = "2", _("Nữ")
    UNKNOWN = "0", _("Chưa rõ")


class Precision(models.TextChoices):
    """How much of a partial date is known."""

    DAY = "day", _("ngày")
    MONTH = "month", _("tháng")
    YEAR = "year", _("năm")


@pghistory.track(model_name="PersonHistory", exclude=["name_fold", "search"])
class Person(Row):
    """One person for life, learner or staff or guardian."""

    guard = Guard(coded=("uid", "code"), scope=Scope(school="school_id", person="id"))

    code = models.CharField(_("mã định danh"), max_length=20, unique=True)
    name = models.CharField(_("họ và tên"), max_length=120)
    name_fold = models.GeneratedField(
        expression=Func(F("name"), function="khue_fold"), output_field=TextField(), db_persist=True
    )
    sort_key = models.CharField(_("khoá xếp tên"), max_length=200, editable=False)
    born_on = models.DateField(_("ngày sinh"), null=True, blank=True)
    born_precision = models.CharField(_("độ chính xác"), max_length=5, choices=Precision.choices, default=Precision.DAY)
    sex = models.CharField(_("giới tính"), max_length=1, choices=Sex.choices, default=Sex.UNKNOWN)
    ethnic_group = models.CharField(_("dân tộc"), max_length=3, blank=True)
    nationality = models.CharField(_("quốc tịch"), max_length=3, blank=True)
    birth_place = models.CharField(_("nơi sinh"), max_length=200, blank=True)
    commune_code = models.CharField(_("mã xã nơi thường trú"), max_length=5, blank=True)
    address = models.CharField(_("nơi ở"), max_length=250, blank=True)
    phone = models.CharField(_("điện thoại"), max_length=20, blank=True)
    email = models.EmailField(_("thư điện tử"), blank=True)
    personal_number = models.BinaryField(_("số định danh cá nhân (mã hoá)"), null=True, blank=True)
    personal_index = models.CharField(_("chỉ mục số định danh"), max_length=64, null=True, blank=True, editable=False)
    school_id = models.BigIntegerField(_("trường đang giữ hồ sơ"), null=True, db_index=True)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="merged", verbose_name=_("đã gộp vào"))
    facts = models.JSONField(_("các trường khác theo QĐ 4998"), default=dict)

    class Meta:
        verbose_name = _("người")
        constraints = [
            models.UniqueConstraint(
                fields=["personal_index"], name="people_one_living_number",
                condition=models.Q(merged_into=None, personal_index__isnull=False),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(OpClass(F("name_fold"), "text_pattern_ops"), name="people_name_prefix"),
            models.Index(F("school_id"), OpClass(F("name_fold"), "text_pattern_ops"), name="people_name_in_school"),
            GinIndex(SearchVector("name_fold", config="simple"), name="people_name_words"),
            models.Index(fields=["sort_key", "id"], name="people_in_order"),
        ]

    def __str__(self) -> str:
        return self.name


class Kinship(Row):
    """A guardian of a learner for some days, with what she may see; the guardian's view ends with it."""

    class Relation(models.TextChoices):
        """Who the guardian is to the learner."""

        FATHER = "father", _("Cha")
        MOTHER = "mother", _("Mẹ")
        GUARDIAN = "guardian", _("Người giám hộ")

    guard = Guard(scope=Scope(school="school_id", person="learner_id"))

    guardian = models.ForeignKey(Person, models.PROTECT, related_name="wards", verbose_name=_("phụ huynh"))
    learner = models.ForeignKey(Person, models.PROTECT, related_name="guardians", verbose_name=_("học sinh"))
    relation = models.CharField(_("quan hệ"), max_length=10, choices=Relation.choices)
    may_see = models.BooleanField(_("được xem kết quả"), default=True)
    school_id = models.BigIntegerField(_("trường"), null=True)
    valid = PeriodField()

    class Meta:
        verbose_name = _("quan hệ gia đình")
        constraints = [no_overlap("people_one_tie_a_day", "guardian_id", "learner_id")]
        indexes = [models.Index(fields=["guardian", "learner"], name="people_kin_guardian")]
