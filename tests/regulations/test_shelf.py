"""The legal shelf: what is cited stands on it, and its standing on a day follows the dates known."""

import csv
import importlib
import inspect
from dataclasses import replace
from datetime import date
from importlib.resources import files

import pytest

from regulations import shelf
from regulations.core import Citation, UnknownValue
from regulations.shelf import registry

ROWS = list(
    csv.DictReader(files("regulations.shelf").joinpath("instruments.csv").read_text("utf-8").splitlines())
)
NO_INSTRUMENT = {"Thứ tự chữ cái tiếng Việt", "WHO Child Growth Standards 2006"}
"""What rules rest on that no authority issued."""


def test_every_instrument_the_rules_cite_stands_on_the_shelf():
    for number in shelf.cited_instruments():
        assert number in NO_INSTRUMENT or shelf.instrument(number).number == number


def test_the_ministrys_list_has_its_22_documents_in_order():
    listed = shelf.guidance_list()
    assert [one.seed for one in listed] == [f"D{place}" for place in range(1, 23)]
    assert listed[0].number == "64/2007/NĐ-CP"
    assert listed[21].number == "733/CT-BGDĐT"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["number"])
def test_a_row_makes_sense(row):
    one = shelf.instrument(row["number"])
    assert one.kind in shelf.KINDS
    assert one.mark in {"V", "K"}
    assert one.title
    assert one.issuer
    dates = [day for day in (one.issued_on, one.in_force_from, one.in_force_to) if day]
    assert dates == sorted(dates)
    for other in (one.replaced_by, one.amends):
        assert other is None or shelf.instrument(other) is not one
    if one.in_force_to and one.replaced_by and shelf.instrument(one.replaced_by).in_force_from:
        assert shelf.state_on(one.replaced_by, one.in_force_to) != shelf.ENDED


def test_numbers_are_unique():
    assert len(shelf.instruments()) == len(ROWS) == len({row["number"] for row in ROWS})


@pytest.mark.parametrize(
    "number, day, state",
    [
        ("24/2024/TT-BGDĐT", date(2025, 2, 7), "chua_hieu_luc"),
        ("24/2024/TT-BGDĐT", date(2025, 2, 8), "con_hieu_luc"),
        ("28/2020/TT-BGDĐT", date(2026, 5, 9), "con_hieu_luc"),
        ("28/2020/TT-BGDĐT", date(2026, 5, 10), "het_hieu_luc"),
        ("70/2026/TT-BGDĐT", date(2026, 8, 21), "chua_hieu_luc"),
        ("70/2026/TT-BGDĐT", date(2026, 11, 19), "khong_ro"),
        ("70/2026/TT-BGDĐT", date(2026, 11, 20), "con_hieu_luc"),
        ("93/2026/NĐ-CP", date(2026, 11, 20), "khong_ro"),
        ("73/2019/NĐ-CP", date(2025, 12, 31), "con_hieu_luc"),
        ("73/2019/NĐ-CP", date(2026, 1, 1), "khong_ro"),
        ("27/2016/TT-BGDĐT", date(2025, 5, 11), "con_hieu_luc"),
        ("27/2016/TT-BGDĐT", date(2025, 5, 12), "khong_ro"),
        ("53/2012/TT-BGDĐT", date(2012, 12, 19), "chua_hieu_luc"),
        ("10/2012/QH13", date(2020, 12, 31), "con_hieu_luc"),
    ],
)
def test_standing_on_a_day(number, day, state):
    assert shelf.state_on(number, day) == state
    assert state in shelf.STATES


def test_a_replaced_one_without_a_last_day_stands_until_its_successor(monkeypatch):
    shelved = dict(registry._shelf())
    shelved["28/2020/TT-BGDĐT"] = replace(shelved["28/2020/TT-BGDĐT"], in_force_to=None)
    monkeypatch.setattr(registry, "_shelf", lambda: shelved)
    assert shelf.state_on("28/2020/TT-BGDĐT", date(2026, 5, 9)) == "con_hieu_luc"
    assert shelf.state_on("28/2020/TT-BGDĐT", date(2026, 5, 10)) == "khong_ro"
    shelved["28/2020/TT-BGDĐT"] = replace(shelved["28/2020/TT-BGDĐT"], replaced_by="4771/BGDĐT-CNTT")
    assert shelf.state_on("28/2020/TT-BGDĐT", date(2021, 5, 9)) == "khong_ro"


@pytest.mark.parametrize(
    "number, day, instead",
    [
        ("28/2020/TT-BGDĐT", date(2026, 9, 1), "15/2026/TT-BGDĐT"),
        ("11/2006/QĐ-BGDĐT", date(2025, 1, 1), "31/2023/TT-BGDĐT"),
        ("11/2006/QĐ-BGDĐT", date(2026, 9, 1), "15/2026/TT-BGDĐT"),
        ("24/2024/TT-BGDĐT", date(2026, 9, 1), None),
        ("28/2020/TT-BGDĐT", date(2026, 1, 1), None),
    ],
)
def test_what_stands_in_its_place(number, day, instead):
    found = shelf.in_force_now_instead_of(number, day)
    assert (found and found.number) == instead


