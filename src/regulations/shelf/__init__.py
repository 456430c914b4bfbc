"""The legal shelf: every instrument the rules cite and the documents schools are told to work by.

    shelf.instrument("24/2024/TT-BGDĐT").title
    shelf.state_on("28/2020/TT-BGDĐT", date(2026, 9, 1))        # "het_hieu_luc"
    shelf.rules_resting_on("24/2024/TT-BGDĐT")                  # the functions that cite it, with their places

The list is `instruments.csv`. Mark V: number and standing were read in a source; K: general knowledge. An
empty date is not known and is never assumed.
"""

from __future__ import annotations

from regulations.shelf.citations import RestingRule, all_rules, cited_instruments, rules_resting_on
from regulations.shelf.indicators import Indicator, indicators, indicators_resting_on
from regulations.shelf.registry import (
    ENDED,
    IN_FORCE,
    KINDS,
    NOT_YET,
    STATES,
    UNKNOWN,
    Instrument,
    amended_by,
    by_slug,
    guidance_list,
    in_force_now_instead_of,
    instrument,
    instruments,
    replaced,
    search,
    slug_of,
    state_on,
)

__all__ = [
    "ENDED",
    "IN_FORCE",
    "KINDS",
    "NOT_YET",
    "STATES",
    "UNKNOWN",
    "Indicator",
    "Instrument",
    "RestingRule",
    "all_rules",
    "amended_by",
    "by_slug",
    "cited_instruments",
    "guidance_list",
    "in_force_now_instead_of",
    "indicators",
    "indicators_resting_on",
    "instrument",
    "instruments",
    "replaced",
    "rules_resting_on",
    "search",
    "slug_of",
    "state_on",
]
