"""HTTP to other systems: one connection kept open, client certificate, limits on time and size, no redirects.

What goes wrong is one of two things: `Unreachable` (try again later) or `Denied` (a person must look).
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

LARGEST_ANSWER = 16 * 2**20
TIMEOUT = 30.0
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


class Unreachable(Exception):
    """The other side did not answer, or answered something that is no answer; the same may be sent again."""


class Denied(Exception):
    """The other side knows us and refuses, or our own settings are wrong; sending again helps nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, decoded JSON (None where there was none)."""

    status: int
    body: Any


def _local_allowed() -> bool:
    return bool(getattr(settings, "KHUE_OUTGOING_LOCAL", settings.KHUE_DEMO))


def checked(address: str) -> str:
    """Return an address a channel or subscription may have; raises Denied.

    It is https, without a name or password in it. Loopback is for demonstrations and tests, plain http too.
    """
    parts = urlsplit(address)
    if parts.username or parts.password or parts.fragment or not parts.hostname or parts.scheme not in ("http", "https"):
        raise Denied("address")
    local = _is_local(parts.hostname)
    if (local or parts.scheme == "http") and not (_local_allowed() and local):
        raise Denied("address")
    return address.rstrip("/")


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return False
    return found.is_loopback or found.is_link_local or found.is_unspecified or found.is_multicast


def folder(credential: str) -> Path:
    """Return the folder of a credential; raises Denied for a name that is none."""
    if not _NAME.fullmatch(credential):
        raise Denied("credential")
    return Path(settings.KHUE_KEYS) / "channels" / credential


def context_of(credential: str) -> ssl.SSLContext:
    """Return a TLS context that checks the server and shows our certificate where the credential has one."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not credential:
        return context
    place = folder(credential)
    try:
        if (place / "ca.pem").exists():
            context = ssl.create_default_context(cafile=str(place / "ca.pem"))
            context.minimum_version = ssl.TLSVersion.TLSv1_2
        if (place / "client.pem").exists():
            context.load_cert_chain(str(place / "client.pem"))
    except (OSError, ssl.SSLError) as error:
        raise Denied("credential") from error
    return context


def token_of(credential: str) -> str:
    """Return the bearer token of a credential, "" where it has none."""
    if not credential:
        return ""
    path = folder(credential) / "token"
    try:
        return path.read_text(encoding="utf-8").strip() if path.exists() else ""
    except OSError as error:
        raise Denied("credential") from error


class Link:
    """A connection to one base address: `with Link(base, credential) as link: link.send("POST", "/truong", {...})`."""

    def __init__(self, base: str, credential: str = "", *, timeout: float = TIMEOUT) -> None:
        parts = urlsplit(checked(base))
        self._host, self._port, self._path = parts.hostname or "", parts.port, parts.path.rstrip("/")
        self._is_tls = parts.scheme == "https"
        self._context = context_of(credential) if self._is_tls else None
        self._token = token_of(credential)
        self._timeout = timeout
        self._connection: http.client.HTTPConnection | None = None

    def __enter__(self) -> Link:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> http.client.HTTPConnection:
        if self._connection is None:
            if self._is_tls:
                self._connection = http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._context)
            else:
                self._connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
            self._connection.connect()
            peer = self._connection.sock.getpeername()[0]
            if _is_local(peer) and not _local_allowed():  # a name that leads to this machine
                self.close()
                raise Denied("address")
        return self._connection

    def send(self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None, raw: bytes | None = None) -> Answer:
        """Send one request and return its answer. Raises Unreachable, Denied.

        A connection that was kept open and died is opened again once; a receiver dedupes by id and version.
        """
        data = raw if raw is not None else (None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())
        told = {"Accept": "application/json", **({"Content-Type": "application/json; charset=utf-8"} if data is not None else {}), **(headers or {})}
        if self._token:
            told["Authorization"] = f"Bearer {self._token}"
        was_open = self._connection is not None
        try:
            return self._once(method, path, data, told)
        except (http.client.HTTPException, OSError, ssl.SSLError) as error:
            self.close()
            if was_open and isinstance(error, (http.client.RemoteDisconnected, ConnectionError, ssl.SSLEOFError)):
                try:
                    return self._once(method, path, data, told)
                except (http.client.HTTPException, OSError, ssl.SSLError) as again:
                    self.close()
                    raise Unreachable(_words(again)) from again
            raise Unreachable(_words(error)) from error

    def _once(self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]) -> Answer:
        connection = self._open()
        connection.request(method, self._path + path, body=data, headers=dict(headers))
        response = connection.getresponse()
        content = response.read(LARGEST_ANSWER + 1)
        if len(content) > LARGEST_ANSWER:
            self.close()
            raise Unreachable("answer too long")
        if response.getheader("Connection", "").lower() == "close":
            self.close()
        if response.status in (401, 403):
            raise Denied(f"status {response.status}")
        if 300 <= response.status < 400:
            raise Denied("redirected")
        return Answer(response.status, _decoded(content))


def _decoded(content: bytes) -> Any:
    if not content.strip():
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _words(error: Exception) -> str:
    """Return what went wrong without addresses or content."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate"
    if isinstance(error, (TimeoutError, socket.timeout)):
        return "timeout"
    return type(error).__name__
