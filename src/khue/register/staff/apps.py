"""Posts of those who work in schools."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StaffConfig(AppConfig):
    """Posts of those who work in schools."""

    name = "khue.register.staff"
    label = "staff"
    verbose_name = _("Đội ngũ")

    def ready(self) -> None:
        """Register what this app offers."""
        from khue.register.staff import wiring  # noqa: F401
