"""Finding learners: without accents, by beginnings of words, in one's place only, with indexes under row-level security."""

from __future__ import annotations

import pytest
from django.db import connection

from khue.kernel.database import scope
from khue.kernel.text import fold, sort_key
from khue.register.people.models import Person
from khue.register.schooling.finding import find_learners, spans
from tests import factories

DAY = factories.NOW.date()


def rename(person, name):
    person.name, person.sort_key = name, sort_key(name)
    person.save()


@pytest.fixture
def people(everything):
    """A school with learners of known names, and one person who learns nowhere."""
    here, there = factories.school(), factories.school()
    names = ("Nguyễn Thị Mai", "Trần Văn Đức", "Nguyễn Hoàng Mai Anh", "H'Hen Niê", "Lê Thị Mài")
    made = factories.learners(factories.class_group(here, grade=6), len(names))
    for person, name in zip(made, names, strict=True):
        rename(person, name)
    rename(factories.learners(factories.class_group(there, grade=6), 1)[0], "Nguyễn Mai Khác Trường")
    factories.post(here, "Nguyễn Thị Mai Giáo Viên")
    return here, there


def names(found):
    return {person.name for person in found}


def test_a_province_finds_by_beginnings_of_words(people, everything):
    officer = factories.actor_of(factories.account("province_officer"))
    assert officer.schools is None
    assert names(find_learners(officer, "nguyen mai", 20, DAY)) == {"Nguyễn Thị Mai", "Nguyễn Hoàng Mai Anh", "Nguyễn Mai Khác Trường"}
    assert names(find_learners(officer, "ma", 20, DAY)) == {"Nguyễn Thị Mai", "Nguyễn Hoàng Mai Anh", "Nguyễn Mai Khác Trường", "Lê Thị Mài"}
    assert names(find_learners(officer, "van duc", 20, DAY)) == {"Trần Văn Đức"}
    assert names(find_learners(officer, "h'hen", 20, DAY)) == {"H'Hen Niê"}
    assert names(find_learners(officer, "ai", 20, DAY)) == set()


def test_one_word_finds_those_who_are_called_so_first(people, everything):
    officer = factories.actor_of(factories.account("province_officer"))
    assert names(find_learners(officer, "mai", 2, DAY)) == {"Nguyễn Thị Mai", "Lê Thị Mài"}, "Mai Anh and Mai Khác Trường have it in the middle"
    assert names(find_learners(officer, "duc", 1, DAY)) == {"Trần Văn Đức"}


@pytest.mark.parametrize("name", ["An", "Ánh", "Ân", "Đức", "Uyên", "Tường", "Vy", "Zin", "Quỳnh", "Nguyệt"])
def test_the_spans_of_a_word_hold_the_keys_of_its_names(name):
    key = sort_key(f"Lê Thị {name}")
    for length in range(1, len(name) + 1):
        (lows, highs), wider = spans([fold(name)[:length]])
        assert sum(low <= key < high for low, high in zip(lows, highs, strict=True)) == 1, (name, length, lows)
        assert wider == ([], [])


@pytest.mark.parametrize("name", ["Nguyễn Văn An", "Đỗ Ánh", "Ưng Thị Ngọc Trâm", "Hứa Hà", "Ôn Đình Uyên"])
def test_the_spans_of_two_words_hold_whom_they_call(name):
    key, family, given = sort_key(name), fold(name).split()[0], fold(name).split()[-1]
    (lows, highs), (wide_lows, wide_highs) = spans([family, given])
    assert sum(low <= key < high for low, high in zip(lows, highs, strict=True)) == 1
    assert sum(low <= key < high for low, high in zip(wide_lows, wide_highs, strict=True)) == 1
    assert not any(low <= sort_key("Lý Lan") < high for low, high in zip(lows, highs, strict=True))


def test_words_that_are_no_name_have_no_span():
    assert [spans([word])[0] for word in ("", "h'hen", "7a", "uuuuuuuu", "aaaaa")] == [([], [])] * 5
    assert spans(["nguyen", "van", "an"])[0] == ([], [])
    assert spans(["uuu", "uuuuu"])[0] == ([], []), "too many to ask for"


def test_two_words_find_those_who_are_called_so_first_and_then_whose_name_begins_so(people, everything):
    officer = factories.actor_of(factories.account("province_officer"))
    assert names(find_learners(officer, "nguyen mai", 1, DAY)) == {"Nguyễn Thị Mai"}, "in the order of names Mai Anh would be before her"
    assert names(find_learners(officer, "nguyen m", 1, DAY)) == {"Nguyễn Thị Mai"}
    assert names(find_learners(officer, "tran d", 20, DAY)) == {"Trần Văn Đức"}
    assert names(find_learners(officer, "mai nguyen", 20, DAY)) == {"Nguyễn Thị Mai", "Nguyễn Hoàng Mai Anh", "Nguyễn Mai Khác Trường"}


def test_what_is_typed_is_never_a_query_of_its_own(people, everything):
    officer = factories.actor_of(factories.account("province_officer"))
    for typed in ("mai | duc", "mai & !thi", "'; drop table x", "\\", ":*", "(((", "%", "_"):
        assert names(find_learners(officer, typed, 20, DAY)) <= {"Nguyễn Thị Mai", "Lê Thị Mài"}


def test_a_school_finds_its_own(people, everything):
    here, there = people
    clerk = factories.actor_of(factories.account("clerk", here))
    assert names(find_learners(clerk, "nguyen mai", 20, DAY)) == {"Nguyễn Thị Mai", "Nguyễn Hoàng Mai Anh"}
    other = factories.actor_of(factories.account("clerk", there))
    assert names(find_learners(other, "mai", 20, DAY)) == {"Nguyễn Mai Khác Trường"}


def test_a_code_is_found_by_its_beginning(people, everything):
    officer = factories.actor_of(factories.account("province_officer"))
    known = Person.objects.get(name="Trần Văn Đức")
    assert names(find_learners(officer, known.code, 20, DAY)) == {"Trần Văn Đức"}
    assert "Trần Văn Đức" in names(find_learners(officer, known.code[:6], 50, DAY))
    assert names(find_learners(officer, "9" * 10, 20, DAY)) == set()


def test_results_come_in_the_order_of_names_and_end_at_the_limit(people, everything):
    # two of many: the first names hold them, the index of words is not asked
    officer = factories.actor_of(factories.account("province_officer"))
    assert [person.name for person in find_learners(officer, "nguyen", 2, DAY)] == ["Nguyễn Hoàng Mai Anh", "Nguyễn Thị Mai"]


def test_the_function_tells_nothing_to_a_narrower_scope(people, everything):
    here, _there = people
    with scope.opened(everything=False, schools=[here.pk]), connection.cursor() as cursor:
        cursor.execute("select count(*) from khue_find_learners('mai:*', 20, '{MA0I}', '{MA0J}', '{}', '{}')")
        assert cursor.fetchone() == (0,)
