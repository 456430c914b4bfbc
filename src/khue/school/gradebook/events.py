"""What this app announces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from khue.kernel.events import Fact


@dataclass(frozen=True)
class MarkSet(Fact):
    """Cells of an open register were changed by one save."""

    kind: ClassVar[str] = "gradebook.mark-set"
    register_id: int
    sequence: int
    count: int


@dataclass(frozen=True)
class TermClosed(Fact):
    """A class's term (or its year, term 0) was closed."""

    kind: ClassVar[str] = "gradebook.term-closed"
    class_group_id: int
    school_id: int
    school_year: int
    term: int


@dataclass(frozen=True)
class MarkCorrected(Fact):
    """A mark was corrected after closing; results of the learner have a new revision."""

    kind: ClassVar[str] = "gradebook.mark-corrected"
    correction_id: int
    learner_id: int
    class_group_id: int
    school_year: int
    term: int
