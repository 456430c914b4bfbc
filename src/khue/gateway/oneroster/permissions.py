"""Rights over OneRoster: reading for partner systems in their place, bundles for people who carry files."""

from django.utils.translation import gettext_lazy as _

from khue.kernel.permissions import right

READ = right("oneroster.read", _("Đọc dữ liệu theo chuẩn OneRoster"), {"partner_system": "unit"})
EXPORT = right(
    "oneroster.export", _("Xuất gói OneRoster của trường"), {"principal": "unit", "it_focal": "unit", "data_steward": "any"}, needs_second_factor=True
)
IMPORT = right("oneroster.import", _("Nhập gói OneRoster vào trường"), {"clerk": "unit", "principal": "unit", "it_focal": "unit"})
