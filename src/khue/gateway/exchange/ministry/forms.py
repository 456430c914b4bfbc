"""The form that asks for a school year."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class AskForm(forms.Form):
    """Which school year, in which forms."""

    school_year = forms.IntegerField(label=_("Năm học bắt đầu"), min_value=2000, max_value=2200, help_text=_("Ví dụ 2025 là năm học 2025–2026."))
    xlsx = forms.BooleanField(label=_("Kèm bảng tính XLSX"), required=False, initial=True, help_text=_("Tệp JSON luôn có. Bảng tính của cả tỉnh mất thêm thời gian."))
