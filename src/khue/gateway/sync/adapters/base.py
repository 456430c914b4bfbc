"""What the adapters over HTTP share: a link, status and pull as the reference receiver speaks them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, ClassVar
from urllib.parse import quote

from khue.gateway.sync.adapters import (
    ACCEPTED,
    LATER,
    REFUSED,
    Answer,
    HeldRecord,
    Options,
    Outgoing,
    Page,
    Status,
    joined,
)
from khue.gateway.sync.models import SyncChannel
from khue.gateway.sync.transport import Link, Unreachable

PAGE = 1000


class OverHttp:
    """An adapter that speaks JSON over HTTPS with a client certificate."""

    DEFAULTS: ClassVar[dict[str, Any]] = {}
    SHARED: ClassVar[dict[str, Any]] = {
        "status": {"path": "/trang-thai", "counts": "SoBanGhi"},
        "pull": {"path": "/ban-ghi", "rows": "DanhSach", "following": "TiepTheo", "id": "IdBanGhi", "version": "PhienBan", "event": "SuKien"},
        "timeout": 30,
    }

    def __init__(self, channel: SyncChannel) -> None:
        self.options = Options(joined(joined(self.SHARED, self.DEFAULTS), channel.options))
        self.channel = channel
        timeout = self.options.get("timeout")
        self.link = Link(channel.base_url, channel.credential, timeout=float(timeout) if isinstance(timeout, (int, float)) else 30.0)

    def __enter__(self) -> OverHttp:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.link.close()

    def status(self) -> Status:
        """See `Adapter.status`."""
        answer = self.link.send("GET", self.options.get("status", "path"))
        if answer.status != 200 or not isinstance(answer.body, dict):
            raise Unreachable(f"status {answer.status}")
        counts = answer.body.get(self.options.get("status", "counts"))
        if not isinstance(counts, dict):
            return Status(True)
        return Status(True, {str(name): int(count) for name, count in counts.items() if isinstance(count, int)})

    def pull(self, object_: str, after: str) -> Page:
        """See `Adapter.pull`."""
        names = self.options.values["pull"]
        answer = self.link.send("GET", f"{names['path']}/{quote(object_)}?so={PAGE}&sau={quote(after, safe='')}")
        rows = answer.body.get(names["rows"]) if isinstance(answer.body, dict) else None
        if answer.status != 200 or not isinstance(rows, list):
            raise Unreachable(f"status {answer.status}")
        try:
            held = [HeldRecord(str(row[names["id"]]), int(row[names["version"]]), row.get(names["event"]) == "CANCEL") for row in rows]
        except (KeyError, TypeError, ValueError) as error:
            raise Unreachable("rows") from error
        return Page(held, str(answer.body.get(names["following"]) or ""))


def answers(
    rows: Iterable[Any], batch: Sequence[Outgoing], *, id_name: str, code_name: str, message_name: str, accepted: Sequence[str], later: Sequence[str]
) -> list[Answer]:
    """Return one answer a record from a receiver's rows; a record it did not speak of is sent again later."""
    told: dict[str, Answer] = {}
    for row in rows:
        if not isinstance(row, dict) or id_name not in row:
            continue
        code = str(row.get(code_name, ""))[:30]
        verdict = ACCEPTED if code in accepted else LATER if code in later or not code else REFUSED
        told[str(row[id_name])] = Answer(str(row[id_name]), verdict, code, str(row.get(message_name) or "")[:500])
    return [told.get(one.record_id, Answer(one.record_id, LATER, "", "")) for one in batch]
