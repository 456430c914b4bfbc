"""Vietnamese text: NFC, search without diacritics, the order of names.

The order itself is law for room lists and candidate numbers, so it lives in `regulations.names`; here are
the forms the database keeps.
"""

from __future__ import annotations

import unicodedata

from regulations import names


def clean(text: str) -> str:
    """Return `text` in NFC with runs of white space as one space and none at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def fold(text: str) -> str:
    """Return `text` in lower case without diacritics (đ as d); the same as SQL's `khue_fold`."""
    stripped = unicodedata.normalize("NFD", unicodedata.normalize("NFC", text).lower())
    return "".join(mark for mark in stripped if not "\u0300" <= mark <= "\u036f").replace("đ", "d")


def sort_key(full_name: str) -> str:
    """Return the ASCII key by which names sort: given name, then family and middle names."""
    return names.sort_key(full_name)
