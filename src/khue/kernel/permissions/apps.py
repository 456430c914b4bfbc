"""Right x place x time."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class PermissionsConfig(AppConfig):
    """Roles, grants and the rights the apps declare."""

    name = "khue.kernel.permissions"
    label = "permissions"
    verbose_name = _("Quyền")

    def ready(self) -> None:
        """Keep the shipped roles in step with the code."""
        post_migrate.connect(_ensure_roles, sender=self, dispatch_uid="khue.roles")


def _ensure_roles(sender: AppConfig, using: str, **kwargs: object) -> None:
    from khue.kernel.permissions.roles import ensure_roles

    ensure_roles()
