"""Sign-in: what makes a session strong, what makes it weak again, and that nobody signs up or is found out."""

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.test import Client

from khue.kernel.permissions.middleware import STRONG_KEY
from tests import factories

SIGN_IN = "/tai-khoan/dang-nhap/"
PASSWORD = "mot-mat-khau-dai"


@pytest.fixture
def account(everything):
    cache.clear()
    return factories.account("clerk", factories.school())


@pytest.fixture
def secret(account):
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(account, secret)
    return secret


def test_a_password_alone_makes_a_weak_session(account):
    client = Client()
    answer = client.post(SIGN_IN, {"login": account.username, "password": PASSWORD})
    assert answer.status_code == 302 and answer["Location"] == "/"
    assert STRONG_KEY not in client.session
    assert client.get("/").wsgi_request.actor.is_strong is False


def test_password_and_code_make_a_strong_session(account, secret):
    client = Client()
    assert client.post(SIGN_IN, {"login": account.username, "password": PASSWORD})["Location"].startswith("/tai-khoan/hai-buoc/")
    assert client.get("/").status_code == 302, "not signed in between the two steps"
    assert STRONG_KEY not in client.session
    assert client.post("/tai-khoan/hai-buoc/dang-nhap/", {"code": factories.code_of(secret)})["Location"] == "/"
    assert client.get("/").wsgi_request.actor.is_strong is True


def test_a_recovery_code_makes_a_strong_session_once(account, secret):
    code = RecoveryCodes.activate(account).get_unused_codes()[0]
    for expected in (True, None):
        client = Client()
        client.post(SIGN_IN, {"login": account.username, "password": PASSWORD})
        client.post("/tai-khoan/hai-buoc/dang-nhap/", {"code": code})
        assert client.session.get(STRONG_KEY) is expected


def test_a_wrong_code_leaves_her_outside(account, secret):
    client = Client()
    client.post(SIGN_IN, {"login": account.username, "password": PASSWORD})
    wrong = "000000" if factories.code_of(secret) != "000000" else "111111"
    answer = client.post("/tai-khoan/hai-buoc/dang-nhap/", {"code": wrong})
    assert "Mã chưa đúng hoặc đã hết hạn." in answer.content.decode()
    assert client.get("/").status_code == 302


def test_a_strong_mark_left_by_one_person_is_not_taken_over_by_the_next(account, secret):
    client = Client()
    client.post(SIGN_IN, {"login": account.username, "password": PASSWORD})
    client.post("/tai-khoan/hai-buoc/dang-nhap/", {"code": factories.code_of(secret)})
    assert client.session[STRONG_KEY] is True
    client.post("/tai-khoan/dang-xuat/")
    other = factories.account("clerk", factories.school())
    client.post(SIGN_IN, {"login": other.username, "password": PASSWORD})
    assert client.get("/").wsgi_request.actor.account_id == other.pk
    assert client.get("/").wsgi_request.actor.is_strong is False


def test_taking_the_factor_away_weakens_the_session(account, secret):
    client = Client()
    client.post(SIGN_IN, {"login": account.username, "password": PASSWORD})
    client.post("/tai-khoan/hai-buoc/dang-nhap/", {"code": factories.code_of(secret)})
    asked = client.post("/tai-khoan/hai-buoc/ung-dung/tat/")["Location"]
    assert asked.startswith("/tai-khoan/xac-nhan/"), "an important act asks for the password again"
    client.post(asked, {"password": PASSWORD})
    assert client.get("/").wsgi_request.actor.is_strong is False


def test_a_known_and_an_unknown_name_are_refused_alike(account):
    answers = []
    for name in (account.username, "khong-co-ai-ten-nay"):
        client = Client()
        answer = client.post(SIGN_IN, {"login": name, "password": "sai-mat-khau-roi"})
        text = answer.content.decode()
        assert "Tên đăng nhập hoặc mật khẩu chưa đúng." in text
        answers.append(answer.status_code)
    assert answers[0] == answers[1]


def test_an_account_out_of_use_does_not_sign_in(account):
    type(account).objects.filter(pk=account.pk).update(is_active=False)
    client = Client()
    client.post(SIGN_IN, {"login": account.username, "password": PASSWORD})
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("address", ["/tai-khoan/signup/", "/accounts/signup/", "/tai-khoan/dang-ky/", "/tai-khoan/email/"])
def test_nobody_signs_up(db, address):
    assert Client().get(address).status_code == 404


def test_other_devices_are_signed_out_on_the_server(account):
    here, there = Client(), Client()
    for client in (here, there):
        client.post(SIGN_IN, {"login": account.username, "password": PASSWORD})
        assert client.get("/").status_code == 200
    page = here.get("/tai-khoan/thiet-bi/").content.decode()
    assert "Thiết bị không rõ" in page  # a program that does not say what it is
    assert page.count("<tr>") == 3 and "Thiết bị này" in page
    assert "Thiết bị không rõ" in page  # a program that does not say what it is
    here.post("/tai-khoan/thiet-bi/")
    assert here.get("/").status_code == 200 and there.get("/").status_code == 302


def test_a_changed_password_signs_the_other_devices_out(account):
    here, there = Client(), Client()
    for client in (here, there):
        client.post(SIGN_IN, {"login": account.username, "password": PASSWORD})
    answer = here.post(
        "/tai-khoan/mat-khau/", {"oldpassword": PASSWORD, "password1": "con-meo-tren-mai-nha", "password2": "con-meo-tren-mai-nha"}
    )
    assert answer.status_code == 302
    assert there.get("/").status_code == 302


def test_the_session_key_changes_at_sign_in(account):
    client = Client()
    session = client.session
    session["before"] = 1
    session.save()
    before = session.session_key
    client.cookies["sessionid"] = before
    client.post(SIGN_IN, {"login": account.username, "password": PASSWORD})
    assert client.session.session_key != before


@pytest.mark.parametrize(
    "address",
    ["hai-buoc/ung-dung/bat/", "hai-buoc/ma-du-phong/tao/", "khoa-truy-cap/", "khoa-truy-cap/them/", "mat-khau/", "ngoai/", "dang-xuat/"],
)
def test_pages_of_the_account_are_ours_and_vietnamese(account, address):
    client = Client()
    client.post(SIGN_IN, {"login": account.username, "password": PASSWORD})
    answer = client.get(f"/tai-khoan/{address}", follow=True)
    text = answer.content.decode()
    assert answer.status_code == 200 and 'class="k-shell"' in text
    for english in ("Password", "Authenticator", "Security Key", "Sign", "Recovery", "Menu:"):
        assert english not in text.replace("SignIn", ""), english
