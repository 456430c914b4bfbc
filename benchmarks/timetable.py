"""The timetable solver beside FET, on generated ordinary schools, and on XHSTT: `make bench-timetable`.

    python -m benchmarks.timetable --seconds 60 --data ../shared/data/timetabling --only schools --match "Viet*"

FET (Debian packages fet and fet-data) gets the same instance and the same wall seconds (`--fet-seconds` gives it others),
one after the other; FET has one thread, ours as many as `--threads` says (one); both costs are recomputed by
`checking.check`. Shared instances are read where they lie and never copied into the tree; without them the generated schools are still measured, FET on them too. Seconds are wall seconds and mean
little on a busy machine, so each run's seconds of CPU stand beside them.
"""

from __future__ import annotations

import argparse
import csv
import fnmatch
import gzip
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from khue.school.timetable.solving import engine, ordinary
from khue.school.timetable.solving import model as m
from khue.school.timetable.solving.checking import check
from khue.school.timetable.solving.fet import reading, solutions, writing
from khue.school.timetable.solving.files import stem_of
from khue.school.timetable.solving.model import Problem, ProblemError

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "timetabling"
SIZES = (20, 40, 60)
CODES = {"Toán học": "toan", "Ngữ văn": "ngu_van", "Giáo dục thể chất": "giao_duc_the_chat", "Tin học": "tin_hoc"}
FEASIBLE_IN, TEACHER_GAPS, MEMORY = 5.0, 0.5, 2048
SEEDS = ("--randomseeds10=7", "--randomseeds11=7", "--randomseeds12=7", "--randomseeds20=7", "--randomseeds21=7", "--randomseeds22=7")


@dataclass
class Run:
    """One run. seconds: to the first feasible timetable, None without one; used: wall, cpu: seconds of CPU; memory: MiB."""

    status: str
    placed: int = 0
    hard: int = 0
    cost: float | None = None
    seconds: float | None = None
    used: float = 0.0
    cpu: float = 0.0
    memory: int = 0
    gaps: float | None = None
    class_gaps: int = 0
    first_cpu: float | None = None

    @property
    def is_feasible(self) -> bool:
        """Return whether everything is placed and nothing hard is broken."""
        return self.status == "feasible"


# --- one run, in a process of its own -----------------------------------------------------------------------------


def problem_named(name: str) -> Problem:
    """Return a problem: "classes:sessions:seed" of an ordinary school, "NAME.csv" of an assignment, or a FET file."""
    if name.endswith(".csv"):
        return assignment(Path(name))
    if name.endswith((".fet", ".gz")):
        return reading.read(Path(name))
    classes, sessions, seed = map(int, name.split(":"))
    return ordinary.school(classes, sessions=sessions, seed=seed)


def assignment(path: Path) -> Problem:
    """Return the problem of a teaching assignment (teacher, subject, class, periods_per_week), in mornings and short afternoons."""
    with path.open(encoding="utf-8-sig") as file:
        load: Counter[tuple[str, str, str]] = Counter()  # a class may stand twice in a teacher's line
        for row in csv.DictReader(file):
            load[row["teacher"], CODES.get(row["subject"], row["subject"]), row["class"]] += int(row["periods_per_week"])
    lines = [(*line, count) for line, count in load.items()]
    heads: dict[str, str] = {}
    for teacher, _subject, group, _count in sorted(lines, key=lambda line: -line[3]):
        if group not in heads and teacher not in heads.values():
            heads[group] = teacher
    return ordinary.problem_of(path.stem, lines, heads, sessions=2, rng=random.Random(0))


def one(name: str, seconds: float, seed: int, threads: int) -> Run:
    """Solve in this process and say how it went."""
    problem = problem_named(name)
    first: list[float] = []

    def note(best: engine.Best) -> None:
        if not first and best.placed == best.activities and not best.violations:
            first.append(time.process_time() - began)

    began, wall = time.process_time(), time.monotonic()
    result = engine.solve(problem, seconds=seconds, seed=seed, threads=threads, progress=note)
    best = result.best
    gaps = [ordinary.gaps(problem, best.solution, kind) for kind in ("teachers", "groups")] if best else [(0, 1), (0, 1)]
    return Run(
        result.status, best.placed if best else 0, best.violations if best else 0, round(best.cost, 2) if best else None, result.first_seconds,
        time.monotonic() - wall, time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        round(gaps[0][0] / max(1, gaps[0][1]), 2), gaps[1][0], first[0] if first else None,
    )  # fmt: skip


