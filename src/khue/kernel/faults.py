"""Fault points: places of a multi-step act where a test may kill the process.

    faults.hit("gradebook.import.after_copy")

In production a point is one comparison with None. The variable KHUE_FAULTS arms a process, before it starts:

    kill=gradebook.import.after_copy        killed (SIGKILL, as by a power cut) at this point
    kill=gradebook.import.after_copy#3      at the third time it is reached
    chance=0.02/7                           killed at any point with this probability; 7 is the seed
    log=/path/to/points                     the name of each point reached is added to this file

Several are separated by semicolons. A name of a point is `app.act.after_step` and is used once.
"""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Callable

VARIABLE = "KHUE_FAULTS"


class FaultsMisspelt(ValueError):
    """KHUE_FAULTS cannot be read; a harness that arms nothing would prove nothing."""


class Armed:
    """What one process was told to do at its fault points."""

    def __init__(self, text: str, *, kill: Callable[[], None] | None = None) -> None:
        """Read the variable's text. Raises FaultsMisspelt."""
        self._kill = kill or _kill
        self._points: dict[str, int] = {}
        self._chance, self._random = 0.0, random.Random(0)  # noqa: S311  reproducible, not secret
        self._log: str | None = None
        self._reached: Counter[str] = Counter()
        for part in filter(None, text.split(";")):
            self._read(part)

    def _read(self, part: str) -> None:
        word, _, value = part.partition("=")
        try:
            if word == "kill" and value:
                point, _, times = value.partition("#")
                self._points[point] = int(times or 1)
            elif word == "chance":
                rate, _, seed = value.partition("/")
                self._chance = float(rate)
                self._random = random.Random(int(seed or 0))  # noqa: S311
            elif word == "log" and value:
                self._log = value
            else:
                raise FaultsMisspelt(part)
        except ValueError as error:
            raise FaultsMisspelt(part) from error

    def reach(self, point: str) -> None:
        """Note the point, then do what was asked for it."""
        self._reached[point] += 1
        if self._log is not None:
            with open(self._log, "a", encoding="utf-8") as log:
                log.write(point + "\n")
        if self._points.get(point) == self._reached[point]:
            self._kill()
        if self._chance and self._random.random() < self._chance:
            self._kill()


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


_armed = Armed(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None


def hit(point: str) -> None:
    """Say that the process is at this point; what happens then is decided by KHUE_FAULTS."""
    if _armed is not None:
        _armed.reach(point)
