"""One place where a refusal becomes a page, a fragment or problem details (RFC 9457)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from khue.kernel.errors import DomainError, NotAllowed, NotFound


def problem(refusal: DomainError) -> dict[str, object]:
    """Return the problem document of a refusal; facts that are plain values go along."""
    facts = {k: v for k, v in refusal.facts.items() if isinstance(v, str | int | bool | list | dict | None)}
    return {
        "type": f"urn:khue:problem:{refusal.code}",
        "title": refusal.sentence,
        "status": refusal.status,
        "detail": refusal.next_step,
        **facts,
    }


def answer(request: HttpRequest, refusal: DomainError) -> HttpResponse:
    """Return the answer in the form the caller understands."""
    if request.path.startswith("/api/") or "application/json" in request.headers.get("Accept", ""):
        return JsonResponse(problem(refusal), status=refusal.status, content_type="application/problem+json")
    template = "errors/_refusal.html" if getattr(request, "htmx", False) else "errors/refusal.html"
    response = render(request, template, {"refusal": refusal}, status=refusal.status)
    if getattr(request, "htmx", False):
        response["HX-Retarget"] = "#khue-messages"
        response["HX-Reswap"] = "innerHTML"
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose token is missing or old."""
    return answer(request, NotAllowed(reason="csrf"))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer an unknown address like an unknown record."""
    return answer(request, NotFound())


def failed(request: HttpRequest) -> HttpResponse:
    """Answer what nobody expected: a sentence, no stack, nothing of anybody."""
    return render(request, "errors/500.html", status=500)
