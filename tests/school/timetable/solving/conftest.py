"""What the solver's tests share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _is_compiled(is_warm: bool) -> None:
    """Have the inner loops compiled: most of these tests give the solver seconds."""
    assert is_warm
