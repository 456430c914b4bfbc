"""Public pages: whether a transcript is genuine and in force. No sign-in, no marks, nothing kept."""

from __future__ import annotations

import hashlib

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from khue.gateway.portal.forms import CompareForm, TokenForm
from khue.kernel.errors import NotFound
from khue.kernel.sealing import checks, trust
from khue.school.transcripts import queries

PROBLEMS = {
    checks.DAMAGED: _("Tệp lưu trong hệ thống bị hỏng."),
    checks.CHANGED: _("Nội dung đã bị sửa sau khi ký."),
    checks.CHANGED_AFTER: _("Tệp có phần được thêm vào sau khi ký."),
    checks.MISSING: _("Thiếu chữ ký theo quy định."),
    checks.ORDER: _("Các chữ ký không theo đúng thứ tự."),
    checks.ROLE: _("Người ký không đúng vai trò theo quy định."),
    checks.ORGANISATION: _("Chữ ký không thuộc trường này."),
    checks.SAME_PERSON: _("Một người ký hai lần."),
    trust.EXPIRED: _("Chứng thư số đã hết hạn khi ký."),
    trust.NOT_YET_VALID: _("Chứng thư số chưa có hiệu lực khi ký."),
    trust.REVOKED: _("Chứng thư số đã bị thu hồi trước khi ký."),
    trust.UNTRUSTED: _("Không xác minh được nơi cấp chứng thư số."),
    queries.OTHER_CONTENT: _("Nội dung tệp khác với sổ đăng ký."),
    queries.OTHER_FILE: _("Chữ ký trong tệp khác với sổ đăng ký."),
}
OTHER_PROBLEM = _("Chữ ký số không hợp lệ.")

ANSWERS = {
    "same": ("good", _("Tệp này đúng từng byte với tệp đã ký và lưu trong hệ thống.")),
    "partly-signed": ("warn", _("Tệp này là bản lúc chưa ký đủ, không phải bản cuối cùng.")),
    "other-version": ("warn", _("Tệp này là một phiên bản khác của học bạ này.")),
    "unknown": (
        "bad",
        _("Tệp này không phải tệp đã ký: có thể đã bị sửa, in lại hoặc lưu lại bằng phần mềm khác."),
    ),
}


@require_http_methods(["GET", "POST"])
def enter(request: HttpRequest) -> HttpResponse:
    """Ask for the code printed on a document."""
    form = TokenForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            queries.public_status(form.cleaned_data["code"], now=timezone.now())
            return redirect("portal:verify", token=form.cleaned_data["code"])
        except NotFound:
            form.add_error("code", _("Không có học bạ nào với mã này. Hãy xem lại từng ký tự trên bản in."))
    return render(request, "portal/enter.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest, token: str) -> HttpResponse:
    """Show the standing of one version, and compare an uploaded file with it."""
    status = queries.public_status(token, now=timezone.now())
    form = CompareForm(request.POST, request.FILES) if request.method == "POST" else CompareForm()
    answer = None
    if form.is_valid():
        answer = ANSWERS[queries.compare(token, _digest(form.cleaned_data["file"]))]
    values = {
        "status": status,
        "problems": list(dict.fromkeys(PROBLEMS.get(code, OTHER_PROBLEM) for code in status.problems)),
        "form": form,
        "answer": answer,
        "checked_at": timezone.now(),
    }
    response = render(request, "portal/verify.html", values, status=422 if form.errors else 200)
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Cache-Control"] = "no-store"
    return response


def _digest(given: UploadedFile) -> str:
    digest = hashlib.sha256()
    for chunk in given.chunks():
        digest.update(chunk)
    return digest.hexdigest()
