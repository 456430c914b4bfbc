"""Rights over transcripts and who has them by default (TT 22/2021 Art. 18 to 20; the learner's own file)."""

from django.utils.translation import gettext_lazy as _

from khue.kernel.permissions import right

VIEW = right(
    "transcripts.view", _("Xem học bạ"),
    {
        "homeroom_teacher": "homeroom", "principal": "unit", "vice_principal": "unit", "clerk": "unit",
        "province_officer": "unit", "province_director": "unit", "inspector": "unit",
        "guardian": "own_child", "learner": "own_child",
    },
)  # fmt: skip
PREPARE = right(
    "transcripts.prepare", _("Lập học bạ"),
    {"homeroom_teacher": "homeroom", "principal": "unit", "vice_principal": "unit", "clerk": "unit"},
)  # fmt: skip
SIGN_HOMEROOM = right(
    "transcripts.sign_homeroom", _("Ký học bạ với tư cách chủ nhiệm"), {"homeroom_teacher": "homeroom"},
    needs_second_factor=True,
)  # fmt: skip
SIGN_PRINCIPAL = right(
    "transcripts.sign_principal", _("Ký học bạ với tư cách lãnh đạo trường"),
    {"principal": "unit", "vice_principal": "unit"}, needs_second_factor=True,
)  # fmt: skip
SEAL = right(
    "transcripts.seal", _("Đóng dấu số lên học bạ"), {"principal": "unit", "clerk": "unit"},
    needs_second_factor=True,
)  # fmt: skip
REVOKE = right("transcripts.revoke", _("Thu hồi học bạ"), {"principal": "unit"}, needs_second_factor=True)

OF_STEP = {"homeroom": SIGN_HOMEROOM.code, "principal": SIGN_PRINCIPAL.code, "seal": SEAL.code}
