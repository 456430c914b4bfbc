"""`khue timetable`: solve and check timetabling files. Needs no database."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import click

from khue.school.timetable.solving.engine import Best
from khue.school.timetable.solving.model import ProblemError


def _finite(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    """Refuse what is no number of seconds, which a range lets through."""
    if not math.isfinite(value):
        raise click.BadParameter(f"{value} is no number of seconds.")
    return value


@click.group()
def group() -> None:
    """Timetables: solve and check files of FET and XHSTT."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy would start threads for matrices, which nobody multiplies here


@group.command("solve")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--seconds", default=60.0, show_default=True, type=click.FloatRange(min=0, min_open=True), callback=_finite, help="time to use"
)
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1, 64))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@click.option("--out", default=Path("."), type=click.Path(path_type=Path, file_okay=False), help="folder for the timetables")
@click.option("--json", "only_json", is_flag=True, help="only the line of JSON, no progress")
def solve_command(file: Path, seconds: float, threads: int, seed: int, out: Path, only_json: bool) -> None:
    """Place everything in FILE (.fet, .xml, packed or not) and go on improving; print one line of JSON.

    The best timetable so far is in the folder of --out at any time; a run that finds it there goes on from it. Ctrl-C
    ends the run and keeps the best.
    """
    from khue.school.timetable.solving.files import solve_file

    def say(best: Best) -> None:
        click.echo(
            f"{best.seconds:8.1f} s  {best.placed}/{best.activities} placed  {best.violations} broken  cost {best.cost:g}", err=True
        )

    with _Interrupted() as interrupted:
        facts = _said(
            lambda: solve_file(
                file, seconds=seconds, threads=threads, seed=seed, out=out, progress=None if only_json else say, stop=interrupted.is_set
            )
        )
    if not only_json:
        for line in facts.get("clash", {}).get("sentences", ()):
            click.echo(line, err=True)
    click.echo(json.dumps(facts, ensure_ascii=False))


@group.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("solution", type=click.Path(path_type=Path), required=False)
@click.option("--json", "only_json", is_flag=True, help="only the line of JSON, no sentences")
def check_command(file: Path, solution: Path | None, only_json: bool) -> None:
    """Recompute what SOLUTION breaks and costs in FILE; print one line of JSON; exit 1 when it is not feasible.

    SOLUTION is FET's activities.xml or data-and-timetable file, or a NAME.best.json. For XHSTT it may be left out: then
    the solutions stored in FILE are checked.
    """
    from khue.school.timetable.solving.files import check_file

    facts = _said(lambda: check_file(file, solution))
    if not only_json:
        for line in facts.get("violations", []):
            click.echo(line, err=True)
    click.echo(json.dumps(facts, ensure_ascii=False))
    if facts.get("feasible") is False:
        raise SystemExit(1)


def _said(work: Any) -> dict[str, Any]:
    """Do the work; what cannot be used is said in one sentence, exit 2."""
    try:
        return work()
    except OSError as error:
        told = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else f"The timetable cannot be kept: {error}"
        click.echo(told, err=True)
        raise SystemExit(2) from None
    except (ProblemError, ValueError) as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from None


class _Interrupted:
    """Turns the first Ctrl-C into a request to stop; a second one ends at once."""

    def __init__(self) -> None:
        self._asked = False

    def is_set(self) -> bool:
        """Return whether somebody asked to stop."""
        return self._asked

    def __enter__(self) -> _Interrupted:
        import signal

        def ask(_number: int, _frame: object) -> None:
            if self._asked:
                raise KeyboardInterrupt
            self._asked = True

        self._before = [(s, signal.signal(s, ask)) for s in (signal.SIGINT, signal.SIGTERM)]
        return self

    def __exit__(self, *_: object) -> None:
        import signal

        for number, handler in self._before:
            signal.signal(number, handler)
