"""Every page, for everybody who may open it, in at most six statements: the session, the actor with her scope, and
what the page itself asks, with the note of who looked.

`test_matrix` asks who may open what; the same catalogue of operations says here what opening costs. Pages that are
no page of ours (sign-in and other doors of django-allauth, files, the forms' results) are not counted.
"""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.access import operations, world
from tests.access.operations import Operation
from tests.access.test_matrix import LIBRARY, read, trial  # noqa: F401 - the fixture
from tests.access.trying import Trial

MOST = 6
OF_THE_TEST = (
    "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SELECT SET_CONFIG(", "SELECT COALESCE(CURRENT_SETTING",
)  # fmt: skip
"""Statements of the test's own transaction: a request outside one needs none of these."""
NO_PAGES = ("api:", "oneroster:rostering", "oneroster:gradebook", "portal:", *LIBRARY)


def pages() -> list[Operation]:
    """Return the operations that show a page of ours."""
    return [
        one for one in operations.catalogue()
        if one.method == "GET" and not one.name.startswith(NO_PAGES) and one.base not in operations.FILES
    ]  # fmt: skip


def statements(asked: Trial, operation: Operation, role: str) -> list[str] | None:
    """Return what a page asked the database, asked again where it was too much: first showings fill caches.

    None where this role may not open it.
    """
    account = asked.world.accounts[role]["now"] if role != "anonymous" else None
    for target in operations.targets(asked.world, operation.thing, role, account).get("o", [])[:1]:
        client, path = asked.world.clients[role, "now"], operation.path(target)
        with transaction.atomic():
            for _showing in range(2):
                with CaptureQueriesContext(connection) as captured:
                    if client.get(path).status_code != 200:
                        return None
                asked_for = [one["sql"] for one in captured.captured_queries if not one["sql"].upper().startswith(OF_THE_TEST)]
                if len(asked_for) <= MOST:
                    break
            transaction.set_rollback(True)
        return asked_for
    return None


@pytest.mark.timeout(900)
def test_every_page_costs_six_statements_at_most(trial: Trial) -> None:  # noqa: F811
    dear, opened, lines = [], 0, read()
    for operation in pages():
        for role in [one for one in world.ROLES if "o" in lines[operation.name, operation.method][one]]:
            asked = statements(trial, operation, role)
            opened += asked is not None
            if asked is not None and len(asked) > MOST:
                dear.append(f"{operation.name} as {role}: {len(asked)}\n    " + "\n    ".join(one[:220] for one in asked))
    assert opened > 150
    assert not dear, f"{len(dear)} pages:\n" + "\n".join(dear)
