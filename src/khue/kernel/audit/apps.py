"""Who did what, when, why."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    """Acts and looks."""

    name = "khue.kernel.audit"
    label = "audit"
    verbose_name = _("Nhật ký")
