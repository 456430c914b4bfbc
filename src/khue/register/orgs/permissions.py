"""Rights on the tree of units, and who has them by default."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from khue.kernel.permissions import right

STAFF = (
    "subject_teacher", "homeroom_teacher", "group_head", "vice_principal", "principal", "clerk", "accountant",
    "nurse", "librarian", "it_focal", "commune_officer",
)  # fmt: skip
PROVINCE = ("province_officer", "province_director", "data_steward", "inspector", "ministry_reader")

VIEW_TREE = right(
    "orgs.view_tree",
    _("Xem cây đơn vị"),
    dict.fromkeys((*STAFF, *PROVINCE), "any"),  # what they see of it is narrowed to their place by the queries
)
CHANGE_TREE = right(
    "orgs.change_tree",
    _("Lập, đổi tên, chuyển, đóng đơn vị"),
    {"province_officer": "any", "data_steward": "any"},
    needs_second_factor=True,
)
REFORM = right(
    "orgs.reform",
    _("Thực hiện đợt sắp xếp đơn vị hành chính"),
    {"province_officer": "any", "data_steward": "any"},
    needs_second_factor=True,
)
