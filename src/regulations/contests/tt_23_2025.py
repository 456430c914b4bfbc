"""Circular 23/2025/TT-BGDĐT, in force 09/12/2025, amending circular 17/2023: teams of merged provinces."""

from __future__ import annotations

from regulations.contests.tt_17_2023 import (
    NATIONAL,
    PRIZES,
    TEAM,
    TEAM_HANOI,
    check_prizes,
    prize_caps,
    propose_prizes,
)
from regulations.core import Citation, OutOfRange, cites

ID = "hsg.tt23-2025"
INSTRUMENT = "23/2025/TT-BGDĐT"
AMENDS = "17/2023/TT-BGDĐT"
TITLE = "Sửa đổi Quy chế thi chọn học sinh giỏi cấp quốc gia"
FIRST_YEAR, LAST_YEAR = 2025, None
VERSION = 1

MOST_UNITS = 4
TEAMS = Citation(INSTRUMENT)

__all__ = [
    "AMENDS",
    "FIRST_YEAR",
    "ID",
    "INSTRUMENT",
    "LAST_YEAR",
    "NATIONAL",
    "PRIZES",
    "TITLE",
    "VERSION",
    "check_prizes",
    "governs",
    "prize_caps",
    "propose_prizes",
    "team_limit",
]


def governs(*, year: int) -> bool:
    """Return whether it governs contests of the school year that begins in `year`."""
    return year >= FIRST_YEAR


@cites(INSTRUMENT)
def team_limit(*, hanoi: bool = False, units_merged: int = 1) -> int:
    """Return the most members of a unit's team in one subject.

    units_merged   how many former provinces the province was made of in 2025, 1 to 4
    """
    if type(units_merged) is not int or not 1 <= units_merged <= MOST_UNITS:
        raise OutOfRange(f"units: {units_merged!r}", citation=TEAMS, name="units_merged", got=units_merged)
    # Our reading: ten for each province merged, which gives the 20 to 40 the reports name.
    return TEAM_HANOI if hanoi else TEAM * units_merged
