"""A superuser changes the ledger in every way we could think of; the verifier finds and names each."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from khue.cli import main
from khue.kernel.ledger import canonical, exports, signing, verifier
from khue.kernel.ledger.chain import ZERO, entry_hash
from khue.kernel.permissions import system_actor
from tests.harness import crash

from .conftest import Book

A, B, C = "a:school-11", "b:school-11", "c:school-11"
Faults = set[tuple[str, str, int]]


@pytest.fixture
def attacker(superuser: psycopg.Connection) -> psycopg.Connection:
    """A superuser with the triggers off."""
    superuser.execute("set session_replication_role = replica")
    return superuser


def rewrite(attacker: psycopg.Connection, chain: str, first: int, change: Callable[[bytes], bytes]) -> None:
    """Change bodies from `first` on and make all hashes, links and the row's head fit."""
    rows = attacker.execute(
        "select sequence, act, body, at, hash, previous from ledger_entry where chain = %s order by sequence",
        [chain],
    ).fetchall()
    previous = ZERO
    for sequence, act, body, at, digest, _ in rows:
        if sequence >= first:
            body = change(body)
            digest = entry_hash(
                chain=chain, sequence=sequence, previous=previous, act=act, body=body, at=canonical.moment(at)
            )
            attacker.execute(
                "update ledger_entry set body = %s, hash = %s, previous = %s where chain = %s and sequence = %s",
                [body, digest, previous, chain, sequence],
            )
        previous = digest
    attacker.execute("update ledger_chain set ledger_head = %s where chain_key = %s", [previous, chain])


def better(body: bytes) -> bytes:
    return body.replace(b'"to":5', b'"to":9').replace(b'"to":7', b'"to":9')


def set_row(attacker: psycopg.Connection, chain: str) -> None:
    """Set the row's head to the last entry that is left."""
    attacker.execute(
        "update ledger_chain set (ledger_seq, ledger_head) = (select sequence, hash from ledger_entry"
        " where chain = %(chain)s order by sequence desc limit 1) where chain_key = %(chain)s",
        {"chain": chain},
    )


def change_body(attacker: psycopg.Connection) -> Faults:
    attacker.execute(
        "update ledger_entry set body = replace(convert_from(body, 'UTF8'), '\"to\":75', '\"to\":95')::text::bytea"
        " where chain = %s and sequence = 2", [A],
    )  # fmt: skip
    return {("changed", A, 2)}


def change_moment(attacker: psycopg.Connection) -> Faults:
    attacker.execute(
        "update ledger_entry set at = at - interval '1 second' where chain = %s and sequence = 1", [B]
    )
    return {("changed", B, 1)}


def change_body_and_its_hash(attacker: psycopg.Connection) -> Faults:
    at, act, body, previous = attacker.execute(
        "select at, act, body, previous from ledger_entry where chain = %s and sequence = 2", [A]
    ).fetchone()
    body = better(body)
    digest = entry_hash(chain=A, sequence=2, previous=previous, act=act, body=body, at=canonical.moment(at))
    attacker.execute(
        "update ledger_entry set body = %s, hash = %s where chain = %s and sequence = 2", [body, digest, A]
    )
    return {("broken-link", A, 3)}


def write_history_anew(attacker: psycopg.Connection) -> Faults:
    rewrite(attacker, A, 1, better)
    return {("rewritten", A, 3)}


def delete_in_the_middle(attacker: psycopg.Connection) -> Faults:
    attacker.execute("delete from ledger_entry where chain = %s and sequence = 2", [A])
    return {("gap", A, 2)}


def delete_at_the_end(attacker: psycopg.Connection) -> Faults:
    attacker.execute("delete from ledger_entry where chain = %s and sequence >= 2", [B])
    set_row(attacker, B)
    return {("truncated", B, 1), ("old-backup", "", 2)} & {("truncated", B, 1)}


def delete_what_nobody_witnessed(attacker: psycopg.Connection) -> Faults:
    attacker.execute("delete from ledger_entry where chain = %s and sequence = 5", [A])
    return {("row-differs", A, 5)}


def delete_a_chain(attacker: psycopg.Connection) -> Faults:
    attacker.execute("delete from ledger_entry where chain = %s", [C])
    attacker.execute("delete from ledger_chain where chain_key = %s", [C])
    return {("missing-chain", C, 2)}


