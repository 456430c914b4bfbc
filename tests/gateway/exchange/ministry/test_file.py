"""The file itself: complete where the register is, and every fault found, counted and opened."""

import csv
import hashlib
import io
import json
import zipfile

import openpyxl
import pytest

from khue.gateway.exchange.ministry import queries, services, spec, work, writing
from khue.kernel import files, jobs
from khue.kernel.audit.models import Act
from khue.kernel.errors import NotAllowed, SecondFactorNeeded
from khue.kernel.ledger.models import Entry
from khue.kernel.permissions import system_actor
from khue.register.fields.models import Record
from khue.register.orgs.models import Unit
from khue.register.people.models import Person
from khue.register.schooling.models import ClassGroup, Placement
from khue.school.gradebook.models import Result
from tests import factories

pytestmark = pytest.mark.usefixtures("everything")
SYSTEM = system_actor("test")


def write(tmp_path, now, **fields):
    return writing.write_ministry_files(actor=SYSTEM, school_year=2025, folder=tmp_path / "out", now=now, **fields)


def records(tmp_path, level, object_):
    return json.loads((tmp_path / "out" / level / f"{object_}.json").read_text(encoding="utf-8"))


def test_a_complete_register_leaves_without_a_fault(three_schools, tmp_path, now):
    report = write(tmp_path, now)
    assert report["violations"] == []
    assert report["records"] == {
        f"{level}.{object_}": count
        for level in ("primary", "lower_secondary", "upper_secondary")
        for object_, count in (("school", 1), ("class", 1), ("staff", 2), ("learner", 3), ("result", 9))
    } | {"primary.eqms_start": 1}
    assert (report["record_count"], report["schools"]) == (49, 3)


def test_records_are_named_by_the_symbols(three_schools, tmp_path, now):
    write(tmp_path, now)
    [school] = records(tmp_path, "lower_secondary", "school")
    here = three_schools["lower_secondary"]
    assert {k: school[k] for k in ("TRUONG_ID", "MA_NHOM_CAP_HOC", "TINH_THANH_ID", "XA_PHUONG_ID", "HIEU_TRUONG", "IS_NGUON_NUOC_SACH")} == {
        "TRUONG_ID": here.code, "MA_NHOM_CAP_HOC": "03", "TINH_THANH_ID": "86", "XA_PHUONG_ID": "29512", "HIEU_TRUONG": "Ngô Thị Hạnh",
        "IS_NGUON_NUOC_SACH": True,
    }  # fmt: skip
    [group] = records(tmp_path, "lower_secondary", "class")
    assert (group["MA"], group["MA_KHOI"]) == ("7A", "07")
    assert [one["HOC_KY"] for one in group["MON_HOCS"]] == [1, 2]
    first = records(tmp_path, "lower_secondary", "learner")[0]
    person = Person.objects.get(code=first["HOC_SINH_ID"])
    assert (first["HO_TEN"], first["TEN_ME"], first["NAM_SINH_ME"], first["DIEN_THOAI_LIEN_HE"]) == (person.name, "Nguyễn Thị Mai", 1985, "0912345678")
    assert first["MA_CONG_DAN_ID"].startswith("0860") and len(first["MA_CONG_DAN_ID"]) == 12
    teacher = next(one for one in records(tmp_path, "lower_secondary", "staff") if one["MA_NHOM_CAN_BO"] == "teacher")
    assert (teacher["SO_TIET_THUC_DAY_TUAN"], teacher["MA_TRANG_THAI_CAN_BO"], teacher["MA_MON_DAY"]) == (4, "working", "toan")


