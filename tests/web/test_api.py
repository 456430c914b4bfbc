"""The API: tokens of partner systems, sessions of people, problems as documents."""

import json

import pytest
from allauth.idp.oidc.models import Client as Partner
from django.test import Client

from tests import factories

TOKEN = "/identity/o/api/token"


@pytest.fixture
def here(everything):
    return factories.school()


def partner(here, scopes=("khue.read",)):
    account = factories.account("partner_system", here, is_system=True)
    client = Partner(name="Phần mềm thời khoá biểu", owner=account)
    client.set_scopes(list(scopes))
    client.set_grant_types([Partner.GrantType.CLIENT_CREDENTIALS])
    client.set_secret("bi-mat-cua-doi-tac")
    client.save()
    answer = Client().post(
        TOKEN,
        {"grant_type": "client_credentials", "client_id": client.id, "client_secret": "bi-mat-cua-doi-tac", "scope": " ".join(scopes)},
    )
    assert answer.status_code == 200, answer.content
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def test_a_partner_reads_its_place_only(here):
    factories.learners(factories.class_group(here), 2)
    factories.learners(factories.class_group(factories.school("Trường khác")), 2)
    headers = partner(here)
    answer = Client().get("/api/v1/classes?school_year=2025", headers=headers)
    assert answer.status_code == 200 and answer.json()["count"] == 1


def test_no_token_a_wrong_one_and_a_narrow_one(here):
    assert Client().get("/api/v1/learners").status_code == 401
    assert Client().get("/api/v1/learners", headers={"Authorization": "Bearer xyz"}).status_code == 401
    narrow = Client().post("/api/v1/learners", "{}", content_type="application/json", headers=partner(here))
    assert narrow.status_code == 403 and narrow["Content-Type"] == "application/problem+json"


def test_a_person_s_session_needs_the_csrf_token_to_write(here):
    client = factories.client_of(factories.account("clerk", here))
    client.handler.enforce_csrf_checks = True
    answer = client.post("/api/v1/transfers", "{}", content_type="application/json")
    assert answer.status_code == 403


def test_writes_say_what_is_wrong_and_keep_versions(here):
    group = factories.class_group(here)
    client = factories.client_of(factories.account("clerk", here))
    body = {"class_uid": str(group.uid), "name": "Lê Văn Mới", "born_on": "2013-05-06", "sex": "1", "from_day": "2025-09-05", "until": "2026-06-01"}
    made = client.post("/api/v1/learners", json.dumps(body), content_type="application/json", headers={"Idempotency-Key": "a"})
    again = client.post("/api/v1/learners", json.dumps(body), content_type="application/json", headers={"Idempotency-Key": "a"})
    assert made.status_code == again.status_code == 201 and made.content == again.content
    uid, version = made.json()["uid"], made.json()["version"]
    change = json.dumps({"version": version, "address": "Ấp 3"})
    assert client.patch(f"/api/v1/learners/{uid}", change, content_type="application/json").status_code == 200
    stale = client.patch(f"/api/v1/learners/{uid}", change, content_type="application/json")
    assert stale.status_code == 409 and stale.json()["type"] == "urn:khue:problem:stale"
    wrong = client.post("/api/v1/learners", json.dumps({**body, "born_on": "31/02/2013", "sex": "9"}), content_type="application/json")
    assert wrong.status_code == 422 and {"body.born_on", "body.sex"} <= set(wrong.json()["fields"])
    assert client.get("/api/v1/learners?name=le van m").json()["count"] == 1


def test_the_document_is_openapi_3_1_and_unknown_addresses_are_problems(here):
    document = Client().get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert Client().get("/api/v1/nothing").status_code == 404
    assert Client().get("/api/v2/").json()["status"] == 404
