"""What this app registers: its rights and jobs, its menu entry, the cards of who has something to do."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from khue.kernel import menus
from khue.kernel.permissions import Actor, holds
from khue.province.periods import (
    freezing,  # noqa: F401 - declares the jobs
    permissions,  # noqa: F401 - declares the rights
    signing,  # noqa: F401 - declares the job
)
from khue.province.periods.models import ReportPeriod, State, Submission

menus.MENU.add("periods", menus.Entry(_("Kỳ nộp dữ liệu"), "periods:index", icon="calendar-due", right="periods.view", sort=72))


def my_cards(actor: Actor, now: datetime) -> list[menus.Card]:
    """Return what waits for this person: her signature, her correction, her check; one query."""
    if holds(actor, "periods.check") and (actor.schools or actor.schools is None):
        waiting = Submission.objects.filter(period__state=ReportPeriod.State.FROZEN, state=State.CHECKING)
        waiting = waiting.filter(at_unit__kind="province") if actor.schools is None else waiting.filter(at_unit_id=actor.unit_id or 0)
        count = waiting.count()
        text = ngettext("%(count)s trường chờ bạn kiểm tra số liệu", "%(count)s trường chờ bạn kiểm tra số liệu", count) % {"count": count}
        return [menus.Card(text, reverse("periods:index"), urgency=0, count=count, action=_("Mở bảng theo dõi"))] if count else []
    if not holds(actor, "periods.prepare") or not actor.schools:
        return []
    states = (State.WAITING, State.RETURNED, State.UNLOCKED) if holds(actor, "periods.sign") else (State.RETURNED, State.UNLOCKED)
    held = Submission.objects.filter(
        school_id__in=list(actor.schools), period__state=ReportPeriod.State.FROZEN, state__in=states
    ).select_related("period").order_by("pk")[:3]  # fmt: skip
    return [
        menus.Card(one.period.name, reverse("periods:submission", args=[one.uid]), urgency=0, detail=one.get_state_display(), action=_("Mở hồ sơ nộp"))
        for one in held
    ]


menus.HOME.add("periods", my_cards)
