"""Work in the background has the rights of who asked for it, as they stand when it runs, and no more.

A job is put into the queue as if a door had let it through; running it must then do nothing outside the place of
who asked, and nothing at all once her role has ended or before it begins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from khue.kernel import jobs
from khue.kernel.database import scope
from khue.kernel.jobs.models import Job
from tests import factories
from tests.access.test_matrix import trial  # noqa: F401 - the fixture
from tests.access.trying import Trial
from tests.access.world import Place, law_parameters

AT = factories.NOW.isoformat()


def _import(place: Place) -> dict[str, Any]:
    return {"batch": place.rows["batch"].pk, "at": AT}


PARAMETERS: dict[str, tuple[str, Callable[[Place], dict[str, Any]]]] = {
    "exchange.check": ("clerk", _import),
    "exchange.apply": ("clerk", _import),
    "exchange.undo": ("clerk", _import),
    "exchange.result": ("clerk", _import),
    "exchange.ministry_file": ("province_officer", lambda place: {"school_year": 2024, "at": AT, "xlsx": False}),
    "gradebook.close_term": ("principal", lambda place: {"classes": [place.group.pk], "term": 1}),
    "gradebook.close_year": ("principal", lambda place: {"school": place.school.pk, "year": 2025, "classes": [place.group.pk]}),
    "law.compare": ("province_officer", law_parameters),
    "law.recompute": ("province_officer", law_parameters),
    "oneroster.export": ("principal", lambda place: {"school": place.school.pk, "marks": True}),
    "people.doubles": ("province_officer", lambda place: {"at": AT}),
    "periods.compare": ("principal", lambda place: {"submission": place.rows["submission"].pk}),
    "periods.freeze": ("province_officer", lambda place: {"period": place.rows["period"].pk}),
    "periods.refreeze": ("principal", lambda place: {"submission": place.rows["returned"].pk, "reason": "Đã sửa sĩ số"}),
    "periods.sign": ("principal", lambda place: {"approval": place.rows["approval"].pk}),
    "sync.reconcile": ("province_officer", lambda place: {"channel": place.rows["channel"].pk}),
    "sync.send": ("province_officer", lambda place: {"channel": place.rows["channel"].pk, "school_year": 2025}),
    "sync.turn": ("province_officer", lambda place: {"channel": place.rows["channel"].pk, "school_year": 2025}),
    "timetable.solve": (
        "vice_principal",
        lambda place: {"timetable": place.rows["draft timetable"].pk, "seconds": 5, "seed": 1, "keeps": False},
    ),
    "quality.check": ("principal", lambda place: {"at": AT, "school": place.school.pk}),
    "exchange.ministry_take": ("clerk", lambda place: {"file": place.rows["batch"].file_id, "school_year": 2025, "at": AT}),
    "transcripts.sign": ("principal", lambda place: {"batch": place.rows["signing"].pk}),
}
"""Who asks for a kind of work by default, and its parameters for one place."""


def run(trial: Trial, kind: str, role: str, when: str, letter: str) -> tuple[str, list[str]]:  # noqa: F811
    """Run a job as one account for one place, undo it; returns how it ended and the tables it changed."""
    account = trial.world.accounts[role][when]
    place = trial.world.places[letter]
    with transaction.atomic():
        with scope.everything():
            job = Job.objects.create(
                kind=kind, title=kind, account_id=account.pk, grant_id=account.grants.get().pk,
                school_id=account.grants.get().unit_id, parameters=PARAMETERS[kind][1](place),
            )  # fmt: skip
        try:
            jobs.run(job.pk, clock=timezone.now)
        except Exception:  # what a job cannot find in its scope ends it too
            assert transaction.get_connection().needs_rollback is False
        with scope.everything():
            job.refresh_from_db()
        changed = [name for name in trial.tables.changed() if name != "jobs_job"]
        transaction.set_rollback(True)
    return job.state, changed


def test_every_kind_of_work_is_here() -> None:
    assert set(PARAMETERS) == set(jobs.KINDS)


@pytest.mark.parametrize("kind", PARAMETERS)
@pytest.mark.parametrize("when", ["ended", "future"])
def test_work_of_a_role_that_ended_is_not_done(trial: Trial, kind: str, when: str) -> None:  # noqa: F811
    assert run(trial, kind, PARAMETERS[kind][0], when, "o") == (Job.State.FAILED, [])


@pytest.mark.parametrize("kind", PARAMETERS)
@pytest.mark.parametrize("letter", ["x", "c"])
def test_work_outside_her_place_changes_nothing(trial: Trial, kind: str, letter: str) -> None:  # noqa: F811
    role = "principal" if PARAMETERS[kind][0] == "province_officer" else PARAMETERS[kind][0]
    state, changed = run(trial, kind, role, "now", letter)
    assert changed == [] and state != Job.State.DONE


def test_the_same_work_in_her_own_place_is_done(trial: Trial) -> None:  # noqa: F811
    """The control: what refuses above is the place, not the parameters."""
    assert run(trial, "exchange.result", "clerk", "now", "o")[0] == Job.State.DONE
    assert run(trial, "exchange.ministry_file", "province_officer", "now", "o")[0] == Job.State.DONE
