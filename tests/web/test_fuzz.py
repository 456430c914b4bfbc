"""The whole API fed with what its own document allows and what it does not: no input may break the server.

Cases are drawn by schemathesis from the document, the same in every run; the ids of real things are mixed in, so
that the cases reach past "not found". A planted fault shows that a broken operation would be seen.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from khue.register.schooling import queries
from khue.web.api import api
from tests import factories
from tests.school.gradebook import books

SCHEMA = schemathesis.openapi.from_dict(api.get_openapi_schema())
OPERATIONS = [result.ok() for result in SCHEMA.get_all_operations()]
EXAMPLES = 12
BY_DESIGN = (400, 401, 403, 404, 405, 409, 415, 422)


@pytest.fixture
def door(everything: None) -> tuple[Client, list[str]]:
    """A principal's browser, and uids of things of her school and of another's."""
    made = books.book(count=1)
    other = factories.class_group(factories.school("Trường khác"))
    client = factories.client_of(factories.account("principal", made.school, who=factories.post(made.school, "Hiệu trưởng", "principal").person))
    client.raise_request_exception = False
    return client, [str(one.uid) for one in (made.group, made.learners[0], made.register(), made.school, other)]


def send(client: Client, case: Any, uid: str | None) -> Any:
    """Send one case; `uid` takes the place of the drawn id."""
    parameters = dict(case.path_parameters or {})
    if uid is not None and "uid" in parameters:
        parameters["uid"] = uid
    path = case.operation.path
    for name, value in parameters.items():
        path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
    query = {key: value for key, value in (case.query or {}).items() if value is not None}
    sent = case.as_transport_kwargs(base_url="http://testserver")
    body = sent.get("json", sent.get("data"))
    if body is not None and not isinstance(body, str | bytes):
        body = json.dumps(body)
    return client.generic(
        case.method, f"{path}?{urlencode(query, doseq=True, errors='replace')}", body or b"", content_type=case.media_type or "application/json"
    )


def feed(client: Client, uids: list[str], operation: Any, *, examples: int = EXAMPLES) -> list[int]:
    """Feed one operation; returns the statuses. Raises AssertionError for a server error or an unknown answer."""
    statuses: list[int] = []

    def one(case: Any, uid: str | None) -> None:
        answer = send(client, case, uid)
        statuses.append(answer.status_code)
        body = answer.content.decode("utf-8", "replace")
        assert answer.status_code < 500, f"{operation.label} answered {answer.status_code} to {case.as_curl_command()}"
        assert answer.status_code < 300 or answer.status_code in BY_DESIGN, f"{operation.label} answered {answer.status_code}"
        assert "Traceback" not in body and "psycopg" not in body
        if answer.status_code >= 400:
            assert answer["Content-Type"] == "application/problem+json"

    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        try:
            cases = operation.as_strategy(generation_mode=mode)
        except Exception as error:  # an operation without parameters has no wrong input
            assert mode == GenerationMode.NEGATIVE, error
            continue
        _run(one, cases, uids, examples)
    return statuses


def _run(one: Callable[[Any, str | None], None], cases: Any, uids: list[str], examples: int) -> None:
    bound = settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    bound(given(case=cases, uid=st.sampled_from([None, *uids]))(one))()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.label)
def test_no_input_breaks_an_operation(door: tuple[Client, list[str]], operation: Any) -> None:
    assert len(feed(*door, operation)) >= EXAMPLES // 2


def test_every_operation_of_the_document_is_fed() -> None:
    assert len(OPERATIONS) == sum(len(path) for path in api.get_openapi_schema()["paths"].values()) >= 25


def test_a_planted_fault_is_seen(door: tuple[Client, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(queries, "classes", broken)
    (operation,) = [one for one in OPERATIONS if one.label == "GET /api/v1/classes"]
    with pytest.raises(AssertionError, match="answered 500"):
        feed(*door, operation)
