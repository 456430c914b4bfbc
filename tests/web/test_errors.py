"""How refusals and accidents are answered: as a page, a part, or a problem document; and nothing of them is kept."""

import json
from uuid import uuid4

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client, RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from django.utils import translation

from khue.kernel import errors
from khue.kernel.accounts.models import Account
from tests import factories

HTMX = {"HTTP_HX_REQUEST": "true"}
REFUSALS = [errors.NotFound, errors.NotAllowed, errors.SecondFactorNeeded, errors.Invalid, errors.Busy, errors.DomainError]


class Boom(Exception):
    """What nobody expected; its text must not be shown."""


def refuse(request, number):
    Account.objects.create_user(f"left-{number}", name="Không được còn lại")
    raise REFUSALS[number](fields={"name": ["Chưa nhập họ tên."]})


def stale(request):
    raise errors.Stale(mine="7,0", theirs="7,5", who="<b>Trần Thị Bình</b>", when="10/11/2025 09:00")


def explode(request):
    Account.objects.create_user("left-boom", name="Không được còn lại")
    raise Boom("bí mật của ai đó")


urlpatterns = [
    path("", include("khue.web.urls")),
    path("thu/tu-choi/<int:number>/", refuse),
    path("thu/cu/", stale),
    path("thu/no/", explode),
]
pytestmark = [pytest.mark.urls(__name__)]
handler404, handler500 = "khue.web.errors.not_found", "khue.web.errors.failed"


@pytest.fixture
def client(everything):
    client = factories.client_of(factories.account("clerk", factories.school()))
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("number", range(len(REFUSALS)))
def test_a_refusal_says_why_and_what_next_in_each_form(client, number):
    refusal = REFUSALS[number]
    page = client.get(f"/thu/tu-choi/{number}/")
    part = client.get(f"/thu/tu-choi/{number}/", **HTMX)
    problem = client.get(f"/thu/tu-choi/{number}/", HTTP_ACCEPT="application/json")
    assert {page.status_code, part.status_code, problem.status_code} == {refusal.status}
    for answer in (page, part):
        assert str(refusal.title) in answer.content.decode() and str(refusal.advice) in answer.content.decode()
    assert "<html" in page.content.decode() and "<html" not in part.content.decode()
    assert (part["HX-Retarget"], part["HX-Reswap"]) == ("#khue-messages", "innerHTML")
    assert problem["Content-Type"] == "application/problem+json"
    assert json.loads(problem.content)["type"] == f"urn:khue:problem:{refusal.code}"
    assert not Account.objects.filter(username=f"left-{number}").exists()


def test_a_stale_page_shows_both_values_and_escapes_them(client):
    page = client.get("/thu/cu/").content.decode()
    assert "7,0" in page and "7,5" in page and "&lt;b&gt;Trần Thị Bình&lt;/b&gt;" in page and "<b>Trần" not in page


@pytest.mark.parametrize("extra", [{}, HTMX, {"HTTP_ACCEPT": "application/json"}])
def test_an_accident_says_nothing_of_anybody(client, extra):
    answer = client.get("/thu/no/", **extra)
    text = answer.content.decode()
    assert answer.status_code == 500
    assert "bí mật" not in text and "Traceback" not in text and "Boom" not in text
    assert not Account.objects.filter(username="left-boom").exists()


def test_an_accident_names_the_number_support_asks_for(client):
    answer = client.get("/thu/no/")
    assert answer["X-Request-ID"] in answer.content.decode()


def test_an_unknown_address_and_an_unknown_record_look_the_same(client):
    unknown, absent = client.get("/khong-co/"), client.get("/thu/tu-choi/0/")
    assert unknown.status_code == absent.status_code == 404
    without = [answer.content.decode().replace(answer["X-Request-ID"], "") for answer in (unknown, absent)]
    assert "Không tìm thấy trang hoặc hồ sơ này." in without[0] and "Không tìm thấy trang hoặc hồ sơ này." in without[1]


def test_a_visitor_sees_the_public_shell(db):
    page = Client().get("/khong-co/").content.decode()
    assert 'class="k-public-bar"' in page and "k-side" not in page


def test_an_old_form_is_told_to_load_again(everything):
    client = Client(enforce_csrf_checks=True)
    account = factories.account("clerk", factories.school())
    client.force_login(account)
    answer = client.post("/vai-tro/", {"grant": 1})
    assert answer.status_code == 403
    assert "Trang này mở đã lâu nên chưa gửi được." in answer.content.decode()


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_file_not_found_is_looked_for_elsewhere_once(everything, accept):
    client = factories.client_of(factories.account("clerk", factories.school()))
    with CaptureQueriesContext(connection) as asked:
        assert client.get(f"/hoc-sinh/{uuid4()}/", headers={"Accept": accept}).status_code == 404
    assert sum("khue_survivor" in one["sql"] for one in asked) == 1


def test_the_description_of_the_api_is_made_once_a_language():
    from khue.web.api import api

    with translation.override("vi"):
        one, again = api.get_openapi_schema(), api.get_openapi_schema()
    with translation.override("en"):
        other = api.get_openapi_schema()
    assert one is again and other is not one and one["paths"].keys() == other["paths"].keys()


def test_back_leads_only_to_our_own_pages(client):
    ours = client.get("/khong-co/", HTTP_REFERER="http://testserver/lop/?khoi=7").content.decode()
    theirs = client.get("/khong-co/", HTTP_REFERER="https://ke-gian.example/lop/").content.decode()
    assert 'href="/lop/?khoi=7"' in ours and "ke-gian" not in theirs and "Quay lại" not in theirs


def test_too_many_attempts_get_a_page_of_ours(db):
    from khue.web.errors import shell_of

    request = RequestFactory().get("/")
    assert shell_of(request) == "shell/public.html"
    from django.core.cache import cache

    cache.clear()
    with override_settings(ACCOUNT_RATE_LIMITS={"login": "1/m/ip"}):
        client = Client()
        client.post("/tai-khoan/dang-nhap/", {"login": "a", "password": "b"})
        answer = client.post("/tai-khoan/dang-nhap/", {"login": "a", "password": "b"})
    cache.clear()
    assert answer.status_code == 429 and "Hãy đợi một lát" in answer.content.decode()
    assert list(get_messages(answer.wsgi_request)) == []
