"""Where units stand: what the parts of the engine hand each other."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class State:
    """Where every placed unit starts, and which choice of room each activity has (index into its choices)."""

    starts: dict[int, int] = field(default_factory=dict)
    rooms: dict[int, int] = field(default_factory=dict)

    def copy(self) -> State:
        """Return a copy."""
        return State(dict(self.starts), dict(self.rooms))
