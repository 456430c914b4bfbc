"""Freezing and handing up."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PeriodsConfig(AppConfig):
    """Periods, snapshots, signatures, checks, returns, unlocking."""

    name = "khue.province.periods"
    label = "periods"
    verbose_name = _("Kỳ nộp dữ liệu")

    def ready(self) -> None:
        """Register what this app offers."""
        from khue.province.periods import wiring  # noqa: F401
