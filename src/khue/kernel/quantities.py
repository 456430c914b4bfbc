"""Quantities as whole numbers of a named scale, and how people write them.

Tenths (83 is 8.3), Hundredths (825 is 8.25), Money (whole đồng). Floats never touch them.
"""

from __future__ import annotations

import re

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from khue.kernel.errors import Invalid

_MARK = re.compile(r"\s*(\d{1,2})(?:[.,](\d)0*)?\s*$")


class NotAMark(Invalid):
    """The text is not a mark from 0 to 10 with at most one decimal."""

    code = "quantities.not-a-mark"
    title = _("“%(text)s” không phải điểm từ 0 đến 10 với tối đa một chữ số thập phân.")


def parse_tenths(text: str) -> int:
    """Return tenths from what a teacher types: "8", "8,5", "8.5", " 10 ".

    Raises NotAMark for anything else, also for 8,25: a mark has one decimal (TT 22/2021, Art. 5).
    """
    found = _MARK.match(text)
    if found is None:
        raise NotAMark(text=text)
    value = int(found[1]) * 10 + int(found[2] or 0)
    if value > 100:
        raise NotAMark(text=text)
    return value


def format_tenths(value: int | None, separator: str = ",") -> str:
    """Return "8,3" for 83, "10" and "8" for 100 and 80 as teachers write them, "" for None."""
    if value is None:
        return ""
    whole, part = divmod(value, 10)
    return f"{whole}{separator}{part}" if part else str(whole)


def format_average(value: int | None, separator: str = ",") -> str:
    """Return an average always with its decimal: "8,0"; "" for None."""
    return "" if value is None else f"{value // 10}{separator}{value % 10}"


class TenthsField(models.PositiveSmallIntegerField):
    """A mark in tenths, 0 to 100; the check constraint belongs to the model."""

    default_validators = [MinValueValidator(0), MaxValueValidator(100)]
