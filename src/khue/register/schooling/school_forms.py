"""What the pages of opening, merging and splitting schools take."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from khue.register.orgs.models import Level
from khue.register.schooling.reorganising.opening import MOST_CLASSES, TEMPLATES


class ReorganiseForm(forms.Form):
    """From which day, and by which decision."""

    on = forms.DateField(label=_("Từ ngày"), help_text=_("Hôm nay hoặc ngày đã qua."))
    reason = forms.CharField(
        label=_("Căn cứ, lý do"), min_length=5, max_length=300, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Số quyết định và nội dung, ví dụ: Quyết định 123/QĐ-UBND ngày 20/8/2026."),
    )  # fmt: skip


class OpenSchoolForm(ReorganiseForm):
    """Open a school from a template."""

    template = forms.ChoiceField(label=_("Mẫu"), choices=[(code, one.title) for code, one in TEMPLATES.items()])
    name = forms.CharField(label=_("Tên trường"), max_length=200)
    classes = forms.IntegerField(label=_("Số lớp mỗi khối"), min_value=0, max_value=MOST_CLASSES, initial=2)
    address = forms.CharField(label=_("Địa chỉ"), max_length=250, required=False)
    principal = forms.CharField(label=_("Họ tên hiệu trưởng"), max_length=120, required=False)
    clerk = forms.CharField(label=_("Họ tên văn thư, giáo vụ"), max_length=120, required=False)
    field_order = ("template", "name", "classes", "address", "principal", "clerk", "on", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].help_text = _("Ví dụ: 01/09/2026")


class MergeSchoolForm(ReorganiseForm):
    """Let another school take this one over."""

    target = forms.CharField(label=_("Mã trường nhận"), max_length=20)
    field_order = ("target", "on", "reason")


class SplitSchoolForm(ReorganiseForm):
    """Make a new school of some classes."""

    name = forms.CharField(label=_("Tên trường mới"), max_length=200)
    levels = forms.MultipleChoiceField(label=_("Cấp học"), choices=Level.choices, widget=forms.CheckboxSelectMultiple)
    classes = forms.MultipleChoiceField(label=_("Các lớp chuyển sang trường mới"), widget=forms.CheckboxSelectMultiple)
    address = forms.CharField(label=_("Địa chỉ"), max_length=250, required=False)
    field_order = ("name", "levels", "classes", "address", "on", "reason")

    def __init__(self, *args: Any, groups: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["classes"].choices = groups  # type: ignore[attr-defined]
