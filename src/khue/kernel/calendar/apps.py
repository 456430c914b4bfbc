"""School years and terms."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CalendarConfig(AppConfig):
    """The dates a province decides."""

    name = "khue.kernel.calendar"
    label = "calendar"
    verbose_name = _("Lịch năm học")
