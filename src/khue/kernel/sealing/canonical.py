"""One way to turn a record into bytes, so that its hash means the same everywhere and for ever.

Canonical bytes: JSON, UTF-8, keys sorted by code point, no blanks, text in NFC, decimals as plain
strings, dates and moments in ISO form, moments in UTC. Floats are refused: they have no one spelling.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID


class NotCanonical(TypeError):
    """A value has no canonical spelling (a float, a naive moment, a key that is not text, a doubled key)."""


def _plain(value: object) -> object:
    """Return `value` made of dict, list, str, int, bool and None only; raises NotCanonical."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise NotCanonical("a number that is not finite")
        return format(value, "f")
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise NotCanonical("a moment without a zone")
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return _plain_mapping(value)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [_plain(item) for item in value]
    raise NotCanonical(f"{type(value).__name__} has no canonical form")


def _plain_mapping(value: Mapping[object, object]) -> dict[str, object]:
    plain: dict[str, object] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise NotCanonical("a key that is not text")
        name = unicodedata.normalize("NFC", key)
        if name in plain:
            raise NotCanonical(f"the key {name!r} stands twice after normalisation")
        plain[name] = _plain(item)
    return plain


def canonical_bytes(value: object) -> bytes:
    """Return the canonical JSON bytes of `value`; raises NotCanonical for what has no one spelling."""
    return json.dumps(
        _plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def content_hash(value: object) -> str:
    """Return the SHA-256 of the canonical bytes as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()
