"""Who opens the family pages, who proposes changes there and who approves them."""

from django.utils.translation import gettext_lazy as _

from khue.kernel.permissions import right

OPEN = right("contactbook.open_family", _("Xem việc học của con"), {"guardian": "any", "learner": "any"})
PROPOSE = right("contactbook.propose_change", _("Đề nghị sửa thông tin liên hệ, sức khoẻ của con"), {"guardian": "own_child"})
DECIDE = right(
    "contactbook.decide_change", _("Duyệt đề nghị của gia đình"),
    {"principal": "unit", "vice_principal": "unit", "clerk": "unit", "homeroom_teacher": "homeroom"},
)  # fmt: skip
DECIDE_HEALTH = right(
    "contactbook.decide_health", _("Duyệt đề nghị của gia đình về sức khoẻ"),
    {"principal": "unit", "vice_principal": "unit", "nurse": "unit", "homeroom_teacher": "homeroom"},
)  # fmt: skip
