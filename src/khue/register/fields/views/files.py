"""The file of a school, a class, a post, a learner: its sections, a form a section, what happened."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from khue.kernel import audit, text
from khue.kernel.errors import Invalid, NotFound
from khue.kernel.permissions.loading import local_day
from khue.register.fields import annex, forms, queries, services
from khue.register.fields.queries import File, Subject
from khue.register.fields.sections import LEVELS, SECTIONS

TITLES = {"school": _("Dữ liệu của trường"), "class": _("Dữ liệu của lớp"), "staff": _("Hồ sơ nhân sự"), "learner": _("Hồ sơ học sinh")}


def looked(request: HttpRequest, about: Subject, what: str) -> None:
    """Note that a person's file was shown."""
    if about.person_id is not None:
        audit.looked(request, [(about.person_id, about.school_id)], what)


def crumbs(about: Subject) -> list[dict[str, Any]]:
    """Return the way to a thing: its school, its class."""
    unit, group = about.context.unit, about.context.group
    found = []
    if about.object != "school":
        found.append({"title": unit.name, "url": reverse("orgs:unit", args=[unit.uid])})
    if about.object == "learner" and group is not None:
        found.append({"title": group.name, "url": reverse("schooling:class", args=[group.uid])})
    return found


def tabs(about: Subject, current: str) -> list[dict[str, Any]]:
    """Return the pages of one thing; those that other apps own are reached by their own address."""
    pages: list[tuple[str, Any, str]] = []
    if about.object == "school":
        pages = [("whole", _("Toàn cảnh"), reverse("fields:whole", args=[about.uid])), ("file", _("Dữ liệu"), reverse("fields:school", args=[about.uid]))]
    elif about.object in ("staff", "learner"):
        pages = [
            ("file", _("Các trường dữ liệu"), reverse(f"fields:{about.object}", args=[about.uid])),
            ("timeline", _("Dòng thời gian"), reverse(f"fields:timeline-{about.object}", args=[about.uid])),
        ]
        if about.object == "learner":
            pages.insert(0, ("", _("Hồ sơ học sinh"), reverse("schooling:learner", args=[about.uid])))
    return [{"title": title, "url": url, "is_active": code == current} for code, title, url in pages]


def _records(found: File) -> list[dict[str, Any]]:
    return [{"kind": kind, "rows": [row_of(kind, row) for row in rows], "may_add": may_add} for kind, rows, may_add in found.records]


def row_of(kind: annex.Kind, record: Any) -> dict[str, Any]:
    """Return a record as a line: its first texts, what else it tells, its days."""
    fields = annex.table_of(kind.object).fields
    told = [(fields[symbol].label, value) for symbol, value in record.body.items() if symbol in fields and value not in (None, "", [])]
    order = list(fields)
    told.sort(key=lambda pair: next((place for place, symbol in enumerate(order) if fields[symbol].label == pair[0]), 0))
    shown = [(name, _shown(value)) for name, value in told]
    return {"record": record, "title": shown[0][1] if shown else kind.title, "told": shown[1:6], "since": record.valid.lower, "until": record.valid.upper}


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(_("có")) if value else str(_("không"))
    if isinstance(value, list):
        return str(_("%(count)s dòng") % {"count": len(value)})
    return str(value)


@require_safe
def file(request: HttpRequest, uid: UUID, object_: str) -> HttpResponse:
    """Show every field of one thing the actor may read, in sections, with what is missing."""
    now = timezone.now()
    about = queries.subject(request.actor, object_, uid, at=now)  # type: ignore[attr-defined]
    found = queries.file(request.actor, about, at=now)  # type: ignore[attr-defined]
    looked(request, about, "fields")
    return render(request, "fields/file.html", {
        "about": about, "file": found, "title": TITLES[object_], "crumbs": crumbs(about), "tabs": tabs(about, "file"),
        "level": LEVELS.get(about.level, ""), "records": _records(found),
        "sections": [
            {"section": section, "title": SECTIONS[section.code], "edit": reverse(f"fields:edit-{object_}", args=[uid, section.code])}
            for section in found.sections
        ],
    })  # fmt: skip


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, uid: UUID, object_: str, section: str) -> HttpResponse:
    """Fill in one section of a file: the form is made from the catalogue."""
    now = timezone.now()
    actor = request.actor  # type: ignore[attr-defined]
    about = queries.subject(actor, object_, uid, at=now)
    found = queries.file(actor, about, at=now)
    chosen = next((one for one in found.sections if one.code == section), None)
    if chosen is None or not chosen.is_writable:
        raise NotFound()
    looked(request, about, "fields")
    form = forms.SectionForm(request.POST if request.method == "POST" else None, shown=chosen.fields, values=found.values, on=local_day(now))
    if request.method == "POST" and form.is_valid():
        try:
            services.write(
                actor=actor, about=about, given=form.given(), versions=_versions(request, about), now=now, reason=form.cleaned_data["reason"]
            )
            return redirect(f"{reverse(f'fields:{object_}', args=[uid])}#phan-{section}")
        except Invalid as refusal:
            refused(form, refusal)
    return render(request, "fields/edit.html", {
        "about": about, "form": form, "title": SECTIONS[section], "crumbs": crumbs(about), "back": reverse(f"fields:{object_}", args=[uid]),
        "version": about.row.version, "person_version": about.context.person.version if about.context.person is not None else None,
        "only_read": [one for one in chosen.fields if not one.is_writable],
    }, status=422 if form.errors else 200)  # fmt: skip


def refused(form: Any, refusal: Invalid) -> None:
    """Put the reasons of a refusal at their fields."""
    for name, sentences in refusal.facts.get("fields", {}).items():
        head = name.partition(".")[0]
        for sentence in sentences:
            form.add_error(head if head in form.fields else None, sentence)
    if not refusal.facts.get("fields"):
        form.add_error(None, refusal.sentence)


def _versions(request: HttpRequest, about: Subject) -> dict[str, int]:
    """Return the versions of the rows a form was read from."""
    models = {"school": "orgs.Unit", "class": "schooling.ClassGroup", "staff": "staff.Post", "learner": "people.Person"}
    asked = {models[about.object]: request.POST.get("version", "")}
    if about.object == "staff":
        asked["people.Person"] = request.POST.get("person_version", "")
    return {model: text.whole(version) or 0 for model, version in asked.items()}


@require_safe
def timeline(request: HttpRequest, uid: UUID, object_: str) -> HttpResponse:
    """Show what happened to a person, the newest first."""
    now = timezone.now()
    about = queries.subject(request.actor, object_, uid, at=now)  # type: ignore[attr-defined]
    found = queries.events(request.actor, about, at=now)  # type: ignore[attr-defined]
    looked(request, about, "timeline")
    return render(request, "fields/timeline.html", {
        "about": about, "events": found, "title": _("Dòng thời gian"), "crumbs": crumbs(about), "tabs": tabs(about, "timeline"),
    })  # fmt: skip
