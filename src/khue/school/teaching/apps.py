"""Who teaches what to whom."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TeachingConfig(AppConfig):
    """Who teaches what to whom."""

    name = "khue.school.teaching"
    label = "teaching"
    verbose_name = _("Phân công giảng dạy")

    def ready(self) -> None:
        """Register what this app offers."""
        from khue.school.teaching import wiring  # noqa: F401
