"""OneRoster 1.2."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OneRosterConfig(AppConfig):
    """Rostering and gradebook for other systems in their standard's words."""

    name = "khue.gateway.oneroster"
    label = "oneroster"
    verbose_name = _("OneRoster")

    def ready(self) -> None:
        """Register what this app offers."""
        from khue.gateway.oneroster import wiring  # noqa: F401
