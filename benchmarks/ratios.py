"""Measuring ours against a floor, interleaved, and saying how sure the figure is.

    ratio = measure("import of 50,000 learners, CSV", ours=…, floor=…, target=2.0)
    print(ratio)

A ratio is ours ÷ floor of one round; the median of the rounds is given with the smallest and largest. Absolute
times prove nothing on a shared machine.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = int(os.environ.get("KHUE_BENCH_ROUNDS", "5"))


@dataclass(frozen=True, slots=True)
class Ratio:
    """One figure: the median of ours ÷ floor over rounds, its spread, the median of the floor in seconds.

    at_least  the target is a smallest value (rates), not a largest one (times)
    """

    name: str
    ratio: float
    low: float
    high: float
    floor: float
    target: float
    rounds: int
    note: str = ""
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Return whether the median meets the target."""
        return self.ratio >= self.target if self.at_least else self.ratio <= self.target

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        verdict = "met" if self.is_met else "MISSED"
        note = f"  ({self.note})" if self.note else ""
        return (
            f"{self.name:<58} {self.ratio:6.2f}  [{self.low:.2f}–{self.high:.2f}]  floor {self.floor:8.3f} s"
            f"  target {sign} {self.target:g}  {verdict}{note}"
        )


def measure(
    name: str, *, ours: Callable[[], object], floor: Callable[[], object], target: float, rounds: int = ROUNDS,
    before: Callable[[], object] | None = None, note: str = "", at_least: bool = False, inverse: bool = False,
) -> Ratio:  # fmt: skip
    """Run floor and ours in turn, `before` each of them unmeasured, and return the ratio of their times.

    inverse  give floor ÷ ours: the share of the floor's rate that ours reaches
    """
    floors, ratios = [], []
    for turn in range(rounds):
        pair = {}
        for which in ("floor", "ours") if turn % 2 == 0 else ("ours", "floor"):
            if before is not None:
                before()
            start = time.perf_counter()
            (floor if which == "floor" else ours)()
            pair[which] = time.perf_counter() - start
        floors.append(pair["floor"])
        ratios.append(pair["floor"] / pair["ours"] if inverse else pair["ours"] / pair["floor"])
    return Ratio(
        name, statistics.median(ratios), min(ratios), max(ratios), statistics.median(floors), target, rounds, note, at_least
    )


@contextlib.contextmanager
def database(name: str = "khue_bench") -> Iterator[tuple[str, str, str]]:
    """Yield addresses (application role, owner, superuser) of a fresh migrated database; Django uses the first."""
    sys.path[:0] = [str(ROOT)] if str(ROOT) not in sys.path else []
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "khue.settings.test")
    from tests.conftest import Databases

    made = Databases()
    made.ensure_template()
    made.clone(name)
    urls = tuple(made.server.url(role, name) for role in ("khue_app", "khue_owner", "khue"))
    os.environ["DATABASE_URL"], os.environ["DATABASE_OWNER_URL"] = urls[0], urls[1]
    import django

    django.setup()
    from django.conf import settings
    from django.db import connections

    from khue.settings.base import database as values

    connections.close_all()
    for key, value in values(urls[0]).items():
        settings.DATABASES["default"][key] = value
        connections["default"].settings_dict[key] = value
    try:
        yield urls  # type: ignore[misc]
    finally:
        connections.close_all()
        made.drop(name)
