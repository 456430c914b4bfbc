"""Pages of files that may be of one person: work-lists, a pair beside each other, merges and their undoing."""

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
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from khue.kernel import audit, permissions, text
from khue.kernel.errors import DomainError, Invalid, NotFound, Stale
from khue.register.people import forms, queries
from khue.register.people.doubles import services, work
from khue.register.people.models import Merge

REFUSED = (services.CannotMerge, services.MergeUnderWay, services.OwnProposal, services.AlreadyDecided, services.NotMerged, Stale)
"""Refusals the form says beside what was typed."""


def _looked(request: HttpRequest, files: Any, what: str) -> None:
    audit.looked(request, [(one.id, one.school_id) for one in files if not one.is_hidden], what)


def _refused(form: Any, refusal: DomainError) -> None:
    for name, sentences in refusal.facts.get("fields", {}).items() if isinstance(refusal, Invalid) else ():
        for sentence in sentences:
            form.add_error(name if name in form.fields else None, sentence)
    if not isinstance(refusal, Invalid):
        form.add_error(None, f"{refusal.sentence} {refusal.next_step}".strip())


@require_safe
def doubles(request: HttpRequest) -> HttpResponse:
    """List the pairs of the actor's place that may be one person."""
    now = timezone.now()
    lacking = request.GET.get("loc") == "chua-co-so"
    rows = queries.doubles(request.actor, at=now, lacking=lacking)  # type: ignore[attr-defined]
    _looked(request, [one for row in rows for one in row.files], "doubles")
    may_search = permissions.holds(request.actor, "people.find_doubles")  # type: ignore[attr-defined]
    return render(request, "people/doubles.html", {"rows": rows, "most": queries.MOST, "lacking": lacking, "may_search": may_search})


@require_safe
def without_number(request: HttpRequest) -> HttpResponse:
    """List the learners of the actor's place without a personal number, those with candidates first."""
    rows = queries.without_number(request.actor, at=timezone.now())  # type: ignore[attr-defined]
    audit.looked(request, [(person.pk, person.school_id) for person, _number in rows], "numbers")
    return render(request, "people/without_number.html", {"rows": rows, "most": queries.MOST})


@require_POST
def search(request: HttpRequest) -> HttpResponse:
    """Ask for a search of all schools in the actor's place."""
    now = timezone.now()
    permissions.demand(request.actor, "people.find_doubles", on=permissions.ANYWHERE, at=now)  # type: ignore[attr-defined]
    job = work.start(actor=request.actor, now=now)  # type: ignore[attr-defined]
    return redirect("job", job.uid)


