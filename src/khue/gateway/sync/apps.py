"""Handing on what changed."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SyncConfig(AppConfig):
    """Channels to other systems, the queue of what changed, webhooks."""

    name = "khue.gateway.sync"
    label = "sync"
    verbose_name = _("Đồng bộ dữ liệu")

    def ready(self) -> None:
        """Register what this app offers."""
        from khue.gateway.sync import wiring  # noqa: F401
