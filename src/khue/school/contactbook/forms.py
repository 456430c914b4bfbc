"""What the family pages take."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from khue.kernel.errors import DomainError, Invalid
from khue.school.contactbook.services import FIELDS


class DetailsForm(forms.Form):
    """Contact and health of a child: every field of `services.FIELDS`, empty where the school has nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in FIELDS.items():
            kinds = {"phone": "tel", "email": "email"}
            self.fields[name] = forms.CharField(
                label=field.title, max_length=field.length, required=False, widget=forms.TextInput(attrs={"type": kinds.get(name, "text")})
            )


class DecideForm(forms.Form):
    """Approve, or return with a remark."""

    remark = forms.CharField(
        label=_("Lời nhắn cho gia đình"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Cần có khi gửi lại."),
    )  # fmt: skip


def refuse(form: forms.Form, refusal: DomainError) -> None:
    """Say a refusal beside what was typed."""
    for name, sentences in refusal.facts.get("fields", {}).items() if isinstance(refusal, Invalid) else ():
        for sentence in sentences:
            form.add_error(name if name in form.fields else None, sentence)
    if not isinstance(refusal, Invalid):
        form.add_error(None, f"{refusal.sentence} {refusal.next_step}".strip())