def ours(name: str, seconds: float, seed: int, threads: int) -> Run:
    """Solve in a child process."""
    command = [sys.executable, "-m", "benchmarks.timetable", "--one", name, "--seconds", str(seconds), "--seed", str(seed), "--threads", str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=seconds * 3 + 120)
    if done.returncode:
        return Run(f"error: {(done.stderr.strip().splitlines() or ['?'])[-1][:60]}")
    return Run(**json.loads(done.stdout))


def for_fet(problem: Problem) -> tuple[Problem, dict[str, str]]:
    """Return an easier problem in words FET has, and its numbers of activities with our keys.

    FET takes bounds on people's weeks only as hard ones, so what is soft among them is left out; so are bounds of one
    subject a day. The spread of a subject is FET's least days between its activities.
    """
    number = {activity.key: str(n + 1) for n, activity in enumerate(problem.activities)}
    kept: list[m.Constraint] = []
    for k in problem.constraints:
        if isinstance(k, m.MaxADay):
            kept.append(m.MinDaysBetween(activities=tuple(number[key] for key in k.activities), least=1, weight=k.weight))
        elif isinstance(k, m.OfActivities):
            kept.append(replace(k, activities=tuple(number[key] for key in k.activities)))
        elif not isinstance(k, m.OfPeople) or (k.is_hard and not getattr(k, "subject", None)):
            kept.append(k)
    activities = tuple(replace(one, key=number[one.key], lesson=number[one.lesson]) for one in problem.activities)
    return replace(problem, activities=activities, constraints=tuple(kept)), {its: key for key, its in number.items()}


def peer(path: Path, seconds: float, problem: Problem, names: dict[str, str] | None = None, read_as: Problem | None = None) -> Run:
    """Run fet-cl on a file and recompute what it found. names, read_as: of an easier problem the file holds."""
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "instance.fet"
        file.write_bytes(gzip.decompress(path.read_bytes()) if path.name.endswith(".gz") else path.read_bytes())
        writes = [f"--writetimetables{part}=false" for part in (
            "statistics", "daysvertical", "dayshorizontal", "timevertical", "timehorizontal", "subgroups", "groups", "years", "teachers",
            "teachersfreeperiods", "rooms", "subjects", "activitytags",
        )]  # fmt: skip
        subprocess.run(
            [fet_command(), f"--inputfile={file}", f"--outputdir={folder}/out", f"--timelimitseconds={max(1, round(seconds))}", "--htmllevel=0", *SEEDS, *writes],
            capture_output=True, check=False, timeout=seconds * 3 + 120,
        )  # fmt: skip
        after, used = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - wall
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        whole = (file for file in Path(folder).glob("out/timetables/*/*_data_and_timetable.fet") if not file.parent.name.endswith(("-highest", "-current")))
        found = next(whole, None)
        if found is None:
            refused = not list(Path(folder).glob("out/timetables/*")) and used < seconds
            return Run("refused" if refused else "unknown", used=used, cpu=cpu)
        solution = dict(solutions.read(found, read_as or problem))
        if names:
            solution = {names[key]: at for key, at in solution.items()}
        report = check(problem, solution)
    gaps = ordinary.gaps(problem, solution, "teachers")
    return Run(
        "feasible" if report.is_feasible else "unknown", report.placed, report.hard, round(report.cost, 2), used, used, cpu,
        gaps=round(gaps[0] / max(1, gaps[1]), 2), class_gaps=ordinary.gaps(problem, solution, "groups")[0], first_cpu=cpu,
    )  # fmt: skip


