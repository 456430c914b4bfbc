"""The ceiling of what one account may take out in a day: records counted in the audit, refused above the role's number.

Whoever needs more asks a second person of the province to take the rest: there is no way around by asking twice.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import IntegerField, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from khue.kernel import audit
from khue.kernel.audit.models import Act
from khue.kernel.errors import DomainError
from khue.kernel.permissions import Actor

CEILINGS = {"province_officer": 600_000, "data_steward": 600_000, "partner_system": 600_000, "principal": 20_000}
"""Records a day by role; a role without a number takes nothing out."""
ACTS = ("sync.file.take", "oneroster.bundle.take")


class TooMuch(DomainError):
    """The account has taken out its day's number of records. Facts: ceiling."""

    code, status = "doors.too-much", 429
    title = _("Hôm nay tài khoản này đã lấy ra gần hết mức cho phép (%(ceiling)s bản ghi mỗi ngày).")
    advice = _("Hãy làm tiếp vào ngày mai, hoặc nhờ người thứ hai của Sở lấy phần còn lại.")


def take(actor: Actor, act: str, *, records: int, at: datetime, on: Any = None, **facts: Any) -> None:
    """Note that records leave through a door, unless that passes the day's ceiling. Raises TooMuch."""
    if not actor.is_system:
        ceiling = CEILINGS.get(actor.role, 0)
        day = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
        taken = Act.objects.filter(account_id=actor.account_id, act__in=ACTS, at__gte=day).aggregate(
            n=Sum(Cast(KeyTextTransform("records", "facts"), IntegerField()))
        )["n"]
        if (taken or 0) + records > ceiling:
            raise TooMuch(ceiling=ceiling)
    audit.record(actor, act, on=on, at=at, records=records, **facts)
