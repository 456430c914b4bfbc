"""How sign-in behaves here: no open sign-up; accounts come from activations."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest

from khue.gateway.oneroster.scopes import SCOPES
from khue.kernel.accounts.models import Account
from khue.kernel.pictures import qr_svg


def display(account: Account) -> str:
    """Return how an account is shown."""
    return account.name or account.username


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up by herself."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False."""
        return False


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """An outside identity must belong to an account that is there already."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: object) -> bool:
        """Return False."""
        return False


class SecondFactorAdapter(DefaultMFAAdapter):
    """How a second factor is set up."""

    def build_totp_svg(self, url: str) -> str:
        """Return the QR code an authenticator reads, dark on white whatever the page's colours, as large as the page says."""
        return qr_svg(url, border=4, light="#fff", omitsize=True)


class IdentityAdapter(DefaultOIDCAdapter):
    """Which scopes other systems may ask for."""

    scope_display = {
        **DefaultOIDCAdapter.scope_display,
        "khue.read": "Đọc dữ liệu trong phạm vi được giao",
        "khue.write": "Ghi dữ liệu trong phạm vi được giao",
        **SCOPES,
    }
