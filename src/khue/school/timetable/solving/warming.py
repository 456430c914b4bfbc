"""Compiles the solver's inner loops ahead, so that nobody's first timetable waits for it: `make setup` calls it.

Quick when the machine code is there already. Without Numba installed (a core installation) there is nothing to do.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

WARMERS: tuple[tuple[str, str], ...] = (
    ("khue.school.timetable.solving.swapping", "warm"),
    ("khue.school.timetable.solving.xhstt.annealing", "warm"),
)
"""(module, function without arguments) of everything that runs its inner loops once on something tiny."""


def main() -> int:
    """Call every warmer."""
    if find_spec("numba") is not None:
        for module, function in WARMERS:
            getattr(import_module(module), function)()
        import_module("khue.school.timetable.solving.machine_code").sweep()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
