"""One place where a refusal becomes a page, a fragment or problem details (RFC 9457)."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from khue.kernel.errors import DomainError, NotAllowed, NotFound, Stale
from khue.register.people.queries import survivor_of


class FormTooOld(DomainError):
    """The form's token is missing or belongs to another sign-in."""

    code, status = "form-too-old", 403
    title = _("Trang này mở đã lâu nên chưa gửi được.")
    advice = _("Hãy quay lại trang trước, tải lại rồi gửi lần nữa.")


class Unreadable(DomainError):
    """The request is not one our pages send."""

    code, status = "unreadable", 400
    title = _("Yêu cầu này không đọc được.")
    advice = _("Hãy quay lại trang trước, tải lại rồi làm lại.")


def problem(refusal: DomainError) -> dict[str, object]:
    """Return the problem document of a refusal; facts that are plain values go along."""
    facts = {k: v for k, v in refusal.facts.items() if isinstance(v, str | int | bool | list | dict | None)}
    return {
        "type": f"urn:khue:problem:{refusal.code}",
        "title": refusal.sentence,
        "status": refusal.status,
        "detail": refusal.next_step,
        **facts,
    }


def shell_of(request: HttpRequest) -> str:
    """Return the shell an error stands in: hers where somebody signed in, else the public one."""
    actor = getattr(request, "actor", None)
    return "shell/base.html" if actor is not None and actor.is_authenticated else "shell/public.html"


def back(request: HttpRequest) -> str:
    """Return the page she came from, if it is one of ours and not this one."""
    parts = urlsplit(request.headers.get("Referer", ""))
    if not parts.path or parts.netloc != request.get_host() or parts.path == request.path:
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def in_messages(response: HttpResponse) -> HttpResponse:
    """Send an htmx answer to the place of messages, whatever part was asked for."""
    response["HX-Retarget"] = "#khue-messages"
    response["HX-Reswap"] = "innerHTML"
    return response


def both_values(refusal: DomainError) -> list[dict[str, object]]:
    """Return what a stale form would have written and what stands there now, for the page."""
    if not isinstance(refusal, Stale):
        return []
    titles = {"mine": _("Giá trị của tôi"), "theirs": _("Giá trị hiện có"), "who": _("Người sửa"), "when": _("Sửa lúc")}
    return [{"label": title, "value": refusal.facts[name]} for name, title in titles.items() if name in refusal.facts]


def wants_json(request: HttpRequest) -> bool:
    """Return whether the caller is a program."""
    return request.path.startswith("/api/") or "application/json" in request.headers.get("Accept", "")


Moved = tuple[str, str]
"""The uid in an address that is of a file which went into another, and the uid of the living one."""


def moved(request: HttpRequest, refusal: DomainError) -> Moved | None:
    """Return where the file in the address went, where what was not found is one that went into another she may see."""
    match = request.resolver_match
    if not isinstance(refusal, NotFound) or match is None or not getattr(request, "actor", None):
        return None
    for value in match.kwargs.values():
        uid = str(value)
        if len(uid) == 36 and uid in request.path and (found := survivor_of(uid)):
            return uid, found
    return None


def led(request: HttpRequest, where: Moved | None) -> HttpResponse | None:
    """Lead a reader to where the file is now; None for a write, which is only told of it, and where nothing moved."""
    if where is None or request.method not in ("GET", "HEAD"):
        return None
    query = request.META.get("QUERY_STRING", "")
    answer = HttpResponse(status=308)
    answer["Location"] = request.path.replace(*where) + (f"?{query}" if query else "")
    return answer


def document(refusal: DomainError, where: Moved | None = None) -> JsonResponse:
    """Return a refusal as a problem document, with the living file where the one asked for went into it."""
    told = {**problem(refusal), **({"survivor": where[1]} if where else {})}
    return JsonResponse(told, status=refusal.status, content_type="application/problem+json")


def answer(request: HttpRequest, refusal: DomainError) -> HttpResponse:
    """Return the answer in the form the caller understands."""
    where = moved(request, refusal)
    if (there := led(request, where)) is not None:
        return there
    if wants_json(request):
        return document(refusal, where)
    if getattr(request, "htmx", False):
        return in_messages(render(request, "errors/_refusal.html", {"refusal": refusal}, status=refusal.status))
    values = {"refusal": refusal, "shell": shell_of(request), "back": back(request), "facts": both_values(refusal)}
    return render(request, "errors/refusal.html", values, status=refusal.status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose token is missing or old."""
    return answer(request, FormTooOld())


def refused(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a refusal of Django's or of a library."""
    return answer(request, NotAllowed())


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer an unknown address like an unknown record."""
    return answer(request, NotFound())


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a request that cannot be read."""
    return answer(request, Unreadable())


def failed(request: HttpRequest) -> HttpResponse:
    """Answer what nobody expected: a sentence, no stack, nothing of anybody."""
    if wants_json(request):
        facts = {"type": "urn:khue:problem:failed", "title": str(_("Có lỗi ngoài dự kiến")), "status": 500}
        return JsonResponse(facts, status=500, content_type="application/problem+json")
    if getattr(request, "htmx", False):
        return in_messages(render(request, "errors/_failed.html", status=500))
    return render(request, "errors/500.html", status=500)
