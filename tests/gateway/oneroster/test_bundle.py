"""The CSV bundle out and in: complete, whole, read back the same, and nothing of a hostile one believed."""

import csv
import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from khue.gateway.exchange import services as imports
from khue.gateway.exchange import work as exchange_work
from khue.gateway.exchange.models import ImportBatch, What
from khue.gateway.oneroster import bundle, queries, services
from khue.gateway.oneroster.bundle import NotABundle, OfAnotherSchool
from khue.gateway.sync import doors
from khue.kernel import jobs
from khue.kernel.audit.models import Act
from khue.kernel.errors import NotAllowed, NotFound
from khue.kernel.jobs.models import Job
from khue.register.people.models import Person
from khue.register.schooling.models import ClassGroup, Placement
from tests import factories

pytestmark = pytest.mark.usefixtures("everything")


def written(ground, n=0, marks=True):
    here = ground.schools[n]
    reading = queries.reading_of(ground.actor(f"head{n}"), at=timezone.now(), right="oneroster.export", school_id=here.pk)
    return bundle.write(reading, source=here.code, with_marks=marks)


def opened(content):
    package = zipfile.ZipFile(io.BytesIO(content))
    return {name: list(csv.DictReader(io.StringIO(package.read(name).decode()))) for name in package.namelist()}


def packed(files):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(name, content)
    return sink.getvalue()


MANIFEST = "propertyName,value\r\nmanifest.version,1.0\r\noneroster.version,1.2\r\n"


def small(**changed):
    """A bundle of another product, in its own ids: one school, one class, two learners."""
    files = {
        "manifest.csv": MANIFEST + "".join(f"file.{name},bulk\r\n" for name in ("orgs", "users", "classes", "enrollments", "demographics")),
        "orgs.csv": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\r\nS1,,,Trường,school,{code},\r\n",
        "users.csv": "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email\r\n"
        "U1,,,true,a,,Bình,Lê,Thị,,\r\nU2,,,true,b,,Cúc,Trần,,,\r\nU3,tobedeleted,,true,c,,Đi,Ngô,,,\r\n",
        "classes.csv": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds\r\n"
        "C1,,,7B9,07,K,,homeroom,,S1,T\r\n",
        "enrollments.csv": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role\r\n"
        "E1,,,C1,S1,U1,student\r\nE2,,,C1,S1,U2,student\r\nE3,,,C1,S1,U3,student\r\n",
        "demographics.csv": "sourcedId,status,dateLastModified,birthDate,sex\r\nU1,,,2013-04-05,female\r\nU2,,,2013-06-07,male\r\n",
    }  # fmt: skip
    return {**files, **changed}


def test_the_manifest_speaks_of_every_file(ground):
    files = opened(written(ground)[0])
    told = {row["propertyName"]: row["value"] for row in files["manifest.csv"]}
    assert told["manifest.version"] == "1.0" and told["oneroster.version"] == "1.2" and told["source.systemCode"] == ground.schools[0].code
    for name in bundle.FILES:
        assert told[f"file.{name}"] == ("bulk" if f"{name}.csv" in files else "absent")
    assert {"academicSessions.csv", "classes.csv", "courses.csv", "demographics.csv", "enrollments.csv", "orgs.csv", "users.csv", "roles.csv", "results.csv"} <= set(files)
    for name, rows in files.items():
        if name != "manifest.csv":
            assert rows and all(row["status"] == row["dateLastModified"] == "" for row in rows), name
    assert "results.csv" not in opened(written(ground, marks=False)[0])


def test_references_within_the_bundle_hold(ground):
    files = opened(written(ground)[0])
    ids = {name: {row["sourcedId"] for row in rows} for name, rows in files.items() if name != "manifest.csv"}
    for row in files["enrollments.csv"]:
        assert row["classSourcedId"] in ids["classes.csv"] and row["userSourcedId"] in ids["users.csv"] and row["schoolSourcedId"] in ids["orgs.csv"]
    for row in files["classes.csv"]:
        assert row["courseSourcedId"] in ids["courses.csv"] and set(row["termSourcedIds"].split(",")) <= ids["academicSessions.csv"]
    for row in files["results.csv"]:
        assert row["lineItemSourcedId"] in ids["lineItems.csv"] and row["studentSourcedId"] in ids["users.csv"]
    assert {row["userSourcedId"] for row in files["roles.csv"]} == ids["users.csv"]


