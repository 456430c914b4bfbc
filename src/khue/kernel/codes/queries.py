"""Reading code lists: names and membership on a day. Lists hold no personal data, so no actor is asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db.models import QuerySet

from khue.kernel.codes.models import CodeItem, CodeList


def name_of(list_code: str, code: str, *, on: date) -> str:
    """Return the name the item bears on that day; the code itself where the list does not know it."""
    return names_of(list_code, [code], on=on).get(code, code)


def names_of(list_code: str, codes: Iterable[str], *, on: date) -> dict[str, str]:
    """Return code → name on that day for the codes the list knows then: one query."""
    found = CodeItem.objects.filter(code_list__code=list_code, code__in=set(codes), valid__contains=on)
    return dict(found.values_list("code", "name"))


def items(list_code: str, *, on: date) -> QuerySet[CodeItem]:
    """Return the items valid on that day, in the list's order."""
    return CodeItem.objects.filter(code_list__code=list_code, valid__contains=on).order_by("sort", "code")


def table(list_code: str, *, on: date) -> dict[str, str]:
    """Return the whole list on that day as code → name."""
    return dict(items(list_code, on=on).values_list("code", "name"))


def tables(list_codes: Iterable[str], *, on: date) -> dict[str, dict[str, str]]:
    """Return several lists at once, list → code → name: one query."""
    result: dict[str, dict[str, str]] = {code: {} for code in list_codes}
    found = CodeItem.objects.filter(code_list__code__in=list(result), valid__contains=on)
    for list_code, code, name in found.order_by("sort").values_list("code_list__code", "code", "name"):
        result[list_code][code] = name
    return result


def lists() -> QuerySet[CodeList]:
    """Return all lists by code."""
    return CodeList.objects.order_by("code")
