"""Forms of channels and subscriptions."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from khue.gateway.sync.exposed import EXPOSED
from khue.gateway.sync.models import SyncChannel
from khue.gateway.sync.services import Channel
from khue.province.periods.models import RecordKind
from khue.register.orgs.models import Level


class ChannelForm(forms.Form):
    """How a receiver is reached and what it gets."""

    code = forms.SlugField(label=_("Mã kênh"), max_length=30, help_text=_("Chữ thường, số, gạch nối; không đổi được về sau."))
    name = forms.CharField(label=_("Tên kênh"), max_length=120)
    adapter = forms.ChoiceField(label=_("Cách nối"), choices=SyncChannel.Adapter.choices)
    base_url = forms.CharField(label=_("Địa chỉ"), max_length=300, required=False, help_text=_("Ví dụ https://ket-noi.vi-du.vn/api. Bảng tính gửi tay thì để trống."))
    credential = forms.CharField(
        label=_("Tên bộ khoá"), max_length=60, required=False,
        help_text=_("Thư mục do người vận hành đặt trên máy chủ, chứa chứng thư và mã truy cập. Ở đây chỉ ghi tên."),
    )  # fmt: skip
    levels = forms.MultipleChoiceField(label=_("Cấp học"), choices=Level.choices, widget=forms.CheckboxSelectMultiple)
    objects = forms.MultipleChoiceField(label=_("Loại bản ghi"), choices=RecordKind.choices, widget=forms.CheckboxSelectMultiple)
    batch_size = forms.IntegerField(label=_("Số bản ghi mỗi lần gửi"), min_value=1, max_value=5000, initial=200)
    options = forms.CharField(
        label=_("Tuỳ chọn riêng (JSON)"), required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": "4", "spellcheck": "false"}),
        help_text=_("Tên trường và địa chỉ con mà bên nhận dùng khác. Để trống nếu không khác."),
    )  # fmt: skip
    is_active = forms.BooleanField(label=_("Đang dùng, mỗi đêm tự đồng bộ"), required=False, initial=True)

    def __init__(self, *args: Any, channel: SyncChannel | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if channel is not None:
            self.fields["code"].disabled = True
            self.fields["code"].initial = channel.code

    def clean_options(self) -> dict[str, Any]:
        """Return the options as an object."""
        words = self.cleaned_data["options"].strip()
        try:
            told = json.loads(words) if words else {}
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            raise forms.ValidationError(_("Đây chưa phải một đối tượng JSON hợp lệ."))
        return told

    def told(self) -> Channel:
        """Return the channel the form describes; call it on a valid form."""
        values = self.cleaned_data
        return Channel(
            values["name"], values["adapter"], values["base_url"], values["credential"], values["levels"], values["objects"], values["batch_size"],
            values["is_active"], values["options"],
        )  # fmt: skip


def initial(channel: SyncChannel) -> dict[str, Any]:
    """Return the form's values of a channel."""
    return {
        "code": channel.code, "name": channel.name, "adapter": channel.adapter, "base_url": channel.base_url, "credential": channel.credential,
        "levels": channel.levels, "objects": channel.objects_sent, "batch_size": channel.batch_size, "is_active": channel.is_active,
        "options": json.dumps(channel.options, ensure_ascii=False, indent=1) if channel.options else "",
    }  # fmt: skip


class SubscriptionForm(forms.Form):
    """Who is told what, where."""

    name = forms.CharField(label=_("Tên hệ thống nhận"), max_length=120)
    address = forms.CharField(label=_("Địa chỉ nhận"), max_length=300, help_text=_("Bắt đầu bằng https://. Hệ thống gửi POST kèm chữ ký."))
    unit_code = forms.CharField(label=_("Chỉ các trường thuộc đơn vị (mã)"), max_length=20, required=False, help_text=_("Để trống là cả tỉnh."))
    kinds = forms.MultipleChoiceField(label=_("Sự kiện"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kinds"].choices = [(code, one.title) for code, one in EXPOSED.items()]  # type: ignore[attr-defined]
