"""Pages of sign-in that are ours: accounts here have no mail address to send a link to."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET


def outside(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer 503 with a sentence where the provider of an outside account is away or says nothing sensible."""

    @wraps(view)
    def guarded(request: HttpRequest, provider_id: str) -> HttpResponse:
        try:
            return view(request, provider_id)
        except (OSError, KeyError):  # what goes wrong on the way, and a discovery document without an address
            return render(request, "socialaccount/authentication_error.html", status=503)

    return guarded


@require_GET
def forgotten(request: HttpRequest) -> HttpResponse:
    """Say who gives a new activation code; the same for everybody, so that nothing is learnt of any account."""
    return render(request, "account/forgotten.html")
