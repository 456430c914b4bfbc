"""No page breaks on what nobody means: each form with one field turned into rubbish, each parameter of an address.

Who may, asks; the answer is a page, a refusal or the form again, never a failure of the server. `tests/web/test_fuzz`
does the same for the API from its own description.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from tests.access import operations
from tests.access.operations import Operation
from tests.access.test_matrix import LIBRARY, read, trial  # noqa: F401 - the fixture
from tests.access.trying import Trial, send
from tests.access.world import ROLES

RUBBISH = ("²", "-1", "9" * 4400, "1\x00", "[]", "😀")
PARAMETERS = ("nam", "ngay", "ky", "tu", "trang", "cap", "cap1", "ban_do1", "mo", "so", "loai", "loc", "truong", "buoi", "luc", "q", "year", "limit")


def known(operation: Operation) -> bool:
    """Return whether it is a page of ours."""
    return not operation.is_api and not operation.name.startswith(LIBRARY)


def who_may(operation: Operation) -> str | None:
    """Return a role that opens the operation for its own thing, by the lines of the matrix."""
    line = read().get((operation.name, operation.method), {})
    return next((role for role in ROLES if role != "anonymous" and "o" in line.get(role, "")), None)


def mixed(names: Iterable[str], turn: int) -> dict[str, str]:
    """Return rubbish for every name, one kind after the other, beginning with the kind of this turn."""
    return {name: RUBBISH[(turn + number) % len(RUBBISH)] for number, name in enumerate(names)}


def spoilt(data: Any) -> Iterator[Any]:
    """Yield the body of a request with one field after the other turned into rubbish."""
    body = json.loads(data) if isinstance(data, str) else data
    for number, name in enumerate(sorted(body)):
        changed = {**body, name: RUBBISH[number % len(RUBBISH)]}
        yield json.dumps(changed) if isinstance(data, str) else changed
    for turn in range(len(RUBBISH)):
        changed = mixed(body, turn)
        yield json.dumps(changed) if isinstance(data, str) else changed


@pytest.mark.timeout(900)
def test_no_form_breaks_on_rubbish(trial: Trial) -> None:  # noqa: F811
    broken, asked = [], 0
    for operation in operations.catalogue():
        role = who_may(operation) if known(operation) and operation.data else None
        if role is None:
            continue
        account = trial.world.accounts[role]["now"]
        for target in operations.targets(trial.world, operation.thing, role, account).get("o", [])[:1]:
            for data in spoilt(operation.data(trial.world, target)):
                answer = send(trial.tables, trial.world.clients[role, "now"], operation.method, operation.path(target), data)
                asked += 1
                if answer.is_broken:
                    broken.append(f"{operation.name} as {role} with {str(data)[:120]}: {answer.status} {answer.error}")
    assert asked > 300
    assert not broken, f"{len(broken)}:\n" + "\n".join(broken)


@pytest.mark.timeout(900)
def test_no_address_breaks_on_rubbish(trial: Trial) -> None:  # noqa: F811
    broken, asked = [], 0
    for operation in operations.catalogue():
        role = who_may(operation) if known(operation) and operation.method == "GET" else None
        if role is None:
            continue
        account = trial.world.accounts[role]["now"]
        for target in operations.targets(trial.world, operation.thing, role, account).get("o", [])[:1]:
            path = operation.path(target).partition("?")[0]
            for turn in range(len(RUBBISH)):
                answer = send(trial.tables, trial.world.clients[role, "now"], "GET", path, mixed(PARAMETERS, turn))
                asked += 1
                if answer.is_broken:
                    broken.append(f"{operation.name} as {role} in turn {turn}: {answer.status} {answer.error}")
    assert asked > 150
    assert not broken, f"{len(broken)}:\n" + "\n".join(broken)
