"""What the ministry's exchange registers: its right, its job, its menu entry."""

from django.utils.translation import gettext_lazy as _

from khue.gateway.exchange.ministry import permissions, work  # noqa: F401 - declare the right and the job kind
from khue.kernel import citing, menus

menus.MENU.add(
    "exchange.ministry", menus.Entry(_("Tệp gửi Bộ"), "exchange:ministry:index", icon="file-export", right="exchange.ministry_file", sort=75)
)
citing.rests("exchange.ministry", "file", _("Tệp gửi Bộ"), ("4998/QĐ-BGDĐT",), "exchange:ministry:index")
menus.MENU.add(
    "exchange.take", menus.Entry(_("Nhập tệp 4998"), "exchange:ministry:take", icon="table-import", right="exchange.take_ministry", sort=76)
)
