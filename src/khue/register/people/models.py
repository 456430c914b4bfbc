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
            models.Index(fields=["born_on"], name="people_born_on", condition=models.Q(merged_into=None)),
            models.Index(fields=["school_id", "sort_key"], name="people_lack_number", condition=models.Q(personal_index=None, merged_into=None)),
            models.Index(fields=["sort_key", "id"], name="people_lack_number_order", condition=models.Q(personal_index=None, merged_into=None)),
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track(model_name="KinshipHistory")
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


class Double(Row):
    """Two living files that may be of one person, with the evidence and how sure it makes us (`doubles.rules`).

    first, second  the two, the older file first
    evidence       [[code of the rule, points], ...]; no value of either file
    gone_on        the day nobody found them alike any more, or they were merged or told apart; None while open
    """

    guard = Guard(
        coded=("uid", "first_id", "second_id"), scope=Scope(school="first_school_id", others=("second_school_id",))
    )

    first = models.ForeignKey(Person, models.PROTECT, related_name="+", verbose_name=_("hồ sơ thứ nhất"))
    second = models.ForeignKey(Person, models.PROTECT, related_name="+", verbose_name=_("hồ sơ thứ hai"))
    first_school_id = models.BigIntegerField(_("trường của hồ sơ thứ nhất"), null=True)
    second_school_id = models.BigIntegerField(_("trường của hồ sơ thứ hai"), null=True)
    lacks_number = models.BooleanField(_("có hồ sơ chưa có số định danh"), default=False)
    confidence = models.PositiveSmallIntegerField(_("mức tin cậy"))
    evidence = models.JSONField(_("căn cứ"), default=list)
    found_on = models.DateField(_("thấy ngày"))
    gone_on = models.DateField(_("hết ngày"), null=True)

    class Meta:
        verbose_name = _("hai hồ sơ giống nhau")
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="people_one_double_a_pair"),
            models.CheckConstraint(name="people_double_in_order", condition=models.Q(first__lt=models.F("second"))),
        ]
        indexes = [
            models.Index(fields=["first_school_id", "-confidence"], name="people_double_first", condition=models.Q(gone_on=None)),
            models.Index(fields=["second_school_id", "-confidence"], name="people_double_second", condition=models.Q(gone_on=None)),
            models.Index(fields=["-confidence", "id"], name="people_double_order", condition=models.Q(gone_on=None)),
        ]


class ToldApart(Row):
    """Somebody looked and said that two files are of two people: they are never proposed again."""

    guard = Guard(
        coded=("uid", "first_id", "second_id"), scope=Scope(school="first_school_id", others=("second_school_id",))
    )

    first = models.ForeignKey(Person, models.PROTECT, related_name="+", verbose_name=_("hồ sơ thứ nhất"))
    second = models.ForeignKey(Person, models.PROTECT, related_name="+", verbose_name=_("hồ sơ thứ hai"))
    first_school_id = models.BigIntegerField(_("trường của hồ sơ thứ nhất"), null=True)
    second_school_id = models.BigIntegerField(_("trường của hồ sơ thứ hai"), null=True)
    account_id = models.BigIntegerField(_("tài khoản"), null=True)
    account_name = models.CharField(_("người xác định"), max_length=120)
    reason = models.CharField(_("vì sao"), max_length=300)

    class Meta:
        verbose_name = _("hai người khác nhau")
        constraints = [models.UniqueConstraint(fields=["first", "second"], name="people_told_apart_once")]


class Merge(Row):
    """One file goes into another: proposed, decided by somebody else, undone if it was wrong.

    Both codes and uids stay for ever; what was re-pointed stands in `MergeMove`, so that undoing puts back exactly that.

    confidence, evidence  as the pair stood when it was proposed
    standing   uid of the placement that stands where both were placed on the same days; "" where that was not so
    taken      what the survivor took over because it had nothing there: {field: true, "facts": [symbols]}, the school
               that held its file, and under "last" its highest row id by table then
    """

    class State(models.TextChoices):
        """Where it stands; MOVING is seen only inside the transaction that merges or undoes."""

        PROPOSED = "proposed", _("Chờ quyết định")
        MOVING = "moving", _("Đang gộp")
        DONE = "done", _("Đã gộp")
        DECLINED = "declined", _("Không gộp")
        UNDONE = "undone", _("Đã tách lại")

    guard = Guard(
        coded=("uid", "absorbed_id", "survivor_id", "decided_at"),
        scope=Scope(school="school_id", others=("absorbed_school_id", "survivor_school_id")),
    )

    absorbed = models.ForeignKey(Person, models.PROTECT, related_name="merges_away", verbose_name=_("hồ sơ được gộp vào"))
    survivor = models.ForeignKey(Person, models.PROTECT, related_name="merges_in", verbose_name=_("hồ sơ giữ lại"))
    school_id = models.BigIntegerField(_("trường đề nghị"), null=True)
    absorbed_school_id = models.BigIntegerField(_("trường của hồ sơ được gộp"), null=True)
    survivor_school_id = models.BigIntegerField(_("trường của hồ sơ giữ lại"), null=True)
    state = models.CharField(_("trạng thái"), max_length=8, choices=State.choices, default=State.PROPOSED)
    confidence = models.PositiveSmallIntegerField(_("mức tin cậy"))
    evidence = models.JSONField(_("căn cứ"), default=list)
    standing = models.CharField(_("chỗ học được giữ"), max_length=36, blank=True)
    taken = models.JSONField(_("lấy sang hồ sơ giữ lại"), default=dict)
    reason = models.CharField(_("lý do đề nghị"), max_length=300)
    proposed_by = models.BigIntegerField(_("tài khoản đề nghị"), null=True)
    proposed_name = models.CharField(_("người đề nghị"), max_length=120)
    proposed_at = models.DateTimeField(_("đề nghị lúc"))
    decided_name = models.CharField(_("người quyết định"), max_length=120, blank=True)
    decided_at = models.DateTimeField(_("quyết định lúc"), null=True)
    answer = models.CharField(_("ý kiến"), max_length=300, blank=True)
    undone_name = models.CharField(_("người tách lại"), max_length=120, blank=True)
    undone_at = models.DateTimeField(_("tách lại lúc"), null=True)
    undone_why = models.CharField(_("lý do tách lại"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("gộp hồ sơ")
        constraints = [
            models.UniqueConstraint(
                fields=["absorbed"], name="people_one_open_merge", condition=models.Q(state__in=["proposed", "moving", "done"])
            ),
            models.CheckConstraint(name="people_merge_of_two", condition=~models.Q(absorbed=models.F("survivor"))),
        ]
        indexes = [models.Index(fields=["state", "-proposed_at"], name="people_merge_waits")]


class MergeMove(models.Model):
    """One row a merge touched: re-pointed to the survivor (`before` null), or cut because the other stands (`before`: its values)."""

    guard = Guard(append_only=True)

    merge = models.ForeignKey(Merge, models.PROTECT, related_name="moves", verbose_name=_("gộp hồ sơ"))
    table = models.CharField(_("bảng"), max_length=63)
    column = models.CharField(_("cột"), max_length=63)
    row_id = models.BigIntegerField(_("bản ghi"))
    before = models.JSONField(_("giá trị trước"), null=True)
    after = models.JSONField(_("giá trị sau"), null=True)

    class Meta:
        verbose_name = _("bản ghi đã chuyển")
        constraints = [models.UniqueConstraint(fields=["merge", "table", "column", "row_id"], name="people_one_move_a_row")]
