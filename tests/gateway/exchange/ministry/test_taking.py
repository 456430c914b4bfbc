"""What we write out is taken back: the same again changes nothing, a difference is written where it lives."""

import io
import json
import zipfile
from dataclasses import replace

import pytest

from khue.gateway.exchange.ministry import queries, services, sources, taking, work, writing
from khue.gateway.exchange.sheets import limits
from khue.kernel import jobs
from khue.kernel.errors import NotAllowed, NotFound
from khue.kernel.permissions import system_actor
from khue.register.fields.models import Record
from khue.register.orgs.models import Unit
from khue.register.people.models import Kinship, Person
from khue.register.schooling.models import ClassGroup, Placement
from khue.register.staff.models import Post
from tests import factories
from tests.gateway.exchange.ministry import test_homes

pytestmark = pytest.mark.usefixtures("everything")
SYSTEM = system_actor("test")
filled = test_homes.filled


def package(folder):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return sink.getvalue()


def write(tmp_path, now, name="out"):
    writing.write_ministry_files(actor=SYSTEM, school_year=2025, folder=tmp_path / name, now=now)
    return tmp_path / name


def take(content, now, *, name="x.zip", actor=SYSTEM, **values):
    return taking.take(actor=actor, records=sources.read(content, name=name, **values), school_year=2025, now=now)


def versions():
    return {model.__name__: sorted(model.objects.values_list("pk", "version")) for model in (Unit, ClassGroup, Person, Post, Placement, Record, Kinship)}


def test_the_same_rows_again_change_nothing(three_schools, tmp_path, now):
    out = write(tmp_path, now)
    before = versions()
    report = take(package(out), now)
    assert report.problems == []
    assert (report.counts["same"], report.counts["changed"], report.counts["made"], report.counts["refused"]) == (49, 0, 0, 0)
    assert versions() == before


def test_all_fields_of_all_levels_come_back_the_same(filled, now):
    out, _report = filled
    before = versions()
    report = take(package(out), now)
    assert report.problems == []
    assert report.counts["changed"] + report.counts["made"] + report.counts["refused"] == 0
    assert versions() == before


def test_a_workbook_comes_back_the_same(three_schools, tmp_path, now):
    out = write(tmp_path, now)
    before = versions()
    for level in three_schools:
        report = take((out / f"{level}.xlsx").read_bytes(), now, name=f"{level}.xlsx")
        assert report.problems == []
        assert (report.counts["changed"], report.counts["made"], report.counts["refused"]) == (0, 0, 0)
    assert versions() == before


def edited(out, level, object_, changes):
    path = out / level / f"{object_}.json"
    rows = json.loads(path.read_text(encoding="utf-8"))
    for number, change in changes.items():
        rows[number].update(change)
    return json.dumps(rows).encode()


def test_differences_are_written_where_the_fields_live(three_schools, tmp_path, now):
    here = three_schools["lower_secondary"]
    out = write(tmp_path, now)
    report = take(edited(out, "lower_secondary", "school", {0: {"FAX": "0270", "IS_DIEN_LUOI": True, "DIEM_TRUONGS": [{"TEN": "Điểm lẻ"}]}}), now, name="lower_secondary/school.json")
    assert (report.counts["changed"], report.problems) == (1, [])
    here.refresh_from_db()
    assert (here.facts["FAX"], here.facts["IS_DIEN_LUOI"]) == ("0270", True)
    assert list(Record.objects.values_list("kind", "body")) == [("site", {"TEN": "Điểm lẻ"})]
    change = {"TEN_TAT": "An", "CHIEU_CAO": 150, "MA_DAN_TOC": "02", "TEN_CHA": "Nguyễn Văn Ba", "NAM_SINH_CHA": 1980, "LIST_KHEN_THUONG": [{"NOI_DUNG": "Giỏi"}]}
    report = take(edited(out, "lower_secondary", "learner", {1: change}), now, name="lower_secondary/learner.json")
    assert (report.counts["changed"], report.counts["same"], report.problems) == (1, 2, [])
    code = json.loads((out / "lower_secondary" / "learner.json").read_text(encoding="utf-8"))[1]["HOC_SINH_ID"]
    person = Person.objects.get(code=code)
    assert (person.facts, person.ethnic_group) == ({"TEN_TAT": "An"}, "02")
    assert sorted(Record.objects.filter(person=person).values_list("kind", flat=True)) == ["health", "learner_reward"]
    father = Kinship.objects.select_related("guardian").get(learner=person, relation="father").guardian
    assert (father.name, father.born_on.year) == ("Nguyễn Văn Ba", 1980)
    again = write(tmp_path, now, "again")
    report = take(package(again), now)
    assert (report.counts["changed"], report.counts["made"], report.problems) == (0, 0, [])
    told = json.loads((again / "lower_secondary" / "learner.json").read_text(encoding="utf-8"))[1]
    assert {symbol: told[symbol] for symbol in change} == change


