"""Rules of data quality as rows, what they found, the score of a day, and the days by which things are due.

A finding opens when its rule first sees it and is mended when the rule no longer does: both days stay, so that trend
comes out. It holds ids and symbols, never the wrong value.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from khue.kernel.codes.models import always
from khue.kernel.database.fields import PeriodField
from khue.kernel.database.rows import Guard, Row, Scope


class Severity(models.TextChoices):
    """How bad it is: an error must be mended before data are handed up, a warning looked at, a notice known."""

    ERROR = "error", _("Lỗi")
    WARNING = "warning", _("Cảnh báo")
    NOTICE = "notice", _("Lưu ý")


class Rule(Row):
    """One rule: its kind says how it is asked (`checks`), its parameters what of. It holds on some days."""

    guard = Guard(coded=("uid", "code", "kind"))

    code = models.CharField(_("mã"), max_length=60, unique=True)
    kind = models.CharField(_("cách kiểm tra"), max_length=30)
    object = models.CharField(_("đối tượng"), max_length=20)
    severity = models.CharField(_("mức độ"), max_length=8, choices=Severity.choices)
    owner = models.CharField(_("ai sửa"), max_length=40)
    title = models.CharField(_("quy tắc"), max_length=200)
    text = models.CharField(_("vì sao"), max_length=500)
    mend = models.CharField(_("cách sửa"), max_length=500)
    parameters = models.JSONField(_("tham số"), default=dict)
    valid = PeriodField(default=always)
    sort = models.PositiveSmallIntegerField(_("thứ tự"), default=0)

    class Meta:
        verbose_name = _("quy tắc chất lượng")

    def __str__(self) -> str:
        return self.title


class Finding(Row):
    """One thing a rule found: which row, which field, since when; mended on a day, or open.

    row_id, row_uid  the school, class, post or person it is about, as `Rule.object` says
    detail           numbers and codes that help to mend it, no personal data
    """

    guard = Guard(coded=("uid", "rule_id", "row_id", "symbol"), scope=Scope(school="school_id"))

    rule = models.ForeignKey(Rule, models.PROTECT, related_name="findings", verbose_name=_("quy tắc"), db_index=False)
    school_id = models.BigIntegerField(_("trường"))
    level = models.CharField(_("cấp học"), max_length=20)
    row_id = models.BigIntegerField(_("bản ghi"))
    row_uid = models.UUIDField(_("mã ngoài của bản ghi"))
    person_id = models.BigIntegerField(_("người"), null=True)
    symbol = models.CharField(_("ký hiệu"), max_length=60, blank=True)
    detail = models.JSONField(_("chi tiết"), default=dict)
    first_seen = models.DateField(_("thấy lần đầu"))
    mended_on = models.DateField(_("hết ngày"), null=True)

    class Meta:
        verbose_name = _("điểm cần sửa")
        constraints = [models.UniqueConstraint(fields=["rule", "row_id", "symbol", "school_id"], name="quality_one_finding")]
        indexes = [
            models.Index(fields=["school_id", "rule"], name="quality_finding_open", condition=models.Q(mended_on=None)),
        ]


class Score(Row):
    """The score of a school's level on a day, in tenths of a per cent; no school: the whole installation.

    rows    records looked at; faulty those with an open error, doubtful those with a warning and no error
    """

    guard = Guard(scope=Scope(school="school_id"))

    school_id = models.BigIntegerField(_("trường"), null=True)
    level = models.CharField(_("cấp học"), max_length=20)
    on = models.DateField(_("ngày"))
    rows = models.PositiveIntegerField(_("số bản ghi"))
    faulty = models.PositiveIntegerField(_("bản ghi có lỗi"))
    doubtful = models.PositiveIntegerField(_("bản ghi có cảnh báo"))
    opened = models.PositiveIntegerField(_("mới thấy trong ngày"), default=0)
    mended = models.PositiveIntegerField(_("sửa xong trong ngày"), default=0)
    per_mille = models.PositiveSmallIntegerField(_("điểm (phần nghìn)"))

    class Meta:
        verbose_name = _("điểm chất lượng")
        constraints = [models.UniqueConstraint(fields=["school_id", "level", "on"], name="quality_one_score_a_day", nulls_distinct=False)]
        indexes = [models.Index(fields=["on"], name="quality_score_day")]


class Deadline(Row):
    """The day by which a term's registers are to be entered and closed, for a level or for all."""

    class Stage(models.TextChoices):
        """What is due."""

        ENTER = "enter", _("Nhập đủ điểm")
        LOCK = "lock", _("Khoá sổ")

    guard = Guard(coded=("uid", "school_year", "term", "stage", "level"))

    school_year = models.PositiveSmallIntegerField(_("năm học (năm bắt đầu)"))
    term = models.PositiveSmallIntegerField(_("học kỳ"))
    stage = models.CharField(_("việc"), max_length=8, choices=Stage.choices)
    level = models.CharField(_("cấp học (trống: mọi cấp)"), max_length=20, blank=True)
    due_on = models.DateField(_("hạn"))

    class Meta:
        verbose_name = _("hạn nhập liệu")
        constraints = [models.UniqueConstraint(fields=["school_year", "term", "stage", "level"], name="quality_one_deadline")]
