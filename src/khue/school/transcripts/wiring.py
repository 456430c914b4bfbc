"""What this app registers with the kernel: rights, the signing job, menu entry, cards of the home page."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from khue.kernel import menus
from khue.kernel.permissions import Actor, holds
from khue.school.transcripts import (
    happenings,  # noqa: F401 - tells the time-line
    permissions,  # noqa: F401 - declares the rights
    signing,  # noqa: F401 - declares the job
)
from khue.school.transcripts.models import Signing, State, Transcript
from khue.school.transcripts.permissions import OF_STEP
from khue.school.transcripts.services import BEFORE

STAFF = (
    "homeroom_teacher", "principal", "vice_principal", "clerk", "province_officer", "province_director", "inspector",
)  # fmt: skip

menus.MENU.add(
    "transcripts",
    menus.Entry(
        _("Học bạ"), "transcripts:index", icon="certificate", right="transcripts.view", sort=40, roles=STAFF
    ),
)


def my_cards(actor: Actor, now: datetime) -> list[menus.Card]:
    """Return what waits for this person's signature; one query."""
    steps = [step for step in Signing if holds(actor, OF_STEP[step])]
    if not steps or not actor.schools:
        return []
    waiting = Transcript.objects.filter(school_id__in=actor.schools)
    if actor.role == "homeroom_teacher":
        waiting = waiting.filter(class_group__homeroom__person_id=actor.person_id or 0)
    states = {BEFORE[step]: step for step in steps}
    if Signing.HOMEROOM in steps:
        states[State.DRAFT] = Signing.HOMEROOM
    counts: dict[Signing, int] = {}
    for state, count in waiting.filter(state__in=states).values_list("state").annotate(count=Count("pk")):
        step = states[State(state)]
        counts[step] = counts.get(step, 0) + count
    return [
        menus.Card(
            title=ngettext("%(count)s học bạ chờ bạn ký", "%(count)s học bạ chờ bạn ký", count)
            % {"count": count},
            url=reverse("transcripts:index"),
            urgency=0,
            count=count,
            detail=step.label,
            action=_("Xem và ký"),
        )
        for step, count in counts.items()
    ]


menus.HOME.add("transcripts", my_cards)
