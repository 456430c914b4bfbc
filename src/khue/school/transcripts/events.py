"""What this app announces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from khue.kernel.events import Fact


@dataclass(frozen=True)
class TranscriptSigned(Fact):
    """One signature was given; `step` is homeroom, principal or seal."""

    kind: ClassVar[str] = "transcripts.signed"
    transcript_id: int
    learner_id: int
    school_id: int
    step: str


@dataclass(frozen=True)
class TranscriptSealed(Fact):
    """A transcript is valid from now on; `supersedes_id` is the one it takes the place of."""

    kind: ClassVar[str] = "transcripts.sealed"
    transcript_id: int
    learner_id: int
    school_id: int
    school_year: int
    supersedes_id: int | None


@dataclass(frozen=True)
class TranscriptRevoked(Fact):
    """A sealed transcript is no longer valid and nothing takes its place."""

    kind: ClassVar[str] = "transcripts.revoked"
    transcript_id: int
    learner_id: int
    school_id: int
