"""`khue demo` leaves what it made where the installation keeps its things, though it works in a home of its own."""

from __future__ import annotations

import json

from click.testing import CliRunner

from khue.web.demo import commands, run

REPORT = {"file": "hoc-sinh.xlsx", "checked": {"new": 2, "refused": 1}, "applied": {"new": 2}, "problems": [[4, "Ngày sinh", "không phải ngày"]]}


def walk(tmp_path, monkeypatch, summary, *arguments):
    """Run the command over a path that is already known to lead to `summary`."""
    monkeypatch.setenv("KHUE_HOME", str(tmp_path / "var"))
    monkeypatch.setattr(commands, "fresh_database", lambda: monkeypatch.setenv("KHUE_HOME", str(tmp_path / "var" / "demo-home")))

    def made(target, *, say):
        target.mkdir(parents=True)
        return summary

    monkeypatch.setattr(run, "run", made)
    return CliRunner().invoke(commands.demo, list(arguments))


def test_results_lie_in_the_home_of_the_installation(tmp_path, monkeypatch):
    ended = walk(tmp_path, monkeypatch, {"imports": {"thcs": {"learners": REPORT}}, "wrong": []})
    assert ended.exit_code == 0, ended.output
    folder = tmp_path / "var" / "demo"
    assert json.loads((folder / "summary.json").read_text())["imports"]["thcs"]["learners"] == REPORT
    assert json.loads((folder / "imports" / "thcs-learners.json").read_text()) == REPORT


def test_what_does_not_add_up_ends_the_command_with_one(tmp_path, monkeypatch):
    ended = walk(tmp_path, monkeypatch, {"wrong": ["12 results, but 11 transcripts"]}, "--out", str(tmp_path / "elsewhere"))
    assert ended.exit_code == 1 and "WRONG: 12 results, but 11 transcripts" in ended.output
    assert (tmp_path / "elsewhere" / "summary.json").exists()
