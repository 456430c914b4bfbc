"""The law in sets against the same arithmetic in bare Polars, and one learner's year explained.

    python -m benchmarks law
    python -m benchmarks.law --averages 3000000 --learners 260000
    python -m benchmarks.law --full        # a province: 31 million averages, 2.6 million classifications

Frames are made up in memory, chunk after chunk, and given to floor and rules alike; making them is not timed. A chunk
is what a commune-sized batch would be, so the memory a run needs does not grow with the province: the exponent of
growth is measured between a small run and one eight times as large, each in a process of its own.

Floor of the averages: 2n + d over 2d, floor-divided, on the columns as they are, no check of anything. Floor of the
classification: the year's averages, the counts that levels need, both terms and the year, and a level of each with
the title, without checks, adjustment clause, promotion, reasons or refusals.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import polars as pl

from benchmarks.ratios import Ratio, measure
from regulations import assessment
from regulations.assessment import SubjectResult, frames

AVERAGES = int(os.environ.get("KHUE_BENCH_AVERAGES", "2000000"))
LEARNERS = int(os.environ.get("KHUE_BENCH_LEARNERS", "100000"))
FULL = (31_000_000, 2_600_000)
CHUNK = 1_000_000
"""Rows of subject averages a chunk; learners a chunk are a twelfth."""
SUBJECTS, COMMENTS = 8, 4
TARGET, YEAR_TARGET, GROWTH_TARGET = 3.0, 0.005, 0.2
RULES = assessment.rules_for(grade=7, year=2025)


def marks(count: int, start: int) -> pl.DataFrame:
    """Return so many subjects of a term: two to four regular marks, midterm, final, in tenths."""
    rows = pl.int_range(start, start + count, eager=True)
    marks = [(rows * (7 + 6 * place) % 61 + 40).cast(pl.Int16) for place in range(6)]
    number = rows % 3 + 2
    table = pl.DataFrame({f"m{place}": mark for place, mark in enumerate(marks)}).with_columns(number=number)
    regular = pl.concat_list(
        *[pl.when(pl.col("number") > place).then(pl.col(f"m{place}")) for place in range(4)]
    ).list.drop_nulls()
    return table.select(regular=regular, midterm="m4", final="m5")


def subjects(learners: int, start: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the subjects of so many learners' year, twelve rows each, and the learners."""
    number = SUBJECTS + COMMENTS
    rows = pl.DataFrame({"row": pl.int_range(start * number, (start + learners) * number, eager=True)})
    names = pl.Series([*(f"s{place}" for place in range(SUBJECTS)), *(f"c{place}" for place in range(COMMENTS))])
    place, learner = pl.col("row") % number, pl.col("row") // number
    is_score = place < SUBJECTS

    def result(factor: int) -> pl.Expr:
        # Learners hover about a mark of their own, as learners do.
        mark = (learner * 37 % 51 + 45 + pl.col("row") * factor % 14).clip(upper_bound=100)
        passed = (pl.col("row") * factor % 97 != 0).cast(pl.Int64)
        return pl.when(is_score).then(mark).otherwise(passed).cast(pl.Int16)

    table = rows.select(
        learner=learner, subject=names.gather(rows["row"] % number),
        kind=pl.when(is_score).then(pl.lit("score")).otherwise(pl.lit("comment")), term1=result(11), term2=result(13),
    )  # fmt: skip
    conduct = pl.Series(["tot", "tot", "kha", "dat"])
    who = pl.int_range(start, start + learners, eager=True)
    years = pl.DataFrame({"learner": who, "conduct1": conduct.gather(who % 4), "conduct2": conduct.gather(who % 3), "absences": who % 50})
    return table, years


