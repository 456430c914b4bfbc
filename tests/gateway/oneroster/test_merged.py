"""A file that went into another: its sourcedId answers as gone and names the living one, over REST, as a delta and in a bundle."""

import csv
import io
import zipfile
from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone

from khue.gateway.oneroster import bundle, queries, services, work
from khue.gateway.oneroster.payloads import MERGED_INTO
from khue.kernel import files, jobs
from khue.kernel.database import scope
from khue.kernel.files.models import StoredFile
from khue.kernel.jobs.models import Job
from khue.register.people.doubles import finding
from khue.register.people.doubles import services as doubles
from khue.register.people.models import Kinship
from khue.register.schooling.models import Placement
from tests import factories

REASON = "Đã đối chiếu khai sinh"


class Merged:
    """The first learner entered a second time in the same class, with her mother; the second file goes into the first."""

    def __init__(self, ground):
        self.ground, self.here = ground, ground.schools[0]
        self.kept = ground.learners[self.here.pk][0]
        self.group = self.here.class_groups.get()
        self.gone = factories.person(self.kept.name, school=self.here, born_on=self.kept.born_on, sex=self.kept.sex)
        self.place = Placement.objects.create(
            learner=self.gone, school=self.here, class_group=self.group, school_year=2025, opened="entry",
            valid=factories.period(date(2025, 10, 1), date(2025, 11, 3)), closed="dropout",
        )  # fmt: skip
        Placement.objects.filter(learner=self.kept).update(valid=factories.period(date(2025, 11, 3), date(2026, 5, 31)))
        self.mother = factories.person("Nguyễn Thị Mơ", school=self.here)
        Kinship.objects.create(guardian=self.mother, learner=self.gone, relation="mother", school_id=self.here.pk, valid=factories.EVER)
        self.officer = factories.actor_of(factories.account("province_officer", factories.province()))

    def merge(self):
        with scope.everything():
            pair = doubles.keep(finding.weighed(self.kept.pk, self.gone.pk), day=factories.NOW.date())
        made = doubles.propose(actor=self.ground.actor("clerk0"), uid=pair.uid, keep_first=pair.first_id == self.kept.pk, reason=REASON, now=factories.NOW)
        self.made = doubles.decide(actor=self.officer, uid=made.uid, version=made.version, accept=True, answer="", now=factories.NOW)

    def undo(self):
        doubles.undo(actor=self.officer, uid=self.made.uid, version=self.made.version, reason="Gộp nhầm người", now=factories.NOW)

    def bundle(self, since=None):
        reading = queries.reading_of(self.ground.actor("head0"), at=timezone.now(), right="oneroster.export", school_id=self.here.pk)
        content, records = bundle.write(reading, source=self.here.code, with_marks=True, since=since)
        package = zipfile.ZipFile(io.BytesIO(content))
        return {name: list(csv.DictReader(io.StringIO(package.read(name).decode()))) for name in package.namelist()}, records


@pytest.fixture
def merged(ground):
    return Merged(ground)


def moment():
    return datetime.now().astimezone()


def test_the_absorbed_file_answers_as_gone_and_names_the_living(ask, merged):
    before = ask(f"users/{merged.gone.uid}").json()["user"]
    since = moment()
    merged.merge()
    for path, single in (("users", "user"), ("students", "user"), ("demographics", "demographics")):
        told = ask(f"{path}/{merged.gone.uid}").json()[single]
        assert told["status"] == "tobedeleted" and told["metadata"] == {MERGED_INTO: str(merged.kept.uid)}, path
        assert told["dateLastModified"] > before["dateLastModified"]
    gone = ask(f"users/{merged.gone.uid}").json()["user"]
    assert gone["enabledUser"] == "false" and [role["role"] for role in gone["roles"]] == ["student"] and gone["identifier"] == merged.gone.code
    assert ask(f"users/{merged.gone.uid}", fields="sourcedId,metadata").json()["user"] == {"sourcedId": str(merged.gone.uid), "metadata": gone["metadata"]}
    living = ask(f"users/{merged.kept.uid}").json()["user"]
    assert living["status"] == "active" and "metadata" not in living and len(living["agents"]) == 2

    delta = {one["sourcedId"]: one for one in ask("users", filter=f"dateLastModified>='{since.isoformat(timespec='microseconds')}'").json()["users"]}
    assert delta[str(merged.gone.uid)]["status"] == "tobedeleted" and delta[str(merged.kept.uid)]["status"] == "active"
    enrolled = {one["sourcedId"]: one["user"]["sourcedId"] for one in ask("enrollments", limit=1000).json()["enrollments"]}
    assert enrolled[str(merged.place.uid)] == str(merged.kept.uid) and str(merged.gone.uid) not in enrolled.values()


