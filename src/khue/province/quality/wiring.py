"""What this app registers with the kernel: its rights, its job, its menu entries."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from khue.kernel import menus
from khue.province.quality import permissions, rooms, work  # noqa: F401 - declare rights, the room of a school, the job kind

menus.MENU.add("quality", menus.Entry(_("Chất lượng dữ liệu"), "quality:index", "checklist", "quality.view", sort=80))
