"""What this app registers with the kernel: relations, rights, menu entries, jobs, listeners."""

from django.utils.translation import gettext_lazy as _

from khue.gateway.exchange import permissions, work  # noqa: F401  declares rights and job kinds
from khue.gateway.exchange.ministry import wiring as ministry  # noqa: F401  declares the ministry's file
from khue.kernel import menus

menus.MENU.add(
    "exchange.import",
    menus.Entry(_("Nhập dữ liệu"), "exchange:batches", icon="file-import", right="exchange.import", sort=70),
)
