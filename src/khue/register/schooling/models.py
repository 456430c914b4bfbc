"""Classes of a school year and the placement of each learner from day to day.

There is no roll-over and no copy: a learner's whole way through school is her placements. Leaving is the end
of one with a reason; a transfer closes one and opens the next in one transaction.
"""

from __future__ import annotations

from datetime import date, timedelta

import pghistory
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from khue.kernel.database.fields import PeriodField, no_overlap
from khue.kernel.database.rows import Guard, Row, Scope
from khue.register.orgs.models import Unit
from khue.register.people.models import Person
from khue.register.staff.models import Post


@pghistory.track(model_name="ClassGroupHistory")
class ClassGroup(Row):
    """One class of one school in one school year."""

    guard = Guard(coded=("uid", "school_id", "school_year"))  # holds no personal data

    school = models.ForeignKey(Unit, models.PROTECT, related_name="class_groups", verbose_name=_("trường"))
    school_year = models.PositiveSmallIntegerField(_("năm học (năm bắt đầu)"))
    grade = models.SmallIntegerField(_("khối"))
    code = models.CharField(_("mã lớp"), max_length=20, blank=True)
    name = models.CharField(_("tên lớp"), max_length=60)
    homeroom = models.ForeignKey(Post, models.PROTECT, null=True, blank=True, related_name="homerooms", verbose_name=_("giáo viên chủ nhiệm"))
    facts = models.JSONField(_("các trường khác theo QĐ 4998"), default=dict)

    class Meta:
        verbose_name = _("lớp")
        constraints = [
            models.UniqueConstraint(fields=["school", "school_year", "name"], name="schooling_one_class_a_name"),
            models.CheckConstraint(name="schooling_grade_known", condition=models.Q(grade__gte=-5, grade__lte=12)),
        ]

    def __str__(self) -> str:
        return self.name


class Opened(models.TextChoices):
    """Why a placement began."""

    ENTRY = "entry", _("Tuyển mới")
    TRANSFER = "transfer", _("Chuyển đến")
    PROMOTION = "promotion", _("Lên lớp")
    REPETITION = "repetition", _("Ở lại lớp")
    RETURN = "return", _("Học lại sau khi nghỉ")
    MOVE = "move", _("Đổi lớp")
    IMPORT = "import", _("Nhập từ tệp")


class Closed(models.TextChoices):
    """Why a placement ended."""

    YEAR_END = "year_end", _("Hết năm học")
    TRANSFER = "transfer", _("Chuyển đi")
    DROPOUT = "dropout", _("Thôi học")
    LEAVE = "leave", _("Bảo lưu")
    MOVE = "move", _("Đổi lớp")
    COMPLETED = "completed", _("Hoàn thành cấp học")
    UNDONE = "undone", _("Hoàn tác nhập tệp")
    DIED = "died", _("Qua đời")


class PlacementQuerySet(models.QuerySet["Placement"]):
    """The words for sets of placements."""

    def main(self) -> PlacementQuerySet:
        """Return main placements: at most one a learner and day."""
        return self.filter(is_main=True)

    def on(self, day) -> PlacementQuerySet:  # noqa: ANN001 - a date or an expression of one
        """Return the placements that hold on `day`."""
        return self.filter(valid__contains=day)


@pghistory.track(model_name="PlacementHistory")
class Placement(Row):
    """One learner in one class for some days. The database holds: at most one main placement a day."""

    guard = Guard(
        coded=("uid", "learner_id", "school_id", "class_group_id"),
        scope=Scope(school="school_id", person="learner_id", is_portable=True),
    )

    learner = models.ForeignKey(Person, models.PROTECT, related_name="placements", verbose_name=_("học sinh"))
    school = models.ForeignKey(Unit, models.PROTECT, related_name="placements", verbose_name=_("trường"))
    class_group = models.ForeignKey(ClassGroup, models.PROTECT, related_name="placements", verbose_name=_("lớp"))
    school_year = models.PositiveSmallIntegerField(_("năm học (năm bắt đầu)"))
    is_main = models.BooleanField(_("là chỗ học chính"), default=True)
    valid = PeriodField()
    opened = models.CharField(_("vào vì"), max_length=12, choices=Opened.choices)
    closed = models.CharField(_("ra vì"), max_length=12, choices=Closed.choices, blank=True)
    roll_number = models.PositiveSmallIntegerField(_("số thứ tự trong lớp"), null=True, blank=True)

    objects = PlacementQuerySet.as_manager()

    class Meta:
        verbose_name = _("chỗ học")
        constraints = [
            no_overlap("schooling_one_main_place_a_day", "learner_id", condition=models.Q(is_main=True)),
        ]
        indexes = [
            models.Index(fields=["class_group", "learner"], name="schooling_place_class"),
            models.Index(fields=["school", "school_year"], name="schooling_place_school"),
            BrinIndex(fields=["changed_at"], autosummarize=True, name="schooling_place_changed"),  # what was written since a moment
        ]

    @property
    def last_day(self) -> date | None:
        """Return the last day it holds, or None while it is open-ended."""
        return self.valid.upper - timedelta(days=1) if self.valid.upper else None


