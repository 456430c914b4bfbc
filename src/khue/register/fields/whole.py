"""Everything about one school on one page: rooms higher apps add to it.

    whole.ROOMS.add("quality", room)      # (actor, Subject, now) -> Room or None, at most one statement
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.functional import Promise

from khue.kernel.permissions import Actor
from khue.kernel.registries import Registry
from khue.register.fields.queries import Subject


@dataclass(frozen=True, slots=True)
class Room:
    """One section of the page: numbers ({label, value, detail?, url?}) and lines ({title, url?, value, tone?})."""

    title: str | Promise
    stats: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    action: str | Promise = ""


ROOMS: Registry[Callable[[Actor, Subject, datetime], Room | None]] = Registry("rooms of a school's page")