@require_http_methods(["GET", "POST"])
def candidates(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show the files that may be of this person; POST opens one of them beside hers."""
    now, actor = timezone.now(), request.actor  # type: ignore[attr-defined]
    person, found = queries.candidates(actor, uid, at=now)
    if request.method == "POST":
        number = text.whole(request.POST.get("which"), low=1, high=len(found))
        if number is None:
            raise NotFound()
        kept = services.note_candidate(actor=actor, person=person, other_id=found[number - 1][0].person_id, now=now)
        return redirect("people:double", uid=kept.uid)
    _looked(request, [file for _one, file in found], "doubles")
    audit.looked(request, [(person.pk, person.school_id)], "doubles")
    rows = [(one, file, queries.tone(one.confidence)) for one, file in found]
    return render(request, "people/candidates.html", {"person": person, "rows": rows})


@require_http_methods(["GET", "POST"])
def double(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show a pair beside each other with the evidence; POST proposes to merge."""
    now, actor = timezone.now(), request.actor  # type: ignore[attr-defined]
    row = queries.double(actor, uid, at=now)
    first, second = row.files
    choices = [("1", _choice(first)), ("2", _choice(second))]
    keep = "2" if second.has_number and not first.has_number else "1"
    form = forms.ProposeForm(request.POST if request.method == "POST" else None, choices=choices, initial={"keep": keep})
    if request.method == "POST" and form.is_valid():
        try:
            made = services.propose(actor=actor, uid=uid, keep_first=form.cleaned_data["keep"] == "1", reason=form.cleaned_data["reason"], now=now)
            return redirect("people:merge", uid=made.uid)
        except (Invalid, *REFUSED) as refusal:
            _refused(form, refusal)
    _looked(request, row.files, "doubles")
    return render(request, "people/double.html", {
        "row": row, "first": first, "second": second, "form": form, "apart": forms.ApartForm(),
    }, status=422 if form.errors else 200)  # fmt: skip


def _choice(file: queries.File) -> str:
    if file.is_hidden:
        return _("Hồ sơ ở %(school)s") % {"school": file.school}
    return _("%(name)s, mã %(code)s") % {"name": file.name, "code": file.code}


@require_POST
def apart(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Say that the two are different people."""
    now, actor = timezone.now(), request.actor  # type: ignore[attr-defined]
    row = queries.double(actor, uid, at=now)
    form = forms.ApartForm(request.POST)
    if form.is_valid():
        services.tell_apart(actor=actor, uid=uid, reason=form.cleaned_data["reason"], now=now)
        messages.success(request, _("Đã ghi là hai người khác nhau; hệ thống không đề nghị lại."))
        return redirect("people:doubles")
    choices = [("1", _choice(row.files[0])), ("2", _choice(row.files[1]))]
    return render(request, "people/double.html", {
        "row": row, "first": row.files[0], "second": row.files[1], "form": forms.ProposeForm(choices=choices), "apart": form,
    }, status=422)  # fmt: skip


@require_safe
def merges(request: HttpRequest) -> HttpResponse:
    """List the merges of the actor's place, those that wait first."""
    rows = queries.merges(request.actor, at=timezone.now())  # type: ignore[attr-defined]
    _looked(request, [file for _merge, *files in rows for file in files], "doubles")
    return render(request, "people/merges.html", {"rows": rows, "most": queries.MOST})


@require_http_methods(["GET", "POST"])
def merge(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show one merge; POST decides it."""
    now, actor = timezone.now(), request.actor  # type: ignore[attr-defined]
    view = queries.merge(actor, uid, at=now)
    form = forms.DecideForm(request.POST if request.method == "POST" else None, choices=[])
    if request.method == "POST" and form.is_valid():
        try:
            done = services.decide(
                actor=actor, uid=uid, version=text.whole(request.POST.get("version")) or 0, accept=request.POST.get("act") == "merge",
                answer=form.cleaned_data["answer"], standing=request.POST.get("standing", "")[:36], now=now,
            )  # fmt: skip
            messages.success(request, _("Đã gộp hồ sơ.") if done.state == Merge.State.DONE else _("Đã ghi là không gộp."))
            return redirect("people:merge", uid=uid)
        except (Invalid, *REFUSED) as refusal:
            if choices := refusal.facts.get("choices"):
                form = forms.DecideForm(request.POST, choices=[(value, name) for value, name in choices])
                form.is_valid()
            _refused(form, refusal)
    _looked(request, [view.absorbed, view.survivor], "doubles")
    is_own = view.merge.proposed_by is not None and view.merge.proposed_by == actor.account_id
    return render(request, "people/merge.html", {"view": view, "merge": view.merge, "form": form, "is_own": is_own}, status=422 if form.errors else 200)


def _moment(at: datetime | None) -> str:
    return timezone.localtime(at).strftime("%d/%m/%Y %H:%M") if at else "–"


@require_http_methods(["GET", "POST"])
def undo(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take a merge apart, after the rows that came since were shown for a decision."""
    now, actor = timezone.now(), request.actor  # type: ignore[attr-defined]
    view = queries.merge(actor, uid, at=now, wants_later=True)
    if not view.may_decide:
        permissions.demand(actor, "people.decide_merge", on=view.merge.absorbed_school_id, at=now)
        raise NotFound()
    if view.merge.state != Merge.State.DONE:
        return redirect("people:merge", uid=uid)
    choices = [(one.key, _("%(what)s, ghi lúc %(at)s") % {"what": one.what, "at": _moment(one.at)}) for one in view.later]
    form = forms.UndoForm(request.POST if request.method == "POST" else None, choices=choices)
    if request.method == "POST" and form.is_valid():
        try:
            _merge, left = services.undo(
                actor=actor, uid=uid, version=text.whole(request.POST.get("version")) or 0, reason=form.cleaned_data["reason"],
                also=frozenset(form.cleaned_data.get("also", ())), now=now,
            )  # fmt: skip
            messages.success(request, _("Đã tách lại thành hai hồ sơ như trước khi gộp."))
            if left:
                messages.warning(request, _("Còn %(count)s chỗ học đã được sửa sau khi gộp nên giữ nguyên; hãy xem lại ở từng hồ sơ.") % {"count": left})
            return redirect("people:merge", uid=uid)
        except (Invalid, *REFUSED) as refusal:
            _refused(form, refusal)
    _looked(request, [view.absorbed, view.survivor], "doubles")
    values = {"view": view, "merge": view.merge, "form": form, "back": reverse("people:merge", args=[uid])}
    return render(request, "people/undo.html", values, status=422 if form.errors else 200)
