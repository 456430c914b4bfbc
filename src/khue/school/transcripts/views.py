"""Pages of transcripts: one query or one service each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from khue.kernel import audit, permissions, text
from khue.kernel.errors import Invalid, NotFound
from khue.kernel.permissions.loading import local_day
from khue.register.schooling.queries import school_year_of
from khue.school.transcripts import forms, queries, services
from khue.school.transcripts.models import Signing, State, Transcript
from khue.school.transcripts.permissions import OF_STEP

TONES = {
    State.DRAFT: "",
    State.LOCKED: "accent",
    State.HOMEROOM: "info",
    State.PRINCIPAL: "info",
    State.SEALED: "good",
    State.SUPERSEDED: "warn",
    State.REVOKED: "bad",
}
BUTTONS = {
    Signing.HOMEROOM: gettext_lazy("Ký với tư cách chủ nhiệm"),
    Signing.PRINCIPAL: gettext_lazy("Phê duyệt và ký"),
    Signing.SEAL: gettext_lazy("Đóng dấu của trường"),
}


def _year(request: HttpRequest) -> int:
    return text.whole(request.GET.get("nam"), low=1990, high=2200) or school_year_of(local_day(timezone.now()))


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the classes of a year with how far their transcripts are."""
    year = _year(request)
    lines = queries.classes(request.actor, school_year=year, now=timezone.now())
    several = len({line.group.school_id for line in lines}) > 1
    values = {"lines": lines, "year": year, "several": several, "years": range(year - 2, year + 2)}
    return render(request, "transcripts/index.html", values)