def test_taken_apart_it_is_there_again(ask, merged):
    merged.merge()
    merged.undo()
    told = ask(f"users/{merged.gone.uid}").json()["user"]
    assert "metadata" not in told and [role["role"] for role in told["roles"]] == ["student"]
    enrolled = {one["sourcedId"]: one["user"]["sourcedId"] for one in ask("enrollments", limit=1000).json()["enrollments"]}
    assert enrolled[str(merged.place.uid)] == str(merged.gone.uid)
    Placement.objects.filter(pk=merged.place.pk).update(valid=factories.period(date(2025, 10, 1), date(2025, 11, 2)), closed="")
    assert Placement.objects.filter(learner=merged.gone).count() == 1


def test_nobody_elsewhere_learns_of_it(merged):
    from django.test import Client

    from tests.gateway.oneroster.conftest import ROSTER, token

    merged.merge()
    other = token(merged.ground.schools[1])
    assert Client().get(f"{ROSTER}users/{merged.gone.uid}", headers=other).status_code == 404
    assert str(merged.kept.uid) not in Client().get(f"{ROSTER}users", {"limit": 1000}, headers=other).content.decode()


def test_a_bundle_of_changes_has_what_is_gone_with_its_state(merged):
    whole, _records = merged.bundle()
    assert str(merged.gone.uid) not in str(whole["users.csv"]) or "metadata" not in str(whole["users.csv"][0])
    since = moment()
    assert merged.bundle(since)[0]["users.csv"] == []
    merged.merge()
    files_, records = merged.bundle(since)
    told = {row["propertyName"]: row["value"] for row in files_["manifest.csv"]}
    assert {told[f"file.{name}"] for name in bundle.FILES} == {"delta", "absent"}
    users = {row["sourcedId"]: row for row in files_["users.csv"]}
    assert users[str(merged.gone.uid)]["status"] == "tobedeleted" and users[str(merged.gone.uid)][f"metadata.{MERGED_INTO}"] == str(merged.kept.uid)
    assert users[str(merged.kept.uid)]["status"] == "active" and users[str(merged.kept.uid)][f"metadata.{MERGED_INTO}"] == ""
    assert all(row["dateLastModified"].endswith("Z") and row["status"] for name, rows in files_.items() if name != "manifest.csv" for row in rows)
    [enrolled] = [row for row in files_["enrollments.csv"] if row["sourcedId"] == str(merged.place.uid)]
    assert enrolled["userSourcedId"] == str(merged.kept.uid)
    assert records < merged.bundle()[1]
    # a bulk bundle holds what is there, its states blank: what is gone is not in it
    whole, _records = merged.bundle()
    assert str(merged.gone.uid) not in str(whole) and "metadata" not in str(list(whole["users.csv"][0]))


def test_our_own_delta_is_read_and_the_gone_one_is_not_staged(merged):
    since = moment()
    merged.merge()
    reading = queries.reading_of(merged.ground.actor("head0"), at=timezone.now(), right="oneroster.export", school_id=merged.here.pk)
    content, _records = bundle.write(reading, source=merged.here.code, with_marks=False, since=since)
    assert merged.gone.code not in str([row for row in bundle.read(content).files["users"] if row["status"] == "active"])


def test_the_page_asks_for_changes_since_a_day(merged):
    client = factories.client_of(merged.ground.accounts["head0"])
    assert 'name="since"' in client.get("/oneroster/").content.decode()
    assert client.post("/oneroster/xuat/", {"since": "2025-13-40"}).status_code == 422
    merged.merge()
    job = services.ask(actor=merged.ground.actor("head0"), school=merged.here, with_marks=False, now=factories.NOW, since=timezone.localdate() - timedelta(days=1))
    jobs.run(job.pk, clock=timezone.now)
    job = Job.objects.get(pk=job.pk)
    assert job.state == Job.State.DONE and job.kind == work.EXPORT
    kept = StoredFile.objects.get(pk=job.result["file"])
    assert kept.name.endswith("-delta.zip") and "delta" in zipfile.ZipFile(io.BytesIO(files.read(kept))).read("manifest.csv").decode()
