"""One request, one transaction, one actor, one scope.

Outside it nothing of anybody is visible: the connection's row-level scope is empty until the actor is known.
"Saved" is answered after commit.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from khue.kernel import audit
from khue.kernel.database import scope
from khue.kernel.permissions import loading
from khue.kernel.permissions.actors import ANONYMOUS, Actor

STRONG_KEY = "khue.strong"
GRANT_KEY = "khue.grant"
TOKEN_PATHS = ("/api/", "/ims/oneroster/")
"""Where a bearer token is looked at; everywhere else only a session signs in."""


class ActorMiddleware:
    """Sets `request.actor` (who acts), `request.actors` (what else she may act as) and opens the scope."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer one request inside its transaction and scope."""
        now = timezone.now()
        request.khue_looks = {}  # type: ignore[attr-defined]
        request.khue_failed = False  # type: ignore[attr-defined]
        request.actor, request.actors = ANONYMOUS, []  # type: ignore[attr-defined]
        account_id = self._account(request)
        with scope.opened():
            if account_id is not None:
                self._load(request, account_id, now)
            response = self.get_response(request)
            if request.khue_failed or response.status_code >= 500:  # type: ignore[attr-defined]
                transaction.set_rollback(True)
            elif request.khue_looks:  # type: ignore[attr-defined]
                audit.write_looks(request.actor, request.khue_looks, at=now)  # type: ignore[attr-defined]
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Mark the request so that nothing of it is committed."""
        request.khue_failed = True  # type: ignore[attr-defined]

    @staticmethod
    def _account(request: HttpRequest) -> int | None:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and request.path.startswith(TOKEN_PATHS):
            return _account_of_token(request, value.strip())
        session = getattr(request, "session", {})
        if HASH_SESSION_KEY in session and session.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS:
            return int(session[SESSION_KEY])  # the account itself is read, and the hash checked, with the grants
        return None

    @staticmethod
    def _load(request: HttpRequest, account_id: int, now: object) -> None:
        is_system = hasattr(request, "token_scopes")
        try:
            actor, actors = loading.load(
                account_id,
                None if is_system else request.session.get(GRANT_KEY),
                at=now,  # type: ignore[arg-type]
                is_strong=is_system or bool(request.session.get(STRONG_KEY)),
                request_id=getattr(request, "request_id", ""),
                open_scope=True,
                session_hash=None if is_system else request.session[HASH_SESSION_KEY],
            )
        except loading.StaleSession:
            scope.close()
            request.session.flush()
            request.user = AnonymousUser()
            return
        if actor is None:  # signed in, but holds no role today
            if not is_system and not request.user.is_authenticated:
                return
            actor = Actor(account_id=account_id, name=getattr(request.user, "name", ""))
        request.actor, request.actors = actor, actors  # type: ignore[attr-defined]





def _account_of_token(request: HttpRequest, value: str) -> int | None:
    """Return the account behind a bearer token: the person it was given to, or its client's partner system."""
    from allauth.idp.oidc.models import Token

    token = Token.objects.valid().by_value(value).filter(type=Token.Type.ACCESS_TOKEN).select_related("client").first()
    request.token_scopes = frozenset(token.get_scopes()) if token else frozenset()  # type: ignore[attr-defined]
    if token is None:
        return None
    return token.user_id or (token.client.owner_id if token.client else None)
