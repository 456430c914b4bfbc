"""Cases of the law: the published vectors of every subject, and strategies for marks."""

from __future__ import annotations

import json
import os
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, settings

import regulations

settings.register_profile("law", deadline=None)
settings.register_profile("mutants", deadline=None, database=None, phases=(Phase.explicit, Phase.generate))
settings.load_profile(os.environ.get("KHUE_LAW_PROFILE", "law"))
"""A slow machine is no mistake in the law; of a mutant (tools/mutation.py) nobody wants the smallest example."""

ROOT = Path(regulations.__file__).parent
MARKS = st.integers(0, 100)
"""A mark in tenths; thresholds and their neighbours come up often."""
EDGY_MARKS = st.one_of(MARKS, st.sampled_from([0, 19, 20, 34, 35, 49, 50, 64, 65, 66, 79, 80, 89, 90, 100]))
LEVELS = ("chua_dat", "dat", "kha", "tot")


def published(subject: str) -> list[dict]:
    """Return the published cases a subject's package carries."""
    cases = []
    for path in sorted((ROOT / subject / "vectors").glob("*.json")):
        cases.extend(json.loads(path.read_text(encoding="utf-8")))
    return cases


@pytest.fixture(scope="session")
def operations():
    from regulations.vectors import load_operations

    return load_operations()
