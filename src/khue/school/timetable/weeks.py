"""The grid of a school's week: which slots there are, what they are called, when they begin.

A *place* is (weekday, half, period), all from 0: Monday is 0, half 0 is the morning. The solver's slot is (day, period),
its days being the sessions that have periods.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from khue.school.timetable.models import WeekPattern
from khue.school.timetable.solving import model as m

Place = tuple[int, int, int]
WEEKDAYS = (
    gettext_noop("Thứ Hai"), gettext_noop("Thứ Ba"), gettext_noop("Thứ Tư"), gettext_noop("Thứ Năm"), gettext_noop("Thứ Sáu"),
    gettext_noop("Thứ Bảy"), gettext_noop("Chủ nhật"),
)  # fmt: skip
HALVES = (gettext_noop("sáng"), gettext_noop("chiều"))
SEVEN, MOST_PERIODS = 7, 10


@dataclass(frozen=True)
class Grid:
    """The week as the solver counts it. sessions: (weekday, half) of each day; counts: its periods."""

    sessions: tuple[tuple[int, int], ...]
    counts: tuple[int, ...]

    @property
    def height(self) -> int:
        """Return the periods of the longest session."""
        return max(self.counts, default=0)

    @property
    def size(self) -> int:
        """Return how many slots the week has."""
        return sum(self.counts)

    def slot(self, place: Place | Iterable[int]) -> m.Slot | None:
        """Return the solver's slot of a place, None where the week has none."""
        day, half, period = place
        if (day, half) not in self.sessions:
            return None
        number = self.sessions.index((day, half))
        return (number, period) if 0 <= period < self.counts[number] else None

    def place(self, slot: m.Slot) -> Place:
        """Return the place of a slot."""
        return (*self.sessions[slot[0]], slot[1])

    def slots(self, places: Iterable[Iterable[int]] = ()) -> frozenset[m.Slot]:
        """Return the slots of places; those the week lacks are left out."""
        return frozenset(slot for slot in map(self.slot, places) if slot is not None)

    def every(self) -> list[m.Slot]:
        """Return every open slot."""
        return [(day, period) for day, count in enumerate(self.counts) for period in range(count)]

    def closed(self) -> frozenset[m.Slot]:
        """Return the slots of the solver's grid that the week does not have."""
        return frozenset((day, period) for day, count in enumerate(self.counts) for period in range(count, self.height))

    def days(self) -> tuple[m.Day, ...]:
        """Return the solver's days."""
        return tuple(m.Day(session_name(day, half), day, half) for day, half in self.sessions)


def grid_of(pattern: WeekPattern) -> Grid:
    """Return the grid of a pattern."""
    found = [
        ((day, half), count)
        for day in range(SEVEN)
        for half, counts in enumerate((pattern.mornings, pattern.afternoons))
        if (count := counts[day] if day < len(counts) else 0)
    ]
    return Grid(tuple(session for session, _count in found), tuple(count for _session, count in found))


def session_name(day: int, half: int) -> str:
    """Return "Thứ Hai sáng"."""
    return f"{_(WEEKDAYS[day])} {_(HALVES[half])}"


def place_name(place: Place | Iterable[int]) -> str:
    """Return "Thứ Hai sáng tiết 1"."""
    day, half, period = place
    return _("%(session)s tiết %(period)s") % {"session": session_name(day, half), "period": period + 1}


def starts_at(pattern: WeekPattern, half: int, period: int) -> time | None:
    """Return when a period begins, None where the school has not said."""
    starts: list[Any] = pattern.afternoon_starts if half else pattern.morning_starts
    if period >= len(starts) or not starts[period]:
        return None
    return time.fromisoformat(starts[period])
