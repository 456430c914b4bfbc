"""National code lists with versions."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CodesConfig(AppConfig):
    """Shared code lists."""

    name = "khue.kernel.codes"
    label = "codes"
    verbose_name = _("Danh mục dùng chung")
