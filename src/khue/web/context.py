"""What every page's shell shows: who acts, where, the menu of this role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise, lazy
from django.utils.translation import gettext_lazy as _

from khue.kernel.menus import entries_for
from khue.kernel.permissions.actors import ANONYMOUS, Actor

SHORT = 9
"""A menu of so many lines or fewer is read at a glance and has no headings."""


@dataclass(slots=True)
class Line:
    """One line of the side menu."""

    title: str | Promise
    url: str
    icon: str
    is_current: bool = False
    section: str | Promise = ""


def lines(actor: Actor, path: str) -> list[Line]:
    """Return the side menu of an actor on the page at `path`; no query. Rooms without an address are left out."""
    found = [Line(_("Trang chủ"), reverse("home"), "home")]
    for entry in entries_for(actor):
        try:
            found.append(Line(entry.title, reverse(entry.url_name), entry.icon, section=entry.section))
        except NoReverseMatch:
            continue
    found.insert(sum(not line.section for line in found), Line(_("Việc của tôi"), reverse("my-jobs"), "list-check"))
    if len(found) <= SHORT:
        for line in found:
            line.section = ""
    nearest = max((line for line in found if _is_under(path, line.url)), key=lambda line: len(line.url), default=None)
    if nearest is not None:
        nearest.is_current = True
    return found


def _is_under(path: str, url: str) -> bool:
    return path == url or (url != "/" and path.startswith(url))


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the names the base template uses; no query."""
    actor = getattr(request, "actor", ANONYMOUS)
    return {
        "actor": actor,
        "actors": getattr(request, "actors", []),
        "csp_nonce": getattr(request, "csp_nonce", ""),
        "menu": lazy(lambda: lines(actor, request.path), list)(),
        "worker": reverse("worker"),
    }
