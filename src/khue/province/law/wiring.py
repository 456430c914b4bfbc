"""What this app registers with the kernel: rights, kinds of work, menu entries, and what of the register rests on law."""

from django.utils.translation import gettext_lazy as _

from khue.kernel import citing, menus
from khue.province.law import (
    permissions,  # noqa: F401 - declares the rights
    services,  # noqa: F401 - declares the jobs
)

menus.MENU.add("law.shelf", menus.Entry(_("Văn bản pháp lý"), "law:shelf", "gavel", "law.read", sort=90))
menus.MENU.add("law.compare", menus.Entry(_("So sánh quy định"), "law:compare", "arrows-exchange", "law.compare", sort=91))
menus.MENU.add("law.recompute", menus.Entry(_("Tính lại, đối chiếu"), "law:recompute", "refresh", "law.recompute", sort=92))

citing.rests("people.code", "codes", _("Mã định danh của học sinh, giáo viên"), ("42/2021/TT-BGDĐT",))
citing.rests("orgs.areas", "codes", _("Danh mục tỉnh, xã từ 01/7/2025"), ("19/2025/QĐ-TTg",))
citing.rests(
    "schooling.transfer", "page", _("Chuyển trường"), ("15/2026/TT-BGDĐT",), "schooling:transfers"
)
citing.rests(
    "gradebook.register", "form", _("Sổ theo dõi và đánh giá học sinh"),
    ("22/2021/TT-BGDĐT", "27/2020/TT-BGDĐT", "43/2021/TT-BGDĐT"), "gradebook:index",
)  # fmt: skip
citing.rests("gradebook.corrections", "page", _("Sửa điểm đã khoá"), ("22/2021/TT-BGDĐT#18",), "gradebook:corrections")
citing.rests("contactbook.child", "page", _("Việc học của con, không xếp hạng"), ("15/2026/TT-BGDĐT#22",), "contactbook:children")
citing.rests("transcripts.secondary", "form", _("Học bạ trung học"), ("22/2021/TT-BGDĐT#18",), "transcripts:index")
citing.rests("transcripts.primary", "form", _("Học bạ tiểu học"), ("27/2020/TT-BGDĐT#12",), "transcripts:index")
citing.rests("transcripts.digital", "form", _("Học bạ số"), ("70/2026/TT-BGDĐT", "119/BGDĐT-GDTH"), "transcripts:index")