def exchange_two_entries(attacker: psycopg.Connection) -> Faults:
    for old, new in ((1, 100), (2, 1), (100, 2)):
        attacker.execute(
            "update ledger_entry set sequence = %s where chain = %s and sequence = %s", [new, A, old]
        )
    return {("reordered", A, 1), ("reordered", A, 2)}


def repeat_an_entry(attacker: psycopg.Connection) -> Faults:
    attacker.execute(
        "insert into ledger_entry (school_year, chain, sequence, previous, act, body, at, hash, school_id)"
        " select school_year, chain, 6, previous, act, body, at, hash, school_id from ledger_entry"
        " where chain = %s and sequence = 2", [A],
    )  # fmt: skip
    set_row(attacker, A)
    return {("replayed", A, 6)}


def copy_an_entry_to_another_chain(attacker: psycopg.Connection) -> Faults:
    attacker.execute(
        "insert into ledger_entry (school_year, chain, sequence, previous, act, body, at, hash, school_id)"
        " select school_year, %s, 4, previous, act, body, at, hash, school_id from ledger_entry"
        " where chain = %s and sequence = 5", [B, A],
    )  # fmt: skip
    set_row(attacker, B)
    return {("replayed", B, 4)}


def double_in_another_partition(attacker: psycopg.Connection) -> Faults:
    attacker.execute(
        "insert into ledger_entry (school_year, chain, sequence, previous, act, body, at, hash, school_id)"
        " select 2026, chain, sequence, previous, act, body, at, hash, school_id from ledger_entry"
        " where chain = %s and sequence = 1", [C],
    )  # fmt: skip
    return {("replayed", C, 1)}


def write_in_another_encoding(attacker: psycopg.Connection) -> Faults:
    attacker.execute(
        "update ledger_entry set body = convert_to(convert_from(body, 'UTF8')::jsonb::text, 'UTF8')"
        " where chain = %s and sequence = 2", [C],
    )  # fmt: skip
    return {("other-encoding", C, 2)}


def change_the_head_in_the_row(attacker: psycopg.Connection) -> Faults:
    attacker.execute(
        "update ledger_chain set ledger_head = decode(repeat('07', 32), 'hex') where chain_key = %s", [C]
    )
    return {("row-differs", C, 2)}


def remove_the_latest_checkpoint(attacker: psycopg.Connection) -> Faults:
    attacker.execute("delete from ledger_receipt where checkpoint_id = 3")
    attacker.execute("delete from ledger_checkpoint where sequence = 3")
    return {("old-backup", "", 2)}


def replace_a_checkpoint(attacker: psycopg.Connection) -> Faults:
    attacker.execute("update ledger_checkpoint set hash = decode(repeat('07', 32), 'hex') where sequence = 3")
    return {("split-view", "", 3)}


WAYS = [
    change_body, change_moment, change_body_and_its_hash, write_history_anew, delete_in_the_middle,
    delete_at_the_end, delete_what_nobody_witnessed, delete_a_chain, exchange_two_entries, repeat_an_entry,
    copy_an_entry_to_another_chain, double_in_another_partition, write_in_another_encoding,
    change_the_head_in_the_row, remove_the_latest_checkpoint, replace_a_checkpoint,
]  # fmt: skip


def test_an_untouched_ledger_has_no_fault(book: Book) -> None:
    assert book.verify() == []


@pytest.mark.parametrize("tamper", WAYS, ids=lambda way: way.__name__)
def test_each_way_is_found_and_named(
    tamper: Callable[[psycopg.Connection], Faults], book: Book, attacker: psycopg.Connection
) -> None:
    expected = tamper(attacker)
    found = set(book.verify())
    assert expected <= found
    # Nothing is named that nobody touched.
    assert {chain for _, chain, _ in found} == {chain for _, chain, _ in expected}


def test_the_program_reads_the_database_by_itself(
    book: Book,
    attacker: psycopg.Connection,
    databases: Any,
    fresh_database: str,
    witness: Path,
    settings: Any,
) -> None:
    url = databases.server.url("khue_app", fresh_database)
    key = Path(settings.KHUE_KEYS) / signing.PUBLIC_KEY
    command = [
        sys.executable,
        "-I",
        verifier.__file__,
        "--dsn",
        url,
        "--witness",
        str(witness),
        "--key",
        str(key),
    ]
    sound = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (sound.returncode, sound.stderr) == (0, "")
    assert "entries: 10" in sound.stdout.splitlines()
    assert "rows compared: 3" in sound.stdout.splitlines()
    assert "entries not yet witnessed: 1" in sound.stdout.splitlines()
    change_body(attacker)
    spoilt = subprocess.run([*command, "--lang", "en"], capture_output=True, text=True, check=False)
    assert spoilt.returncode == 1
    assert spoilt.stdout.startswith(f"changed\t{A} 2\tThe body, act or moment of entry 2 was changed")


