"""Rights over classes, placements and transfers."""

from django.utils.translation import gettext_lazy as _

from khue.kernel.permissions import right

_OFFICE = {"principal": "unit", "vice_principal": "unit", "clerk": "unit"}

VIEW_CLASSES = right(
    "schooling.view_classes",
    _("Xem lớp và danh sách học sinh"),
    {
        **_OFFICE,
        **dict.fromkeys(
            ("homeroom_teacher", "subject_teacher", "group_head", "it_focal", "nurse", "librarian", "accountant",
             "commune_officer", "province_officer", "province_director", "data_steward", "inspector", "partner_system"), "unit",
        ),
    },
)  # fmt: skip
EDIT_CLASSES = right("schooling.edit_classes", _("Lập lớp, xếp lớp"), {**_OFFICE, "data_steward": "unit"})
ASK_TRANSFER = right("schooling.ask_transfer", _("Đề nghị chuyển trường"), {**_OFFICE})
AGREE_TRANSFER = right(
    "schooling.agree_transfer", _("Đồng ý chuyển trường"), {"principal": "unit", "vice_principal": "unit"},
    needs_second_factor=True,
)  # fmt: skip
