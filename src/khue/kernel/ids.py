"""Identifiers: `uid` for the outside, legal codes with a check digit.

`id` stays inside the process; `uid` (UUIDv7: ordered by time, never guessed in sequence) is what URLs and
exchange carry; `code` is only what the law calls one (Circular 42/2021/TT-BGDĐT, Art. 10): given once,
unique for ever, guarded in the database.
"""

from __future__ import annotations

import os
import time
import uuid

from django.db import connection


def uid7() -> uuid.UUID:
    """Return a UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, 74 random bits."""
    stamp = time.time_ns() // 1_000_000
    noise = int.from_bytes(os.urandom(10), "big")
    value = (stamp & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | (noise >> 68 & 0xFFF) << 64
    value |= 0b10 << 62 | noise & (1 << 62) - 1
    return uuid.UUID(int=value)


def check_digit(digits: str) -> str:
    """Return the ISO 7064 MOD 11,10 check digit of a string of digits: one wrong or swapped digit shows."""
    product = 10
    for digit in digits:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return str((11 - product) % 10)


def is_checked(code: str) -> bool:
    """Return whether the last digit of `code` is the check digit of the rest."""
    return code.isdigit() and len(code) > 1 and check_digit(code[:-1]) == code[-1]


def next_person_codes(province: str, count: int) -> list[str]:
    """Return `count` new codes of persons: province (2 digits), running number (7), check digit (1).

    The ten digits fit `HOC_SINH_ID` and `MA` of QĐ 4998/QĐ-BGDĐT (at most 20). Numbers may have gaps and
    never come twice; the province is the one of the first entry and stays through every reform.
    """
    with connection.cursor() as cursor:
        cursor.execute("select nextval('khue_person_code') from generate_series(1, %s)", [count])
        numbers = [number for (number,) in cursor.fetchall()]
    return [(body := f"{province}{number:07d}") + check_digit(body) for number in numbers]
