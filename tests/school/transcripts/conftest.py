"""Keys and trust of an installation of the tests' own."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of keys and trust, made once: keys of real size take their time."""
    return tmp_path_factory.mktemp("installation")


@pytest.fixture
def keys(settings, installation: Path) -> None:
    """Keys and trust under `installation`."""
    settings.KHUE_KEYS = installation / "keys"
    settings.KHUE_HOME = installation