def test_what_other_acts_decide_is_left_and_told(three_schools, tmp_path, now):
    out = write(tmp_path, now)
    report = take(edited(out, "primary", "learner", {0: {"MA_KHOI": "04", "MA_TRANG_THAI_HIEN_TAI": "dropped_out"}, 1: {"MA_DAN_TOC": "99"}}), now, name="primary/learner.json")
    assert sorted((one["symbol"], one["problem"]) for one in report.problems) == [
        ("MA_DAN_TOC", "not-in-list"), ("MA_KHOI", "elsewhere"), ("MA_TRANG_THAI_HIEN_TAI", "elsewhere")
    ]  # fmt: skip
    assert report.counts["changed"] == 0
    result = take(edited(out, "primary", "result", {0: {"NHAN_XET": "khác"}}), now, name="primary/result.json")
    assert [(one["symbol"], one["problem"]) for one in result.problems] == [("NHAN_XET", "elsewhere")]


def test_people_and_classes_of_another_system_are_made_once(three_schools, tmp_path, now):
    here = three_schools["lower_secondary"]
    records = {
        ("lower_secondary", "class"): [{"TRUONG_ID": here.code, "MA": "CU7B", "TEN": "7B", "MA_KHOI": "07"}],
        ("lower_secondary", "staff"): [{"TRUONG_ID": here.code, "GIAO_VIEN_ID": "GV-0001", "HO_TEN": "Lý Thị Hoa", "MA_LOAI_CAN_BO": "librarian", "SO_CMTND": "086085000999"}],
        ("lower_secondary", "learner"): [{"TRUONG_ID": here.code, "HOC_SINH_ID": "4499000001", "MA_LOP": "CU7B", "MA_KHOI": "07", "HO_TEN": "Đỗ Văn Em",
                                          "NGAY_SINH": "2013-02-03", "MA_GIOI_TINH": "1", "MA_CONG_DAN_ID": "086213000777", "MA_DAN_TOC": "01", "IS_DOI_VIEN": True}],
    }  # fmt: skip
    report = taking.take(actor=SYSTEM, records=records, school_year=2025, now=now)
    assert (report.counts["made"], report.problems) == (3, [])
    learner = Person.objects.get(facts__MA_CU="4499000001")
    assert (learner.name, learner.ethnic_group, learner.facts["IS_DOI_VIEN"]) == ("Đỗ Văn Em", "01", True)
    assert learner.code != "4499000001"  # our code is given once, the other is kept as the former one
    assert Placement.objects.get(learner=learner).class_group.code == "CU7B"
    assert Post.objects.get(person__facts__MA_CU="GV-0001").position == "librarian"
    before = versions()
    report = taking.take(actor=SYSTEM, records=records, school_year=2025, now=now)
    assert (report.counts["made"], report.counts["changed"], report.problems) == (0, 0, [])
    assert versions() == before


def test_records_of_universities_come_in_and_leave(now, tmp_path):
    college = factories.unit("college", "Trường Đại học Trà Vinh", code="DTV", parent=factories.province())
    content = json.dumps([{"TEN": "Kỹ thuật phần mềm"}, {"TEN": "Thú y", "KHONG_CO": 1}]).encode()
    for made, same in ((2, 0), (0, 2)):
        records = sources.read(content, name="x.json", level="higher", object_="h_ctdt_1_1")
        report = taking.take(actor=SYSTEM, records=records, school_year=2025, now=now, unit_code="DTV")
        assert (report.counts["made"], report.counts["same"]) == (made, same)
    assert Record.objects.filter(school=college).count() == 2
    out = write(tmp_path, now)
    assert json.loads((out / "higher" / "h_ctdt_1_1.json").read_text(encoding="utf-8")) == [{"TEN": "Kỹ thuật phần mềm"}, {"TEN": "Thú y"}]


