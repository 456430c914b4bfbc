"""Machine code is of the sources that are there, is whole or not used, and runs without the compiler."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from khue.school.timetable.solving.threads import at_once

machine_code = pytest.importorskip("khue.school.timetable.solving.machine_code")

LOOPS = """
from khue.school.timetable.solving.machine_code import called, typed

FACTOR = 2

@typed
def doubled(cells: Cells, at: int) -> int:
    return cells[at] * FACTOR

@called
def both(cells: Cells) -> int:
    return doubled(cells, 0) + doubled(cells, 1)
"""


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """Sources of a solver in a folder of its own, and no folder named by the environment."""
    (tmp_path / "xhstt").mkdir()
    for name in ("desk.py", "xhstt/moving.py"):
        (tmp_path / name).write_text("CELL = 1\n")
    monkeypatch.setattr(machine_code, "HERE", tmp_path)
    monkeypatch.setattr(machine_code, "CALLED", [])
    monkeypatch.setattr(machine_code, "folder", cache(machine_code.find_folder))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    return tmp_path


def loaded(folder, text=LOOPS):
    """Return the names of a module of loops in that folder."""
    path = folder / "twice_loops.py"
    path.write_text(text)
    machine_code.folder.cache_clear()
    space = {"__name__": "solver.twice_loops"}
    exec(compile("from __future__ import annotations\n" + text, path, "exec"), space)
    return space


@pytest.mark.parametrize("name", ["desk.py", "xhstt/moving.py"])
def test_a_changed_source_has_machine_code_of_its_own(sources, name):
    before = machine_code.find_folder()
    assert before.parent == sources / "__pycache__"
    assert machine_code.find_folder() == before
    (sources / name).write_text("CELL = 2\n")
    assert machine_code.find_folder() != before


def test_the_environment_says_where(sources, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "elsewhere"))
    assert machine_code.find_folder().parent == tmp_path / "elsewhere"


def test_where_the_sources_cannot_be_written_beside_the_user_s_folder_serves(sources, tmp_path, monkeypatch):
    (sources / "__pycache__").write_text("a file where the folder would be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert machine_code.find_folder().parent == tmp_path / "cache" / "khue"


def test_former_machine_code_is_swept_and_this_one_s_stays(sources):
    former = machine_code.find_folder()
    (sources / "desk.py").write_text("CELL = 3\n")
    machine_code.sweep()
    assert not former.exists()
    assert machine_code.find_folder().exists()


def test_what_is_called_is_kept_and_serves_where_the_compiler_fails(sources, monkeypatch):
    cells = np.array([3, 4], dtype=np.int32)
    space = loaded(sources)
    machine_code.load_all()
    assert space["both"](cells) == 14
    assert [path.name for path in machine_code.folder().iterdir()] == ["twice_loops.both.o"]
    monkeypatch.setattr("khue.school.timetable.solving.jitting.made", lambda _loop: pytest.fail("compiled again"))
    assert loaded(sources)["both"](cells) == 14
    kept = machine_code.folder() / "twice_loops.both.o"
    kept.write_bytes(kept.read_bytes()[:-1])
    with pytest.raises(pytest.fail.Exception, match="compiled again"):  # what is not whole is not run
        loaded(sources)["both"](cells)


def test_a_constant_is_compiled_in_and_another_one_is_other_code(sources):
    cells = np.array([3, 4], dtype=np.int32)
    assert loaded(sources)["both"](cells) == 14
    assert loaded(sources, LOOPS.replace("FACTOR = 2", "FACTOR = 3"))["both"](cells) == 21


def test_where_nothing_can_be_kept_it_is_compiled_all_the_same(sources, monkeypatch):
    monkeypatch.setattr(machine_code, "folder", cache(lambda: None))
    assert loaded(sources)["both"](np.array([5, 6], dtype=np.int32)) == 22


@pytest.mark.parametrize(
    ("cells", "at"),
    [
        (np.array([3.0, 4.0]), 0),
        (np.array([3, 4], dtype=np.int64), 0),
        (np.array([[3, 4]], dtype=np.int32), 0),
        (np.array([3, 0, 4, 0], dtype=np.int32)[::2], 0),
        ([3, 4], 0),
        (np.array([3, 4], dtype=np.int32), 0.5),
    ],
)
def test_a_loop_refuses_what_is_none_of_its_types(sources, cells, at):
    loop = loaded(sources)["doubled"]
    with pytest.raises(TypeError):
        loop(cells, at)
    with pytest.raises(ValueError, match="argument"):
        loop(np.array([3, 4], dtype=np.int32))
    assert loop(np.array([3, 4], dtype=np.int32), np.uint8(1)) == 8


def test_numbers_truths_and_tables_come_and_go_whole(sources):
    space = loaded(
        sources,
        """
