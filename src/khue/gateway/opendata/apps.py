"""Open data."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OpenDataConfig(AppConfig):
    """Code lists and the school network as CSV and JSON."""

    name = "khue.gateway.opendata"
    label = "opendata"
    verbose_name = _("Dữ liệu mở")
