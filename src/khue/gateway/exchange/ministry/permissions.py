"""Rights over what goes to the ministry."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from khue.kernel.permissions import right

MINISTRY_FILE = right(
    "exchange.ministry_file",
    _("Xuất tệp gửi Bộ theo QĐ 4998"),
    {"province_officer": "any", "data_steward": "any"},
    needs_second_factor=True,
)
TAKE_MINISTRY = right(
    "exchange.take_ministry",
    _("Nhập tệp bản ghi theo QĐ 4998"),
    {"principal": "unit", "vice_principal": "unit", "clerk": "unit", "data_steward": "unit"},
)
