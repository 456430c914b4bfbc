"""Pages and API of the tree: each in at most six statements, by the map of the day, within her place."""

from datetime import date

import pytest
from django.utils import timezone

from khue.register.orgs import queries, reform, services
from khue.register.orgs.models import ReformQuestion, Succession, Unit, UnitTie
from khue.register.orgs.services import UnitDraft
from tests import factories
from tests.register.orgs.test_reform import DAY, EVE, OLD, SYSTEM, carry_out, schools, split_commune

pytestmark = pytest.mark.usefixtures("everything")


@pytest.fixture(scope="module")
def reformed(common):
    now = factories.NOW
    reform.load_old_tree(actor=SYSTEM, provinces=OLD, now=now)
    planted = schools(now, every=30)
    code, _parts = split_commune()
    ground = Unit.objects.get(kind="commune", code=code)
    district = UnitTie.objects.get(child=ground, relation="administers").parent
    planted.append(services.create_unit(actor=SYSTEM, draft=UnitDraft("school", "THCS Giáp Ranh", None, district, ground, ("lower_secondary",)), on=date(2000, 9, 5), now=now))
    done = carry_out(now)
    return {"schools": planted, "reform": done, "province": Unit.objects.get(kind="province", code="86")}


@pytest.fixture
def officer(reformed):
    return factories.account("province_officer", reformed["province"])


def text_of(response):
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def test_the_tree_before_and_after_the_reform(reformed, officer, counted):
    client = factories.client_of(officer)
    with counted() as count:
        then = text_of(client.get("/don-vi/?ngay=2025-06-30"))
    assert count.total <= 6
    assert all(name in then for name in ("Tỉnh Bến Tre", "Tỉnh Trà Vinh", "Tỉnh Vĩnh Long"))
    now_ = text_of(client.get("/don-vi/?ngay=2025-07-01"))
    assert "Tỉnh Vĩnh Long" in now_
    assert "Tỉnh Bến Tre" not in now_


def test_a_branch_opens_in_place_and_by_address(reformed, officer, counted):
    client = factories.client_of(officer)
    province = reformed["province"]
    with counted() as count:
        page = text_of(client.get(f"/don-vi/?ngay=2025-07-01&mo={province.uid}"))
    assert count.total <= 6
    with counted() as count:
        part = text_of(client.get(f"/don-vi/nhanh/{province.uid}/?ngay=2025-07-01&cap=1", headers={"HX-Request": "true"}))
    assert count.total <= 5
    communes = UnitTie.objects.filter(parent=province, valid__contains=DAY, child__kind="commune").count()
    assert part.count("k-tree-1") == part.count("<tr") > communes == 124
    assert "<html" not in part
    assert page.count("k-tree-0") == part.count("k-tree-1")
    assert "Huyện" not in text_of(client.get(f"/don-vi/nhanh/{province.uid}/?ngay=2025-07-01"))
    assert "Thành phố Vĩnh Long" in text_of(client.get(f"/don-vi/nhanh/{province.uid}/?ngay=2025-06-30"))


def test_a_unit_that_is_not_there_that_day_is_said(reformed, officer):
    client = factories.client_of(officer)
    old = Unit.objects.get(kind="province", code="83")
    assert "không có vào ngày này" in text_of(client.get(f"/don-vi/?ngay=2025-08-01&mo={old.uid}"))
    assert "đã kết thúc từ 01/07/2025" in text_of(client.get(f"/don-vi/{old.uid}/?ngay=2025-08-01"))
    assert "Tỉnh Bến Tre" in text_of(client.get(f"/don-vi/{old.uid}/?ngay=2025-06-30"))


@pytest.mark.parametrize("wrong", ["abc", "2025-13-40", "0001-01-01", "99999-01-01", "31/02/2025", "' or 1=1 --"])
def test_wrong_days_fall_back_to_today(wrong, reformed, officer):
    assert "Cây đơn vị ngày" in text_of(factories.client_of(officer).get("/don-vi/", {"ngay": wrong, "mo": wrong}))


def test_counts_by_two_maps_agree(reformed, officer, counted):
    client = factories.client_of(officer)
    with counted() as count:
        page = text_of(client.get("/don-vi/so-lieu/?ngay=2025-07-01"))
    assert count.total <= 6
    assert "Hai bản đồ khớp nhau" in page
    assert "Theo huyện, bản đồ ngày 30/06/2025" in page


def test_the_unit_page_tells_its_history(reformed, officer, counted):
    client = factories.client_of(officer)
    commune = Succession.objects.filter(is_whole=False).select_related("target").first().target
    with counted() as count:
        page = text_of(client.get(f"/don-vi/{commune.uid}/?ngay=2025-07-01"))
    assert count.total <= 6
    assert "Tiếp nhận" in page
    assert "một phần" in page


