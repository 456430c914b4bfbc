"""The order of Vietnamese names, letter by letter and tone by tone."""

import json
import unicodedata
from datetime import date
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulations import names
from regulations.core import UnknownValue

VECTORS = json.loads(files("regulations.names").joinpath("vectors/names.json").read_text("utf-8"))

ALPHABET = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
TONES = ["", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323"]


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["id"])
def test_vectors(case):
    operation = names.OPERATIONS[case["input"]["op"]]
    assert operation(case["input"], case["rule_set"]) == case["expected"]


def test_every_letter_stands_after_the_one_before_it_in_the_alphabet():
    keys = [names.sort_key(letter) for letter in ALPHABET]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(ALPHABET)


@pytest.mark.parametrize("vowel", "aăâeêioôơuưy")
def test_tones_stand_in_the_order_of_the_dictionary(vowel):
    keys = [names.sort_key("ngh" + vowel + tone) for tone in TONES]
    assert keys == sorted(keys)
    assert [key[-1] for key in keys] == list("123456")


def test_figures_stand_in_their_order_before_letters():
    keys = [names.sort_key(figure) for figure in "0123456789a"]
    assert keys == sorted(keys)
    assert {len(key) for key in keys[:-1]} == {len(names.sort_key("5"))}


def test_letters_decide_before_tones():
    assert names.sort_names(["Anh", "Ạn", "An"]) == ["An", "Ạn", "Anh"]


def test_a_shorter_name_stands_before_one_that_continues_it():
    assert names.sort_names(["Lê Văn An", "Lê An", "An"]) == ["An", "Lê An", "Lê Văn An"]


def test_the_family_name_decides_before_the_middle_name():
    assert names.sort_names(["Vũ Anh Hà", "Lê Văn Hà"]) == ["Lê Văn Hà", "Vũ Anh Hà"]


@pytest.mark.parametrize(
    "one, other", [("Hoà", "Hòa"), ("Thuý", "Thúy"), ("HOÀ", "hòa"), ("Y-Bhăm", "YBhăm"), ("H'Hen", "HHen")]
)
def test_spellings_of_one_name_have_one_key(one, other):
    assert names.equal_names(one, other)
    assert names.equal_names(unicodedata.normalize("NFD", one), unicodedata.normalize("NFC", other))


@pytest.mark.parametrize("one, other", [("Hoà", "Hoa"), ("An", "Ân"), ("Dung", "Đung"), ("Lê An", "An Lê")])
def test_different_names_have_different_keys(one, other):
    assert not names.equal_names(one, other)


def test_keys_are_exact():
    assert names.sort_key("Nguyễn Văn An") == "A0N1NGU0YE1N4VA1N1"
    assert names.sort_key("Đỗ Ưu 2") == "721D1O14U1U01"


def test_digits_and_foreign_letters_have_their_places():
    ordered = ["An", "An 1x", "An 2", "An z", "An 明"]
    assert names.sort_key("1") < names.sort_key("a")
    assert names.sort_key("明") == "800660E1"
    assert names.sort_key("Zoë") == names.sort_key("Zoe")
    assert names.sort_key("Hélène") == "HE0LE0NE05"
    assert names.sort_key("Çelik") == "CE0LIK1"
    assert min(ordered, key=names.sort_key) == "An 1x"


def test_a_mark_without_a_letter_is_passed_over():
    assert names.sort_key("\u0301an") == "A0N1"


@pytest.mark.parametrize(
    "full_name, expected",
    [
        ("Nguyễn Thị Minh Khai", ("Nguyễn", "Thị Minh", "Khai")),
        ("  Lê   An ", ("Lê", "", "An")),
        ("An", ("", "", "An")),
    ],
)
def test_split_name(full_name, expected):
    assert tuple(names.split_name(full_name)) == expected


@pytest.mark.parametrize("empty", ["", "   ", "\t\n"])
def test_an_empty_name_is_refused(empty):
    with pytest.raises(UnknownValue) as refused:
        names.sort_key(empty)
    assert refused.value.facts == {"got": empty}


def test_fold():
    assert names.fold("Đỗ  Thị Hoà Bình") == "do thi hoa binh"
    assert names.fold("") == ""


def test_people_of_one_name_stand_by_birth_date_then_identifier():
    people = [
        ("Lê An", date(2011, 3, 2), "07"),
        ("Lê An", date(2011, 3, 1), "09"),
        ("Lê An", date(2011, 3, 1), "08"),
        ("Lê An", None, "10"),
    ]
    assert [person[2] for person in sorted(people, key=lambda p: names.list_key(*p))] == [
        "10",
        "08",
        "09",
        "07",
    ]


@given(st.lists(st.text(alphabet=ALPHABET + "ÀàÉỹỆ ", min_size=1).filter(str.strip)))
def test_sorting_is_stable_complete_and_repeatable(given_names):
    once = names.sort_names(given_names)
    assert sorted(once) == sorted(given_names)
    assert names.sort_names(once) == once


@given(st.text().filter(lambda text: text.split()))
def test_a_key_is_ascii_capitals_and_digits_whatever_is_typed(text):
    key = names.sort_key(text)
    assert key.isascii()
    assert key.isalnum()
    assert key == key.upper()


@given(st.text(alphabet=ALPHABET + "àảãáạ ", min_size=1).filter(str.strip))
def test_normal_form_and_capitals_never_matter(text):
    assert names.sort_key(unicodedata.normalize("NFD", text)) == names.sort_key(text.upper())
