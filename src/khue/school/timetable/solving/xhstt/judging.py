"""Judges the solutions of a file by the referee; nothing of the solver is loaded for it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from khue.school.timetable.solving.xhstt.evaluating import Evaluation, evaluate
from khue.school.timetable.solving.xhstt.model import BadFile, Instance, Solution
from khue.school.timetable.solving.xhstt.reading import read_archive, read_solutions


def check_file(path: str | Path, solution_path: str | Path | None = None) -> dict[str, Any]:
    """Judge the solutions stored in an archive, or those of a second file, by the referee alone.

    Returns {"instance", "solutions": [{"group", "hard", "soft", "objective", "reported", "agrees",
    "violations"}]}; `reported` is the cost the file itself gives ("hard,soft") or None, `agrees` whether it is
    ours, `violations` names, for each constraint that costs something, its points. With a second file "feasible" says whether
    none of its solutions breaks anything required.

    Raises BadFile when a file cannot be read or holds no solution.
    """
    archive = read_archive(path)
    by_id = {instance.id: instance for instance in archive.instances}
    solutions = archive.solutions
    if solution_path is not None:
        solutions = read_solutions(solution_path, archive.instances)
    if not solutions:
        raise BadFile(f"{Path(solution_path or path).name} holds no solution to check.")
    judged = [_judged(by_id[solution.instance], solution) for solution in solutions]
    told: dict[str, Any] = {"instance": ", ".join(by_id), "solutions": judged}
    if solution_path is not None:
        told["feasible"] = all(not its["hard"] for its in judged)
    return told


def _judged(instance: Instance, solution: Solution) -> dict[str, Any]:
    cost = evaluate(instance, solution)
    reported = solution.reported
    return {
        "instance": instance.id,
        "group": solution.group,
        "status": "feasible" if cost.hard == 0 else "infeasible",
        "hard": cost.hard,
        "soft": cost.soft,
        "objective": f"{cost.hard},{cost.soft}",
        "reported": None if reported is None else f"{reported[0]},{reported[1]}",
        "agrees": None if reported is None else reported == (cost.hard, cost.soft),
        "violations": _by_constraint(cost),
    }


def _by_constraint(cost: Evaluation) -> list[dict[str, Any]]:
    """Return, dearest first, what each constraint costs and at how many points, with the first three."""
    total: Counter[tuple[bool, str, str]] = Counter()
    points: dict[tuple[bool, str, str], list[str]] = {}
    for violation in cost.violations:
        key = (violation.is_hard, violation.kind, violation.constraint)
        total[key] += violation.cost
        points.setdefault(key, []).append(violation.point)
    ordered = sorted(total.items(), key=lambda item: (not item[0][0], -item[1], item[0]))
    return [
        {
            "constraint": key[2],
            "kind": key[1],
            "hard": key[0],
            "cost": cost_,
            "points": len(points[key]),
            "first": points[key][:3],
        }
        for key, cost_ in ordered
    ]
