"""One request, one transaction, one actor, one scope.

Outside it nothing of anybody is visible: the connection's row-level scope is empty until the actor is known.
"Saved" is answered after commit.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from khue.kernel import audit
from khue.kernel.database import scope
from khue.kernel.permissions import loading
from khue.kernel.permissions.actors import ANONYMOUS, Actor

STRONG_KEY = "khue.strong"
GRANT_KEY = "khue.grant"


class ActorMiddleware:
    """Sets `request.actor` (who acts), `request.actors` (what else she may act as) and opens the scope."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
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
        user = getattr(request, "user", None)
        return user.pk if user is not None and user.is_authenticated else None

    @staticmethod
    def _load(request: HttpRequest, account_id: int, now: object) -> None:
        actor, actors = loading.load(
            account_id,
            request.session.get(GRANT_KEY),
            at=now,  # type: ignore[arg-type]
            is_strong=bool(request.session.get(STRONG_KEY)),
            request_id=getattr(request, "request_id", ""),
            open_scope=True,
        )
        if actor is None:  # signed in, but holds no role today
            actor = Actor(account_id=account_id, name=request.user.name, person_id=request.user.person_id)
        request.actor, request.actors = actor, actors  # type: ignore[attr-defined]



