"""What this app announces."""

from dataclasses import dataclass
from typing import ClassVar

from khue.kernel.events import Fact


@dataclass(frozen=True)
class AssignmentChanged(Fact):
    """A class's teacher of a subject began, ended or changed."""

    kind: ClassVar[str] = "teaching.assignment-changed"
    class_group_id: int
    subject_code: str
    post_id: int
    on: str
