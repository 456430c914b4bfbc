"""From a printed slip to a signed-in person, through the page."""

import pytest
from django.core.cache import cache
from django.test import Client

from khue.kernel.accounts import services
from khue.kernel.permissions import system_actor
from tests import factories

PASSWORD = "con-meo-tren-mai-nha"


@pytest.fixture
def code(everything):
    cache.clear()
    group = factories.class_group(factories.school())
    [child] = factories.learners(group, 1)
    account = factories.guardian(child)
    account.set_unusable_password()
    account.save()
    from django.utils import timezone

    return services.issue_code(actor=system_actor("test"), account=account, now=timezone.now())


def fields(code, password=PASSWORD, again=None):
    return {"code": code, "password": password, "again": again or password}


def test_the_code_signs_her_in_once(code):
    client = Client()
    assert client.get("/kich-hoat/").status_code == 200
    assert client.post("/kich-hoat/", fields(code)).status_code == 302
    assert client.get("/").status_code == 200
    assert Client().post("/kich-hoat/", fields(code)).status_code == 422


def test_two_passwords_that_differ_keep_the_code(code):
    client = Client()
    assert client.post("/kich-hoat/", fields(code, again="khac-han-nhau")).status_code == 422
    assert client.post("/kich-hoat/", fields(code)).status_code == 302


def test_guessing_is_slowed(code):
    client = Client()
    for _ in range(30):
        assert client.post("/kich-hoat/", fields("AAAA-AAAA-AAAA")).status_code == 422
    assert client.post("/kich-hoat/", fields(code)).status_code == 429
