"""Open data: for everybody, as of any day, fetched once, with nobody in it."""

import csv
import io
from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from khue.kernel.codes.models import CodeItem, CodeList
from khue.kernel.database.fields import period
from khue.register.orgs.models import Unit, UnitName
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(everything):
    top = factories.unit("province", "Tỉnh Vĩnh Long", code="86")
    commune = factories.unit("commune", "Phường An Hội", code="29512", parent=top)
    made = factories.school("Trường THCS An Hội", commune=commune)
    Unit.objects.filter(pk=made.pk).update(commune_code="29512", address="=cmd()", facts={"DIEN_THOAI": "0912345678"})
    UnitName.objects.create(unit=made, name="Trường cấp II An Hội", valid=period(date(2000, 1, 1), date(2010, 1, 1)))
    factories.post(made, "Ngô Thị Hạnh", "principal")
    return made


def rows(answer):
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_everybody_gets_the_school_network_with_nobody_in_it(here):
    answer = Client().get("/du-lieu-mo/truong.csv")
    [row] = rows(answer)
    assert row["code"] == here.code and row["name"] == here.name and row["managed_by"] == "29512"
    assert row["address"] == "'=cmd()"
    assert "Hạnh" not in answer.content.decode() and "0912345678" not in answer.content.decode()
    told = Client().get("/du-lieu-mo/truong.json").json()
    assert told["licence"] == "CC-BY-4.0" and told["count"] == 1 and told["rows"][0]["address"] == "=cmd()"
    assert 'rel="license"' in answer["Link"] and answer["Access-Control-Allow-Origin"] == "*"


def test_a_day_shows_the_network_as_it_was(here):
    assert rows(Client().get("/du-lieu-mo/truong.csv?ngay=2005-05-05"))[0]["name"] == "Trường cấp II An Hội"
    assert rows(Client().get("/du-lieu-mo/truong.csv?ngay=1999-05-05")) == []
    assert Client().get("/du-lieu-mo/truong.json?ngay=2005-05-05").json()["as_of"] == "2005-05-05"
    for wrong in ("2005-13-01", "hôm qua", "05/05/2005", "2005-05-05' or 1=1"):
        assert Client().get("/du-lieu-mo/truong.csv", {"ngay": wrong}).status_code == 422


def test_who_has_it_is_told_so_until_it_changes(here, counted):
    first = Client().get("/du-lieu-mo/truong.json")
    with counted() as found:
        again = Client().get("/du-lieu-mo/truong.json", headers={"If-None-Match": f"W/{first['ETag']}"})
    assert again.status_code == 304 and again.content == b"" and found.total <= 2
    assert Client().get("/du-lieu-mo/truong.csv")["ETag"] != first["ETag"]
    Unit.objects.filter(pk=here.pk).update(name="Trường THCS Khác")
    changed = Client().get("/du-lieu-mo/truong.json", headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200 and changed["ETag"] != first["ETag"]


def test_lists_come_with_their_days(everything):
    held = CodeList.objects.create(code="thu", name="Danh mục thử")
    CodeItem.objects.create(code_list=held, code="1", name="Cũ", valid=period(date(2000, 1, 1), date(2025, 7, 1)))
    CodeItem.objects.create(code_list=held, code="1", name="Mới", valid=period(date(2025, 7, 1)))
    assert [row["name"] for row in rows(Client().get("/du-lieu-mo/danh-muc/thu.csv?ngay=2024-01-01"))] == ["Cũ"]
    assert [row["name"] for row in rows(Client().get("/du-lieu-mo/danh-muc/thu.csv?ngay=moi-luc"))] == ["Cũ", "Mới"]
    assert "Danh mục thử" in Client().get("/du-lieu-mo/").content.decode()
    code = "thu"
    told = Client().get(f"/du-lieu-mo/danh-muc/{code}.json").json()
    assert told["dataset"] == code and told["count"] == len(told["rows"]) > 0
    assert Client().get("/du-lieu-mo/danh-muc/khong-co.csv").status_code == 404
    assert Client().get(f"/du-lieu-mo/danh-muc/{code}.xml").status_code == 404


def test_the_catalogue_names_addresses_that_answer(here):
    told = Client().get(reverse("opendata:catalogue")).json()
    assert told["dcat:dataset"][0]["dct:identifier"] == "schools"
    for one in told["dcat:dataset"][:3]:
        for form in one["dcat:distribution"]:
            assert Client().get("/" + form["dcat:downloadURL"].split("/", 3)[3]).status_code == 200
    assert "MIT" in Client().get(reverse("opendata:notice")).content.decode()


def test_writing_is_not_known_here(here):
    for method in ("post", "put", "delete", "patch"):
        assert getattr(Client(), method)("/du-lieu-mo/truong.csv").status_code in (403, 405)