@require_safe
def class_sheet(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show a class's transcripts and what may be done for all of them."""
    sheet = queries.class_sheet(request.actor, str(uid), now=timezone.now())
    audit.looked(request, [(row.learner.pk, sheet.group.school_id) for row in sheet.rows], "transcripts")
    values = {
        "sheet": sheet,
        "group": sheet.group,
        "rows": [(row, row.transcript and TONES[State(row.transcript.state)]) for row in sheet.rows],
        "actions": [(action, BUTTONS[action.step]) for action in sheet.actions],
        "tallies": [(State(name).label, count, TONES[State(name)]) for name, count in sheet.counts.items()],
    }
    return render(request, "transcripts/class.html", values)


@require_POST
def prepare(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Make or renew the drafts of a class."""
    now = timezone.now()
    group = queries.group_of(request.actor, str(uid), now=now)
    done = services.prepare_class(actor=request.actor, group=group, now=now)
    messages.success(
        request,
        _("Đã lập %(created)s học bạ mới, cập nhật %(renewed)s bản nháp.")
        % {"created": done.created, "renewed": done.renewed},
    )
    if done.without_result:
        messages.warning(
            request,
            _("Chưa lập được cho học sinh chưa có kết quả cả năm: %(names)s.")
            % {"names": ", ".join(done.without_result[:10])},
        )
    return redirect("transcripts:class", uid=uid)


@require_http_methods(["GET", "POST"])
def approve(request: HttpRequest, uid: UUID, step: str) -> HttpResponse:
    """Show what an approval signs, then approve it and show the job."""
    if step not in Signing.values:
        raise NotFound()
    now = timezone.now()
    sheet = queries.class_sheet(request.actor, str(uid), now=now)
    permissions.demand(request.actor, OF_STEP[step], on=sheet.group, at=now)
    if request.method == "POST":
        pairs = [tuple(item.split(":", 1)) for item in request.POST.getlist("document") if ":" in item]
        batch = services.approve(
            actor=request.actor, group=sheet.group, step=step, now=now, documents=[(a, b) for a, b in pairs]
        )
        assert batch.job is not None
        return redirect("job", uid=batch.job.uid)
    action = next((item for item in sheet.actions if item.step == step), None)
    if action is None:
        raise services.NothingToSign()
    wanted = {document for document, _content in action.documents}
    values = {
        "sheet": sheet,
        "group": sheet.group,
        "action": action,
        "button": BUTTONS[Signing(step)],
        "rows": [row for row in sheet.rows if row.transcript and str(row.transcript.uid) in wanted],
        "signer": sheet.group.school.name if step == Signing.SEAL else request.actor.name,
    }
    return render(request, "transcripts/approve.html", values)


@require_safe
def transcript(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show one version of a transcript with its signatures and history."""
    page = queries.page(request.actor, str(uid), now=timezone.now())
    found = page.transcript
    audit.looked(request, [(found.learner_id, found.school_id)], "transcript")
    values = {
        "page": page,
        "transcript": found,
        "content": found.content,
        "subjects": [_with_commas(row) for row in found.content["subjects"]],
        "facts": _facts(found),
        "tone": TONES[State(found.state)],
        "versions": [(item, TONES[State(item.state)]) for item in page.versions],
        "history": _history(page),
    }
    return render(request, "transcripts/transcript.html", values)


def _with_commas(row: dict[str, str]) -> dict[str, str]:
    """Return a subject's row with its marks as the screen writes them."""
    return row | {name: row[name].replace(".", ",") for name in ("term1", "term2", "year", "retest")}


def _facts(found: Transcript) -> list[dict[str, Any]]:
    content = found.content
    facts = [
        (_("Học sinh"), content["learner"]["name"]),
        (_("Mã định danh"), content["learner"]["code"]),
        (_("Lớp"), content["class_group"]["name"]),
        (_("Trường"), content["school"]["name"]),
        (_("Kết quả học tập"), content["learning"]["year"]["text"]),
        (_("Kết quả rèn luyện"), content["conduct"]["year"]["text"]),
        (_("Khen thưởng"), content["award"]["text"]),
        (_("Cuối năm"), content["promotion"]["text"]),
    ]
    return [{"label": label, "value": value} for label, value in facts if value]


ACTS = {
    "transcripts.sign": gettext_lazy("Đã ký"),
    "transcripts.supersede": gettext_lazy("Được thay bằng phiên bản mới"),
    "transcripts.revoke": gettext_lazy("Thu hồi"),
    "transcripts.version.send-back": gettext_lazy("Trả lại để lập lại"),
}


def _history(page: queries.TranscriptPage) -> list[dict[str, Any]]:
    """Return the ledger's entries in words, newest first; names come from the signatures."""
    names = {item.step: item.signer_name for item in page.signatures}
    lines = []
    for entry in reversed(page.entries):
        data = entry.document["data"]
        step = data.get("step", "")
        what = ACTS.get(entry.act, entry.act)
        lines.append(
            {
                "at": entry.at,
                "who": names.get(step, ""),
                "what": format_lazy("{}: {}", what, Signing(step).label) if step else what,
                "detail": data.get("reason", ""),
            }
        )
    return lines


@require_safe
def copy(request: HttpRequest, uid: UUID, kind: str) -> HttpResponse:
    """Give out the PDF or XML of a transcript; each copy given out is noted."""
    now = timezone.now()
    given = queries.copy_of(request.actor, str(uid), kind, now=now)
    found = queries.transcript(request.actor, str(uid), now=now)
    audit.looked(request, [(found.learner_id, found.school_id)], f"transcript.{kind}")
    response = HttpResponse(given.data, content_type=given.content_type)
    response["Content-Disposition"] = f'attachment; filename="{given.name}"'
    response["Cache-Control"] = "private, no-store"
    return response


def _with_reason(
    request: HttpRequest, uid: UUID, act: Callable[..., Transcript], rights: Sequence[str], words: dict[str, Any]
) -> HttpResponse:
    """Ask for a reason, then do `act`; the form keeps what was typed. Only who holds one of `rights` sees it."""
    now = timezone.now()
    found = queries.transcript(request.actor, str(uid), now=now)
    held = [code for code in rights if permissions.allowed(request.actor, code, on=found, at=now)]
    permissions.demand(request.actor, (held or rights)[0], on=found, at=now)
    form = forms.ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            done = act(actor=request.actor, uid=str(uid), reason=form.cleaned_data["reason"], now=now)
            messages.success(request, words["done"])
            return redirect("transcripts:transcript", uid=done.uid)
        except Invalid as refusal:
            for sentence in refusal.facts["fields"]["reason"]:
                form.add_error("reason", sentence)
    values = {
        "form": form,
        "transcript": found,
        "back": reverse("transcripts:transcript", args=[uid]),
        **words,
    }
    return render(request, "transcripts/reason.html", values, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Begin a new version of a sealed transcript."""
    return _with_reason(request, uid, services.correct, ["transcripts.prepare"], {
        "title": _("Lập phiên bản mới của học bạ"),
        "lead": _("Bản đã ký vẫn có hiệu lực cho tới khi phiên bản mới được đóng dấu, và luôn được giữ lại."),
        "submit": _("Lập phiên bản mới"),
        "done": _("Đã lập phiên bản mới. Hãy xem lại rồi đề nghị ký."),
    })  # fmt: skip


@require_http_methods(["GET", "POST"])
def send_back(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Send a version back before it is sealed."""
    return _with_reason(request, uid, services.send_back, list(OF_STEP.values()), {
        "title": _("Trả lại học bạ để lập lại"),
        "lead": _("Phiên bản này dừng lại ở đây. Lần lập học bạ tiếp theo sẽ có phiên bản mới."),
        "submit": _("Trả lại học bạ này"),
        "done": _("Đã trả lại học bạ."),
    })  # fmt: skip


@require_http_methods(["GET", "POST"])
def revoke(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Revoke a sealed transcript."""
    return _with_reason(request, uid, services.revoke, ["transcripts.revoke"], {
        "title": _("Thu hồi học bạ"),
        "lead": _("Học bạ bị thu hồi không còn giá trị; ai quét mã trên bản in sẽ thấy điều đó. Việc này không hoàn lại được."),
        "submit": _("Thu hồi học bạ này"),
        "done": _("Đã thu hồi học bạ."),
        "is_danger": True,
    })  # fmt: skip
