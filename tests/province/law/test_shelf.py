"""The legal shelf and the worked examples: public pages, whole, linked both ways; and what must stand on the shelf."""

from __future__ import annotations

import ast
import json
import re
from datetime import date
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from khue.kernel import citing, menus
from khue.province.law import shelf as pages
from regulations import shelf, vectors
from regulations.core import Citation, UnknownValue
from tests import factories

ROOT = Path(__file__).resolve().parents[3] / "src"
DAY = date(2026, 9, 1)
NUMBER = re.compile(r"\b\d+(?:/\d{4})?/(?:TT|QĐ|NĐ|NQ|CT|QH)(?:\d+|-[A-ZĐ]+[a-z]?[A-ZĐ]*(?:-[A-ZĐ]+)?)\b|\b\d+/(?:19|20)\d\d/QH\d+\b")
"""An instrument's number as the codes of this tree write it: 22/2021/TT-BGDĐT, 19/2025/QĐ-TTg, 123/2025/QH15."""
NO_INSTRUMENT = {"Thứ tự chữ cái tiếng Việt", "WHO Child Growth Standards 2006"}


# --- what must stand there --------------------------------------------------------------------------------


def cited_in(tree: ast.AST, constants: dict[str, str]) -> set[str]:
    """Return the instruments named by the citations of a module: `@cites(X, …)`, `Citation(X, …)`, X a text or a constant."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("cites", "Citation") and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant):
                found.add(str(first.value))
            elif isinstance(first, ast.Name) and first.id in constants:
                found.add(constants[first.id])
    return found


def constants_of(tree: ast.Module) -> dict[str, str]:
    return {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }  # fmt: skip


def test_every_citation_in_the_sources_of_the_law_stands_on_the_shelf():
    seen: dict[str, Path] = {}
    for path in sorted((ROOT / "regulations").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = constants_of(tree)
        named = cited_in(tree, constants) | {value for name, value in constants.items() if name == "INSTRUMENT" or NUMBER.fullmatch(value)}
        seen |= dict.fromkeys(named, path)
    assert len(seen) > 35
    missing = {number: path.name for number, path in seen.items() if number not in NO_INSTRUMENT and not _stands(number)}
    assert not missing, missing


def test_every_number_the_product_names_stands_on_the_shelf():
    named = set()
    for path in sorted(ROOT.rglob("*.*")):
        if path.suffix in (".py", ".html", ".typ", ".csv") and "locale" not in path.parts and "vectors" not in path.parts:
            found = NUMBER.findall(path.read_text(encoding="utf-8"))
            named |= {(number, path.name) for number in found if not number.endswith("-UBND")}  # a province's own acts
    numbers = {number for number, _name in named}
    assert {"22/2021/TT-BGDĐT", "4998/QĐ-BGDĐT", "19/2025/QĐ-TTg", "123/2025/QH15"} <= numbers
    missing = sorted((number, name) for number, name in named if not _stands(number))
    assert not missing, missing


def _stands(number: str) -> bool:
    try:
        return shelf.instrument(number) is not None
    except UnknownValue:
        return False


def test_the_rule_that_reads_citations_sees_one_that_is_missing():
    tree = ast.parse('INSTRUMENT = "99/2099/TT-BGDĐT"\n@cites(INSTRUMENT, article=1)\ndef rule(): ...\nCitation("98/2099/TT-BGDĐT", 2)')
    assert cited_in(tree, constants_of(tree)) == {"99/2099/TT-BGDĐT", "98/2099/TT-BGDĐT"}
    assert not _stands("99/2099/TT-BGDĐT")


def test_every_rule_has_a_title_people_understand():
    without = sorted({rule.name for rule in shelf.all_rules() if rule.title[0] == rule.summary})
    assert not without, f"src/regulations/shelf/titles.csv lacks {without}"


def test_slugs_lead_back_to_their_instrument():
    for one in shelf.instruments():
        assert shelf.by_slug(shelf.slug_of(one.number)) is one
        assert re.fullmatch(r"[a-z0-9-]+", shelf.slug_of(one.number))
    with pytest.raises(UnknownValue):
        shelf.by_slug("khong-co")


def test_indicators_rest_on_instruments_of_the_shelf():
    assert {one.instrument for one in shelf.indicators()} == {"03/2024/TT-BGDĐT", "4725/QĐ-BGDĐT", "57/2026/TT-BGDĐT"}
    assert len({(one.instrument, one.code) for one in shelf.indicators()}) == len(shelf.indicators())
    assert all(_stands(one.instrument) and one.name_vi and one.name_en for one in shelf.indicators())
    assert len(shelf.indicators_resting_on("57/2026/TT-BGDĐT")) == 15


def test_what_an_app_says_rests_on_law_rests_on_the_shelf():
    assert {"form", "file", "codes", "page"} >= {one.kind for one in citing.RESTING.values()}
    assert len(citing.RESTING.values()) >= 8
    for one in citing.RESTING.values():
        assert one.instruments and all(_stands(number) for number in one.instruments), one
        assert not one.url_name or reverse(one.url_name), one
        assert not one.url_name or one.url_name in pages.OPEN or one.url_name in {entry.url_name for entry in menus.MENU.values()}, one
    with pytest.raises(UnknownValue):
        citing.rests("test.nothing", "form", "Không có", ("99/2099/TT-BGDĐT#1",))


# --- pages ------------------------------------------------------------------------------------------------

pytestmark = pytest.mark.django_db


@pytest.fixture
def page():
    return Client()


def test_everybody_reads_the_shelf_without_signing_in_and_without_a_statement(page, counted):
    with counted() as count:
        answer = page.get("/phap-ly/")
    assert answer.status_code == 200 and count.total == 0, count.statements
    text = answer.content.decode()
    for one in shelf.instruments():
        assert one.number in text
    assert len(shelf.guidance_list()) == 22


@pytest.mark.parametrize(
    "query, there, away",
    [
        ("?q=hoc ba so", "70/2026/TT-BGDĐT", "22/2021/TT-BGDĐT"),
        ("?q=HỌC BẠ SỐ", "70/2026/TT-BGDĐT", "22/2021/TT-BGDĐT"),
        ("?q=22/2021", "22/2021/TT-BGDĐT", "27/2020/TT-BGDĐT"),
        ("?tinh-trang=het_hieu_luc", "58/2011/TT-BGDĐT", "24/2024/TT-BGDĐT"),
        ("?loai=decree&tinh-trang=con_hieu_luc", "277/2025/NĐ-CP", "64/2007/NĐ-CP"),
        ("?tinh-trang=khong-co&loai=khong-co", "22/2021/TT-BGDĐT", "99/2099"),
    ],
)
def test_the_shelf_is_searched_without_accents_and_narrowed(page, query, there, away):
    text = page.get(f"/phap-ly/{query}").content.decode()
    assert f"/phap-ly/{shelf.slug_of(there)}/" in text and f'{away}</a><br><span class="kl-title">' not in text


def test_a_search_without_a_hit_says_how_to_go_on(page):
    assert "Không có văn bản nào khớp" in page.get("/phap-ly/?q=may bay").content.decode()


def test_an_instrument_shows_its_standing_rules_forms_and_examples(page):
    text = page.get("/phap-ly/22-2021-tt-bgddt/").content.decode()
    for piece in ("20/07/2021", "05/09/2021", "Còn hiệu lực", "Điểm trung bình môn học kì", 'id="dieu-9"', "58/2011/TT-BGDĐT", "Học bạ"):
        assert piece in text, piece
    assert "/phap-ly/vi-du/22-2021-tt-bgddt/" in text and "đã được thay thế" not in text


def test_a_replaced_instrument_and_the_rules_on_it_say_so(page):
    text = page.get("/phap-ly/28-2020-tt-bgddt/").content.decode()
    assert "Văn bản này đã được thay thế." in text and "/phap-ly/15-2026-tt-bgddt/" in text
    assert "văn bản đã hết hiệu lực" in text and "Sĩ số lớp" in text
    assert "28/2020/TT-BGDĐT" in page.get("/phap-ly/15-2026-tt-bgddt/").content.decode()


def test_indicators_and_their_instrument_lead_to_each_other(page):
    text = page.get("/phap-ly/03-2024-tt-bgddt/").content.decode()
    assert "1105" in text and "Số trẻ nhà trẻ" in text


def test_an_address_nothing_has_is_not_found(page):
    for address in ("/phap-ly/khong-co/", "/phap-ly/khong-co.json", "/phap-ly/vi-du/khong-co/", "/phap-ly/vi-du/733-ct-bgddt/"):
        assert page.get(address).status_code == 404, address


def test_machines_read_the_same(page):
    found = json.loads(page.get("/phap-ly/danh-muc.json?q=hoc ba so").content)
    assert [one["number"] for one in found["instruments"]] == [line.instrument.number for line in pages.lines("hoc ba so", state="", kind="", day=DAY)]
    assert len(json.loads(page.get("/phap-ly/danh-muc.json").content)["instruments"]) == len(shelf.instruments())
    answer = page.get("/phap-ly/28-2020-tt-bgddt.json")
    one = json.loads(answer.content)
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert (one["replaced_by"], one["in_force_to"], one["state"]) == ("15/2026/TT-BGDĐT", "2026-05-09", "het_hieu_luc")
    assert any(rule["place"].startswith("Điều") or "Điều" in rule["place"] for rule in one["rules"])
    assert json.loads(page.get("/phap-ly/64-2007-nd-cp.json").content)["guidance"] == "D1"


def test_a_screen_is_linked_for_those_who_may_open_it_and_named_for_the_others(page):
    """Whoever follows a link of the shelf arrives: no sign-in, no refusal."""
    office = factories.province()
    school = factories.school()
    clients = {"": page} | {
        role: factories.client_of(factories.account(role, office if role == "province_officer" else school))
        for role in ("province_officer", "principal", "subject_teacher")
    }
    slugs = {shelf.slug_of(number) for one in citing.RESTING.values() for number in one.instruments}
    linked = {}
    for who, client in clients.items():
        linked[who] = set()
        for slug in slugs:
            text = client.get(f"/phap-ly/{slug}/").content.decode()
            part = text.partition('id="bieu-mau"')[2].partition("</ul>")[0]
            assert part.count("<li>") == len(citing.resting_on(shelf.by_slug(slug).number))
            linked[who] |= set(re.findall(r'href="([^"]+)"', part))
        assert all(client.get(address).status_code == 200 for address in linked[who]), who
    assert linked[""] == {"/xac-minh/"}
    assert linked[""] < linked["subject_teacher"] < linked["principal"]
    assert reverse("exchange:ministry:index") in linked["province_officer"] - linked["principal"] - linked["subject_teacher"]


def test_every_public_page_leads_to_the_shelf(page):
    for address in ("/dang-nhap/", "/xac-minh/", "/du-lieu-mo/", "/phap-ly/", "/phap-ly/vi-du/", "/khong-co-trang-nay/"):
        text = page.get(address).content.decode()
        assert '<a href="/phap-ly/">' in text.partition("k-public-foot")[2], address


def test_pages_that_rest_on_law_link_back_to_it(page):
    with_file = {one.code: one for one in citing.RESTING.values()}
    assert with_file["exchange.ministry"].instruments == ("4998/QĐ-BGDĐT",)
    officer = factories.client_of(factories.account("province_officer", factories.province()))
    assert "/phap-ly/4998-qd-bgddt/" in officer.get(reverse(with_file["exchange.ministry"].url_name)).content.decode()
    assert "/phap-ly/" in page.get("/xac-minh/").content.decode()


# --- worked examples --------------------------------------------------------------------------------------


def test_every_case_stands_on_exactly_one_page_with_its_own_anchor(page, counted):
    anchors: list[str] = []
    with counted() as count:
        text = page.get("/phap-ly/vi-du/").content.decode()
        slugs = re.findall(r'href="/phap-ly/vi-du/([a-z0-9-]+)/"', text)
        for slug in slugs:
            anchors += re.findall(r'<tr id="([a-z0-9-]+)"', page.get(f"/phap-ly/vi-du/{slug}/").content.decode())
    assert count.total == 0
    assert sorted(anchors) == sorted(one.anchor for one in vectors.published())
    assert len(set(anchors)) == len(anchors) > 250


def test_an_example_is_a_table_a_school_head_reads(page):
    text = page.get("/phap-ly/vi-du/22-2021-tt-bgddt/").content.decode()
    row = re.search(r'<tr id="t22-avg-02">(.*?)</tr>', text, re.S)[1]
    for piece in ("T22-AVG-02", "khớp", "Thường xuyên:</span> 8,0; 7,5; 9,0", "Giữa kì:</span> 8,0", "8,3", "điểm b khoản 1 Điều 9"):
        assert piece in row, piece
    assert "Điểm trung bình môn học kì" in text and "Từ điểm đến kết quả cả năm" in text


def test_all_examples_come_out_as_expected():
    assert [one.case.id for one in vectors.published() if one.failure] == []


def test_a_case_that_does_not_come_out_would_be_shown(page, monkeypatch):
    wrong = [one if one.case.id != "T22-AVG-02" else type(one)(one.case, one.subject, one.citation, '"8.2"') for one in vectors.published()]
    monkeypatch.setattr(vectors, "published", lambda: tuple(wrong))
    text = page.get("/phap-ly/vi-du/22-2021-tt-bgddt/").content.decode()
    assert "không ra kết quả mong đợi" in text and "Phần mềm cho:" in text


def test_every_key_and_operation_of_the_cases_has_a_name():
    keys = {key for one in vectors.published() for key in one.case.input if key != "op"}
    assert {key for key in keys if vectors.label_of(key) == (key, key)} == set()
    assert {one.case.op for one in vectors.published() if pages.operation_title(one.case.op) == one.case.op} == set()


def test_cases_are_found_by_rule_set():
    assert [one.case.id for one in vectors.cases_of("calendar")] == ["EN-WD-01", "EN-WD-02", "EN-WD-03"]
    assert vectors.rule_sets()["secondary.tt22-2021"] >= 75 and vectors.cases_of("khong-co") == ()


@pytest.mark.parametrize(
    "value, shown",
    [
        (None, "–"), (True, "có"), ("8.25", "8,25"), ("-2.00", "-2,00"), (12, "12"), (["8", "7.5"], "8; 7,5"), ([], "–"),
        ("2026-09-10", "2026-09-10"), ("Toán", "Toán"), ({"wish": 1, "school": "X"}, "Nguyện vọng: 1; Trường: X"), ("a.b", "a.b"),
    ],
)  # fmt: skip
def test_values_are_written_as_people_write_them(value, shown):
    assert pages.shown(value) == shown


def test_a_place_without_an_instrument_is_no_link():
    assert Citation("WHO Child Growth Standards 2006").text
    assert any(line is None for line, _slug, _count in pages.circulars(DAY))