class Transfer(Row):
    """A learner's change of school, asked by one side and agreed by both; then done in one transaction."""

    class State(models.TextChoices):
        """Where it stands."""

        ASKED = "asked", _("Đã đề nghị")
        RELEASED = "released", _("Trường cũ đồng ý")
        ACCEPTED = "accepted", _("Trường mới đồng ý")
        DONE = "done", _("Đã chuyển")
        REFUSED = "refused", _("Không đồng ý")
        WITHDRAWN = "withdrawn", _("Đã rút")

    guard = Guard(
        coded=("uid", "learner_id", "from_school_id", "to_school_id"),
        scope=Scope(school="from_school_id", person="learner_id", others=("to_school_id",)),
    )

    learner = models.ForeignKey(Person, models.PROTECT, related_name="transfers", verbose_name=_("học sinh"))
    from_school = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("trường cũ"))
    to_school = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("trường mới"))
    to_class = models.ForeignKey(ClassGroup, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("lớp mới"))
    learner_name = models.CharField(_("họ tên lúc đề nghị"), max_length=120)
    grade = models.SmallIntegerField(_("khối"))
    effective_on = models.DateField(_("ngày chuyển"))
    reason = models.CharField(_("lý do"), max_length=300)
    state = models.CharField(_("trạng thái"), max_length=10, choices=State.choices, default=State.ASKED)
    released_at = models.DateTimeField(_("trường cũ đồng ý lúc"), null=True)
    accepted_at = models.DateTimeField(_("trường mới đồng ý lúc"), null=True)
    answer = models.CharField(_("trả lời"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("chuyển trường")
        constraints = [
            models.UniqueConstraint(
                fields=["learner"], name="schooling_one_open_transfer",
                condition=models.Q(state__in=["asked", "released", "accepted"]),
            ),
        ]  # fmt: skip


class SchoolPlan(Row):
    """A merger of schools decided before its day: done on that day by the worker, or withdrawn before.

    problem  why it could not be done at the last try; tried again each hour
    """

    class State(models.TextChoices):
        """Where it stands."""

        PLANNED = "planned", _("Chờ đến ngày")
        DONE = "done", _("Đã thực hiện")
        WITHDRAWN = "withdrawn", _("Đã rút")

    guard = Guard(coded=("uid", "source_id", "target_id"))  # holds no personal data but who decided

    source = models.ForeignKey(Unit, models.PROTECT, related_name="plans", verbose_name=_("trường được sáp nhập"))
    target = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("trường nhận"))
    on = models.DateField(_("từ ngày"))
    reason = models.CharField(_("căn cứ, lý do"), max_length=300)
    state = models.CharField(_("trạng thái"), max_length=10, choices=State.choices, default=State.PLANNED)
    planned_by = models.BigIntegerField(_("tài khoản lập kế hoạch"), null=True)
    planned_name = models.CharField(_("người lập kế hoạch"), max_length=120)
    planned_at = models.DateTimeField(_("lập lúc"))
    performed_at = models.DateTimeField(_("thực hiện lúc"), null=True)
    problem = models.CharField(_("vì sao chưa thực hiện được"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("kế hoạch sáp nhập trường")
        constraints = [
            models.UniqueConstraint(fields=["source"], name="schooling_one_plan_a_school", condition=models.Q(state="planned")),
            models.CheckConstraint(name="schooling_plan_of_two", condition=~models.Q(source=models.F("target"))),
        ]  # fmt: skip
        indexes = [models.Index(fields=["on"], name="schooling_plan_due", condition=models.Q(state="planned"))]
