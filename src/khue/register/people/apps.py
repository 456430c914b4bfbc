"""One person, one identifier for life."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PeopleConfig(AppConfig):
    """One person, one identifier for life."""

    name = "khue.register.people"
    label = "people"
    verbose_name = _("Người")

    def ready(self) -> None:
        """Register what this app offers."""
        from khue.register.people import wiring  # noqa: F401
