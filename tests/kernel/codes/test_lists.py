"""Code lists: loaded once, versions with their difference, names by day."""

from dataclasses import replace
from datetime import date

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from khue.kernel.codes import queries, services
from khue.kernel.codes.models import CodeItem, CodeList, CodeListVersion
from khue.kernel.codes.shipped import Item, Listing, listings
from khue.kernel.database.fields import period

pytestmark = pytest.mark.usefixtures("everything")

COLOURS = Listing("colours", "Màu", (Item("1", "Đỏ"), Item("2", "Xanh"), Item("3", "Vàng")), since=date(2020, 1, 1))


def test_migrating_has_loaded_every_shipped_list():
    counted = {one.code: one.items.count() for one in CodeList.objects.all()}
    assert counted == {one.code: len(one.items) for one in listings()}
    assert counted["communes"] == 3321
    assert counted["provinces"] == 34
    assert counted["provinces_legacy"] == 63
    assert counted["communes_legacy"] == 10035


def test_loading_the_same_again_writes_nothing(now, counted):
    before = CodeListVersion.objects.count()
    differences = services.load_shipped(now=now)
    assert all(one.is_empty for one in differences)
    assert CodeListVersion.objects.count() == before


def test_area_names_follow_the_day():
    before, after = date(2025, 6, 30), date(2025, 7, 1)
    assert queries.name_of("communes_legacy", "00004", on=before) == "Phường Trúc Bạch"
    assert queries.name_of("communes", "00004", on=after) == "Phường Ba Đình"
    assert queries.name_of("communes", "00004", on=before) == "00004"
    assert queries.name_of("districts_legacy", "001", on=after) == "001"


def test_a_version_says_what_it_added_closed_and_renamed(now):
    services.load(COLOURS, now=now)
    second = replace(COLOURS, items=(Item("1", "Đỏ"), Item("2", "Xanh lá"), Item("4", "Tím")))
    found = services.load(second, now=now, effective_on=date(2024, 9, 1))
    assert (found.version, found.added, found.closed, found.renamed) == (2, ("4",), ("3",), ("2",))
    assert queries.table("colours", on=date(2024, 8, 31)) == {"1": "Đỏ", "2": "Xanh", "3": "Vàng"}
    assert queries.table("colours", on=date(2024, 9, 1)) == {"1": "Đỏ", "2": "Xanh lá", "4": "Tím"}
    assert CodeItem.objects.filter(code_list__code="colours").count() == 5
    assert services.load(second, now=now, effective_on=date(2025, 1, 1)).is_empty


def test_a_code_closed_and_opened_again_has_a_gap(now):
    services.load(COLOURS, now=now)
    services.load(replace(COLOURS, items=COLOURS.items[:2]), now=now, effective_on=date(2022, 1, 1))
    services.load(COLOURS, now=now, effective_on=date(2023, 1, 1))
    named = [queries.name_of("colours", "3", on=date(year, 6, 1)) for year in (2021, 2022, 2023)]
    assert named == ["Vàng", "3", "Vàng"]


def test_attributes_change_in_place(now):
    services.load(COLOURS, now=now)
    services.load(replace(COLOURS, items=(*COLOURS.items[:2], Item("3", "Vàng", name_en="yellow"))), now=now)
    item = CodeItem.objects.get(code_list__code="colours", code="3")
    assert (item.name_en, item.valid.lower) == ("yellow", date(2020, 1, 1))


def test_the_database_keeps_the_days_of_one_code_apart(now):
    services.load(COLOURS, now=now)
    colours = CodeList.objects.get(code="colours")
    with pytest.raises(IntegrityError, match="codes_one_name_a_day"), transaction.atomic():
        CodeItem.objects.create(code_list=colours, code="1", name="Hồng", valid=period(date(2030, 1, 1)))


def test_items_are_never_deleted_and_codes_never_change(now):
    services.load(COLOURS, now=now)
    item = CodeItem.objects.get(code_list__code="colours", code="1")
    with pytest.raises(Exception, match="permission denied|refused"), transaction.atomic():
        CodeItem.objects.filter(pk=item.pk).delete()
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        CodeItem.objects.filter(pk=item.pk).update(code="9")
