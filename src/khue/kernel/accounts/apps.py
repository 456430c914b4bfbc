"""Sign-in, second factor, who acts as what."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Accounts of people and of partner systems."""

    name = "khue.kernel.accounts"
    label = "accounts"
    verbose_name = _("Tài khoản")
