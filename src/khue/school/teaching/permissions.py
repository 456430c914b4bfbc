"""Rights over the teaching assignment."""

from django.utils.translation import gettext_lazy as _

from khue.kernel.permissions import right

VIEW = right(
    "teaching.view_assignments",
    _("Xem phân công giảng dạy"),
    dict.fromkeys(
        ("principal", "vice_principal", "clerk", "group_head", "subject_teacher", "homeroom_teacher", "it_focal",
         "commune_officer", "province_officer", "province_director", "data_steward", "inspector", "partner_system"),
        "unit",
    ),
)  # fmt: skip
ASSIGN = right(
    "teaching.assign", _("Phân công giảng dạy"), {"principal": "unit", "vice_principal": "unit", "clerk": "unit"}
)
