"""Text from outside: whole numbers that are some, and text no column refuses."""

import pytest

from khue.kernel import text


@pytest.mark.parametrize(("given", "number"), [
    ("0", 0), ("7", 7), ("2147483647", 2**31 - 1), ("2147483648", None), ("", None), ("-1", None), ("+1", None), ("1.0", None), (" 1", None),
    ("²", None), ("٣", None), ("9" * 5000, None), ("1\0", None), (None, None), (7, None),
])  # fmt: skip
def test_whole_numbers(given, number):
    assert text.whole(given) == number


def test_bounds_are_inside():
    assert [text.whole(str(year), low=1990, high=2200) for year in (1989, 1990, 2200, 2201)] == [None, 1990, 2200, None]


def test_nul_is_left_out():
    assert text.clean("Nguyễn\0 Văn  An") == "Nguyễn Văn An" and text.fold("Đ\0ức") == "duc"
