"""What has no column of its own: dated records of a school, a class, a person; fields added later; what is filled.

A `Record` is one line of a child table of QĐ 4998 (a site, a training, a reward, a measurement of health, a room, an
item of income): its kind says whose it is and which fields its body may hold (`annex.kinds`), the service validates
the body against them. It ends or is withdrawn, it is never deleted.
"""

from __future__ import annotations

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from khue.kernel.database.fields import PeriodField, no_overlap
from khue.kernel.database.rows import Guard, Row, Scope
from khue.register.orgs.models import Unit
from khue.register.people.models import Person
from khue.register.schooling.models import ClassGroup


class RecordQuerySet(models.QuerySet["Record"]):
    """The words for sets of records."""

    def living(self) -> RecordQuerySet:
        """Return the records that were not withdrawn."""
        return self.filter(withdrawn_at=None)

    def on(self, day) -> RecordQuerySet:  # noqa: ANN001 - a date or an expression of one
        """Return the records that hold on `day`."""
        return self.living().filter(valid__contains=day)


@pghistory.track(model_name="RecordHistory")
class Record(Row):
    """One dated record of a school or of a person at a school; `body` holds its values by symbol."""

    guard = Guard(
        coded=("uid", "kind", "school_id", "person_id"),
        scope=Scope(school="school_id", person="person_id", is_portable=True),
    )

    kind = models.CharField(_("loại bản ghi"), max_length=40)
    school = models.ForeignKey(Unit, models.PROTECT, related_name="records", verbose_name=_("đơn vị ghi"))
    person = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="records", verbose_name=_("người"))
    class_group = models.ForeignKey(ClassGroup, models.PROTECT, null=True, blank=True, related_name="records", verbose_name=_("lớp"))
    school_year = models.PositiveSmallIntegerField(_("năm học (năm bắt đầu)"), null=True, blank=True)
    valid = PeriodField()
    body = models.JSONField(_("nội dung"), default=dict)
    withdrawn_at = models.DateTimeField(_("rút lúc"), null=True, blank=True)
    withdrawn_why = models.CharField(_("lý do rút"), max_length=300, blank=True)

    objects = RecordQuerySet.as_manager()

    class Meta:
        verbose_name = _("bản ghi")
        indexes = [
            models.Index(fields=["school", "kind"], name="fields_record_school"),
            models.Index(fields=["person", "kind"], name="fields_record_person"),
            GinIndex(fields=["body"], name="fields_record_body", opclasses=["jsonb_path_ops"]),
        ]


class ExtensionField(Row):
    """A field added after the annex: of an object or a kind of record, on these days, at this place in the forms.

    Its value lives in the row's `facts`, or in the record's body, under its symbol: adding one needs no migration.
    """

    class Type(models.TextChoices):
        """What a value may be, as in the annex."""

        STRING = "string", _("chữ")
        ENUM = "enum", _("mục của danh mục")
        BOOLEAN = "boolean", _("có hoặc không")
        INTEGER = "integer", _("số nguyên")
        DECIMAL = "decimal", _("số thập phân")
        DATE = "date", _("ngày")

    guard = Guard(coded=("uid", "object", "symbol"))

    object = models.CharField(_("đối tượng"), max_length=40)
    symbol = models.CharField(_("ký hiệu"), max_length=60)
    name = models.CharField(_("tên trường dữ liệu"), max_length=200)
    type = models.CharField(_("kiểu"), max_length=10, choices=Type.choices)
    length = models.PositiveSmallIntegerField(_("độ dài"), null=True, blank=True)
    list_code = models.CharField(_("danh mục"), max_length=60, blank=True)
    is_required = models.BooleanField(_("bắt buộc"), default=False)
    privacy = models.CharField(_("mức bảo mật"), max_length=10)
    retention = models.CharField(_("thời hạn lưu"), max_length=12)
    section = models.CharField(_("phần trong biểu mẫu"), max_length=20)
    topic = models.PositiveSmallIntegerField(_("nhóm dữ liệu"))
    levels = ArrayField(models.CharField(max_length=20), verbose_name=_("cấp học"), default=list, blank=True)
    instrument = models.CharField(_("căn cứ"), max_length=200, blank=True)
    valid = PeriodField()
    symbol_no = models.BigIntegerField(editable=False)

    class Meta:
        verbose_name = _("trường bổ sung")
        constraints = [no_overlap("fields_one_extension_a_day", "symbol_no")]


class Completeness(Row):
    """How many rows of an object have each field, at one school and level on a day; no school: the whole installation.

    Counted nightly (`counting.count_all`); compared with the rows by a test.
    """

    guard = Guard(deletable=True, scope=Scope(school="school_id"))

    school = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+", verbose_name=_("trường"))
    level = models.CharField(_("cấp học"), max_length=20)
    object = models.CharField(_("đối tượng"), max_length=40)
    total = models.PositiveIntegerField(_("số bản ghi"))
    filled = models.JSONField(_("số bản ghi đã có, theo ký hiệu"), default=dict)
    counted_on = models.DateField(_("ngày đếm"))

    class Meta:
        verbose_name = _("mức đầy đủ")
        constraints = [
            models.UniqueConstraint(fields=["school", "level", "object"], name="fields_one_count", nulls_distinct=False),
        ]
