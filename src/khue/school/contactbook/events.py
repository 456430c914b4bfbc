"""What this app announces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from khue.kernel.events import Fact


@dataclass(frozen=True)
class FamilyChangeDecided(Fact):
    """The school approved or returned what a family proposed."""

    kind: ClassVar[str] = "contactbook.change-decided"
    change_id: int
    learner_id: int
    is_approved: bool
