"""Pages of the catalogue, of one school, of the fields of schools, classes and people: one query or one service each."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from khue.kernel import permissions, text
from khue.kernel.permissions.loading import local_day
from khue.register.fields import catalogue as fields
from khue.register.fields import counting, lines
from khue.register.fields.sections import LEVELS, PRIVACY, RETENTION, SECTIONS, TOPICS

LINES_A_PAGE = 100


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """Search the fields by group of NĐ 88/2026, level, privacy and words; say where each lives and how complete it is."""
    now = timezone.now()
    actor = request.actor  # type: ignore[attr-defined]
    permissions.demand(actor, "fields.view_catalogue", at=now)
    entries = [*fields.entries(), *fields.own_entries(), *fields.extension_entries(fields.extensions(on=local_day(now)))]
    topics = Counter(entry.topic for entry in entries)
    asked = {name: request.GET.get(name, "")[:60] for name in ("nhom", "cap", "bao_mat", "q")}
    found = [entry for entry in entries if _is_asked(entry, asked)]
    told = counting.told(actor)
    page = Paginator(found, LINES_A_PAGE).get_page(request.GET.get("trang"))
    return render(request, "fields/catalogue.html", {
        "page": page, "rows": [_row(entry, told) for entry in page], "asked": asked, "total": len(entries), "counted_on": told.counted_on,
        "topics": _topics(topics, asked), "levels": LEVELS.items(), "privacies": PRIVACY.items(),
        "topic_name": TOPICS.get(int(asked["nhom"])) if asked["nhom"].isdigit() else "",
    })  # fmt: skip


def _is_asked(entry: fields.Entry, asked: dict[str, str]) -> bool:
    if asked["nhom"] and str(entry.topic) != asked["nhom"]:
        return False
    if asked["cap"] and entry.level != asked["cap"]:
        return False
    if asked["bao_mat"] and entry.home.privacy != asked["bao_mat"]:
        return False
    if not asked["q"]:
        return True
    heap = text.fold(f"{entry.symbol} {entry.name} {entry.object_code} {entry.home.path}")
    return all(word in heap for word in text.fold(asked["q"]).split())


def _topics(counts: Counter[int], asked: dict[str, str]) -> list[dict[str, Any]]:
    """Return the 21 groups as tabs; those without a field of QĐ 4998 are shown too, with 0."""
    first = {"title": str(_all()), "url": reverse("fields:catalogue"), "is_active": not asked["nhom"], "count": sum(counts.values())}
    return [first] + [
        {"title": f"{number}. {name}", "url": f"{reverse('fields:catalogue')}?nhom={number}", "is_active": asked["nhom"] == str(number), "count": counts[number]}
        for number, name in TOPICS.items()
    ]


def _all() -> str:
    from django.utils.translation import gettext

    return gettext("Tất cả")


def _row(entry: fields.Entry, told: counting.Told) -> dict[str, Any]:
    share = told.share(entry.object, entry.symbol, entry.level) if entry.home.filled != "-" else counting.Share(0, 0)
    return {
        "entry": entry, "object": fields.object_name(entry.object), "level": LEVELS.get(entry.level, ""), "type": lines.type_name(entry),
        "owner": lines.owner_name(entry), "privacy": PRIVACY[entry.home.privacy], "retention": RETENTION[entry.home.retention],
        "section": SECTIONS[entry.home.section], "share": share,
        "tone": {"open": "good", "internal": "info", "personal": "", "restricted": "warn"}[entry.home.privacy],
    }  # fmt: skip
