"""Forms of the teaching assignment."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from khue.register.staff.models import Post


class AssignForm(forms.Form):
    """Who teaches a subject to a class, how many periods a week, from which day."""

    post = forms.ChoiceField(label=_("Giáo viên"))
    periods = forms.IntegerField(label=_("Số tiết mỗi tuần"), min_value=0, max_value=30)
    from_day = forms.DateField(label=_("Từ ngày"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    replaces = forms.BooleanField(label=_("Thay giáo viên đang dạy"), required=False, help_text=_("Phân công đang có kết thúc từ ngày này."))

    def __init__(self, *args: object, posts: Sequence[Post], is_taught: bool, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["post"].choices = [(str(post.uid), post.short_name or post.person.name) for post in posts]  # type: ignore[attr-defined]
        if not is_taught:
            del self.fields["replaces"]


class ChangeForm(forms.Form):
    """Change the periods of an assignment, or end it."""

    periods = forms.IntegerField(label=_("Số tiết mỗi tuần"), min_value=0, max_value=30)
