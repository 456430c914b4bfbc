"""Pages of sign-in that are ours: accounts here have no mail address to send a link to."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET


@require_GET
def forgotten(request: HttpRequest) -> HttpResponse:
    """Say who gives a new activation code; the same for everybody, so that nothing is learnt of any account."""
    return render(request, "account/forgotten.html")
