"""What this app registers with the kernel: its rights, its menu entry, search, and which schools lie within a unit."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from khue.kernel import homes, menus
from khue.kernel.database import guards
from khue.kernel.permissions import Actor, holds, loading
from khue.register.orgs import known, permissions, queries  # noqa: F401 - permissions declares the rights

homes.declare("orgs", __file__)
guards.AFTER_TABLES.append(known.FUNCTIONS)

loading.SCHOOLS_SQL = (
    "select u.descendant_id from orgs_unitreach u"
    " where u.ancestor_id = %(unit)s and u.is_school and u.valid @> %(day)s::date"
)
menus.MENU.add("units", menus.Entry(_("Đơn vị"), "orgs:tree", "sitemap", "orgs.view_tree", sort=70))


def find_units(actor: Actor, words: str, limit: int) -> list[menus.Hit]:
    """Return units by a name or code of today or of the past."""
    if not holds(actor, "orgs.view_tree"):
        return []
    return [
        menus.Hit(
            hit.matched, reverse("orgs:unit", args=[hit.uid]), queries.KIND_NAMES[hit.kind],
            _("nay là %(name)s") % {"name": ", ".join(hit.successors) or hit.name}
            if hit.successors or hit.matched != hit.name
            else "",
        )
        for hit in queries.look_up(actor, words, limit=limit)
    ]  # fmt: skip


menus.SEARCH.add("units", find_units)
