"""From file to file: solves an instance and keeps its best solution on disk."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from khue.school.timetable.solving.xhstt.compiling import HARD, compile_instance
from khue.school.timetable.solving.xhstt.evaluating import evaluate
from khue.school.timetable.solving.xhstt.model import BadFile, Instance, Solution
from khue.school.timetable.solving.xhstt.reading import read_archive, read_solutions
from khue.school.timetable.solving.xhstt.searching import Search
from khue.school.timetable.solving.xhstt.state import State, snapshot_of
from khue.school.timetable.solving.xhstt.writing import solutions_xml, write_whole


def solution_path(path: str | Path, out: str | Path) -> Path:
    """Return where the best solution of an instance file is kept in the folder `out`."""
    stem = Path(path).name.removesuffix(".gz").removesuffix(".xml")
    return Path(out) / f"{stem}.solution.xml"


def solve_file(
    path: str | Path, seconds: float, threads: int, seed: int, out: str | Path, stop: Callable[[], bool] | None = None
) -> dict[str, Any]:
    """Solve the instance of an XHSTT file; return the facts of the run, ready for JSON.

    Every better solution is written whole to `solution_path(path, out)`; a run that finds that file goes on
    from it. A file of several instances has its seconds shared out, and the facts of the others stand under
    "others". Where `stop` says so the run ends with the best so far.

    Raises BadFile when the file, or a solution already in `out`, cannot be read.
    """
    archive = read_archive(path)
    if not archive.instances:
        raise BadFile(f"{Path(path).name} holds no instance to solve.")
    target = solution_path(path, out)
    kept = _kept(target, archive.instances)
    share = seconds / len(archive.instances)
    reports = [
        _solve(instance, share, threads, seed, target, kept, archive.instances, stop or (lambda: False))
        for instance in archive.instances
    ]
    return reports[0] if len(reports) == 1 else {**reports[0], "others": reports[1:]}


def _kept(target: Path, instances: list[Instance]) -> dict[str, Solution]:
    """Return the best solution of each instance that an earlier run left at `target`."""
    if not target.exists():
        return {}
    by_id = {instance.id: instance for instance in instances}
    kept: dict[str, tuple[tuple[int, int], Solution]] = {}
    for solution in read_solutions(target, instances):
        found = evaluate(by_id[solution.instance], solution)
        cost = (found.hard, found.soft)
        if solution.instance not in kept or cost < kept[solution.instance][0]:
            kept[solution.instance] = (cost, solution)
    return {identifier: solution for identifier, (_, solution) in kept.items()}


def _solve(
    instance: Instance,
    seconds: float,
    threads: int,
    seed: int,
    target: Path,
    kept: dict[str, Solution],
    instances: list[Instance],
    stop: Callable[[], bool],
) -> dict[str, Any]:
    begun = time.monotonic()
    first: list[float] = []

    def better(state: State) -> None:
        if state.cost < HARD and not first:
            first.append(time.monotonic() - begun)
        kept[instance.id] = state.solution()
        _write(target, instances, kept)

    problem = compile_instance(instance)
    start = snapshot_of(problem, kept[instance.id]) if instance.id in kept else None
    search = Search(problem, seed, seconds, threads, better, stop, start=start)
    is_resumed = start is not None and search.state.cost < HARD
    search.run()
    solution = search.state.solution()
    cost = evaluate(instance, solution)
    if instance.id not in kept:
        kept[instance.id] = solution
        _write(target, instances, kept)
    placed = sum(lesson.start is not None for lesson in solution.lessons)
    return {
        "instance": instance.id,
        "status": "feasible" if cost.hard == 0 else ("infeasible" if search.is_impossible else "unknown"),
        "activities": len(solution.lessons),
        "placed": placed,
        "hard": cost.hard,
        "soft": cost.soft,
        "objective": f"{cost.hard},{cost.soft}",
        "best_possible": search.is_proved,
        "seconds_to_feasible": 0.0 if is_resumed else (round(first[0], 2) if first else None),
        "seconds": round(time.monotonic() - begun, 2),
        "windows": search.round,
        "solution": str(target),
    }


def _write(target: Path, instances: list[Instance], kept: dict[str, Solution]) -> None:
    pairs = [(instance, kept[instance.id]) for instance in instances if instance.id in kept]
    write_whole(target, solutions_xml(pairs))
