"""Facts people announce after commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from khue.kernel.events import Fact


@dataclass(frozen=True)
class PeopleMerged(Fact):
    """One file went into another."""

    kind: ClassVar[str] = "people.merged"
    merge_id: int
    absorbed_id: int
    survivor_id: int


@dataclass(frozen=True)
class PeopleParted(Fact):
    """A merge was undone: two files again."""

    kind: ClassVar[str] = "people.parted"
    merge_id: int
    absorbed_id: int
    survivor_id: int
