"""The legal shelf and the worked examples: public, no sign-in, nobody's data, no statement of their own."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from khue.kernel.permissions import ANONYMOUS, Actor
from khue.kernel.permissions.loading import local_day
from khue.kernel.text import clean
from khue.province.law import shelf as pages
from regulations import shelf
from regulations.core import UnknownValue

WORDS = 80


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the instruments, narrowed by words without accents, state and kind."""
    day = local_day(timezone.now())
    asked = _asked(request)
    return render(
        request, "law/shelf.html",
        {
            **asked, "lines": pages.lines(asked["words"], state=asked["state"], kind=asked["kind"], day=day), "day": day,
            "total": len(shelf.instruments()), "states": [(code, pages.told(pair)) for code, pair in shelf.STATES.items()],
            "kinds": [(code, pages.told(pair)) for code, pair in shelf.KINDS.items()], "guidance": len(shelf.guidance_list()),
        },
    )  # fmt: skip


def _asked(request: HttpRequest) -> dict[str, str]:
    state, kind = request.GET.get("tinh-trang", ""), request.GET.get("loai", "")
    return {
        "words": clean(request.GET.get("q", ""))[:WORDS], "state": state if state in shelf.STATES else "",
        "kind": kind if kind in shelf.KINDS else "",
    }  # fmt: skip


@require_safe
def index_data(request: HttpRequest) -> HttpResponse:
    """Return the same list for machines."""
    day = local_day(timezone.now())
    asked = _asked(request)
    found = pages.lines(asked["words"], state=asked["state"], kind=asked["kind"], day=day)
    return _json({"day": day.isoformat(), "instruments": [pages.as_data(line) for line in found]})


@require_safe
def instrument(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one instrument with its standing and everything that rests on it."""
    return render(request, "law/instrument.html", {"page": _page(slug, request.actor), "day": local_day(timezone.now())})


@require_safe
def instrument_data(request: HttpRequest, slug: str) -> HttpResponse:
    """Return the same for machines."""
    return _json(pages.page_as_data(_page(slug)))


def _page(slug: str, actor: Actor = ANONYMOUS) -> pages.Page:
    try:
        return pages.page_of(slug, local_day(timezone.now()), actor)
    except UnknownValue as error:
        raise Http404 from error


def _json(data: object) -> JsonResponse:
    response = JsonResponse(data, json_dumps_params={"ensure_ascii": False})
    response["Access-Control-Allow-Origin"] = "*"  # public facts of law, for any site to show
    return response


@require_safe
def circulars(request: HttpRequest) -> HttpResponse:
    """List the instruments we show worked examples of."""
    found = pages.circulars(local_day(timezone.now()))
    return render(request, "law/circulars.html", {"circulars": found, "total": sum(count for _l, _s, count in found)})


@require_safe
def examples(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the worked examples of one instrument, each with its own anchor."""
    try:
        found = pages.examples_of(slug, local_day(timezone.now()))
    except UnknownValue as error:
        raise Http404 from error
    return render(request, "law/examples.html", {"found": found, "slug": slug})
