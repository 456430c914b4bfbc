"""Pages of registers: the plain form, how many statements and bytes, who may see them."""

from __future__ import annotations

import json
import re

import pytest
from django.urls import reverse

from khue.school.gradebook.models import Line
from tests import factories
from tests.school.gradebook import books

pytestmark = pytest.mark.django_db


@pytest.fixture
def this_year(monkeypatch):
    """Let pages take the tests' moment for now."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: books.NOW)


@pytest.fixture
def made(everything, this_year):
    return books.book()


def own(statements) -> list[str]:
    """Return the statements without those that set the row-level scope: a test nests one scope in another."""
    return [sql for sql in statements.statements if not sql.startswith(("select set_config", "select coalesce(current_setting"))]


def form_of(page: str) -> dict[str, list[str] | str]:
    """Return what a browser would post from the grid's form."""
    fields: dict[str, list[str] | str] = {"l": re.findall(r'name="l" value="([^"]*)"', page)}
    for name, value in re.findall(r'<input name="([\d]+-\w+)" value="([^"]*)"', page):
        fields[name] = value
    fields["seen"] = re.search(r'name="seen" value="(\d+)"', page)[1]
    return fields


def test_the_plain_form_saves_and_shows_averages(made):
    client = factories.client_of(made.teacher)
    url = reverse("gradebook:register", args=[made.register().uid])
    fields = form_of(client.get(url).content.decode())
    assert fields["l"] == made.uids or set(fields["l"]) == set(made.uids)
    row = fields["l"].index(made.uids[0])
    for slot, value in {"r1": "8", "r2": "7,5", "r3": "9", "r4": "8", "mid": "8", "fin": "8,5"}.items():
        fields[f"{row}-{slot}"] = value
    answer = client.post(f"{url}luu/", fields, follow=True)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert ">8,2<" in page
    assert made.teacher.name in page
    assert Line.objects.get(register=made.register(), learner=made.learners[0]).average == 82


def test_two_plain_forms_never_overwrite_each_other(made):
    client = factories.client_of(made.teacher)
    url = reverse("gradebook:register", args=[made.register().uid])
    mine, theirs = form_of(client.get(url).content.decode()), form_of(client.get(url).content.decode())
    theirs["0-r1"], theirs["1-r1"] = "9", "7"
    client.post(f"{url}luu/", theirs)
    mine["0-r1"], mine["2-r1"] = "4", "6"
    answer = client.post(f"{url}luu/", mine)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "vừa ghi 9" in page
    assert form_of(page)["0-r1"] == "4"  # what she typed stays; saving again decides
    assert (form_of(page)["1-r1"], form_of(page)["2-r1"]) == ("7", "6")
    assert client.post(f"{url}luu/", form_of(page)).status_code == 302
    assert form_of(client.get(url).content.decode())["0-r1"] == "4"


def test_what_does_not_fit_stays_in_its_cell_with_the_reason(made):
    client = factories.client_of(made.teacher)
    url = reverse("gradebook:register", args=[made.register().uid])
    fields = form_of(client.get(url).content.decode())
    fields["0-r1"], fields["1-r1"] = "85", "8"
    answer = client.post(f"{url}luu/", fields)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "8,5?" in page
    assert 'name="0-r1" value="85" inputmode="decimal" aria-invalid="true"' in page
    assert form_of(page)["1-r1"] == "8"


def test_the_controller_saves_json_and_gets_both_values_of_a_conflict(made):
    client = factories.client_of(made.teacher)
    url = reverse("gradebook:save", args=[made.register().uid])
    change = {"learner": made.uids[0], "slot": "r1", "value": "8,5", "seen": 0}
    first = client.post(url, json.dumps({"changes": [change]}), content_type="application/json").json()
    assert (first["saved"][0]["shown"], first["sequence"]) == ("8,5", 1)
    second = client.post(url, json.dumps({"changes": [{**change, "value": "6"}]}), content_type="application/json")
    assert second.status_code == 409
    assert (second.json()["conflicts"][0]["shown"], second.json()["conflicts"][0]["mine_shown"]) == ("8,5", "6")
    broken = client.post(url, "{", content_type="application/json", headers={"accept": "application/json"})
    assert broken.status_code == 422


@pytest.mark.parametrize("count", [10, 45])
def test_the_grid_costs_six_statements_and_sixty_kilobytes_at_most(count, everything, this_year, counted):
    made = books.book(count=count)
    register = made.register()
    for place in range(count):
        made.save((place, "r1", "8,5"), (place, "mid", "7"), (place, "comment", "Em học đều, cần mạnh dạn phát biểu hơn."), register=made.register())
    client = factories.client_of(made.teacher)
    url = reverse("gradebook:register", args=[register.uid])
    client.get(url)
    with counted() as statements:
        answer = client.get(url)
    assert len(own(statements)) <= 6, own(statements)
    assert len(answer.content) <= 60_000


@pytest.mark.parametrize("classes", [1, 4])
def test_the_list_costs_the_same_whatever_it_holds(classes, everything, this_year, counted):
    made = books.book()
    for _more in range(classes - 1):
        other = books.book(school=made.school)
        from khue.school.teaching.models import Assignment

        Assignment.objects.create(
            post_id=Assignment.objects.get(class_group=made.group).post_id, class_group=other.group, school_id=made.school.pk,
            school_year=2025, subject_code="toan", periods=4, valid=factories.SCHOOL_YEAR,
        )  # fmt: skip
    client = factories.client_of(made.teacher)
    with counted() as statements:
        page = client.get(reverse("gradebook:index")).content.decode()
    assert len(own(statements)) <= 5, own(statements)
    assert page.count("Thiếu 18 ô") == classes  # 3 learners, 4 regular marks, midterm, final


def test_the_history_of_a_line_says_who_and_when(made):
    made.save((0, "r1", "8"))
    made.save((0, "r1", "9"))
    client = factories.client_of(made.teacher)
    page = client.get(reverse("gradebook:line", args=[made.register().uid, made.uids[0]])).content.decode()
    assert made.teacher.name in page
    assert '<del class="k-old">8</del> → <ins class="k-new">9</ins>' in page


def test_who_sees_a_register(made):
    url = reverse("gradebook:register", args=[made.register().uid])
    other = books.book(school=made.school, subject="ngu_van")
    elsewhere = books.book()
    expected = {
        made.teacher: 200, made.homeroom: 200, other.teacher: 403, elsewhere.teacher: 404,
        factories.account("principal", made.school): 200, factories.account("nurse", made.school): 403,
        factories.guardian(made.learners[0]): 404,
    }  # fmt: skip
    for account, status in expected.items():
        assert factories.client_of(account).get(url).status_code == status, account.username
    page = factories.client_of(made.homeroom).get(url).content.decode()
    assert 'name="seen"' not in page  # sees, but does not write


def test_hostile_text_is_shown_and_never_run(made):
    made.save((0, "comment", "<script>alert(1)</script>\"' onfocus=x"))
    page = factories.client_of(made.teacher).get(reverse("gradebook:register", args=[made.register().uid])).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27; onfocus=x" in page
