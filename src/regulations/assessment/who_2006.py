"""The growth standards of the World Health Organization, 2006 (0-60 months) and 2007 (61 months to 19 years).

Classes of a z-score, and the z-score of a measurement by the published L, M and S. Z-scores are whole numbers of
hundredths (-201 is -2.01), measurements and L, M, S exact decimals. The tables of both are beside this module
(`who_2006.csv`, `who_2007.csv`, their origin in the notices beside them).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, ClassVar

from regulations.assessment.base import RuleSet, check_choice, check_count
from regulations.core import NoRuleInForce, OutOfRange, cites

if TYPE_CHECKING:
    import polars

INSTRUMENT = "WHO Child Growth Standards 2006"
INSTRUMENT_2007 = "WHO Growth Reference 2007"

WEIGHT_FOR_AGE, HEIGHT_FOR_AGE = "weight_for_age", "height_for_age"
WEIGHT_FOR_HEIGHT, BMI_FOR_AGE = "weight_for_height", "bmi_for_age"
WEIGHT_FOR_LENGTH = "weight_for_length"
SEXES = ("M", "F")
INDICATORS = (WEIGHT_FOR_AGE, HEIGHT_FOR_AGE, WEIGHT_FOR_HEIGHT, BMI_FOR_AGE)

SCHOOL_AGE_MONTHS = 61
"""From here the reference of 2007 and its cut-offs hold."""

SEVERE_BELOW, MODERATE_BELOW = -300, -200
HIGH_ABOVE, VERY_HIGH_ABOVE = 200, 300
SCHOOL_HIGH_ABOVE, SCHOOL_VERY_HIGH_ABOVE = 100, 200
LIMIT = 3
"""Standard deviations beyond which weight-based indicators use the restricted formula."""

LOW = {
    WEIGHT_FOR_AGE: ("nhe_can_do_2", "nhe_can_do_1"),
    HEIGHT_FOR_AGE: ("thap_coi_do_2", "thap_coi_do_1"),
    WEIGHT_FOR_HEIGHT: ("gay_com_do_2", "gay_com_do_1"),
    BMI_FOR_AGE: ("gay_com_do_2", "gay_com_do_1"),
}
"""(severe, moderate)"""
HIGH = {
    WEIGHT_FOR_AGE: ("can_nang_cao_hon_tuoi", "can_nang_cao_hon_tuoi"),
    HEIGHT_FOR_AGE: ("binh_thuong", "binh_thuong"),
    WEIGHT_FOR_HEIGHT: ("thua_can", "beo_phi"),
    BMI_FOR_AGE: ("thua_can", "beo_phi"),
}
"""(high, very high)"""
NORMAL = "binh_thuong"

_EXACT = Context(prec=34)


@dataclass(frozen=True, slots=True)
class LMS:
    """One line of a published table: power, median and coefficient of variation."""

    power: Decimal
    median: Decimal
    variation: Decimal


class GrowthStandards(RuleSet):
    """Growth of children as health sheets of preschools and schools class it."""

    id: ClassVar[str] = "preschool.who-2006"
    instrument: ClassVar[str] = INSTRUMENT
    title: ClassVar[str] = "Chuẩn tăng trưởng của Tổ chức Y tế Thế giới"
    level = "preschool"
    first_year: ClassVar[Mapping[int, int]] = {}

    def governs(self, *, grade: int, year: int) -> bool:
        """Return False: a standard of health, not of a grade."""
        return False

    @cites(INSTRUMENT)
    def growth_class(self, *, indicator: str, z: int, age_months: int | None = None) -> str:
        """Return the class of a z-score given in hundredths: -201 is -2.01.

        age_months   completed months; from 61 the cut-offs of body mass are +1 and +2. None: under 61.
        """
        check_choice(indicator, INDICATORS, name="indicator")
        if type(z) is not int:
            raise OutOfRange(f"z-score in hundredths, not {z!r}", name="z", got=z)
        is_school_age = (
            age_months is not None and check_count(age_months, name="age_months") >= SCHOOL_AGE_MONTHS
        )
        if z < MODERATE_BELOW:
            return LOW[indicator][0 if z < SEVERE_BELOW else 1]
        high, very_high = HIGH_ABOVE, VERY_HIGH_ABOVE
        if indicator == BMI_FOR_AGE and is_school_age:
            high, very_high = SCHOOL_HIGH_ABOVE, SCHOOL_VERY_HIGH_ABOVE
        if z > high:
            return HIGH[indicator][1 if z > very_high else 0]
        return NORMAL

    @cites(INSTRUMENT)
    def line(self, *, indicator: str, sex: str, at: Decimal | int, is_lying: bool = False) -> LMS:
        """Return the line of the published tables for a child.

        sex   "M" or "F"
        at    completed months, 0 to 228 (weight_for_age: to 120); for weight_for_height the height in centimetres, to 0.1, half up
        is_lying   weight_for_height only: measured lying, as under 24 months

        Raises NoRuleInForce outside the tables.
        """
        check_choice(indicator, INDICATORS, name="indicator")
        check_choice(sex, SEXES, name="sex")
        table = WEIGHT_FOR_LENGTH if indicator == WEIGHT_FOR_HEIGHT and is_lying else indicator
        step = Decimal("0.1") if indicator == WEIGHT_FOR_HEIGHT else Decimal(1)
        if isinstance(at, bool) or not isinstance(at, Decimal | int):
            raise OutOfRange(f"not an age or a height: {at!r}", name="at", got=at)
        place = Decimal(at).quantize(step, rounding=ROUND_HALF_UP if step < 1 else ROUND_FLOOR)
        found = _tables().get((table, sex, place))
        if found is None:
            raise NoRuleInForce(f"no line of {table} at {place}", table=table, at=str(place))
        return found

    @cites(INSTRUMENT)
    def z_score(self, *, indicator: str, value: Decimal, lms: LMS) -> int:
        """Return the z-score of a measurement in hundredths, half up, by the line of the table for its age.

        value   kilograms, centimetres or kg/m2, positive, of the unit of the line's median

        Beyond three standard deviations the weight-based indicators go on in equal steps, as the standard
        prescribes.
        """
        check_choice(indicator, INDICATORS, name="indicator")
        if not isinstance(value, Decimal) or not value.is_finite() or value <= 0:
            raise OutOfRange(f"not a measurement: {value!r}", name="value", got=value)
        z = _z(value, lms)
        if indicator != HEIGHT_FOR_AGE and abs(z) > LIMIT:
            side = LIMIT if z > 0 else -LIMIT
            outer, inner = _at(side, lms), _at(side - (1 if side > 0 else -1), lms)
            z = side + _EXACT.divide(value - outer, abs(outer - inner))
        hundredths = (z * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP)
        return int(hundredths)

    def apply(self, frame: polars.DataFrame | polars.LazyFrame) -> polars.DataFrame:
        """Return the class of every z-score of a set; see `regulations.assessment.frames.growth_classes`."""
        from regulations.assessment import frames

        return frames.growth_classes(self, frame)


@cache
def _tables() -> Mapping[tuple[str, str, Decimal], LMS]:
    """Return the published lines by table, sex and place."""
    folder = files("regulations.assessment")
    return {
        (row["table"], row["sex"], Decimal(row["at"])): LMS(
            Decimal(row["power"]), Decimal(row["median"]), Decimal(row["variation"])
        )
        for name in ("who_2006.csv", "who_2007.csv")
        for row in csv.DictReader(folder.joinpath(name).read_text(encoding="utf-8").splitlines())
    }


def _z(value: Decimal, lms: LMS) -> Decimal:
    ratio = _EXACT.divide(value, lms.median)
    if lms.power == 0:
        return _EXACT.divide(_EXACT.ln(ratio), lms.variation)
    return _EXACT.divide(_EXACT.power(ratio, lms.power) - 1, lms.power * lms.variation)


def _at(z: int, lms: LMS) -> Decimal:
    """Return the measurement at a whole z-score."""
    if lms.power == 0:
        return _EXACT.multiply(lms.median, _EXACT.exp(lms.variation * z))
    base = 1 + lms.power * lms.variation * z
    return _EXACT.multiply(lms.median, _EXACT.power(base, _EXACT.divide(Decimal(1), lms.power)))


RULES = GrowthStandards()
