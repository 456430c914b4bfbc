"""A real backup, really restored; and every way it can be damaged fails loudly."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from django.db import connection
from django.test import override_settings

from khue.cli import main
from khue.kernel import files
from khue.kernel.backup import content, drills, programs, store
from khue.kernel.database import scope
from khue.kernel.ledger import canonical, signing
from tests.conftest import pointed
from tests.harness import crash
from tests.kernel.ledger.conftest import Book, book, witness

__all__ = ["book", "witness"]

NOW = datetime(2025, 11, 10, 3, 0, tzinfo=UTC)


@pytest.fixture
def source(book: Book, databases: Any, fresh_database: str, tmp_path: Path, settings: Any) -> store.Source:
    """A database with a ledger and a store with three files."""
    settings.KHUE_FILES = tmp_path / "store"
    with scope.everything():
        for number in range(3):
            files.store(
                f"tệp {number}".encode(),
                name=f"{number}.txt",
                content_type="text/plain",
                purpose="test",
                school_id=11,
            )
    (tmp_path / "store" / ".draft").write_text("an upload that was never finished")
    return store.Source(url=databases.server.url("khue_owner", fresh_database), files=tmp_path / "store")


@pytest.fixture(scope="module")
def original(databases: Any, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with keys, witness and a backup of one file, made once: for tests that only spoil a copy of it."""
    folder = tmp_path_factory.mktemp("original")
    name = databases.clone(f"khue_fresh_{os.getpid()}_original")
    how = {"KHUE_KEYS": folder / "keys", "KHUE_WITNESSES": [folder / "witness"], "KHUE_FILES": folder / "store"}
    with override_settings(**how), django_db_blocker.unblock(), pointed(databases.server.url("khue_app", name)):
        signing._remembered = None
        written = Book(NOW)
        written.write("b", 70, 75)
        written.checkpoint()
        with scope.everything():
            files.store(b"t", name="t.txt", content_type="text/plain", purpose="test", school_id=11)
        store.make(store.Source(url=databases.server.url("khue_owner", name), files=folder / "store"), folder / "backup", now=NOW)
        signing._remembered = None
    yield folder
    databases.drop(name)


@pytest.fixture
def backup(original: Path, tmp_path: Path, settings: Any) -> Path:
    """A copy of the original backup, with its keys and its witness in force."""
    settings.KHUE_KEYS, settings.KHUE_WITNESSES = original / "keys", [original / "witness"]
    return shutil.copytree(original / "backup", tmp_path / "backup")


@pytest.fixture
def target(databases: Any, tmp_path: Path) -> Iterator[store.Source]:
    """An empty database and an empty folder."""
    name = f"khue_fresh_{os.getpid()}_target"
    databases.drop(name)
    databases.server.ensure_database(name)
    yield store.Source(url=databases.server.url("khue_owner", name), files=tmp_path / "restored")
    databases.drop(name)


@pytest.fixture
def restoring(target: store.Source, settings: Any) -> Callable[[Path], store.Proof]:
    """Restore a folder into the target with this installation's witness and key."""

    def run(folder: Path) -> store.Proof:
        key = Path(settings.KHUE_KEYS) / signing.PUBLIC_KEY
        return store.restore(folder, target, witnesses=list(settings.KHUE_WITNESSES), keys=[key])[1]

    return run


def is_empty(target: store.Source) -> bool:
    store.refuse_unless_empty(target)
    return not target.files.exists()


def test_what_was_backed_up_comes_back_whole(
    source: store.Source,
    target: store.Source,
    restoring: Callable[[Path], store.Proof],
    tmp_path: Path,
    databases: Any,
) -> None:
    manifest = store.make(source, tmp_path / "backup", now=NOW)
    proof = restoring(tmp_path / "backup")
    assert (proof.files, proof.entries, proof.checkpoint, proof.behind) == (3, 10, 3, 0)
    assert proof.rows == sum(table["rows"] for table in manifest["content"]["tables"].values()) > 20
    assert sorted(p.name for p in target.files.rglob("*") if p.is_file()) == sorted(
        hashlib.sha256(f"tệp {n}".encode()).hexdigest() for n in range(3)
    )
    with psycopg.connect(source.url) as one, psycopg.connect(target.url) as two:
        assert content.differences(content.describe(one), content.describe(two)) == []
    assert os.stat(tmp_path / "backup").st_mode & 0o077 == 0
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".backup")]
    the_walls_came_back(store._name_of(target.url), databases)


