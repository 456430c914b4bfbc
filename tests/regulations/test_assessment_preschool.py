"""Sizes of preschool groups, classes of growth and the published tables."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from regulations import assessment
from regulations.assessment import (
    LMS,
)
from regulations.core import (
    NoRuleInForce,
    OutOfRange,
    UnknownValue,
)

# Preschool


@pytest.mark.parametrize(
    ("given", "most"),
    [
        ({"group": "NT1"}, 15),
        ({"group": "NT2"}, 20),
        ({"group": "NT3"}, 25),
        ({"group": "MG3"}, 25),
        ({"group": "MG4"}, 30),
        ({"group": "MG5", "disabled_children": 2}, 25),
        ({"group": "NT1", "is_independent": True}, 12),
        ({"group": "NT2", "is_independent": True}, 20),
        ({"group": "NT3", "is_mixed": True}, 20),
        ({"group": "MG5", "is_mixed": True, "disabled_children": 1}, 25),
    ],
)
def test_sizes_of_preschool_groups(given, most):
    assert assessment.PRESCHOOL_GROUPS.max_group_size(**given) == most


def test_preschool_refusals():
    sizes = assessment.PRESCHOOL_GROUPS
    with pytest.raises(UnknownValue):
        sizes.max_group_size(group="5-6 tuổi")
    for children in (3, -1):
        with pytest.raises(OutOfRange):
            sizes.max_group_size(group="MG5", disabled_children=children)
    assert sizes.governs(grade=0, year=2020) and not sizes.governs(grade=0, year=2019)
    assert not sizes.governs(grade=1, year=2025) and not assessment.GROWTH.governs(grade=0, year=2025)


@pytest.mark.parametrize(
    ("indicator", "z", "age", "expected"),
    [
        ("weight_for_age", -301, None, "nhe_can_do_2"),
        ("weight_for_age", -300, None, "nhe_can_do_1"),
        ("weight_for_age", -200, None, "binh_thuong"),
        ("weight_for_age", 301, None, "can_nang_cao_hon_tuoi"),
        ("height_for_age", 400, None, "binh_thuong"),
        ("weight_for_height", 201, None, "thua_can"),
        ("weight_for_height", 300, None, "thua_can"),
        ("weight_for_height", 301, None, "beo_phi"),
        ("bmi_for_age", 101, 60, "binh_thuong"),
        ("bmi_for_age", 100, 61, "binh_thuong"),
        ("bmi_for_age", 101, 61, "thua_can"),
        ("bmi_for_age", 200, 61, "thua_can"),
        ("bmi_for_age", 201, 61, "beo_phi"),
        ("weight_for_height", 101, 61, "binh_thuong"),
        ("bmi_for_age", -201, 61, "gay_com_do_1"),
    ],
)
def test_growth_classes(indicator, z, age, expected):
    assert assessment.GROWTH.growth_class(indicator=indicator, z=z, age_months=age) == expected


def test_growth_refusals():
    with pytest.raises(OutOfRange):
        assessment.GROWTH.growth_class(indicator="bmi_for_age", z=-2.0)
    with pytest.raises(OutOfRange):
        assessment.GROWTH.growth_class(indicator="bmi_for_age", z=1, age_months=-1)
    with pytest.raises(UnknownValue):
        assessment.GROWTH.growth_class(indicator="head", z=1)
    line = LMS(Decimal(1), Decimal(10), Decimal("0.1"))
    for value in (Decimal(0), Decimal("NaN"), 10, 10.0):
        with pytest.raises(OutOfRange):
            assessment.GROWTH.z_score(indicator="bmi_for_age", value=value, lms=line)


@pytest.mark.parametrize(
    ("power", "value", "indicator", "z"),
    [
        ("1", "10", "weight_for_age", 0),
        ("1", "11", "weight_for_age", 100),
        ("1", "8", "weight_for_age", -200),
        ("1", "14", "weight_for_age", 400),
        ("1", "6.995", "weight_for_age", -301),
        ("1", "14", "height_for_age", 400),
        # (12/10)^2 = 1.44; 0.44 / (2*0.1) = 2.2
        ("2", "12", "weight_for_age", 220),
        # beyond +3: 10*sqrt(1.6) = 12.649, 10*sqrt(1.4) = 11.832; 3 + (14-12.649)/0.817 = 4.65
        ("2", "14", "weight_for_age", 465),
        # below -3: 10*sqrt(0.4) = 6.325, 10*sqrt(0.6) = 7.746; -3 - (6.325-5)/1.421 = -3.93
        ("2", "5", "weight_for_age", -393),
        ("2", "5", "height_for_age", -375),
        # power 0: ln(11/10)/0.1 = 0.953
        ("0", "11", "weight_for_age", 95),
        # 10*e^0.3 = 13.499, 10*e^0.2 = 12.214; 3 + (15-13.499)/1.285 = 4.17
        ("0", "15", "weight_for_age", 417),
    ],
)
def test_z_scores_by_the_published_formula(power, value, indicator, z):
    line = LMS(Decimal(power), Decimal(10), Decimal("0.1"))
    assert assessment.GROWTH.z_score(indicator=indicator, value=Decimal(value), lms=line) == z


@pytest.mark.parametrize(
    ("indicator", "sex", "at", "is_lying", "median"),
    [
        ("weight_for_age", "M", 0, False, "3.3464"),
        ("weight_for_age", "F", 60, False, "18.2193"),
        ("weight_for_age", "M", Decimal("12.9"), False, "9.6479"),
        ("height_for_age", "M", 24, False, "87.13"),
        ("weight_for_height", "M", Decimal("65.05"), False, "7.4563"),
        ("weight_for_height", "M", 45, True, "2.441"),
        ("weight_for_height", "F", 120, False, "22.8173"),
        ("weight_for_age", "M", 61, False, "18.5057"),
        ("weight_for_age", "F", 120, False, "31.8578"),
        ("height_for_age", "M", 61, False, "110.2647"),
        ("height_for_age", "F", 228, False, "163.1548"),
        ("bmi_for_age", "M", 61, False, "15.2641"),
        ("bmi_for_age", "M", 228, False, "22.1883"),
    ],
)
def test_lines_of_the_published_tables(indicator, sex, at, is_lying, median):
    line = assessment.GROWTH.line(indicator=indicator, sex=sex, at=at, is_lying=is_lying)
    assert str(line.median).startswith(median)
    assert assessment.GROWTH.z_score(indicator=indicator, value=line.median, lms=line) == 0


def test_outside_the_tables_nothing_is_guessed():
    for indicator, at in (("bmi_for_age", 229), ("height_for_age", 229), ("weight_for_age", 121), ("bmi_for_age", -1)):
        with pytest.raises(NoRuleInForce):
            assessment.GROWTH.line(indicator=indicator, sex="M", at=at)
    with pytest.raises(NoRuleInForce):
        assessment.GROWTH.line(indicator="weight_for_height", sex="M", at=45)
    for at in (12.5, True, "12"):
        with pytest.raises(OutOfRange):
            assessment.GROWTH.line(indicator="bmi_for_age", sex="M", at=at)
    for wrong in ({"sex": "nam"}, {"indicator": "arm"}):
        with pytest.raises(UnknownValue):
            assessment.GROWTH.line(**{"indicator": "bmi_for_age", "sex": "M", "at": 1, **wrong})


def test_a_boy_of_one_year_by_the_tables():
    line = assessment.GROWTH.line(indicator="weight_for_age", sex="M", at=12)
    # WHO's own simplified table: -2 SD 7.7 kg, +2 SD 12.0 kg for boys of 12 months.
    assert assessment.GROWTH.z_score(indicator="weight_for_age", value=Decimal("7.7"), lms=line) in range(
        -205, -194
    )
    assert assessment.GROWTH.z_score(indicator="weight_for_age", value=Decimal("12.0"), lms=line) in range(
        195, 206
    )


@pytest.mark.parametrize(("value", "z"), [("13.7", -200), ("14.9", -100), ("16.4", 0), ("18.5", 100), ("21.4", 200)])
def test_a_boy_of_ten_years_by_the_tables(value, z):
    """The body masses WHO prints for boys of 120 months, to one place."""
    line = assessment.GROWTH.line(indicator="bmi_for_age", sex="M", at=120)
    assert abs(assessment.GROWTH.z_score(indicator="bmi_for_age", value=Decimal(value), lms=line) - z) <= 5


def test_the_two_tables_meet_without_a_gap():
    for indicator, last in (("weight_for_age", 120), ("height_for_age", 228), ("bmi_for_age", 228)):
        for sex in "MF":
            medians = [assessment.GROWTH.line(indicator=indicator, sex=sex, at=at).median for at in range(25, last + 1)]
            steps = [abs(later - earlier) for earlier, later in pairwise(medians)]
            assert max(steps) <= 1
