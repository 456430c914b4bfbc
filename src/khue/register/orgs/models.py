"""Units (ministry, provinces, districts, communes, schools) and their dated ties.

No code counts on a number of tiers: a tier is what the ties say on a day. Units close, they are never
deleted; a reform is one operation with many rows that can be listed, explained and rehearsed.
"""

from __future__ import annotations

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from khue.kernel.database.fields import PeriodField, no_overlap
from khue.kernel.database.rows import Guard, Row


class UnitKind(models.TextChoices):
    """What a unit is; which kinds may hold which is data of the day, not of this list."""

    MINISTRY = "ministry", _("Bộ Giáo dục và Đào tạo")
    PROVINCE = "province", _("Tỉnh, thành phố")
    DISTRICT = "district", _("Huyện, quận (đến 30/6/2025)")
    COMMUNE = "commune", _("Xã, phường, đặc khu")
    SCHOOL = "school", _("Trường")
    CENTRE = "centre", _("Trung tâm GDTX")
    COLLEGE = "college", _("Trường chuyên nghiệp")


class Level(models.TextChoices):
    """Levels of schooling a school may hold (QĐ 4998/QĐ-BGDĐT, MA_NHOM_CAP_HOC)."""

    PRESCHOOL = "preschool", _("Mầm non")
    PRIMARY = "primary", _("Tiểu học")
    LOWER_SECONDARY = "lower_secondary", _("Trung học cơ sở")
    UPPER_SECONDARY = "upper_secondary", _("Trung học phổ thông")
    CONTINUING = "continuing", _("Giáo dục thường xuyên")


GRADES = {
    Level.PRIMARY: range(1, 6),
    Level.LOWER_SECONDARY: range(6, 10),
    Level.UPPER_SECONDARY: range(10, 13),
}


def level_of_grade(grade: int) -> str:
    """Return the level a grade 1 to 12 belongs to; preschool groups are 0 and below."""
    return next((level.value for level, grades in GRADES.items() if grade in grades), Level.PRESCHOOL.value)


class UnitQuerySet(models.QuerySet["Unit"]):
    """The words for sets of units."""

    def on(self, day) -> UnitQuerySet:  # noqa: ANN001 - a date or an expression of one
        """Return the units that exist on `day`."""
        return self.filter(valid__contains=day)

    def schools(self) -> UnitQuerySet:
        """Return schools and centres: the units learners are placed in."""
        return self.filter(kind__in=[UnitKind.SCHOOL, UnitKind.CENTRE])


@pghistory.track(model_name="UnitHistory")
class Unit(Row):
    """One body or school. Its code is given once and stays through every merge, split and rename (TT 42/2021, Art. 10)."""

    guard = Guard(coded=("uid", "code", "kind"))

    code = models.CharField(_("mã định danh"), max_length=20)
    kind = models.CharField(_("loại đơn vị"), max_length=10, choices=UnitKind.choices)
    name = models.CharField(_("tên"), max_length=200)
    name_fold = models.GeneratedField(
        expression=models.Func(models.F("name"), function="khue_fold"), output_field=models.TextField(), db_persist=True
    )
    levels = ArrayField(models.CharField(max_length=20, choices=Level.choices), verbose_name=_("cấp học"), default=list, blank=True)
    valid = PeriodField()
    commune_code = models.CharField(_("mã xã nơi đặt trường"), max_length=5, blank=True)
    address = models.CharField(_("địa chỉ"), max_length=250, blank=True)
    facts = models.JSONField(_("các trường khác theo QĐ 4998"), default=dict)

    objects = UnitQuerySet.as_manager()

    class Meta:
        verbose_name = _("đơn vị")
        constraints = [models.UniqueConstraint(fields=["kind", "code"], name="orgs_one_unit_a_code")]
        indexes = [models.Index(fields=["kind", "name_fold"], name="orgs_unit_search")]

    def __str__(self) -> str:
        return self.name

    @property
    def scope_school_id(self) -> int:
        """Return the id the permission relation `unit` compares."""
        return self.pk


@pghistory.track(model_name="UnitNameHistory")
class UnitName(Row):
    """A name a unit bore for some days."""

    guard = Guard()

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="names", verbose_name=_("đơn vị"))
    name = models.CharField(_("tên"), max_length=200)
    valid = PeriodField()

    class Meta:
        verbose_name = _("tên theo thời gian")
        constraints = [no_overlap("orgs_one_name_a_day", "unit_id")]


class Relation(models.TextChoices):
    """How a parent is over a child."""

    ADMINISTERS = "administers", _("quản lý trực tiếp")
    PROFESSIONAL = "professional", _("quản lý chuyên môn")
    LOCATED = "located", _("đặt tại")


RELATION_NUMBERS = {Relation.ADMINISTERS: 0, Relation.PROFESSIONAL: 1, Relation.LOCATED: 2}
"""`relation_no` of each relation: the exclusion constraint needs a number."""


