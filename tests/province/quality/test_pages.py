"""Pages and work of data quality: who sees what, what a check leaves, what is late, whose numbers are missing."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from khue.kernel import jobs
from khue.kernel.database.fields import period
from khue.kernel.errors import Invalid, NotAllowed, SecondFactorNeeded, Stale
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import system_actor
from khue.province.quality import queries, services, sweeping, work
from khue.province.quality.models import Deadline, Finding, Rule, Score
from khue.register.fields import counting
from khue.register.fields.models import Completeness
from khue.register.people.models import Person
from khue.register.schooling.mine import school_year_of
from khue.register.schooling.models import ClassGroup, Placement
from khue.school.gradebook.models import Closing, Register
from tests import factories

pytestmark = pytest.mark.usefixtures("everything")
SYSTEM = system_actor("test")


def today() -> date:
    return timezone.localtime(timezone.now()).date()


class World:
    def __init__(self) -> None:
        self.province = factories.province()
        self.here, self.there = factories.school(), factories.school("Trường THCS Lê Lợi")
        year = school_year_of(today())
        for school in (self.here, self.there):
            group = ClassGroup.objects.create(school=school, school_year=year, grade=7, name="7A")
            for learner in factories.learners(group, 2):
                Placement.objects.filter(learner=learner).update(valid=period(today() - timedelta(30), today() + timedelta(100)))
        self.principal = factories.account("principal", self.here)
        self.officer = factories.account("province_officer", self.province)
        self.steward = factories.account("data_steward", self.province)


@pytest.fixture
def world():
    return World()


def check(actor, at):
    job = Job.objects.create(kind=work.KIND, title="x", parameters={"at": at.isoformat()})
    for step in jobs.KINDS[work.KIND].function(job, actor):
        job.cursor, job.result = step.cursor, step.result or job.result
    return job


def test_the_nightly_check_counts_asks_and_scores_everything(world):
    job = check(SYSTEM, timezone.now())
    assert job.result["opened"] == Finding.objects.count() > 10
    assert set(Score.objects.values_list("school_id", flat=True)) >= {None, world.here.pk, world.there.pk}
    assert Completeness.objects.filter(school=None).exists()
    again = check(SYSTEM, timezone.now())
    assert (again.result["opened"], again.result["mended"]) == (0, 0)


def test_a_school_asks_for_itself_only(world):
    check(factories.actor_of(world.principal, at=timezone.now()), timezone.now())
    assert set(Finding.objects.values_list("school_id", flat=True)) == {world.here.pk}


def test_a_check_goes_on_where_it_was(world, monkeypatch):
    monkeypatch.setattr(sweeping, "SCHOOLS_A_STEP", 1)
    job = Job.objects.create(kind=work.KIND, title="x", parameters={"at": timezone.now().isoformat()})
    step = next(jobs.KINDS[work.KIND].function(job, SYSTEM))
    first = set(Finding.objects.values_list("school_id", flat=True))
    assert len(first) == 1
    job.cursor, job.result = step.cursor, step.result
    *_before, last = jobs.KINDS[work.KIND].function(job, SYSTEM)
    assert last.done == len(counting.school_ids(on=today()))
    assert {world.here.pk, world.there.pk} <= set(Finding.objects.values_list("school_id", flat=True))


def test_nightly_is_queued_once(world, now):
    assert services.start_nightly(actor=SYSTEM, now=now).pk == services.start_nightly(actor=SYSTEM, now=now).pk


def pages(client, counted, *addresses):
    found = []
    for address in addresses:
        with counted() as count:
            answer = client.get(address)
        assert answer.status_code == 200, address
        assert count.total <= 6, (address, count.statements)
        found.append(answer.content.decode())
    return found


def test_boards_show_a_place_its_own(world, counted):
    check(SYSTEM, timezone.now())
    mine = pages(factories.client_of(world.principal), counted, "/chat-luong-du-lieu/", "/chat-luong-du-lieu/so-dinh-danh/", "/chat-luong-du-lieu/tien-do/")
    assert all("Lê Lợi" not in page for page in mine)
    assert "Học sinh chưa có số định danh cá nhân" in mine[0]
    all_ = pages(factories.client_of(world.officer), counted, "/chat-luong-du-lieu/", "/chat-luong-du-lieu/so-dinh-danh/", "/chat-luong-du-lieu/tien-do/")
    assert all("Lê Lợi" in page for page in all_)


def test_a_work_list_leads_to_the_field_and_only_to_ones_own(world, counted):
    check(SYSTEM, timezone.now())
    learner = Person.objects.filter(placements__school=world.here).first()
    other = Person.objects.filter(placements__school=world.there).first()
    address = "/chat-luong-du-lieu/quy-tac/learner-number-missing/"
    [page] = pages(factories.client_of(world.principal), counted, address)
    assert f"/hoc-sinh/{learner.uid}/ho-so/#o-MA_CONG_DAN_ID" in page
    assert str(other.uid) not in page
    client = factories.client_of(world.officer)
    [page] = pages(client, counted, f"{address}?truong={world.there.uid}")
    assert str(other.uid) in page
    assert str(learner.uid) not in page
    assert factories.client_of(world.principal).get(f"{address}?truong={world.there.uid}").status_code == 404
    assert client.get("/chat-luong-du-lieu/quy-tac/khong-co/").status_code == 404
    assert client.get(f"{address}?trang=99999999999999999999").status_code == 200


@pytest.mark.parametrize("role", ["subject_teacher", "guardian", "operator", "accountant"])
def test_others_have_no_quality_pages(world, role):
    client = factories.client_of(factories.account(role, None if role == "guardian" else world.here))
    for address in ("", "tien-do/", "so-dinh-danh/", "quy-tac/no-contact/", "han/", "quy-tac/no-contact/sua/"):
        assert client.get(f"/chat-luong-du-lieu/{address}").status_code == 403
    assert client.post("/chat-luong-du-lieu/kiem-tra/").status_code == 403


def test_a_check_is_asked_for_on_a_page(world, django_capture_on_commit_callbacks):
    assert factories.client_of(world.principal).post("/chat-luong-du-lieu/kiem-tra/").status_code == 302
    assert Job.objects.filter(kind=work.KIND, school_id=world.here.pk).count() == 1
    assert factories.client_of(world.officer).post("/chat-luong-du-lieu/kiem-tra/").status_code == 403


def test_who_entered_who_locked_who_is_late(world):
    year = school_year_of(today())
    for school in (world.here, world.there):
        group = ClassGroup.objects.get(school=school, name="7A")
        for number, subject in enumerate(("toan", "ngu_van")):
            register = Register.objects.create(
                class_group=group, school_id=school.pk, school_year=year, subject_code=subject, term=1, kind="score", rule_set="x", regular_count=4
            )
            Register.objects.filter(pk=register.pk).update(ledger_seq=3 if school == world.there or number == 0 else 0)
    Closing.objects.create(class_group=ClassGroup.objects.get(school=world.there, name="7A"), school_id=world.there.pk, school_year=year, term=1, closed_at=timezone.now())

    def states():
        found = queries.entered(SYSTEM, school_year=year, term=1, at=timezone.now())
        return {one.name: one.state(today()) for one in found}

    assert states() == {world.here.name: "entering", world.there.name: "locked"}
    services.set_deadline(actor=SYSTEM, school_year=year, term=1, stage="enter", due_on=today() - timedelta(1), now=timezone.now())
    assert states()[world.here.name] == "late-enter"
    services.set_deadline(actor=SYSTEM, school_year=year, term=1, stage="lock", due_on=today() - timedelta(1), now=timezone.now())
    assert states()[world.here.name] == "late-lock"
    services.set_deadline(actor=SYSTEM, school_year=year, term=1, stage="lock", level="lower_secondary", due_on=today() + timedelta(1), now=timezone.now())
    assert states()[world.here.name] == "late-enter"  # the level's own day wins
    assert Deadline.objects.count() == 3


def test_a_day_is_set_and_a_rule_changed_by_the_province_with_a_second_factor(world, now):
    client = factories.client_of(world.steward)
    assert client.post("/chat-luong-du-lieu/han/", {"term": 1, "stage": "lock", "due_on": "2026-01-20"}).status_code == 302
    assert client.post("/chat-luong-du-lieu/han/", {"term": 3, "stage": "lock", "due_on": "x"}).status_code == 422
    rule = Rule.objects.get(code="class-size")
    form = {"severity": "error", "is_on": "on", "reason": "Theo quyết định của tỉnh", "version": rule.version,
            **{f"p_{level}": 40 for level in rule.parameters}}  # fmt: skip
    assert client.post("/chat-luong-du-lieu/quy-tac/class-size/sua/", {**form, "reason": ""}).status_code == 422
    assert client.post("/chat-luong-du-lieu/quy-tac/class-size/sua/", form).status_code == 302
    rule.refresh_from_db()
    assert (rule.severity, set(rule.parameters.values())) == ("error", {40})
    with pytest.raises(Stale):
        services.change_rule(actor=SYSTEM, code=rule.code, version=1, severity="error", parameters=rule.parameters, is_on=True, now=now, reason="x")
    for parameters in ({}, {**rule.parameters, "primary": "nhiều"}):
        with pytest.raises(Invalid):
            services.change_rule(actor=SYSTEM, code=rule.code, version=rule.version, severity="error", parameters=parameters, is_on=True, now=now, reason="x")
    with pytest.raises(SecondFactorNeeded):
        services.set_deadline(actor=factories.actor_of(world.steward, is_strong=False), school_year=2025, term=1, stage="lock", due_on=today(), now=now)
    with pytest.raises(NotAllowed):
        services.set_deadline(actor=factories.actor_of(world.principal), school_year=2025, term=1, stage="lock", due_on=today(), now=now)
