"""Two files of one learner become one and come apart; a family proposes, the school approves; a class as it was known."""

from datetime import timedelta

import pytest
from django.utils import timezone

from khue.kernel.database import scope
from khue.register.people.doubles import finding, services
from khue.register.people.models import Kinship, Merge
from tests import factories
from tests.register.people.test_merging import Two


@pytest.fixture
def two(site, settings):
    """A learner with two files, a clerk, an officer and a mother. The second factor has a journey of its own."""
    settings.KHUE_SECOND_FACTOR = False
    with scope.everything():
        made = Two()
        factories.account("clerk", made.here, username="gv")
        factories.account("province_officer", factories.province(), username="so")
        mother = factories.person("Nguyễn Thị Mai", school=made.here)
        Kinship.objects.create(guardian=mother, learner=made.bare, relation="mother", school_id=made.here.pk, valid=factories.EVER)
        factories.account("guardian", who=mother, username="me")
        services.keep(finding.weighed(made.full.pk, made.bare.pk), day=timezone.localdate())
    return made


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_matched_merged_and_taken_apart(two, width, request):
    window = request.getfixturevalue(width)
    window.sign_in("gv")
    window.open("/ho-so-trung/chua-co-so/")
    window.check(f"people-without-number-{width}")
    page = window.open("/ho-so-trung/")
    window.check(f"people-doubles-{width}")
    page.locator("th a").first.click()
    page.wait_for_url("**/ho-so-trung/*-*/")
    window.check(f"people-double-{width}")
    page.get_by_label("Căn cứ", exact=False).last.fill("Đã đối chiếu khai sinh")
    page.get_by_role("button", name="Gửi đề nghị gộp").click()
    page.wait_for_url("**/gop-ho-so/*-*/")
    address = page.url
    window.page.context.clear_cookies()
    window.sign_in("so")
    page = window.open(address[address.index("/gop-ho-so") :])
    page.get_by_role("button", name="Gộp hai hồ sơ").click()
    page.get_by_text("Đã gộp hồ sơ.").wait_for()
    window.check(f"people-merged-{width}")
    page.get_by_role("link", name="Tách lại").click()
    page.wait_for_url("**/tach-lai/")
    window.check(f"people-undo-{width}")
    page.get_by_label("Vì sao phải tách").fill("Hai chị em sinh đôi")
    page.get_by_role("button", name="Tách lại hai hồ sơ").click()
    page.get_by_text("Đã tách lại thành hai hồ sơ").wait_for()
    with scope.everything():
        assert Merge.objects.get().state == "undone"


def test_a_family_s_own_change_and_a_class_as_known(two, phone):
    phone.sign_in("me")
    page = phone.open(f"/gia-dinh/{two.bare.uid}/thong-tin/")
    page.get_by_label("Số điện thoại liên hệ").fill("0987654321")
    page.get_by_role("button", name="Gửi nhà trường xem").click()
    page.get_by_text("Đã gửi nhà trường").first.wait_for()
    phone.check("people-family-details")
    phone.page.context.clear_cookies()
    phone.sign_in("gv")
    page = phone.open("/de-nghi-gia-dinh/")
    page.locator("th a").first.click()
    page.wait_for_url("**/de-nghi-gia-dinh/*-*/")
    phone.check("people-family-change")
    page.get_by_role("button", name="Đồng ý và ghi vào hồ sơ").click()
    page.get_by_text("Đã ghi vào hồ sơ của em.").wait_for()
    phone.open(f"/nhu-da-biet/lop/{two.group.uid}/")
    phone.check("people-class-as-known")
    phone.open(f"/nhu-da-biet/hoc-sinh/{two.bare.uid}/")
    phone.check("people-learner-as-known")


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_a_merger_to_come_and_the_tree_as_known(two, width, request):
    window = request.getfixturevalue(width)
    window.sign_in("so")
    to_come = timezone.localdate() + timedelta(days=40)
    page = window.open(f"/don-vi/{two.there.uid}/sap-nhap/")
    page.get_by_label("Mã trường nhận").fill(two.here.code)
    page.get_by_label("Từ ngày").fill(to_come.strftime("%d/%m/%Y"))
    page.get_by_label("Căn cứ, lý do").fill("Quyết định 12/QĐ-UBND")
    page.get_by_role("button", name="Sáp nhập").click()
    page.get_by_text("Đã ghi kế hoạch").wait_for()
    window.check(f"people-school-plans-{width}")
    page.get_by_role("button", name="Rút kế hoạch").click()
    page.get_by_text("Đã rút kế hoạch").wait_for()
    page = window.open(f"/don-vi/?biet={(timezone.localdate() - timedelta(days=1)).isoformat()}")
    page.get_by_text("theo điều đã biết đến hết ngày").first.wait_for()
    window.check(f"people-tree-as-known-{width}")
    with scope.everything():
        province = factories.province()
    window.open(f"/nhu-da-biet/don-vi/{province.uid}/")
    window.check(f"people-unit-as-known-{width}")
    window.open(f"/nhu-da-biet/hoc-sinh/{two.bare.uid}/")
    window.check(f"people-family-as-known-{width}")
