"""Classes and each learner's placement from day to day."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SchoolingConfig(AppConfig):
    """Classes and each learner's placement from day to day."""

    name = "khue.register.schooling"
    label = "schooling"
    verbose_name = _("Lớp và học sinh")

    def ready(self) -> None:
        """Register what this app offers."""
        from khue.register.schooling import wiring  # noqa: F401
