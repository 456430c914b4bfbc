"""Numbers of a scale: read from text exactly, refused rather than guessed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulations.core import IncompleteMarks, OutOfRange, half_up, read_scaled, show_scaled


@pytest.mark.parametrize(
    "text, places, expected",
    [
        ("8.25", 2, 825),
        ("8.2", 2, 820),
        ("8", 2, 800),
        (" 8.250 ", 2, 825),
        (7, 2, 700),
        (Decimal("7.05"), 2, 705),
        ("-0.5", 1, -5),
        ("12", 0, 12),
        ("12.0", 0, 12),
    ],
)
def test_read_scaled(text, places, expected):
    assert read_scaled(text, places) == expected


@pytest.mark.parametrize("text", ["8.255", "8,2", "1e3", "", ".5", "-", "8.", "--5", "٣", 8.25, True, ["8"]])
def test_what_is_no_number_of_the_scale_is_refused(text):
    with pytest.raises(OutOfRange) as refused:
        read_scaled(text, 2, name="paper")
    assert refused.value.facts == {"name": "paper", "got": text}


def test_a_missing_number_is_incomplete():
    with pytest.raises(IncompleteMarks):
        read_scaled(None, 2)


@pytest.mark.parametrize(
    "value, places, expected",
    [(825, 2, "8.25"), (5, 2, "0.05"), (-5, 1, "-0.5"), (12, 0, "12"), (-12, 0, "-12"), (0, 2, "0.00")],
)
def test_show_scaled(value, places, expected):
    assert show_scaled(value, places) == expected


@given(st.integers(-(10**6), 10**6), st.integers(0, 4))
def test_what_is_shown_is_read_back(value, places):
    assert read_scaled(show_scaled(value, places), places) == value


@pytest.mark.parametrize(
    "numerator, denominator, expected",
    [(1, 2, 1), (-1, 2, 0), (3, 2, 2), (-3, 2, -1), (0, 7, 0), (249, 100, 2), (250, 100, 3), (825, 10, 83), (824, 10, 82), (5, 1, 5)],
)
def test_ties_go_up(numerator, denominator, expected):
    assert half_up(numerator, denominator) == expected


def test_what_divides_is_positive():
    with pytest.raises(OutOfRange):
        half_up(1, -1)
    with pytest.raises(ZeroDivisionError):
        half_up(1, 0)
