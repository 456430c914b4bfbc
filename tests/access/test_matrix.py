"""Right x place x time over every operation, against the lines a person reads in matrix.csv.

A cell is a set of letters: the targets for which the operation opens.

    o  own class, child, register (school for things of a school)    s  same school, other class or child
    x  another school of the same commune                              c  another commune's school
    e  own, the role ended yesterday                                   n  own, the role begins tomorrow      -  none

A role that may not do a thing now is not asked whether it may after its end or before its beginning.
An operation that takes no thing has o where it answers, and s, x, c where its answer shows those people. Opens
means: not 401, 403, 404, 405 and not led to sign-in; a sentence about the state (409, 422) has opened. Whatever is
not named must be refused, show no name of anybody there, and leave every table as it was.

After a change of rights run with KHUE_MATRIX=/tmp/matrix.csv, which writes what was measured part by part
(/tmp/matrix.api.csv …), read each line that differs, and correct the code or the cell.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import pytest
from django.core.cache import cache
from django.template.base import Template

from tests import factories
from tests.access import operations, world
from tests.access.operations import Operation
from tests.access.trying import Trial
from tests.conftest import pointed

MATRIX = Path(__file__).parent / "matrix.csv"
Key = tuple[str, str]
LIBRARY = ("account_", "mfa_", "usersessions_", "socialaccount_", "idp:", "openid_connect_")
"""Pages of django-allauth: some answer any method like GET before they look at it; they may change nothing of ours."""


@pytest.fixture(scope="module")
def trial(databases, django_db_blocker) -> Iterator[Trial]:
    """The world, committed once to a database of its own; each request is undone."""
    from django.utils import timezone

    from khue.kernel.database import scope

    name = databases.clone(f"khue_access_{os.getpid()}")
    patch = pytest.MonkeyPatch()
    patch.setattr(timezone, "now", _now)
    patch.setattr(Template, "_render", lambda template, context: template.nodelist.render(context))  # nobody asks which templates, with what, were used
    with django_db_blocker.unblock(), pointed(databases.server.url("khue_app", name)):
        with scope.everything():
            made = world.build()
        yield Trial(made)
    patch.undo()
    cache.clear()
    databases.drop(name)


def _now() -> datetime:
    return factories.NOW


@lru_cache(maxsize=1)
def read() -> dict[Key, dict[str, str]]:
    """Return the lines of the matrix by operation and method."""
    with MATRIX.open(encoding="utf-8", newline="") as source:
        return {(line["operation"], line["method"]): line for line in csv.DictReader(source)}


def write(path: Path, lines: list[dict[str, str]]) -> None:
    """Write measured lines where a person can read and compare them."""
    with path.open("w", encoding="utf-8", newline="") as sink:
        writer = csv.DictWriter(sink, ["operation", "method", "thing", *world.ROLES], lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


def measured(trial: Trial, operation: Operation) -> tuple[dict[str, str], list[str]]:
    """Return one line as measured, and what no line may allow."""
    line = {"operation": operation.name, "method": operation.method, "thing": operation.thing}
    faults = []
    for role in world.ROLES:
        cell = trial.cell(operation, role)
        line[role] = cell.letters
        faults += [f"{operation.name} {operation.method} as {role}: {fault}" for fault in cell.faults]
    return line, faults


def differences(expected: dict[str, str], line: dict[str, str]) -> list[str]:
    """Return the cells in which a measured line differs from the one that stands in the matrix."""
    return [
        f"{line['operation']} {line['method']} as {role}: the matrix says {expected[role]}, it opens for {line[role]}"
        for role in world.ROLES
        if expected[role] != line[role]
    ]


@pytest.mark.timeout(900)
def test_every_operation_has_a_line_and_every_line_an_operation(trial: Trial) -> None:
    lines, known = read(), {(one.name, one.method): one for one in operations.catalogue()}
    assert set(lines) == set(known), "operations.py and matrix.csv name different operations"
    assert all(lines[key]["thing"] == known[key].thing for key in lines)
    asked = {(one.base, one.method) for one in known.values()}
    there = operations.found()
    assert {name for name, _method in asked} <= set(there), "lines of operations that are not there any more"
    without = {name for name in there if name not in {base for base, _method in asked}}
    assert not without, f"operations without a line: {sorted(without)}"
    undeclared = []
    by_name = {one.base: one for one in known.values()}
    for name, methods in there.items():
        operation = by_name[name]
        target = next(iter(operations.targets(trial.world, operation.thing, "principal", trial.world.accounts["principal"]["now"]).values()))[0]
        for method in methods:
            if (name, method) not in asked:
                answer = trial.ask(operation, "principal", "now", target, method)
                if not answer.is_refused and (answer.changed or not name.startswith(LIBRARY)):
                    undeclared.append(f"{name} {method} answers {answer.status} and changes {answer.changed}")
    assert not undeclared, undeclared


@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", operations.PARTS)
def test_every_cell(trial: Trial, part: str) -> None:
    expected, faults, lines, before = read(), [], [], trial.asked
    for operation in operations.PARTS[part]():
        line, wrong = measured(trial, operation)
        lines.append(line)
        faults += wrong
        faults += differences(expected.get((operation.name, operation.method), line | dict.fromkeys(world.ROLES, "?")), line)
    if where := os.environ.get("KHUE_MATRIX"):
        write(Path(where).with_suffix(f".{part}.csv"), lines)
    assert trial.asked - before >= 10 * len(lines)
    assert not faults, f"{len(faults)} cells:\n" + "\n".join(faults)


@pytest.mark.timeout(900)
def test_forbidden_looks_absent(trial: Trial) -> None:
    roles = ("guardian", "subject_teacher", "principal", "commune_officer", "partner_system")
    faults = [
        f"{operation.name} {operation.method} as {role}: {fault}"
        for number, operation in enumerate(operations.catalogue())
        for role in (roles[number % 5], roles[(number + 2) % 5])  # every operation is asked by two, every role asks all kinds
        for fault in trial.looks_absent(operation, role)
    ]
    assert not faults, f"{len(faults)}:\n" + "\n".join(faults)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("role", ["anonymous", "guardian", "principal"])
def test_head_and_options_say_nothing_more(trial: Trial, role: str) -> None:
    faults = [
        f"{operation.name} as {role}: {fault}"
        for operation in operations.catalogue()
        for fault in trial.other_methods(operation, role)
    ]
    assert not faults, "\n".join(faults)
