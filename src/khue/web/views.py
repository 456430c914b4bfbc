"""Pages of the shell itself: home, search, own jobs, acting role, language, components."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_POST

from khue.kernel import menus
from khue.kernel.errors import NotFound
from khue.kernel.jobs.models import Job
from khue.kernel.permissions.actors import Actor
from khue.kernel.permissions.middleware import GRANT_KEY
from khue.kernel.text import clean, fold
from khue.web import samples
from khue.web.access import signed_in

HITS_AT_ONCE = 5
HITS_ON_A_PAGE = 50
JOBS_ON_A_PAGE = 30


# --- home -----------------------------------------------------------------------------------------


def cards(actor: Actor) -> dict[int, list[menus.Card]]:
    """Return the cards of this actor's home by urgency: 0 needs action, 1 is new, 2 is planned."""
    found: dict[int, list[menus.Card]] = {0: [], 1: [], 2: []}
    now = timezone.now()
    for provider in menus.HOME.values():
        for card in provider(actor, now):
            found[card.urgency].append(card)
    return found


@require_GET
@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """Show what needs action first, then what is new, then what is planned."""
    found = cards(request.actor)  # type: ignore[attr-defined]
    parts: list[dict[str, Any]] = [
        {"title": _("Cần làm ngay"), "cards": found[0], "is_now": True},
        {"title": _("Mới"), "cards": found[1]},
        {"title": _("Sắp tới"), "cards": found[2]},
    ]
    parts = [part for part in parts if part["cards"]]
    template = "home/_cards.html" if request.htmx else "home/home.html"  # type: ignore[attr-defined]
    return render(request, template, {"parts": parts})


# --- search ---------------------------------------------------------------------------------------


def hits(actor: Actor, words: str, limit: int) -> list[menus.Hit]:
    """Return what the apps find for these words in the actor's place: pages of her menu first; at least two letters."""
    folded = fold(clean(words))
    if len(folded) < 2:
        return []
    found = [
        menus.Hit(str(entry.title), _reversed(entry.url_name), _("Trang"))
        for entry in menus.entries_for(actor)
        if folded in fold(str(entry.title)) and _reversed(entry.url_name)
    ]
    for provider in menus.SEARCH.values():
        found += provider(actor, folded, limit)
    return found


def _reversed(name: str) -> str:
    from django.urls import NoReverseMatch, reverse

    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


@require_GET
@signed_in
def search(request: HttpRequest) -> HttpResponse:
    """Find people, classes, documents and pages by words without accents; htmx gets the first few of each kind."""
    words = clean(request.GET.get("q", ""))[:80]
    is_part = bool(request.htmx)  # type: ignore[attr-defined]
    limit = HITS_AT_ONCE if is_part else HITS_ON_A_PAGE
    found = hits(request.actor, words, limit)  # type: ignore[attr-defined]
    values = {"search_words": words, "hits": found, "is_short": len(fold(words)) < 2}
    return render(request, "search/_hits.html" if is_part else "search/search.html", values)


# --- own jobs -------------------------------------------------------------------------------------


def own_job(actor: Actor, uid: UUID) -> Job:
    """Return a job this account asked for; raises NotFound for anybody else's."""
    job = Job.objects.filter(uid=uid, account_id=actor.account_id).first()
    if job is None:
        raise NotFound()
    return job


@require_GET
@signed_in
def jobs(request: HttpRequest) -> HttpResponse:
    """List the long work this account asked for, newest first."""
    own = Job.objects.filter(account_id=request.actor.account_id).order_by("-id")  # type: ignore[attr-defined]
    page = Paginator(own, JOBS_ON_A_PAGE).get_page(request.GET.get("trang"))
    return render(request, "jobs/list.html", {"page": page, "jobs": list(page)})


@require_GET
@signed_in
def job(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show one job; while it runs the page asks for its part again."""
    found = own_job(request.actor, uid)  # type: ignore[attr-defined]
    template = "components/progress.html" if request.htmx else "jobs/job.html"  # type: ignore[attr-defined]
    return render(request, template, {"job": found})


@require_POST
@signed_in
def stop_job(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Ask a running job to stop after its present step; what is done stays done."""
    found = own_job(request.actor, uid)  # type: ignore[attr-defined]
    if found.finished_at is None:
        Job.objects.filter(pk=found.pk, finished_at=None).update(wants_stop=True)
        messages.success(request, _("Việc sẽ dừng sau bước đang làm. Phần đã xong được giữ lại."))
    return redirect("job", uid=uid)


# --- who acts, in which language ------------------------------------------------------------------


def _back(request: HttpRequest) -> str:
    """Return the address to go back to, if it is one of ours."""
    address = request.POST.get("next", "")
    return address if url_has_allowed_host_and_scheme(address, None) else "/"


@require_POST
@signed_in
def act_as(request: HttpRequest) -> HttpResponse:
    """Change the acting role to another of her own; anything else is not found."""
    chosen = next((one for one in request.actors if str(one.grant_id) == request.POST.get("grant")), None)  # type: ignore[attr-defined]
    if chosen is None:
        raise NotFound()
    request.session[GRANT_KEY] = chosen.grant_id
    where = f"{chosen.role_name} – {chosen.unit_name}" if chosen.unit_name else chosen.role_name
    messages.success(request, _("Đang làm việc với vai trò: %(where)s.") % {"where": where})
    return redirect("home")


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Remember the language of this browser."""
    response = HttpResponseRedirect(_back(request))
    code = request.POST.get("language", "")
    if code in dict(settings.LANGUAGES):
        translation.activate(code)
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            code,
            max_age=365 * 24 * 3600,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
        )
    return response


# --- without a network ----------------------------------------------------------------------------


@require_GET
def offline(request: HttpRequest) -> HttpResponse:
    """Show what the browser keeps to say there is no network; nothing of anybody stands in it."""
    return render(request, "errors/offline.html")


@require_GET
@cache_control(max_age=3600)
def worker(request: HttpRequest) -> HttpResponse:
    """Answer the service worker, from the root so that it may serve every page."""
    response = render(request, "shell/worker.js", content_type="text/javascript; charset=utf-8")
    response["Service-Worker-Allowed"] = "/"
    return response


# --- components -----------------------------------------------------------------------------------


@require_GET
def components(request: HttpRequest) -> HttpResponse:
    """Show every component with sample data, in the demo and in development only."""
    if not (settings.KHUE_DEMO or settings.DEBUG):
        raise NotFound()
    values: dict[str, Any] = samples.values(hostile="hostile" in request.GET)
    return render(request, "components_page.html", values)
