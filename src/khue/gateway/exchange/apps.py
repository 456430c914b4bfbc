"""How rows leave and enter."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExchangeConfig(AppConfig):
    """How rows leave and enter."""

    name = "khue.gateway.exchange"
    label = "exchange"
    verbose_name = _("Trao đổi dữ liệu")

    def ready(self) -> None:
        """Register what this app offers."""
        from khue.gateway.exchange import wiring  # noqa: F401
