"""Rights over imports."""

from django.utils.translation import gettext_lazy as _

from khue.kernel.permissions import right

IMPORT = right(
    "exchange.import",
    _("Nhập dữ liệu từ tệp"),
    {"clerk": "unit", "principal": "unit", "vice_principal": "unit", "it_focal": "unit", "data_steward": "unit"},
)
