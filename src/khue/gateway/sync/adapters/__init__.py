"""How records leave: one interface, one adapter a kind of receiver.

    with adapters.open_adapter(channel) as adapter:
        answers = adapter.push("learner", batch)      # one answer a record
        page = adapter.pull("learner", "")            # what the receiver holds
        status = adapter.status()                     # whether it is there, and its counters

`transport.Unreachable` means the whole batch goes again later; `transport.Denied` that a person must look.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from khue.gateway.sync.models import SyncChannel

ACCEPTED, REFUSED, LATER = "accepted", "refused", "later"


class Outgoing(NamedTuple):
    """One record on its way; `record` is empty for CANCEL."""

    record_id: str
    event: str
    version: int
    changed_at: datetime
    level: str
    object: str
    school_code: str
    school_year: int
    key: str
    record: dict[str, Any]


class Answer(NamedTuple):
    """The receiver's word on one record: accepted (also: it had it), refused for good, or later."""

    record_id: str
    verdict: str
    code: str = ""
    message: str = ""


class HeldRecord(NamedTuple):
    """What the receiver says it holds."""

    record_id: str
    version: int
    is_cancelled: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what the receiver holds; `following` is "" at the end."""

    records: Sequence[HeldRecord]
    following: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """Whether the receiver is there, and its live records by object; None where it does not tell."""

    is_up: bool
    counts: dict[str, int] | None = None
    message: str = ""


class Adapter(Protocol):
    """The interface; `push` answers for every record of the batch, in any order."""

    def push(self, object_: str, batch: Sequence[Outgoing]) -> list[Answer]:
        """Send one object's records. Raises Unreachable, Denied."""
        ...

    def pull(self, object_: str, after: str) -> Page:
        """Return what the receiver holds, from a place of its own on. Raises Unreachable, Denied."""
        ...

    def status(self) -> Status:
        """Ask whether it is there. Raises Unreachable, Denied."""
        ...


@dataclass(slots=True)
class Options:
    """A channel's options over an adapter's defaults; dictionaries inside are joined."""

    values: dict[str, Any] = field(default_factory=dict)

    def get(self, *path: str) -> Any:
        """Return the option at a path, or None."""
        found: Any = self.values
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found


def joined(defaults: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return the defaults with a channel's own options over them."""
    result = dict(defaults)
    for name, value in own.items():
        kept = result.get(name)
        result[name] = joined(kept, value) if isinstance(kept, dict) and isinstance(value, dict) else value
    return result


def renamed(record: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Return a record under a partner's own names; a name mapped to "" is left out."""
    if not names:
        return record
    return {names.get(symbol, symbol): value for symbol, value in record.items() if names.get(symbol, symbol)}


def open_adapter(channel: SyncChannel) -> AbstractContextManager[Adapter]:
    """Return a channel's adapter, to be used in a `with`. Raises Denied where its settings are wrong."""
    from khue.gateway.sync.adapters import bus, ministry, ndc, sheets

    kinds: dict[str, Any] = {"ministry": ministry.Ministry, "ndc": ndc.DataCentre, "bus": bus.Bus, "xlsx": sheets.Sheets}
    return kinds[channel.adapter](channel)
