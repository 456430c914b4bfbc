"""Pages of the synchronisation: channels, one channel with its turns and dead letters, subscriptions to events."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from khue.gateway.sync import doors, forms, queries, services
from khue.gateway.sync.exposed import EXPOSED
from khue.gateway.sync.models import SyncChannel, SyncFile
from khue.gateway.sync.records import OBJECTS
from khue.kernel import files, permissions, text
from khue.kernel.errors import Invalid
from khue.province.periods.models import RecordKind


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the channels with the share of schools synchronised on each."""
    found = queries.channels(request.actor, at=timezone.now())
    values = {"lines": [_line(one) for one in found], "may_manage": permissions.holds(request.actor, "sync.manage")}
    return render(request, "sync/index.html", values)


def _line(one: queries.Line) -> dict[str, Any]:
    held = one.channel
    if not held.is_active:
        state, tone = _("Tạm dừng"), ""
    elif held.last_error:
        state, tone = _("Chưa nối được"), "bad"
    elif one.dead:
        state, tone = _("Có bản ghi bị từ chối"), "warn"
    elif one.is_equal is False and not one.waiting:
        state, tone = _("Hai bên lệch số"), "warn"
    elif one.waiting:
        state, tone = _("Đang chờ gửi"), "info"
    elif one.turn is None:
        state, tone = _("Chưa chạy lần nào"), ""
    else:
        state, tone = _("Đã khớp"), "good"
    return {"line": one, "channel": held, "state": state, "tone": tone}


@require_safe
def channel(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show one channel: both ends' counters, the latest turns, dead letters to look at and send again."""
    now = timezone.now()
    found, turns = queries.channel(request.actor, uid, at=now)
    first = _whole(request.GET.get("tu"))
    letters = queries.letters(request.actor, found.channel, at=now, first=first) if found.dead else []
    turn = found.turn
    counts = [
        {"name": RecordKind(name).label, "ours": turn.ours.get(name, 0), "theirs": turn.theirs.get(name, 0) if turn.theirs else None}
        for name in OBJECTS if turn and (name in turn.ours or name in turn.theirs)
    ]  # fmt: skip
    by_hand = found.channel.adapter == SyncChannel.Adapter.XLSX
    # A channel carried by hand has files in the place of turns' counters: the page stays at six statements.
    made = list(SyncFile.objects.filter(channel=found.channel).select_related("file").order_by("-pk")[:30]) if by_hand and not found.dead else []
    values = {
        **_line(found), "letters": letters, "turns": turns, "counts": counts, "job": next((one.job for one in turns if one.job and not one.finished_at), None),
        "may_manage": permissions.holds(request.actor, "sync.manage"), "files": made, "by_hand": by_hand, "objects": {one.value: one.label for one in RecordKind},
        "first": first, "following": first + queries.PAGE if len(letters) == queries.PAGE else None,
    }  # fmt: skip
    return render(request, "sync/channel.html", values)


def _whole(value: str | None) -> int:
    return text.whole(value) or 0


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, uid: UUID | None = None) -> HttpResponse:
    """Make a channel or change one."""
    now = timezone.now()
    permissions.demand(request.actor, "sync.manage", at=now)
    held = queries.channel(request.actor, uid, at=now)[0].channel if uid is not None else None
    start = forms.initial(held) if held else {"levels": ["primary", "lower_secondary", "upper_secondary"], "objects": ["school", "class", "staff", "learner"]}
    form = forms.ChannelForm(request.POST or None, initial=start, channel=held)
    if request.method == "POST" and form.is_valid():
        try:
            if held is None:
                made = services.open_channel(actor=request.actor, code=form.cleaned_data["code"], told=form.told(), now=now)
            else:
                made = services.change_channel(actor=request.actor, uid=held.uid, version=_whole(request.POST.get("version")), told=form.told(), now=now)
            return redirect("sync:channel", uid=made.uid)
        except Invalid as refusal:
            _put(form, refusal)
    return render(request, "sync/edit.html", {"form": form, "channel": held}, status=422 if form.errors else 200)


def _put(form: Any, refusal: Invalid) -> None:
    for name, sentences in refusal.facts.get("fields", {}).items():
        form.add_error(name if name in form.fields else None, sentences)


@require_POST
def run(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Start a turn."""
    return redirect("job", uid=services.start_turn(actor=request.actor, uid=uid, now=timezone.now()).uid)


@require_POST
def reconcile(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Start a comparison record by record."""
    return redirect("job", uid=services.start_reconcile(actor=request.actor, uid=uid, now=timezone.now()).uid)


@require_POST
def check(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Ask the receiver whether it is there."""
    services.check(actor=request.actor, uid=uid, now=timezone.now())
    messages.success(request, _("Đã nối được với bên nhận."))
    return redirect("sync:channel", uid=uid)


@require_POST
def resend(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Send dead letters again: those ticked, or all."""
    chosen = None if request.POST.get("tat-ca") else [UUID(one) for one in request.POST.getlist("n") if _is_uid(one)]
    count = services.resend(actor=request.actor, uid=uid, letters=chosen, now=timezone.now())
    messages.success(request, ngettext("%(count)s bản ghi được gửi lại.", "%(count)s bản ghi được gửi lại.", count) % {"count": count})
    return redirect("sync:channel", uid=uid)


def _is_uid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


@require_safe
def workbook(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Give out a workbook of a channel carried by hand: a door, counted and with a ceiling."""
    now = timezone.now()
    found = queries.file(request.actor, uid, at=now)
    doors.take(request.actor, "sync.file.take", records=found.records, at=now, on=found.file, channel=found.channel.code)
    response = HttpResponse(files.read(found.file), content_type=found.file.content_type)
    response["Content-Disposition"] = f'attachment; filename="{found.file.name}"'
    return response


# -- subscriptions -----------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def subscriptions(request: HttpRequest) -> HttpResponse:
    """List the subscriptions; take a new one and show its secret this once."""
    now = timezone.now()
    permissions.demand(request.actor, "sync.webhooks", at=now)
    form = forms.SubscriptionForm(request.POST or None)
    secret, made = "", None
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            made, secret = services.subscribe(
                actor=request.actor, name=told["name"], address=told["address"], kinds=told["kinds"], unit_code=told["unit_code"], now=now
            )
            form = forms.SubscriptionForm()
        except Invalid as refusal:
            _put(form, refusal)
    rows = [
        {"one": one, "kinds": [EXPOSED[kind].title if kind in EXPOSED else kind for kind in one.held.kinds]} for one in queries.subscriptions(request.actor, at=now)
    ]
    values = {"form": form, "rows": rows, "secret": secret, "made": made}
    response = render(request, "sync/subscriptions.html", values, status=422 if form.errors else 200)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
def subscription_state(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Pause a subscription or take it up again."""
    services.set_active(
        actor=request.actor, uid=uid, version=_whole(request.POST.get("version")), is_active=request.POST.get("dung") == "co", now=timezone.now()
    )
    return redirect("sync:subscriptions")


@require_POST
def redeliver(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Send given-up deliveries again."""
    count = services.redeliver(actor=request.actor, uid=uid, now=timezone.now())
    messages.success(request, ngettext("%(count)s lần báo được gửi lại.", "%(count)s lần báo được gửi lại.", count) % {"count": count})
    return redirect("sync:subscriptions")
