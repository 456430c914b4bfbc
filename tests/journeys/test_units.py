"""The province officer walks the tree over the reform, two maps, one unit's history, and the ministry's file."""

import pytest
from django.utils import timezone

from khue.gateway.exchange.ministry import work
from khue.kernel import jobs
from khue.kernel.database import scope
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import system_actor
from khue.register.orgs import reform, services
from khue.register.orgs.models import ReformQuestion, Succession, Unit, UnitTie
from khue.register.orgs.services import UnitDraft
from khue.register.schooling.models import ClassGroup
from tests import factories
from tests.conftest import world
from tests.register.orgs.test_reform import OLD, carry_out, schools, split_commune

SYSTEM = system_actor("journey")


def build() -> None:
    """Make the old tree with schools, reformed, and an officer `so` at it."""
    now = timezone.now()
    reform.load_old_tree(actor=SYSTEM, provinces=OLD, now=now)
    planted = schools(now, every=12)
    code, _parts = split_commune()
    ground = Unit.objects.get(kind="commune", code=code)
    district = UnitTie.objects.get(child=ground, relation="administers").parent
    draft = UnitDraft("school", "Trường THCS Giáp Ranh", None, district, ground, ("lower_secondary",))
    planted.append(services.create_unit(actor=SYSTEM, draft=draft, on=factories.EVER.lower, now=now))
    carry_out(now)
    for school in planted[:3]:
        grade = 3 if school.levels == ["primary"] else 10
        factories.learners(factories.class_group(school, grade=grade), 7)
    factories.account("province_officer", Unit.objects.get(kind="province", code="86"), username="so")


@pytest.fixture(scope="module")
def template(databases, django_db_blocker):
    with world(databases, django_db_blocker, build) as name:
        yield name


@pytest.fixture
def province(site):
    with scope.everything():
        return Unit.objects.get(kind="province", code="86")


def test_the_tree_over_the_reform(province, desk):
    desk.sign_in("so")
    page = desk.open("/don-vi/?ngay=2025-06-30")
    assert page.get_by_role("link", name="Tỉnh Bến Tre", exact=True).is_visible()
    page.get_by_role("link", name="Mở các đơn vị thuộc Tỉnh Bến Tre").click()
    page.locator("tr.k-tree-1").first.wait_for()
    page.get_by_role("link", name="Mở các đơn vị thuộc Thành phố Bến Tre").click()
    page.locator("tr.k-tree-2").first.wait_for()
    desk.check("units-tree-before")
    page.get_by_label("Ngày", exact=True).fill("2025-07-01")
    page.get_by_role("button", name="Xem ngày này").click()
    page.wait_for_url("**ngay=2025-07-01**")
    assert page.get_by_role("link", name="Tỉnh Bến Tre", exact=True).count() == 0
    page.get_by_role("link", name="Mở các đơn vị thuộc Tỉnh Vĩnh Long").click()
    page.locator("tr.k-tree-1").first.wait_for()
    desk.check("units-tree-after")


def test_two_maps_history_and_reform(province, desk, settings):
    settings.KHUE_SECOND_FACTOR = False
    desk.sign_in("so")
    desk.open("/don-vi/so-lieu/")
    desk.check("units-counts")
    with scope.everything():
        part = Succession.objects.filter(is_whole=False).select_related("target").order_by("pk").first()
    desk.open(f"/don-vi/{part.target.uid}/")
    desk.check("units-unit")
    page = desk.open("/don-vi/tim/?q=tra+vinh")
    desk.check("units-find")
    page = desk.open("/don-vi/")
    page.get_by_role("link", name="Sắp xếp 2025").click()
    page.get_by_role("heading", name="Trường cần xác định xã").wait_for()
    desk.check("units-reform")
    select = page.get_by_label("Xã nơi đặt Trường THCS Giáp Ranh")
    values = select.locator("option").evaluate_all("all => all.filter(one => !one.selected).map(one => one.value)")
    select.select_option(values[0])
    page.get_by_role("row", name="Trường THCS Giáp Ranh").get_by_role("button", name="Ghi", exact=True).click()
    page.get_by_text("đã chọn").first.wait_for()
    with scope.everything():
        assert ReformQuestion.objects.get(school__name="Trường THCS Giáp Ranh").decided.code == values[0]


def test_everything_without_scripts(province, plain):
    plain.sign_in("so")
    page = plain.open("/don-vi/?ngay=2025-06-30")
    page.get_by_role("link", name="Mở các đơn vị thuộc Tỉnh Trà Vinh").click()
    page.get_by_role("heading", name="Cây đơn vị ngày 30/06/2025").wait_for()
    assert page.get_by_role("link", name="Thành phố Trà Vinh", exact=True).is_visible()


def test_on_a_phone(province, phone):
    phone.sign_in("so")
    page = phone.open("/don-vi/?ngay=2025-07-01")
    page.get_by_role("link", name="Mở các đơn vị thuộc Tỉnh Vĩnh Long").click()
    page.locator("tr.k-tree-1").first.wait_for()
    phone.check("units-tree")
    phone.open("/don-vi/so-lieu/")
    phone.check("units-counts")
    with scope.everything():
        part = Succession.objects.filter(is_whole=False).select_related("target").order_by("pk").first()
        reformed = part.reform
    phone.open(f"/don-vi/{part.target.uid}/")
    phone.check("units-unit")
    phone.open(f"/don-vi/sap-xep/{reformed.uid}/")
    phone.check("units-reform")


def test_the_ministry_file(province, desk, phone, settings):
    settings.KHUE_SECOND_FACTOR = False  # as in the demonstration; test_second_factor walks that way
    desk.sign_in("so")
    with scope.everything():
        year = ClassGroup.objects.values_list("school_year", flat=True).first()
    page = desk.open("/xuat-bo/")
    page.get_by_label("Năm học bắt đầu").fill(str(year))
    page.get_by_role("button", name="Tạo tệp và báo cáo").click()
    page.get_by_text("Đang chờ").first.wait_for()
    desk.check("ministry-waiting")
    with scope.everything():
        job = Job.objects.get(kind=work.KIND)
    jobs.run(job.pk, clock=timezone.now)
    page.get_by_role("link", name="Xem kết quả").click()
    page.get_by_text("Còn chỗ thiếu hoặc sai.").wait_for()
    desk.check("ministry-report")
    page.locator("a[href*='MA_CONG_DAN_ID']").first.click()
    page.get_by_role("heading", name="MA_CONG_DAN_ID").wait_for()
    desk.check("ministry-rows")
    with page.expect_download() as download:
        page.get_by_role("link", name="Tải gói tệp (ZIP)").click()
    assert download.value.suggested_filename == f"qd4998-{year}-{year + 1}.zip"
    phone.sign_in("so")
    phone.open("/xuat-bo/")
    phone.check("ministry-index")
    phone.open(f"/xuat-bo/{job.uid}/")
    phone.check("ministry-report")
