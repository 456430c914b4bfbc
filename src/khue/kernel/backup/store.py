"""Making a backup and restoring it. Both are all or nothing: what is half-made never has its final name."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from khue.kernel import faults
from khue.kernel.backup import content, programs
from khue.kernel.ledger import canonical, verifier

FORMAT = "khue-backup-1"
JOBS = 2


class NotEmpty(RuntimeError):
    """The place to restore into holds something already; nothing was touched."""


class Damaged(RuntimeError):
    """The backup, or what came out of it, is not what was put in; the message lists the first differences."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is backed up, or restored into.

    url    connection address of the owner's role
    files  folder of the file store
    """

    url: str
    files: Path


@dataclass(frozen=True, slots=True)
class Proof:
    """What a restore showed: counts of what came back and how the ledger stands.

    behind   checkpoints the witness has that the backup has not: work of that time is not in it
    """

    rows: int
    files: int
    entries: int
    checkpoint: int
    behind: int
    seconds: float


# --- making


def make(source: Source, target: Path, *, now: datetime) -> dict[str, Any]:
    """Back up database and files into the new folder `target` and return the manifest.

    The files are copied after the snapshot is taken and a file is durable before its row is committed,
    so each row of the snapshot finds its file. Raises NotEmpty, ProgramFailed, Damaged (a file of the
    store is not what its name says).
    """
    if target.exists():
        raise NotEmpty(f"{target} exists")
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    draft.mkdir(parents=True, mode=0o700)
    try:
        with psycopg.connect(source.url) as connection:
            connection.execute("set transaction isolation level repeatable read read only")
            manifest = _dump(connection, source, draft)
        faults.hit("backup.make.after_dump")
        manifest["files"] = _copy_files(source.files, draft)
        faults.hit("backup.make.after_files")
        manifest |= {"format": FORMAT, "made_at": canonical.moment(now)}
        manifest["parts"] = {name: _file_digest(path) for name, path in _parts(draft)}
        _write(draft / "manifest.json", canonical.encode(manifest) + b"\n")
        _sync_tree(draft)
        os.rename(draft, target)
        _sync(target.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return manifest


def _dump(connection: psycopg.Connection[Any], source: Source, draft: Path) -> dict[str, Any]:
    row = connection.execute("select pg_export_snapshot()").fetchone()
    snapshot = str(row[0]) if row else ""
    before = content.sequences(connection)
    server = connection.info.server_version // 10000
    program = programs.find("pg_dump", at_least=server)
    programs.run(
        program, "--format=directory", f"--jobs={JOBS}", "--no-owner", f"--snapshot={snapshot}",
        f"--file={draft / 'database'}", url=source.url,
    )  # fmt: skip
    described = content.describe(connection) | {"sequences": before}
    return {"content": described, "ledger": _ledger_state(connection), "server": server,
            "pg_dump": programs.major_of(program)}  # fmt: skip


def _ledger_state(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    row = connection.execute(
        "select sequence, encode(hash, 'hex') from ledger_checkpoint order by sequence desc limit 1"
    ).fetchone()
    return {"checkpoint": row[0] if row else 0, "hash": row[1] if row else ""}


def _copy_files(store: Path, draft: Path) -> dict[str, Any]:
    """Copy the store, hashing on the way, and list it; drafts of the store (names with a dot) stay behind."""
    (draft / "files").mkdir()
    count = size = 0
    with open(draft / "files.jsonl", "wb") as listing:
        for path in _tree(store):
            name = path.relative_to(store)
            target = draft / "files" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            digest, length = _copy(path, target)
            if len(path.name) == 64 and digest != path.name:
                raise Damaged(f"{path} is not what its name says; it was damaged before the backup")
            listing.write(canonical.encode([str(name), length, digest]) + b"\n")
            count, size = count + 1, size + length
    return {"count": count, "bytes": size}


def _copy(source: Path, target: Path) -> tuple[str, int]:
    digest, length = hashlib.sha256(), 0
    with open(source, "rb") as reader, open(target, "wb") as writer:
        while block := reader.read(1 << 20):
            digest.update(block)
            writer.write(block)
            length += len(block)
    return digest.hexdigest(), length


def _tree(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder in a fixed order, without those whose name begins with a dot."""
    if folder.is_dir():
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name[0] != ".")


