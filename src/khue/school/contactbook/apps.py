"""What school and family tell each other."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ContactbookConfig(AppConfig):
    """What school and family tell each other."""

    name = "khue.school.contactbook"
    label = "contactbook"
    verbose_name = _("Gia đình")

    def ready(self) -> None:
        """Register what this app offers."""
        from khue.school.contactbook import wiring  # noqa: F401
