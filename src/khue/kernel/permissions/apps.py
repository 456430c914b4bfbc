"""Right x place x time."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PermissionsConfig(AppConfig):
    """Roles, grants and the rights the apps declare."""

    name = "khue.kernel.permissions"
    label = "permissions"
    verbose_name = _("Quyền")
