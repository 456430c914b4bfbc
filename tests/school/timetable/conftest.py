"""What the timetable's tests share."""

from __future__ import annotations

import pytest

from khue.school.timetable.solving import warming


@pytest.fixture(scope="session")
def is_warm() -> bool:
    """The solver's inner loops, compiled before a test that has only seconds."""
    return warming.main() == 0
