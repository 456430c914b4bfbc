"""The tables as data: they are the annex, and every value is held to its field."""

from datetime import date

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from khue.gateway.exchange.ministry import spec
from khue.gateway.exchange.ministry.sinks import canonical
from khue.kernel.codes.shipped import listings
from khue.register.fields import annex
from khue.register.fields.checking import PROBLEMS, Partial, Violation, check

LISTS = {one.code: {item.code: item.name for item in one.items} for one in listings()}


@pytest.mark.parametrize(
    ("level", "object_", "fields"),
    [("primary", "school", 50), ("lower_secondary", "school", 48), ("upper_secondary", "school", 51), ("primary", "class", 27),
     ("lower_secondary", "class", 22), ("upper_secondary", "class", 22), ("primary", "staff", 68), ("lower_secondary", "staff", 70),
     ("primary", "learner", 75), ("lower_secondary", "learner", 71), ("upper_secondary", "learner", 67), ("primary", "result", 19),
     ("lower_secondary", "result", 20), ("upper_secondary", "result", 20)],
)  # fmt: skip
def test_the_tables_are_those_of_the_annex(level, object_, fields):
    assert len(spec.table(level, object_).fields) == fields


def test_every_list_named_is_shipped():
    assert spec.list_codes() <= set(LISTS)


def test_every_required_mark_is_about_a_field():
    known = {(t.subject, s) for t in spec.tables() for s in t.fields}
    for row in annex.read("required.csv"):
        assert (row["object"], row["symbol"]) in known, row


def test_every_list_field_knows_its_children():
    for table in spec.tables():
        for field in table.fields.values():
            assert field.type != "list" or field.children, (table.code, field.symbol)


LEARNER = spec.table("lower_secondary", "learner")
GOOD = {
    "TRUONG_ID": "8629512001", "MA_KHOI": "07", "MA_LOP": "7A", "HOC_SINH_ID": "8600000018", "HO_TEN": "Nguyễn Văn An", "NGAY_SINH": date(2013, 3, 1),
    "MA_GIOI_TINH": "1", "MA_CONG_DAN_ID": "086013000001", "MA_TRANG_THAI_HIEN_TAI": "studying", "MA_DAN_TOC": "01", "QUOC_TICH_ID": "VN",
}  # fmt: skip


def test_a_complete_record_has_no_violation():
    record, wrong = check(LEARNER, GOOD, LISTS)
    assert wrong == []
    assert record["NGAY_SINH"] == "2013-03-01"
    assert set(record) == set(GOOD)


@pytest.mark.parametrize(
    ("symbol", "value", "problem"),
    [("HO_TEN", "", "missing"), ("HO_TEN", "   ", "missing"), ("HO_TEN", None, "missing"), ("HO_TEN", "x" * 51, "too-long"),
     ("NGAY_SINH", "31/02/2013", "not-a-date"), ("NGAY_SINH", "2013", "not-a-date"), ("NGAY_SINH", Partial("2013"), "partial-date"),
     ("MA_GIOI_TINH", "7", "not-in-list"), ("MA_DAN_TOC", "99", "not-in-list"), ("QUOC_TICH_ID", "XX", "not-in-list"),
     ("XA_PHUONG_ID", "00000", "not-in-list"), ("THU_TU", "mười", "not-a-number"), ("THU_TU", 12345678901, "too-long"),
     ("CHIEU_CAO", "1,2,3", "not-a-number"), ("IS_DOI_VIEN", "có thể", "not-yes-no"), ("IS_DOI_VIEN", 2, "not-yes-no"),
     ("LIST_KHEN_THUONG", "khen", "not-a-list"), ("TRUONG_ID", "1" * 16, "too-long"), ("NHOM_MAU", "A" * 11, "too-long")],
)  # fmt: skip
def test_each_wrong_value_is_named_and_left_out(symbol, value, problem):
    record, wrong = check(LEARNER, {**GOOD, symbol: value}, LISTS)
    assert wrong == [Violation(symbol, problem)]
    assert symbol not in record


@pytest.mark.parametrize(
    ("symbol", "value", "kept"),
    [("HO_TEN", "x" * 50, "x" * 50), ("NGAY_SINH", "01/03/2013", "2013-03-01"), ("NGAY_SINH", "1/3/2013", "2013-03-01"), ("THU_TU", "12", 12),
     ("CHIEU_CAO", "1,35", 1.35), ("CHIEU_CAO", 140, 140), ("IS_DOI_VIEN", "1", True), ("IS_DOI_VIEN", "Không", False), ("IS_DOI_VIEN", 0, False),
     ("MA_DAN_TOC", "1", "01"), ("HO_TEN", "Nguye\u0302\u0303n An", "Nguyễn An"), ("BIET_BOI", True, "1"), ("HO_TEN", "=1+1", "=1+1")],
)  # fmt: skip
def test_each_right_value_is_canonical(symbol, value, kept):
    record, wrong = check(LEARNER, {**GOOD, symbol: value}, LISTS)
    assert wrong == []
    assert record[symbol] == kept
    assert type(record[symbol]) is type(kept)


def test_records_inside_a_list_are_checked_too():
    values = {**GOOD, "LIST_KHEN_THUONG": [{"MA_KHEN_THUONG": "gioi", "NOI_DUNG": "Học giỏi"}, {"MA_KHEN_THUONG": "hang-nhat"}, {}]}
    record, wrong = check(LEARNER, values, LISTS)
    assert record["LIST_KHEN_THUONG"] == [{"MA_KHEN_THUONG": "gioi", "NOI_DUNG": "Học giỏi"}]
    assert wrong == [Violation("LIST_KHEN_THUONG.MA_KHEN_THUONG", "not-in-list")]


def test_every_mark_leaves_as_it_is_written():
    marks = spec.table("lower_secondary", "result")
    for tenths in range(101):
        value = [{"MA_MON_HOC": "toan", "DIEM": f"{tenths // 10}.{tenths % 10}"}]
        record, wrong = check(marks, {"DIEM_MONS": value}, LISTS)
        shown = str(tenths // 10) if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10}"
        assert canonical(record) == f'{{"DIEM_MONS":[{{"DIEM":{shown},"MA_MON_HOC":"toan"}}]}}'
        assert not [one for one in wrong if one.symbol.startswith("DIEM")]


@given(st.dictionaries(st.sampled_from(sorted(LEARNER.fields)), st.one_of(
    st.text(max_size=60), st.integers(), st.floats(), st.booleans(), st.none(), st.dates(),
    st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2), max_size=2),
)))  # fmt: skip
def test_whatever_comes_in_a_record_fits_its_table(values):
    record, wrong = check(LEARNER, values, LISTS)
    again, faults = check(LEARNER, record, LISTS)
    assert again == record  # canonical: what was sent reads back as itself
    assert {one.symbol for one in faults if one.problem != "missing"} == set()
    assert all(one.problem in PROBLEMS for one in wrong)
    canonical(record)


def test_every_problem_has_its_words():
    with override("vi"):
        assert all(str(text) for text in PROBLEMS.values())
