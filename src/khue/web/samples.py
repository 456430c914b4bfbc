"""Sample data of the component page: invented, or hostile strings that must be shown literally."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.utils.translation import gettext_lazy as _

from khue.kernel.errors import Stale
from khue.kernel.jobs.models import Job

HOSTILE = "\"><script>window.pwned=1</script><img src=x onerror='window.pwned=1'>'{{ 7*7 }}javascript:window.pwned=1"
"""Executes if any template forgets to escape it, in text, in an attribute or in an address."""

AT = datetime(2025, 11, 10, 2, 0, tzinfo=UTC)


class SampleForm(forms.Form):
    """One field of each kind."""

    name = forms.CharField(label=_("Họ và tên"), help_text=_("Như trong giấy khai sinh."), max_length=120)
    group = forms.ChoiceField(label=_("Lớp"), choices=[("7a1", "7A1"), ("7a2", "7A2")])
    born_on = forms.DateField(label=_("Ngày sinh"), widget=forms.DateInput(attrs={"type": "date"}))
    note = forms.CharField(label=_("Ghi chú"), widget=forms.Textarea, required=False)
    sex = forms.ChoiceField(
        label=_("Giới tính"), choices=[("1", _("Nam")), ("2", _("Nữ"))], widget=forms.RadioSelect, help_text=_("Chọn một.")
    )
    subjects = forms.MultipleChoiceField(
        label=_("Môn tự chọn"), choices=[("en", _("Tiếng Anh")), ("it", _("Tin học"))],
        widget=forms.CheckboxSelectMultiple, required=False,
    )  # fmt: skip
    agreed = forms.BooleanField(label=_("Đã đối chiếu với hồ sơ giấy"))
    paper = forms.FileField(label=_("Bảng tính"), help_text=_("Tệp .xlsx hoặc .csv, tối đa 20 MB."), required=False)


def values(*, hostile: bool) -> dict[str, Any]:
    """Return what the component page shows; with `hostile` every text is the hostile string."""

    def text(plain: Any) -> Any:
        return HOSTILE if hostile else plain

    form = SampleForm({"name": text("Nguyễn Văn An"), "note": text("Mới chuyển đến"), "group": "7a2", "born_on": "31/02"})
    form.is_valid()
    who = text("Trần Thị Bình")
    people = [text(name) for name in ("Nguyễn Văn An", "Lê Hoàng Cường", "Phạm Thị Dung")]
    job = Job(title=text("Khoá sổ học kì I"), state=Job.State.RUNNING, total=1284, done=512, message=text("Đang khoá lớp 7A2"))
    return {
        "form": form,
        "who": who,
        "text": text("Lớp 7A2 có 45 học sinh"),
        "at": AT,
        "people": [{"name": name, "detail": text("7A2 · 861234567890"), "url": "#nguoi"} for name in people],
        "columns": [
            {"key": "name", "title": _("Học sinh")},
            {"key": "math", "title": _("Toán"), "is_number": True},
            {"key": "state", "title": _("Kết quả")},
        ],
        "rows": [{"name": name, "math": text("8,5"), "state": text("Đạt"), "url": "#hang"} for name in people],
        "timeline": [
            {"at": AT, "who": who, "what": text("Sửa điểm giữa kì Toán"), "detail": text("Lý do: chấm sót câu 4")},
            {"at": AT - timedelta(days=3), "who": who, "what": text("Vào điểm giữa kì Toán")},
        ],
        "changes": [
            {"label": text("Điểm giữa kì"), "before": text("6,5"), "after": text("7,0"), "who": who, "at": AT},
            {"label": text("Nhận xét"), "before": "", "after": text("Tiến bộ rõ"), "who": who, "at": AT},
        ],
        "consequences": [text("Khoá điểm của 45 học sinh lớp 7A2, 11 môn."), text("Sau khi khoá, sửa điểm phải có lãnh đạo duyệt.")],
        "tabs": [
            {"title": text("Điểm"), "url": "#diem", "is_active": True, "count": 45},
            {"title": text("Nhận xét"), "url": "#nhan-xet", "is_active": False},
        ],
        "facts": [{"label": text("Mã định danh"), "value": text("861234567890")}, {"label": text("Ngày sinh"), "value": "02/03/2013"}],
        "page": Paginator(range(480), 30).page(4),
        "job": job,
        "finished": Job(title=text("Nhập học sinh"), state=Job.State.DONE, total=450, done=450, finished_at=AT, result_url="#ket-qua"),
        "refusal": Stale(),
        "card": SimpleNamespace(title=text("sổ chưa khoá"), count=3, url="#so", detail=text("Hạn 15/11/2025"), action=text("Khoá sổ")),
        "todo": [{"title": _("Cần làm ngay"), "is_now": True}],
    }
