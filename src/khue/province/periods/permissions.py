"""Rights over periods: who opens, sees, prepares, signs, checks. Places are those of the dated tree."""

from django.utils.translation import gettext_lazy as _

from khue.kernel.permissions import right

VIEW = right(
    "periods.view", _("Xem kỳ nộp dữ liệu"),
    {
        "principal": "unit", "vice_principal": "unit", "clerk": "unit", "commune_officer": "unit", "province_officer": "any",
        "province_director": "any", "data_steward": "any", "inspector": "any", "ministry_reader": "any",
    },
)  # fmt: skip
MANAGE = right("periods.manage", _("Mở, chốt và kết thúc kỳ nộp dữ liệu"), {"province_officer": "any"}, needs_second_factor=True)
PREPARE = right("periods.prepare", _("Chốt lại, xin mở khoá số liệu của trường"), {"principal": "unit", "clerk": "unit"})
SIGN = right("periods.sign", _("Ký số liệu của trường"), {"principal": "unit"}, needs_second_factor=True)
CHECK = right(
    "periods.check", _("Kiểm tra, xác nhận hoặc trả lại số liệu của trường"), {"commune_officer": "unit", "province_officer": "any"}, needs_second_factor=True
)
