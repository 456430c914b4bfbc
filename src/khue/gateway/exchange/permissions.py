"""Rights over imports."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from khue.gateway.exchange.kinds import KINDS
from khue.gateway.exchange.models import ImportBatch
from khue.kernel.errors import NotFound
from khue.kernel.permissions import Actor, demand, right

IMPORT = right(
    "exchange.import",
    _("Nhập dữ liệu từ tệp"),
    {"clerk": "unit", "principal": "unit", "vice_principal": "unit", "it_focal": "unit", "data_steward": "unit"},
)
IMPORT_MARKS = right(
    "exchange.import_marks",
    _("Nhập điểm của sổ mình dạy từ tệp"),
    dict.fromkeys(("subject_teacher", "homeroom_teacher", "group_head", "vice_principal", "principal"), "unit"),
)
"""The register's own right, `gradebook.record_mark`, is asked for as well when the file is read."""


def demand_batch(actor: Actor, batch: ImportBatch, *, at: datetime) -> None:
    """Return if the actor may see and work on a batch: by the right of its kind; marks only for who uploaded them."""
    demand(actor, KINDS[batch.kind].right, on=batch, at=at)
    if batch.kind == "marks" and not actor.is_system and batch.account_id != actor.account_id:
        raise NotFound()
