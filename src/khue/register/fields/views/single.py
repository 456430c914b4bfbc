"""Adding, putting right and withdrawing one record."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from khue.kernel import permissions, text
from khue.kernel.errors import Invalid, NotAllowed, NotFound
from khue.kernel.permissions.loading import local_day
from khue.register.fields import annex, forms, queries, services
from khue.register.fields.permissions import WRITING
from khue.register.fields.queries import Subject
from khue.register.fields.views.files import crumbs, looked, refused
from khue.register.schooling.mine import school_year_of


def _form_page(request: HttpRequest, about: Subject, form: Any, title: Any, submit: Any, **values: Any) -> HttpResponse:
    back = f"{reverse(f'fields:{about.object}', args=[about.uid])}#danh-sach"
    return render(request, "fields/record.html", {
        "about": about, "form": form, "title": title, "submit": submit, "crumbs": crumbs(about), "back": back, **values,
    }, status=422 if form.errors else 200)  # fmt: skip


def _back(about: Subject) -> HttpResponse:
    return redirect(f"{reverse(f'fields:{about.object}', args=[about.uid])}#danh-sach")


@require_http_methods(["GET", "POST"])
def add_record(request: HttpRequest, uid: UUID, object_: str, kind: str) -> HttpResponse:
    """Add one record of a kind to a school, a person at her post, a learner."""
    now = timezone.now()
    actor = request.actor  # type: ignore[attr-defined]
    known = annex.kinds().get(kind)
    if known is None or known.owner != object_:
        raise NotFound()
    if not permissions.holds(actor, WRITING[known.privacy]):
        raise NotAllowed(right=WRITING[known.privacy])
    about = queries.subject(actor, object_, uid, at=now)
    permissions.demand(actor, WRITING[known.privacy], on=about, at=now)
    looked(request, about, "fields")
    today = local_day(now)
    form = forms.RecordForm(
        request.POST if request.method == "POST" else None, kind=known, fields=services.body_fields(known, about.extensions), on=today,
        since=today, school_year=school_year_of(today),
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        try:
            services.add_record(
                actor=actor, about=about, kind=kind, given=form.given(), now=now, since=form.cleaned_data["since"],
                until=form.cleaned_data["until"], school_year=form.cleaned_data.get("school_year"),
            )  # fmt: skip
            return _back(about)
        except Invalid as refusal:
            refused(form, refusal)
    return _form_page(request, about, form, known.title, _("Thêm"))


@require_http_methods(["GET", "POST"])
def change_record(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Put a record right."""
    now = timezone.now()
    actor = request.actor  # type: ignore[attr-defined]
    record, kind, about = queries.record(actor, uid, at=now)
    permissions.demand(actor, WRITING[kind.privacy], on=about, at=now)
    looked(request, about, "fields")
    form = forms.RecordForm(
        request.POST if request.method == "POST" else None, kind=kind, fields=services.body_fields(kind, about.extensions),
        on=local_day(now), body=record.body, since=record.valid.lower, until=record.valid.upper, school_year=record.school_year,
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        version = text.whole(request.POST.get("version")) or 0
        try:
            services.change_record(
                actor=actor, uid=uid, version=version, given=form.given(), now=now,
                since=form.cleaned_data["since"], until=form.cleaned_data["until"],
            )  # fmt: skip
            return _back(about)
        except Invalid as refusal:
            refused(form, refusal)
    return _form_page(request, about, form, kind.title, _("Lưu"), version=record.version, withdraw=reverse("fields:withdraw-record", args=[uid]))


@require_http_methods(["GET", "POST"])
def withdraw_record(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Withdraw a record made by mistake."""
    now = timezone.now()
    actor = request.actor  # type: ignore[attr-defined]
    record, kind, about = queries.record(actor, uid, at=now)
    permissions.demand(actor, WRITING[kind.privacy], on=about, at=now)
    looked(request, about, "fields")
    form = forms.WithdrawForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        version = text.whole(request.POST.get("version")) or 0
        services.withdraw_record(
            actor=actor, uid=uid, version=version, reason=form.cleaned_data["reason"], now=now
        )
        return _back(about)
    title = _("Rút bản ghi: %(kind)s") % {"kind": kind.title}
    return _form_page(request, about, form, title, _("Rút bản ghi này"), version=record.version, is_danger=True)
