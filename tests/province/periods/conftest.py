"""Two communes with their schools, the people who sign and check, keys of the tests' own."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from khue.kernel import jobs
from khue.kernel.accounts.models import Account
from khue.kernel.permissions import Actor
from khue.province.periods import services
from khue.province.periods.models import ReportPeriod, Submission
from khue.register.orgs.models import Unit
from khue.register.people.models import Person
from tests import factories
from tests.gateway.exchange.ministry.conftest import complete, marks, result

REFERENCE = date(2025, 9, 30)
EARLY = datetime(2025, 9, 30, 16, 0, tzinfo=timezone.get_default_timezone())


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("installation")


@pytest.fixture
def keys(settings, installation: Path) -> None:
    settings.KHUE_KEYS = installation / "keys"
    settings.KHUE_HOME = installation


@dataclass
class Ground:
    """A province with two communes; An Hội has two schools, Bình Lợi one."""

    province: Unit
    communes: list[Unit]
    schools: list[Unit]
    learners: dict[int, list[Person]]
    accounts: dict[str, Account]

    def actor(self, name: str, *, at: datetime | None = None) -> Actor:
        return factories.actor_of(self.accounts[name], at=at or timezone.now())

    @property
    def officer(self) -> Actor:
        return self.actor("officer")

    def open(self, **fields) -> ReportPeriod:
        held = services.open_period(actor=self.officer, plan=plan(**fields), now=timezone.now())
        held.refresh_from_db()  # the ledger moved its version
        return held

    def freeze(self, **fields) -> ReportPeriod:
        held = self.open(**fields)
        run(services.freeze_now(actor=self.officer, uid=held.uid, now=timezone.now()))
        held.refresh_from_db()
        return held

    def submission(self, period: ReportPeriod, number: int = 0) -> Submission:
        return Submission.objects.select_related("snapshot", "period", "school", "at_unit").get(period=period, school=self.schools[number])

    def sign(self, period: ReportPeriod, number: int = 0) -> Submission:
        held = self.submission(period, number)
        approval = services.approve(actor=self.actor(f"head{number}"), documents=[(str(held.uid), held.snapshot.sha256)], now=timezone.now())
        run(approval.job)
        return self.submission(period, number)


def plan(**fields) -> services.Plan:
    values = {
        "kind": "start", "name": "Số liệu đầu năm học 2025–2026", "school_year": 2025, "reference_on": REFERENCE, "freezes_at": EARLY,
        "dues": {"school": date(2025, 10, 5), "commune": date(2025, 10, 15), "province": date(2025, 10, 30)},
        "levels": ["lower_secondary"], "objects": ["school", "class", "staff", "learner"],
    }  # fmt: skip
    return services.Plan(**{**values, **fields})


def run(job: jobs.models.Job) -> None:
    jobs.run(job.pk, clock=timezone.now)
    job.refresh_from_db()
    assert job.state == "done", job.message


def make(size: int = 3) -> Ground:
    top = factories.unit("province", "Tỉnh Vĩnh Long", code="86")
    communes = [factories.unit("commune", name, code=code, parent=top) for name, code in (("Phường An Hội", "29512"), ("Xã Bình Lợi", "29513"))]
    schools, learners, accounts = [], {}, {}
    for number, (name, commune) in enumerate((("Trường THCS An Hội", communes[0]), ("Trường THCS Hoà Bình", communes[0]), ("Trường THCS Bình Lợi", communes[1]))):
        here = factories.school(name, commune=commune)
        Unit.objects.filter(pk=here.pk).update(commune_code=commune.code, address="Số 1 đường Trường học")
        head = factories.post(here, "Ngô Thị Hạnh", "principal")
        group = factories.class_group(here, grade=7, name="7A1", homeroom=factories.post(here, "Trần Văn Bảy"))
        learners[here.pk] = factories.learners(group, size)
        for serial, person in enumerate(learners[here.pk]):
            complete(person, number=f"086213{here.pk % 10**4:04d}{serial:02d}")
            result(group, person, 1, **marks(1))
        schools.append(here)
        accounts[f"head{number}"] = factories.account("principal", here, who=head.person)
        accounts[f"clerk{number}"] = factories.account("clerk", here)
    accounts["officer"] = factories.account("province_officer", top)
    accounts["commune0"] = factories.account("commune_officer", communes[0])
    accounts["commune1"] = factories.account("commune_officer", communes[1])
    return Ground(top, communes, schools, learners, accounts)


@pytest.fixture(scope="module")
def made(common) -> Ground:
    return make()


@pytest.fixture
def ground(made, everything, keys) -> Ground:
    """The schools of the module, with objects of its own: what a test changes is undone."""
    return deepcopy(made)


SOON = timedelta(days=1)