def bare_averages(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with averages and nothing checked."""
    regular = pl.col("regular")
    total = regular.list.sum().cast(pl.Int32) + 2 * pl.col("midterm").cast(pl.Int32) + 3 * pl.col("final").cast(pl.Int32)
    divisor = regular.list.len().cast(pl.Int32) + 5
    return frame.with_columns(average=(2 * total + divisor) // (2 * divisor))


def bare_years(frame: pl.DataFrame, years: pl.DataFrame) -> pl.DataFrame:
    """Return a level of each term and of the year, and the title, nothing checked."""
    is_score = pl.col("kind") == "score"
    lazy = frame.lazy().with_columns(
        year=pl.when(is_score)
        .then((2 * (pl.col("term1").cast(pl.Int32) + 2 * pl.col("term2")) + 3) // 6)
        .otherwise(pl.col("term2").cast(pl.Int32))
    )
    counted = []
    for value in ("term1", "term2", "year"):
        mark = pl.when(is_score).then(pl.col(value))
        counted += [(mark >= least).sum().alias(f"{value}{least}") for least in (80, 65, 50, 35)]
        counted.append((pl.when(~is_score).then(pl.col(value)) == 0).sum().alias(f"{value}failed"))
    counted.append((pl.when(is_score).then(pl.col("year")) >= 90).sum().alias("best"))
    counted.append(is_score.sum().alias("scores"))
    table = lazy.group_by("learner").agg(counted).join(years.lazy(), on="learner")

    def level(value: str) -> pl.Expr:
        failed, scores = pl.col(f"{value}failed"), pl.col("scores")
        return (
            pl.when((failed == 0) & (pl.col(f"{value}65") == scores) & (pl.col(f"{value}80") >= 6)).then(pl.lit("tot"))
            .when((failed == 0) & (pl.col(f"{value}50") == scores) & (pl.col(f"{value}65") >= 6)).then(pl.lit("kha"))
            .when((failed <= 1) & (pl.col(f"{value}35") == scores) & (pl.col(f"{value}50") >= 6)).then(pl.lit("dat"))
            .otherwise(pl.lit("chua_dat"))
        )  # fmt: skip

    table = table.select("learner", *(level(value).alias(value) for value in ("term1", "term2", "year")), "best", "conduct1", "conduct2")
    title = pl.when((pl.col("year") == "tot") & (pl.col("best") >= 6)).then(pl.lit("xuat_sac")).otherwise(pl.lit("khong"))
    return table.with_columns(title=title).collect().sort("learner")


def explained(number: int) -> int:
    """Return how many sentences explain the year of one learner: judged, put into a chain and into words."""
    chosen = [SubjectResult(f"s{place}", "score", 40 + (number * 7 + place * 11) % 61, 40 + (number * 5 + place * 13) % 61) for place in range(SUBJECTS)]
    chosen += [SubjectResult(f"c{place}", "comment", "dat", "dat") for place in range(COMMENTS)]
    year = RULES.year_results(subjects=chosen, conduct1="tot", conduct2="kha", absences=number % 50)
    reasons = [reason for outcome in (year.learning, year.conduct, year.award, year.promotion) for reason in outcome.because]
    return len(assessment.tell(RULES, year)) + len([assessment.explain(reason) for reason in reasons])


def summed(total: int, chunk: int, make: Callable[[int, int], Any], ours: Callable[..., Any], floor: Callable[..., Any], name: str, note: str) -> Ratio:
    """Return the ratio over all chunks of a set; ours and floor take turns at going first."""
    times: dict[str, list[float]] = {"ours": [], "floor": []}
    for turn, start in enumerate(range(0, total, chunk)):
        given = make(min(chunk, total - start), start)
        given = given if isinstance(given, tuple) else (given,)
        for which in ("floor", "ours") if turn % 2 == 0 else ("ours", "floor"):
            begun = time.perf_counter()
            (ours if which == "ours" else floor)(*given)
            times[which].append(time.perf_counter() - begun)
    each = [mine / bare for mine, bare in zip(times["ours"], times["floor"], strict=True)]
    ratio = sum(times["ours"]) / sum(times["floor"])
    return Ratio(name, ratio, min(each), max(each), sum(times["floor"]), TARGET, len(each), note)


def averages(total: int) -> Ratio:
    """Return the ratio of so many averages."""
    return summed(
        total, CHUNK, marks, lambda frame: frames.term_averages(RULES, frame), bare_averages,
        f"{total:,} subject averages", "floor: bare Polars, seconds of all chunks",
    )  # fmt: skip


def classifications(total: int) -> Ratio:
    """Return the ratio of so many learners' years."""
    return summed(
        total, CHUNK // (SUBJECTS + COMMENTS), subjects, lambda frame, years: frames.year_results(RULES, frame, years), bare_years,
        f"{total:,} classifications of a year", "floor: bare Polars, seconds of all chunks",
    )  # fmt: skip


def one_year(count: int = 300) -> Ratio:
    """Return the seconds of one learner's year explained, as a share of what it may take: 5 ms."""
    seconds = []
    for number in range(count):
        begun = time.perf_counter()
        explained(number)
        seconds.append(time.perf_counter() - begun)
    median = statistics.median(seconds)
    return Ratio(
        "one learner's year explained (share of 5 ms)", median / YEAR_TARGET, min(seconds) / YEAR_TARGET,
        statistics.quantiles(seconds, n=20)[-1] / YEAR_TARGET, YEAR_TARGET, 1.0, count, f"median {1000 * median:.2f} ms; upper end: 95 of 100",
    )  # fmt: skip


def one_year_ratio(count: int = 100) -> Ratio:
    """Return a year explained against a year judged only, one learner at a time."""
    chosen = [SubjectResult(f"s{place}", "score", 60 + place, 70 + place) for place in range(SUBJECTS)]

    def judged() -> None:
        for _ in range(count):
            RULES.year_results(subjects=chosen, conduct1="tot", conduct2="kha", absences=0)

    def told() -> None:
        for number in range(count):
            explained(number)

    return measure("a year explained, against judged only", ours=told, floor=judged, target=10.0, note="one learner at a time; for orientation")


def memory(total: int) -> int:
    """Return the most memory a process of its own needs for so many averages and their learners, in kB."""
    command = [sys.executable, "-m", "benchmarks.law", "--memory", str(total)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def memory_growth(total: int) -> Ratio:
    """Return the exponent of memory between an eighth of the set and the whole, a chunk at least."""
    small = max(CHUNK, total // 8)
    large = 8 * small
    used = memory(small), memory(large)
    exponent = math.log(used[1] / used[0]) / math.log(large / small)
    return Ratio(
        f"memory, growth {small:,} to {large:,} averages (exponent)", exponent, exponent, exponent, 0.0, GROWTH_TARGET, 1,
        f"{used[0] // 1024:,} to {used[1] // 1024:,} MB at most; floor: none",
    )  # fmt: skip


def use(total: int) -> None:
    """Go through the sets of one size and print the most memory the process had, in kB."""
    for start in range(0, total, CHUNK):
        frames.term_averages(RULES, marks(min(CHUNK, total - start), start))
    learners = CHUNK // (SUBJECTS + COMMENTS)
    for start in range(0, total // (SUBJECTS + COMMENTS), learners):
        frames.year_results(RULES, *subjects(learners, start))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def run(total: int = AVERAGES, learners: int = LEARNERS) -> Iterator[Ratio]:
    """Yield all ratios of the law."""
    yield averages(total)
    yield classifications(learners)
    yield one_year()
    yield one_year_ratio()
    yield memory_growth(total)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--averages", type=int, default=AVERAGES)
    parser.add_argument("--learners", type=int, default=LEARNERS)
    parser.add_argument("--full", action="store_true", help="31 million averages, 2.6 million classifications")
    parser.add_argument("--memory", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.memory:
        use(chosen.memory)
    else:
        for figure in run(*(FULL if chosen.full else (chosen.averages, chosen.learners))):
            print(figure, flush=True)