def test_results_of_terms_and_year(three_schools, tmp_path, now):
    write(tmp_path, now)
    mine = records(tmp_path, "lower_secondary", "result")[:3]
    assert [one["HOC_KY"] for one in mine] == ["0", "1", "2"]
    year = mine[0]
    assert {k: year[k] for k in ("MA_HOC_LUC", "MA_HANH_KIEM", "MA_DANH_HIEU", "IS_LEN_LOP", "IS_REN_LUYEN_LAI")} == {
        "MA_HOC_LUC": "1", "MA_HANH_KIEM": "2", "MA_DANH_HIEU": "gioi", "IS_LEN_LOP": True, "IS_REN_LUYEN_LAI": False
    }  # fmt: skip
    assert year["DIEM_MONS"] == [{"MA_MON_HOC": "giao_duc_the_chat"}, {"DIEM": 8.8, "MA_MON_HOC": "toan"}]
    assert mine[1]["DIEM_MONS"][1]["DIEM"] == 8.3
    assert "IS_LEN_LOP" not in mine[1]
    primary = records(tmp_path, "primary", "result")[0]
    assert (primary["MA_HOC_LUC"], primary["MA_DANH_HIEU"], primary["IS_HOAN_THANH_CHUONG_TRINH_TIEU_HOC"]) == ("hoan_thanh_tot", "tieu_bieu", True)
    assert primary["DIEM_MONS"] == [{"MA_MON_HOC": "dao_duc"}, {"DIEM": 9, "MA_MON_HOC": "toan"}]


def test_every_planted_fault_is_found_counted_and_opened(three_schools, tmp_path, now):
    here = three_schools["lower_secondary"]
    learners = list(Person.objects.filter(placements__school=here).order_by("pk"))
    Person.objects.filter(pk=learners[0].pk).update(personal_number=None, born_on=None)
    Person.objects.filter(pk=learners[1].pk).update(ethnic_group="99", commune_code="00000", facts={"IS_DOI_VIEN": "?"})
    Record.objects.create(kind="health", school=here, person=learners[1], valid=factories.EVER, body={"CHIEU_CAO": "cao"})
    Person.objects.filter(pk=learners[2].pk).update(name="N" * 60, born_precision="year")
    Unit.objects.filter(pk=here.pk).update(facts={})
    ClassGroup.objects.filter(school=here).update(homeroom=None)
    Result.objects.filter(school_id=here.pk, term=0, learner=learners[0]).update(learning="", comment="x" * 300)
    report = write(tmp_path, now)
    found = {(one["object"], one["symbol"], one["problem"]): one["count"] for one in report["violations"]}
    assert found == {
        ("learner", "MA_CONG_DAN_ID", "missing"): 1, ("learner", "NGAY_SINH", "missing"): 1, ("learner", "MA_DAN_TOC", "not-in-list"): 1,
        ("learner", "XA_PHUONG_ID", "not-in-list"): 1, ("learner", "CHIEU_CAO", "not-a-number"): 1, ("learner", "IS_DOI_VIEN", "not-yes-no"): 1,
        ("learner", "HO_TEN", "too-long"): 1, ("learner", "NGAY_SINH", "partial-date"): 1, ("result", "NGAY_SINH", "missing"): 3,
        ("result", "NGAY_SINH", "partial-date"): 3, ("result", "HO_TEN", "too-long"): 3, ("school", "MA_LOAI_HINH_TRUONG", "missing"): 1,
        ("class", "GIAO_VIEN_ID", "missing"): 1, ("result", "MA_HOC_LUC", "missing"): 1, ("result", "NHAN_XET", "too-long"): 1,
    }  # fmt: skip
    assert report["violation_count"] == sum(found.values())
    with open(tmp_path / "out" / "bao-cao.csv", encoding="utf-8-sig", newline="") as source:
        lines = list(csv.DictReader(source))
    assert len(lines) == report["violation_count"]
    full = json.loads((tmp_path / "out" / "bao-cao.json").read_text(encoding="utf-8"))
    opened = next(one for one in full["violations"] if one["symbol"] == "MA_CONG_DAN_ID")
    assert opened["rows"] == [{"school": here.code, "record": learners[0].code, "uid": str(learners[0].uid)}]
    text = (tmp_path / "out" / "bao-cao.csv").read_text(encoding="utf-8") + json.dumps(full, ensure_ascii=False)
    assert not any(person.name in text for person in learners)  # the report carries codes, no names


