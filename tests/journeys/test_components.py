"""Every part of the component page, at both widths: axe, nothing wider than the screen, nothing that executes."""

import pytest

from khue.kernel.database import scope
from tests import factories


@pytest.fixture
def teacher(site):
    with scope.everything():
        school = factories.school()
        return factories.homeroom_teacher(factories.class_group(school)).username


def test_components_on_a_laptop(desk, teacher):
    desk.sign_in(teacher)
    desk.open("/_components")
    desk.check("components")


def test_components_on_a_phone(phone, teacher):
    phone.sign_in(teacher)
    phone.open("/_components")
    phone.check("components-on-a-phone")


def test_what_axe_reads_is_seen_where_it_is_wrong(desk, teacher):
    desk.sign_in(teacher)
    page = desk.open("/_components")
    desk.check("components")
    page.evaluate("""() => {
      const planted = document.createElement("p");
      planted.append("Chữ mờ", new Image());
      planted.style.color = "rgb(200, 200, 200)";
      document.querySelector("main").append(planted);
    }""")
    assert sorted(line.partition(":")[0] for line in desk.axe()) == ["color-contrast", "image-alt"]
    assert len(desk.axe()) == 2, "a pair that failed is not taken for read"


def test_hostile_strings_are_shown_and_never_run(desk, teacher):
    desk.sign_in(teacher)
    page = desk.open("/_components?hostile")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.pwned") is None
    assert page.get_by_text("<script>window.pwned=1</script>").count() > 20
    desk.picture("components-hostile")
    desk.assert_quiet()


def test_the_check_for_hostile_strings_sees_one_that_runs(desk, teacher):
    """The control: the same look at a page that does run it."""
    page = desk.open("/_components")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.pwned=1\">')")
    page.wait_for_timeout(300)
    assert any("Content Security Policy" in line or "404" in line for line in desk.complaints)
    desk.complaints.clear()
