"""Pages of the shell: who sees them, what they say, how many statements they cost."""

import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from khue.kernel import menus
from khue.kernel.jobs.models import Job
from khue.kernel.permissions.middleware import GRANT_KEY
from tests import factories

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def school(everything):
    return factories.school()


@pytest.fixture
def teacher(school):
    return factories.homeroom_teacher(factories.class_group(school))


@pytest.fixture
def client(teacher):
    return factories.client_of(teacher)


@pytest.fixture
def own_job(school, teacher):
    return Job.objects.create(kind="test.kind", title="Khoá sổ 7A2", account_id=teacher.pk, school_id=school.pk, total=10, done=4, state="running")


def test_a_visitor_is_led_to_sign_in_and_back(db):
    answer = Client().get("/viec-cua-toi/?trang=2")
    assert answer.status_code == 302
    assert answer["Location"] == "/tai-khoan/dang-nhap/?next=/viec-cua-toi/%3Ftrang%3D2"


def test_a_part_asked_for_after_sign_out_sends_the_whole_page_to_sign_in(db):
    answer = Client().get("/tim/?q=an", **HTMX, HTTP_HX_CURRENT_URL="http://testserver/lop/1/")
    assert answer.status_code == 204
    assert answer["HX-Redirect"] == "/tai-khoan/dang-nhap/?next=/lop/1/"


@pytest.mark.parametrize("address", ["/", "/tim/?q=nguyen", "/viec-cua-toi/", "/tai-khoan/hai-buoc/", "/tai-khoan/thiet-bi/"])
def test_pages_cost_at_most_six_statements(client, counted, address):
    client.get(address)
    with counted() as count:
        assert client.get(address).status_code == 200
    assert count.total <= 6, count.statements


@pytest.mark.parametrize("role", ["principal", "clerk", "province_officer", "guardian"])
@pytest.mark.parametrize("address", ["/", "/tim/?q=nguyen van"])
def test_home_and_search_cost_at_most_six_for_every_role(school, counted, role, address):
    """With the cards and hits of every app."""
    if role == "guardian":
        [child] = factories.learners(factories.class_group(school), 1)
        account = factories.guardian(child)
    else:
        account = factories.account(role, factories.province() if role == "province_officer" else school)
    client = factories.client_of(account)
    client.get(address)
    with counted() as count:
        assert client.get(address).status_code == 200
    assert count.total <= 6, count.statements


def test_the_acting_role_and_unit_are_shown_and_the_others_offered(client, teacher, school):
    page = client.get("/").content.decode()
    assert "Giáo viên bộ môn" in page and "Giáo viên chủ nhiệm" in page and school.name in page
    assert page.count('name="grant"') == 2


def test_she_changes_the_acting_role(client, teacher):
    other = teacher.grants.get(role__code="homeroom_teacher")
    assert client.post("/vai-tro/", {"grant": other.pk}).status_code == 302
    assert client.session[GRANT_KEY] == other.pk
    page = client.get("/").content.decode()
    assert "Đang làm việc với vai trò: Giáo viên chủ nhiệm" in page
    assert re.search(rf'value="{other.pk}" aria-current="true"', page)


def test_a_grant_of_somebody_else_is_not_found(client, school):
    stranger = factories.account("principal", school)
    answer = client.post("/vai-tro/", {"grant": stranger.grants.get().pk})
    assert answer.status_code == 404
    assert GRANT_KEY not in client.session


def test_home_says_how_to_begin_when_nothing_waits(client, monkeypatch):
    monkeypatch.setattr(menus.HOME, "_items", {})
    page = client.get("/").content.decode()
    assert "Không có việc nào đang chờ" in page


def test_home_shows_what_needs_action_before_what_is_new(client, monkeypatch):
    cards = [menus.Card("Mới nhận", "/b/", urgency=1), menus.Card("sổ chưa khoá", "/a/", urgency=0, count=3)]
    monkeypatch.setattr(menus.HOME, "_items", {"test": lambda actor, now: cards})
    page = client.get("/").content.decode()
    assert page.index("Cần làm ngay") < page.index("sổ chưa khoá") < page.index("Mới nhận")


def test_search_gives_folded_words_and_the_scope_to_the_apps(client, teacher, monkeypatch):
    asked = []

    def provider(actor, words, limit):
        asked.append((actor.account_id, words, limit))
        return [menus.Hit("Nguyễn Văn An", "/hoc-sinh/1/", "Học sinh", "7A1")]

    monkeypatch.setattr(menus.SEARCH, "_items", {"test": provider})
    whole = client.get("/tim/", {"q": "  NGUYỄN   Văn "}).content.decode()
    part = client.get("/tim/", {"q": "đức"}, **HTMX).content.decode()
    assert asked == [(teacher.pk, "nguyen van", 50), (teacher.pk, "duc", 5)]
    assert "<html" in whole and "<html" not in part and "Nguyễn Văn An" in part


