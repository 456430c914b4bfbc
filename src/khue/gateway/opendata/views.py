"""Open data for everybody: a page, a catalogue in DCAT, and each table as CSV and JSON with ETag and licence."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from khue.gateway.exchange.ministry.reports import neutral
from khue.gateway.opendata import queries
from khue.gateway.opendata.queries import SCHOOLS, Dataset
from khue.kernel import codes
from khue.kernel.errors import Invalid, NotFound
from khue.kernel.permissions.loading import local_day

LICENCE = {"code": "CC-BY-4.0", "url": "https://creativecommons.org/licenses/by/4.0/", "name": "Creative Commons Ghi công 4.0"}
FORMS = {"csv": "text/csv; charset=utf-8", "json": "application/json; charset=utf-8"}
MOST_AGE = 300
"""Seconds a cache may give a table out without asking."""
NOTICE = Path(codes.__file__).parent / "data" / "NOTICE"


def _day(request: HttpRequest) -> date:
    """Return the day asked for, today without one. Raises Invalid."""
    words = request.GET.get("ngay", "")
    if not words:
        return local_day(timezone.now())
    try:
        return date.fromisoformat(words)
    except ValueError:
        raise Invalid(fields={"ngay": [_("Hãy ghi ngày dạng 2025-09-30.")]}) from None


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List what there is, how it is reached and under which licence."""
    lists = queries.lists()
    return render(request, "opendata/index.html", {"lists": lists, "licence": LICENCE, "day": local_day(timezone.now())})


@require_safe
def schools(request: HttpRequest, form: str) -> HttpResponse:
    """Give the school network of a day."""
    day = _day(request)
    return _given(request, SCHOOLS, day, form, lambda: queries.schools(day))


@require_safe
def code_list(request: HttpRequest, code: str, form: str) -> HttpResponse:
    """Give a code list of a day; with ngay=moi-luc everything it ever had."""
    ever = request.GET.get("ngay") == "moi-luc"
    day = date.min if ever else _day(request)
    return _given(request, code, day, form, lambda: queries.code_list(code, None if ever else day))


def _given(request: HttpRequest, code: str, day: date, form: str, make: Any) -> HttpResponse:
    """Answer a table, or 304 to whoever has it already; the stamp costs one statement, the table is made only when needed."""
    if form not in FORMS:
        raise NotFound()
    etag = queries.stamp(code, day, form)
    asked = {one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")}
    if etag in asked or "*" in asked:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(_csv(make()) if form == "csv" else _json(request, make(), day), content_type=FORMS[form])
        response["Content-Disposition"] = f'inline; filename="{code}{"" if day == date.min else f"-{day}"}.{form}"'
    response["ETag"] = etag
    response["Cache-Control"] = f"public, max-age={MOST_AGE}"
    response["Access-Control-Allow-Origin"] = "*"
    response["Link"] = f'<{LICENCE["url"]}>; rel="license"'
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _csv(table: Dataset) -> bytes:
    """Return a table as CSV in UTF-8 with a byte order mark; no cell is ever a formula."""
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow(table.columns)
    for row in table.rows:
        writer.writerow([neutral(value) if isinstance(value, str) else "" if value is None else _plain(value) for value in row])
    return b"\xef\xbb\xbf" + sink.getvalue().encode()


def _json(request: HttpRequest, table: Dataset, day: date) -> bytes:
    told = {
        "dataset": table.code, "title": table.title, "as_of": None if day == date.min else day.isoformat(), "licence": LICENCE["code"],
        "licence_url": LICENCE["url"], "publisher": _publisher(), "source": table.source, "count": len(table.rows),
        "rows": [{name: _plain(value) for name, value in zip(table.columns, row, strict=True)} for row in table.rows],
    }  # fmt: skip
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _publisher() -> str:
    return getattr(settings, "KHUE_PUBLISHER", "Sở Giáo dục và Đào tạo")


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """Give the catalogue of all tables in DCAT (JSON-LD), as data portals harvest it."""
    base = settings.KHUE_PUBLIC_URL.rstrip("/")
    told = {
        "@context": "https://www.w3.org/ns/dcat.jsonld", "@type": "dcat:Catalog", "dct:title": "Dữ liệu mở giáo dục", "dct:publisher": _publisher(),
        "dct:license": LICENCE["url"], "dct:language": "vi", "foaf:homepage": base + reverse("opendata:index"), "dcat:dataset": list(_datasets(base)),
    }  # fmt: skip
    response = HttpResponse(json.dumps(told, ensure_ascii=False, indent=1), content_type="application/ld+json; charset=utf-8")
    response["Cache-Control"] = f"public, max-age={MOST_AGE}"
    response["Access-Control-Allow-Origin"] = "*"
    return response


def _datasets(base: str) -> Iterator[dict[str, Any]]:
    yield _dataset(base, SCHOOLS, "Mạng lưới trường học", {form: reverse("opendata:schools", args=[form]) for form in FORMS})
    for one in queries.lists():
        yield _dataset(base, one.code, one.name, {form: reverse("opendata:list", args=[one.code, form]) for form in FORMS})


def _dataset(base: str, code: str, title: str, addresses: dict[str, str]) -> dict[str, Any]:
    return {
        "@type": "dcat:Dataset", "dct:identifier": code, "dct:title": title, "dct:license": LICENCE["url"],
        "dcat:distribution": [
            {"@type": "dcat:Distribution", "dcat:downloadURL": base + address, "dcat:mediaType": FORMS[form].partition(";")[0]}
            for form, address in addresses.items()
        ],
    }  # fmt: skip


@require_safe
def notice(request: HttpRequest) -> HttpResponse:
    """Give the notices that go along with area codes taken from others' work."""
    return HttpResponse(NOTICE.read_text(encoding="utf-8"), content_type="text/plain; charset=utf-8")
