"""The API of registers and results."""

from __future__ import annotations

import json

import pytest

from tests import factories
from tests.school.gradebook import books

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(everything, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: books.NOW)
    return books.book()


def test_a_teacher_lists_reads_and_writes_her_register(made):
    client = factories.client_of(made.teacher)
    [register] = client.get("/api/v1/registers?term=1").json()
    assert (register["subject_code"], register["learners"], register["missing"], register["is_taught"]) == ("toan", 3, 18, True)
    grid = client.get(f"/api/v1/registers/{register['uid']}").json()
    assert grid["slots"] == ["r1", "r2", "r3", "r4", "mid", "fin", "comment"]
    body = {"changes": [{"learner": made.uids[0], "slot": "r1", "value": "8,5", "seen": grid["sequence"]}, {"learner": made.uids[1], "slot": "r1", "value": "85"}]}
    headers = {"idempotency-key": "k1"}
    first = client.patch(f"/api/v1/registers/{register['uid']}/cells", json.dumps(body), content_type="application/json", headers=headers)
    assert (first.status_code, first.json()["saved"][0]["value"], first.json()["refused"][0]["suggestion"]) == (200, "8.5", "8,5")
    again = client.patch(f"/api/v1/registers/{register['uid']}/cells", json.dumps(body), content_type="application/json", headers=headers)
    assert again.content == first.content
    body["changes"][0]["value"] = "4"
    clash = client.patch(f"/api/v1/registers/{register['uid']}/cells", json.dumps(body), content_type="application/json")
    assert (clash.status_code, clash.json()["conflicts"][0]["value"]) == (409, "8.5")


def test_results_say_why_and_what_is_missing(made):
    client = factories.client_of(made.homeroom, role="homeroom_teacher")
    found = client.get(f"/api/v1/classes/{made.group.uid}/results?term=1").json()
    assert (found["is_closed"], len(found["results"])) == (False, 3)
    assert {"subject": "", "what": ["conduct"]} in found["results"][0]["missing"]


def test_who_has_no_business_there_is_told_nothing(made):
    for account, status in ((factories.guardian(made.learners[0]), 404), (factories.account("nurse", made.school), 403)):
        client = factories.client_of(account)
        assert client.get(f"/api/v1/registers/{made.register().uid}").status_code == status
        assert client.get(f"/api/v1/classes/{made.group.uid}/results").status_code == status
    assert factories.client_of(factories.account("nurse", made.school)).get("/api/v1/registers").status_code == 403


@pytest.mark.parametrize("body", ["{", "{}", '{"changes": []}', '{"changes": [{"learner": "x", "slot": "r1", "value": "8"}]}', '{"changes": [{"learner": null}]}'])
def test_broken_bodies_are_refused_in_words(made, body):
    client = factories.client_of(made.teacher)
    answer = client.patch(f"/api/v1/registers/{made.register().uid}/cells", body, content_type="application/json")
    assert answer.status_code in (400, 422)
    assert answer["Content-Type"].startswith("application/problem+json")
