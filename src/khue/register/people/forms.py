"""What the pages of doubles take."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class ProposeForm(forms.Form):
    """Propose to merge two files."""

    keep = forms.ChoiceField(label=_("Hồ sơ giữ lại"), choices=[], widget=forms.RadioSelect)
    reason = forms.CharField(
        label=_("Căn cứ"), min_length=5, max_length=300, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Ví dụ: đã đối chiếu giấy khai sinh ngày 10/11/2025."),
    )  # fmt: skip

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["keep"].choices = choices  # type: ignore[attr-defined]


class ApartForm(forms.Form):
    """Say that two files are of two people."""

    reason = forms.CharField(label=_("Vì sao là hai người khác nhau"), min_length=5, max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


class DecideForm(forms.Form):
    """Decide over a proposed merge; the place that stands is asked only where both were placed on the same days."""

    standing = forms.ChoiceField(label=_("Chỗ học được giữ"), choices=[], required=False, widget=forms.RadioSelect)
    answer = forms.CharField(label=_("Ý kiến"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if choices:
            self.fields["standing"].choices = choices  # type: ignore[attr-defined]
        else:
            del self.fields["standing"]


class UndoForm(forms.Form):
    """Take a merge apart; rows that came since are named where they belong to the file that comes back."""

    also = forms.MultipleChoiceField(
        label=_("Những gì phát sinh sau khi gộp thuộc về hồ sơ được tách ra"), choices=[], required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("Phần không chọn ở lại hồ sơ giữ lại."),
    )  # fmt: skip
    reason = forms.CharField(label=_("Vì sao phải tách"), min_length=5, max_length=300, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if choices:
            self.fields["also"].choices = choices  # type: ignore[attr-defined]
        else:
            del self.fields["also"]