def test_an_export_is_verified_like_the_database(
    book: Book, attacker: psycopg.Connection, tmp_path: Path, witness: Path, settings: Any
) -> None:
    key = str(Path(settings.KHUE_KEYS) / signing.PUBLIC_KEY)
    for name, status in (("sound", 0), ("spoilt", 1)):
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(line + "\n" for line in exports.lines()), encoding="utf-8")
        assert verifier.main(["--entries", str(path), "--witness", str(witness), "--key", key]) == status
        attacker.execute(
            "update ledger_entry set body = '\\xff'::bytea where chain = %s and sequence = 1", [C]
        )
    assert json.loads((tmp_path / "spoilt.jsonl").read_text().splitlines()[-1])["entries"] == 10


def test_an_old_backup_put_back_is_found_and_never_signed_over(
    book: Book, databases: Any, fresh_database: str
) -> None:
    """The database is copied, work goes on, and the copy is put back under the old name."""
    from django.db import connection

    connection.close()
    copy = f"{fresh_database}_copy"
    with databases.admin() as admin:
        admin.execute(f'create database "{copy}" template "{fresh_database}"')
    book.write("a", 95)
    book.write("b", 65)
    book.checkpoint()
    assert book.verify() == []
    connection.close()
    with databases.admin() as admin:
        admin.execute(f'drop database "{fresh_database}" with (force)')
        admin.execute(f'alter database "{copy}" rename to "{fresh_database}"')
    signing._remembered = None
    assert ("old-backup", "", 3) in book.verify()
    book.write("a", 100)
    with pytest.raises(signing.OldDatabase):
        book.checkpoint()
    found = book.verify()
    assert ("old-backup", "", 3) in found
    assert ("rewritten", A, 6) in found
    assert ("truncated", B, 3) in found


def test_a_restore_is_declared_and_work_goes_on(
    book: Book, databases: Any, fresh_database: str, witness: Path, tmp_path: Path, settings: Any
) -> None:
    """As above, but the loss is declared: verification names it for ever, and finds nothing else."""
    from django.db import connection

    from khue.kernel.ledger import checking

    with pytest.raises(signing.NothingToRecover):
        signing.recover(book.now, reason="no")
    connection.close()
    copy = f"{fresh_database}_copy"
    with databases.admin() as admin:
        admin.execute(f'create database "{copy}" template "{fresh_database}"')
    for value in (95, 96):
        book.write("a", value)
        book.write("d", value)
        book.checkpoint()
    connection.close()
    with databases.admin() as admin:
        admin.execute(f'drop database "{fresh_database}" with (force)')
        admin.execute(f'alter database "{copy}" rename to "{fresh_database}"')
    signing._remembered = None
    second = tmp_path / "second"
    settings.KHUE_WITNESSES = [witness, second]
    shutil.copytree(witness, second)
    (second / "0000000005.json").unlink()  # this one had not got the last one
    book.write("a", 60)
    assert signing.recover(book.now, reason="cháy máy chủ") == signing.Done(made=1, receipts=1 + 4)
    book.write("d", 61)
    book.checkpoint()
    report = checking.verify()
    assert report.faults == []
    assert report.recoveries == [(6, 3, 4)]
    assert report.counts["entries not yet witnessed"] == 0
    signing._remembered = None
    book.write("a", 62)
    book.checkpoint()
    assert book.verify() == []


def test_control_without_the_witness_a_well_made_forgery_passes(
    book: Book, attacker: psycopg.Connection, tmp_path: Path
) -> None:
    """What only the witness can know: a history written anew in full is consistent in itself."""
    rewrite(attacker, A, 1, better)
    assert [f for f in book.verify() if f[0] == "rewritten"] == [("rewritten", A, 3)]
    from khue.kernel.ledger import checking

    alone = checking.verify(witnesses=[], keys=[])
    assert alone.faults == []


