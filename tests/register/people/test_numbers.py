"""The personal number: unreadable at rest, found by its index."""

from datetime import date

import pytest

from khue.register.people import numbers


def test_round_trip_and_index():
    number = "086214001234"
    stored = numbers.encrypt(number)
    assert number.encode() not in stored and numbers.decrypt(stored) == number
    assert stored != numbers.encrypt(number)
    assert numbers.blind_index(number) == numbers.blind_index(" 086 214 001 234 ") != numbers.blind_index("086214001235")
    assert len(numbers.blind_index(number)) == 43


@pytest.mark.parametrize("text", ["", "12345", "08621400123a", "0862140012345"])
def test_other_forms_are_refused(text):
    with pytest.raises(numbers.NotAPersonalNumber):
        numbers.encrypt(text)


@pytest.mark.parametrize(
    ("born", "sex", "expected"),
    [
        (date(2014, 5, 1), "1", []),
        (date(2014, 5, 1), "2", ["number-sex"]),
        (date(2013, 5, 1), "1", ["number-year"]),
        (date(1914, 5, 1), "1", ["number-century"]),
        (None, "0", []),
    ],
)
def test_doubts(born, sex, expected):
    assert numbers.doubts("086214001234", born_on=born, sex=sex) == expected