from khue.school.timetable.solving.machine_code import called

@called
def wide(n: int) -> int:
    return n * 3

@called
def is_less(n: int, most: int) -> bool:
    return n < most

@called
def at(tables: Tables, a: int, b: int, c: int, is_there: bool) -> int:
    return tables[a, b, c] if is_there else -1

@called
def fill(cells: Cells, n: int) -> None:
    for k in range(len(cells)):
        cells[k] = n
""",
    )
    assert space["wide"](-(2**60)) == -3 * 2**60
    assert space["is_less"](1, 2) is True
    assert space["is_less"](2, 2) is False
    tables = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    assert space["at"](tables, 1, 2, 0, True) == 20
    assert space["at"](tables, 1, 2, 0, np.False_) == -1
    cells = np.zeros(3, dtype=np.int32)
    assert space["fill"](cells, 7) is None
    assert cells.tolist() == [7, 7, 7]


def test_threads_that_need_a_loop_at_once_get_the_same(sources):
    loop = loaded(sources)["doubled"]
    cells = np.array([5], dtype=np.int32)
    assert at_once(lambda at: loop(cells, at), [0] * 8) == [10] * 8


def test_what_code_takes_from_outside_is_known_before_it_is_kept(sources):
    from khue.school.timetable.solving import jitting

    text = """
from math import {name}
from khue.school.timetable.solving.machine_code import called

@called
def heat(n: int) -> int:
    return int({name}(n) * 1000)
"""
    heat = loaded(sources, text.format(name="exp"))["heat"]
    assert heat(1) == 2718
    assert jitting.missing(jitting.made(heat)[1]) <= machine_code.OUTSIDE.keys()
    with pytest.raises(RuntimeError, match="calls erf"):
        loaded(sources, text.format(name="erf"))["heat"](1)
    assert not jitting.missing(b"no object file")


def test_a_school_is_placed_without_the_compiler(is_warm):
    script = """
import sys
from khue.school.timetable.solving import engine, ordinary

found = []
result = engine.solve(ordinary.school(4, seed=3), seconds=20, seed=1, progress=found.append, stop=lambda: bool(found) and found[-1].placed == found[-1].activities)
print(result.counters["rounds"] > 0, "llvmlite" in sys.modules, "numba" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert is_warm
    assert done.stdout.split() == ["True", "True", "False"]


@pytest.mark.parametrize(("classes", "is_loaded"), [(3, False), (6, True)])
def test_a_school_that_costs_nothing_is_solved_without_importing_cp_sat_and_a_small_one_without_numpy(classes, is_loaded):
    machine_code.load_all()
    script = f"""
import sys
from dataclasses import replace
from khue.school.timetable.solving import engine
from tests.school.timetable.solving.schools import school
its = school({classes})
demands = replace(its, constraints=tuple(k for k in its.constraints if k.is_hard))
result = engine.solve(demands, seconds=60, seed=1)
print(result.status, result.best.cost, "ortools" in sys.modules, "numpy" in sys.modules)
"""
    root = Path(__file__).parents[4]
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.split() == ["feasible", "0.0", "False", str(is_loaded)]


def test_before_the_loops_are_made_a_school_is_placed_in_plain_code(monkeypatch):
    from khue.school.timetable.solving import ordinary, running, swapping

    monkeypatch.setattr(machine_code, "is_made", lambda: False)
    monkeypatch.setattr(swapping, "Swapper", lambda *_args, **_facts: pytest.fail("made the loops"))
    found = []
    result = running.run(
        ordinary.school(4, seed=3), seconds=60, threads=1, seed=1, start={}, progress=found.append,
        stop=lambda: bool(found) and found[-1].placed == found[-1].activities,
    )  # fmt: skip
    assert result.status == "feasible"


def test_what_is_kept_is_made(sources):
    space = loaded(sources)
    assert not machine_code.is_made()
    machine_code.load_all()
    assert machine_code.is_made()
    machine_code.CALLED.clear()
    assert loaded(sources)["both"].is_made, "by another process"
    assert not space["doubled"].is_made, "nobody called it"
