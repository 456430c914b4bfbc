"""What was changed, provably."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LedgerConfig(AppConfig):
    """Entries, chains and checkpoints."""

    name = "khue.kernel.ledger"
    label = "ledger"
    verbose_name = _("Sổ cái")
