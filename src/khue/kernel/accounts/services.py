"""Accounts: made without a password, taken into the person's own hands by a single-use code.

There is no default password and no way to show one. The code is shown once to whoever hands it over; only its
hash is kept.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from khue.kernel import audit
from khue.kernel.accounts.models import Account, Activation
from khue.kernel.database.fields import period
from khue.kernel.errors import DomainError, Invalid
from khue.kernel.permissions.actors import Actor
from khue.kernel.permissions.loading import local_day
from khue.kernel.permissions.models import Grant, Role

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Letters and digits nobody mistakes for each other on a printed slip."""
CODE_LENGTH = 12
VALID_FOR = timedelta(days=60)


class CodeNotValid(DomainError):
    """Unknown, used or too old: the three look the same."""

    code, status = "accounts.code-not-valid", 404
    title = _("Mã này không đúng, đã dùng hoặc đã hết hạn.")
    advice = _("Hãy xem lại từng ký tự; nếu vẫn không được, xin nhà trường cấp mã mới.")


def _hash(code: str) -> str:
    plain = "".join(mark for mark in code.upper() if mark in ALPHABET)
    return hashlib.sha256(b"khue.activation." + plain.encode()).hexdigest()


@transaction.atomic
def create_account(
    *, actor: Actor, username: str, name: str, role: str, unit_id: int | None, unit_name: str, now: datetime,
    person_id: int | None = None, email: str = "", phone: str = "",
) -> Account:  # fmt: skip
    """Create an account with its first role and no password; whoever calls has asked for the right."""
    account = Account.objects.create_user(username, email, name=name, person_id=person_id, phone=phone)
    grant_role(actor=actor, account=account, role=role, unit_id=unit_id, unit_name=unit_name, now=now)
    audit.record(actor, "accounts.account.create", on=account, at=now, person_id=person_id, role=role)
    return account


@transaction.atomic
def grant_role(
    *, actor: Actor, account: Account, role: str, unit_id: int | None, unit_name: str, now: datetime, reason: str = ""
) -> Grant:
    """Give a role at a place from today on; the same role at the same place stays one grant."""
    held = Grant.objects.filter(
        account=account, role__code=role, unit_id=unit_id, valid__contains=local_day(now)
    ).first()
    if held is not None:
        return held
    grant = Grant.objects.create(
        account=account, role=Role.objects.get(code=role), unit_id=unit_id, unit_name=unit_name,
        valid=period(local_day(now)), reason=reason, given_by_id=actor.account_id,
    )  # fmt: skip
    audit.record(actor, "permissions.grant.open", on=grant, at=now, role=role, unit_id=unit_id, account_id_for=account.pk)
    return grant


@transaction.atomic
def end_grant(*, actor: Actor, grant: Grant, now: datetime, reason: str) -> None:
    """End a role today, inside open sessions too."""
    held = Grant.objects.select_for_update(of=("self",)).get(pk=grant.pk)
    held.valid = period(held.valid.lower, local_day(now))
    held.save(update_fields=["valid"])
    audit.record(actor, "permissions.grant.close", on=held, at=now, reason=reason)


@transaction.atomic
def issue_code(*, actor: Actor, account: Account, now: datetime) -> str:
    """Return a new single-use code for the account, as printed: ABCD-EFGH-JKMN; earlier unused codes end."""
    Activation.objects.filter(account=account, used_at=None, expires_at__gt=now).update(expires_at=now)
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    Activation.objects.create(
        account=account, code_hash=_hash(code), expires_at=now + VALID_FOR, made_by_id=actor.account_id
    )
    audit.record(actor, "accounts.code.issue", on=account, at=now, person_id=account.person_id)
    return "-".join(code[i : i + 4] for i in range(0, CODE_LENGTH, 4))


def account_of_code(code: str, *, now: datetime) -> Account:
    """Return the account an unused, valid code opens. Raises CodeNotValid."""
    found = (
        Activation.objects.select_related("account")
        .filter(code_hash=_hash(code), used_at=None, expires_at__gt=now, account__is_active=True)
        .first()
    )
    if found is None:
        raise CodeNotValid()
    return found.account


@transaction.atomic
def activate(*, code: str, password: str, now: datetime, username: str = "") -> Account:
    """Set the person's own password with her code, once. Raises CodeNotValid, Invalid for a weak password."""
    held = (
        Activation.objects.select_for_update(of=("self",))
        .select_related("account")
        .filter(code_hash=_hash(code), used_at=None, expires_at__gt=now, account__is_active=True)
        .first()
    )
    if held is None:
        raise CodeNotValid()
    try:
        password_validation.validate_password(password, held.account)
    except ValidationError as error:
        raise Invalid(fields={"password": list(error.messages)}) from error
    held.account.set_password(password)
    held.account.save(update_fields=["password"])
    held.used_at = now
    held.save(update_fields=["used_at"])
    return held.account
