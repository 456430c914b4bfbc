"""What pages of the tree read from an address: days, kinds. Nothing here writes."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from khue.kernel import text
from khue.register.orgs.days import EARLIEST, LATEST, day_of
from khue.register.orgs.models import Level, UnitKind

__all__ = ["day_of"]


SLIDER_FROM = 2020
"""The year the slider of months begins in; earlier days are typed."""


def month_of(request: HttpRequest, name: str, default: date) -> date:
    """Return the first day of the month a GET parameter counts from January of SLIDER_FROM; the default for anything else."""
    months = text.whole(request.GET.get(name))
    if months is None or not 0 <= months < 12 * (LATEST.year - SLIDER_FROM):
        return default
    return date(SLIDER_FROM + months // 12, months % 12 + 1, 1)


def slider(day: date, today: date) -> dict[str, int]:
    """Return the slider's last month, the month it stands at, and the year it begins in."""
    last = (today.year - SLIDER_FROM) * 12 + today.month - 1
    return {"last": last, "at": max(0, min(last, (day.year - SLIDER_FROM) * 12 + day.month - 1)), "year": SLIDER_FROM}



def uid_of(request: HttpRequest, name: str) -> UUID | None:
    """Return the uid a GET parameter names, or None."""
    try:
        return UUID(request.GET.get(name, ""))
    except ValueError:
        return None


class ChangeForm(forms.Form):
    """What every change of the tree says: from which day, and by which decision or why."""

    on = forms.DateField(label=_("Từ ngày"), help_text=_("Ví dụ: 01/09/2026"))
    reason = forms.CharField(
        label=_("Căn cứ, lý do"), min_length=5, max_length=300, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Số quyết định và nội dung, ví dụ: Quyết định 123/QĐ-UBND ngày 20/8/2026."),
    )  # fmt: skip
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def clean_on(self) -> date:
        """Return a day of the calendar the tree keeps."""
        on: date = self.cleaned_data["on"]
        if not EARLIEST <= on < LATEST:
            raise forms.ValidationError(_("Ngày này không hợp lệ."))
        return on


class OpenForm(ChangeForm):
    """Open a unit under another."""

    kind = forms.ChoiceField(label=_("Loại đơn vị"), choices=[one for one in UnitKind.choices if one[0] != UnitKind.MINISTRY])
    name = forms.CharField(label=_("Tên"), max_length=200)
    code = forms.CharField(
        label=_("Mã"), max_length=20, required=False,
        help_text=_("Tỉnh, huyện, xã nhập mã theo danh mục Nhà nước; trường để trống, hệ thống cấp mã."),
    )  # fmt: skip
    levels = forms.MultipleChoiceField(
        label=_("Cấp học"), choices=Level.choices, required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("Chỉ chọn cho trường và trung tâm."),
    )  # fmt: skip
    address = forms.CharField(label=_("Địa chỉ"), max_length=250, required=False)
    field_order = ("kind", "name", "code", "levels", "address", "on", "reason", "version")


class RenameForm(ChangeForm):
    """Give a unit another name."""

    name = forms.CharField(label=_("Tên mới"), max_length=200)
    field_order = ("name", "on", "reason", "version")


class MoveForm(ChangeForm):
    """Put a unit under another."""

    parent = forms.CharField(label=_("Mã đơn vị quản lý mới"), max_length=20, help_text=_("Mã xã, tỉnh hoặc đơn vị quản lý trường."))
    field_order = ("parent", "on", "reason", "version")


class CommuneForm(ChangeForm):
    """Let a school lie in another commune."""

    commune = forms.CharField(label=_("Mã xã mới"), max_length=20, help_text=_("Theo danh mục đơn vị hành chính, ví dụ 28765."))
    field_order = ("commune", "on", "reason", "version")


class CloseForm(ChangeForm):
    """End a unit."""


class AttributesForm(ChangeForm):
    """Change what a unit is besides name and place: holds at once."""

    on = None  # type: ignore[assignment]
    levels = forms.MultipleChoiceField(
        label=_("Cấp học"), choices=Level.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    address = forms.CharField(label=_("Địa chỉ"), max_length=250, required=False)
    field_order = ("levels", "address", "reason", "version")


class DecideForm(forms.Form):
    """Which commune a school of a divided area lies in."""

    commune = forms.CharField(label=_("Xã nơi trường đặt"), max_length=20)
