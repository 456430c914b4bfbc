"""The ledger: what was changed, in an order nobody can rewrite unseen.

    ledger.append(register, act="gradebook.marks", body={...}, actor=actor, at=now)
    ledger.append_many([Draft(row, act, body), ...], actor=actor, at=now)
    ledger.append(ledger.chain_for("rights", school_id=...), act=..., body=..., actor=actor, at=now)
    ledger.require_recent_checkpoint(now)

The row that heads the chain is locked by the service anyway: there is no global head to queue at.
`canonical` is the one encoder to bytes, `chain` the rule that links entries, `merkle` the tree over all
heads, `checkpoints` the signed statements that leave the machine, `signing` makes them, `verifier` is the
stand-alone program that checks everything. Nothing here decides what is worth an entry: the services do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from khue.kernel.ledger.entries import (
        Draft,
        HeadMoved,
        append,
        append_many,
        chain_for,
        chain_key,
        history,
    )
    from khue.kernel.ledger.signing import NoRecentCheckpoint, require_recent_checkpoint

_WHERE = {
    "Draft": "entries", "HeadMoved": "entries", "append": "entries", "append_many": "entries",
    "chain_for": "entries", "chain_key": "entries", "history": "entries",
    "NoRecentCheckpoint": "signing", "require_recent_checkpoint": "signing",
}  # fmt: skip

__all__ = [
    "Draft",
    "HeadMoved",
    "NoRecentCheckpoint",
    "append",
    "append_many",
    "chain_for",
    "chain_key",
    "history",
    "require_recent_checkpoint",
]


def __getattr__(name: str) -> Any:
    """Bring the services when they are first asked for: formats and verifier work without Django."""
    if name not in _WHERE:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
