"""The page that tells why a learner has the results she has: for her family, her school and the province."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from khue.kernel import audit
from khue.school.gradebook import terms
from khue.school.gradebook.queries.explaining import explanation


def chosen_year(text: str) -> int | None:
    """Return the school year of an address (`?nam=2025`), None for anything else."""
    return int(text) if len(text) == 4 and text.isascii() and text.isdigit() and text.startswith(("19", "20", "21")) else None


@require_safe
def explain(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show the chain from marks to decision of one learner's year, each step with its place of law."""
    found = explanation(request.actor, uid, now=timezone.now(), school_year=chosen_year(request.GET.get("nam", "")))
    audit.looked(request, [(found.learner_id, found.school_id)], "explain")
    return render(
        request, "gradebook/explain.html",
        {
            "found": found, "year_title": terms.year_title(found.school_year),
            "frozen_at": parse_datetime(found.frozen_at) if found.frozen_at else None,
            "years": [{"title": terms.year_title(year), "url": f"?nam={year}", "is_active": year == found.school_year} for year in found.years],
            "is_family": found.learner_id in request.actor.people,
        },
    )  # fmt: skip
