"""What a family proposes to change in its child's file; the file itself lives in the register."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from khue.kernel.database.rows import Guard, Row, Scope
from khue.register.people.models import Person
from khue.register.schooling.models import ClassGroup


class FamilyChange(Row):
    """A change of contact or health data a parent proposes and the school approves or returns; then it is closed.

    before, after  {field: value} of what the parent saw and what she wants; fields of `services.FIELDS`
    """

    class State(models.TextChoices):
        """Where it stands."""

        PROPOSED = "proposed", _("Chờ nhà trường xem")
        APPROVED = "approved", _("Nhà trường đã đồng ý")
        RETURNED = "returned", _("Nhà trường gửi lại")
        WITHDRAWN = "withdrawn", _("Gia đình đã rút")

    guard = Guard(
        coded=("uid", "learner_id", "school_id", "proposed_by", "decided_at"),
        scope=Scope(school="school_id", person="learner_id", is_portable=True),
        frozen="old.state <> 'proposed'",
    )

    learner = models.ForeignKey(Person, models.PROTECT, related_name="family_changes", verbose_name=_("học sinh"))
    school_id = models.BigIntegerField(_("trường"))
    class_group = models.ForeignKey(ClassGroup, models.PROTECT, null=True, related_name="+", verbose_name=_("lớp"))
    before = models.JSONField(_("giá trị trước"), default=dict)
    after = models.JSONField(_("giá trị sau"), default=dict)
    has_health = models.BooleanField(_("có dữ liệu sức khoẻ"), default=False)
    state = models.CharField(_("trạng thái"), max_length=9, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.BigIntegerField(_("tài khoản đề nghị"))
    proposed_name = models.CharField(_("người đề nghị"), max_length=120)
    proposed_at = models.DateTimeField(_("đề nghị lúc"))
    decided_by = models.BigIntegerField(_("tài khoản duyệt"), null=True)
    decided_name = models.CharField(_("người duyệt"), max_length=120, blank=True)
    decided_at = models.DateTimeField(_("duyệt lúc"), null=True)
    remark = models.CharField(_("lời nhắn của nhà trường"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("đề nghị của gia đình")
        constraints = [
            models.UniqueConstraint(fields=["learner"], name="contactbook_one_open_change", condition=models.Q(state="proposed")),
        ]
        indexes = [models.Index(fields=["school_id", "state", "-proposed_at"], name="contactbook_change_waits")]
