"""Data quality: rules as data, what they find, scores, work-lists, boards."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class QualityConfig(AppConfig):
    """Data quality: rules as data, what they find, scores, work-lists, boards."""

    name = "khue.province.quality"
    label = "quality"
    verbose_name = _("Chất lượng dữ liệu")

    def ready(self) -> None:
        """Register what this app offers; bring the shipped rules in after each migrate."""
        from khue.province.quality import wiring  # noqa: F401

        post_migrate.connect(_ensure_rules, sender=self, dispatch_uid="khue.quality.rules")


def _ensure_rules(sender: AppConfig, using: str, **kwargs: object) -> None:
    from django.db import connections

    from khue.province.quality.rules import ensure_rules

    if "quality_rule" in connections[using].introspection.table_names():
        ensure_rules()
