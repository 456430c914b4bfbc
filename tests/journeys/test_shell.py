"""Signing in, finding, changing the role, following long work: at both widths, by keyboard, and without JavaScript."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from khue.kernel import menus
from khue.kernel.database import scope
from khue.kernel.jobs.models import Job
from tests import factories
from tests.journeys.conftest import PASSWORD


@pytest.fixture
def teacher(site):
    with scope.everything():
        school = factories.school()
        return factories.homeroom_teacher(factories.class_group(school))


@pytest.fixture
def jobs(teacher):
    school_id = teacher.grants.first().unit_id
    with scope.everything():
        values = {"account_id": teacher.pk, "school_id": school_id, "kind": "test.kind"}
        running = Job.objects.create(title="Khoá sổ học kì I lớp 7A2", state="running", total=45, done=12, message="Đang tính môn Toán", **values)
        Job.objects.create(title="Nhập học sinh khối 6", state="done", total=180, done=180, finished_at=timezone.now(), result_url="/", **values)
        Job.objects.create(title="Ký học bạ lớp 9A1", state="failed", total=40, done=7, message="Chứng thư số đã hết hạn.", finished_at=timezone.now(), **values)
    return running


@pytest.fixture
def hits(monkeypatch):
    found = [menus.Hit("Nguyễn Văn An", "/?1", "Học sinh", "7A1 · 861234567890"), menus.Hit("Lớp 7A1", "/?2", "Lớp")]
    monkeypatch.setattr(menus.SEARCH, "_items", {"test": lambda actor, words, limit: found if words.startswith("an") else []})


@pytest.fixture
def cards(monkeypatch):
    found = [
        menus.Card("sổ chưa khoá", "/?so", urgency=0, count=3, detail="Hạn 15/11/2025", action="Khoá sổ"),
        menus.Card("đơn xin nghỉ chờ duyệt", "/?don", urgency=0, count=1, action="Xem đơn"),
        menus.Card("Điểm giữa kì Ngữ văn lớp 7A1 đã có", "/?moi", urgency=1, detail="Trần Thị Bình vào lúc 08:30"),
        menus.Card("Họp phụ huynh", "/?hop", urgency=2, detail="Thứ bảy 22/11/2025"),
    ]
    monkeypatch.setattr(menus.HOME, "_items", {"test": lambda actor, now: found})


@pytest.mark.parametrize("window", ["desk", "phone"])
def test_sign_in_and_home(window, teacher, cards, request):
    window = request.getfixturevalue(window)
    window.open("/tai-khoan/dang-nhap/")
    window.check("sign-in")
    window.page.fill("#id_login", teacher.username)
    window.page.fill("#id_password", "sai-mat-khau")
    window.page.get_by_role("button", name="Đăng nhập", exact=True).click()
    window.page.get_by_role("alert").wait_for()
    window.check("sign-in-refused")
    window.sign_in_by_hand(teacher.username)
    window.check("home")


@pytest.mark.parametrize("window", ["desk", "phone"])
def test_pages_of_the_account(window, teacher, jobs, request):
    window = request.getfixturevalue(window)
    window.sign_in(teacher.username)
    pages = {
        "jobs": "/viec-cua-toi/", "job": f"/viec/{jobs.uid}/", "second-factor": "/tai-khoan/hai-buoc/", "devices": "/tai-khoan/thiet-bi/",
        "password": "/tai-khoan/mat-khau/", "search-empty": "/tim/", "forgotten": "/tai-khoan/quen-mat-khau/", "offline": "/ngoai-tuyen/",
    }  # fmt: skip
    for name, address in pages.items():
        window.open(address)
        window.check(name)
    window.expect_refusal(404)
    window.open("/khong-co-trang-nay/")
    window.check("not-found")


def test_search_as_she_types_and_by_keyboard(desk, teacher, hits):
    desk.sign_in(teacher.username)
    page = desk.open("/")
    page.keyboard.press("/")
    page.keyboard.type("an ng")  # no room of the menu is called so
    page.get_by_role("link", name="Nguyễn Văn An").wait_for()
    desk.check("search-hits")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#khue-hits a:focus")).to_contain_text("Nguyễn Văn An")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#khue-hits a:focus")).to_contain_text("Lớp 7A1")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "khue-search-box"
    assert page.locator("#khue-hits a").count() == 0
    page.keyboard.press("Enter")
    page.wait_for_url("**/tim/?q=an*")
    desk.check("search")


def test_words_typed_before_the_scripts_came_are_looked_for(desk, teacher, hits):
    desk.sign_in(teacher.username)
    page, held = desk.page, []
    page.route("**/htmx*.js", lambda route: held.append(route))
    page.goto(desk.site, wait_until="commit")
    page.locator("#khue-search-box").click()
    page.keyboard.type("an ng")
    with page.expect_response("**/tim/?q=an*"):
        held.pop().continue_()
    page.get_by_role("link", name="Nguyễn Văn An").wait_for()


def test_the_role_is_changed_from_any_page(desk, teacher):
    desk.sign_in(teacher.username)
    page = desk.open("/")
    page.locator(".k-acting summary").click()
    desk.check("roles")
    page.get_by_role("button", name="Giáo viên chủ nhiệm").click()
    page.get_by_text("Đang làm việc với vai trò: Giáo viên chủ nhiệm").wait_for()
    assert page.locator(".k-acting summary b").inner_text() == "Giáo viên chủ nhiệm"


def test_a_running_job_is_followed_until_it_is_done(desk, teacher, jobs):
    page = desk.sign_in(teacher.username)
    desk.open(f"/viec/{jobs.uid}/")
    page.get_by_text("Đã xong 12 trong 45").wait_for()
    with scope.everything():
        Job.objects.filter(pk=jobs.pk).update(done=45, state="done", finished_at=timezone.now(), result_url="/?ket-qua")
    page.get_by_role("link", name="Xem kết quả").wait_for()
    assert page.locator("progress").count() == 0
    desk.assert_quiet()


def test_the_menu_opens_on_a_phone(phone, teacher):
    phone.sign_in(teacher.username)
    page = phone.open("/")
    expect(page.locator("#khue-nav")).to_be_hidden()
    page.get_by_role("link", name="Thực đơn").click()
    phone.check("menu")
    page.locator("#khue-nav").get_by_role("link", name="Việc của tôi").click()
    page.wait_for_url("**/viec-cua-toi/")


def test_everything_works_without_javascript(plain, teacher, jobs):
    page = plain.sign_in_by_hand(teacher.username)
    page.get_by_role("searchbox").fill("khong co ai")
    page.get_by_role("searchbox").press("Enter")
    page.wait_for_url("**/tim/**")
    page.get_by_text("Không tìm thấy gì").wait_for()
    page.locator(".k-acting summary").click()
    page.get_by_role("button", name="Giáo viên chủ nhiệm").click()
    page.get_by_text("Đang làm việc với vai trò").wait_for()
    plain.open(f"/viec/{jobs.uid}/")
    page.get_by_role("button", name="Dừng việc này").click()
    page.get_by_text("Việc sẽ dừng sau bước đang làm").wait_for()
    page.locator(".k-account summary").click()
    page.get_by_role("button", name="Đăng xuất").click()
    plain.open("/")
    assert "dang-nhap" in page.url


def test_a_lost_network_is_said_and_what_was_typed_stays(desk, teacher):
    desk.sign_in(teacher.username)
    page = desk.open("/")
    page.context.set_offline(True)
    banner = page.locator("#khue-offline")
    banner.wait_for()
    page.get_by_role("searchbox").fill("an")
    page.locator("#khue-messages").get_by_text("Chưa gửi được.").wait_for()
    assert page.get_by_role("searchbox").input_value() == "an"
    page.context.set_offline(False)
    banner.wait_for(state="hidden")
    desk.complaints.clear()


def test_a_refusal_of_a_part_stands_with_the_messages_and_the_part_stays(desk, teacher):
    desk.sign_in(teacher.username)
    page = desk.open("/_components")
    desk.expect_refusal(404)
    page.get_by_role("button", name="Thử một lời từ chối").click()
    page.locator("#khue-messages").get_by_text("Không tìm thấy trang hoặc hồ sơ này.").wait_for()
    assert page.get_by_role("heading", name="Thông báo và từ chối").is_visible()
    desk.check("refusal-of-a-part")


def test_a_session_that_ended_leads_to_sign_in_and_back(desk, teacher):
    page = desk.sign_in(teacher.username)
    desk.open("/viec-cua-toi/")
    page.context.clear_cookies()
    page.get_by_role("searchbox").fill("an")
    page.wait_for_url("**/tai-khoan/dang-nhap/?next=/viec-cua-toi/")
    page.fill("#id_login", teacher.username)
    page.fill("#id_password", PASSWORD)
    page.get_by_role("button", name="Đăng nhập", exact=True).click()
    page.wait_for_url("**/viec-cua-toi/")


def test_what_was_typed_is_there_again_after_the_page_was_lost(desk, teacher):
    desk.sign_in(teacher.username)
    page = desk.open("/_components")
    page.fill("#id_note", "Em mới chuyển đến từ xã An Bình")
    page.locator("#id_sex_1").check()
    desk.open("/viec-cua-toi/")
    page = desk.open("/_components")
    assert page.locator("#id_note").input_value() == "Em mới chuyển đến từ xã An Bình"
    assert page.locator("#id_sex_1").is_checked()
    page.evaluate("""() => {
      const name = Object.keys(localStorage).find((key) => key.startsWith("khue:"));
      const kept = JSON.parse(localStorage.getItem(name));
      localStorage.setItem(name, JSON.stringify({ ...kept, at: kept.at - 8 * 24 * 3600 * 1000 }));
    }""")
    page = desk.open("/_components")
    assert page.locator("#id_note").input_value() == "Mới chuyển đến", "forgotten after a week"


def test_without_a_network_the_kept_page_answers(browser, site):
    context = browser.new_context(locale="vi-VN", service_workers="allow")
    page = context.new_page()
    page.goto(f"{site}/tai-khoan/dang-nhap/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()
    context.set_offline(True)
    page.goto(f"{site}/viec-cua-toi/")
    page.get_by_role("heading", name="Mất kết nối mạng").wait_for()
    context.set_offline(False)
    page.get_by_role("link", name="Thử lại").click()
    page.wait_for_url("**/dang-nhap/**")
    context.close()


def test_a_day_is_written_out_where_the_browser_is_set_up_in_english(browser, site):
    context = browser.new_context(locale="en-US", service_workers="block")
    page = context.new_page()
    page.goto(f"{site}/_components")
    page.fill("#id_born_on", "2013-11-10")
    assert page.locator("#id_born_on + [data-khue-day]").inner_text() == "Chủ Nhật, 10/11/2013"
    context.close()


def test_password_is_the_factories(teacher):
    assert teacher.check_password(PASSWORD)
