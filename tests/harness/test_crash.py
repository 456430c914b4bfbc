"""The harness itself: a sound act survives it, and each kind of broken one is caught.

The act is small but real: it puts the lines of a batch into ledger chains, a chunk a transaction, and tells
its user after each commit. The broken variants are the mistakes the harness is there for.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from khue.kernel import faults, ledger
from khue.kernel.database import scope
from khue.kernel.ledger.models import Chain, Entry
from khue.kernel.permissions import system_actor

from . import crash

NOW = datetime(2025, 11, 10, 2, 0, tzinfo=UTC)
CHUNKS, LINES = 3, 4
CLERK = system_actor("test")


class Batch:
    """A batch of three chunks with four lines each; a chunk is acknowledged when it is committed."""

    name = "batch"

    def prepare(self, round: int) -> None:
        pass

    def chain(self, round: int, chunk: int) -> Chain:
        return ledger.chain_for(f"batch-{round}-{chunk}", school_id=11)

    def act(self, round: int, acknowledge: crash.Acknowledge) -> None:
        for chunk in range(CHUNKS):
            with scope.opened(everything=True):
                self.write(round, chunk)
            acknowledge(str(chunk))
            faults.hit("test.batch.after_chunk")

    def write(self, round: int, chunk: int) -> None:
        chain = self.chain(round, chunk)
        if chain.ledger_seq == LINES:
            return  # this chunk was committed before the kill
        for line in range(LINES):
            ledger.append(chain, act="test.line", body=line, actor=CLERK, at=NOW)
            faults.hit("test.batch.after_line")

    def found(self, round: int, chunk: int) -> int:
        with scope.opened(everything=True):
            return Entry.objects.filter(chain=f"batch-{round}-{chunk}:school-11").count()

    def check(self, round: int, acknowledged: list[str]) -> list[str]:
        wrong = []
        for chunk in range(CHUNKS):
            lines = self.found(round, chunk)
            if str(chunk) in acknowledged and lines == 0:
                wrong.append(f"chunk {chunk} was acknowledged and is lost")
            elif lines not in (0, LINES):
                wrong.append(f"chunk {chunk} has {lines} lines")
        return wrong

    def check_whole(self, round: int) -> list[str]:
        counts = [self.found(round, chunk) for chunk in range(CHUNKS)]
        return [] if counts == [LINES] * CHUNKS else [f"lines a chunk: {counts}"]


class SaysSavedTooEarly(Batch):
    """Broken: the user is told before the commit."""

    name = "says saved too early"

    def act(self, round: int, acknowledge: crash.Acknowledge) -> None:
        for chunk in range(CHUNKS):
            with scope.opened(everything=True):
                self.write(round, chunk)
                acknowledge(str(chunk))
                faults.hit("test.batch.after_chunk")


class CommitsEachLine(Batch):
    """Broken: a chunk is several transactions, so a kill leaves half of it."""

    name = "commits each line"

    def act(self, round: int, acknowledge: crash.Acknowledge) -> None:
        for chunk in range(CHUNKS):
            for line in range(LINES):
                with scope.opened(everything=True):
                    chain = self.chain(round, chunk)
                    if chain.ledger_seq <= line:
                        ledger.append(chain, act="test.line", body=line, actor=CLERK, at=NOW)
                faults.hit("test.batch.after_line")
            acknowledge(str(chunk))


class WritesTwice(Batch):
    """Broken: run again, it does not ask what is there already."""

    name = "writes twice"

    def write(self, round: int, chunk: int) -> None:
        chain = self.chain(round, chunk)
        for line in range(LINES):
            ledger.append(chain, act="test.line", body=line, actor=CLERK, at=NOW)
            faults.hit("test.batch.after_line")


class ForgetsWhereItWas(Batch):
    """Broken: it notes its progress outside of the work's transaction, before the work."""

    name = "forgets where it was"

    def __init__(self, folder: object) -> None:
        self.folder = folder

    def act(self, round: int, acknowledge: crash.Acknowledge) -> None:
        for chunk in range(CHUNKS):
            note = self.folder / f"{round}-{chunk}"
            if note.exists():
                continue
            note.write_text("done")
            with scope.opened(everything=True):
                self.write(round, chunk)
            acknowledge(str(chunk))


