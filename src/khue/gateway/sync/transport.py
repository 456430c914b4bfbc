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
LONGEST_ADDRESS = 300
_PLAIN = re.compile(r"[!-~]+")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
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

    It is https, in plain letters, without a name or password in it, and leads to no machine of ours as far as it says by itself;
    where a name leads is asked at each connection. Loopback is for demonstrations and tests, plain http too.
    """
    try:
        parts = urlsplit(address)
        _port = parts.port
    except ValueError as error:
        raise Denied("address") from error
    if len(address) > LONGEST_ADDRESS or not _PLAIN.fullmatch(address):
        raise Denied("address")
    if parts.username is not None or parts.password is not None or parts.fragment or not parts.hostname or parts.scheme not in ("http", "https"):
        raise Denied("address")
    host = parts.hostname.rstrip(".")
    is_here = host == "localhost" or host.endswith(".localhost")
    literal = _literal(host)
    is_here = is_here or (literal is not None and _embedded(literal).is_loopback)
    if is_here and not _local_allowed():
        raise Denied("address")
    if literal is not None and not may_reach(literal):
        raise Denied("address")
    if parts.scheme == "http" and not is_here:
        raise Denied("address")
    return address.rstrip("/")


def _literal(host: str) -> Address | None:
    """Return the address a host is written as, in any way a system reads one (127.1, 0x7f000001, 2130706433), or None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host)) if not re.search(r"[g-wyz]", host) else None
    except (OSError, ValueError):
        return None


def _embedded(found: Address) -> Address:
    """Return the version 4 address that a version 6 one stands for (mapped, 6to4, Teredo, NAT64), else itself."""
    if isinstance(found, ipaddress.IPv6Address):
        if found in _NAT64:
            return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        return found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None) or found
    return found


def may_reach(found: Address) -> bool:
    """Return whether we may connect there: a public address, or one of a network the operator names (KHUE_OUTGOING_NETWORKS).

    Loopback is reached in demonstrations and tests only; addresses of this link, where clouds keep their secrets, never.
    """
    real = _embedded(found)
    if real.is_loopback:
        return _local_allowed()
    if real.is_link_local or real.is_multicast or real.is_unspecified or real.is_reserved:
        return False
    if real.is_global:
        return True
    return any(real in ipaddress.ip_network(told, strict=False) for told in getattr(settings, "KHUE_OUTGOING_NETWORKS", ()))


def resolved(host: str, port: int) -> str:
    """Return the address a name leads to now, the first of its addresses; every one of them must be allowed. Raises Denied, OSError."""
    found = [ipaddress.ip_address(row[4][0].partition("%")[0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not found or not all(may_reach(one) for one in found):
        raise Denied("address")
    return str(found[0])


def folder(credential: str) -> Path:
    """Return the folder of a credential; raises Denied for a name that is none."""
    if not _NAME.fullmatch(credential):
        raise Denied("credential")
    return Path(settings.KHUE_KEYS) / "channels" / credential


def context_of(credential: str) -> ssl.SSLContext:
    """Return a TLS context that checks the server and shows our certificate where the credential has one."""
    place = folder(credential) if credential else None
    try:
        authority = place / "ca.pem" if place is not None and (place / "ca.pem").exists() else None
        context = ssl.create_default_context(cafile=authority)  # without one of its own: those the system trusts, which take long to read
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if place is not None and (place / "client.pem").exists():
            context.load_cert_chain(place / "client.pem")
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
            there = resolved(self._host, self._connection.port)  # asked once: what was allowed is what is connected to
            self._connection._create_connection = lambda told, *rest: socket.create_connection((there, told[1]), *rest)  # type: ignore[attr-defined]
            try:
                self._connection.connect()
            except BaseException:
                self.close()
                raise
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
