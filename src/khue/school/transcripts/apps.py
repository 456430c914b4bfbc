"""The học bạ: year results frozen, signed, superseded, never edited."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TranscriptsConfig(AppConfig):
    """The học bạ: year results frozen, signed, superseded, never edited."""

    name = "khue.school.transcripts"
    label = "transcripts"
    verbose_name = _("Học bạ")

    def ready(self) -> None:
        """Register what this app offers."""
        from khue.school.transcripts import wiring  # noqa: F401
