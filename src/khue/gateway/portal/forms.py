"""Forms of the public pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

MOST_BYTES = 5 * 2**20


class TokenForm(forms.Form):
    """The code printed on a document."""

    code = forms.CharField(label=_("Mã xác minh"), max_length=60)

    def clean_code(self) -> str:
        """Return the code without blanks and dashes, in capitals."""
        return "".join(self.cleaned_data["code"].split()).replace("-", "").upper()


class CompareForm(forms.Form):
    """A file to compare with the one that was signed; it is hashed and thrown away."""

    file = forms.FileField(
        label=_("Tệp học bạ (PDF hoặc XML)"),
        help_text=_("Tối đa 5 MB. Tệp chỉ được so sánh rồi bỏ ngay, không lưu lại."),
        widget=forms.FileInput(attrs={"accept": ".pdf,.xml"}),
    )

    def clean_file(self) -> Any:
        """Return the file; refuses one that no transcript can be."""
        given: UploadedFile = self.cleaned_data["file"]
        if given.size is None or given.size > MOST_BYTES:
            raise forms.ValidationError(_("Tệp lớn hơn 5 MB nên không phải học bạ của hệ thống."))
        return given
