"""The engine: places everything, then keeps improving; streams each better timetable.

Repeatable: the search is cut by rounds and by CP-SAT's deterministic time; the clock only says when to end. So the same
problem, seed and threads walk through the same timetables, and a longer run goes on where a shorter one ended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from khue.school.timetable.solving.clashing import Clash
from khue.school.timetable.solving.model import Problem, Solution


@dataclass(frozen=True, slots=True)
class Best:
    """The best timetable so far.

    placed      activities placed, of `activities`
    violations  units by which hard constraints are broken (0: feasible once all are placed)
    cost        soft cost: the sum over broken soft constraints of weight/100 times units
    seconds     since the start of the run
    phase       "placing" or "improving"
    """

    solution: Solution
    placed: int
    activities: int
    violations: int
    cost: float
    seconds: float
    phase: str = "improving"


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to.

    status         "feasible", "infeasible" (proved) or "unknown" (time was up)
    best           the best timetable, maybe of only a part of the activities; None when nothing could be placed
    first_seconds  seconds to the first feasible timetable, None without one
    reasons        when infeasible: sentences that say why
    clash          when infeasible and asked for: the smallest set of demands that clash
    """

    status: str
    best: Best | None
    first_seconds: float | None
    seconds: float
    reasons: tuple[str, ...] = ()
    counters: dict[str, int] = field(default_factory=dict)
    clash: Clash | None = None


Progress = Callable[[Best], None]
Stop = Callable[[], bool]


def solve(
    problem: Problem,
    *,
    seconds: float,
    threads: int = 1,
    seed: int = 0,
    start: Solution | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
    explain: bool = True,
) -> Result:
    """Place all activities of `problem`, then lower the soft cost until `seconds` are over or `stop()` is true.

    start      a timetable to go on from, whole or in part (of an interrupted run, or last week's)
    progress   called with each better timetable, from this thread
    explain    when there is no timetable, look for the demands that clash in the time that is left
    """
    from khue.school.timetable.solving import running

    return running.run(
        problem, seconds=seconds, threads=threads, seed=seed, start=start or {}, progress=progress, stop=stop or (lambda: False),
        explain=explain,
    )  # fmt: skip