def test_a_bundle_of_one_school_holds_nobody_of_another(ground):
    content = str(opened(written(ground)[0]))
    for learner in ground.learners[ground.schools[1].pk]:
        assert learner.code not in content and str(learner.uid) not in content


def test_equal_rows_make_equal_bytes_and_cells_are_no_formulas(ground):
    Person.objects.filter(pk=ground.learners[ground.schools[0].pk][0].pk).update(name="=HYPERLINK(1) =cmd")
    first, second = written(ground)[0], written(ground)[0]
    assert first == second
    assert not [cell for rows in opened(first).values() for row in rows for cell in row.values() if cell[:1] in ("=", "+", "@")]


def test_our_bundle_comes_back_and_changes_nothing(ground):
    here = ground.schools[0]
    clerk = ground.actor("clerk0")
    staged = services.bring(actor=clerk, school=here, content=written(ground)[0], name="x.zip", now=timezone.now())
    assert [one.kind for one in staged.batches] == ["classes", "learners"]
    for one in staged.batches:
        chosen = {int(column): code for column, code in one.mapping.items()}
        imports.set_mapping(actor=clerk, uid=one.uid, version=None, chosen=chosen, options={}, now=timezone.now())
        ImportBatch.objects.filter(pk=one.pk).update(state="checking")
        imports.drive(exchange_work.check, one.pk, clerk, timezone.now())
        one.refresh_from_db()
        assert one.counters.get(What.NEW, 0) == one.counters.get(What.REFUSED, 0) == 0, (one.kind, one.counters, imports.problems_of(one))


def test_a_bundle_of_another_product_fills_an_empty_class(ground):
    here = ground.schools[0]
    files = small()
    files["orgs.csv"] = files["orgs.csv"].format(code=here.code)
    clerk = ground.actor("clerk0")
    staged = services.bring(actor=clerk, school=here, content=packed(files), name="lms.zip", now=timezone.now())
    for one in staged.batches:
        chosen = {int(column): code for column, code in one.mapping.items()}
        imports.set_mapping(actor=clerk, uid=one.uid, version=None, chosen=chosen, options={}, now=timezone.now())
        ImportBatch.objects.filter(pk=one.pk).update(state="checking")
        imports.drive(exchange_work.check, one.pk, clerk, timezone.now())
        ImportBatch.objects.filter(pk=one.pk).update(state="applying")
        imports.drive(exchange_work.apply, one.pk, clerk, timezone.now())
    group = ClassGroup.objects.get(school=here, name="7B9")
    assert group.grade == 7
    names = set(Placement.objects.filter(class_group=group).values_list("learner__name", "learner__born_on"))
    assert {name for name, _day in names} == {"Lê Thị Bình", "Trần Cúc"}
    assert {str(day) for _name, day in names} == {"2013-04-05", "2013-06-07"}


