"""The law as people read and try it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LawConfig(AppConfig):
    """The legal shelf, worked examples, comparisons and recomputations."""

    name = "khue.province.law"
    label = "law"
    verbose_name = _("Pháp lý")

    def ready(self) -> None:
        """Register what this app offers."""
        from khue.province.law import wiring  # noqa: F401
