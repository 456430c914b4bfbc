"""How strongly a session was signed in: set by sign-in and by the second factor, taken away with the factor."""

from __future__ import annotations

from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_removed, authenticator_used
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

from khue.kernel.permissions.middleware import STRONG_KEY


def _signed_in(sender: Any, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    """Judge a new session by what allauth recorded of this very sign-in."""
    if request is None:
        return
    if any(record.get("method") == "mfa" for record in get_authentication_records(request, user)):
        request.session[STRONG_KEY] = True
    else:
        request.session.pop(STRONG_KEY, None)


def _used(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """A second factor used inside an open session makes it strong from now on."""
    if request.user.is_authenticated and request.user.pk == user.pk:
        request.session[STRONG_KEY] = True


def _removed(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Without any factor left the session is as weak as a password."""
    if not Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES).exists():
        request.session.pop(STRONG_KEY, None)


def connect() -> None:
    """Listen to sign-in and to the second factor."""
    user_logged_in.connect(_signed_in, dispatch_uid="khue.strength.signed_in")
    authenticator_used.connect(_used, dispatch_uid="khue.strength.used")
    authenticator_removed.connect(_removed, dispatch_uid="khue.strength.removed")
