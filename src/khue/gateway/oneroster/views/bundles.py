"""The page of bundles: ask for one, bring one in; and the door a bundle leaves through."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from khue.gateway.oneroster import bundle, queries, services, work
from khue.gateway.sync import doors
from khue.kernel import files, permissions
from khue.kernel.errors import Invalid, NotFound
from khue.kernel.files.models import StoredFile
from khue.kernel.jobs.models import Job


class BringForm(forms.Form):
    """A bundle to bring in."""

    file = forms.FileField(
        label=lazy("Gói OneRoster (ZIP)"), help_text=lazy("Phiên bản 1.1 hoặc 1.2, nhiều nhất 30 MB. Xem trước từng dòng rồi mới ghi."),
        widget=forms.ClearableFileInput(attrs={"accept": ".zip"}),
    )  # fmt: skip
    school_code = forms.CharField(label=lazy("Mã trường"), max_length=20, required=False)


@require_http_methods(["GET", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """Ask for a school's bundle, or bring one in."""
    now, actor = timezone.now(), request.actor
    permissions.demand(actor, "oneroster.import" if permissions.holds(actor, "oneroster.import") else "oneroster.export", on=permissions.ANYWHERE, at=now)
    form = BringForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        school = queries.school_of(actor, form.cleaned_data["school_code"].strip())
        if form.cleaned_data["file"].size > bundle.LARGEST:
            form.add_error("file", _("Tệp lớn hơn 30 MB."))
        else:
            try:
                staged = services.bring(actor=actor, school=school, content=form.cleaned_data["file"].read(), name=form.cleaned_data["file"].name, now=now)
            except (bundle.NotABundle, bundle.OfAnotherSchool) as refusal:
                form.add_error("file", f"{refusal.sentence} {refusal.next_step}")
            else:
                if staged.without_class:
                    messages.warning(request, _("%(count)s học sinh có hai lớp nên chưa đưa vào danh sách.") % {"count": staged.without_class})
                messages.success(request, _("Đã tách gói thành các danh sách. Hãy xem trước: lớp trước, học sinh sau."))
                return redirect("exchange:batches")
    own = actor.schools is not None and len(actor.schools) == 1
    if own:
        del form.fields["school_code"]
    values = {"form": form, "own": own, "may_export": permissions.holds(actor, "oneroster.export"), "may_import": permissions.holds(actor, "oneroster.import")}
    return render(request, "oneroster/index.html", values, status=422 if form.errors else 200)


@require_POST
def ask(request: HttpRequest) -> HttpResponse:
    """Start writing a bundle."""
    school = queries.school_of(request.actor, request.POST.get("school_code", "").strip()[:20])
    try:
        since = forms.DateField(required=False).clean(request.POST.get("since", "").strip()[:20])
    except forms.ValidationError as error:
        raise Invalid(fields={"since": [_("Ngày này không hợp lệ.")]}) from error
    job = services.ask(actor=request.actor, school=school, with_marks=request.POST.get("marks") == "on", now=timezone.now(), since=since)
    return redirect("job", uid=job.uid)


@require_safe
def take(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Give out a bundle somebody of the place asked for: counted, with a ceiling."""
    now, actor = timezone.now(), request.actor
    permissions.demand(actor, "oneroster.export", on=permissions.ANYWHERE, at=now)
    job = Job.objects.filter(uid=uid, kind=work.EXPORT, account_id=actor.account_id, state=Job.State.DONE).first()
    if job is None:
        raise NotFound()
    permissions.demand(actor, "oneroster.export", on=job, at=now)
    kept = StoredFile.objects.filter(pk=job.result.get("file") or 0).first()
    if kept is None:
        raise NotFound()
    doors.take(actor, "oneroster.bundle.take", records=int(job.result["records"]), at=now, on=kept)
    response = HttpResponse(files.read(kept), content_type=kept.content_type)
    response["Content-Disposition"] = f'attachment; filename="{kept.name}"'
    return response
