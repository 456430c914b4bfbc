"""What this app registers: its rights, its job, its menu entry."""

from django.utils.translation import gettext_lazy as _

from khue.gateway.oneroster import permissions, work  # noqa: F401 - declare the rights and the job
from khue.kernel import menus

menus.MENU.add("oneroster", menus.Entry(_("Gói OneRoster"), "oneroster:index", icon="arrows-exchange", right="oneroster.import", sort=78))
