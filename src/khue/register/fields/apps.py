"""The catalogue of the sector database's fields and the homes of their values."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FieldsConfig(AppConfig):
    """The catalogue of the sector database's fields and the homes of their values."""

    name = "khue.register.fields"
    label = "fields"
    verbose_name = _("Danh mục dữ liệu")

    def ready(self) -> None:
        """Register what this app offers."""
        from khue.register.fields import wiring  # noqa: F401
