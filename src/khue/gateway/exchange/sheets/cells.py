"""One normaliser for every cell: text, whole numbers, dates, identifiers, however Excel delivered them.

Excel keeps a telephone number as 9.12345678E8, a date as 40910, a name in NFD with a non-breaking space at
its end. These functions give what the user sees on her screen, or None where that cannot be known.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

RawCell = str | int | float | bool | date | datetime | time | timedelta | None
"""What a reader may deliver for one cell."""

_INVISIBLE = dict.fromkeys(
    [0x00AD, 0x034F, 0x061C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF]
)
"""Soft hyphens, zero-width and direction marks: nobody typed them and nobody sees them."""
_SPACES = re.compile(r"[\s\u00a0\u2000-\u200a\u202f\u205f\u3000]+")
_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*\Z")
_EPOCH = date(1899, 12, 30)
SERIALS = range(3654, 80_000)
"""Excel serial numbers taken for dates: 1910 to 2119. Smaller numbers may be years or counts."""


def clean(text: str) -> str:
    """Return `text` in NFC, without invisible characters and control codes, spaces single and none at the ends."""
    if _PLAIN.match(text):
        return text
    text = unicodedata.normalize("NFC", text.translate(_INVISIBLE))
    text = _SPACES.sub(" ", text).strip()
    if not text.isprintable():
        text = "".join(c for c in text if c.isprintable())
    return text


def as_text(value: RawCell) -> str:
    """Return what the user sees in the cell, cleaned: "" for nothing, 912345678 for 9.12345678E8."""
    if isinstance(value, str):
        return clean(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "x" if value else ""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 1e18 else format(value, ".10g")
    if isinstance(value, datetime):
        return value.strftime("%d/%m/%Y") if value.time() == time() else value.strftime("%d/%m/%Y %H:%M")
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    return str(value)


def is_number(value: RawCell) -> bool:
    """Return whether the cell holds a number and not text: leading zeros may have been lost."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_whole(value: RawCell) -> int | None:
    """Return a whole number written as 6, 6.0, "6", " 06 "; None for anything else."""
    text = as_text(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


class PartialDate(NamedTuple):
    """A date with how much of it is known: precision "day", "month" or "year"; unknown parts are 1."""

    on: date
    precision: str


_MONTHS = "|".join(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"))
_DAY = re.compile(r"(?:ngày\s*)?(\d{1,2})\s*(?:[-/.,\s]|tháng)+\s*(\d{1,2})\s*(?:[-/.,\s]|năm)+\s*(\d{4}|\d{2})(?:\s+\d{1,2}:\d{2}.*)?\Z", re.I)
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T\s].*)?\Z")
_MONTH = re.compile(r"(?:tháng\s*)?(\d{1,2})\s*(?:[-/.\s]|năm)+\s*(\d{4})\Z", re.I)
_YEAR = re.compile(r"(?:năm\s*)?(\d{4})\Z", re.I)
_NAMED = re.compile(rf"(\d{{1,2}})[-/\s]({_MONTHS})[a-z]*[-/\s](\d{{4}})\Z", re.I)


def as_date(value: RawCell) -> PartialDate | None:
    """Return the date of a cell: a date, an Excel serial, dd/mm/yyyy, yyyy-mm-dd, month or year alone.

    The day always comes before the month, as everybody here writes it; 12/25/2012 is None, not Christmas.
    """
    if isinstance(value, datetime):
        return PartialDate(value.date(), "day")
    if isinstance(value, date):
        return PartialDate(value, "day")
    if is_number(value):
        return _of_number(value)  # type: ignore[arg-type]
    text = clean(value) if isinstance(value, str) else ""
    return _of_text(text) if text else None


def _of_number(value: float) -> PartialDate | None:
    whole = int(value)
    if value == whole and 1900 <= whole <= 2100:
        return PartialDate(date(whole, 1, 1), "year")
    if whole in SERIALS:
        return PartialDate(_EPOCH + timedelta(days=whole), "day")
    if value == whole and 1011900 <= whole <= 31122100:  # 05032012 whose first zero Excel ate
        return _of_digits(f"{whole:08d}")
    return None


def _of_digits(text: str) -> PartialDate | None:
    return _dated(int(text[4:]), int(text[2:4]), int(text[:2]))


def _of_text(text: str) -> PartialDate | None:
    if found := _DAY.match(text):
        day, month, year = int(found[1]), int(found[2]), int(found[3])
        return _dated(year if year > 99 else 1900 + year if year > 40 else 2000 + year, month, day)
    if found := _ISO.match(text):
        return _dated(int(found[1]), int(found[2]), int(found[3]))
    if found := _NAMED.match(text):
        return _dated(int(found[3]), _MONTHS.split("|").index(found[2].lower()) + 1, int(found[1]))
    if found := _MONTH.match(text):
        made = _dated(int(found[2]), int(found[1]), 1)
        return made and PartialDate(made.on, "month")
    if found := _YEAR.match(text):
        made = _dated(int(found[1]), 1, 1)
        return made and PartialDate(made.on, "year")
    if text.isascii() and text.isdigit() and len(text) == 8:
        return _of_digits(text)
    if text.isascii() and text.isdigit() and int(text) in SERIALS:
        return PartialDate(_EPOCH + timedelta(days=int(text)), "day")
    return None


def _dated(year: int, month: int, day: int) -> PartialDate | None:
    try:
        return PartialDate(date(year, month, day), "day") if 1900 <= year <= 2100 else None
    except ValueError:
        return None


_DIGITS = re.compile(r"[\s.\-'’`]")


def as_digits(value: RawCell) -> str:
    """Return the digits of an identifier without the marks people put between; other characters stay."""
    return _DIGITS.sub("", as_text(value))


FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def harmless(value: RawCell) -> RawCell:
    """Return a cell safe to write into a sheet others open: text that a program might run gets an apostrophe.

    Numbers stay numbers; "-" and a signed number are no formulas (ASVS 1.2.10). `unharmed` undoes it.
    """
    if not isinstance(value, str) or not value.startswith(FORMULA_STARTS):
        return value
    return value if _SIGNED.match(value) else "'" + value


def unharmed(text: str) -> str:
    """Return what `harmless` was given: our own import reads our own export back equal."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else text


_SIGNED = re.compile(r"[+-]?(?:\d+(?:[.,]\d+)?)?\Z")