def _parts(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files of a backup that its manifest vouches for: the dump and the listing of the files."""
    for path in [*_tree(folder / "database"), folder / "files.jsonl"]:
        yield str(path.relative_to(folder)), path


def _file_digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)


def _sync_tree(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# --- checking


def check(folder: Path) -> dict[str, Any]:
    """Return the manifest of a backup all of whose bytes are what was written. Raises Damaged."""
    try:
        manifest = canonical.decode((folder / "manifest.json").read_bytes().removesuffix(b"\n"))
        wrong = [] if manifest["format"] == FORMAT else ["an unknown format"]
        expected = dict(manifest["parts"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Damaged(f"{folder / 'manifest.json'} cannot be read: {error}") from error
    found = {name: _file_digest(path) for name, path in _parts(folder) if path.exists()}
    wrong += _listed_differences(expected, found)
    if not wrong:
        wrong += _listed_differences(*_files_listed_and_found(folder))
    if wrong:
        raise Damaged(f"{folder} is damaged: " + "; ".join(wrong[:5]))
    return dict(manifest)


def _listed_differences(expected: dict[str, str], found: dict[str, str]) -> list[str]:
    wrong = [f"{name} is missing" for name in sorted(expected.keys() - found.keys())]
    wrong += [f"{name} is foreign" for name in sorted(found.keys() - expected.keys())]
    return wrong + [
        f"{name} was changed"
        for name in sorted(expected.keys() & found.keys())
        if expected[name] != found[name]
    ]


def _files_listed_and_found(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    listed = {}
    for line in (folder / "files.jsonl").read_bytes().splitlines():
        name, _, digest = json.loads(line)
        listed[f"files/{name}"] = digest
    found = {str(path.relative_to(folder)): _file_digest(path) for path in _tree(folder / "files")}
    return listed, found


# --- restoring


def restore(
    folder: Path, target: Source, *, witnesses: list[Path], keys: list[Path]
) -> tuple[dict[str, Any], Proof]:
    """Restore a backup into an empty database and an empty folder, and prove that it is what it was.

    Every byte of the backup is checked before anything is written; afterwards the content of each table,
    the schema, the sequences and the files are compared with the manifest and the ledger is verified
    against the witnesses as they were at the backup's last checkpoint. Raises Damaged, NotEmpty,
    ProgramFailed. What was restored stays for inspection after a failed proof, and must not be used.
    """
    begun = time.monotonic()
    manifest = check(folder)
    refuse_unless_empty(target)
    with psycopg.connect(target.url) as connection:
        server = connection.info.server_version // 10000
    program = programs.find("pg_restore", at_least=max(server, int(manifest["pg_dump"])))
    programs.run(
        program, "--exit-on-error", "--no-owner", f"--jobs={JOBS}", "--dbname", _name_of(target.url),
        str(folder / "database"), url=target.url,
    )  # fmt: skip
    faults.hit("backup.restore.after_database")
    for path in _tree(folder / "files"):
        place = target.files / path.relative_to(folder / "files")
        place.parent.mkdir(parents=True, exist_ok=True)
        _copy(path, place)
    if target.files.exists():
        _sync_tree(target.files)
    proof = prove(folder, manifest, target, witnesses=witnesses, keys=keys, begun=begun)
    return manifest, proof


def _name_of(url: str) -> str:
    from psycopg.conninfo import conninfo_to_dict

    return str(conninfo_to_dict(url).get("dbname") or "")


def refuse_unless_empty(target: Source) -> None:
    """Return if there is nothing in the target; else raise NotEmpty."""
    if any(_tree(target.files)):
        raise NotEmpty(f"{target.files} holds files")
    with psycopg.connect(target.url) as connection:
        row = connection.execute(
            "select count(*) from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'S')"
        ).fetchone()
    if row and row[0]:
        raise NotEmpty(f"the database holds {row[0]} tables and sequences")


def prove(
    folder: Path,
    manifest: dict[str, Any],
    target: Source,
    *,
    witnesses: list[Path],
    keys: list[Path],
    begun: float,
) -> Proof:
    """Compare what stands in the target with the manifest and verify its ledger. Raises Damaged."""
    listed, _ = _files_listed_and_found(folder)
    found = {f"files/{path.relative_to(target.files)}": _file_digest(path) for path in _tree(target.files)}
    wrong = _listed_differences(listed, found)
    with psycopg.connect(target.url) as connection:
        connection.execute("set transaction isolation level repeatable read read only")
        described = content.describe(connection)
        wrong += content.differences(manifest["content"], described)
        until = int(manifest["ledger"]["checkpoint"])
        held = [verifier.Witness(str(path), path, until) for path in witnesses if path.is_dir()]
        public = [verifier.read_key(path) for path in keys if path.exists()]
        report = verifier.verify_connection(connection, held if public else [], public)
    wrong += [f"ledger: {fault.name} {fault.chain} {fault.sequence}" for fault in report.faults]
    if wrong:
        raise Damaged("the restored data is not what was backed up: " + "; ".join(wrong[:10]))
    latest = max(
        (max(verifier.Witness(str(p), p).sequences, default=0) for p in witnesses if p.is_dir()), default=0
    )
    return Proof(
        rows=sum(table["rows"] for table in described["tables"].values()),
        files=len(found),
        entries=report.counts.get("entries", 0),
        checkpoint=until,
        behind=max(0, latest - until),
        seconds=time.monotonic() - begun,
    )
