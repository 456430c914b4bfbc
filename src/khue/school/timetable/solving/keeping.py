"""Keeps the best timetable of a run on disk: written whole or not at all, found again by the next run."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from khue.school.timetable.solving.model import Placement, Problem, ProblemError, Solution


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def packed(solution: Solution) -> dict[str, list[Any]]:
    """Return a timetable as plain JSON: key -> [day, period, room, real rooms]."""
    return {key: [at.day, at.period, at.room, list(at.real_rooms)] for key, at in solution.items()}


def unpacked(rows: dict[str, list[Any]], problem: Problem, where: str) -> Solution:
    """Return the timetable packed in JSON; activities and rooms the problem lacks are left out.

    Raises ProblemError when a row is not [day, period, room, real rooms] within the grid.
    """
    keys = {activity.key for activity in problem.activities}
    rooms = {room.name for room in problem.rooms}
    found: dict[str, Placement] = {}
    if not isinstance(rows, dict):
        raise ProblemError(f"{where}: the timetable kept there does not say where each activity is")
    for key, row in rows.items():
        try:
            day, period, room, real = row
            inside = 0 <= int(day) < len(problem.days) and 0 <= int(period) < len(problem.periods)
        except (TypeError, ValueError, OverflowError):
            raise ProblemError(f"{where}: activity {key!r} is not given as [day, period, room, real rooms]") from None
        if not inside:
            raise ProblemError(f"{where}: activity {key!r} lies outside the days and periods of {problem.name!r}")
        if key in keys:
            found[key] = Placement(int(day), int(period), room if room in rooms else "", tuple(r for r in real if r in rooms))
    return found


def save(path: Path, solution: Solution, *, digest: str, facts: dict[str, Any]) -> None:
    """Write the best timetable with what it was made from (`digest`) and how good it is (`facts`).

    One that another input left there keeps its content under a name with that input's checksum.
    """
    _set_aside(path, digest)
    text = json.dumps({"digest": digest, **facts, "timetable": packed(solution)}, ensure_ascii=False)
    write_whole(path, text.encode())


def _set_aside(path: Path, digest: str) -> None:
    try:
        former = str(json.loads(path.read_text())["digest"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return  # there is none, or none of a run
    if former != digest:
        path.replace(path.with_name(f"{path.stem}.{former[:8]}.json"))


def load(path: Path, problem: Problem, *, digest: str) -> Solution | None:
    """Return the timetable an earlier run left for the same input; None when there is none.

    Raises ProblemError when the file is there and cannot be read.
    """
    if not path.exists():
        return None
    try:
        kept = json.loads(path.read_text())
        rows = kept["timetable"]
        if kept["digest"] != digest:
            return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ProblemError(f"{path.name}: the timetable kept there cannot be read ({type(error).__name__})") from None
    return unpacked(rows, problem, path.name)
