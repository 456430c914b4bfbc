"""What every page's shell shows: who acts, where, the menu of this role."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from khue.kernel.permissions.actors import ANONYMOUS


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the names the base template uses; no query."""
    actor = getattr(request, "actor", ANONYMOUS)
    return {"actor": actor, "actors": getattr(request, "actors", []), "csp_nonce": getattr(request, "csp_nonce", "")}
