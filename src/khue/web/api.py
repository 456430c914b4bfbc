"""The one API, under /api/v1: a router an app, problem details for refusals, OAuth2 client credentials for systems.

People's sessions may use it too (with the CSRF token); partner systems send a bearer token whose client belongs
to an account with the role partner_system at a place, so right x place x time hold for them alike.
"""

from __future__ import annotations

import logging
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.db import DataError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import get_language
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from khue.kernel.errors import DomainError, Invalid, NotAllowed, NotFound
from khue.web.errors import document, led, moved

log = logging.getLogger(__name__)
READ, WRITE = "khue.read", "khue.write"
SAFE = ("GET", "HEAD", "OPTIONS")


class KhueAuth(AuthBase):
    """A bearer token with the scope the method needs, or a signed-in person's session with its CSRF token."""

    openapi_type = "oauth2"

    def __init__(self) -> None:
        self.openapi_flows = {
            "clientCredentials": {
                "tokenUrl": "/identity/o/api/token",
                "scopes": {READ: "read what the system's contract covers", WRITE: "change it"},
            }
        }
        super().__init__()

    def __call__(self, request: HttpRequest) -> Any:
        """Return the actor, or None for a 401."""
        actor = request.actor  # type: ignore[attr-defined]
        if not actor.is_authenticated:
            return None
        scopes = getattr(request, "token_scopes", None)
        if scopes is not None:
            needed = READ if request.method in SAFE else WRITE
            if needed not in scopes:
                raise NotAllowed(scope=needed)
        elif request.method not in SAFE and check_csrf(request):
            raise NotAllowed(reason="csrf")
        return actor


class Api(NinjaAPI):
    """The API; its description is made once a language, not for each who asks for it."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._described: dict[tuple[str, str], OpenAPISchema] = {}

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None) -> OpenAPISchema:
        """Return the OpenAPI description under a path."""
        key = path_prefix or self.get_root_path(path_params or {}), get_language() or ""
        if key not in self._described:
            self._described[key] = super().get_openapi_schema(path_prefix=key[0])
        return self._described[key]


api = Api(
    title="Khuê",
    version="1.0.0",
    description="Reads and writes of a province's education platform. Names follow the project's glossary; "
    "`uid` identifies everything; refusals are problem details (RFC 9457).",
    docs_url=None,
    auth=KhueAuth(),
    urls_namespace="api",
)


@api.exception_handler(DomainError)
def on_refusal(request: HttpRequest, refusal: DomainError) -> HttpResponse:
    """Answer a refusal; nothing of the request is kept. A file that went into another is led to."""
    request.khue_failed = True  # type: ignore[attr-defined]
    where = moved(request, refusal)
    return led(request, where) or document(refusal, where)


@api.exception_handler(ValidationError)
def on_invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Answer input that does not fit the schema, field by field."""
    fields = {".".join(map(str, item["loc"][1:])): [item["msg"]] for item in error.errors}
    return on_refusal(request, Invalid(fields=fields))


@api.exception_handler(DataError)
def on_out_of_range(request: HttpRequest, error: DataError) -> HttpResponse:
    """Answer a value no column can hold (a number beyond 64 bits, a NUL in a text): the caller's to correct."""
    log.warning("%s %s: %s", request.method, request.path, type(error.__cause__).__name__)
    return on_refusal(request, Invalid())


@api.exception_handler(AuthenticationError)
def on_unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    """Answer a request without a valid token or session."""
    body = {"type": "urn:khue:problem:unauthenticated", "title": "Hãy đăng nhập hoặc gửi mã truy cập hợp lệ.", "status": 401}
    response = JsonResponse(body, status=401, content_type="application/problem+json")
    response["WWW-Authenticate"] = 'Bearer realm="khue"'
    return response


@api.exception_handler(HttpError)
def on_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Answer what ninja itself refuses (a body that is no JSON)."""
    request.khue_failed = True  # type: ignore[attr-defined]
    body = {"type": "about:blank", "title": str(error), "status": error.status_code}
    return JsonResponse(body, status=error.status_code, content_type="application/problem+json")


def _mount() -> None:
    for app in settings.INSTALLED_APPS:
        if app.startswith("khue.") and app != "khue.web" and find_spec(f"{app}.api"):
            router = import_module(f"{app}.api").router
            api.add_router("", router, tags=[app.rsplit(".", 1)[-1]])


_mount()


def unknown(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Answer an address the API does not have like a record it does not have."""
    return on_refusal(request, NotFound())
