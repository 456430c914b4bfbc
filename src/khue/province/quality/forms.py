"""Forms of data quality: a rule, a day things are due."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from khue.province.quality.models import Deadline, Rule, Severity
from khue.register.fields.sections import LEVELS

PARAMETERS = {
    "younger": _("Học sớm tối đa (năm)"), "older": _("Học muộn tối đa (năm)"), "most": _("Tổng phần trăm tối đa"),
    "moving_days": _("Số ngày tối đa giữa hai trường"), "summer_days": _("Số ngày nghỉ hè tối đa"), **LEVELS,
}  # fmt: skip
"""What a number in a rule's parameters is called; parameters that are not numbers stay as they are."""


class RuleForm(forms.Form):
    """A rule: severity, whether it holds, its numbers, why it is changed."""

    severity = forms.ChoiceField(label=_("Mức độ"), choices=Severity.choices)
    is_on = forms.BooleanField(label=_("Đang áp dụng"), required=False)
    reason = forms.CharField(label=_("Lý do sửa"), max_length=300)

    def __init__(self, *args: Any, rule: Rule, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rule = rule
        for name, value in rule.parameters.items():
            if type(value) is int:
                self.fields[f"p_{name}"] = forms.IntegerField(label=PARAMETERS.get(name, name), min_value=0, max_value=10_000, initial=value)
        self.order_fields([*(name for name in self.fields if name != "reason"), "reason"])

    def parameters(self) -> dict[str, Any]:
        """Return the rule's parameters with the numbers typed."""
        return {name: self.cleaned_data.get(f"p_{name}", value) for name, value in self.rule.parameters.items()}


class DeadlineForm(forms.Form):
    """A day by which a term's registers are due."""

    term = forms.TypedChoiceField(label=_("Học kỳ"), choices=[(1, _("Học kỳ I")), (2, _("Học kỳ II"))], coerce=int)
    stage = forms.ChoiceField(label=_("Việc"), choices=Deadline.Stage.choices)
    level = forms.ChoiceField(label=_("Cấp học"), choices=[("", _("Mọi cấp")), *((k, v) for k, v in LEVELS.items() if k != "higher")], required=False)
    due_on = forms.DateField(label=_("Hạn"), widget=forms.DateInput(attrs={"type": "date"}))
