"""Days out of an address."""

from __future__ import annotations

from datetime import date

from django.http import HttpRequest

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