def test_the_reform_is_explained_and_a_school_decided(reformed, officer, counted):
    client = factories.client_of(officer)
    done, question = reformed["reform"], ReformQuestion.objects.get()
    with counted() as count:
        page = text_of(client.get(f"/don-vi/sap-xep/{done.uid}/"))
    assert count.total <= 6
    assert "THCS Giáp Ranh" in page
    assert "tạm ghi" in page
    other = next(code for code in question.options if code != question.proposed.code)
    address = f"/don-vi/sap-xep/{done.uid}/truong/{question.uid}/"
    assert client.post(address, {"commune": "00004"}).status_code == 422
    assert client.post(address, {"commune": other}).status_code == 302
    question.refresh_from_db()
    assert question.decided.code == other
    weak = factories.client_of(factories.account("principal", question.school))
    assert weak.post(address, {"commune": question.options[0]}).status_code == 403
    question.refresh_from_db()
    assert question.decided.code == other


def test_search_finds_former_units(reformed, officer, counted):
    client = factories.client_of(officer)
    with counted() as count:
        page = text_of(client.get("/don-vi/tim/?q=tra%20vinh"))
    assert count.total <= 6
    assert "Tỉnh Trà Vinh" in page
    assert "Tỉnh Vĩnh Long" in page
    for hostile in ("%", "_", "\\", "<script>alert(1)</script>", "'; drop table orgs_unit; --", "x" * 500):
        found = text_of(client.get("/don-vi/tim/", {"q": hostile}))
        assert "<script>alert" not in found


def test_a_school_sees_its_own_place_only(reformed, counted):
    mine, other = reformed["schools"][0], reformed["schools"][5]
    client = factories.client_of(factories.account("principal", mine))
    page = text_of(client.get("/don-vi/?ngay=2025-11-10"))
    assert mine.name in page
    assert other.name not in page
    assert client.get(f"/don-vi/{mine.uid}/").status_code == 200
    assert client.get(f"/don-vi/{other.uid}/").status_code == 404
    assert other.name not in text_of(client.get(f"/don-vi/nhanh/{reformed['province'].uid}/?ngay=2025-11-10"))
    assert other.code not in text_of(client.get("/don-vi/tim/", {"q": other.name}))
    hits = queries.look_up(factories.actor_of(factories.account("clerk", mine)), "th")
    assert {hit.uid for hit in hits if hit.kind == "school"} == {mine.uid}


def test_a_commune_counts_its_own_schools_only(reformed, now):
    mine = next(s for s in reformed["schools"] if s.levels == ["primary"])
    commune = UnitTie.objects.get(child=mine, relation="administers", valid__contains=DAY).parent
    actor = factories.actor_of(factories.account("commune_officer", commune))
    counted = queries.counts_by_map(actor, day=DAY, map_day=EVE, kind="district")
    assert counted.total["schools"] == len(actor.schools) >= 1


@pytest.mark.parametrize("role", ["guardian", "learner", "operator"])
def test_families_and_operators_have_no_tree(role, reformed):
    client = factories.client_of(factories.account(role))
    for address in ("/don-vi/", "/don-vi/so-lieu/", "/don-vi/tim/", f"/don-vi/{reformed['province'].uid}/"):
        assert client.get(address).status_code == 403


def test_successors_and_predecessors(reformed):
    old = Unit.objects.get(kind="province", code="84")
    assert [n.name for n in queries.successors(SYSTEM, old.uid, day=timezone.now().date())] == ["Tỉnh Vĩnh Long"]
    before = queries.predecessors(SYSTEM, reformed["province"].uid, day=EVE)
    assert {n.name for n in before} == {"Tỉnh Bến Tre", "Tỉnh Trà Vinh", "Tỉnh Vĩnh Long"}


def test_the_api_lists_by_day_kind_and_parent(reformed, officer, counted):
    client = factories.client_of(officer)
    with counted() as count:
        answer = client.get("/api/v1/units?day=2025-07-01&kind=commune&limit=5").json()
    assert count.total <= 6
    assert answer["count"] == 124
    assert {item["parent"] for item in answer["items"]} == {str(reformed["province"].uid)}
    then = client.get("/api/v1/units?day=2025-06-30&kind=province").json()
    assert {item["name"] for item in then["items"]} == {"Tỉnh Bến Tre", "Tỉnh Trà Vinh", "Tỉnh Vĩnh Long"}
    below = client.get(f"/api/v1/tree?day=2025-07-01&parent={reformed['province'].uid}").json()
    assert sum(node["kind"] == "commune" for node in below) == 124
    assert sum(node["schools"] for node in below) == len(reformed["schools"])
    old = Unit.objects.get(kind="province", code="84")
    assert [x["code"] for x in client.get(f"/api/v1/units/{old.uid}/successors").json()] == ["86"]
    assert client.get(f"/api/v1/units/{old.uid}?day=2025-08-01").status_code == 404
    assert client.get(f"/api/v1/units/{old.uid}?day=2025-06-30").json()["name"] == "Tỉnh Trà Vinh"


def test_what_the_api_refuses(reformed):
    anonymous = factories.Client()
    assert anonymous.get("/api/v1/units").status_code == 401
    guardian = factories.client_of(factories.account("guardian"))
    assert guardian.get("/api/v1/units").status_code == 403
    school = factories.client_of(factories.account("principal", reformed["schools"][0]))
    assert school.get(f"/api/v1/units/{reformed['schools'][5].uid}").status_code == 404


