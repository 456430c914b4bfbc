"""A number of the law that moves, or a default, must move in the file people read too."""

import pytest
from tests.regulations.numbers import FILES, HERE, text


@pytest.mark.parametrize("name", FILES)
def test_numbers_and_defaults_are_those_a_lawyer_was_shown(name):
    shown = (HERE / name).read_text(encoding="utf-8").splitlines()
    found = text(name).splitlines()
    assert [line for line in found if line not in set(shown)] == []
    assert [line for line in shown if line not in set(found)] == []
    assert shown == found
