"""Public pages; owns no facts."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    """Public pages; owns no facts."""

    name = "khue.gateway.portal"
    label = "portal"
    verbose_name = _("Cổng công khai")

    def ready(self) -> None:
        """Register what this app offers."""
        from khue.gateway.portal import wiring  # noqa: F401
