"""A reference receiver: one WSGI application that takes what the three HTTP adapters send and keeps the rules.

    khue sync receiver --port 9443 --certificate server.pem --client-ca ca.pem

Rules (national data centre's record envelope): IdBanGhi at most 150 characters names a record; PhienBan is a positive
integer and a version not above the one held is ignored; SuKien is NEW, UPDATE or CANCEL, CANCEL keeps the record but not
alive; ThoiGianCapNhat is YYYY-MM-DDTHH:MM:SS. What comes late, twice or in another order therefore ends the same.

It can be told to misbehave: delay, fail before or after applying, apply twice, hold a batch back behind the next one, cut
its answer, refuse a record. It keeps everything in one SQLite file and needs nothing of the platform.
"""

from __future__ import annotations

import hmac
import json
import re
import sqlite3
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import parse_qs, unquote
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

LARGEST_BODY = 32 * 2**20
EVENTS = {"NEW": "NEW", "UPDATE": "UPDATE", "CANCEL": "CANCEL", "THEM": "NEW", "SUA": "UPDATE", "XOA": "CANCEL"}
TAKEN, OLD, WRONG, BUSY = "00", "01", "10", "90"
MINISTRY = {"truong": "school", "lop": "class", "can-bo": "staff", "hoc-sinh": "learner", "ket-qua": "result"}
BUS = {"schools": "school", "classes": "class", "staff": "staff", "learners": "learner", "results": "result"}
LARGEST_VERSION = 2**31 - 1
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")
_COUNT = re.compile(r"[0-9]{1,9}")

Start = Callable[..., Any]
Environment = dict[str, Any]


@dataclass
class Behaviour:
    """How the receiver misbehaves; counts run down, 0 is good behaviour.

    delay       seconds before each answer
    fail        so many requests are answered 503 and not applied
    lose        so many are applied and answered 503: the sender never hears of it
    truncate    so many are applied and their answer is cut in the middle
    duplicate   so many are applied twice
    reorder     so many batches are held back and applied after the next one
    refuse      record ids refused for good
    """

    delay: float = 0.0
    fail: int = 0
    lose: int = 0
    truncate: int = 0
    duplicate: int = 0
    reorder: int = 0
    refuse: set[str] = field(default_factory=set)

    def take(self, name: str) -> bool:
        """Return whether this misbehaviour is due, and count it down."""
        left = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0


@dataclass(frozen=True)
class Message:
    """One record as it came in."""

    record_id: str
    event: str
    version: Any
    changed_at: str
    object: str
    body: dict[str, Any]


