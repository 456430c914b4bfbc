"""Pages of the family."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from khue.kernel import audit, permissions, text
from khue.kernel.errors import Invalid, Stale
from khue.school.contactbook import forms, queries, services
from khue.school.contactbook.models import FamilyChange
from khue.school.gradebook.queries.families import child_results


@require_safe
def children(request: HttpRequest) -> HttpResponse:
    """List the children: one card each."""
    now = timezone.now()
    return render(request, "contactbook/children.html", {"children": queries.children(request.actor, now=now)})


@require_safe
def child(request: HttpRequest, uid: str) -> HttpResponse:
    """Show one child's marks, results with why, and who changed or looked at them."""
    now = timezone.now()
    who = queries.child(request.actor, uid, now=now)
    year = text.whole(request.GET.get("nam"), low=1990, high=2200)
    results = child_results(request.actor, who, now=now, school_year=year)
    audit.looked(request, [(who.pk, who.school_id)], "family")
    years = sorted({one.school_year for one in (*results.terms, *results.results)}, reverse=True)
    return render(request, "contactbook/child.html", {"child": who, "results": results, "years": years})


REFUSED = (services.AlreadyWaiting, services.NothingChanged, services.ChangedMeanwhile, services.Decided, Stale)
"""Refusals the form says beside what was typed."""


@require_http_methods(["GET", "POST"])
def details(request: HttpRequest, uid: str) -> HttpResponse:
    """Show a child's contact and health as the school has them; POST proposes other values."""
    now, actor = timezone.now(), request.actor
    found = queries.details(actor, uid, now=now)
    form = forms.DetailsForm(request.POST if request.method == "POST" else None, initial=found.values)
    if request.method == "POST" and form.is_valid():
        try:
            services.propose(actor=actor, child=found.child, given=form.cleaned_data, now=now)
            messages.success(request, _("Đã gửi nhà trường. Thông tin chỉ đổi sau khi nhà trường đồng ý."))
            return redirect("contactbook:details", uid=uid)
        except (Invalid, *REFUSED) as refusal:
            forms.refuse(form, refusal)
    audit.looked(request, [(found.child.pk, found.child.school_id)], "family")
    return render(request, "contactbook/details.html", {"found": found, "child": found.child, "form": form}, status=422 if form.errors else 200)


@require_POST
def withdraw(request: HttpRequest, uid: str) -> HttpResponse:
    """Take one's own proposal back."""
    done = services.withdraw(actor=request.actor, uid=uid, now=timezone.now())
    messages.success(request, _("Đã rút đề nghị."))
    return redirect("contactbook:details", uid=done.learner.uid)


@require_safe
def changes(request: HttpRequest) -> HttpResponse:
    """List what families proposed, for whoever approves it."""
    now = timezone.now()
    rows = queries.changes(request.actor, now=now)
    audit.looked(request, [(one.learner_id, one.school_id) for one in rows], "changes")
    return render(request, "contactbook/changes.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, uid: str) -> HttpResponse:
    """Show the difference a family proposes; POST approves or returns it."""
    now, actor = timezone.now(), request.actor
    found = queries.change(actor, uid, now=now)
    permissions.demand(actor, "contactbook.decide_health" if found.has_health else "contactbook.decide_change", on=found, at=now)
    form = forms.DecideForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            done = services.decide(
                actor=actor, uid=uid, version=text.whole(request.POST.get("version")) or 0, approve=request.POST.get("act") == "approve",
                remark=form.cleaned_data["remark"], now=now,
            )  # fmt: skip
            approved = done.state == FamilyChange.State.APPROVED
            messages.success(request, _("Đã ghi vào hồ sơ của em.") if approved else _("Đã gửi lại gia đình."))
            return redirect("contactbook:changes")
        except (Invalid, *REFUSED) as refusal:
            forms.refuse(form, refusal)
    audit.looked(request, [(found.learner_id, found.school_id)], "changes")
    values = {"change": found, "lines": queries.lines(found), "form": form, "is_open": found.state == FamilyChange.State.PROPOSED}
    return render(request, "contactbook/change.html", values, status=422 if form.errors else 200)
