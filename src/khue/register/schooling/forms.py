"""Forms of classes, learners, transfers and whole schools."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from khue.register.orgs.models import Level, Unit
from khue.register.people.models import Kinship, Sex
from khue.register.schooling.models import ClassGroup
from khue.register.schooling.reorganising.opening import MOST_CLASSES, TEMPLATES


class ClassForm(forms.Form):
    """Open a class."""

    name = forms.CharField(label=_("Tên lớp"), max_length=60, help_text=_("Ví dụ: 7A2"))
    grade = forms.IntegerField(label=_("Khối"), min_value=1, max_value=12)


class LearnerForm(forms.Form):
    """First entry of a learner."""

    name = forms.CharField(label=_("Họ và tên"), max_length=120)
    born_on = forms.DateField(label=_("Ngày sinh"), help_text=_("Ví dụ: 05/09/2013"))
    sex = forms.ChoiceField(label=_("Giới tính"), choices=[(Sex.MALE, _("Nam")), (Sex.FEMALE, _("Nữ"))])
    personal_number = forms.CharField(
        label=_("Số định danh cá nhân"), max_length=20, required=False,
        help_text=_("Có thể để trống và bổ sung sau; học sinh vẫn được vào lớp ngay."),
    )  # fmt: skip
    birth_place = forms.CharField(label=_("Nơi sinh"), max_length=200, required=False)
    address = forms.CharField(label=_("Nơi ở hiện tại"), max_length=250, required=False)


class GuardianForm(forms.Form):
    """Name a guardian and get an invitation code."""

    name = forms.CharField(label=_("Họ và tên phụ huynh"), max_length=120)
    relation = forms.ChoiceField(label=_("Quan hệ"), choices=Kinship.Relation.choices)
    phone = forms.CharField(label=_("Điện thoại"), max_length=20, required=False)


class FindForm(forms.Form):
    """Find the learner a school is to receive: both must match exactly."""

    code = forms.CharField(label=_("Mã định danh của học sinh"), max_length=20)
    born_on = forms.DateField(label=_("Ngày sinh"), help_text=_("Ví dụ: 05/09/2013"))


class AskForm(forms.Form):
    """Ask for a transfer."""

    to_school = forms.ModelChoiceField(label=_("Trường chuyển đến"), queryset=Unit.objects.none(), to_field_name="uid")
    effective_on = forms.DateField(label=_("Ngày chuyển"))
    reason = forms.CharField(label=_("Lý do"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


class AcceptForm(forms.Form):
    """The receiving school names the class."""

    to_class = forms.ModelChoiceField(label=_("Xếp vào lớp"), queryset=ClassGroup.objects.none(), to_field_name="uid", required=False)


class ClassChangeForm(forms.Form):
    """Move a learner to another class of her grade in her school."""

    group = forms.ModelChoiceField(label=_("Lớp mới"), queryset=ClassGroup.objects.none(), to_field_name="uid")
    on = forms.DateField(label=_("Từ ngày"))
    reason = forms.CharField(label=_("Lý do"), min_length=5, max_length=300)


class LeaveForm(forms.Form):
    """End a learner's placement."""

    on = forms.DateField(label=_("Từ ngày"))
    closed = forms.ChoiceField(label=_("Vì"), choices=[("dropout", _("Thôi học")), ("leave", _("Bảo lưu"))])
    reason = forms.CharField(label=_("Lý do cụ thể"), max_length=300)


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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].help_text = _("Hôm nay, ngày đã qua, hoặc ngày sắp tới (được ghi kế hoạch và tự thực hiện đúng ngày).")


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
