"""Filters every template has: marks, dates, rights."""

from __future__ import annotations

from django import template

from khue.kernel import quantities

register = template.Library()


@register.filter
def tenths(value: int | None) -> str:
    """Return a mark as a teacher writes it: 8,5."""
    return quantities.format_tenths(value)


@register.filter
def average(value: int | None) -> str:
    """Return an average with its decimal: 8,0."""
    return quantities.format_average(value)
