"""An unsafe request may come twice (a second click, a weak link): the second gets the first answer, byte for byte.

The key comes from the header `Idempotency-Key` or the hidden form field `_key`. It is stored in the request's own
transaction, so it exists exactly when the change does; a twin that comes meanwhile waits for the first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from khue.kernel.accounts.models import IdempotencyKey
from khue.kernel.errors import DomainError
from khue.web import errors

KEPT_HEADERS = ("Content-Type", "Location", "HX-Redirect", "HX-Trigger", "ETag")
KEPT_FOR = timedelta(hours=48)


class KeyReused(DomainError):
    """The key came before with another content."""

    code, status = "repeats.key-reused", 422
    title = _("Yêu cầu này dùng lại mã của một yêu cầu khác.")
    advice = _("Hãy tải lại trang rồi làm lại.")


def key_of(request: HttpRequest) -> str:
    """Return the key of an unsafe request, or an empty string."""
    if request.method in ("GET", "HEAD", "OPTIONS", "TRACE"):
        return ""
    key = request.headers.get("Idempotency-Key", "")
    if not key and request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        key = request.POST.get("_key", "")
    return key[:80]


def body_hash(request: HttpRequest) -> str:
    """Return a hash of what is asked: method, address, fields without the CSRF token, files by content."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        for name, values in sorted(request.POST.lists()):
            if name not in ("csrfmiddlewaretoken", "_key"):
                digest.update(repr((name, values)).encode())
        for name, files in sorted(request.FILES.lists()):
            for file in files:
                content = hashlib.sha256()
                for chunk in file.chunks():
                    content.update(chunk)
                file.seek(0)
                digest.update(repr((name, file.name, content.hexdigest())).encode())
    else:
        digest.update(request.body)
    return digest.hexdigest()


class RepeatMiddleware:
    """Answers repeats; stands inside the request's transaction."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer once; a repeat gets the first answer."""
        account_id = request.actor.account_id  # type: ignore[attr-defined]
        key = key_of(request) if account_id is not None else ""
        if not key:
            return self.get_response(request)
        asked = body_hash(request)
        with connection.cursor() as cursor:
            cursor.execute(
                "insert into accounts_idempotencykey (account_id, key, body_hash, headers) values (%s, %s, %s, '{}')"
                " on conflict (account_id, key) do nothing returning id",
                [account_id, key, asked],
            )
            fresh = cursor.fetchone()
        if fresh is None:
            return self._replay(request, account_id, key, asked)
        response = self.get_response(request)
        if response.status_code < 500 and not request.khue_failed and not response.streaming:  # type: ignore[attr-defined]
            IdempotencyKey.objects.filter(pk=fresh[0]).update(
                status=response.status_code,
                headers={name: response[name] for name in KEPT_HEADERS if response.has_header(name)},
                body=response.content,
            )
        return response

    @staticmethod
    def _replay(request: HttpRequest, account_id: int, key: str, asked: str) -> HttpResponse:
        first = IdempotencyKey.objects.get(account_id=account_id, key=key)
        if first.body_hash != asked:
            return errors.answer(request, KeyReused())
        response = HttpResponse(bytes(first.body or b""), status=first.status or 200)
        for name, value in first.headers.items():
            response[name] = value
        response["Idempotent-Replay"] = "true"
        return response


def sweep(*, now: datetime) -> int:
    """Delete keys older than two days; returns how many."""
    return IdempotencyKey.objects.filter(made_at__lt=now - KEPT_FOR).delete()[0]
