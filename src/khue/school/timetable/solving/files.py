"""Solving and checking files: what the commands do, without a terminal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from khue.school.timetable.solving import explaining, keeping, wording
from khue.school.timetable.solving.checking import check
from khue.school.timetable.solving.clashing import Clash
from khue.school.timetable.solving.engine import Best, solve
from khue.school.timetable.solving.fet import reading, solutions, writing
from khue.school.timetable.solving.fet.xml import root_of
from khue.school.timetable.solving.model import Problem, ProblemError, Solution

FET, XHSTT = "fet", "xhstt"
MOST_SENTENCES = 200


def kind_of(path: Path) -> str:
    """Return which format a file name says: "fet" or "xhstt"; raises ProblemError for another."""
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".fet"):
        return FET
    if name.endswith(".xml"):
        return XHSTT
    raise ProblemError(f"{path.name}: the name ends neither in .fet nor in .xml (with or without .gz)")


def stem_of(path: Path) -> str:
    """Return a file's name without its endings."""
    return path.name.removesuffix(".gz").rsplit(".", 1)[0]


def solve_file(
    path: Path,
    *,
    seconds: float,
    threads: int,
    seed: int,
    out: Path,
    progress: Callable[[Best], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Solve a file and return the facts of the run, ready for JSON.

    `out` gets the best timetable (NAME.best.json, from which a later run goes on), FET's activities.xml and FET's data
    with the timetable. Raises ProblemError with one sentence when the input cannot be used; nothing is written then.
    """
    if kind_of(path) == XHSTT:
        from khue.school.timetable.solving import xhstt

        return xhstt.solve_file(str(path), seconds, threads, seed, str(out), stop)
    root = root_of(path)
    problem = reading.from_root(root, path.name)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    kept = out / f"{stem_of(path)}.best.json"
    start = keeping.load(kept, problem, digest=digest)

    def better(best: Best) -> None:
        facts = {"placed": best.placed, "hard": best.violations, "cost": best.cost, "seconds": round(best.seconds, 2)}
        keeping.save(kept, best.solution, digest=digest, facts=facts)
        if progress is not None:
            progress(best)

    result = solve(problem, seconds=seconds, threads=threads, seed=seed, start=start, progress=better, stop=stop)
    best = result.best
    written = []
    if best is not None and best.placed:
        for name, data in (
            (f"{stem_of(path)}_activities.xml", writing.activities_xml(problem, best.solution)),
            (f"{stem_of(path)}_data_and_timetable.fet", writing.data_and_timetable(root, problem, best.solution)),
        ):
            keeping.write_whole(out / name, data)
            written.append(str(out / name))
    return {
        "instance": stem_of(path),
        "status": result.status,
        "placed": best.placed if best else 0,
        "activities": len(problem.activities),
        "hard": best.violations if best else None,
        "cost": best.cost if best else None,
        "first_seconds": None if result.first_seconds is None else round(result.first_seconds, 2),
        "seconds": round(result.seconds, 2),
        "resumed": start is not None,
        "not_honoured": [{"kind": n.kind, "count": n.count, "reason": n.reason} for n in problem.not_honoured],
        "reasons": [str(reason) for reason in result.reasons],
        **_clash(problem, result.clash),
        "files": written,
    }


def _clash(problem: Problem, clash: Clash | None) -> dict[str, Any]:
    """Return the demands that clash and which single ones to relax, ready for JSON; nothing without a clash."""
    if clash is None:
        return {}
    demands = [str(wording.demand_sentence(problem, demand)) for demand in clash.demands]
    relaxing = [words for words, helps in zip(demands, clash.relaxing, strict=True) if helps]
    told = [str(words) for words in explaining.clash_sentences(problem, clash)]
    return {"clash": {"demands": demands, "smallest_proved": clash.is_smallest, "relaxing": relaxing, "sentences": told}}


def read_problem(path: Path) -> Problem:
    """Return the problem in a FET file."""
    if kind_of(path) != FET:
        raise ProblemError(f"{path.name}: only .fet files hold problems of this kind")
    return reading.read(path)


def read_solution(path: Path, problem: Problem) -> Solution:
    """Return a timetable for `problem` from FET's files or from a NAME.best.json."""
    if path.suffix == ".json":
        try:
            return keeping.unpacked(json.loads(path.read_text())["timetable"], problem, path.name)
        except FileNotFoundError:
            raise ProblemError(f"{path.name}: there is no such file") from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise ProblemError(f"{path.name}: holds no timetable as this program keeps it") from None
    return solutions.read(path, problem)


def check_file(path: Path, solution: Path | None) -> dict[str, Any]:
    """Return what a timetable breaks and costs, recomputed on its own; raises ProblemError."""
    if kind_of(path) == XHSTT:
        from khue.school.timetable.solving import xhstt

        return xhstt.check_file(str(path), None if solution is None else str(solution))
    if solution is None:
        raise ProblemError(f"{path.name}: name the file of the timetable to check")
    problem = read_problem(path)
    report = check(problem, read_solution(solution, problem))
    return {
        "instance": stem_of(path),
        "feasible": report.is_feasible,
        "placed": report.placed,
        "activities": report.activities,
        "hard": report.hard,
        "cost": report.cost,
        "kinds": dict(report.kinds),
        "violations": [str(wording.sentence(problem, v)) for v in report.violations[:MOST_SENTENCES]],
        "not_honoured": [{"kind": n.kind, "count": n.count, "reason": n.reason} for n in problem.not_honoured],
    }