class DiesByItself(Batch):
    """Broken: run again after a kill it stops with an error."""

    name = "dies by itself"

    def write(self, round: int, chunk: int) -> None:
        if self.chain(round, chunk).ledger_seq:
            raise RuntimeError("there already")
        super().write(round, chunk)


def test_a_sound_act_survives_every_kill(fresh_database: str) -> None:
    report = crash.survives(Batch(), chances=8)
    assert report.faults == []
    assert report.points == {"test.batch.after_line", "test.batch.after_chunk"}
    assert report.killed_at["test.batch.after_line#12"] == 1
    assert report.killed_by_chance + report.ended_before_the_kill == 8


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (SaysSavedTooEarly, "was acknowledged and is lost"),
        (CommitsEachLine, "chunk 0 has 1 lines"),
        (WritesTwice, "lines a chunk: [8"),
        (ForgetsWhereItWas, "lines a chunk: [0, 4, 4]"),
        (DiesByItself, "run again it ended with 70"),
    ],
)
def test_control_each_broken_act_is_caught(
    broken: Callable[..., Batch], says: str, fresh_database: str, tmp_path: object, capfd: object
) -> None:
    flow = broken(tmp_path) if broken is ForgetsWhereItWas else broken()
    report = crash.survives(flow, chances=0)
    assert any(says in fault for fault in report.faults), report.faults


def test_control_an_act_without_a_point_or_a_kill_shows_nothing(fresh_database: str) -> None:
    class Nothing(Batch):
        name = "nothing"

        def act(self, round: int, acknowledge: crash.Acknowledge) -> None: ...

        def check_whole(self, round: int) -> list[str]:
            return []

    assert crash.survives(Nothing(), chances=0).faults == [
        "nothing: nothing was killed, so nothing was shown"
    ]


def test_a_child_that_hangs_is_killed(monkeypatch: pytest.MonkeyPatch, fresh_database: str) -> None:
    monkeypatch.setattr(crash, "PATIENCE", 0.3)
    child = crash.run(lambda acknowledge: time.sleep(60))
    assert child.status == -signal.SIGKILL


def test_what_was_said_before_the_kill_is_heard(fresh_database: str) -> None:
    def act(acknowledge: crash.Acknowledge) -> None:
        for number in range(1000):
            acknowledge(str(number))
        os.kill(os.getpid(), signal.SIGKILL)

    child = crash.run(act)
    assert child.acknowledged == [str(number) for number in range(1000)]


# --- fault points


def armed(text: str) -> tuple[faults.Armed, list[str]]:
    killed: list[str] = []
    made = faults.Armed(text, kill=lambda: killed.append("killed"))
    return made, killed


def test_a_point_kills_at_its_time_only() -> None:
    made, killed = armed("kill=a.b.c#2;kill=x.y.z")
    made.reach("a.b.c")
    made.reach("other.point")
    assert killed == []
    made.reach("a.b.c")
    assert killed == ["killed"]
    made.reach("a.b.c")
    assert killed == ["killed"]
    made.reach("x.y.z")
    assert killed == ["killed", "killed"]


def test_chance_is_repeatable() -> None:
    counts = []
    for _ in range(2):
        made, killed = armed("chance=0.1/7")
        for _ in range(1000):
            made.reach("p")
        counts.append(len(killed))
    assert counts[0] == counts[1]
    assert 60 < counts[0] < 140


@pytest.mark.parametrize("text", ["kil=a", "kill=", "kill=a#x", "chance=much", "log="])
def test_a_misspelt_order_is_refused(text: str) -> None:
    with pytest.raises(faults.FaultsMisspelt):
        faults.Armed(text)


def test_off_a_point_costs_nothing_to_speak_of() -> None:
    assert faults._armed is None
    begun = time.perf_counter()
    for _ in range(100_000):
        faults.hit("a.b.c")
    assert time.perf_counter() - begun < 0.5
