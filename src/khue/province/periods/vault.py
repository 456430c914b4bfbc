"""Keeping documents with personal data: deflated, encrypted, opened only against their hash.

The key is made from the installation's number key, which lies apart from the database and its backups.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import zlib
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE = 12


class DamagedContent(Exception):
    """The bytes kept are not those that were put away."""


@lru_cache(maxsize=4)
def _cipher(secret: str) -> AESGCM:
    return AESGCM(hmac.digest(secret.encode(), b"khue.vault.encrypt", "sha256"))


def digest(content: bytes) -> str:
    """Return the SHA-256 of a document in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def put(content: bytes, *, level: int = 6) -> bytes:
    """Return what is kept of a document: 12 bytes of nonce, then AES-256-GCM of the deflated bytes."""
    nonce = os.urandom(NONCE)
    return nonce + _cipher(settings.KHUE_NUMBER_KEY).encrypt(nonce, zlib.compress(content, level), b"khue.vault")


def get(kept: bytes | memoryview, *, sha256: str = "") -> bytes:
    """Return the document, checked against its hash where one is given; raises DamagedContent."""
    raw = bytes(kept)
    try:
        content = zlib.decompress(_cipher(settings.KHUE_NUMBER_KEY).decrypt(raw[:NONCE], raw[NONCE:], b"khue.vault"))
    except (InvalidTag, zlib.error, ValueError) as error:
        raise DamagedContent(sha256) from error
    if sha256 and digest(content) != sha256:
        raise DamagedContent(sha256)
    return content
