"""The teaching assignment (phân công giảng dạy)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from khue.kernel.database.fields import PeriodField
from khue.kernel.database.rows import Guard, Row, Scope
from khue.register.schooling.models import ClassGroup
from khue.register.staff.models import Post


class Assignment(Row):
    """One post teaches one subject to one class for some days, so many periods a week."""

    guard = Guard(coded=("uid", "post_id", "class_group_id", "subject_code"), scope=Scope(school="school_id"))

    post = models.ForeignKey(Post, models.PROTECT, related_name="assignments", verbose_name=_("giáo viên"))
    class_group = models.ForeignKey(ClassGroup, models.PROTECT, related_name="assignments", verbose_name=_("lớp"))
    school_id = models.BigIntegerField(_("trường"), db_index=True)
    school_year = models.PositiveSmallIntegerField(_("năm học (năm bắt đầu)"))
    subject_code = models.CharField(_("môn học"), max_length=40)
    periods = models.PositiveSmallIntegerField(_("tiết mỗi tuần"), default=0)
    valid = PeriodField()

    class Meta:
        verbose_name = _("phân công")
        constraints = [
            models.UniqueConstraint(
                fields=["post", "class_group", "subject_code", "valid"], name="teaching_assignment_once",
                condition=models.Q(valid__isempty=False),
            ),
        ]
        indexes = [
            models.Index(fields=["class_group", "subject_code"], name="teaching_class_subject"),
        ]


class SubjectAlias(Row):
    """What a school calls a subject in its own files: learned at the first import, used at the next."""

    guard = Guard(deletable=True)

    school_id = models.BigIntegerField(_("trường"), null=True)
    alias = models.CharField(_("tên gọi"), max_length=120)
    subject_code = models.CharField(_("môn học"), max_length=40)

    class Meta:
        verbose_name = _("tên gọi môn học")
        constraints = [models.UniqueConstraint(fields=["school_id", "alias"], name="teaching_one_alias", nulls_distinct=False)]
