"""The law in a browser at both widths: the shelf and examples for everybody, why for a mother, the tools for the officer."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from khue.kernel import jobs
from khue.kernel.database import scope
from khue.kernel.jobs.models import Job
from khue.province.law import services
from khue.register.people.models import Kinship, Person
from tests import factories
from tests.province.law import years


@pytest.fixture
def closed(site):
    """Two closed classes, a mother `me` of one learner, the officer `so`; all as of November 2025."""
    with scope.everything():
        low = {1: {"toan": "4", "ngu_van": "6"}, 2: {"toan": "2", "ngu_van": "2"}, 3: {"toan": "6"}, 4: {"khoa_hoc_tu_nhien": "4", "giao_duc_the_chat": "CĐ"}}
        secondary = years.closed(factories.NOW, count=7, marks=low)
        primary = years.closed(factories.NOW, grade=4, count=2)
        mother(secondary.learners[1], "me")
        mother(primary.learners[0], "me-2")
        factories.account("province_officer", factories.province(), username="so")
    return secondary, primary


def mother(learner: Person, username: str) -> None:
    who = factories.person("Nguyễn Thị Mai")
    Kinship.objects.create(guardian=who, learner=learner, relation="mother", school_id=learner.school_id, valid=factories.EVER)
    factories.account("guardian", who=who, username=username)


def run(kind: str) -> None:
    with scope.everything():
        job = Job.objects.get(kind=kind)
    jobs.run(job.pk, clock=lambda: timezone.now() + timedelta(seconds=1))


def test_everybody_reads_the_shelf_and_the_examples(site, desk, phone):
    for window in (desk, phone):
        page = window.open("/phap-ly/")
        window.check("law-shelf")
        page.get_by_label("Số hiệu, tên, cơ quan ban hành").fill("chuyen truong tieu hoc 28/2020")
        page.get_by_label("Số hiệu, tên, cơ quan ban hành").fill("28/2020")
        page.get_by_role("button", name="Lọc").click()
        page.get_by_role("link", name="Thông tư 28/2020/TT-BGDĐT").click()
        expect(page.get_by_text("Văn bản này đã được thay thế.")).to_be_visible()
        window.check("law-instrument-replaced")
        window.open("/phap-ly/22-2021-tt-bgddt/")
        window.check("law-instrument")
        page.get_by_role("link", name="ví dụ tính theo văn bản này").click()
        expect(page.locator("#t22-avg-02")).to_be_visible()
        window.check("law-examples")
        window.open("/phap-ly/vi-du/")
        window.check("law-circulars")
        window.open("/phap-ly/57-2026-tt-bgddt/")
        window.check("law-indicators")


def test_a_mother_reads_why(closed, desk, phone):
    secondary, primary = closed
    for window in (desk, phone):
        window.sign_in("me")
        page = window.open(f"/gia-dinh/{secondary.uids[1]}/?nam=2025")
        page.get_by_role("link", name="Xem từng bước tính").last.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Vì sao")
        window.check("law-explain")
        page.get_by_role("link", name="Điều 12").first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("22/2021")
    phone.page.context.clear_cookies()
    phone.sign_in("me-2")
    phone.open(f"/hoc-sinh/{primary.uids[0]}/vi-sao/?nam=2025")
    phone.check("law-explain-primary")


def test_the_officer_compares_and_recomputes(closed, desk, phone):
    desk.sign_in("so")
    page = desk.open("/phap-ly/so-sanh/")
    desk.check("law-compare")
    page.get_by_label("So với quy định").select_option("secondary.tt58-2011")
    page.get_by_label("Năm học bắt đầu từ năm").fill("2025")
    page.get_by_role("button", name="So sánh hai bộ quy định").click()
    expect(page.get_by_text("Đang chờ").first).to_be_visible()
    address = page.url.removeprefix(desk.site)
    run(services.COMPARE)
    desk.open(address)
    expect(page.locator("svg.kl-chart")).to_be_visible()
    page.locator("details summary").filter(has_text="lý do").first.click()
    desk.check("law-comparison")
    page = desk.open("/phap-ly/tinh-lai/")
    page.get_by_label("Năm học bắt đầu từ năm").fill("2025")
    page.get_by_role("button", name="Tính lại và đối chiếu").click()
    page.wait_for_url("**/phap-ly/tinh-lai/*-*/")
    run(services.RECOMPUTE)
    desk.open(page.url.removeprefix(desk.site))
    expect(page.get_by_text("Mọi kết quả tính lại đều khớp với đã khoá.")).to_be_visible()
    desk.check("law-recomputation")
    phone.sign_in("so")
    for name, path in (("law-compare", "/phap-ly/so-sanh/"), ("law-comparison", address), ("law-recompute", "/phap-ly/tinh-lai/")):
        phone.open(path)
        phone.check(name)
