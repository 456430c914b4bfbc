"""Rights of registers and results. Homeroom teachers see their class's registers; only who teaches writes."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from khue.kernel.permissions import right

TEACHES = ("subject_teacher", "homeroom_teacher", "group_head", "vice_principal", "principal")
"""People who may teach; a principal teaches two periods a week (TT 05/2025/TT-BGDĐT)."""
LEADERS = ("principal", "vice_principal")

OPEN_LIST = right("gradebook.open", _("Xem danh sách sổ điểm của mình"), dict.fromkeys(TEACHES, "any"))
VIEW_REGISTER = right(
    "gradebook.view_register",
    _("Xem sổ điểm"),
    {
        "subject_teacher": "sees_register", "homeroom_teacher": "sees_register",
        "group_head": "unit", "vice_principal": "unit", "principal": "unit", "clerk": "unit", "inspector": "unit",
    },
)  # fmt: skip
RECORD_MARK = right(
    "gradebook.record_mark", _("Nhập điểm"), dict.fromkeys(TEACHES, "teaches"), needs_second_factor=True
)
OPEN_REGISTERS = right(
    "gradebook.open_registers", _("Mở sổ cho lớp"), {"principal": "unit", "vice_principal": "unit", "clerk": "unit"}
)
EXEMPT = right(
    "gradebook.exempt", _("Quyết định miễn môn học"), dict.fromkeys(LEADERS, "unit"), needs_second_factor=True
)
HOMEROOM_LIST = right(
    "gradebook.homeroom_list", _("Xem lớp chủ nhiệm"),
    {"homeroom_teacher": "any", "principal": "any", "vice_principal": "any"},
)  # fmt: skip
VIEW_RESULTS = right(
    "gradebook.view_results",
    _("Xem kết quả của lớp"),
    {
        "homeroom_teacher": "leads_class", "principal": "unit", "vice_principal": "unit", "clerk": "unit",
        "inspector": "unit",
    },
)  # fmt: skip
RATE_CONDUCT = right(
    "gradebook.rate_conduct", _("Đánh giá rèn luyện, phẩm chất, năng lực"), {"homeroom_teacher": "leads_class"},
    needs_second_factor=True,
)  # fmt: skip
ATTENDANCE_LIST = right(
    "gradebook.attendance_list", _("Điểm danh"),
    {"homeroom_teacher": "any", "principal": "any", "vice_principal": "any", "clerk": "any"},
)  # fmt: skip
TAKE_ATTENDANCE = right(
    "gradebook.take_attendance", _("Điểm danh lớp"),
    {"homeroom_teacher": "leads_class", "principal": "unit", "vice_principal": "unit", "clerk": "unit"},
)  # fmt: skip
CLOSE_TERM = right(
    "gradebook.close_term", _("Khoá sổ học kỳ"),
    {"homeroom_teacher": "leads_class", "principal": "unit", "vice_principal": "unit"}, needs_second_factor=True,
)  # fmt: skip
CLOSE_YEAR = right("gradebook.close_year", _("Khoá năm học"), {"principal": "unit"}, needs_second_factor=True)
ASK_CORRECTION = right(
    "gradebook.ask_correction", _("Đề nghị sửa điểm đã khoá"), dict.fromkeys(TEACHES, "teaches"),
    needs_second_factor=True,
)  # fmt: skip
CHECK_CORRECTION = right(
    "gradebook.check_correction", _("Kiểm tra đề nghị sửa điểm"), {"homeroom_teacher": "leads_class"},
    needs_second_factor=True,
)  # fmt: skip
APPROVE_CORRECTION = right(
    "gradebook.approve_correction", _("Duyệt sửa điểm"), {"principal": "unit"}, needs_second_factor=True
)
LIST_CORRECTIONS = right(
    "gradebook.list_corrections", _("Xem đề nghị sửa điểm"), {"homeroom_teacher": "any", "principal": "any", "subject_teacher": "any"}
)
VIEW_CHILD = right(
    "gradebook.view_child", _("Xem kết quả của con"), {"guardian": "own_child", "learner": "own_child"}
)
EXPLAIN = right(
    "gradebook.explain",
    _("Xem vì sao có kết quả của một học sinh"),
    {
        "homeroom_teacher": "leads_learner",
        **dict.fromkeys(("principal", "vice_principal", "clerk", "inspector", "province_officer", "province_director"), "unit"),
        "guardian": "own_child", "learner": "own_child",
    },
)  # fmt: skip
