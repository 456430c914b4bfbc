"""Everything about one school on one page, in sections, with what is missing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from khue.register.fields import catalogue, counting, queries
from khue.register.fields.sections import LEVELS, SECTIONS
from khue.register.fields.views.files import tabs
from khue.register.fields.whole import ROOMS
from khue.register.staff.models import Position

OBJECTS = ("school", "class", "staff", "learner", "result")


@require_safe
def whole(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show who and what a school is: data and what is missing, classes and learners, staff, records, how full the files are."""
    now = timezone.now()
    actor = request.actor  # type: ignore[attr-defined]
    about = queries.school(actor, uid, at=now)
    found = queries.file(actor, about, at=now)
    told = counting.told(actor, school_id=about.school_id)
    rooms = [room for one in ROOMS.values() if (room := one(actor, about, now)) is not None]
    unit = about.row
    return render(request, "fields/whole.html", {
        "about": about, "unit": unit, "share": f"{found.share} %", "file": found, "tabs": tabs(about, "whole"), "levels": [LEVELS.get(level, level) for level in unit.levels],
        "sections": [{"section": one, "title": SECTIONS[one.code], "total": len(one.fields)} for one in found.sections],
        "grades": _grades(unit.told_classes), "classes": unit.told_classes, "learners": sum(one["n"] for one in unit.told_classes),
        "posts": [{"title": Position(one["position"]).label, "value": one["n"]} for one in unit.told_posts],
        "staff": sum(one["n"] for one in unit.told_posts), "kinds": [(kind, len(rows), may) for kind, rows, may in found.records],
        "shares": _shares(told, unit.levels), "counted_on": told.counted_on, "rooms": rooms, "edit": reverse("fields:school", args=[uid]),
    })  # fmt: skip


def _grades(classes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    grades: dict[int, list[int]] = {}
    for one in classes:
        told = grades.setdefault(one["grade"], [0, 0])
        told[0] += 1
        told[1] += one["n"]
    return [{"grade": _("Khối %(grade)s") % {"grade": grade} if grade > 0 else _("Mầm non"), "classes": count, "learners": learners} for grade, (count, learners) in sorted(grades.items())]


def _shares(told: counting.Told, levels: list[str]) -> list[dict[str, Any]]:
    """Return how full the files of each object are: over the fields of its tables at the school's levels."""
    found = []
    for object_ in OBJECTS:
        filled = total = 0
        for level in levels:
            for entry in told.symbols(object_, level):
                filled, total = filled + entry.filled, total + entry.of
        if total:
            found.append({"title": catalogue.object_name(object_), "percent": round(100 * filled / total, 1), "filled": filled, "total": total})
    return found