def the_walls_came_back(name: str, databases: Any) -> None:
    with databases.connect("khue_app", name) as app:
        assert app.execute("select count(*) from ledger_entry").fetchone() == (0,)
        app.execute("select set_config('khue.schools', '11', false)")
        assert app.execute("select count(*) from ledger_entry").fetchone() == (10,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("delete from ledger_entry")
    with (
        databases.connect("khue_owner", name) as owner,
        pytest.raises(psycopg.Error, match="rows are only added"),
    ):
        owner.execute("delete from ledger_entry")


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def largest(folder: Path, pattern: str) -> Path:
    return max(folder.glob(pattern), key=lambda path: path.stat().st_size)


DAMAGES: dict[str, Callable[[Path], Any]] = {
    "a byte of a table": lambda b: flip(largest(b, "database/*.dat*")),
    "a byte of the table of contents": lambda b: flip(b / "database" / "toc.dat"),
    "a part missing": lambda b: largest(b, "database/*.dat*").unlink(),
    "a part too many": lambda b: (b / "database" / "9999.dat").write_bytes(b"x"),
    "a part cut short": lambda b: os.truncate(largest(b, "database/*.dat*"), 10),
    "a byte of a stored file": lambda b: flip(largest(b, "files/*/*/*")),
    "a stored file missing": lambda b: largest(b, "files/*/*/*").unlink(),
    "a file slipped in": lambda b: (b / "files" / "more.txt").write_text("x"),
    "a byte of the listing": lambda b: flip(b / "files.jsonl"),
    "the listing missing": lambda b: (b / "files.jsonl").unlink(),
    "the manifest missing": lambda b: (b / "manifest.json").unlink(),
    "the manifest cut short": lambda b: os.truncate(b / "manifest.json", 100),
    "the manifest empty": lambda b: (b / "manifest.json").write_text("{}"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_backup_is_refused_before_anything_is_written(
    damage: str,
    backup: Path,
    target: store.Source,
    restoring: Callable[[Path], store.Proof],
) -> None:
    store.check(backup)
    DAMAGES[damage](backup)
    with pytest.raises(store.Damaged):
        restoring(backup)
    assert is_empty(target)


def vouch_again(backup: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Let whoever changed the backup also write a manifest that fits its bytes."""
    manifest = canonical.decode((backup / "manifest.json").read_bytes().strip())
    change(manifest)
    manifest["parts"] = {name: store._file_digest(path) for name, path in store._parts(backup)}
    (backup / "manifest.json").write_bytes(canonical.encode(manifest) + b"\n")


@pytest.mark.parametrize("part", ["tables", "sequences", "schema"])
def test_a_restore_that_brings_something_else_is_found(
    part: str, backup: Path, restoring: Callable[[Path], store.Proof]
) -> None:
    def change(manifest: dict[str, Any]) -> None:
        described = manifest["content"][part]
        name = {"tables": "files_storedfile", "sequences": "files_storedfile_id_seq", "schema": "policies"}[
            part
        ]
        if part == "sequences":
            described[name][0] += 1000
        else:
            described[name]["sha256"] = "0" * 64

    vouch_again(backup, change)
    with pytest.raises(store.Damaged, match=f"not what was backed up: {part} "):
        restoring(backup)


def test_a_mark_changed_before_the_backup_is_found_by_the_ledger(
    source: store.Source,
    restoring: Callable[[Path], store.Proof],
    tmp_path: Path,
    superuser: psycopg.Connection,
) -> None:
    superuser.execute("set session_replication_role = replica")
    superuser.execute("update ledger_entry set act = 'x' where chain = 'b:school-11' and sequence = 1")
    store.make(source, tmp_path / "backup", now=NOW)
    with pytest.raises(store.Damaged, match="ledger: changed b:school-11 1"):
        restoring(tmp_path / "backup")


def test_a_file_damaged_in_the_store_stops_the_backup(source: store.Source, tmp_path: Path) -> None:
    flip(largest(source.files, "*/*/*"))
    with pytest.raises(store.Damaged, match="before the backup"):
        store.make(source, tmp_path / "backup", now=NOW)
    assert not (tmp_path / "backup").exists()
    assert not list(tmp_path.glob(".backup*"))


def test_nothing_is_overwritten(source: store.Source, backup: Path, target: store.Source) -> None:
    with pytest.raises(store.NotEmpty):
        store.make(source, backup, now=NOW)
    with pytest.raises(store.NotEmpty):
        store.restore(backup, source, witnesses=[], keys=[])
    with pytest.raises(store.NotEmpty):
        store.restore(backup, replace(source, files=target.files), witnesses=[], keys=[])
    with pytest.raises(store.NotEmpty):
        store.restore(backup, replace(target, files=source.files), witnesses=[], keys=[])


def test_a_backup_under_writes_is_of_one_moment(
    source: store.Source, book: Book, restoring: Callable[[Path], store.Proof], tmp_path: Path
) -> None:
    stop = threading.Event()
    written: list[int] = []

    def write() -> None:
        while not stop.is_set():
            book.write("a", len(written))
            with scope.everything():
                files.store(os.urandom(20), name="x", content_type="x", purpose="test", school_id=11)
            written.append(1)
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    while len(written) < 5:
        pass
    try:
        store.make(source, tmp_path / "backup", now=NOW)
        during = len(written)
    finally:
        stop.set()
        writer.join()
    assert during > 5
    proof = restoring(tmp_path / "backup")
    assert 15 <= proof.entries <= 10 + during + 1
    assert proof.files >= 3 + proof.entries - 10 - 1


def test_work_after_the_backup_is_counted_at_the_restore(
    source: store.Source, book: Book, restoring: Callable[[Path], store.Proof], tmp_path: Path
) -> None:
    store.make(source, tmp_path / "backup", now=NOW)
    book.write("a", 1)
    book.checkpoint()
    book.checkpoint()
    proof = restoring(tmp_path / "backup")
    assert (proof.checkpoint, proof.behind) == (3, 2)


@pytest.mark.parametrize("point", ["make.after_dump", "make.after_files"])
def test_a_backup_killed_half_way_is_no_backup(point: str, source: store.Source, tmp_path: Path) -> None:
    def make(acknowledge: object) -> None:
        store.make(source, tmp_path / "backup", now=NOW)

    assert crash.run(make, armed=f"kill=backup.{point}").was_killed
    assert not (tmp_path / "backup").exists()
    assert crash.run(make).status == 0
    store.check(tmp_path / "backup")


def test_a_restore_killed_half_way_is_never_taken_for_one(
    fresh_database: str, backup: Path, restoring: Callable[[Path], store.Proof]
) -> None:
    child = crash.run(
        lambda acknowledge: restoring(backup) and None,
        armed="kill=backup.restore.after_database",
    )
    assert child.was_killed
    with pytest.raises(store.NotEmpty):
        restoring(backup)


def test_the_commands(
    source: store.Source, target: store.Source, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def khue(*arguments: str) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    made = khue("backup", tmp_path / "backup")
    assert made.exit_code == 0, made.output
    assert "files 3, checkpoint 3" in made.output
    assert khue("restore", "--check-only", tmp_path / "backup").exit_code == 0
    again = khue("restore", tmp_path / "backup")
    assert again.exit_code == 1
    assert "holds files" in again.output
    monkeypatch.setenv("DATABASE_OWNER_URL", target.url)
    settings.KHUE_FILES = target.files
    restored = khue("restore", tmp_path / "backup")
    assert restored.exit_code == 0, restored.output
    assert "the ledger has no fault" in restored.output
    flip(largest(tmp_path / "backup", "database/*.dat*"))
    broken = khue("restore", "--check-only", tmp_path / "backup")
    assert broken.exit_code == 1
    assert "was changed" in broken.output
    without = khue("drill")
    assert without.exit_code == 2
    assert "--into" in without.output


def test_the_drill(
    source: store.Source, tmp_path: Path, databases: Any, settings: Any, witness: Path
) -> None:
    (tmp_path / "drill").mkdir()
    result = drills.run(
        source,
        folder=tmp_path / "drill",
        keep=None,
        into=None,
        server_home=databases.server.home,
        witnesses=[witness],
        keys=[Path(settings.KHUE_KEYS) / signing.PUBLIC_KEY],
    )
    assert (result.proof.entries, result.proof.files) == (10, 3)
    assert result.indexes is None or result.indexes > 50
    with databases.admin() as admin:
        left = admin.execute(
            "select count(*) from pg_database where datname = %s", [f"khue_drill_{os.getpid()}"]
        )
        assert left.fetchone() == (0,)


def test_a_corrupt_index_fails_the_drill(
    source: store.Source, databases: Any, fresh_database: str, superuser: psycopg.Connection
) -> None:
    url = databases.server.url("khue", fresh_database)
    if drills.check_indexes(url) is None:
        pytest.skip("this server has no amcheck")
    superuser.execute("set session_replication_role = replica")
    superuser.execute(
        "update pg_index set indisready = false where indexrelid = 'files_storedfile_pkey'::regclass"
    )
    superuser.execute(
        "insert into files_storedfile (uid, version, sha256, size, name, content_type, purpose)"
        " values (gen_random_uuid(), 1, repeat('0', 64), 1, 'x', 'x', 'x')"
    )
    superuser.execute(
        "update pg_index set indisready = true where indexrelid = 'files_storedfile_pkey'::regclass"
    )
    with pytest.raises(store.Damaged, match="files_storedfile_pkey"):
        drills.check_indexes(url)


def test_no_password_stands_on_a_command_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[Any] = []

    def run(arguments: Any, **how: Any) -> Any:
        seen.append((arguments, how["env"]))
        return subprocess.CompletedProcess(arguments, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    programs.run(Path("pg_dump"), "--format=directory", url="postgresql://u:s3cret@/db?host=/tmp/x")
    ((arguments, environment),) = seen
    assert "s3cret" not in json.dumps([str(a) for a in arguments])
    assert (environment["PGPASSWORD"], environment["PGHOST"], environment["PGDATABASE"]) == (
        "s3cret",
        "/tmp/x",
        "db",
    )
