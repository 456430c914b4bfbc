"""Pages of periods: list, a period's form, its board, a school's submission, what differs."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from khue.kernel import audit, permissions, text
from khue.kernel.errors import Invalid, NotFound
from khue.kernel.permissions.loading import local_day
from khue.province.periods import comparing, forms, queries, services, signing
from khue.province.periods.models import RecordKind, ReportPeriod, State, Submission
from khue.register.fields.checking import PROBLEMS
from khue.register.orgs.models import Level
from khue.register.people.models import Person
from regulations import calendar

LEVELS = {level.value: level.label for level in Level}
WHAT_TONES = {comparing.ADDED: "good", comparing.REMOVED: "bad", comparing.CHANGED: "warn"}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the periods with how far the schools of the actor's place have come."""
    now = timezone.now()
    found = queries.periods(request.actor, at=now)
    own = request.actor.schools is not None and len(request.actor.schools) == 1
    values = {
        "lines": [{"line": one, "tone": queries.PERIOD_TONES[ReportPeriod.State(one.period.state)]} for one in found],
        "may_manage": permissions.holds(request.actor, "periods.manage"), "own": own,
    }  # fmt: skip
    return render(request, "periods/index.html", values)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, uid: UUID | None = None) -> HttpResponse:
    """Open a period, or change one that is not frozen."""
    now = timezone.now()
    permissions.demand(request.actor, "periods.manage", at=now)
    held = queries.period(request.actor, uid, at=now) if uid is not None else None
    start = forms.initial(held) if held is not None else _usual(now)
    form = forms.PeriodForm(request.POST or None, initial=start, period=held)
    if request.method == "POST" and form.is_valid():
        try:
            if held is None:
                made = services.open_period(actor=request.actor, plan=form.plan(), now=now)
            else:
                made = services.change_period(actor=request.actor, uid=held.uid, version=_whole(request.POST.get("version")), plan=form.plan(), now=now)
            return redirect("periods:board", uid=made.uid)
        except Invalid as refusal:
            for name, sentences in refusal.facts.get("fields", {}).items():
                form.add_error(name if name in form.fields else None, sentences)
        except services.OneAYear as refusal:
            form.add_error("kind", f"{refusal.sentence} {refusal.next_step}")
    values = {"form": form, "period": held}
    return render(request, "periods/edit.html", values, status=422 if form.errors else 200)


def _usual(now: datetime) -> dict[str, Any]:
    """Return what most periods are: the start of the year with its usual days; all of it is changed in the form."""
    year = calendar.school_year_of(local_day(now))
    day = local_day(now) + timedelta(7)
    at = timezone.make_aware(datetime.combine(day, time(23, 0)))
    return {
        "kind": "start", "school_year": year, "reference_on": day, "freezes_at": at, "due_school": day + timedelta(5),
        "due_commune": day + timedelta(15), "due_province": day + timedelta(30), "levels": ["primary", "lower_secondary", "upper_secondary"],
        "objects": ["school", "class", "staff", "learner"],
    }  # fmt: skip


def _whole(value: str | None) -> int:
    return text.whole(value) or 0


