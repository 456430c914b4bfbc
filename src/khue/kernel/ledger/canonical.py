"""The one encoder from values to canonical bytes: equal values, equal bytes, on every machine.

What is hashed or signed anywhere in the system goes through `encode`. The format is a subset of JSON
(RFC 8259) in which each value has exactly one spelling:

1. A document is null, true, false, an integer, a string, an array or an object, in UTF-8 without a
   byte order mark and without white space outside strings.
2. Integers are decimal without leading zeros, plus sign or "-0", from -(2^53 - 1) to 2^53 - 1. There
   are no fractions and no exponents: a float is refused, never rounded.
3. Strings are in Unicode normal form C and hold no lone surrogate. `"` and `\\` are escaped by a
   backslash; U+0008, U+0009, U+000A, U+000C, U+000D as \\b \\t \\n \\f \\r; every other character below
   U+0020 as \\u00xx with lower-case digits. Everything else stands as it is.
4. Object names are strings under rule 3, not empty, unique, and sorted by Unicode code point (which is
   the order of their UTF-8 bytes, not of UTF-16 units).
5. At most 32 arrays and objects inside one another; at most 1 MiB in all.

Python values that JSON lacks become strings: a Decimal in plain notation without exponent, trailing
zeros or "-0" (`Decimal("8.30")` is "8.3"); a date as 2026-09-05; an aware datetime in UTC with six
digits of a second, 2026-09-05T00:15:00.000000Z; a UUID in lower case with hyphens. An Enum stands for
its value, a tuple for a list. What is not named here is refused: a naive datetime, a set, bytes, NaN,
a lazily translated text. The files in `vectors/` say the same by example.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NoReturn
from uuid import UUID

LARGEST_INTEGER = 2**53 - 1
DEEPEST = 32
LARGEST_DOCUMENT = 1 << 20


class NotCanonical(ValueError):
    """The value has no canonical form, or the bytes are not the canonical form of anything."""


def encode(value: Any) -> bytes:
    """Return the canonical bytes of `value`. Raises NotCanonical for what the format has no word for."""
    plain = _plain(value, DEEPEST)
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    try:
        encoded = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotCanonical("a string holds a lone surrogate") from error
    if len(encoded) > LARGEST_DOCUMENT:
        raise NotCanonical(f"the document has {len(encoded)} bytes, the most is {LARGEST_DOCUMENT}")
    return encoded


def decode(encoded: bytes) -> Any:
    """Return the value of canonical bytes; dates and decimals stay the strings they were written as.

    Raises NotCanonical for every other spelling of the same value, so that what was checked and what
    is used can never be two things.
    """
    try:
        value = json.loads(encoded.decode("utf-8"), parse_float=_refuse, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NotCanonical(f"not a canonical document: {error}") from error
    if encode(value) != encoded:
        raise NotCanonical("the same value has another spelling")
    return value


def moment(at: datetime) -> str:
    """Return an aware moment as the ledger writes it: UTC, six digits of a second, Z."""
    if at.utcoffset() is None:
        raise NotCanonical("a moment without a zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def _plain(value: Any, room: int) -> Any:
    """Return `value` in the six kinds of JSON, strings normalised; `room` levels may still be opened."""
    kind = type(value)
    if kind is str:
        return value if value.isascii() else unicodedata.normalize("NFC", value)
    if value is None or kind is bool:
        return value
    if kind is int:
        return _bounded(value)
    if isinstance(value, Enum):
        return _plain(value.value, room)
    if isinstance(value, Mapping):
        return _plain_object(value, _opened(room))
    if isinstance(value, list | tuple):
        inside = _opened(room)
        return [_plain(item, inside) for item in value]
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    """Return the string or integer that stands for one of Python's other scalars."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", str(value))
    if isinstance(value, int):
        return _bounded(int(value))
    if isinstance(value, Decimal):
        return _plain_decimal(value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise NotCanonical(f"no canonical form for {type(value).__name__}")


def _plain_object(value: Mapping[Any, Any], room: int) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name, item in value.items():
        if not isinstance(name, str) or not name:
            raise NotCanonical("names of an object are strings with at least one character")
        normal = unicodedata.normalize("NFC", str(name))
        if normal in plain:
            raise NotCanonical(f"two names that are one after normalisation: {normal!r}")
        plain[normal] = _plain(item, room)
    return plain


def _plain_decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise NotCanonical("a decimal that is not a number")
    if value == 0:
        return "0"
    if abs(value.adjusted()) > 64:
        raise NotCanonical("a decimal of more than 64 digits")
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _bounded(value: int) -> int:
    if not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
        raise NotCanonical(f"an integer beyond {LARGEST_INTEGER}")
    return value


def _opened(room: int) -> int:
    if room == 0:
        raise NotCanonical(f"more than {DEEPEST} levels")
    return room - 1


def _refuse(text: str) -> NoReturn:
    raise NotCanonical(f"no such number in a canonical document: {text}")
