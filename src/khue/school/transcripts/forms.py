"""Forms of transcripts: a reason for what is final."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class ReasonForm(forms.Form):
    """Why a version is corrected, sent back or revoked; it stands on the new version and in the ledger."""

    reason = forms.CharField(
        label=_("Lý do"),
        min_length=5,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Lý do được lưu vĩnh viễn và phụ huynh, cơ quan quản lý đọc được."),
    )
