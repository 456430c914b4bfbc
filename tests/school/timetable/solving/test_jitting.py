"""Machine code is of the sources that are there: another constant elsewhere is another folder."""

from __future__ import annotations

import pytest

jitting = pytest.importorskip("khue.school.timetable.solving.jitting")


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """Sources of a solver in a folder of its own, and no folder named by the environment."""
    (tmp_path / "xhstt").mkdir()
    for name in ("desk.py", "loops.py", "xhstt/moving.py"):
        (tmp_path / name).write_text("CELL = 1\n")
    monkeypatch.setattr(jitting, "HERE", tmp_path)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    return tmp_path


@pytest.mark.parametrize("name", ["desk.py", "xhstt/moving.py"])
def test_a_changed_source_has_machine_code_of_its_own(sources, name):
    before = jitting._folder()
    assert before.parent == sources / "__pycache__" and jitting._folder() == before
    (sources / name).write_text("CELL = 2\n")
    assert jitting._folder() != before


def test_the_environment_says_where(sources, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "elsewhere"))
    assert jitting._folder().parent == tmp_path / "elsewhere"


def test_where_the_sources_cannot_be_written_beside_the_user_s_folder_serves(sources, tmp_path, monkeypatch):
    (sources / "__pycache__").write_text("a file where the folder would be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert jitting._folder().parent == tmp_path / "cache" / "khue"


def test_former_machine_code_is_swept_and_this_one_s_stays(sources, monkeypatch):
    former = jitting._folder()
    (sources / "desk.py").write_text("CELL = 3\n")
    monkeypatch.setattr(jitting.config, "CACHE_DIR", str(jitting._folder()))
    jitting.sweep()
    assert not former.exists() and jitting._folder().exists()
