"""The clerk imports a list, reads what is wrong, writes it, takes it back; the principal looks at the assignment."""

from __future__ import annotations

from django.utils import timezone

from khue.kernel import jobs
from khue.kernel.database import scope
from khue.kernel.jobs.models import Job
from tests import factories
from tests.gateway.exchange import books


def run_last_job() -> None:
    with scope.opened(everything=True):
        job = Job.objects.latest("pk").pk
    jobs.run(job, clock=timezone.now)


def prepare():
    with scope.opened(everything=True):
        here = factories.school()
        group = factories.class_group(here, name="7A1")
        clerk = factories.account("clerk", here)
        factories.teacher(here, group, "toan")
        return here, clerk.username


def rows():
    lines = books.learners(9)
    lines[3][2], lines[5][4], lines[6][5] = "31/02/2013", "7A9", "12345"
    lines[0][7] = "Chỗ ở hiện nay"
    return books.xlsx(lines)


def walk(window, tmp_path):
    _here, username = prepare()
    path = tmp_path / "Danh sách khối 7.xlsx"
    path.write_bytes(rows())
    window.sign_in(username)
    page = window.open("/nhap-du-lieu/")
    window.check("import-upload")
    page.fill("#id_school_year", str(factories.YEAR))
    page.set_input_files("input[type=file]", str(path))
    page.get_by_role("button", name="Tải lên và xem các cột").click()
    page.wait_for_url("**/ghep-cot/")
    window.check("import-columns")
    page.get_by_role("button", name="Kiểm tra tệp, chưa ghi gì").click()
    page.wait_for_url(lambda url: "ghep-cot" not in url)
    window.check("import-checking")
    run_last_job()
    page.reload()
    window.check("import-dry-run")
    assert "31/02/2013" in page.content() and "7A9" in page.content()
    with page.expect_navigation():
        page.get_by_role("button", name="Ghi 6 dòng vào sổ").click()
    run_last_job()
    page.reload()
    window.check("import-applied")
    with window.coming():
        page.get_by_role("link", name="Hoàn tác cả lần nhập").click()
    window.check("import-undo")
    with page.expect_navigation():
        page.get_by_role("button", name="Hoàn tác lần nhập này").click()
    run_last_job()
    page.reload()
    window.check("import-undone")
    window.open("/nhap-du-lieu/")
    window.check("import-list")
    window.open(f"/phan-cong/?nam={factories.YEAR}")
    window.check("teaching-board")


def test_import_at_a_desk(desk, tmp_path):
    walk(desk, tmp_path)


def test_import_on_a_phone(phone, tmp_path):
    walk(phone, tmp_path)
