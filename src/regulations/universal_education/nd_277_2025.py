"""Decree 277/2025/NĐ-CP with Resolution 218/2025/QH15: universal preschool for ages 3 to 5.

The targets are known, the thresholds of a commune and a province are not: they are arguments without a
default, and without them nothing is judged.
"""

from __future__ import annotations

from datetime import date

from regulations.core import Citation, Outcome, cites
from regulations.universal_education.base import NotConfigured, reach, share

ID = "pcgd-mn35.nd277-2025"
INSTRUMENT = "277/2025/NĐ-CP"
TITLE = "Phổ cập giáo dục mầm non cho trẻ em từ 3 đến 5 tuổi"
FIRST_DAY, LAST_DAY = date(2025, 10, 20), None
FIRST_YEAR, LAST_YEAR = 2025, None
VERSION = 1

AGES = (3, 5)
TARGETS = {2028: 50, 2030: 100}
"""Year to the percentage of provinces that are to have reached the standard."""

LUNCH_SUPPORT, STUDY_SUPPORT, SUPPORT_MONTHS = 360_000, 150_000, 9
"""Đồng a month, and months a year at most."""

PLACE = Citation(INSTRUMENT)


def governs(*, year: int) -> bool:
    """Return whether it governs the recognition of the calendar year `year`."""
    return year >= FIRST_YEAR


@cites(INSTRUMENT)
def preschool35_commune(*, children: int, at_school: int, percent: int | None) -> Outcome:
    """Return whether a commune has universal preschool for ages 3 to 5: "dat" or "khong_dat".

    percent   the threshold, which no text we know sets; raises NotConfigured without it
    """
    if percent is None:
        raise NotConfigured("preschool35_ratio", citation=PLACE, standard="preschool35")
    met, reason = reach(share("at_school", at_school, children, PLACE), percent, PLACE, "preschool-at-school")
    return Outcome("dat" if met else "khong_dat", (reason,))


@cites("218/2025/QH15")
def national_target(year: int) -> int:
    """Return the percentage of provinces that are to have reached the standard by `year`; 0 before 2028."""
    return max((percent for first, percent in TARGETS.items() if first <= year), default=0)
