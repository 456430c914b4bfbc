"""The job under the real runner: steps commit, a kill leaves nothing half-made."""

import io
import json
import zipfile

import pytest

from khue.gateway.exchange.ministry import queries, services, work, writing
from khue.kernel import files, jobs
from khue.kernel.database import scope
from khue.kernel.ledger.models import Entry
from tests import factories
from tests.gateway.exchange.ministry import conftest


def test_the_worker_writes_it_and_a_killed_one_begins_again(fresh_database, now, monkeypatch):
    with scope.everything():
        unit = factories.unit("province", "Tỉnh Vĩnh Long", code="86")
        commune = factories.unit("commune", "Phường An Hội", code="29512", parent=unit)
        for number in range(12):  # two steps
            conftest.plant(commune, f"Trường THCS {number}", "lower_secondary", 7, subjects=conftest.marks)
        officer = factories.account("province_officer", unit)
        job = services.ask(actor=factories.actor_of(officer), school_year=2025, now=now, xlsx=False)

    killed = []

    def kill(point):
        if point == "exchange.ministry_file.after_step" and not killed:
            killed.append(point)
            raise KeyboardInterrupt

    monkeypatch.setattr(work.faults, "hit", kill)
    with pytest.raises(KeyboardInterrupt):
        jobs.run(job.pk, clock=lambda: now)
    with scope.everything():
        job.refresh_from_db()
        assert (job.state, job.result) == ("waiting", {})
        assert not Entry.objects.filter(chain=writing.CHAIN).exists()
    jobs.run(job.pk, clock=lambda: now)
    with scope.everything():
        job.refresh_from_db()
        assert (job.state, job.done, job.total, job.result["schools"]) == ("done", 12, 12, 12)
        assert job.result["violation_count"] == 0
        assert Entry.objects.filter(chain=writing.CHAIN).count() == 1
        package = zipfile.ZipFile(io.BytesIO(files.read(queries.stored(job, "package"))))
        assert len(json.loads(package.read("lower_secondary/learner.json"))) == 36
