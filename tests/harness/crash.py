"""The crash harness: kill an act at each of its fault points and at random, then ask what is true.

A flow is an act that can be killed: an import, a closing, a signing. The harness forks a child that runs it
(a fork, because starting Django anew for each kill would cost seconds), kills the child with SIGKILL as a
power cut would, and lets the flow say in sentences what is wrong with what it finds:

- what was acknowledged is there, once;
- what was not is there whole or not at all;
- after the same act is run again to its end, everything is there once.

    class Import:
        name = "import of marks"
        def prepare(self, round: int) -> None: ...               make the input of one round
        def act(self, round: int, acknowledge) -> None: ...      the act; acknowledge(what) where a user is told
        def check(self, round: int, acknowledged) -> list[str]:  after the kill
        def check_whole(self, round: int) -> list[str]:          after the act was run again

    report = crash.survives(Import(), chances=10)
    assert report.faults == []
    assert "gradebook.import.after_copy" in report.killed_at

The database is one of the test's own (`fresh_database`): the children commit.
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from django.db import connections

from khue.kernel import faults

Acknowledge = Callable[[str], None]
MOST_TIMES = 3
"""A point that is reached often is killed at its first, second and last time."""
PATIENCE = 120.0


class Flow(Protocol):
    """An act that can be killed; see the module's docstring."""

    name: str

    def prepare(self, round: int) -> None:
        """Make what the act of this round works on; not killed."""

    def act(self, round: int, acknowledge: Acknowledge) -> None:
        """Do it, as worker or request would; runs in a child and must be safe to run again."""

    def check(self, round: int, acknowledged: list[str]) -> list[str]:
        """Say what is wrong after a kill, given what was acknowledged before it."""

    def check_whole(self, round: int) -> list[str]:
        """Say what is wrong after the act was run again to its end."""


@dataclass
class Report:
    """What the harness did and found."""

    faults: list[str] = field(default_factory=list)
    killed_at: Counter[str] = field(default_factory=Counter)
    killed_by_chance: int = 0
    ended_before_the_kill: int = 0
    rounds: int = 0

    @property
    def points(self) -> set[str]:
        """Return the names of the points the act was killed at."""
        return {name.split("#")[0] for name in self.killed_at}


