"""The timetable."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TimetableConfig(AppConfig):
    """What has to be taught, the solver that places it, and the published timetable."""

    name = "khue.school.timetable"
    label = "timetable"
    verbose_name = _("Thời khoá biểu")

    def ready(self) -> None:
        """Register what this app offers."""
        if find_spec("khue.school.timetable.wiring") is not None:
            import_module("khue.school.timetable.wiring")