class Receiver:
    """The application; give it to any WSGI server."""

    def __init__(self, path: Path | str = ":memory:", *, behaviour: Behaviour | None = None, token: str = "") -> None:
        self.behaviour = behaviour or Behaviour()
        self._token = token
        self._lock = threading.Lock()
        self._db = sqlite3.connect(str(path), check_same_thread=False, isolation_level=None)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute(
            "create table if not exists held (id text primary key, object text, version integer, event text, changed_at text, body text, times integer)"
        )
        self._db.execute("create table if not exists log (n integer primary key, id text, version integer, event text, code text)")
        self._back: list[Message] = []

    # -- what tests and people look at --

    def counts(self) -> dict[str, int]:
        """Return live records by object."""
        with self._lock:
            return dict(self._db.execute("select object, count(*) from held where event <> 'CANCEL' group by object"))

    def held(self, record_id: str) -> dict[str, Any] | None:
        """Return one record as it is held, or None."""
        with self._lock:
            row = self._db.execute("select object, version, event, body, times from held where id = ?", [record_id]).fetchone()
        return None if row is None else {"object": row[0], "version": row[1], "event": row[2], "body": json.loads(row[3]), "times": row[4]}

    def ids(self) -> list[str]:
        """Return the ids of all records ever held."""
        with self._lock:
            return [row[0] for row in self._db.execute("select id from held order by id")]

    def log(self) -> list[tuple[str, int, str, str]]:
        """Return everything that came in, in order: id, version, event, answer."""
        with self._lock:
            return list(self._db.execute("select id, version, event, code from log order by n"))

    def forget(self, record_id: str) -> None:
        """Lose a record, as a receiver should not."""
        with self._lock:
            self._db.execute("delete from held where id = ?", [record_id])

    # -- WSGI --

    def __call__(self, environ: Environment, start: Start) -> Iterable[bytes]:
        """Answer one request."""
        shown = environ.get("HTTP_AUTHORIZATION", "").encode("utf-8", "replace")
        if self._token and not hmac.compare_digest(shown, f"Bearer {self._token}".encode()):
            return _answer(start, 401, {"message": "token"})
        if self.behaviour.delay:
            time.sleep(self.behaviour.delay)
        read = _body(environ)  # before the lock: a slow sender holds nobody up
        with self._lock:
            status, body = self._handle(environ, *read)
            cut = status == 200 and environ["REQUEST_METHOD"] != "GET" and self.behaviour.take("truncate")
        return _answer(start, status, body, cut=cut)

    def _handle(self, environ: Environment, wrong: int, raw: bytes) -> tuple[int, Any]:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "").strip("/")
        parts = [unquote(part) for part in path.split("/", 1)]
        if method == "GET":
            return self._read(path, environ)
        if self.behaviour.take("fail"):
            return 503, {"message": "busy"}
        if wrong:
            return wrong, {"message": "too large" if wrong == 413 else "truncated"}
        try:
            told = json.loads(raw) if raw else {}
        except (ValueError, RecursionError):
            return 400, {"message": "no JSON"}
        if not isinstance(told, dict):
            return 400, {"message": "no object"}
        status, body = self._write(method, parts, environ, told)
        return (503, {"message": "lost"}) if self.behaviour.take("lose") else (status, body)

    def _read(self, path: str, environ: Environment) -> tuple[int, Any]:
        if path == "trang-thai":
            return 200, {"SoBanGhi": dict(self._db.execute("select object, count(*) from held where event <> 'CANCEL' group by object"))}
        if path.startswith("ban-ghi/"):
            asked = parse_qs(environ.get("QUERY_STRING", ""))
            count = asked.get("so", ["100"])[0]
            if not _COUNT.fullmatch(count):
                return 400, {"message": "so"}
            after, limit = asked.get("sau", [""])[0], max(1, min(int(count), 1000))
            rows = self._db.execute(
                "select id, version, event from held where object = ? and id > ? order by id limit ?", [path.removeprefix("ban-ghi/"), after, limit]
            ).fetchall()
            return 200, {
                "DanhSach": [{"IdBanGhi": row[0], "PhienBan": row[1], "SuKien": row[2]} for row in rows],
                "TiepTheo": rows[-1][0] if len(rows) == limit else None,
            }
        return 404, {"message": "unknown"}

    def _write(self, method: str, parts: list[str], environ: Environment, told: dict[str, Any]) -> tuple[int, Any]:
        if method == "POST" and parts[0] == "ban-ghi" and len(parts) == 2:
            codes = self._apply([_envelope(parts[1], row) for row in _rows(told, "DanhSach")])
            return 200, {"KetQua": [{"IdBanGhi": one.record_id, "PhienBan": one.version, "MaLoi": code, "MoTa": text} for one, code, text in codes]}
        if method == "POST" and parts[0] in MINISTRY and len(parts) == 1:
            codes = self._apply([_ministry(MINISTRY[parts[0]], row) for row in _rows(told, "DU_LIEU")])
            return 200, {"KET_QUA": [{"ID_BAN_GHI": one.record_id, "MA": code, "THONG_BAO": text} for one, code, text in codes]}
        if method in ("PUT", "DELETE") and parts[0] in BUS and len(parts) == 2:
            version = environ.get("HTTP_X_PHIEN_BAN", "")
            message = Message(
                parts[1], "CANCEL" if method == "DELETE" else environ.get("HTTP_X_SU_KIEN", "UPDATE"), int(version) if _COUNT.fullmatch(version) else version,
                environ.get("HTTP_X_THOI_GIAN_CAP_NHAT", ""), BUS[parts[0]], told,
            )  # fmt: skip
            [(_one, code, text)] = self._apply([message])
            return {TAKEN: 200, OLD: 409, BUSY: 503}.get(code, 422), {"message": text}
        return 404, {"message": "unknown"}

    # -- the rules --

    def _apply(self, messages: list[Message]) -> list[tuple[Message, str, str]]:
        """Apply a batch in one transaction and return its answers; held back, it is answered now and applied after the next."""
        if self.behaviour.take("reorder"):
            self._back += messages
            return [(one, TAKEN, "") for one in messages]
        self._db.execute("begin immediate")
        try:
            told = [self._one(one) for one in messages]
            if self.behaviour.take("duplicate"):
                for one in messages:
                    self._one(one)
            for one in self._back:
                self._one(one)
            self._back = []
            self._db.execute("commit")
        except BaseException:
            self._db.execute("rollback")
            raise
        return told

    def _one(self, message: Message) -> tuple[Message, str, str]:
        code, text = self._judged(message)
        if code == TAKEN:
            self._db.execute(
                "insert into held values (?, ?, ?, ?, ?, ?, 1) on conflict (id) do update set version = excluded.version, event = excluded.event,"
                " changed_at = excluded.changed_at, object = excluded.object, body = case when excluded.event = 'CANCEL' then held.body else excluded.body end,"
                " times = held.times + 1",
                [message.record_id, message.object, message.version, message.event, message.changed_at, json.dumps(message.body)],
            )
        self._db.execute(
            "insert into log (id, version, event, code) values (?, ?, ?, ?)",
            [message.record_id[:200], message.version if isinstance(message.version, int) and abs(message.version) <= LARGEST_VERSION else None, message.event, code],
        )
        return message, code, text

    def _judged(self, message: Message) -> tuple[str, str]:
        if not message.record_id or len(message.record_id) > 150 or not message.record_id.isprintable():
            return WRONG, "IdBanGhi"
        if message.event not in ("NEW", "UPDATE", "CANCEL"):
            return "11", "SuKien"
        if not isinstance(message.version, int) or isinstance(message.version, bool) or not 1 <= message.version <= LARGEST_VERSION:
            return "12", "PhienBan"
        if not _is_moment(message.changed_at):
            return "13", "ThoiGianCapNhat"
        if message.record_id in self.behaviour.refuse:
            return "20", "refused"
        row = self._db.execute("select version from held where id = ?", [message.record_id]).fetchone()
        if row is not None and message.version <= row[0]:
            return OLD, "version held"
        return TAKEN, ""


