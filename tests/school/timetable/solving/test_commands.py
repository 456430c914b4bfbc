"""`khue timetable`: one line of JSON, no database, one sentence for what cannot be used."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from time import monotonic, sleep

import pytest
from click.testing import CliRunner

from khue.school.timetable.cli import group
from khue.school.timetable.solving.fet import writing
from tests.school.timetable.solving.schools import school
from tests.school.timetable.xhstt.test_reading import SMALL


@pytest.fixture
def instance(tmp_path):
    path = tmp_path / "truong.fet"
    path.write_bytes(writing.data(school(2))[0])
    return path


def _run(*arguments):
    return CliRunner().invoke(group, [str(a) for a in arguments])


def test_solve_prints_one_line_and_check_agrees(instance, tmp_path):
    out = tmp_path / "out"
    done = _run("solve", instance, "--seconds", "3", "--seed", "1", "--out", out, "--json")
    assert done.exit_code == 0
    facts = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert (facts["status"], facts["placed"], facts["activities"], facts["hard"]) == ("feasible", 48, 48, 0)
    for name in ("truong_activities.xml", "truong_data_and_timetable.fet", "truong.best.json"):
        checked = _run("check", instance, out / name, "--json")
        assert checked.exit_code == 0
        report = json.loads(checked.stdout)
        assert (report["feasible"], report["cost"]) == (True, facts["cost"])
    again = json.loads(_run("solve", instance, "--seconds", "1", "--out", out, "--json").stdout)
    assert again["resumed"]
    assert again["cost"] <= facts["cost"]


def test_check_says_what_is_broken_and_exits_1(instance, tmp_path):
    out = tmp_path / "out"
    _run("solve", instance, "--seconds", "2", "--out", out, "--json")
    kept = json.loads((out / "truong.best.json").read_text())
    first, second = sorted(kept["timetable"])[:2]
    kept["timetable"][first] = kept["timetable"][second]
    (out / "truong.best.json").write_text(json.dumps(kept))
    checked = _run("check", instance, out / "truong.best.json")
    assert checked.exit_code == 1
    assert "trùng giờ" in checked.stderr
    assert json.loads(checked.stdout)["kinds"]["Clash"] >= 1


def test_what_cannot_be_used_is_one_sentence_and_nothing_is_written(tmp_path):
    for name, content, word in (("a.fet", b"<fet>", "broken XML"), ("a.txt", b"", "neither"), ("b.fet", None, "no such file")):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        done = _run("solve", tmp_path / name, "--out", tmp_path / "out")
        assert done.exit_code == 2
        assert word in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert done.stdout == ""
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("seconds", ["nan", "inf", "0", "-1", "mai"])
def test_only_a_number_of_seconds_is_one(instance, tmp_path, seconds):
    done = _run("solve", instance, "--seconds", seconds, "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert "--seconds" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_is_named(instance, tmp_path):
    (tmp_path / "tap").write_text("")
    done = _run("solve", instance, "--seconds", "1", "--out", tmp_path / "tap" / "out", "--json")
    assert done.exit_code == 2
    assert str(tmp_path / "tap") in done.stderr
    assert "Errno" not in done.stderr


@pytest.mark.parametrize("timetable", ["[1, 2]", '{"a": [1e400, 0, "", []]}', "[" * 100_000, "null"])
def test_what_is_kept_in_another_shape_is_said(instance, tmp_path, timetable):
    digest = hashlib.sha256(instance.read_bytes()).hexdigest()
    kept = tmp_path / "truong.best.json"
    kept.write_text(f'{{"digest": "{digest}", "timetable": {timetable}}}' if len(timetable) < 1000 else timetable)
    for arguments in (("solve", instance, "--seconds", "1", "--out", tmp_path), ("check", instance, kept)):
        done = _run(*arguments, "--json")
        assert done.exit_code == 2
        assert "truong.best.json" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_an_infeasible_solution_of_xhstt_exits_1(tmp_path):
    path = tmp_path / "small.xml"
    path.write_text(SMALL, encoding="utf-8")
    stored = _run("check", path, "--json")
    assert stored.exit_code == 0, "what a file stores is told, not judged"
    assert "feasible" not in json.loads(stored.stdout)
    checked = _run("check", path, path, "--json")
    assert checked.exit_code == 1
    assert json.loads(checked.stdout)["feasible"] is False


def test_an_interrupted_run_ends_with_its_best(tmp_path):
    """CP-SAT takes the signal for itself unless it is told not to."""
    path = tmp_path / "small.xml"
    path.write_text(SMALL, encoding="utf-8")
    command = [sys.executable, "-c", "import khue.cli; khue.cli.main()", "timetable", "solve", str(path)]
    out = tmp_path / "out"
    run = subprocess.Popen([*command, "--seconds", "90", "--out", str(out), "--json"], stdout=subprocess.PIPE, text=True)
    begun = monotonic()
    while not (out / "small.solution.xml").exists() and monotonic() < begun + 60:
        sleep(0.1)
    sleep(1)
    run.send_signal(signal.SIGINT)
    told = json.loads(run.communicate(timeout=60)[0])
    assert run.returncode == 0
    assert told["status"] == "feasible"
    assert told["seconds"] < 85


def test_the_command_starts_without_a_database(instance, tmp_path):
    environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")}
    code = f"import sys; sys.argv = ['khue', 'timetable', 'check', {str(instance)!r}]; import khue.cli; khue.cli.main()"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**environment, "KHUE_HOME": str(tmp_path / "home")}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "name the file of the timetable" in done.stderr
    assert not (tmp_path / "home").exists()
