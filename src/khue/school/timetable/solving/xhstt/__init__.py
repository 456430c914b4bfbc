"""XHSTT, the benchmark format of high-school timetabling: reading, judging, solving, writing.

`solve_file` and `check_file` are what the commands call; `model.BadFile` is the one refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from khue.school.timetable.solving.xhstt.model import BadFile

__all__ = ["BadFile", "check_file", "solve_file"]


def solve_file(
    path: str | Path, seconds: float, threads: int, seed: int, out: str | Path, stop: Callable[[], bool] | None = None
) -> dict[str, Any]:
    """Solve an XHSTT file; see `files.solve_file`. OR-tools is loaded only here."""
    from khue.school.timetable.solving.xhstt import files

    return files.solve_file(path, seconds, threads, seed, out, stop)


def check_file(path: str | Path, solution_path: str | Path | None = None) -> dict[str, Any]:
    """Judge solutions of an XHSTT file; see `judging.check_file`."""
    from khue.school.timetable.solving.xhstt import judging

    return judging.check_file(path, solution_path)
