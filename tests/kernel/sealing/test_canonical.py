"""The same record gives the same bytes, and what has no one spelling is refused."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khue.kernel.sealing.canonical import NotCanonical, canonical_bytes, content_hash


def test_spelling() -> None:
    record = {"b": [Decimal("8.30"), None, True], "a": "Hoà", "ngày": date(2026, 5, 31)}
    assert canonical_bytes(record) == ('{"a":"Hoà","b":["8.30",null,true],"ngày":"2026-05-31"}'.encode())


def test_order_of_keys_and_form_of_letters_do_not_matter() -> None:
    name = "Nguyễn Thị Hoàng Yến"
    one = {"name": name, "grade": 7}
    two = {"grade": 7, unicodedata.normalize("NFD", "name"): unicodedata.normalize("NFD", name)}
    assert content_hash(one) == content_hash(two)


def test_one_moment_in_two_zones_is_one_spelling() -> None:
    here = datetime(2026, 6, 1, 10, 0, tzinfo=timezone(timedelta(hours=7)))
    assert canonical_bytes(here) == canonical_bytes(here.astimezone(UTC)) == b'"2026-06-01T03:00:00.000000Z"'


@pytest.mark.parametrize(
    "bad",
    [8.3, {"mark": 8.3}, {1: "a"}, datetime(2026, 6, 1, tzinfo=UTC).replace(tzinfo=None), Decimal("NaN"), b"x", {1, 2},
     {"é": 1, "e\u0301": 2}],
)  # fmt: skip
def test_refuses_what_has_no_one_spelling(bad: object) -> None:
    with pytest.raises(NotCanonical):
        canonical_bytes(bad)


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9) | st.none(), max_size=5))
def test_a_changed_value_changes_the_hash(record: dict[str, object]) -> None:
    try:
        before = content_hash(record)
    except NotCanonical:
        return
    assert content_hash({**record, "thêm": 1, "x": [record.get("x")]}) != before
