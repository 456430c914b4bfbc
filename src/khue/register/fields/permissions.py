"""Rights over the fields of the sector database, by the class of privacy of what is read or written.

open fields are read by whoever may see the unit; internal ones by the staff of the place; personal ones by those who
keep or use files; restricted ones (health, violence, discipline, religion, poverty, identity numbers) by few.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from khue.kernel.permissions import right

STAFF = (
    "subject_teacher", "homeroom_teacher", "group_head", "vice_principal", "principal", "clerk", "accountant", "nurse",
    "librarian", "it_focal", "commune_officer",
)  # fmt: skip
PROVINCE = ("province_officer", "province_director", "data_steward", "inspector")
OFFICE = {"principal": "unit", "vice_principal": "unit", "clerk": "unit"}

VIEW_CATALOGUE = right(
    "fields.view_catalogue", _("Xem danh mục dữ liệu"), dict.fromkeys((*STAFF, *PROVINCE, "ministry_reader"), "any")
)
READ_OPEN = right("fields.read_open", _("Xem thông tin chung của đơn vị"), dict.fromkeys((*STAFF, *PROVINCE), "unit"))
READ_INTERNAL = right("fields.read_internal", _("Xem dữ liệu nội bộ của đơn vị"), dict.fromkeys((*STAFF, *PROVINCE), "unit"))
READ_PERSONAL = right(
    "fields.read_personal",
    _("Xem các trường trong hồ sơ cá nhân"),
    {
        **OFFICE, "homeroom_teacher": "own_file", "commune_officer": "unit", **dict.fromkeys(PROVINCE, "unit"),
        "subject_teacher": "own_person", "group_head": "own_person", "accountant": "own_person", "nurse": "unit", "librarian": "own_person",
        "it_focal": "own_person", "guardian": "own_child", "learner": "own_child",
    },
)  # fmt: skip
READ_RESTRICTED = right(
    "fields.read_restricted",
    _("Xem các trường hạn chế (sức khoẻ, bạo lực, kỷ luật, hộ nghèo, số định danh)"),
    {
        "principal": "unit", "vice_principal": "unit", "nurse": "unit", "homeroom_teacher": "homeroom_file", "data_steward": "unit",
        "guardian": "own_child", "learner": "own_child",
    },
)  # fmt: skip
WRITE_SCHOOL = right(
    "fields.write_school", _("Sửa dữ liệu của trường và lớp"),
    {**OFFICE, "accountant": "unit", "librarian": "unit", "it_focal": "unit", "data_steward": "unit"},
)  # fmt: skip
WRITE_PERSONAL = right("fields.write_personal", _("Sửa các trường trong hồ sơ cá nhân"), {**OFFICE, "data_steward": "unit"})
WRITE_RESTRICTED = right(
    "fields.write_restricted", _("Sửa các trường hạn chế"), {"principal": "unit", "vice_principal": "unit", "nurse": "unit", "data_steward": "unit"}
)
EXTEND = right(
    "fields.extend", _("Thêm trường dữ liệu mới"), {"data_steward": "any", "province_officer": "any"}, needs_second_factor=True
)

READING = {"open": READ_OPEN.code, "internal": READ_INTERNAL.code, "personal": READ_PERSONAL.code, "restricted": READ_RESTRICTED.code}
WRITING = {"open": WRITE_SCHOOL.code, "internal": WRITE_SCHOOL.code, "personal": WRITE_PERSONAL.code, "restricted": WRITE_RESTRICTED.code}
"""The right each class of privacy needs."""
