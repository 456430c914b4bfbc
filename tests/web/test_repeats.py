"""The same request twice; the same key with another content; refusals are not remembered."""

import pytest
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from khue.kernel.accounts.models import IdempotencyKey
from khue.kernel.errors import Stale
from tests import factories

calls = []


@csrf_exempt
def act(request):
    calls.append(1)
    if request.POST.get("refuse"):
        raise Stale()
    return HttpResponse(f"lần {len(calls)}", status=201, headers={"Location": "/x"})


urlpatterns = [path("act", act)]


@pytest.fixture
def client(everything):
    calls.clear()
    with override_settings(ROOT_URLCONF=__name__):
        yield factories.client_of(factories.account("clerk", factories.school()))


def test_a_repeat_gets_the_first_answer(client):
    first = client.post("/act", {"a": "1", "_key": "k1"})
    again = client.post("/act", {"a": "1", "_key": "k1", "csrfmiddlewaretoken": "other"})
    assert (first.status_code, first.content, first["Location"]) == (again.status_code, again.content, again["Location"])
    assert again["Idempotent-Replay"] == "true" and len(calls) == 1


def test_the_same_key_with_another_content_is_refused(client):
    client.post("/act", {"a": "1", "_key": "k1"})
    assert client.post("/act", {"a": "2", "_key": "k1"}, headers={"Accept": "application/json"}).status_code == 422
    assert len(calls) == 1


def test_a_header_serves_as_well_and_keys_are_each_account_s_own(client):
    client.post("/act", "{}", content_type="application/json", headers={"Idempotency-Key": "k"})
    client.post("/act", "{}", content_type="application/json", headers={"Idempotency-Key": "k"})
    other = factories.client_of(factories.account("clerk", factories.school("Trường khác")))
    other.post("/act", "{}", content_type="application/json", headers={"Idempotency-Key": "k"})
    assert len(calls) == 2


def test_a_refusal_may_be_tried_again(client):
    for _ in range(2):
        assert client.post("/act", {"refuse": "1", "_key": "k"}, headers={"Accept": "application/json"}).status_code == 409
    assert len(calls) == 2 and not IdempotencyKey.objects.exists()


def test_without_a_key_each_request_acts(client):
    client.post("/act", {"a": "1"})
    client.post("/act", {"a": "1"})
    assert len(calls) == 2
