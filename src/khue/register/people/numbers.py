"""The personal number (số định danh cá nhân): encrypted at rest, found by a blind index.

It belongs to the Ministry of Public Security and is personal data, so it is never a key, never in a log, never
in an address. NĐ 88/2026/NĐ-CP, Art. 9.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from datetime import date
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from khue.kernel.errors import Invalid

_FORM = re.compile(r"\d{12}")


class NotAPersonalNumber(Invalid):
    """The text is not twelve digits."""

    code = "people.not-a-personal-number"
    title = _("Số định danh cá nhân phải có đúng 12 chữ số.")


@lru_cache(maxsize=4)
def _keys(secret: str) -> tuple[AESGCM, bytes]:
    def derive(purpose: bytes) -> bytes:
        return hmac.digest(secret.encode(), b"khue.people.numbers." + purpose, "sha256")

    return AESGCM(derive(b"encrypt")), derive(b"index")


def normalise(number: str) -> str:
    """Return the twelve digits; raises NotAPersonalNumber."""
    digits = re.sub(r"[\s.\-]", "", number)
    if not _FORM.fullmatch(digits):
        raise NotAPersonalNumber()
    return digits


def encrypt(number: str) -> bytes:
    """Return the encrypted number: 12 bytes of nonce, then AES-256-GCM."""
    cipher, _index = _keys(settings.KHUE_NUMBER_KEY)
    nonce = os.urandom(12)
    return nonce + cipher.encrypt(nonce, normalise(number).encode(), b"khue.people")


def decrypt(stored: bytes) -> str:
    """Return the twelve digits of an encrypted number."""
    cipher, _index = _keys(settings.KHUE_NUMBER_KEY)
    raw = bytes(stored)
    return cipher.decrypt(raw[:12], raw[12:], b"khue.people").decode()


def blind_index(number: str) -> str:
    """Return what equal numbers share and nobody reads a number from: keyed SHA-256, base64, 43 characters."""
    _cipher, key = _keys(settings.KHUE_NUMBER_KEY)
    digest = hmac.new(key, normalise(number).encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def masked(number: str) -> str:
    """Return the form people may see in lists: the last three digits."""
    return "•••••••••" + number[-3:]


def doubts(number: str, *, born_on: date | None, sex: str) -> list[str]:
    """Return reason codes where the number disagrees with birth date or sex: a warning to resolve, not a block.

    Digit 4 tells century and sex (0 male 1900s, 1 female 1900s, 2 male 2000s, 3 female 2000s, and on), digits
    5 and 6 the year. Certificates hold errors, so nothing is refused for it.
    """
    digits = normalise(number)
    found = []
    if born_on is not None:
        if int(digits[4:6]) != born_on.year % 100:
            found.append("number-year")
        if int(digits[3]) // 2 != born_on.year // 100 - 19:
            found.append("number-century")
    if sex in ("1", "2") and int(digits[3]) % 2 != (sex == "2"):
        found.append("number-sex")
    return found
