"""Universal education and literacy (phổ cập giáo dục, xóa mù chữ): recognition by exact ratios.

One door: `rules_for(year=2025).primary_level_commune(…)`, by the calendar year of recognition; ages 3 to 5 by
`preschool35_for(year=…)`. A level is "muc_0" to "muc_3"; a share of nobody raises NobodyToCount, for then a
person decides whether the standard applies.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from regulations.core import Outcome, cites, none_in_force
from regulations.universal_education import nd_20_2014, nd_277_2025
from regulations.universal_education.base import NobodyToCount, NotConfigured, Share
from regulations.universal_education.texts import TEXTS

if TYPE_CHECKING:
    import polars

__all__ = [
    "OPERATIONS",
    "RULE_SETS",
    "TEXTS",
    "NobodyToCount",
    "NotConfigured",
    "Share",
    "apply",
    "level_number",
    "preschool35_for",
    "rules_for",
]

RULE_SETS: tuple[ModuleType, ...] = (nd_20_2014,)
CITING_MODULES: tuple[ModuleType, ...] = (nd_20_2014, nd_277_2025)


def rules_for(*, year: int) -> ModuleType:
    """Return the decree for the recognition of the calendar year `year`; raise NoRuleInForce before 2014."""
    for rules in RULE_SETS:
        if rules.governs(year=year):
            return rules
    raise none_in_force("rules of universal education", since=RULE_SETS[0].FIRST_YEAR, name="year", year=year)


def preschool35_for(*, year: int) -> ModuleType:
    """Return the decree on ages 3 to 5 for `year`; raise NoRuleInForce before 2025."""
    if nd_277_2025.governs(year=year):
        return nd_277_2025
    raise none_in_force("rules of universal preschool at 3 to 5", since=nd_277_2025.FIRST_YEAR, name="year", year=year)


def apply(
    frame: polars.DataFrame | polars.LazyFrame, *, standard: str, year: int, **settings: Any
) -> polars.DataFrame:
    """Return the level of every unit by one standard for `year`; see `regulations.universal_education.frames`.

    Raises NoRuleInForce for a year without a decree, UnknownValue for a standard that is none.
    """
    from regulations.universal_education import frames

    rules = preschool35_for(year=year) if standard == "preschool35" else rules_for(year=year)
    return frames.apply(rules, frame, standard=standard, **settings)


def level_number(outcome: Outcome) -> int:
    """Return the level of an outcome as a number, 0 to 3."""
    return nd_20_2014.LEVELS.index(outcome.level)


def _preschool5(data: dict[str, Any], name: str) -> bool:
    outcome = nd_20_2014.preschool5_commune(
        difficult=data["dbkk"],
        children=data["pop5"],
        at_school=data["attend5"],
        of_finishing_age=data["pop_complete"],
        finished=data["complete"],
    )
    return outcome.level == "dat"


def _primary(data: dict[str, Any], name: str) -> int:
    return level_number(
        nd_20_2014.primary_level_commune(
            difficult=data["dbkk"],
            six=data["pop6"],
            six_entered=data["g1_6"],
            fourteen=data["pop14"],
            fourteen_finished=data["done14"],
            eleven=data["pop11"],
            eleven_finished=data["done11"],
            eleven_in_primary=data["inprimary11"],
        )
    )


def _lower_secondary(data: dict[str, Any], name: str) -> int:
    return level_number(
        nd_20_2014.lower_secondary_level_commune(
            difficult=data["dbkk"],
            primary_level=data["th_level"],
            literacy_level=data["xmc_level"],
            aged_15_18=data["pop1518"],
            completed=data["grad"],
            in_upper_secondary=data["inupper"],
        )
    )


def _literacy(data: dict[str, Any], name: str) -> int:
    return level_number(
        nd_20_2014.literacy_level_commune(
            difficult=data["dbkk"], population=data["pop"], literate1=data["lit1"], literate2=data["lit2"]
        )
    )


def _aggregate(data: dict[str, Any], name: str) -> bool:
    outcome = nd_20_2014.aggregate_recognised(
        data["standard"],
        level=data["level"],
        recognised=data["recognised_units"],
        units=data["units"],
        percent=data.get("province_from_communes_ratio"),
    )
    return outcome.level == "dat"


OPERATIONS = {
    "preschool5_commune": cites(nd_20_2014.INSTRUMENT, 6)(_preschool5),
    "primary_level_commune": cites(nd_20_2014.INSTRUMENT, 9)(_primary),
    "lower_secondary_level_commune": cites(nd_20_2014.INSTRUMENT, 14)(_lower_secondary),
    "literacy_level_commune": cites(nd_20_2014.INSTRUMENT, 20)(_literacy),
    "aggregate_recognised": cites(nd_20_2014.INSTRUMENT)(_aggregate),
}
"""The operations of the vectors' format that this subject answers."""
