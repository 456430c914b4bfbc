"""Pages of imports: choose a file, say what its columns are, see what would happen, write it, take it back."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from khue.gateway.exchange import forms, loading, queries, results, services
from khue.gateway.exchange.kinds import KINDS
from khue.gateway.exchange.models import State, What
from khue.gateway.exchange.reasons import sentence
from khue.gateway.exchange.sheets import SheetRefused
from khue.kernel import audit, files, permissions, text
from khue.kernel.errors import DomainError, Invalid
from khue.kernel.jobs.models import Job
from khue.kernel.permissions.loading import local_day
from regulations import calendar

WORKING = (State.CHECKING, State.APPLYING, State.UNDOING)


@require_http_methods(["GET", "POST"])
def batches(request: HttpRequest) -> HttpResponse:
    """List the imports of the actor's place; take a new file."""
    now = timezone.now()
    kinds = _kinds(request, now)
    own = request.actor.schools is not None and len(request.actor.schools) == 1
    form = forms.UploadForm(
        request.POST or None, request.FILES or None, asks_school=not own, kinds=kinds,
        initial={
            "school_year": calendar.school_year_of(local_day(now)), "kind": request.GET.get("loai", "learners"),
            "register": request.GET.get("so", ""),
        },
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        done = _upload(request, form, now)
        if done is not None:
            return done
    values = {"form": form, "batches": queries.batches(request.actor, at=now), "kinds": KINDS.values(), "tones": queries.STATE_TONES, "several": not own, "may_upload": bool(kinds)}
    return render(request, "exchange/batches.html", values, status=422 if form.errors else 200)


def _kinds(request: HttpRequest, now: Any) -> list[str]:
    """Return the kinds of files the actor may bring; marks only on the way from a register."""
    register = request.POST.get("register") or request.GET.get("so")
    if register and permissions.holds(request.actor, "exchange.import_marks"):
        return ["marks"]
    if not permissions.holds(request.actor, "exchange.import"):
        permissions.demand(request.actor, "exchange.import_marks", on=permissions.ANYWHERE, at=now)
        return []
    return [code for code in KINDS if code != "marks"]


def _upload(request: HttpRequest, form: forms.UploadForm, now: Any) -> HttpResponse | None:
    values = form.cleaned_data
    school = queries.schools(request.actor, code=values.get("school_code", ""))
    if school is None:
        form.add_error("school_code" if "school_code" in form.fields else None, _("Không tìm thấy trường này trong phạm vi của bạn."))
        return None
    try:
        made = services.upload(
            actor=request.actor, school=school, kind=values["kind"], content=values["file"].read(), name=values["file"].name,
            school_year=values["school_year"], now=now, options={"register": values["register"]},
        )  # fmt: skip
    except SheetRefused as refusal:
        form.add_error("file", f"{refusal.sentence} {refusal.next_step}")
        return None
    return redirect("exchange:columns", uid=made.uid)


@require_safe
def batch(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show where a batch stands: the work that runs, or its counts and its rows with problems first."""
    now = timezone.now()
    found = queries.batch(request.actor, uid, at=now)
    values: dict[str, Any] = {"batch": found, "kind": KINDS[found.kind], "tone": queries.STATE_TONES.get(State(found.state), "")}
    if found.state in WORKING:
        values["job"] = Job.objects.filter(pk=found.job_id or 0).first()
        return render(request, "exchange/batch.html", values)
    counts = found.applied if found.applied_at else found.counters
    what = request.GET.get("loc", "")
    what = what if what in What.values else ""
    first = text.whole(request.GET.get("tu")) or 0
    shown = queries.rows(found, what=what, first=first) if found.counters else []
    if found.kind in ("learners", "staff"):
        audit.looked(request, [(row.object_id, found.school_id) for row in shown if row.object_id], "import")
    values.update(
        doubts=services.doubts_of(found), parts=[sentence(one["code"], one["facts"]) for one in found.preview.get("parts", ())],
        counts=[{"what": w, "label": What(w).label, "count": counts.get(w, 0), "tone": queries.TONES[w]} for w in queries.ORDER if counts.get(w)],
        total=counts.get("total", 0), rows=shown, what=what, first=first, following=first + queries.PAGE if len(shown) == queries.PAGE else None,
        titles=queries.cell_titles(found), writes=found.counters.get(What.NEW, 0) + found.counters.get(What.CHANGED, 0),
        problems=counts.get(What.REFUSED, 0) + counts.get(What.ASKED, 0) + counts.get(What.CONFLICT, 0),
    )  # fmt: skip
    return render(request, "exchange/batch.html", values)


@require_http_methods(["GET", "POST"])
def columns(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Ask what each column is; then have the file checked."""
    now = timezone.now()
    found = queries.batch(request.actor, uid, at=now)
    error = ""
    if request.method == "POST":
        try:
            if request.POST.get("sheet") and request.POST["sheet"] != found.sheet:
                services.choose_sheet(actor=request.actor, uid=uid, sheet=request.POST["sheet"], now=now)
                return redirect("exchange:columns", uid=uid)
            services.set_mapping(
                actor=request.actor, uid=uid, version=_whole(request.POST.get("version")), chosen=_chosen(request),
                options={**{o.code: request.POST.get(o.code) == "on" for o in KINDS[found.kind].options}, "from_day": _day(request)}, now=now,
            )  # fmt: skip
            services.start_check(actor=request.actor, uid=uid, now=now)
            return redirect("exchange:batch", uid=uid)
        except (Invalid, services.NoHeading) as refusal:
            error = " ".join([refusal.sentence, *_sentences(refusal)])
            found.mapping = {str(column): code for column, code in _chosen(request).items()}
    days = loading.year_days(found.school_year)
    values = {
        "batch": found, "kind": KINDS[found.kind], "columns": queries.columns(found), "error": error, "sheets": found.preview.get("sheets", []),
        "options": [{"option": one, "is_on": found.options.get(one.code, one.default)} for one in KINDS[found.kind].options],
        "from_day": found.options.get("from_day", days[0].isoformat()), "days": days,
    }  # fmt: skip
    return render(request, "exchange/columns.html", values, status=422 if error else 200)


def _sentences(refusal: DomainError) -> list[str]:
    fields = refusal.facts.get("fields", {})
    return [] if "fields_text" in refusal.facts else [sentence for sentences in fields.values() for sentence in sentences]


def _chosen(request: HttpRequest) -> dict[int, str]:
    asked = {text.whole(name[1:]): str(value) for name, value in request.POST.items() if name[:1] == "c" and value}
    return {column: value for column, value in asked.items() if column is not None}


def _whole(value: str | None) -> int | None:
    return text.whole(value)


def _day(request: HttpRequest) -> date | str:
    return request.POST.get("from_day", "")


@require_POST
def check(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Check the file again, for instance after a class was added."""
    services.start_check(actor=request.actor, uid=uid, now=timezone.now())
    return redirect("exchange:batch", uid=uid)


@require_POST
def apply(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Write what the dry run showed."""
    services.start_apply(actor=request.actor, uid=uid, now=timezone.now(), is_confirmed=request.POST.get("is_confirmed") == "on")
    return redirect("exchange:batch", uid=uid)


@require_http_methods(["GET", "POST"])
def undo(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Say what undoing means, then undo."""
    now = timezone.now()
    if request.method == "POST":
        services.start_undo(actor=request.actor, uid=uid, now=now, why=request.POST.get("why", "")[:300])
        return redirect("exchange:batch", uid=uid)
    found = queries.batch(request.actor, uid, at=now)
    return render(request, "exchange/undo.html", {"batch": found, "kind": KINDS[found.kind]})


@require_http_methods(["GET", "POST"])
def result(request: HttpRequest, uid: UUID) -> HttpResponse | FileResponse:
    """Give the result file; a large batch's is made when asked for."""
    now = timezone.now()
    if request.method == "POST":
        job = services.start_result(actor=request.actor, uid=uid, now=now)
        return redirect("job", uid=job.uid)
    found = queries.batch(request.actor, uid, at=now)
    if found.result_file is None:
        return render(request, "exchange/result.html", {"batch": found})
    content = files.read(found.result_file)
    response = FileResponse(iter([content]), content_type=results.CONTENT_TYPE, as_attachment=True, filename=found.result_file.name)
    response["Content-Length"] = str(len(content))
    return response