def _body(environ: Environment) -> tuple[int, bytes]:
    """Return (0, the body of a request), or the status that refuses it: no length, too long, cut off."""
    told = environ.get("CONTENT_LENGTH") or "0"
    if not re.fullmatch(r"[0-9]{1,12}", told):
        return 400, b""
    size = int(told)
    if size > LARGEST_BODY:
        return 413, b""
    raw = environ["wsgi.input"].read(size) if size else b""
    return (0, raw) if len(raw) == size else (400, b"")


def _is_moment(words: str) -> bool:
    """Return whether words are a day of the calendar and a time of it."""
    try:
        return bool(_MOMENT.fullmatch(words)) and datetime.fromisoformat(words) is not None
    except ValueError:
        return False


def _clean(value: Any) -> str:
    """Return a value as text that can be kept: half a letter (a lone surrogate) is replaced."""
    return str(value).encode("utf-8", "replace").decode()


def _rows(told: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = told.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _envelope(object_: str, row: dict[str, Any]) -> Message:
    head = ("IdBanGhi", "SuKien", "PhienBan", "ThoiGianCapNhat")
    body = {name: value for name, value in row.items() if name not in head}
    return Message(_clean(row.get("IdBanGhi", "")), _clean(row.get("SuKien", "")), row.get("PhienBan"), str(row.get("ThoiGianCapNhat", "")), object_, body)


def _ministry(object_: str, row: dict[str, Any]) -> Message:
    head = ("ID_BAN_GHI", "THAO_TAC", "PHIEN_BAN", "THOI_GIAN")
    body = {name: value for name, value in row.items() if name not in head}
    event = EVENTS.get(str(row.get("THAO_TAC", "")), "")
    return Message(_clean(row.get("ID_BAN_GHI", "")), event, row.get("PHIEN_BAN"), str(row.get("THOI_GIAN", "")), object_, body)


_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 409: "Conflict", 413: "Content Too Large",
            422: "Unprocessable Content", 503: "Service Unavailable"}  # fmt: skip


def _answer(start: Start, status: int, body: Any, *, cut: bool = False) -> Iterable[bytes]:
    content = json.dumps(body, ensure_ascii=False).encode()
    headers = [("Content-Type", "application/json; charset=utf-8"), ("Content-Length", str(len(content)))]
    start(f"{status} {_REASONS.get(status, '')}".strip(), headers)
    return [content[: len(content) // 2] if cut else content]


# -- serving -----------------------------------------------------------------------------------------------


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: broken connections are what it is for."""


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.0"
    timeout = 30

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def server_context(certificate: Path, client_ca: Path) -> ssl.SSLContext:
    """Return a TLS context that shows `certificate` (with its key) and asks every client for one of `client_ca`'s."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(str(certificate))
    context.load_verify_locations(str(client_ca))
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def serve(application: Receiver, *, host: str = "127.0.0.1", port: int = 0, context: ssl.SSLContext | None = None) -> WSGIServer:
    """Return a server bound to an address (port 0 takes a free one); the caller runs `serve_forever`."""
    server = make_server(host, port, application, server_class=_Server, handler_class=_Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server
