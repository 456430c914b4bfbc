"""Lessons as iCalendar (RFC 5545): weekly events in the version's days, covers and free periods as exceptions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from khue.school.timetable import covering
from khue.school.timetable.solving import model as m

ZONE = "Asia/Ho_Chi_Minh"
_ZONE = (
    "BEGIN:VTIMEZONE", f"TZID:{ZONE}", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0700", "TZOFFSETTO:+0700",
    "TZNAME:+07", "END:STANDARD", "END:VTIMEZONE",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """One lesson that comes back each week (or every second); `without`: days on which it does not."""

    uid: str
    summary: str
    location: str
    weekday: int
    starts: time
    minutes: int
    first: date
    until: date
    weeks: int = m.EVERY_WEEK
    without: Sequence[date] = ()
    is_single: bool = False


def escaped(text: str) -> str:
    """Return a text as a content line writes it."""
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")


def folded(line: str) -> Iterator[str]:
    """Yield a content line in pieces of at most 75 octets, never within a letter."""
    piece, size, room = "", 0, 75
    for letter in line:
        length = len(letter.encode())
        if size + length > room:
            yield piece
            piece, size, room = " ", 1, 75
        piece, size = piece + letter, size + length
    yield piece


def first_day(event: Event) -> date | None:
    """Return the first day of its days on which a lesson is held, None where there is none."""
    day = event.first + timedelta(days=(event.weekday - event.first.weekday()) % 7)
    if event.weeks != m.EVERY_WEEK and not covering.week_bit(day, event.first) & event.weeks:
        day += timedelta(days=7)
    return day if day < event.until else None


def _lines(event: Event, stamp: datetime) -> Iterator[str]:
    day = event.first if event.is_single else first_day(event)
    if day is None:
        return
    start = datetime.combine(day, event.starts)
    yield from ("BEGIN:VEVENT", f"UID:{event.uid}@khue", f"DTSTAMP:{stamp:%Y%m%dT%H%M%SZ}")
    yield f"DTSTART;TZID={ZONE}:{start:%Y%m%dT%H%M%S}"
    yield f"DTEND;TZID={ZONE}:{start + timedelta(minutes=event.minutes):%Y%m%dT%H%M%S}"
    if not event.is_single:
        last = datetime.combine(event.until, time(0)) - timedelta(hours=7, seconds=1)
        yield f"RRULE:FREQ=WEEKLY;INTERVAL={1 if event.weeks == m.EVERY_WEEK else 2};UNTIL={last:%Y%m%dT%H%M%SZ}"
        for gone in sorted(event.without):
            yield f"EXDATE;TZID={ZONE}:{datetime.combine(gone, event.starts):%Y%m%dT%H%M%S}"
    yield f"SUMMARY:{escaped(event.summary)}"
    if event.location:
        yield f"LOCATION:{escaped(event.location)}"
    yield "END:VEVENT"


def calendar(name: str, events: Iterable[Event], *, stamp: datetime) -> bytes:
    """Return the file; `stamp` is an aware UTC moment."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Khue//Thoi khoa bieu//VI", "CALSCALE:GREGORIAN", f"X-WR-CALNAME:{escaped(name)}", *_ZONE]
    for event in events:
        lines += _lines(event, stamp)
    lines.append("END:VCALENDAR")
    return "".join(f"{piece}\r\n" for line in lines for piece in folded(line)).encode()
