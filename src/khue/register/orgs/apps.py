"""Every body and school and its place in a dated hierarchy."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrgsConfig(AppConfig):
    """Every body and school and its place in a dated hierarchy."""

    name = "khue.register.orgs"
    label = "orgs"
    verbose_name = _("Đơn vị")

    def ready(self) -> None:
        """Register what this app offers."""
        from khue.register.orgs import wiring  # noqa: F401