@pghistory.track(model_name="UnitTieHistory")
class UnitTie(Row):
    """A parent over a child for some days: one parent a relation and day, and no cycle (checked by the service)."""

    guard = Guard()

    parent = models.ForeignKey(Unit, models.PROTECT, related_name="child_ties", verbose_name=_("đơn vị trên"))
    child = models.ForeignKey(Unit, models.PROTECT, related_name="parent_ties", verbose_name=_("đơn vị dưới"))
    relation = models.CharField(_("quan hệ"), max_length=12, choices=Relation.choices, default=Relation.ADMINISTERS)
    relation_no = models.PositiveSmallIntegerField(editable=False, default=0)
    valid = PeriodField()

    class Meta:
        verbose_name = _("quan hệ trên dưới")
        constraints = [
            no_overlap("orgs_one_parent_a_day", "child_id", "relation_no"),
            models.CheckConstraint(name="orgs_not_own_parent", condition=~models.Q(parent=models.F("child"))),
        ]


class UnitReach(models.Model):
    """Which units lie under which on which days: a named materialisation of the ties, compared with them by a test."""

    guard = Guard(deletable=True)

    ancestor = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("đơn vị trên"))
    descendant = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("đơn vị dưới"))
    depth = models.PositiveSmallIntegerField(_("số bậc"))
    is_school = models.BooleanField(_("là trường"))
    valid = PeriodField()

    class Meta:
        verbose_name = _("phạm vi đơn vị")
        constraints = [no_overlap("orgs_one_way_up_a_day", "ancestor_id", "descendant_id")]
        indexes = [
            models.Index(fields=["ancestor", "is_school"], name="orgs_reach_down"),
            models.Index(fields=["descendant"], name="orgs_reach_up"),
            GistIndex(fields=["valid"], name="orgs_reach_days"),
        ]


class Reform(Row):
    """One dated operation on the tree: merge, end of a tier, re-parenting. Rehearsed first, then applied once."""

    class State(models.TextChoices):
        """Where the operation stands."""

        DRAFT = "draft", _("Bản nháp")
        APPLIED = "applied", _("Đã thực hiện")

    guard = Guard(coded=("uid", "code"))

    code = models.CharField(_("mã"), max_length=40, unique=True)
    name = models.CharField(_("tên"), max_length=200)
    instrument = models.CharField(_("căn cứ"), max_length=200, blank=True)
    effective_on = models.DateField(_("ngày hiệu lực"))
    state = models.CharField(_("trạng thái"), max_length=10, choices=State.choices, default=State.DRAFT)
    applied_at = models.DateTimeField(_("thực hiện lúc"), null=True)
    summary = models.JSONField(_("kết quả"), default=dict)

    class Meta:
        verbose_name = _("đợt sắp xếp đơn vị")


class Succession(Row):
    """From one unit to another on a day, whole or in part."""

    class Kind(models.TextChoices):
        """What happened."""

        MERGE = "merge", _("sáp nhập")
        SPLIT = "split", _("chia, tách")
        CONVERT = "convert", _("chuyển đổi")
        RENAME = "rename", _("đổi tên")
        END = "end", _("kết thúc")

    guard = Guard(coded=("uid", "source_id", "target_id"))

    reform = models.ForeignKey(Reform, models.PROTECT, related_name="successions", null=True, verbose_name=_("đợt sắp xếp"))
    source = models.ForeignKey(Unit, models.PROTECT, related_name="successors", verbose_name=_("từ"))
    target = models.ForeignKey(Unit, models.PROTECT, related_name="predecessors", null=True, verbose_name=_("thành"))
    kind = models.CharField(_("việc"), max_length=10, choices=Kind.choices)
    is_whole = models.BooleanField(_("toàn bộ"), default=True)
    on = models.DateField(_("ngày"))
    note = models.CharField(_("ghi chú"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("kế thừa")
        indexes = [models.Index(fields=["reform", "source"], name="orgs_succession_reform")]


class ReformQuestion(Row):
    """A school whose commune was divided: where it lies now is proposed by rule and decided by a person.

    options  codes of the communes that took a part of the old one; `proposed` is the one taken meanwhile
    """

    guard = Guard(coded=("uid", "reform_id", "school_id", "source_id"))

    reform = models.ForeignKey(Reform, models.PROTECT, related_name="questions", verbose_name=_("đợt sắp xếp"))
    school = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("trường"))
    source = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("xã cũ"))
    options = ArrayField(models.CharField(max_length=20), verbose_name=_("các xã có thể"), default=list)
    proposed = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("xã tạm ghi"))
    decided = models.ForeignKey(Unit, models.PROTECT, related_name="+", null=True, verbose_name=_("xã đã chọn"))
    decided_at = models.DateTimeField(_("chọn lúc"), null=True)
    decided_by = models.CharField(_("người chọn"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("trường cần xác định xã")
        constraints = [models.UniqueConstraint(fields=["reform", "school"], name="orgs_one_question_a_school")]