def test_one_letter_asks_nobody(client, monkeypatch):
    monkeypatch.setattr(menus.SEARCH, "_items", {"test": lambda *a: pytest.fail("asked")})
    assert "Gõ ít nhất hai chữ cái" in client.get("/tim/?q=a").content.decode()


def test_own_jobs_are_shown_and_followed(client, own_job):
    assert "Khoá sổ 7A2" in client.get("/viec-cua-toi/").content.decode()
    page = client.get(f"/viec/{own_job.uid}/").content.decode()
    assert 'hx-trigger="every 2s"' in page and 'value="40"' in page
    part = client.get(f"/viec/{own_job.uid}/", **HTMX).content.decode()
    assert "<html" not in part and "Đã xong 4 trong 10" in part


def test_a_finished_job_is_no_longer_asked_for(client, own_job):
    Job.objects.filter(pk=own_job.pk).update(state="done", done=10, finished_at=timezone.now(), result_url="/ket-qua/")
    page = client.get(f"/viec/{own_job.uid}/").content.decode()
    assert "hx-trigger=\"every" not in page and 'href="/ket-qua/"' in page


def test_she_stops_her_job(client, own_job):
    assert client.post(f"/viec/{own_job.uid}/dung/").status_code == 302
    own_job.refresh_from_db()
    assert own_job.wants_stop


def test_a_job_of_a_colleague_in_the_same_school_is_not_found(school, own_job):
    other = factories.client_of(factories.account("principal", school))
    for address in (f"/viec/{own_job.uid}/", f"/viec/{uuid4()}/"):
        assert other.get(address).status_code == 404
    assert other.post(f"/viec/{own_job.uid}/dung/").status_code == 404
    own_job.refresh_from_db()
    assert not own_job.wants_stop
    assert "Khoá sổ 7A2" not in other.get("/viec-cua-toi/").content.decode()


def test_vietnamese_whatever_the_browser_prefers(client):
    answer = client.get("/", HTTP_ACCEPT_LANGUAGE="en-US,en")
    assert answer["Content-Language"] == "vi" and "Trang chủ" in answer.content.decode()


def test_the_language_is_chosen_and_leads_back_only_to_us(client):
    answer = client.post("/ngon-ngu/", {"language": "en", "next": "/tim/?q=an"})
    assert answer["Location"] == "/tim/?q=an"
    assert client.get("/")["Content-Language"] == "en"
    assert client.post("/ngon-ngu/", {"language": "vi", "next": "https://ke-gian.example/"})["Location"] == "/"
    assert client.post("/ngon-ngu/", {"language": "xx", "next": "/"}).cookies.get("django_language") is None


def test_an_account_without_a_role_is_told_whom_to_ask(everything):
    from khue.kernel.accounts.models import Account

    lonely = Account.objects.create_user("lonely", password="mot-mat-khau-dai", name="Chưa có vai")
    assert "Tài khoản chưa có vai trò nào hôm nay" in factories.client_of(lonely).get("/").content.decode()


def test_what_the_browser_keeps_for_no_network_names_nobody(client, teacher):
    worker = client.get("/sw.js")
    assert worker["Content-Type"].startswith("text/javascript") and worker["Service-Worker-Allowed"] == "/"
    assert "/ngoai-tuyen/" in worker.content.decode()
    page = client.get("/ngoai-tuyen/").content.decode()
    assert teacher.name not in page and "Mất kết nối mạng" in page


def headings(account):
    return re.findall(r'<p class="k-nav-title"[^>]*>([^<]+)</p>', factories.client_of(account).get("/").content.decode())


def test_a_long_menu_has_headings_and_a_short_one_none(school):
    assert headings(factories.account("principal", school)) == ["Lớp và học sinh", "Tổ chức nhà trường", "Dữ liệu ngành", "Tra cứu"]
    guardian = factories.guardian(factories.learners(factories.class_group(school), 1)[0])
    assert headings(guardian) == []


def test_each_room_of_the_menu_has_its_icon():
    from khue.web.apps import __file__ as web

    sprite = (Path(web).parent / "static" / "build" / "icons.svg").read_text()
    assert {entry.icon for entry in menus.MENU.values() if f'id="{entry.icon}"' not in sprite} == set()
