"""Vietnamese text: NFC, search without diacritics, the order of names.

The order itself is law for room lists and candidate numbers, so it lives in `regulations.names`; here are
the forms the database keeps.
"""

from __future__ import annotations

import unicodedata
from datetime import date

from regulations import names


def clean(text: str) -> str:
    """Return `text` in NFC with runs of white space as one space and none at the ends; NUL, which no text column
    takes, is left out."""
    return " ".join(unicodedata.normalize("NFC", text.replace("\0", "")).split())


def fold(text: str) -> str:
    """Return `text` in lower case without diacritics (đ as d); the same as SQL's `khue_fold`."""
    stripped = unicodedata.normalize("NFD", unicodedata.normalize("NFC", text.replace("\0", "")).lower())
    return "".join(mark for mark in stripped if not "\u0300" <= mark <= "\u036f").replace("đ", "d")


def sort_key(full_name: str) -> str:
    """Return the ASCII key by which names sort: given name, then family and middle names."""
    return names.sort_key(full_name)


def partial_date(value: date | None, precision: str = "day") -> str:
    """Return a date as much of it as is known, as people write it: 05/09/2012, 09/2012 or 2012; "" for none.

    precision  day, month or year
    """
    if not value:
        return ""
    return f"{value:%Y}" if precision == "year" else f"{value:%m/%Y}" if precision == "month" else f"{value:%d/%m/%Y}"


def whole(text: object, *, low: int = 0, high: int = 2**31 - 1) -> int | None:
    """Return the whole number a text of ASCII digits says, low to high; None for anything else.

    For what a page's address or form brings: "²" is a digit to Python and no number, and a thousand digits are
    no number of ours.
    """
    if not isinstance(text, str) or not (text.isascii() and text.isdigit() and len(text) <= 10):
        return None
    number = int(text)
    return number if low <= number <= high else None
