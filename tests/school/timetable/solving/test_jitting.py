"""Machine code is of the sources that are there: another constant elsewhere is another folder."""

from __future__ import annotations

import numpy as np
import pytest

from khue.school.timetable.solving.threads import at_once

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


# Annotations as the loops write them: names of `jitting.TYPES`.
def doubled(cells: Cells, at: int) -> int:  # noqa: F821
    return cells[at] * 2


def test_a_typed_function_has_no_machine_code_before_it_is_needed_and_one_piece_after():
    inner = jitting.typed(doubled)

    def outer(cells: Cells) -> int:  # noqa: F821
        return inner(cells, 0) + inner(cells, np.int64(1))

    loop = jitting.typed(outer)
    assert not inner.overloads and not loop.overloads
    assert loop(np.array([3, 4], dtype=np.int32)) == 14
    assert len(loop.overloads) == len(inner.overloads) == 1
    assert inner(np.array([3, 4], dtype=np.int32), True) == 8
    assert len(inner.overloads) == 1, "other widths of whole numbers are converted, not compiled"


def test_a_typed_function_refuses_another_type_the_first_time_too():
    loop = jitting.typed(doubled)
    with pytest.raises(TypeError):
        loop(np.array([3.0, 4.0]), 0)
    assert loop(np.array([3, 4], dtype=np.int32), 1) == 8


def test_threads_that_need_a_function_at_once_get_the_same():
    loop = jitting.typed(doubled)
    cells = np.array([5], dtype=np.int32)
    assert at_once(lambda at: loop(cells, at), [0] * 8) == [10] * 8
    assert len(loop.overloads) == 1
