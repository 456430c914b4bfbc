"""Who may see a page of the shell: somebody signed in; everybody else is led to sign-in and back."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse

View = Callable[..., HttpResponse]


def signed_in(view: View) -> View:
    """Let only somebody signed in through; an htmx part is told to load the sign-in page whole."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.actor.is_authenticated:  # type: ignore[attr-defined]
            return view(request, *args, **kwargs)
        if getattr(request, "htmx", False):
            address = request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]
            return HttpResponse(status=204, headers={"HX-Redirect": redirect_to_login(address).url})
        return redirect_to_login(request.get_full_path())

    return guarded