HOSTILE = {
    "no zip": lambda files: b"PK nonsense", "empty": lambda files: b"", "no manifest": lambda files: packed({k: v for k, v in files.items() if k != "manifest.csv"}),
    "another version": lambda files: packed({**files, "manifest.csv": files["manifest.csv"].replace("1.2", "9.9")}),
    "a file that is not there": lambda files: packed({k: v for k, v in files.items() if k != "users.csv"}),
    "a wrong state": lambda files: packed({**files, "manifest.csv": files["manifest.csv"].replace("file.orgs,bulk", "file.orgs,maybe")}),
    "a path outside": lambda files: packed({**files, "../../etc/passwd": "x"}), "a folder": lambda files: packed({**files, "a/b.csv": "x"}),
    "twins": lambda files: packed({**files, "USERS.csv": "x"}), "not UTF-8": lambda files: packed({**files, "users.csv": b"\xff\xfe\x00sourcedId"}),
    "a NUL": lambda files: packed({**files, "users.csv": files["users.csv"] + "U\0,,,"}),
    "many members": lambda files: packed({**files, **{f"x{n}.txt": "" for n in range(70)}}),
    "a bomb": lambda files: packed({**files, "big.csv": b"0" * (bundle.LARGEST_UNPACKED + 1)}),
    "no enrolments": lambda files: packed({**files, "manifest.csv": files["manifest.csv"].replace("file.enrollments,bulk", "file.enrollments,absent")}),
    "headings twice": lambda files: packed({**files, "users.csv": "sourcedId,sourcedId\r\n1,2\r\n"}),
    "a broken quote": lambda files: packed({**files, "users.csv": 'sourcedId,givenName\r\nU1,"a"b\r\n'}),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_bundle_is_refused_whole(ground, what):
    here = ground.schools[0]
    files = small()
    files["orgs.csv"] = files["orgs.csv"].format(code=here.code)
    with pytest.raises(NotABundle):
        services.bring(actor=ground.actor("clerk0"), school=here, content=HOSTILE[what](files), name="x.zip", now=timezone.now())
    assert not ImportBatch.objects.exists()


def test_harmless_twins_are_read(ground):
    files = small()
    files["orgs.csv"] = "\ufeff" + files["orgs.csv"].format(code=ground.schools[0].code)
    files["manifest.csv"] = files["manifest.csv"].replace("1.2", "1.1").replace("file.orgs,bulk", "file.orgs,delta")
    found = bundle.sheets(bundle.read(packed(files)), school_code=ground.schools[0].code, school_uid="x", school_name="x")
    assert (found.class_count, found.learner_count, found.without_class) == (1, 2, 0)


def test_a_bundle_of_another_school_is_refused(ground):
    files = small()
    files["orgs.csv"] = files["orgs.csv"].format(code="KHAC")
    with pytest.raises(OfAnotherSchool):
        services.bring(actor=ground.actor("clerk0"), school=ground.schools[0], content=packed(files), name="x.zip", now=timezone.now())
    with pytest.raises(OfAnotherSchool):
        services.bring(actor=ground.actor("clerk0"), school=ground.schools[0], content=written(ground, 1)[0], name="x.zip", now=timezone.now())
    with pytest.raises(NotFound):
        services.bring(actor=ground.actor("clerk0"), school=ground.schools[1], content=packed(files), name="x.zip", now=timezone.now())
    with pytest.raises(NotAllowed):
        services.bring(actor=ground.actor("commune0"), school=ground.schools[0], content=packed(files), name="x.zip", now=timezone.now())


def test_the_page_asks_and_gives_through_a_counted_door(ground, monkeypatch, counted):
    browser = factories.client_of(ground.accounts["head0"])
    with counted() as found:
        page = browser.get(reverse("oneroster:index"))
    assert page.status_code == 200 and found.total <= 6
    assert browser.post(reverse("oneroster:ask"), {"marks": "on"}).status_code == 302
    job = Job.objects.get(kind="oneroster.export")
    address = reverse("oneroster:bundle", args=[job.uid])
    assert browser.get(address).status_code == 404
    jobs.run(job.pk, clock=timezone.now)
    job.refresh_from_db()
    assert browser.get(address).content[:2] == b"PK"
    assert Act.objects.get(act="oneroster.bundle.take").facts["records"] == job.result["records"]
    assert factories.client_of(ground.accounts["head1"]).get(address).status_code == 404
    monkeypatch.setitem(doors.CEILINGS, "principal", job.result["records"])
    assert browser.get(address).status_code == 429


def test_a_file_is_brought_in_from_the_page(ground):
    files = small()
    files["orgs.csv"] = files["orgs.csv"].format(code=ground.schools[0].code)
    browser = factories.client_of(ground.accounts["clerk0"])
    good = browser.post(reverse("oneroster:index"), {"file": SimpleUploadedFile("lms.zip", packed(files))})
    assert good.status_code == 302 and ImportBatch.objects.count() == 2
    bad = browser.post(reverse("oneroster:index"), {"file": SimpleUploadedFile("x.zip", b"PK")})
    assert bad.status_code == 422 and "không phải tệp ZIP" in bad.content.decode()
    assert browser.post(reverse("oneroster:ask")).status_code == 403
