"""What this app announces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from khue.kernel.events import Fact


@dataclass(frozen=True)
class FieldsWritten(Fact):
    """Fields of a school, class, post or learner were written; symbols only, no values."""

    kind: ClassVar[str] = "fields.written"
    object: str
    row_id: int
    school_id: int
    symbols: tuple[str, ...]


@dataclass(frozen=True)
class RecordChanged(Fact):
    """A record was added, changed or withdrawn."""

    kind: ClassVar[str] = "fields.record-changed"
    record_id: int
    school_id: int
    act: str
