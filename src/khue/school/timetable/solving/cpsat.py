"""How CP-SAT is asked here, everywhere."""

from __future__ import annotations

from ortools.sat.python import cp_model


def solver_for(*, seconds: float, effort: float, seed: int, workers: int = 1) -> cp_model.CpSolver:
    """Return a solver that ends after so many seconds or so much deterministic time, whichever comes first.

    Ctrl-C is left to the command, which ends its run with the best timetable; CP-SAT would take it for itself.
    """
    solver = cp_model.CpSolver()
    solver.parameters.catch_sigint_signal = False
    solver.parameters.max_time_in_seconds = max(0.01, seconds)
    solver.parameters.max_deterministic_time = effort
    solver.parameters.random_seed = seed % 2**31
    solver.parameters.num_workers = workers
    return solver
