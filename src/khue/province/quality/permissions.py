"""Rights over data quality."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from khue.kernel.permissions import right

OFFICE = {"principal": "unit", "vice_principal": "unit", "clerk": "unit"}
ABOVE = {
    "commune_officer": "unit", "province_officer": "unit", "province_director": "unit", "data_steward": "unit", "inspector": "unit",
}  # fmt: skip

VIEW = right("quality.view", _("Xem chất lượng dữ liệu và việc cần sửa"), {**OFFICE, "it_focal": "unit", **ABOVE})
RUN = right("quality.run", _("Kiểm tra chất lượng dữ liệu ngay"), {"principal": "unit", "vice_principal": "unit", "clerk": "unit", "data_steward": "unit"})
SET = right(
    "quality.set", _("Sửa quy tắc chất lượng, đặt hạn nhập liệu"), {"data_steward": "any", "province_officer": "any"},
    needs_second_factor=True,
)  # fmt: skip
