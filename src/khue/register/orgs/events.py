"""What this app announces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from khue.kernel.events import Fact


@dataclass(frozen=True)
class UnitChanged(Fact):
    """A unit was made, renamed, tied or closed; `on` is the day it holds from, as YYYY-MM-DD."""

    kind: ClassVar[str] = "orgs.unit-changed"
    unit_id: int
    act: str
    on: str


@dataclass(frozen=True)
class ReformApplied(Fact):
    """A reform was carried out."""

    kind: ClassVar[str] = "orgs.reform-applied"
    reform_id: int
    on: str
