"""The form of a period: its days for every kind of unit there is, what it takes, of which levels."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from khue.province.periods.models import PeriodKind, RecordKind, ReportPeriod
from khue.province.periods.services import TIERS, Plan
from khue.register.orgs.models import Level


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class PeriodForm(forms.Form):
    """What a period is; kind and school year are only asked for a new one."""

    kind = forms.ChoiceField(label=_("Loại kỳ"), choices=PeriodKind.choices)
    name = forms.CharField(label=_("Tên kỳ"), max_length=120, help_text=_("Ví dụ: Số liệu đầu năm học 2025–2026."))
    school_year = forms.IntegerField(label=_("Năm học bắt đầu"), min_value=2000, max_value=2200)
    reference_on = forms.DateField(label=_("Ngày số liệu"), widget=_day(), help_text=_("Số liệu nói về ngày này, ví dụ 30/9 hoặc 31/5."))
    freezes_at = forms.DateTimeField(
        label=_("Chốt lúc"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"], help_text=_("Đúng lúc này hệ thống chụp số liệu của mọi trường."),
    )  # fmt: skip
    due_school = forms.DateField(label=_("Hạn trường ký"), widget=_day())
    due_commune = forms.DateField(label=_("Hạn xã, phường xác nhận"), widget=_day(), required=False)
    due_district = forms.DateField(label=_("Hạn huyện xác nhận (kỳ trước 1/7/2025)"), widget=_day(), required=False)
    due_province = forms.DateField(label=_("Hạn Sở xác nhận"), widget=_day(), required=False)
    levels = forms.MultipleChoiceField(label=_("Cấp học"), choices=Level.choices, widget=forms.CheckboxSelectMultiple)
    objects = forms.MultipleChoiceField(label=_("Loại bản ghi"), choices=RecordKind.choices, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, period: ReportPeriod | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if period is not None:
            for name in ("kind", "school_year"):
                self.fields[name].disabled = True
                self.fields[name].initial = getattr(period, name)

    def plan(self) -> Plan:
        """Return the plan the form describes; call it on a valid form."""
        told = self.cleaned_data
        dues: dict[str, date] = {tier.value: told[f"due_{tier.value}"] for tier in TIERS if told.get(f"due_{tier.value}")}
        return Plan(
            told["kind"], told["name"], told["school_year"], told["reference_on"], told["freezes_at"], dues, told["levels"], told["objects"],
        )  # fmt: skip


def initial(period: ReportPeriod) -> dict[str, Any]:
    """Return the form's values of a period."""
    return {
        "kind": period.kind, "name": period.name, "school_year": period.school_year, "reference_on": period.reference_on,
        "freezes_at": period.freezes_at, "levels": period.levels, "objects": period.objects_taken,
        **{f"due_{tier}": date.fromisoformat(day) for tier, day in period.dues.items()},
    }  # fmt: skip
