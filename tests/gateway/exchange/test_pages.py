"""The pages of imports: who sees them, what they cost, the whole way without JavaScript."""

from __future__ import annotations

import io

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from khue.gateway.exchange.models import ImportBatch, State
from khue.kernel import jobs
from khue.kernel.jobs.models import Job
from khue.register.schooling.models import Placement
from tests import factories
from tests.gateway.exchange import books

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(everything):
    return factories.school()


def upload(client, content, *, kind="learners", name="hs.xlsx", **more):
    return client.post("/nhap-du-lieu/", {"kind": kind, "school_year": factories.YEAR, "file": SimpleUploadedFile(name, content), **more})


def run_last_job():
    jobs.run(Job.objects.latest("pk").pk, clock=timezone.now)


def test_whole_way_from_upload_to_undo(here):
    group = factories.class_group(here, name="7A1")
    client = factories.client_of(factories.account("clerk", here))
    rows = books.learners(8)
    rows[3][2] = "31/02/2013"
    answer = upload(client, books.xlsx(rows))
    assert answer.status_code == 302, answer.content.decode()[:2000]
    columns = client.get(answer["Location"])
    assert "Số định danh cá nhân" in columns.content.decode()
    batch = ImportBatch.objects.get()
    chosen = {f"c{column}": code for column, code in batch.mapping.items()}
    answer = client.post(answer["Location"], {**chosen, "version": batch.version})
    assert answer.status_code == 302
    run_last_job()
    page = client.get(answer["Location"]).content.decode()
    assert "Ghi 7 dòng vào sổ" in page and "31/02/2013" in page and "không phải ngày" in page
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"/nhap-du-lieu/{batch.uid}/ket-qua/").getvalue()))
    sheet = book.worksheets[0]
    assert [c.value for c in sheet[1]][:9] == books.LEARNER_HEAD and sheet.cell(1, 10).value == "Kết quả"
    assert sheet.cell(4, 10).value == "Không nhập được" and "31/02/2013" in sheet.cell(4, 11).value
    client.post(f"/nhap-du-lieu/{batch.uid}/ghi/")
    client.post(f"/nhap-du-lieu/{batch.uid}/ghi/")  # a second click
    run_last_job()
    assert Placement.objects.filter(class_group=group).count() == 7 and Job.objects.filter(kind="exchange.apply").count() == 1
    sheet = openpyxl.load_workbook(io.BytesIO(client.get(f"/nhap-du-lieu/{batch.uid}/ket-qua/").getvalue())).worksheets[0]
    assert sheet.cell(2, 12).value == Placement.objects.select_related("learner").get(learner__name=sheet.cell(2, 2).value).learner.code
    assert "mã định danh" in client.get(f"/nhap-du-lieu/{batch.uid}/hoan-tac/").content.decode().lower()
    client.post(f"/nhap-du-lieu/{batch.uid}/hoan-tac/", {"why": "nhầm tệp"})
    run_last_job()
    batch.refresh_from_db()
    assert batch.state == State.UNDONE and {p.closed for p in Placement.objects.filter(class_group=group)} == {"undone"}
    assert "Đã đưa 7 dòng về như trước" in client.get(f"/nhap-du-lieu/{batch.uid}/").content.decode()


def test_corrections_are_learned(here):
    factories.class_group(here, name="7A1")
    client = factories.client_of(factories.account("clerk", here))
    rows = books.learners(3)
    rows[0] = [*rows[0][:7], "Ghi chú thêm", "Liên lạc"]
    first = upload(client, books.xlsx(rows))
    batch = ImportBatch.objects.get()
    assert "8" not in batch.mapping
    chosen = {f"c{column}": code for column, code in batch.mapping.items()} | {"c8": "phone"}
    client.post(first["Location"], {**chosen, "version": batch.version})
    upload(client, books.xlsx(rows))
    again = ImportBatch.objects.latest("pk")
    assert again.mapping["8"] == "phone" and 8 in again.preview["learned"]


def test_required_columns_are_asked_for_and_input_is_kept(here):
    client = factories.client_of(factories.account("clerk", here))
    where = upload(client, books.xlsx(books.learners(3)))["Location"]
    batch = ImportBatch.objects.get()
    answer = client.post(where, {"c1": "name", "c3": "name", "version": batch.version})
    assert answer.status_code == 422 and "Hai cột" in answer.content.decode()
    answer = client.post(where, {"c1": "name", "version": batch.version})
    assert answer.status_code == 422 and "ngày sinh" in answer.content.decode()


@pytest.mark.parametrize("role", ["guardian", "nurse", "province_officer"])
def test_others_may_not(here, role):
    client = factories.client_of(factories.account(role, here if role not in ("province_officer",) else None))
    assert client.get("/nhap-du-lieu/").status_code == 403
    assert upload(client, books.xlsx(books.learners(1))).status_code == 403


def test_another_schools_batch_is_not_there(here):
    factories.class_group(here, name="7A1")
    mine = factories.client_of(factories.account("clerk", here))
    upload(mine, books.xlsx(books.learners(2)))
    batch = ImportBatch.objects.get()
    theirs = factories.client_of(factories.account("clerk", factories.school("Trường THCS Lê Lợi")))
    for tail in ("", "ghep-cot/", "ket-qua/", "hoan-tac/"):
        assert theirs.get(f"/nhap-du-lieu/{batch.uid}/{tail}").status_code == 404
    for tail in ("kiem-tra/", "ghi/", "hoan-tac/"):
        assert theirs.post(f"/nhap-du-lieu/{batch.uid}/{tail}").status_code == 404


@pytest.mark.parametrize("size", [5, 60])
def test_pages_cost_six_queries_at_most(here, counted, size):
    client = factories.client_of(factories.account("clerk", here))
    rows = books.learners(size)
    where = upload(client, books.xlsx(rows))["Location"]
    batch = ImportBatch.objects.get()
    client.post(where, {**{f"c{c}": code for c, code in batch.mapping.items()}, "version": batch.version})
    run_last_job()  # no class: every row is refused and shown
    for address in ("/nhap-du-lieu/", f"/nhap-du-lieu/{batch.uid}/", f"/nhap-du-lieu/{batch.uid}/ghep-cot/", f"/nhap-du-lieu/{batch.uid}/hoan-tac/"):
        with counted() as count:
            assert client.get(address).status_code == 200
        assert count.total <= 6, "\n".join(count.statements)


def test_a_teacher_sees_only_the_way_from_her_register(here):
    client = factories.client_of(factories.teacher(here))
    page = client.get("/nhap-du-lieu/")
    assert page.status_code == 200 and 'type="file"' not in page.content.decode()
    assert upload(client, books.xlsx(books.learners(1))).status_code == 422
    assert not ImportBatch.objects.exists()
