"""Two holes on purpose: the matrix must name them, else its green means nothing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from khue.kernel import permissions
from khue.kernel.database import scope
from khue.register.people import services as people
from khue.register.schooling import queries as schooling
from khue.register.schooling.models import ClassGroup
from tests.access import operations
from tests.access.test_matrix import differences, measured, read, trial  # noqa: F401 - the fixture
from tests.access.trying import Answer, Trial


def line_of(trial: Trial, name: str, method: str) -> list[str]:  # noqa: F811
    """Return what the matrix says is wrong with one operation as it is now."""
    (operation,) = [one for one in operations.catalogue() if (one.name, one.method) == (name, method)]
    line, faults = measured(trial, operation)
    return faults + differences(read()[name, method], line)


def test_the_lines_of_the_controls_are_right_without_a_hole(trial: Trial) -> None:  # noqa: F811
    assert line_of(trial, "schooling:class", "GET") == line_of(trial, "api:update_learner", "PATCH") == []


def test_a_view_without_scope_is_named(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    def any_class(actor: permissions.Actor, uid: UUID, *, at: Any) -> ClassGroup:
        return ClassGroup.objects.select_related("homeroom__person", "school").get(uid=uid)

    monkeypatch.setattr(schooling, "class_group", any_class)
    faults = line_of(trial, "schooling:class", "GET")
    assert any("as principal: the matrix says os, it opens for osxc" in fault for fault in faults), faults
    assert any("as guardian: the matrix says -" in fault for fault in faults)


def test_a_write_that_demands_nothing_is_named(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    def forgets(*args: Any, **kwargs: Any) -> None:
        return None

    monkeypatch.setattr(people.permissions, "demand", forgets)
    faults = line_of(trial, "api:update_learner", "PATCH")
    assert any("as commune_officer: the matrix says -" in fault for fault in faults), faults
    assert any("as homeroom_teacher: the matrix says -" in fault for fault in faults)


def test_a_row_changed_behind_a_refusal_is_named(trial: Trial) -> None:  # noqa: F811
    with transaction.atomic():
        assert trial.tables.changed() == []
        with scope.everything():
            ClassGroup.objects.filter(pk=trial.world.places["c"].group.pk).update(code="lén")
        changed = trial.tables.changed()
        transaction.set_rollback(True)
    assert changed == ["schooling_classgroup", "schooling_classgrouphistory"]
    answer = Answer(403, "", "", set(), changed)
    assert trial._wrong(answer, "now c") == ["now c: refused with 403, yet changed schooling_classgroup, schooling_classgrouphistory"]


def test_a_name_in_a_refusal_is_named(trial: Trial) -> None:  # noqa: F811
    assert trial._wrong(Answer(404, "", "Zqclanh", {"c"}), "now c") == ["now c: refused with 404, yet shows the names of c"]