@dataclass
class Child:
    """One forked run of the act: how it ended and what it acknowledged before."""

    pid: int
    reading: int
    status: int | None = None
    acknowledged: list[str] = field(default_factory=list)
    _rest: bytes = b""

    @property
    def was_killed(self) -> bool:
        """Return whether it died by SIGKILL rather than by itself."""
        return self.status == -signal.SIGKILL

    def wait(self, *, kill_after: float | None = None) -> None:
        """Wait for the end; kill the child after so many seconds, and always after PATIENCE."""
        begun = time.monotonic()
        while True:
            limit = PATIENCE if kill_after is None else kill_after
            left = begun + limit - time.monotonic()
            if left <= 0:
                os.kill(self.pid, signal.SIGKILL)
                kill_after = kill_after if kill_after is not None else 0.0
                left = PATIENCE
            if not self._read(left):
                break
        _, status = os.waitpid(self.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        os.close(self.reading)

    def _read(self, timeout: float) -> bool:
        """Read acknowledgements for at most `timeout` seconds; False when the child has closed its end."""
        ready, _, _ = select.select([self.reading], [], [], timeout)
        if not ready:
            return True
        data = os.read(self.reading, 65536)
        *whole, self._rest = (self._rest + data).split(b"\n")
        self.acknowledged += [line.decode() for line in whole]
        return bool(data)


def start(act: Callable[[Acknowledge], None], *, armed: str = "") -> Child:
    """Fork a child that runs `act` with KHUE_FAULTS set to `armed`; it has its own database connection."""
    connections.close_all()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return Child(pid, reading)
    try:
        os.close(reading)
        faults._armed = faults.Armed(armed) if armed else None
        # What was said before the kill must have left the process: one write a line, no buffer.
        act(lambda what: os.write(writing, what.encode() + b"\n") and None)
        connections.close_all()
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(70)
    os._exit(0)


def run(act: Callable[[Acknowledge], None], *, armed: str = "", kill_after: float | None = None) -> Child:
    """Run `act` in a child to its end or its kill."""
    child = start(act, armed=armed)
    child.wait(kill_after=kill_after)
    return child


def survives(
    flow: Flow, *, chances: int = 10, seed: int = 1, only: set[str] | None = None, times: int = MOST_TIMES
) -> Report:
    """Kill the flow at every point it reaches and `chances` times at random, and report what was wrong.

    only   limit the points; for a flow that goes through points of parts tested elsewhere
    times  how often to kill at a point reached more than once: 1 for the last time, 2 for the first and the last;
           for a flow whose rounds are dear

    The first round runs unharmed: it shows that the act works, which points it reaches and how long it takes.
    """
    report = Report()
    reached, seconds = _first_round(flow, report, only)
    for point, time_number in _targets(reached, times):
        _round(flow, report, armed=f"kill={point}#{time_number}", point=f"{point}#{time_number}")
    chance = random.Random(seed)
    for _ in range(chances):
        _round(flow, report, kill_after=chance.uniform(0, seconds * 1.1))
    if not report.killed_at and not report.killed_by_chance:
        report.faults.append(f"{flow.name}: nothing was killed, so nothing was shown")
    return report


def _first_round(flow: Flow, report: Report, only: set[str] | None) -> tuple[list[str], float]:
    with _log() as log:
        flow.prepare(0)
        begun = time.monotonic()
        child = run(lambda acknowledge: flow.act(0, acknowledge), armed=f"log={log}")
        seconds = time.monotonic() - begun
        reached = log.read_text().split() if log.exists() else []
    report.rounds = 1
    if child.status != 0:
        report.faults.append(f"{flow.name}: unharmed it ended with {child.status}")
    _note(report, flow, "unharmed", flow.check(0, child.acknowledged) + flow.check_whole(0))
    return [point for point in reached if only is None or point in only], seconds


@contextlib.contextmanager
def _log() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "points"


def _targets(reached: list[str], most: int) -> Iterator[tuple[str, int]]:
    """Yield each point with the times at which to kill: the first ones and the last, `most` in all."""
    for point, times in Counter(reached).items():
        for number in sorted({*range(1, min(times, most)), times}):
            yield point, number


def _round(
    flow: Flow, report: Report, *, armed: str = "", point: str = "", kill_after: float | None = None
) -> None:
    """One round: prepare, kill, check, run again, check that it is whole."""
    number, report.rounds = report.rounds, report.rounds + 1
    place = point or f"by chance after {kill_after:.3f} s"
    flow.prepare(number)
    child = run(lambda acknowledge: flow.act(number, acknowledge), armed=armed, kill_after=kill_after)
    if child.was_killed and point:
        report.killed_at[point] += 1
    elif child.was_killed:
        report.killed_by_chance += 1
    elif point:
        report.faults.append(f"{flow.name}: {point} was reached in the first round and not in round {number}")
    elif child.status == 0:
        report.ended_before_the_kill += 1
    else:
        report.faults.append(f"{flow.name}, {place}: ended with {child.status}")
    _note(report, flow, place, flow.check(number, child.acknowledged))
    again = run(lambda acknowledge: flow.act(number, acknowledge))
    if again.status != 0:
        report.faults.append(f"{flow.name}, {place}: run again it ended with {again.status}")
    told = list(dict.fromkeys(child.acknowledged + again.acknowledged))
    _note(report, flow, f"{place}, run again", flow.check(number, told) + flow.check_whole(number))


def _note(report: Report, flow: Flow, place: str, wrong: list[str]) -> None:
    report.faults += [f"{flow.name}, {place}: {sentence}" for sentence in wrong]
