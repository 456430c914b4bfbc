"""One normaliser for every cell."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime

import pytest

from khue.gateway.exchange.kinds import cells as parsers
from khue.gateway.exchange.kinds.base import Bad, Noted
from khue.gateway.exchange.sheets import cells

NFD = unicodedata.normalize("NFD", "Nguyễn Thị Hoà")


@pytest.mark.parametrize(("raw", "text"), [
    ("  Nguyễn\u00a0 Thị\tHoà\u200b ", "Nguyễn Thị Hoà"), (NFD, "Nguyễn Thị Hoà"), (912345678.0, "912345678"), (8.7213e10, "87213000000"),
    (7.5, "7.5"), (None, ""), (True, "x"), (float("nan"), ""), (date(2012, 9, 5), "05/09/2012"), (datetime.fromisoformat("2012-09-05T07:30"), "05/09/2012 07:30"),
    ("A\x07B", "AB"), ("ABC\u202eDEF", "ABCDEF"),
])  # fmt: skip
def test_text_is_what_the_user_sees(raw, text):
    assert cells.as_text(raw) == text


@pytest.mark.parametrize(("raw", "expected"), [
    ("05/09/2012", ("2012-09-05", "day")), ("5-9-2012", ("2012-09-05", "day")), ("05.09.2012", ("2012-09-05", "day")),
    ("2012-09-05", ("2012-09-05", "day")), ("2012-09-05T00:00:00", ("2012-09-05", "day")), ("ngày 5 tháng 9 năm 2012", ("2012-09-05", "day")),
    ("05/09/12", ("2012-09-05", "day")), ("05/09/85", ("1985-09-05", "day")), ("05/09/2012 00:00:00", ("2012-09-05", "day")),
    (41157, ("2012-09-05", "day")), (41157.0, ("2012-09-05", "day")), ("41157", ("2012-09-05", "day")), (5092012.0, ("2012-09-05", "day")),
    (datetime.fromisoformat("2012-09-05"), ("2012-09-05", "day")), (2012, ("2012-01-01", "year")), ("2012", ("2012-01-01", "year")), ("9/2012", ("2012-09-01", "month")),
    ("5-Sep-2012", ("2012-09-05", "day")), ("29/02/2012", ("2012-02-29", "day")),
    ("29/02/2013", None), ("12/25/2012", None), ("31/04/2012", None), ("hôm qua", None), ("", None), (12, None), ("00/00/2012", None),
])  # fmt: skip
def test_dates_in_every_dress(raw, expected):
    found = cells.as_date(raw)
    assert (found and (found.on.isoformat(), found.precision)) == expected


@pytest.mark.parametrize(("raw", "value"), [
    ("087213000123", "087213000123"), ("087 213 000 123", "087213000123"), (187213000123.0, "187213000123"),
])  # fmt: skip
def test_personal_numbers(raw, value):
    assert parsers.personal_number(raw) == value


def test_a_leading_zero_excel_ate_is_given_back_with_a_note():
    assert parsers.personal_number(87213000123.0) == Noted("087213000123", "number-padded")
    for raw in ("87213000123", "0872130001", "abc", 8721300012.0):
        with pytest.raises(Bad):
            parsers.personal_number(raw)


@pytest.mark.parametrize("raw", ["0912345678", 912345678.0, "0912.345.678", "+84 912 345 678", "84912345678", "0912 345 678 / 0988777666"])
def test_phones(raw):
    assert parsers.phone(raw) == "0912345678"


def test_names_and_sexes_and_peoples():
    assert parsers.name("NGUYỄN THỊ HOÀ") == "Nguyễn Thị Hoà" and parsers.name("H'Hen Niê") == "H'Hen Niê"
    for bad in ("=HYPERLINK(1)", "12345", "Nguyễn Văn A2", "<b>An</b>"):
        with pytest.raises(Bad):
            parsers.name(bad)
    assert [parsers.sex(word) for word in ("Nam", "NỮ", "nu", "Gái", 1.0)] == ["1", "2", "2", "2", "1"]
    assert parsers.ethnic_group("kinh") == parsers.ethnic_group("01") == parsers.ethnic_group(1.0) == "01"
    assert parsers.numbered_name("Ngô Thị Huyên (003)") == ("Ngô Thị Huyên", "003")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("Viên chức HĐLV không xác định thời hạn", "permanent"), ("Biên chế", "permanent"), ("permanent", "permanent"),
        ("HĐLV xác định thời hạn", "fixed"), ("Hợp đồng hỗ trợ, phục vụ (NĐ 111/2022)", "support111"), ("NĐ 111", "support111"),
        ("HĐLĐ", "labour"), ("thỉnh giảng", "visiting"), ("Viên chức", "Viên chức"),
    ],
)  # fmt: skip
def test_kinds_of_contract_as_schools_write_them(raw, code):
    assert parsers.contract_kind(raw) == code


def test_words_of_a_contract_that_fit_no_column_are_refused():
    with pytest.raises(Bad):
        parsers.contract_kind("một thoả thuận mà không danh mục nào biết")


@pytest.mark.parametrize("text", ["=1+1", "+84912", "-x", "@sum", "\tx", "\rx", "An", "'An", "", "12"])
def test_formulas_leave_as_text_and_come_back_equal(text):
    out = cells.harmless(text)
    assert not (isinstance(out, str) and out.startswith(cells.FORMULA_STARTS) and not out.lstrip("+-").replace(",", "").isdigit())
    assert cells.unharmed(out) == text
