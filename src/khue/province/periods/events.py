"""What this app announces."""

from dataclasses import dataclass
from typing import ClassVar

from khue.kernel.events import Fact


@dataclass(frozen=True)
class PeriodFrozen(Fact):
    """Every school's snapshot of a period is taken."""

    kind: ClassVar[str] = "periods.frozen"
    period_uid: str
    root: str


@dataclass(frozen=True)
class SubmissionMoved(Fact):
    """A submission was signed, confirmed, returned or unlocked."""

    kind: ClassVar[str] = "periods.submission-moved"
    period_uid: str
    submission_uid: str
    school_id: int
    act: str
    state: str
    sha256: str
