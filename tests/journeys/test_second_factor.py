"""Turning the second factor on and signing in with it: an app with six figures, a passkey of the device."""

import pytest

from khue.kernel.database import scope
from tests import factories
from tests.journeys.conftest import PASSWORD

WIDE = 600


@pytest.fixture
def clerk(site):
    with scope.everything():
        return factories.account("clerk", factories.school())


def confirm(window):
    """Type the password again where an important act asks for it."""
    window.page.wait_for_load_state()
    if "xac-nhan" in window.page.url:
        window.check("confirm-again")
        window.page.fill("#id_password", PASSWORD)
        with window.coming():
            window.page.get_by_role("button", name="Xác nhận").click()


def sign_out(window):
    window.page.locator(".k-account summary").click()
    window.page.get_by_role("button", name="Đăng xuất").click()
    window.page.wait_for_url("**/dang-nhap/**")


@pytest.mark.parametrize("window", ["desk", "phone"])
def test_the_app_with_six_figures(window, clerk, request):
    window = request.getfixturevalue(window)
    page = window.sign_in_by_hand(clerk.username)
    window.open("/tai-khoan/hai-buoc/ung-dung/bat/")
    confirm(window)
    window.check("totp")
    secret = page.locator("#authenticator_secret").inner_text()
    page.fill("#id_code", factories.code_of(secret))
    page.get_by_role("button", name="Bật ứng dụng xác thực").click()
    page.get_by_role("heading", name="Mã dự phòng").wait_for()
    window.check("recovery-codes")
    recovery = page.locator("#recovery_codes li").first.inner_text()
    window.open("/tai-khoan/hai-buoc/")
    window.check("second-factor-on")
    window.open("/")
    sign_out(window)
    page.fill("#id_login", clerk.username)
    page.fill("#id_password", PASSWORD)
    page.get_by_role("button", name="Đăng nhập", exact=True).click()
    page.wait_for_url("**/hai-buoc/dang-nhap/")
    window.check("second-step")
    page.fill("#id_code", recovery)
    page.get_by_role("button", name="Đăng nhập", exact=True).click()
    page.get_by_role("heading", name="Chào").wait_for()


def test_a_passkey_of_the_device(desk, clerk):
    page = desk.sign_in_by_hand(clerk.username)
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }})  # fmt: skip
    local = desk.site.replace("127.0.0.1", "localhost")  # a passkey belongs to a name, never to a number
    desk.site = local
    desk.sign_in_by_hand(clerk.username)
    desk.open("/tai-khoan/khoa-truy-cap/them/")
    confirm(desk)
    desk.check("passkey-add")
    page.fill("#id_name", "Máy của phòng văn thư")
    page.locator("#id_passwordless").check()
    page.get_by_role("button", name="Thêm khoá truy cập").click()
    page.get_by_role("heading", name="Mã dự phòng").wait_for()
    desk.open("/tai-khoan/khoa-truy-cap/")
    desk.check("passkeys")
    desk.open("/")
    sign_out(desk)
    page.get_by_role("button", name="Đăng nhập bằng khoá truy cập").click()
    page.get_by_role("heading", name="Chào").wait_for()
    with scope.everything():
        from django.contrib.sessions.models import Session

        key = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "sessionid" and cookie["domain"] == "localhost")
        assert Session.objects.get(session_key=key).get_decoded()["khue.strong"] is True
    desk.assert_quiet()