def test_amendments_are_found():
    assert [one.number for one in shelf.amended_by("17/2023/TT-BGDĐT")] == ["23/2025/TT-BGDĐT"]
    assert shelf.amended_by("24/2024/TT-BGDĐT") == ()


@pytest.mark.parametrize(
    "text, number",
    [
        ("hoc ba so", "70/2026/TT-BGDĐT"),
        ("HỌC BẠ SỐ thông tư", "70/2026/TT-BGDĐT"),
        ("24/2024", "24/2024/TT-BGDĐT"),
        ("nghị định xóa mù chữ", "20/2014/NĐ-CP"),
    ],
)
def test_search_needs_no_diacritics(text, number):
    assert number in [one.number for one in shelf.search(text)]


def test_search_wants_every_word():
    assert shelf.search("hoc ba may bay") == ()
    assert shelf.search("") == shelf.instruments()


def test_rules_resting_on_an_instrument_are_named_with_their_places():
    rules = shelf.rules_resting_on("24/2024/TT-BGDĐT")
    places = {rule.name: str(rule.citation) for rule in rules}
    assert places["graduation_score"] == "24/2024/TT-BGDĐT#44"
    assert places["bonus_points"] == "24/2024/TT-BGDĐT#43"
    assert {rule.subject for rule in rules} == {"graduation"}
    assert all(rule.summary and not rule.name.startswith("_") for rule in rules)
    articles = [rule.citation.article or 0 for rule in rules]
    assert articles == sorted(articles)
    assert shelf.rules_resting_on("64/2007/NĐ-CP") == ()


def test_every_rule_has_a_title_and_an_instrument_of_its_own():
    rules = shelf.all_rules()
    assert {rule.citation.instrument for rule in rules} == set(shelf.cited_instruments())
    assert all(all(rule.title) for rule in rules)
    award = next(rule for rule in rules if rule.name == "award")
    assert award.title != (award.summary, award.summary)
    unknown = replace(award, name="nothing_of_this_name")
    assert unknown.title == (award.summary, award.summary)


def test_an_address_leads_to_its_instrument():
    for one in shelf.instruments():
        assert shelf.by_slug(shelf.slug_of(one.number)) is one
    assert shelf.slug_of("24/2024/TT-BGDĐT") == "24-2024-tt-bgddt"
    with pytest.raises(UnknownValue):
        shelf.by_slug("99-2099-tt-bgddt")


def test_what_an_instrument_took_the_place_of():
    for one in shelf.instruments():
        assert all(old.replaced_by == one.number for old in shelf.replaced(one.number))
    assert "28/2020/TT-BGDĐT" in [one.number for one in shelf.replaced("15/2026/TT-BGDĐT")]


def test_indicators_stand_under_the_instrument_that_lays_them_down():
    every = shelf.indicators()
    assert every and all(one.name_vi and one.name_en and one.code for one in every)
    for number in {one.instrument for one in every}:
        assert shelf.instrument(number).number == number
        assert shelf.indicators_resting_on(number) == tuple(one for one in every if one.instrument == number)
    assert shelf.indicators_resting_on("99/2099/TT-BGDĐT") == ()


def test_methods_of_rule_sets_are_found_too():
    names = {rule.name for rule in shelf.rules_resting_on("22/2021/TT-BGDĐT")}
    assert {"subject_term_average", "award", "retestable_subjects"} <= names


def test_an_instrument_has_a_name_a_reader_knows():
    assert shelf.instrument("24/2024/TT-BGDĐT").name == "Thông tư 24/2024/TT-BGDĐT"


def test_what_is_not_on_the_shelf_is_refused():
    with pytest.raises(UnknownValue):
        shelf.instrument("99/2099/TT-BGDĐT")
    with pytest.raises(UnknownValue):
        shelf.state_on("99/2099/TT-BGDĐT", date(2026, 1, 1))


SUBJECTS = (
    "graduation",
    "admission",
    "completion",
    "contests",
    "enrolment",
    "diplomas",
    "universal_education",
)
MODULES = [
    module for name in SUBJECTS for module in importlib.import_module(f"regulations.{name}").CITING_MODULES
]
MODULES += [importlib.import_module(f"regulations.{name}") for name in ("calendar.days", "names.order")]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_public_rule_cites_and_says_what_it_returns(module):
    rules = [
        function
        for name, function in inspect.getmembers(module, callable)
        if function.__module__ == module.__name__
        and not name.startswith(("_", "governs"))
        and not inspect.isclass(function)
    ]
    assert rules or "RULE_SETS" in vars(module)
    for rule in rules:
        assert isinstance(rule.citation, Citation), rule
        assert rule.__doc__, rule


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_rule_set_says_which_law_it_is_and_when(name):
    for rules in importlib.import_module(f"regulations.{name}").RULE_SETS:
        assert shelf.instrument(rules.INSTRUMENT).number == rules.INSTRUMENT
        assert rules.ID
        assert rules.TITLE
        assert rules.VERSION == 1
        first = vars(rules).get("FIRST_YEAR", vars(rules).get("FIRST_EXAM", vars(rules).get("FIRST_DAY")))
        last = vars(rules).get("LAST_YEAR", vars(rules).get("LAST_EXAM", vars(rules).get("LAST_DAY")))
        assert last is None or first <= last
