"""Rights over people's files."""

from django.utils.translation import gettext_lazy as _

from khue.kernel.permissions import right

SCHOOL_OFFICE = ("principal", "vice_principal", "clerk")

VIEW_FILE = right(
    "people.view_file",
    _("Xem hồ sơ học sinh"),
    {
        **dict.fromkeys(SCHOOL_OFFICE, "unit"),
        "homeroom_teacher": "own_learner",
        "commune_officer": "unit",
        "province_officer": "unit",
        "province_director": "unit",
        "data_steward": "unit",
        "inspector": "unit",
        "partner_system": "unit",
        "guardian": "own_child",
        "learner": "own_child",
    },
)
EDIT_FILE = right(
    "people.edit_file", _("Sửa hồ sơ"), {"principal": "unit", "vice_principal": "unit", "clerk": "unit", "data_steward": "unit"}
)
INVITE_GUARDIAN = right(
    "people.invite_guardian",
    _("Cấp mã mời phụ huynh"),
    {"principal": "unit", "vice_principal": "unit", "clerk": "unit", "homeroom_teacher": "homeroom"},
)
PROPOSE_MERGE = right(
    "people.propose_merge",
    _("Xem hồ sơ nghi trùng, đề nghị gộp"),
    {**dict.fromkeys(SCHOOL_OFFICE, "unit"), "commune_officer": "unit", "province_officer": "unit", "data_steward": "unit"},
)
DECIDE_MERGE = right(
    "people.decide_merge",
    _("Quyết định gộp, tách hồ sơ"),
    {"principal": "unit", "vice_principal": "unit", "province_officer": "unit", "data_steward": "unit"},
    needs_second_factor=True,
)
FIND_DOUBLES = right("people.find_doubles", _("Tìm hồ sơ trùng của các trường"), {"province_officer": "unit", "data_steward": "unit"})
