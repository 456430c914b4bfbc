"""The catalogue: search the fields, read the records of a kind, add a field."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from khue.kernel import audit, permissions, text
from khue.kernel.errors import Invalid, NotFound
from khue.kernel.permissions.loading import local_day
from khue.register.fields import annex, counting, forms, lines, queries, services
from khue.register.fields import catalogue as fields
from khue.register.fields.permissions import READING
from khue.register.fields.sections import LEVELS, PRIVACY, RETENTION, SECTIONS, TOPICS
from khue.register.fields.views.files import refused, row_of

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
        "topic_name": TOPICS.get(text.whole(asked["nhom"]) or 0, ""),
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
    first = {"title": _("Tất cả"), "url": reverse("fields:catalogue"), "is_active": not asked["nhom"], "count": sum(counts.values())}
    return [first] + [
        {"title": f"{number}. {name}", "url": f"{reverse('fields:catalogue')}?nhom={number}", "is_active": asked["nhom"] == str(number), "count": counts[number]}
        for number, name in TOPICS.items()
    ]


def _row(entry: fields.Entry, told: counting.Told) -> dict[str, Any]:
    share = told.share(entry.object, entry.symbol, entry.level) if entry.home.filled != "-" else counting.Share(0, 0)
    return {
        "entry": entry, "object": fields.object_name(entry.object), "level": LEVELS.get(entry.level, ""), "type": lines.type_name(entry),
        "owner": lines.owner_name(entry), "privacy": PRIVACY[entry.home.privacy], "retention": RETENTION[entry.home.retention],
        "section": SECTIONS[entry.home.section], "share": share,
        "tone": {"open": "good", "internal": "info", "personal": "", "restricted": "warn"}[entry.home.privacy],
    }  # fmt: skip


@require_safe
def records(request: HttpRequest, kind: str) -> HttpResponse:
    """Show the records of one kind in the actor's place: the way to read tables that have no screens of their own."""
    now = timezone.now()
    actor = request.actor  # type: ignore[attr-defined]
    known = annex.kinds().get(kind)
    if known is None:
        raise NotFound()
    permissions.demand(actor, READING[known.privacy], on=permissions.ANYWHERE, at=now)
    page = Paginator(queries.records(actor, known, at=now), LINES_A_PAGE).get_page(request.GET.get("trang"))
    audit.looked(request, [(one.person_id, one.school_id) for one in page if one.person_id], "records")
    return render(request, "fields/records.html", {
        "kind": known, "page": page, "rows": [{**row_of(known, one), "school": one.school, "person": one.person} for one in page],
        "privacy": PRIVACY[known.privacy], "fields": annex.table_of(known.object).fields.values(),
    })  # fmt: skip


@require_http_methods(["GET", "POST"])
def extend(request: HttpRequest) -> HttpResponse:
    """Add a field to an object or a kind of record, as data."""
    now = timezone.now()
    permissions.demand(request.actor, "fields.extend", at=now)  # type: ignore[attr-defined]
    form = forms.ExtensionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.extend(actor=request.actor, now=now, **form.cleaned_data)  # type: ignore[attr-defined]
            return redirect(f"{reverse('fields:catalogue')}?q={made.symbol}")
        except Invalid as refusal:
            refused(form, refusal)
    return render(request, "fields/extend.html", {"form": form, "back": reverse("fields:catalogue")}, status=422 if form.errors else 200)
