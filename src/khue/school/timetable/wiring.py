"""What this app registers with the kernel: rights, the solver's job, menu entries."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from khue.kernel import menus
from khue.school.timetable import (
    permissions,  # noqa: F401  declares rights
    telling,  # noqa: F401  listens to what is published
    work,  # noqa: F401  declares the job
)

menus.MENU.add(
    "my-day", menus.Entry(_("Ngày của tôi"), "timetable:my-day", icon="calendar", right="timetable.my_day", sort=12),
)
menus.MENU.add(
    "timetable", menus.Entry(_("Thời khoá biểu"), "timetable:index", icon="calendar", right="timetable.view", sort=62),
)
menus.MENU.add(
    "covers", menus.Entry(_("Dạy thay"), "timetable:absences", icon="users", right="timetable.cover", sort=63),
)

