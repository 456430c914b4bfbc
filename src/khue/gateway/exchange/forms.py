"""The form that takes a file."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from khue.gateway.exchange.kinds import KINDS


class UploadForm(forms.Form):
    """What kind of list, for which year, which file; for people above schools also which school."""

    kind = forms.ChoiceField(label=_("Tệp này là danh sách gì?"))
    file = forms.FileField(
        label=_("Tệp bảng tính"), help_text=_("Excel (.xlsx, .xls), LibreOffice (.ods) hoặc .csv, nhiều nhất 30 MB. Cứ dùng tệp đang có, không cần theo mẫu."),
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.xlsm,.xls,.ods,.csv,.txt"}),
    )  # fmt: skip
    school_year = forms.IntegerField(label=_("Năm học bắt đầu"), min_value=1990, max_value=2200)
    school_code = forms.CharField(label=_("Mã trường"), max_length=20)

    register = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: object, asks_school: bool, kinds: Sequence[str], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["kind"].choices = [(code, KINDS[code].title) for code in kinds]  # type: ignore[attr-defined]
        if not asks_school:
            del self.fields["school_code"]
