"""What this app announces."""

from dataclasses import dataclass
from typing import ClassVar

from khue.kernel.events import Fact


@dataclass(frozen=True)
class LearnerPlaced(Fact):
    """A learner began in a class."""

    kind: ClassVar[str] = "schooling.learner-placed"
    learner_id: int
    school_id: int
    class_group_id: int
    on: str


@dataclass(frozen=True)
class LearnerTransferred(Fact):
    """A learner changed school; her file is open to the new school."""

    kind: ClassVar[str] = "schooling.learner-transferred"
    learner_id: int
    from_school_id: int
    to_school_id: int
    on: str
