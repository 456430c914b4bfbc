"""Indicators and criteria that instruments lay down: what a report or an evaluation is asked for, by its printed code."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator or criterion. `instrument` lays it down; `code` as printed there; names in both languages."""

    instrument: str
    code: str
    name_vi: str
    name_en: str


@cache
def indicators() -> tuple[Indicator, ...]:
    """Return all indicators we know, by instrument, in the order of the printed list; some lists are known in part only."""
    text = files("regulations.shelf").joinpath("indicators.csv").read_text("utf-8")
    return tuple(Indicator(**row) for row in csv.DictReader(text.splitlines()))


def indicators_resting_on(number: str) -> tuple[Indicator, ...]:
    """Return the indicators an instrument lays down; none for one without."""
    return tuple(one for one in indicators() if one.instrument == number)
