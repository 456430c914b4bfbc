"""Registers, marks, conduct and the closing of a term."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GradebookConfig(AppConfig):
    """Registers, marks, conduct and the closing of a term."""

    name = "khue.school.gradebook"
    label = "gradebook"
    verbose_name = _("Sổ điểm")

    def ready(self) -> None:
        """Register what this app offers."""
        from khue.school.gradebook import wiring  # noqa: F401