def test_learners_keep_their_state(three_schools, tmp_path, now):
    here = three_schools["upper_secondary"]
    first, second, third = Placement.objects.filter(school=here).order_by("pk")
    Placement.objects.filter(pk=first.pk).update(valid=("2025-09-05", "2025-10-20"), closed="dropout")
    Placement.objects.filter(pk=second.pk).update(opened="repetition")
    Placement.objects.filter(pk=third.pk).update(valid=("2025-09-05", "2025-10-01"), closed="undone")
    write(tmp_path, now)
    told = {one["HOC_SINH_ID"]: one for one in records(tmp_path, "upper_secondary", "learner")}
    assert {told[first.learner.code]["MA_TRANG_THAI_HIEN_TAI"], told[second.learner.code]["MA_TRANG_THAI_HIEN_TAI"]} == {"dropped_out", "repeating"}
    assert third.learner.code not in told
    assert told[second.learner.code]["IS_LUU_BAN_NAM_TRUOC"] is True


def test_the_workbook_holds_text_as_text(three_schools, tmp_path, now):
    here = three_schools["primary"]
    person = Person.objects.filter(placements__school=here).order_by("pk").first()
    hostile = '=HYPERLINK("http://x","y")'
    Person.objects.filter(pk=person.pk).update(name=hostile, birth_place="+84", phone="-1")
    write(tmp_path, now)
    book = openpyxl.load_workbook(tmp_path / "out" / "primary.xlsx")
    assert book.sheetnames == ["Truong", "Lop", "Nhan su", "Hoc sinh", "Ket qua", "EQMS dau nam", "EQMS giua nam", "EQMS cuoi nam"]
    sheet = book["Hoc sinh"]
    symbols = [cell.value for cell in sheet[1]]
    assert symbols == list(spec.table("primary", "learner").fields)
    assert [cell.value for cell in sheet[2]] == [f.name for f in spec.table("primary", "learner").fields.values()]
    row = next(r for r in sheet.iter_rows(min_row=3) if r[symbols.index("HOC_SINH_ID")].value == person.code)
    for symbol, value in (("HO_TEN", hostile), ("NOI_SINH", "+84"), ("DIEN_THOAI_LIEN_HE", "-1")):
        cell = row[symbols.index(symbol)]
        assert (cell.value, cell.data_type) == (value, "s")
        assert cell.quotePrefix
    number = row[symbols.index("MA_CONG_DAN_ID")]
    assert (number.data_type, number.value[0]) == ("s", "0")  # identifiers keep their noughts
    assert row[symbols.index("THU_TU")].data_type == "n"


def test_the_manifest_seals_every_file_and_the_ledger_the_manifest(three_schools, tmp_path, now):
    report = write(tmp_path, now)
    out = tmp_path / "out"
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    on_disk = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()} - {"manifest.json"}
    assert set(manifest["files"]) == on_disk
    for name, told in manifest["files"].items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == told["sha256"]
    entry = Entry.objects.filter(chain=writing.CHAIN).latest("sequence")
    assert entry.document["data"]["manifest_sha256"] == report["manifest_sha256"]
    assert hashlib.sha256((out / "manifest.json").read_bytes()).hexdigest() == report["manifest_sha256"]
    assert Act.objects.filter(act="exchange.ministry_file.write", facts__records=report["record_count"]).exists()


def test_the_same_register_gives_the_same_bytes(three_schools, tmp_path, now):
    first = write(tmp_path / "a", now, xlsx=False)
    second = write(tmp_path / "b", now, xlsx=False)
    assert first["files"] == second["files"]


def test_more_learners_cost_no_more_statements(three_schools, tmp_path, now, counted):
    with counted() as few:
        write(tmp_path / "a", now, xlsx=False)
    group = ClassGroup.objects.get(school=three_schools["lower_secondary"])
    factories.learners(factories.class_group(group.school, grade=8), 40)
    with counted() as many:
        write(tmp_path / "b", now, xlsx=False)
    assert many.total == few.total <= 22


def test_who_may_not(three_schools, tmp_path, now, province):
    for role in ("principal", "clerk", "commune_officer", "inspector", "province_director"):
        actor = factories.actor_of(factories.account(role, three_schools["primary"]))
        with pytest.raises(NotAllowed):
            writing.write_ministry_files(actor=actor, school_year=2025, folder=tmp_path / role, now=now)
        assert not (tmp_path / role).exists()
    officer = factories.account("province_officer", province[0])
    with pytest.raises(SecondFactorNeeded):
        services.ask(actor=factories.actor_of(officer, is_strong=False), school_year=2025, now=now)


