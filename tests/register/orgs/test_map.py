"""The map and the slider of the tree: every unit where it lies, on the day asked, without another site and without JavaScript."""

from __future__ import annotations

import re
from datetime import date
from uuid import uuid4

import pytest

from khue.kernel.codes import shipped
from khue.register.orgs import forms, places
from khue.register.orgs.queries import Node
from tests import factories

DAY, EVE = date(2025, 11, 10), date(2025, 6, 30)


def node(kind, code, learners=0):
    return Node(1, uuid4(), code, kind, f"Đơn vị {code}", numbers={"learners": learners, "schools": 1})


def test_every_commune_of_today_and_of_then_has_a_place_in_the_country():
    for is_new, name, column in ((True, "communes_2025.csv", "code"), (False, "communes_legacy_to_2025.csv", "old_code")):
        known = places.points(is_new)
        lacking = {row[column] for row in shipped.rows(name)} - {code for kind, code in known if kind == "commune"}
        assert len(lacking) <= (0 if is_new else 5), sorted(lacking)[:10]
        assert all(6 < lat < 24 and 102 < lon < 118 for lat, lon in known.values())
    assert sum(kind == "province" for kind, _code in places.points(True)) == 34
    assert sum(kind == "province" for kind, _code in places.points(False)) == 63


def test_north_is_up_east_is_right_and_more_learners_are_larger():
    drawing = places.draw([node("commune", "00004", 900), node("commune", "20333"), node("commune", "29512", 100), node("commune", "x")], day=DAY)
    by_code = {mark.name.rsplit(" ", 1)[-1]: mark for mark in drawing.marks}
    hanoi, paracels, south = by_code["00004"], by_code["20333"], by_code["29512"]
    assert hanoi.y < paracels.y < south.y and hanoi.x < paracels.x
    assert hanoi.r > south.r > paracels.r == places.SMALLEST
    assert drawing.missing == ("Đơn vị x",)
    assert all(0 <= mark.x <= places.WIDTH and 0 <= mark.y <= drawing.height for mark in drawing.marks)


def test_a_code_of_then_lies_where_it_lay_then():
    assert places.draw([node("district", "001"), node("district", "002")], day=EVE) is not None
    assert places.draw([node("district", "001"), node("district", "002")], day=DAY) is None
    assert places.draw([node("school", "1"), node("school", "2")], day=DAY) is None


def test_the_country_is_never_drawn_without_its_islands():
    drawing = places.draw([node("province", row["code"]) for row in shipped.rows("provinces_2025.csv")], day=DAY)
    assert {mark.name for mark in drawing.marks if mark.uid is None} == {"Hoàng Sa", "Trường Sa"}
    assert len(drawing.marks) == 36


def test_the_slider_counts_months():
    class Request:
        GET = {"thang": "65", "sai": "²", "xa": "99999"}

    assert forms.month_of(Request, "thang", DAY) == date(2025, 6, 1)
    assert forms.month_of(Request, "sai", DAY) == forms.month_of(Request, "xa", DAY) == DAY
    assert forms.slider(date(1990, 1, 1), DAY) == {"last": 70, "at": 0, "year": 2020}


@pytest.mark.usefixtures("everything")
def test_the_page_draws_the_branch_and_asks_no_other_site(counted):
    province = factories.unit("province", "Tỉnh Vĩnh Long", code="86")
    for name, code in (("Phường <An> Hội", "29512"), ("Xã Cái Mơn", "29266"), ("Xã lạ", "99999")):
        factories.unit("commune", name, code=code, parent=province)
    client = factories.client_of(factories.account("province_officer", province))
    client.get("/don-vi/")
    with counted() as count:
        page = client.get(f"/don-vi/?mo={province.uid}&thang=70").content.decode()
    assert count.total <= 6, count.statements
    assert page.count('class="ko-place"') == 2 and "Phường &lt;An&gt; Hội" in page and "<An>" not in page
    assert "Chưa có vị trí: Xã lạ." in page and 'type="range"' in page and ">11/2025<" in page
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
