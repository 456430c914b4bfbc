"""What this app registers: the reader of records for snapshots, its rights, its jobs, its menu entries."""

from django.utils.translation import gettext_lazy as _

from khue.gateway.sync import (
    exposed,  # noqa: F401 - says which events are told outside
    permissions,  # noqa: F401 - declares the rights
    records,
    work,  # noqa: F401 - declares the jobs
)
from khue.kernel import menus
from khue.province.periods.records import READERS, STANDARD

READERS.add(STANDARD, records.read)
menus.MENU.add("sync", menus.Entry(_("Đồng bộ dữ liệu"), "sync:index", icon="refresh", right="sync.view", sort=76))
menus.MENU.add("sync.webhooks", menus.Entry(_("Báo sự kiện"), "sync:subscriptions", icon="bell", right="sync.webhooks", sort=77))
