"""Identity providers an installation trusts: who may say who somebody is, beside our own sign-in page.

A TOML file named by KHUE_IDENTITY_PROVIDERS, one table a provider of OpenID Connect:

    [[provider]]
    id = "so-gddt"                                # in our addresses (…/ngoai/oidc/so-gddt/login/…); never change it
    name = "Sở Giáo dục và Đào tạo"               # on the button of the sign-in page
    server_url = "https://id.example.vn"          # where /.well-known/openid-configuration lies
    client_id = "khue"
    secret_file = "/etc/khue/so-gddt.secret"
    origins = ["https://login.example.vn"]        # where its own sign-in page lies, when elsewhere

A provider names people, it makes none: her account is there already, and she ties it under "Tài khoản bên ngoài".
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_NEEDED = ("id", "name", "server_url", "client_id", "secret_file")


def origin(url: str) -> str:
    """Return scheme://host[:port] of an address; raises ImproperlyConfigured unless https, or http on loopback."""
    parts = urlsplit(url)
    is_loopback = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback)):
        raise ImproperlyConfigured(f"{url!r} is no https address")
    return f"{parts.scheme}://{parts.netloc}"


def read(path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the providers as django-allauth takes them, and the origins a sign-in form may lead to.

    Raises ImproperlyConfigured naming the file and what is wrong with it.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("provider", [])
        made = [_app(table) for table in tables]
    except (OSError, ValueError, TypeError, ImproperlyConfigured) as error:
        raise ImproperlyConfigured(f"KHUE_IDENTITY_PROVIDERS, {path}: {error}") from error
    if len({app["provider_id"] for app in made}) < len(made):
        raise ImproperlyConfigured(f"KHUE_IDENTITY_PROVIDERS, {path}: two providers of one id")
    origins = {origin(url) for table in tables for url in (table["server_url"], *table.get("origins", []))}
    return made, sorted(origins)


def _app(table: dict[str, Any]) -> dict[str, Any]:
    lacking = [name for name in _NEEDED if not isinstance(table.get(name), str) or not table[name].strip()]
    if lacking:
        raise ImproperlyConfigured(f"{table.get('id', 'a provider')} lacks {', '.join(lacking)}")
    if not _ID.fullmatch(table["id"]):
        raise ImproperlyConfigured(f"{table['id']!r} is no id: small letters, digits and single hyphens")
    origin(table["server_url"])
    return {
        "provider_id": table["id"], "name": table["name"].strip(), "client_id": table["client_id"],
        "secret": Path(table["secret_file"]).read_text(encoding="utf-8").strip(),
        "settings": {"server_url": table["server_url"].rstrip("/"), "oauth_pkce_enabled": True},
    }  # fmt: skip
