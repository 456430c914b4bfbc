"""Checkpoints: what is signed, what a folder keeps, and that a state can be rebuilt from it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from khue.kernel.ledger import checkpoints, verifier
from khue.kernel.ledger.chain import ZERO, Head

from .ledgers import KEY

NOW = datetime(2026, 1, 15, 8, 0, tzinfo=UTC)


def head(name: str, sequence: int) -> Head:
    return Head(f"ledger_chain:{name}", sequence, sequence.to_bytes(32, "big"))


def make(state: checkpoints.State, *heads: Head) -> checkpoints.SignedCheckpoint:
    return checkpoints.make(state, heads, signing_key=KEY, at=NOW)


def test_only_what_changed_is_published_and_places_stay(tmp_path: Path) -> None:
    state = checkpoints.State()
    first = make(state, head("b", 1), head("a", 2))
    second = make(state, head("c", 1), head("a", 1), head("b", 4))
    assert [(o, h.chain[-1], h.sequence) for o, h in checkpoints.read_heads(first.heads)] == [
        (0, "a", 2),
        (1, "b", 1),
    ]
    assert [(o, h.chain[-1], h.sequence) for o, h in checkpoints.read_heads(second.heads)] == [
        (1, "b", 4),
        (2, "c", 1),
    ]
    assert first.document["previous"] == ZERO.hex()
    assert second.document["previous"] == first.hash.hex()
    assert (second.document["size"], second.document["changed"]) == (3, 2)


def test_a_state_rebuilt_from_what_was_made_continues_alike() -> None:
    state, rebuilt = checkpoints.State(), checkpoints.State()
    for made in (make(state, head("b", 1)), make(state, head("a", 3), head("b", 2))):
        rebuilt.adopt(made.sequence, made.hash, made.heads)
    assert make(rebuilt, head("c", 1)) == make(state, head("c", 1))


def test_a_folder_keeps_a_checkpoint_once_and_refuses_another(tmp_path: Path) -> None:
    witness = checkpoints.FolderWitness(tmp_path / "witness")
    assert not witness.holds(1)
    state = checkpoints.State()
    made = make(state, head("a", 1))
    receipt = witness.publish(made)
    assert witness.publish(made) == receipt
    assert (receipt["sequence"], receipt["checkpoint"]) == (1, made.hash.hex())
    assert witness.holds(1) and not witness.holds(2)
    with pytest.raises(checkpoints.WitnessRefused):
        witness.publish(make(checkpoints.State(), head("a", 2)))
    assert (tmp_path / "witness" / "0000000001.json").read_bytes() == made.file()
    assert sorted(os.listdir(tmp_path / "witness")) == ["0000000001.heads", "0000000001.json"]


def test_files_and_their_folder_are_synced_before_the_receipt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}")))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    checkpoints.FolderWitness(tmp_path / "witness").publish(make(checkpoints.State(), head("a", 1)))
    assert [name.split(".json")[0].split(".heads")[0] for name in synced] == [
        ".0000000001", "witness", ".0000000001", "witness"
    ]  # fmt: skip


def test_a_checkpoint_file_left_alone_is_what_the_verifier_reads(tmp_path: Path) -> None:
    witness, state = checkpoints.FolderWitness(tmp_path), checkpoints.State()
    for sequence in (1, 2, 3):
        witness.publish(make(state, head("a", sequence)))
    report = verifier.Report()
    replay = verifier.Replay(report, {checkpoints.key_id(KEY.public_key()): KEY.public_key()})
    replay.run(verifier.Witness("folder", tmp_path))
    assert (report.faults, report.counts["signatures verified"]) == ([], 3)