BAD = [
    (b"", "x.zip", limits.Damaged), (b"hello", "x.zip", sources.NotOurs), (b"PK\x03\x04rubbish", "x.zip", limits.Damaged),
    (b"{}", "primary/learner.json", sources.NotOurs), (b"[1]", "primary/learner.json", sources.NotOurs), (b"[" * 100000, "primary/learner.json", limits.Damaged),
    (b"[{}]", "learner.json", sources.LevelUnknown), (b"[{}]", "primary/nobody.json", sources.NotOurs), (b"\xff\xfe[", "primary/learner.json", limits.Damaged),
]  # fmt: skip


@pytest.mark.parametrize(("content", "name", "refusal"), BAD)
def test_what_is_no_such_file_is_refused(content, name, refusal):
    with pytest.raises(refusal):
        sources.read(content, name=name)


def test_a_bomb_costs_only_its_upload(monkeypatch):
    monkeypatch.setattr(limits, "LIMITS", replace(limits.LIMITS, unpacked=100_000))
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("primary/learner.json", b" " * (limits.LIMITS.unpacked + 1))
    with pytest.raises((limits.TooBig, limits.Unsafe)):
        sources.read(sink.getvalue(), name="x.zip")
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("../../primary/learner.json", b"[]")
    with pytest.raises(limits.SheetRefused):
        sources.read(sink.getvalue(), name="x.zip")


def test_a_school_takes_its_own_records_only(three_schools, tmp_path, now):
    out = write(tmp_path, now)
    clerk = factories.actor_of(factories.account("clerk", three_schools["primary"]))
    changed = edited(out, "lower_secondary", "school", {0: {"FAX": "0270"}})
    report = take(changed, now, name="lower_secondary/school.json", actor=clerk)
    assert [one["problem"] for one in report.problems] == ["unknown-school"]
    own = edited(out, "primary", "learner", {0: {"TEN_TAT": "An", "IS_HO_NGHEO": True}})
    report = take(own, now, name="primary/learner.json", actor=clerk)
    assert {(one["symbol"], one["problem"]) for one in report.problems} == {("IS_HO_NGHEO", "not-allowed")}
    assert Person.objects.filter(facts__TEN_TAT="An").exists()
    assert not Person.objects.filter(facts__has_key="IS_HO_NGHEO").exists()
    for role in ("subject_teacher", "inspector", "guardian"):
        account = factories.account(role, None if role == "guardian" else three_schools["primary"])
        with pytest.raises(NotAllowed):
            take(own, now, name="primary/learner.json", actor=factories.actor_of(account))


def test_the_page_takes_a_file_and_tells_what_became_of_it(three_schools, tmp_path, now, counted):
    out = write(tmp_path, now)
    account = factories.account("clerk", three_schools["primary"])
    client = factories.client_of(account)
    assert "Nhập lại cùng tệp" in client.get("/xuat-bo/nhan/").content.decode()
    upload = io.BytesIO(edited(out, "primary", "learner", {0: {"TEN_TAT": "An", "MA_KHOI": "04"}}))
    upload.name = "learner.json"
    assert client.post("/xuat-bo/nhan/", {"file": upload, "school_year": 2025}).status_code == 422
    upload.seek(0)
    answer = client.post("/xuat-bo/nhan/", {"file": upload, "school_year": 2025, "level": "primary"})
    assert answer.status_code == 302
    job = queries.Job.objects.get(kind=work.TAKE)
    actor = factories.actor_of(account)
    for step in jobs.KINDS[job.kind].function(job, actor):
        queries.Job.objects.filter(pk=job.pk).update(result=step.result, finished_at=job.created_at)
    with counted() as count:
        page = client.get(answer.url).content.decode()
    assert count.total <= 6
    assert "MA_KHOI" in page
    assert "được ghi ở chỗ khác" in page
    with pytest.raises(NotFound):
        queries.taken(factories.actor_of(factories.account("clerk", three_schools["lower_secondary"])), job.uid, at=now)
    with pytest.raises(limits.SheetRefused):
        services.ask_to_take(actor=actor, content=b"x", name="x.json", school_year=2025, now=now)
