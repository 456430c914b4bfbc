"""Long work with progress."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    """Jobs people can watch, stop and come back to."""

    name = "khue.kernel.jobs"
    label = "jobs"
    verbose_name = _("Việc chạy nền")