def fet_command() -> str:
    """Return where fet-cl is."""
    return shutil.which("fet-cl") or ""


def install_fet() -> str:
    """Install FET where that is allowed; return a sentence for the reader where it is not there, else an empty one."""
    if not fet_command() and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "install", "--yes", "--quiet", "fet", "fet-data"], capture_output=True, check=False)
    return "" if fet_command() else "FET is not installed: apt-get install fet fet-data, and run this again."


# --- the three tables ---------------------------------------------------------------------------------------------


def shown(value: float | None, digits: int = 1) -> str:
    """Return a number for a table, a dash for none."""
    return "-" if value is None else f"{value:.{digits}f}"


def on_fet_files(data: Path, seconds: float, seed: int, match: str, fet_seconds: float, threads: int) -> Iterator[str]:
    """Yield the table of the FET instances and how many targets are met."""
    files = sorted(path for path in (data / "fet").glob("*.fet*") if fnmatch.fnmatch(path.name, match))
    if not files:
        yield f"no FET instances in {data / 'fet'}"
        return
    yield f"{'instance':<52}{'act.':>6} | {'FET':<9}{'s':>7}{'cpu':>7}{'cost':>9} | {'ours':<9}{'s':>7}{'cpu':>7}{'placed':>7}{'hard':>6}{'cost':>9}{'MiB':>6}"
    rows = []
    for path in files:
        try:
            problem = reading.read(path)
        except ProblemError as error:
            yield f"{stem_of(path)[-52:]:<52} {error}"
            continue
        theirs = peer(path, fet_seconds, problem) if fet_command() else Run("absent")
        mine = ours(str(path), seconds, seed, threads)
        rows.append((theirs, mine))
        yield (
            f"{stem_of(path)[-52:]:<52}{len(problem.activities):>6} | {theirs.status:<9}{shown(theirs.seconds):>7}{shown(theirs.first_cpu):>7}{shown(theirs.cost, 2):>9}"
            f" | {mine.status:<9}{shown(mine.seconds):>7}{shown(mine.first_cpu):>7}{mine.placed:>7}{mine.hard:>6}{shown(mine.cost, 2):>9}{mine.memory:>6}"
        )
    solved = [(a, b) for a, b in rows if a.is_feasible]
    both = [(a, b) for a, b in solved if b.is_feasible]
    quick = sum((b.first_cpu or 0) <= 3 * max(a.first_cpu or 0, 1.0) for a, b in both)
    cheaper = sum((b.cost or 0) < (a.cost or 0) or (not a.cost and not b.cost) for a, b in both)
    yield f"of {len(solved)} FET solves, ours {len(both)}; in at most 3x its CPU time (at least 3 s) {quick}; lower soft cost (or both 0) {cheaper} of {len(both)} (target 60 %)"
    yield f"solved by ours and not by FET: {sum(b.is_feasible and not a.is_feasible for a, b in rows)} of {len(rows)}"


