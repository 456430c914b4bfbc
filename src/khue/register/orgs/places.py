"""Where units lie: centre points of communes, old and new, and of what they make up; and a drawing of a branch of the tree.

Boundaries are not at hand under a licence that lets them be passed on, so units are points. Nothing is asked of another site.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from uuid import UUID

from khue.kernel.codes import shipped
from khue.register.orgs.queries import Node

WIDTH, MARGIN = 640, 34
"""Of the drawing, in its own units; its height follows the places, within LOWEST and HIGHEST."""
LOWEST, HIGHEST = 260, 760
SMALLEST, LARGEST = 3.5, 16.0
NAMED = 40
"""So many places at most bear their names in the drawing; with more, names stand in their titles and in the table."""
ISLANDS = {"48": ("20333", "Hoàng Sa"), "56": ("22736", "Trường Sa")}
"""Special zones far out at sea, drawn beside their province wherever the provinces of the country are."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One place in the drawing."""

    x: float
    y: float
    r: float
    name: str
    uid: UUID | None
    numbers: dict[str, int]
    is_named: bool
    anchor: str = "start"

    @property
    def label_x(self) -> float:
        """Return where the name begins, or ends on the right-hand side."""
        return round(self.x + (self.r + 3) * (-1 if self.anchor == "end" else 1), 1)


@dataclass(frozen=True, slots=True)
class Drawing:
    """Places in a frame of WIDTH by `height`, and the units that have none."""

    height: int
    marks: tuple[Mark, ...]
    missing: tuple[str, ...]
    width: int = WIDTH


@lru_cache(maxsize=2)
def points(is_new: bool) -> dict[tuple[str, str], tuple[float, float]]:
    """Return (latitude, longitude) in degrees by (kind, code): communes as listed, districts and provinces as the mean of theirs.

    is_new  of the communes since 1 July 2025; else those before
    """
    found: dict[tuple[str, str], tuple[float, float]] = {}
    above: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    far = {code for code, _name in ISLANDS.values()}
    for row in shipped.rows("places_2025.csv" if is_new else "places_legacy.csv"):
        here = float(row["lat"]), float(row["lon"])
        found["commune", row["code"]] = here
        if row["code"] in far:
            continue  # the mean of a province is meant to lie on its land
        above["province", row["province_code"]].append(here)
        if not is_new:
            above["district", row["district_code"]].append(here)
    for key, places in above.items():
        found[key] = (sum(lat for lat, _lon in places) / len(places), sum(lon for _lat, lon in places) / len(places))
    return found


def draw(nodes: Sequence[Node], *, day: date, measure: str = "learners") -> Drawing | None:
    """Return the drawing of these units on a day, sized by a measure; None where fewer than two have a place."""
    known = points(day >= shipped.TWO_TIERS_ON)
    placed = [(node.name, node.uid, node.numbers, known[node.kind, node.code]) for node in nodes if (node.kind, node.code) in known]
    if len(placed) < 2:
        return None
    if all(node.kind == "province" for node in nodes):
        far = points(True)
        placed += [(name, None, {}, far["commune", code]) for _province, (code, name) in sorted(ISLANDS.items())]
    missing = tuple(node.name for node in nodes if (node.kind, node.code) not in known)
    return _fitted(placed, missing, measure)


def _fitted(placed: list[tuple[str, UUID | None, dict[str, int], tuple[float, float]]], missing: tuple[str, ...], measure: str) -> Drawing:
    """Lay the places into the frame: north up, a degree of longitude as short as it is at their latitude."""
    latitudes, longitudes = [at[0] for *_rest, at in placed], [at[1] for *_rest, at in placed]
    narrow = math.cos(math.radians((min(latitudes) + max(latitudes)) / 2))
    wide, tall = max((max(longitudes) - min(longitudes)) * narrow, 1e-6), max(max(latitudes) - min(latitudes), 1e-6)
    scale = min((WIDTH - 2 * MARGIN) / wide, (HIGHEST - 2 * MARGIN) / tall)
    height = max(LOWEST, round(tall * scale + 2 * MARGIN))
    left, top = (WIDTH - wide * scale) / 2, (height - tall * scale) / 2
    most = max((numbers.get(measure, 0) for _name, _uid, numbers, _at in placed), default=0)
    marks = []
    for name, uid, numbers, (latitude, longitude) in placed:
        x = left + (longitude - min(longitudes)) * narrow * scale
        share = math.sqrt(numbers.get(measure, 0) / most) if most else 0.0
        marks.append(Mark(
            round(x, 1), round(top + (max(latitudes) - latitude) * scale, 1), round(SMALLEST + (LARGEST - SMALLEST) * share, 1), name, uid, numbers,
            len(placed) <= NAMED or uid is None, "end" if x > WIDTH * 0.7 else "start",
        ))  # fmt: skip
    marks.sort(key=lambda mark: -mark.r)
    return Drawing(height, tuple(marks), missing)
