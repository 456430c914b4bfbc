"""Rights over the tools of the law; the shelf and the worked examples are public and ask for none."""

from django.utils.translation import gettext_lazy as _

from khue.kernel.permissions import right

_PROVINCE = {"province_officer": "any", "province_director": "any"}
_EVERYBODY = (
    "guardian", "learner", "subject_teacher", "homeroom_teacher", "group_head", "vice_principal", "principal", "clerk",
    "commune_officer", "province_officer", "province_director", "data_steward", "inspector",
)  # fmt: skip

READ = right("law.read", _("Xem văn bản pháp lý và ví dụ tính"), dict.fromkeys(_EVERYBODY, "any"))
"""Only for the menu: the pages are public."""
COMPARE = right("law.compare", _("So sánh kết quả theo hai bộ quy định"), _PROVINCE)
RECOMPUTE = right("law.recompute", _("Tính lại năm học đã khoá để đối chiếu"), _PROVINCE)