def on_schools(data: Path, seconds: float, seed: int, match: str, fet_seconds: float, threads: int) -> Iterator[str]:
    """Yield the table of generated schools and the grade-10 assignment."""
    names = [f"{size}:{sessions}:{seed}" for sessions in (1, 2) for size in SIZES]
    names += sorted(str(path) for path in (data / "vn-teaching-assignment").glob("*.csv"))
    yield f"{'school':<30}{'act.':>6}{'teach.':>7} | {'FET':<9}{'s':>7}{'hard':>6}{'cost':>9}{'gaps':>6} | {'ours':<9}{'s':>6}{'cpu':>6}{'cost':>8}{'class gaps':>11}{'gaps/teacher':>13}{'MiB':>6}"
    first: dict[str, float] = {}
    missed: list[str] = []
    for name in names:
        if not fnmatch.fnmatch(Path(name).name, match):
            continue
        problem = problem_named(name)
        theirs = Run("absent")
        if fet_command():
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "school.fet"
                easier, names_of = for_fet(problem)
                file.write_bytes(writing.data(easier)[0])
                theirs = peer(file, fet_seconds, problem, names_of, easier)
        mine = ours(name, seconds, seed, threads)
        if mine.first_cpu is not None:
            first[name] = mine.first_cpu
        yield (
            f"{problem.name[:29]:<30}{len(problem.activities):>6}{len(problem.teachers):>7} | {theirs.status:<9}{shown(theirs.seconds):>7}{theirs.hard:>6}{shown(theirs.cost):>9}{shown(theirs.gaps, 2):>6}"
            f" | {mine.status:<9}{shown(mine.seconds):>6}{shown(mine.first_cpu):>6}{shown(mine.cost):>8}{mine.class_gaps:>11}{shown(mine.gaps, 2):>13}{mine.memory:>6}"
        )
        for is_bad, what in (
            (mine.seconds is None or mine.seconds > FEASIBLE_IN, "feasible in 5 s"), (mine.class_gaps > 0, "class gaps zero"),
            ((mine.gaps or 0) > TEACHER_GAPS, "teacher gaps <= 0.5"), (mine.memory > MEMORY, "memory <= 2 GB"),
        ):  # fmt: skip
            if is_bad:
                missed.append(f"{problem.name}: {what}")
    for sessions in (1, 2):
        times = [first[name] for size in SIZES if (name := f"{size}:{sessions}:{seed}") in first]
        if len(times) == len(SIZES):
            yield f"CPU seconds to feasible at 20, 40, 60 classes, {sessions} sessions: {', '.join(shown(t, 2) for t in times)} (growth 20 to 60: {times[-1] / times[0]:.1f}x)"
    yield f"targets missed: {'; '.join(missed) or 'none'}"


def on_xhstt(data: Path, seconds: float, seed: int, match: str, _fet_seconds: float, threads: int) -> Iterator[str]:
    """Yield the table of XHSTT instances: our objective beside the best stored."""
    from khue.school.timetable.solving import xhstt

    index = data / "xhstt" / "index.csv"
    if not index.exists():
        yield f"no XHSTT instances in {data / 'xhstt'}"
        return
    yield f"{'instance':<24}{'best stored':>14}{'ours':>14}{'s':>8}"
    reached = feasible = possible = count = 0
    with index.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if fnmatch.fnmatch(row["file"], match)]
    for row in rows:
        with tempfile.TemporaryDirectory() as folder:
            facts: dict[str, Any] = xhstt.solve_file(data / "xhstt" / row["file"], seconds, threads, seed, folder)
        stored = (int(row["best_stored_infeasibility"]), int(row["best_stored_objective"]))
        mine = (int(facts["hard"]), int(facts["soft"]))
        count += 1
        reached += mine <= stored
        possible += stored[0] == 0
        feasible += stored[0] == 0 and mine[0] == 0
        yield f"{row['file'].split('.')[0]:<24}{'{},{}'.format(*stored):>14}{'{},{}'.format(*mine):>14}{facts['seconds']:>8.1f}"
    yield f"at or below the best stored on {reached} of {count}; feasible on {feasible} of {possible} whose best is"


PARTS = {"schools": on_schools, "fet": on_fet_files, "xhstt": on_xhstt}


def main() -> int:
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with fet/, xhstt/ and vn-teaching-assignment/")
    parser.add_argument("--seconds", type=float, default=60.0, help="wall seconds for each instance and program")
    parser.add_argument("--fet-seconds", type=float, help="wall seconds for FET, where it should have others")
    parser.add_argument("--threads", type=int, default=1, help="threads for ours")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=[*PARTS], action="append", help="only this table; may be repeated")
    parser.add_argument("--match", default="*", help="only instances whose name fits")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as `khue timetable` does
        print(json.dumps(asdict(one(asked.one, asked.seconds, asked.seed, asked.threads))))
        return 0
    absent = install_fet()
    if absent:
        print(absent)
    for name in asked.only or PARTS:
        print(f"== {name}, {asked.seconds:g} s each", flush=True)
        for line in PARTS[name](asked.data, asked.seconds, asked.seed, asked.match, asked.fet_seconds or asked.seconds, asked.threads):
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
