"""What this app registers with the kernel: the family's room in the menu, and a card a child on the home page."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from khue.kernel import menus
from khue.kernel.permissions import Actor
from khue.school.contactbook import permissions, queries

menus.MENU.add("family", menus.Entry(_("Việc học của con"), "contactbook:children", "heart-handshake", permissions.OPEN.code, sort=10))


def child_cards(actor: Actor, now: datetime) -> list[menus.Card]:
    """Return one card a child: her name, class and school."""
    if actor.role not in ("guardian", "learner"):
        return []
    return [
        menus.Card(child.name, reverse("contactbook:child", args=[child.uid]), urgency=1, detail=child.where, action=_("Xem kết quả"))
        for child in queries.children(actor, now=now)
    ]


menus.HOME.add("family", child_cards)
menus.MENU.add(
    "family-changes",
    menus.Entry(
        _("Đề nghị của gia đình"), "contactbook:changes", "heart-handshake", "contactbook.decide_change", sort=64,
        roles=("principal", "vice_principal", "clerk", "homeroom_teacher"),
    ),
)  # fmt: skip
