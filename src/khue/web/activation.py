"""Taking an account into one's own hands with the code of a printed slip."""

from __future__ import annotations

from django import forms
from django.contrib.auth import login
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from khue.kernel.accounts import services
from khue.kernel.errors import DomainError, Invalid

TRIES, WINDOW = 30, 300
"""Wrong codes from one address within five minutes; a school behind one address opens accounts meanwhile."""


class TooManyTries(DomainError):
    """Too many wrong codes from one address."""

    code, status = "activation.too-many-tries", 429
    title = _("Đã nhập sai nhiều lần.")
    advice = _("Hãy đợi vài phút rồi nhập lại, hoặc hỏi nhà trường.")


class ActivationForm(forms.Form):
    """The code, and the password she chooses."""

    code = forms.CharField(label=_("Mã trên phiếu mời"), max_length=20, help_text=_("Ví dụ: ABCD-EFGH-JKMN"))
    password = forms.CharField(
        label=_("Mật khẩu tự chọn"), strip=False, max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Ít nhất 10 ký tự. Một câu dễ nhớ với mình thì tốt hơn một từ ngắn."),
    )  # fmt: skip
    again = forms.CharField(
        label=_("Nhập lại mật khẩu"), strip=False, max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip

    def clean(self) -> dict[str, str]:
        """Check that both are the same."""
        values = super().clean() or {}
        if values.get("password") and values.get("password") != values.get("again"):
            self.add_error("again", _("Hai lần nhập chưa giống nhau."))
        return values


@require_http_methods(["GET", "POST"])
def activate(request: HttpRequest) -> HttpResponse:
    """Ask for code and password; on success the person is signed in at once."""
    form = ActivationForm(request.POST if request.method == "POST" else None)
    counter = f"khue.activation.{request.META.get('REMOTE_ADDR', '')}"
    if request.method == "POST":
        if cache.get(counter, 0) >= TRIES:
            raise TooManyTries()
        if form.is_valid():
            try:
                account = services.activate(
                    code=form.cleaned_data["code"], password=form.cleaned_data["password"], now=timezone.now()
                )
                login(request, account, backend="allauth.account.auth_backends.AuthenticationBackend")
                return redirect("home")
            except services.CodeNotValid as refusal:
                cache.add(counter, 0, WINDOW)
                cache.incr(counter)
                form.add_error("code", f"{refusal.sentence} {refusal.next_step}")
            except Invalid as refusal:
                for sentence in refusal.facts["fields"]["password"]:
                    form.add_error("password", sentence)
    return render(request, "account/activate.html", {"form": form}, status=422 if form.errors else 200)
