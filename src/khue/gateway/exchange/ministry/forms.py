"""The form that asks for a school year."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from khue.register.fields.sections import LEVELS


class AskForm(forms.Form):
    """Which school year, in which forms."""

    school_year = forms.IntegerField(label=_("Năm học bắt đầu"), min_value=2000, max_value=2200, help_text=_("Ví dụ 2025 là năm học 2025–2026."))
    xlsx = forms.BooleanField(label=_("Kèm bảng tính XLSX"), required=False, initial=True, help_text=_("Tệp JSON luôn có. Bảng tính của cả tỉnh mất thêm thời gian."))


class TakeForm(forms.Form):
    """A file of records to take in."""

    file = forms.FileField(label=_("Tệp"), help_text=_("Gói ZIP của tệp gửi Bộ, một tệp JSON hoặc một bảng tính XLSX của một cấp."))
    school_year = forms.IntegerField(label=_("Năm học bắt đầu"), min_value=2000, max_value=2200)
    level = forms.ChoiceField(label=_("Cấp học (khi tên tệp không cho biết)"), choices=[("", _("Theo tên tệp")), *LEVELS.items()], required=False)
    unit = forms.CharField(label=_("Mã trường cao đẳng, đại học"), max_length=20, required=False, help_text=_("Chỉ với bản ghi cấp đại học."))
