"""The drill: a real backup restored into a database of its own, proved, measured, and thrown away."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql

from khue.kernel.backup import store
from khue.kernel.database.launcher import Server


@dataclass(frozen=True, slots=True)
class Result:
    """What a drill measured.

    exposure  seconds of work that would be lost had everything burned down when the backup was done:
              from its snapshot to its end
    indexes   btree indexes compared with their tables; None where the server lacks amcheck
    """

    proof: store.Proof
    backup_seconds: float
    exposure: float
    indexes: int | None


def run(
    source: store.Source,
    *,
    folder: Path,
    keep: Path | None,
    into: str | None,
    server_home: Path,
    witnesses: list[Path],
    keys: list[Path],
) -> Result:
    """Run the drill; `into` is an empty database, or None to make one on the embedded server of `server_home`."""
    begun = time.monotonic()
    backup = keep or folder / "backup"
    store.make(source, backup, now=datetime.now(UTC))
    made = time.monotonic() - begun
    with _place(into, server_home) as (url, superuser):
        target = store.Source(url=url, files=folder / "files")
        _, proof = store.restore(backup, target, witnesses=witnesses, keys=keys)
        indexes = check_indexes(superuser or url)
    return Result(proof, made, made, indexes)


@contextmanager
def _place(into: str | None, server_home: Path) -> Iterator[tuple[str, str | None]]:
    """Give the address of an empty database for the owner, and for the superuser where we have one."""
    if into is not None:
        yield into, None
        return
    server, name = Server(server_home), f"khue_drill_{os.getpid()}"
    server.ensure_database(name)
    try:
        yield server.url("khue_owner", name), server.url("khue", name)
    finally:
        with psycopg.connect(server.url("khue", "postgres"), autocommit=True) as admin:
            admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def check_indexes(url: str) -> int | None:
    """Compare every btree index with its table (amcheck, heapallindexed); None where that is not to be had.

    Raises Damaged where an index lacks a row of its table.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        try:
            connection.execute("create extension if not exists amcheck")
        except (
            psycopg.errors.UndefinedFile,
            psycopg.errors.FeatureNotSupported,
            psycopg.errors.InsufficientPrivilege,
        ):
            return None
        indexes = connection.execute(
            "select i.indexrelid::regclass::text, i.indexrelid from pg_index i join pg_class c on c.oid = i.indexrelid"
            " join pg_am a on a.oid = c.relam where a.amname = 'btree' and c.relkind = 'i' and i.indisvalid"
            " and c.relnamespace = 'public'::regnamespace"
        ).fetchall()
        for name, oid in indexes:
            try:
                connection.execute("select bt_index_check(%s::oid::regclass, true)", [oid])
            except (psycopg.errors.IndexCorrupted, psycopg.errors.DataCorrupted) as error:
                raise store.Damaged(f"index {name}: {error}") from error
        return len(indexes)