@pytest.fixture
def officer(province):
    return factories.account("province_officer", province[0])


def test_the_pages_ask_watch_and_give(three_schools, officer, now, counted, django_capture_on_commit_callbacks):
    client = factories.client_of(officer)
    with counted() as count:
        assert "Chưa có tệp nào" in client.get("/xuat-bo/").content.decode()
    assert count.total <= 6
    answer = client.post("/xuat-bo/", {"school_year": 2025, "xlsx": "on"})
    assert answer.status_code == 302
    waiting = client.get(answer.url).content.decode()
    assert "Đang chờ" in waiting
    Person.objects.filter(placements__school=three_schools["primary"]).update(personal_number=None)
    job = queries.Job.objects.get(kind=work.KIND)
    _run_here(job, officer)
    with counted() as count:
        page = client.get(answer.url).content.decode()
    assert count.total <= 6
    assert "Còn chỗ thiếu hoặc sai" in page
    assert "MA_CONG_DAN_ID" in page
    detail = client.get(f"{answer.url}?loi=primary:learner:MA_CONG_DAN_ID:missing").content.decode()
    learner = Person.objects.filter(placements__school=three_schools["primary"]).first()
    assert f"/hoc-sinh/{learner.uid}/" in detail
    assert learner.name not in detail
    given = client.get(f"{answer.url}tep/")
    package = zipfile.ZipFile(io.BytesIO(given.content))
    assert {"manifest.json", "bao-cao.csv", "bao-cao.json", "primary/learner.json", "primary.xlsx"} <= set(package.namelist())
    assert json.loads(package.read("manifest.json"))["school_year"] == 2025
    again = client.get(f"{answer.url}tep/")
    assert again.content == given.content and client.head(f"{answer.url}tep/").status_code == 200
    acts = list(Act.objects.filter(act="exchange.ministry_file.give", target_id=job.pk))
    assert len(acts) == 2 and {act.facts["sha256"] for act in acts} == {queries.stored(job, "package").sha256}
    assert len([one for one in Entry.objects.all() if one.act == "exchange.ministry_file.given"]) == 2
    listed = client.get("/xuat-bo/").content.decode()
    assert "Tệp gửi Bộ năm học 2025–2026" in listed


def _run_here(job, account):
    """Run the steps of a job in the test's own transaction."""
    actor = factories.actor_of(account)
    for step in jobs.KINDS[job.kind].function(job, actor):
        values = {"done": step.done, "total": step.total}
        if step.result is not None:
            values |= {"result": step.result, "state": "done", "finished_at": job.created_at}
        queries.Job.objects.filter(pk=job.pk).update(**values)
        job.refresh_from_db()


@pytest.mark.parametrize("role", ["principal", "clerk", "teacher", "guardian", "inspector"])
def test_other_roles_get_no_page_and_no_package(role, three_schools, officer, now):
    job = services.ask(actor=factories.actor_of(officer), school_year=2025, now=now, xlsx=False)
    _run_here(job, officer)
    place = None if role == "guardian" else three_schools["primary"]
    client = factories.client_of(factories.account("subject_teacher" if role == "teacher" else role, place))
    for address in ("/xuat-bo/", f"/xuat-bo/{job.uid}/", f"/xuat-bo/{job.uid}/tep/"):
        assert client.get(address).status_code == 403
    assert client.post("/xuat-bo/", {"school_year": 2025}).status_code == 403


def test_a_wrong_year_is_said(officer):
    client = factories.client_of(officer)
    for year in ("", "abc", "1", "99999"):
        assert client.post("/xuat-bo/", {"school_year": year}).status_code == 422


def test_a_damaged_package_is_not_given_out(three_schools, officer, now):
    job = services.ask(actor=factories.actor_of(officer), school_year=2025, now=now, xlsx=False)
    _run_here(job, officer)
    job.refresh_from_db()
    kept = queries.stored(job, "package")
    path = files.path_of(kept.sha256)
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[:-1] + b"x")
        with pytest.raises(files.DamagedFile):
            files.read(kept)
    finally:
        path.write_bytes(whole)
