"""A teacher and her register: by keyboard, by paste, against a colleague, without a network, without JavaScript."""

import pytest
from django.urls import reverse
from django.utils import timezone

from khue.kernel.database import scope
from khue.kernel.database.fields import period
from khue.school.gradebook import services, terms
from khue.school.gradebook.models import Line
from khue.school.gradebook.services import CellChange
from tests import factories
from tests.school.gradebook import books


@pytest.fixture
def made(site, monkeypatch, settings):
    settings.KHUE_SECOND_FACTOR = False  # as in the demo; the second factor has a journey of its own
    today = timezone.localdate()
    year = terms.school_year_of(today)
    monkeypatch.setattr(factories, "SCHOOL_YEAR", period(today.replace(year=year, month=8, day=1), None))
    monkeypatch.setattr(factories, "YEAR", year)
    monkeypatch.setattr(books, "NOW", timezone.now())
    monkeypatch.setattr(books, "YEAR", year)
    with scope.everything():
        return books.book(count=6, terms=(terms.term_of(today),), term=terms.term_of(today))


def grid_of(window, made, who=None):
    with scope.everything():
        uid, account = made.register().uid, who or made.teacher
    window.sign_in(account.username)
    window.open(reverse("gradebook:register", args=[uid]))
    return window.page


def cell(page, row, slot):
    return page.locator(f'[name="{row}-{slot}"]')


def until(page, expression):
    """Wait until an expression holds; `wait_for_function` would need eval, which the CSP refuses."""
    for _again in range(100):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(expression)


def marks(made, slot="regular"):
    with scope.everything():
        lines = Line.objects.filter(register=made.register()).order_by("learner__sort_key", "learner_id")
        return [getattr(line, slot) for line in lines]


def test_a_column_by_keyboard_a_block_by_paste(desk, made):
    page = grid_of(desk, made)
    cell(page, 0, "r1").click()
    for typed in ("8", "7,5", "9.5", "10", "6"):
        page.keyboard.type(typed)
        page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.name") == "0-r2"  # the end of a column goes on to the next
    page.get_by_text("Đã lưu lúc").wait_for()
    assert [line[0] if line else None for line in marks(made)] == [80, 75, 95, 100, 60, None]
    page.evaluate(
        "() => { const data = new DataTransfer(); data.setData('text/plain', '8\\t7,0\\n85\\t9\\nvắng\\t6\\n');"
        " document.activeElement.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true})); }"
    )
    dialog = page.get_by_role("dialog")
    assert "5 ô sẽ được ghi" in dialog.inner_text() and "85" in dialog.inner_text()
    assert cell(page, 0, "r2").input_value() == ""  # nothing before it is accepted
    desk.check("gradebook-paste")
    dialog.get_by_role("button", name="Ghi 5 ô").click()
    until(page, "!document.querySelector('.kg-wait')")
    assert [line[1:3] for line in marks(made)[:3]] == [[80, 70], [None, 90], [None, 60]]
    desk.check("gradebook")


def test_what_does_not_fit_is_asked_about(desk, made):
    page = grid_of(desk, made)
    cell(page, 0, "fin").click()
    page.keyboard.type("85")
    page.keyboard.press("Enter")
    assert cell(page, 0, "fin").get_attribute("aria-invalid") == "true"
    desk.check("gradebook-refused")
    page.get_by_role("button", name="Dùng 8,5").click()
    page.get_by_text("Đã lưu lúc").wait_for()
    assert marks(made, "final")[0] == 85


def test_a_colleague_wrote_the_same_cell(desk, made):
    page = grid_of(desk, made)
    with scope.everything():
        first = page.locator('[name="l"]').first.input_value()
        services.save_cells(actor=made.actor(), register=made.register().uid, changes=[CellChange(first, "mid", "4")], now=timezone.now())
    desk.expect_refusal(409)
    cell(page, 0, "mid").click()
    page.keyboard.type("9")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Ghi 9").wait_for()
    assert marks(made, "midterm")[0] == 40
    desk.check("gradebook-clash")
    page.get_by_role("button", name="Ghi 9").click()
    until(page, "!document.querySelector('.kg-wait')")
    assert marks(made, "midterm")[0] == 90


def test_marks_typed_without_a_network_are_not_lost(desk, made):
    page = grid_of(desk, made)
    page.route("**/luu/", lambda route: route.abort())
    cell(page, 2, "fin").click()
    page.keyboard.type("9,5")
    page.keyboard.press("Enter")
    until(page, "Object.keys(localStorage).some((key) => key.startsWith('khue:grid:'))")
    page.wait_for_timeout(2000)
    assert marks(made, "final")[2] is None
    page.unroute("**/luu/")
    page.reload()
    until(page, "!document.querySelector('.kg-wait') && !Object.keys(localStorage).some((key) => key.startsWith('khue:grid:'))")
    assert marks(made, "final")[2] == 95
    desk.complaints.clear()  # the requests this test cut off


def test_the_register_on_a_phone(phone, made):
    page = grid_of(phone, made)
    cell(page, 0, "r1").tap()
    page.keyboard.type("8")
    page.get_by_role("button", name="Lưu").tap()
    page.get_by_text("Đã lưu lúc").wait_for()
    phone.check("gradebook")
    phone.open(reverse("gradebook:index"))
    phone.check("gradebook-list")


def test_the_register_is_a_plain_form(plain, made):
    page = grid_of(plain, made)
    cell(page, 0, "r1").fill("8,5")
    cell(page, 1, "r1").fill("85")
    plain.expect_refusal(422)
    with plain.coming():
        page.get_by_role("button", name="Lưu").click()
    assert "8,5?" in page.locator("main").inner_text()
    assert cell(page, 1, "r1").input_value() == "85"
    cell(page, 1, "r1").fill("9")
    page.get_by_role("button", name="Lưu").click()
    assert [line[0] for line in marks(made)[:2]] == [85, 90]


def test_homeroom_pages_at_both_widths(desk, phone, made):
    for window in (desk, phone):
        window.sign_in(made.homeroom.username)
        with scope.everything():
            grant = made.homeroom.grants.get(role__code="homeroom_teacher").pk
        window.open("/")
        act_as(window, grant)
        for name in ("homeroom", "close", "attendance"):
            window.open(reverse(f"gradebook:{name}", args=[made.group.uid]))
            window.check(f"class-{name}")


def act_as(window, grant):
    """Choose a role as the account menu does."""
    token = window.page.evaluate("JSON.parse(document.body.getAttribute('hx-headers:inherited'))['X-CSRFToken']")
    window.page.evaluate(
        "async ([url, token, grant]) => { await fetch(url, {method: 'POST', headers: {'X-CSRFToken': token,"
        " 'Content-Type': 'application/x-www-form-urlencoded'}, body: new URLSearchParams({grant}), redirect: 'manual'}); }",
        [reverse("role"), token, str(grant)],
    )
