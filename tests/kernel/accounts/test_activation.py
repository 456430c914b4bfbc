"""Taking an account into one's own hands."""

from datetime import timedelta

import pytest

from khue.kernel.accounts import services
from khue.kernel.accounts.models import Activation
from khue.kernel.errors import Invalid
from khue.kernel.permissions import system_actor
from tests import factories

NOW = factories.NOW
CLERK = system_actor("test")
PASSWORD = "con-meo-tren-mai-nha"


@pytest.fixture
def account(everything):
    return services.create_account(
        actor=CLERK, username="me.an", name="Nguyễn Thị Mai", role="guardian", unit_id=None, unit_name="", now=NOW
    )


def test_a_code_opens_once(account):
    code = services.issue_code(actor=CLERK, account=account, now=NOW)
    assert not account.has_usable_password()
    assert code.replace("-", "") not in str(list(Activation.objects.values()))
    assert services.account_of_code(code.lower().replace("-", " "), now=NOW) == account
    assert services.activate(code=code, password=PASSWORD, now=NOW).check_password(PASSWORD)
    for act in (lambda: services.account_of_code(code, now=NOW), lambda: services.activate(code=code, password=PASSWORD, now=NOW)):
        with pytest.raises(services.CodeNotValid):
            act()


def test_a_new_code_ends_the_old_and_all_end_with_time(account):
    old = services.issue_code(actor=CLERK, account=account, now=NOW)
    new = services.issue_code(actor=CLERK, account=account, now=NOW)
    with pytest.raises(services.CodeNotValid):
        services.account_of_code(old, now=NOW)
    with pytest.raises(services.CodeNotValid):
        services.account_of_code(new, now=NOW + timedelta(days=61))


@pytest.mark.parametrize("weak", ["ngan", "1q2w3e4r5t", "nguyễn thị mai"])
def test_a_weak_password_leaves_the_code_unused(account, weak):
    code = services.issue_code(actor=CLERK, account=account, now=NOW)
    with pytest.raises(Invalid):
        services.activate(code=code, password=weak, now=NOW)
    assert services.account_of_code(code, now=NOW) == account


def test_a_role_is_given_once_and_ends_inside_a_session(account):
    grant = account.grants.get()
    again = services.grant_role(actor=CLERK, account=account, role="guardian", unit_id=None, unit_name="", now=NOW)
    assert again == grant
    services.end_grant(actor=CLERK, grant=grant, now=NOW, reason="Hết năm")
    with pytest.raises(AssertionError):
        factories.actor_of(account)