# --- the signer


def test_a_quiet_hour_makes_one_checkpoint(book: Book) -> None:
    book.checkpoint()
    for minutes, made in ((10, 0), (49, 0), (1, 1), (30, 0)):
        book.now += timedelta(minutes=minutes)
        assert signing.checkpoint(book.now).made == made


def test_a_witness_out_of_reach_gets_what_it_missed(book: Book, witness: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    witness.rename(away)
    witness.write_text("not a folder")
    book.write("a", 10)
    book.now += timedelta(minutes=1)
    done = signing.checkpoint(book.now)
    assert (done.made, done.receipts, len(done.unreachable)) == (1, 0, 1)
    witness.unlink()
    away.rename(witness)
    book.write("a", 20)
    book.now += timedelta(minutes=1)
    assert signing.checkpoint(book.now) == signing.Done(made=1, receipts=2)
    assert book.verify() == []


def test_more_heads_than_fit_into_one_checkpoint_are_spread(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing, "MOST_HEADS", 3)
    for number in range(8):
        book.write(f"more{number}", 1)
    book.now += timedelta(minutes=1)
    assert signing.checkpoint(book.now).made == 3  # nine heads: eight new ones and the one of chain a
    assert book.verify() == []
    assert signing.checkpoint(book.now).made == 0


def test_an_entry_committed_late_is_witnessed_all_the_same(
    book: Book, databases: Any, fresh_database: str, witness: Path
) -> None:
    """A transaction takes its entry's id, stays open over two checkpoints, and commits after them."""
    from khue.kernel import ledger
    from khue.kernel.database import scope

    with psycopg.connect(databases.server.url("khue_app", fresh_database)) as slow:
        slow.execute("select set_config('khue.all', 'on', false)")
        head, year = slow.execute(
            "select ledger_head, 2025 from ledger_chain where chain_key = %s for update", [C]
        ).fetchone()
        at = datetime(2025, 11, 10, tzinfo=UTC)
        body = canonical.encode({"actor": {}, "data": {}})
        digest = entry_hash(
            chain=C, sequence=3, previous=head, act="slow.act", body=body, at=canonical.moment(at)
        )
        slow.execute(
            "insert into ledger_entry (school_year, chain, sequence, previous, act, body, at, hash, school_id)"
            " values (%s, %s, 3, %s, 'slow.act', %s, %s, %s, 11)", [year, C, head, body, at, digest],
        )  # fmt: skip
        slow.execute(
            "update ledger_chain set ledger_seq = 3, ledger_head = %s where chain_key = %s", [digest, C]
        )
        for value in (1, 2):
            book.write("a", value)
            book.checkpoint()
        slow.commit()
    book.checkpoint()
    from khue.kernel.ledger import checking

    report = checking.verify()
    assert report.faults == []
    assert report.counts["entries not yet witnessed"] == 0
    with scope.everything():
        assert ledger.chain_for("c", school_id=11).ledger_seq == 3


def test_a_restarted_signer_goes_on_where_the_last_one_was(book: Book) -> None:
    signing._remembered = None
    book.write("b", 70)
    book.checkpoint()
    assert book.verify() == []


def test_a_lost_key_is_not_replaced_in_silence(book: Book, settings: Any) -> None:
    (Path(settings.KHUE_KEYS) / signing.PRIVATE_KEY).unlink()
    with pytest.raises(signing.KeyMissing):
        book.checkpoint()


def test_the_key_is_for_its_owner_only(book: Book, settings: Any) -> None:
    assert os.stat(Path(settings.KHUE_KEYS) / signing.PRIVATE_KEY).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("point", ["after_insert", "after_commit", "after_publish"])
def test_a_signer_killed_at_any_point_leaves_one_history(
    point: str, book: Book, witness: Path, settings: Any
) -> None:
    def checkpoint(acknowledge: object) -> None:
        signing._remembered = None  # as in a process just started
        signing.checkpoint(book.now)

    assert crash.run(checkpoint, armed=f"kill=ledger.checkpoint.{point}").was_killed
    assert crash.run(checkpoint).status == 0
    signing._remembered = None
    book.write("a", 5)
    book.checkpoint()
    assert book.verify() == []
    assert len(list(witness.glob("*.json"))) == 5


def test_the_signer_goes_on_after_a_bad_round(book: Book, witness: Path, caplog: Any) -> None:
    from khue.kernel.ledger import signer

    shutil.copy(witness / "0000000003.json", witness / "0000000004.json")
    waits: list[float] = []
    signer.serve(every=60, times=2, sleep=waits.append)
    assert waits == [60]
    assert "OldDatabase" in caplog.text


# --- the guard


def test_closing_stops_when_nothing_left_the_machine_for_four_hours(book: Book) -> None:
    from khue.kernel import ledger

    ledger.require_recent_checkpoint(book.now + timedelta(hours=4))
    with pytest.raises(ledger.NoRecentCheckpoint):
        ledger.require_recent_checkpoint(book.now + timedelta(hours=4, seconds=1))
    book.write("a", 1)  # entering goes on


def test_a_checkpoint_that_reached_no_witness_does_not_count(book: Book, witness: Path) -> None:
    from khue.kernel import ledger

    before = book.now
    shutil.rmtree(witness)
    witness.write_text("not a folder")
    book.now += timedelta(hours=5)
    signing.checkpoint(book.now)
    with pytest.raises(ledger.NoRecentCheckpoint):
        ledger.require_recent_checkpoint(before + timedelta(hours=5))


def test_a_young_ledger_needs_no_checkpoint_yet(fresh_database: str, witness: Path, now: datetime) -> None:
    from khue.kernel import ledger
    from khue.kernel.database import scope

    with scope.everything():
        ledger.require_recent_checkpoint(now)
    young = Book(now)
    young.write("a", 1)
    with scope.everything():
        ledger.require_recent_checkpoint(now + timedelta(hours=4))
        with pytest.raises(ledger.NoRecentCheckpoint):
            ledger.require_recent_checkpoint(now + timedelta(hours=5))


# --- rows of the product, and the commands


def test_a_register_heads_its_own_chain(
    fresh_database: str, witness: Path, superuser: psycopg.Connection, now: datetime
) -> None:
    """The verifier finds the tables that carry chains by their columns; nobody has to list them."""
    from khue.kernel import ledger
    from khue.kernel.database import scope
    from khue.kernel.ledger import checking
    from khue.school.gradebook.models import Register
    from tests import factories

    with scope.everything():
        group = factories.class_group(factories.school())
        register = Register.objects.create(
            class_group=group, school_id=group.school_id, school_year=2025, subject_code="toan", term=1,
            kind="score", rule_set="x", regular_count=4,
        )  # fmt: skip
        register = Register.objects.select_for_update(of=("self",)).get(pk=register.pk)
        for value in (70, 80):
            ledger.append(
                register, act="gradebook.marks", body={"value": value}, actor=system_actor("test"), at=now
            )
    key = f"gradebook_register:{register.uid}"
    report = checking.verify(witnesses=[], keys=[])
    assert report.faults == []
    assert report.counts["rows compared"] == 1
    superuser.execute("set session_replication_role = replica")
    superuser.execute("update gradebook_register set ledger_seq = 1")
    assert [(f.name, f.chain) for f in checking.verify(witnesses=[], keys=[]).faults] == [
        ("row-differs", key)
    ]


def test_the_commands(book: Book, witness: Path, tmp_path: Path, attacker: psycopg.Connection) -> None:
    def khue(*arguments: object) -> Result:
        return CliRunner().invoke(main, ["ledger", *map(str, arguments)])

    assert khue("checkpoint").output == "checkpoints 1, receipts 1\n"
    (tmp_path / "auditor.pem").write_text(khue("key").output)
    exported = khue("export", tmp_path / "export.jsonl")
    assert exported.output.endswith("export.jsonl: 10 entries\n")
    assert khue("export", tmp_path / "export.jsonl").exit_code == 1  # never over an older one
    arguments = ["--entries", str(tmp_path / "export.jsonl"), "--witness", str(witness)]
    assert verifier.main([*arguments, "--key", str(tmp_path / "auditor.pem")]) == 0
    sound = khue("verify", "--witness", witness, "--key", tmp_path / "auditor.pem")
    assert sound.exit_code == 0, sound.output
    assert khue("recover", "--reason", "x").exit_code == 1
    assert khue("signer", "--times", 1).exit_code == 0
    change_body(attacker)
    spoilt = khue("verify", "--lang", "en")
    assert spoilt.exit_code == 1
    assert spoilt.output.startswith(f"changed\t{A} 2\t")
