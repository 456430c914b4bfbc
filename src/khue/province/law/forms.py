"""Forms of the tools."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from khue.kernel.errors import DomainError, Invalid
from khue.province.law import comparing, services
from regulations import assessment

MOST_BYTES = 64 * 1024


def rule_set_choices() -> list[tuple[str, str]]:
    """Return the rule sets that decide a learner's year: id and number with title."""
    return [(rules.id, f"{comparing.name_of(rules)} – {rules.title}") for rules in assessment.RULE_SETS]


class YearForm(forms.Form):
    """A school year, of one school or of the province."""

    year = forms.IntegerField(label=_("Năm học bắt đầu từ năm"), min_value=2007, max_value=2100)
    school = forms.CharField(
        label=_("Mã trường"), max_length=20, required=False, help_text=_("Để trống nếu muốn tính cả tỉnh.")
    )

    def clean_school(self) -> Any:
        """Return the school of the code, None for every school."""
        try:
            return services.school_of(self.cleaned_data["school"].strip())
        except Invalid as refusal:
            raise forms.ValidationError(refusal.facts["fields"]["school"]) from refusal


class CompareForm(YearForm):
    """Two rule sets, or one and a draft."""

    field_order = ("before", "after", "draft", "year", "school")
    before = forms.ChoiceField(label=_("Theo quy định"), choices=rule_set_choices)
    after = forms.ChoiceField(
        label=_("So với quy định"), choices=lambda: [("", _("– dùng tệp dự thảo bên dưới –")), *rule_set_choices()], required=False
    )
    draft = forms.FileField(
        label=_("Tệp dự thảo (JSON)"), required=False,
        help_text=_("Tối đa 64 kB. Dự thảo chỉ dùng để so sánh, không bao giờ thay kết quả chính thức."),
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
    )  # fmt: skip

    def clean_draft(self) -> Any:
        """Return the draft's data, None without a file."""
        given = self.cleaned_data["draft"]
        if not given:
            return None
        if given.size > MOST_BYTES:
            raise forms.ValidationError(_("Tệp lớn hơn 64 kB nên không phải tệp dự thảo."))
        try:
            return json.loads(given.read().decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(_("Tệp không phải JSON viết bằng UTF-8.")) from error

    def clean(self) -> dict[str, Any]:
        """Return the two sides as `sides`; refuse what decides nothing in common."""
        values = super().clean() or {}
        if self.errors:
            return values
        draft = values.get("draft")
        if bool(values.get("after")) == (draft is not None):
            self.add_error("after", _("Chọn một quy định để so, hoặc chọn tệp dự thảo; không chọn cả hai."))
            return values
        try:
            before = comparing.side_of(values["before"])
            after = comparing.draft_side(draft) if draft is not None else comparing.side_of(values["after"])
            comparing.grades_of(before, after)
        except DomainError as refusal:
            self.add_error("after" if draft is None else "draft", refusal.sentence)
            return values
        values["sides"] = (before, after)
        return values
