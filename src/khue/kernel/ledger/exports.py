"""The ledger as a file for auditors: see `verifier` for the format."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction

from khue.kernel.database import scope
from khue.kernel.ledger import verifier
from khue.kernel.ledger.models import Checkpoint


def lines() -> Iterator[str]:
    """Yield the lines of an export of the whole ledger, all of one moment, each without its newline."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read")
        with scope.opened(everything=True):
            yield from _lines()


def _lines() -> Iterator[str]:
    last = Checkpoint.objects.order_by("-sequence").values_list("sequence", "hash").first()
    known = {"sequence": last[0], "hash": bytes(last[1]).hex()} if last else None
    yield _line({"kind": "header", "format": "khue-ledger-export-1", "checkpoint": known})
    entries = 0
    connection.ensure_connection()
    raw = connection.connection
    with raw.cursor(name="ledger_export") as cursor:
        cursor.itersize = 10_000
        cursor.execute(
            f"select chain, sequence, previous, act, body, {verifier.MOMENT_SQL}, hash"
            ' from ledger_entry order by chain collate "C", sequence'
        )
        for row in cursor:
            entries += 1
            yield _line(_entry(verifier.Entry(*row)))
    for chain, head in verifier.row_heads(raw):
        yield _line({"kind": "head", "chain": chain, "sequence": head.sequence, "hash": head.hash.hex()})
    yield _line({"kind": "trailer", "entries": entries})


def _entry(entry: verifier.Entry) -> dict[str, Any]:
    body = bytes(entry.body)
    try:
        content = {"body": body.decode("utf-8")}
    except UnicodeDecodeError:
        content = {"body_base64": base64.b64encode(body).decode()}
    return {
        "kind": "entry", "chain": entry.chain, "sequence": entry.sequence,
        "previous": bytes(entry.previous).hex(), "act": entry.act, **content, "at": entry.at,
        "hash": bytes(entry.hash).hex(),
    }  # fmt: skip


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
