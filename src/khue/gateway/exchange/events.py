"""What this app announces."""

from dataclasses import dataclass
from typing import ClassVar

from khue.kernel.events import Fact


@dataclass(frozen=True)
class BatchApplied(Fact):
    """A file of one kind was written into a school's register, or taken back."""

    kind: ClassVar[str] = "exchange.batch-applied"
    batch_uid: str
    school_id: int
    record_kind: str
    is_undone: bool = False
