"""What pages of the tree read from an address: days, kinds. Nothing here writes."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

EARLIEST, LATEST = date(1900, 1, 1), date(2200, 1, 1)


def day_of(request: HttpRequest, name: str, default: date) -> date:
    """Return the day a GET parameter names, as YYYY-MM-DD or dd/mm/yyyy; the default for anything else."""
    value = request.GET.get(name, "").strip()
    parts = value.split("/")
    if len(parts) == 3:
        value = f"{parts[2]}-{parts[1]:0>2}-{parts[0]:0>2}"
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return default
    return day if EARLIEST <= day < LATEST else default


def uid_of(request: HttpRequest, name: str) -> UUID | None:
    """Return the uid a GET parameter names, or None."""
    try:
        return UUID(request.GET.get(name, ""))
    except ValueError:
        return None


class DecideForm(forms.Form):
    """Which commune a school of a divided area lies in."""

    commune = forms.CharField(label=_("Xã nơi trường đặt"), max_length=20)
