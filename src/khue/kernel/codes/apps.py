"""National code lists with versions."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CodesConfig(AppConfig):
    """Shared code lists."""

    name = "khue.kernel.codes"
    label = "codes"
    verbose_name = _("Danh mục dùng chung")

    def ready(self) -> None:
        """Load the shipped lists after each migrate; equal content is skipped by its hash."""
        post_migrate.connect(_load, sender=self, dispatch_uid="khue.codes")


def _load(sender: AppConfig, using: str, **kwargs: object) -> None:
    from django.db import connections
    from django.utils import timezone

    from khue.kernel.codes import services

    if "codes_codelistversion" in connections[using].introspection.table_names():
        services.load_shipped(now=timezone.now())
