"""The verifier finds and names each attack of the vectors, as a program and on its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from khue.kernel.ledger import verifier

from . import ledgers
from .make_vectors import FOLDER

CASES = sorted(FOLDER.glob("ledgers/*/*.json"))
KEY_PEM = json.loads(CASES[0].read_text(encoding="utf-8"))["key"]

NAMED_IN_THE_PROMISE = {
    "truncated", "reordered", "gap", "replayed", "split-view", "wrong-size", "leaf-node-confusion",
    "other-encoding", "changed", "old-backup", "bad-signature", "missing-checkpoint",
}  # fmt: skip


def lay_out(case: dict[str, Any], folder: Path) -> list[str]:
    """Write a case as files and return the arguments that point at them."""
    export, key = folder / "export.jsonl", folder / "public.pem"
    export.write_text("".join(line + "\n" for line in case["export"]), encoding="utf-8")
    key.write_text(case["key"], encoding="ascii")
    arguments = ["--entries", str(export), "--key", str(key)]
    for number, files in enumerate(case["witnesses"]):
        witness = folder / f"witness-{number}"
        witness.mkdir()
        for name, content in files.items():
            (witness / name).write_text(content, encoding="utf-8", newline="")
        arguments += ["--witness", str(witness)]
    return arguments


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_each_vector(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    status = verifier.main([*lay_out(case, tmp_path), "--json"])
    report = json.loads(capsys.readouterr().out)
    found = sorted((f["fault"], f["chain"], f["sequence"]) for f in report["faults"])
    assert found == sorted((f["fault"], f["chain"], f["sequence"]) for f in case["expected"])
    assert status == (1 if case["expected"] else 0)
    assert bool(case["expected"]) == (path.parent.name == "bad")
    assert all(fault["sentence"] and "{" not in fault["sentence"] for fault in report["faults"])


def test_every_fault_the_verifier_can_name_has_a_vector() -> None:
    named = {f["fault"] for path in CASES for f in json.loads(path.read_text(encoding="utf-8"))["expected"]}
    assert named == set(verifier.FAULTS)
    assert named >= NAMED_IN_THE_PROMISE


def test_it_runs_as_one_file_away_from_the_product(tmp_path: Path) -> None:
    alone = tmp_path / "elsewhere" / "verifier.py"
    alone.parent.mkdir()
    alone.write_bytes(Path(verifier.__file__).read_bytes())
    case = json.loads((FOLDER / "ledgers/bad/changed-body.json").read_text(encoding="utf-8"))
    command = [sys.executable, "-I", str(alone), *lay_out(case, tmp_path), "--lang", "en"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=alone.parent)
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"changed\t{ledgers.SECOND} 1\tThe body, act or moment of entry 1 was changed")
    assert "entries: 12" in lines
    assert lines[-1] == "faults: 1"


def test_an_older_export_is_checked_against_the_checkpoints_of_its_time(tmp_path: Path) -> None:
    case = ledgers.written("older", "", ledgers.sound(checkpoints_made=2), [])
    case["witnesses"] = ledgers.written("now", "", ledgers.sound(), [])["witnesses"]
    arguments = lay_out(case, tmp_path)
    assert verifier.main(arguments) == 1
    assert verifier.main([*arguments, "--until", "2"]) == 0


@pytest.mark.parametrize("missing", ["--entries", "--key", "--witness"])
def test_a_question_that_cannot_be_asked_is_neither_yes_nor_no(missing: str, tmp_path: Path) -> None:
    arguments = lay_out(
        json.loads((FOLDER / "ledgers/good/whole.json").read_text(encoding="utf-8")), tmp_path
    )
    arguments[arguments.index(missing) + 1] = str(tmp_path / "nowhere")
    assert verifier.main(arguments) == 2


def test_a_witness_without_a_key_is_refused(tmp_path: Path) -> None:
    case = json.loads((FOLDER / "ledgers/good/whole.json").read_text(encoding="utf-8"))
    arguments = lay_out(case, tmp_path)
    at = arguments.index("--key")
    with pytest.raises(SystemExit) as stopped:
        verifier.main(arguments[:at] + arguments[at + 2 :])
    assert stopped.value.code == 2


def test_control_a_verifier_that_skips_hashing_is_caught(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The vectors bite: with the comparison of hashes taken out, the changed body goes unnoticed."""
    monkeypatch.setattr(verifier, "entry_hash", lambda entry: entry.hash)
    case = json.loads((FOLDER / "ledgers/bad/changed-body.json").read_text(encoding="utf-8"))
    assert verifier.main(lay_out(case, tmp_path)) == 0
