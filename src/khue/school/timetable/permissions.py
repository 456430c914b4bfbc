"""Rights over the timetable."""

from django.utils.translation import gettext_lazy as _

from khue.kernel.permissions import right

VIEW = right(
    "timetable.view",
    _("Xem thời khoá biểu của trường"),
    dict.fromkeys(
        ("principal", "vice_principal", "clerk", "group_head", "subject_teacher", "homeroom_teacher", "it_focal", "nurse",
         "librarian", "accountant", "commune_officer", "province_officer", "province_director", "inspector"),
        "unit",
    ),
)  # fmt: skip
PLAN = right(
    "timetable.plan", _("Chuẩn bị và xếp thời khoá biểu"), {"principal": "unit", "vice_principal": "unit", "clerk": "unit"}
)
PUBLISH = right("timetable.publish", _("Công bố thời khoá biểu"), {"principal": "unit", "vice_principal": "unit"})
COVER = right(
    "timetable.cover", _("Phân công dạy thay"),
    {"principal": "unit", "vice_principal": "unit", "clerk": "unit", "group_head": "unit"},
)  # fmt: skip
MY_DAY = right(
    "timetable.my_day",
    _("Xem ngày của tôi"),
    dict.fromkeys(("principal", "vice_principal", "group_head", "subject_teacher", "homeroom_teacher", "guardian", "learner"), "any"),
)  # fmt: skip
