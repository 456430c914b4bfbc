"""The principal's pages: decisions on a closed year, exemption from a subject."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from khue.kernel import audit, text
from khue.kernel.errors import Invalid, Stale
from khue.kernel.quantities import NotAMark, parse_tenths
from khue.school.gradebook import cells, queries, services, terms
from khue.school.gradebook.queries.decisions import YearDecision
from khue.school.gradebook.queries.results import label
from khue.school.gradebook.services.conduct import conduct_levels_of

PROMOTIONS = ("len_lop", "o_lai_lop")


@require_http_methods(["GET", "POST"])
def decide_year(request: HttpRequest, uid: UUID, learner: UUID) -> HttpResponse:
    """Show a learner's closed year and what may still be decided of it; POST puts the decision on it."""
    now = timezone.now()
    found = queries.year_decision(request.actor, uid, learner, now=now)
    wrong: dict[str, str] = {}
    if request.method == "POST":
        decisions, wrong = read_decisions(request, found)
        if not wrong:
            refused = _decide(request, found, decisions, now)
            if refused is None:
                messages.success(request, _("Đã ghi quyết định; kết quả cả năm có lần mới bên cạnh lần cũ."))
                return redirect(f"{reverse('gradebook:homeroom', args=[uid])}?ky=0")
            wrong = refused
    audit.looked(request, [(found.learner_id, found.head.school_id)], "results")
    return render(request, "gradebook/decide.html", _values(request, found, wrong), status=422 if wrong else 200)


def _decide(request: HttpRequest, found: YearDecision, decisions: dict[str, Any], now: datetime) -> dict[str, str] | None:
    """Take the decision; return what is wrong with it by field, None where nothing was."""
    try:
        services.decide_year(
            actor=request.actor, class_group=found.head.uid, learner=str(found.learner), decisions=decisions,
            reason=request.POST.get("reason", ""), now=now, revision=_revision(request),
        )  # fmt: skip
    except Invalid as refusal:
        return {name: " ".join(map(str, said)) for name, said in refusal.facts.get("fields", {}).items()}
    except Stale:
        return {"decisions": _("Người khác vừa ghi một quyết định cho em này. Hãy tải lại trang để xem.")}
    return None


def _revision(request: HttpRequest) -> int:
    revision = text.whole(request.POST.get("revision"))
    if revision is None:
        raise Invalid(fields={"revision": [_("Nội dung gửi lên không đọc được.")]})
    return revision


def read_decisions(request: HttpRequest, found: YearDecision) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what the form decides, and what cannot be read by field."""
    decisions: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    retests: dict[str, int | str] = {}
    for one in found.retests:
        typed = request.POST.get(f"retest-{one.code}", "").strip()
        if not typed:
            continue
        try:
            retests[one.code] = parse_tenths(typed) if one.is_scored else cells.RULE_PASS[cells.PASS_WORDS[typed.lower()]]
        except (NotAMark, KeyError):
            wrong[f"retest-{one.code}"] = (
                _("Điểm từ 0 đến 10, nhiều nhất một chữ số thập phân.") if one.is_scored else _("Ô này ghi Đ hoặc CĐ.")
            )
    if retests:
        decisions["retest"] = retests
    if found.conduct is not None and request.POST.get("conduct"):
        decisions["conduct_after_summer"] = request.POST["conduct"]
    if found.principal is not None and request.POST.get("principal") in PROMOTIONS:
        decisions["principal_decision"] = request.POST["principal"]
    if not decisions and not wrong:
        wrong["decisions"] = _("Hãy ghi ít nhất một kết quả hoặc chọn một quyết định.")
    return decisions, wrong


def _values(request: HttpRequest, found: YearDecision, wrong: dict[str, str]) -> dict[str, Any]:
    typed = request.POST
    return {
        "found": found, "head": found.head, "wrong": wrong, "year_title": terms.year_title(found.head.school_year),
        "retests": [
            (one, f"retest-{one.code}", typed.get(f"retest-{one.code}", one.value), wrong.get(f"retest-{one.code}", ""))
            for one in found.retests
        ],
        "levels": [(code, label(code), code == typed.get("conduct", found.conduct)) for code in conduct_levels_of(found.head.grade, found.head.school_year)],
        "promotions": [(code, label(code), code == typed.get("principal", found.principal)) for code in PROMOTIONS],
        "reason": typed.get("reason", ""), "general": wrong.get("decisions", wrong.get("revision", "")),
        "back": f"{reverse('gradebook:homeroom', args=[found.head.uid])}?ky=0",
    }  # fmt: skip


@require_POST
def exempt(request: HttpRequest, uid: UUID, learner: UUID) -> HttpResponse:
    """Exempt a learner from a subject for the term, or end it, by the principal's decision."""
    is_exempt = request.POST.get("exempt") == "1"
    services.exempt(
        actor=request.actor, register=uid, learner=str(learner), is_exempt=is_exempt,
        reason=request.POST.get("reason", ""), now=timezone.now(),
    )  # fmt: skip
    messages.success(request, _("Đã ghi miễn môn học.") if is_exempt else _("Đã thôi miễn môn học."))
    return redirect("gradebook:line", uid=uid, learner=learner)
