"""Rooms of the shell that apps offer: menu entries by right, and cards of the home page.

    menus.MENU.add("gradebook", Entry(_("Sổ điểm"), "gradebook:index", icon="notebook", right="gradebook.open"))
    menus.HOME.add("gradebook", my_cards)      # (actor, now) -> list[Card], at most one query
    menus.SEARCH.add("learners", my_hits)      # (actor, folded words, limit) -> list[Hit], one query
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from khue.kernel.permissions import Actor, holds
from khue.kernel.registries import Registry


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the side menu, named by the person's work; shown to roles that hold the right."""

    title: str | Promise
    url_name: str
    icon: str
    right: str
    sort: int = 100
    roles: tuple[str, ...] = ()

    @property
    def section(self) -> str | Promise:
        """Return the heading it stands under in a long menu; empty for what stands on top."""
        return next(title for title, below in SECTIONS if self.sort < below)


SECTIONS: tuple[tuple[str | Promise, float], ...] = (
    ("", 20), (_("Lớp và học sinh"), 60), (_("Tổ chức nhà trường"), 70), (_("Dữ liệu ngành"), 90), (_("Tra cứu"), float("inf"))
)  # fmt: skip
"""Headings of a long side menu, each with the `sort` it ends before."""


@dataclass(frozen=True, slots=True)
class Card:
    """One thing on the home page: `urgency` 0 needs action now, 1 is new, 2 is planned."""

    title: str | Promise
    url: str
    urgency: int = 1
    count: int | None = None
    detail: str | Promise = ""
    action: str | Promise = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """One hit of the search box."""

    title: str
    url: str
    kind: str | Promise
    detail: str | Promise = ""


MENU: Registry[Entry] = Registry("menu")
HOME: Registry[Callable[[Actor, datetime], list[Card]]] = Registry("home")
SEARCH: Registry[Callable[[Actor, str, int], list[Hit]]] = Registry("search")


def entries_for(actor: Actor) -> list[Entry]:
    """Return the menu of this role in its order; no query."""
    shown = [
        entry
        for entry in MENU.values()
        if actor.is_authenticated and holds(actor, entry.right) and (not entry.roles or actor.role in entry.roles)
    ]
    return sorted(shown, key=lambda entry: entry.sort)
