"""Headers that keep a page to itself, and refusals as pages or problem details."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from khue.kernel.errors import DomainError
from khue.web import errors


class SecurityHeadersMiddleware:
    """Content-Security-Policy with a nonce a response, and the headers that go with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer with the headers; what a view set itself stays."""
        request.csp_nonce = secrets.token_urlsafe(16)  # type: ignore[attr-defined]
        request.request_id = secrets.token_hex(8)  # type: ignore[attr-defined]
        response = self.get_response(request)
        response.headers.setdefault(
            "Content-Security-Policy",
            f"default-src 'self'; script-src 'self' 'nonce-{request.csp_nonce}'; style-src 'self'"  # type: ignore[attr-defined]
            f" 'nonce-{request.csp_nonce}'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self';"  # type: ignore[attr-defined]
            " object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action "
            + " ".join(["'self'", *settings.KHUE_SIGN_IN_ORIGINS]),
        )
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        response.headers.setdefault("X-Request-ID", request.request_id)  # type: ignore[attr-defined]
        if getattr(request, "actor", None) is not None and request.actor.is_authenticated:  # type: ignore[attr-defined]
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class LanguageMiddleware:
    """Vietnamese, unless this browser chose another language here; what the browser itself prefers is not asked.

    Most browsers in schools are set up in English by whoever installed them.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer in the language chosen."""
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


class ErrorMiddleware:
    """Turns a DomainError into its page or problem document; nothing the request did is committed then."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on; refusals come by process_exception."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer refusals; let everything unexpected go up."""
        if not isinstance(exception, DomainError):
            return None
        request.khue_failed = True  # type: ignore[attr-defined]
        return errors.answer(request, exception)
