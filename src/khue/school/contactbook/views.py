"""Pages of the family."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from khue.kernel import audit, text
from khue.school.contactbook import queries
from khue.school.gradebook.queries.families import child_results


@require_safe
def children(request: HttpRequest) -> HttpResponse:
    """List the children: one card each."""
    now = timezone.now()
    return render(request, "contactbook/children.html", {"children": queries.children(request.actor, now=now)})


@require_safe
def child(request: HttpRequest, uid: str) -> HttpResponse:
    """Show one child's marks, results with why, and who changed or looked at them."""
    now = timezone.now()
    who = queries.child(request.actor, uid, now=now)
    year = text.whole(request.GET.get("nam"), low=1990, high=2200)
    results = child_results(request.actor, who, now=now, school_year=year)
    audit.looked(request, [(who.pk, who.school_id)], "family")
    years = sorted({one.school_year for one in (*results.terms, *results.results)}, reverse=True)
    return render(request, "contactbook/child.html", {"child": who, "results": results, "years": years})