@require_safe
def board(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show who has signed, who is late, who was returned; let an officer confirm what she has looked at."""
    now = timezone.now()
    told = request.GET
    found = queries.board(
        request.actor, uid, at=now, state=told.get("tt", "") if told.get("tt", "") in (*State.values, queries.LATE) else "",
        words=told.get("tim", "")[:80], body=_whole(told.get("cap")) or None, first=_whole(told.get("tu")),
    )  # fmt: skip
    day = local_day(now)
    rows = [
        {"held": one, "tone": queries.TONES[State(one.state)], "is_late": queries.is_late(one, day), "records": sum(one.snapshot.counts.values())}
        for one in found.rows
    ]
    stats = [{"state": one.value, "label": one.label, "count": found.counts[one.value]} for one in State]
    values = {
        "board": found, "period": found.period, "rows": rows, "stats": stats, "late": found.counts["late"], "total": found.counts["total"],
        "dues": [(_tier(kind), queries.due(found.period, kind)) for kind in services.TIERS if kind.value in found.period.dues],
        "levels": [LEVELS[one] for one in found.period.levels], "objects": [RecordKind(one).label for one in found.period.objects_taken],
        "tone": queries.PERIOD_TONES[ReportPeriod.State(found.period.state)], "job": found.period.job,
        "may_manage": permissions.holds(request.actor, "periods.manage"),
        "may_check": permissions.holds(request.actor, "periods.check") and found.state == State.CHECKING,
        "records": [{"name": _counted(name), "count": count} for name, count in found.period.counts.items() if name != "schools"],
    }  # fmt: skip
    return render(request, "periods/board.html", values)


def _tier(kind: str) -> str:
    return {"school": _("Trường"), "commune": _("Xã, phường"), "district": _("Huyện"), "province": _("Sở")}.get(kind, kind)


def _counted(name: str) -> str:
    level, _dot, object_ = name.partition(".")
    return f"{queries.OBJECTS.get(object_, object_)} · {LEVELS.get(level, level)}"


@require_POST
def freeze(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Freeze at once."""
    services.freeze_now(actor=request.actor, uid=uid, now=timezone.now())
    return redirect("periods:board", uid=uid)


@require_POST
def close(request: HttpRequest, uid: UUID) -> HttpResponse:
    """End the period."""
    services.close_period(actor=request.actor, uid=uid, now=timezone.now())
    return redirect("periods:board", uid=uid)


@require_POST
def confirm(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Confirm the submissions ticked on a board, all or none."""
    chosen = [(str(UUID(name)), _whole(version)) for name, _at, version in (item.partition("@") for item in request.POST.getlist("n")) if _is_uid(name)]
    if not chosen:
        raise Invalid(fields={"n": [_("Hãy chọn ít nhất một trường.")]})
    services.confirm(actor=request.actor, documents=chosen, reason=request.POST.get("reason", ""), now=timezone.now())
    return redirect("periods:board", uid=uid)


def _is_uid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


@require_safe
def submission(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show one school in one period: what was frozen, what is missing in it, who did what, what to do now."""
    now = timezone.now()
    found = queries.submission(request.actor, uid, at=now)
    held, snapshot = found.held, found.held.snapshot
    signature = getattr(snapshot, "signature", None)
    if signature is not None:
        signature.submission, signature.snapshot = held, snapshot
    wrong = signing.problems(signature, now=now) if signature is not None else ()
    values = {
        "held": held, "snapshot": snapshot, "period": held.period, "tone": queries.TONES[State(held.state)], "is_late": queries.is_late(held, local_day(now)),
        "due": queries.due(held.period, "school"), "path": _path(held), "signature": signature, "problems": wrong,
        "counts": [{"name": _counted(name), "count": count} for name, count in snapshot.counts.items()],
        "faults": [_fault(one) for one in snapshot.faults[:12]], "more_faults": max(0, len(snapshot.faults) - 12),
        "fault_count": sum(one["count"] for one in snapshot.faults), "snapshots": found.snapshots, "comparison": found.comparison,
        "later": _totals(found.comparison.totals) if found.comparison else [],
        "acts": [_line(one) for one in found.acts], "is_open": held.period.state == ReportPeriod.State.FROZEN,
    }  # fmt: skip
    return render(request, "periods/submission.html", values)


def _path(held: Submission) -> list[dict[str, Any]]:
    done = held.step if held.state in (State.CHECKING, State.CONFIRMED) else 0
    return [
        {"name": name, "is_done": n < done, "is_now": held.state == State.CHECKING and n == held.step} for n, name in enumerate(held.path_names)
    ]


def _fault(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "object": f"{queries.OBJECTS.get(one['object'], one['object'])} · {LEVELS.get(one['level'], one['level'])}", "symbol": one["symbol"],
        "name": queries.label(one["level"], one["object"], one["symbol"]), "problem": PROBLEMS.get(one["problem"], one["problem"]), "count": one["count"],
    }  # fmt: skip


def _line(one: Any) -> dict[str, Any]:
    what = f"{one.get_act_display()} ({_('lần')} {one.snapshot.number})" if one.act in ("freeze", "refreeze") else one.get_act_display()
    who = " · ".join(filter(None, [one.actor_name or _("Hệ thống"), one.unit.name if one.unit else ""]))
    return {"at": one.at, "who": who, "what": what, "detail": one.text}


def _totals(totals: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    return [{"name": _counted(name), "object": name.partition(".")[2], **counts} for name, counts in totals.items()]


@require_safe
def difference(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show what a re-submission changed, or what was corrected since a snapshot was frozen."""
    now = timezone.now()
    number = _whole(request.GET.get("lan")) or None
    object_ = request.GET.get("doi_tuong", "")
    found = queries.difference(request.actor, uid, at=now, number=number, object_=object_ if object_ in queries.OBJECTS else "", first=_whole(request.GET.get("tu")))
    codes = {_person_code(one) for one in found.rows} - {""}
    people = {code: (pk, name, school) for pk, code, name, school in Person.objects.filter(code__in=codes).values_list("pk", "code", "name", "school_id")} if codes else {}
    audit.looked(request, [(pk, school or found.held.school_id) for pk, _name, school in people.values()], "submission")
    rows = [
        {
            "object": f"{queries.OBJECTS.get(one.object, one.object)} · {LEVELS.get(one.level, one.level)}", "key": one.key,
            "name": people[_person_code(one)][1] if _person_code(one) in people else "", "what": one.what, "tone": WHAT_TONES[one.what],
            "fields": [
                {"name": queries.label(one.level, one.object, symbol), "symbol": symbol, "before": queries.told(before), "after": queries.told(after)}
                for symbol, before, after in one.fields
            ],
        }
        for one in found.rows
    ]  # fmt: skip
    values = {"found": found, "held": found.held, "period": found.held.period, "rows": rows, "totals": _totals(found.totals), "number": number, "object": object_}
    return render(request, "periods/difference.html", values)


def _person_code(one: comparing.Change) -> str:
    """Return the code of the person a record is of: keys of people's records begin or continue with it."""
    if one.object in ("staff", "learner"):
        return one.key
    return one.key.split(" ")[-2] if one.object == "result" and " " in one.key else ""


@require_safe
def statement(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Give the head's signed statement of the standing snapshot: hashes and counts, no person's data but the signer's name."""
    found = queries.submission(request.actor, uid, at=timezone.now())
    signature = getattr(found.held.snapshot, "signature", None)
    if signature is None:
        raise NotFound()
    response = HttpResponse(bytes(signature.xml), content_type="application/xml")
    response["Content-Disposition"] = f'attachment; filename="so-lieu-{found.held.school.code}-{found.held.snapshot.number}.xml"'
    return response


@require_POST
def sign(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Approve the signing of the snapshot the head was shown."""
    approval = services.approve(actor=request.actor, documents=[(str(uid), request.POST.get("sha256", ""))], now=timezone.now())
    return redirect("job", uid=approval.job.uid)


@require_POST
def act(request: HttpRequest, uid: UUID, what: str) -> HttpResponse:
    """Do one of the acts of a submission's page: confirm, return, ask for unlocking and decide it, freeze again, compare."""
    now, told, actor = timezone.now(), request.POST, request.actor
    version, reason = _whole(told.get("version")), told.get("reason", "")
    if what == "xac-nhan":
        services.confirm(actor=actor, documents=[(str(uid), version)], reason=reason, now=now)
    elif what == "tra-lai":
        services.send_back(actor=actor, uid=uid, version=version, remarks=reason, now=now)
    elif what == "xin-mo":
        services.ask_unlock(actor=actor, uid=uid, reason=reason, now=now)
    elif what in ("mo", "khong-mo"):
        services.decide_unlock(actor=actor, uid=uid, version=version, is_granted=what == "mo", reason=reason, now=now)
    elif what == "chot-lai":
        return redirect("job", uid=services.freeze_again(actor=actor, uid=uid, reason=reason, now=now).uid)
    elif what == "so-lai":
        return redirect("job", uid=services.compare(actor=actor, uid=uid, now=now).uid)
    else:
        raise NotFound()
    return redirect("periods:submission", uid=uid)
