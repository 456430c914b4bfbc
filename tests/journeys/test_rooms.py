"""Every room of every role's menu, with a small school in it: axe, width, console, at both widths."""

import pytest
from django.urls import reverse

from khue.kernel import menus
from khue.kernel.database import scope
from tests import factories

ROLES = ("clerk", "principal", "homeroom_teacher", "subject_teacher", "province_officer", "commune_officer", "guardian")


@pytest.fixture
def people(site):
    with scope.everything():
        school = factories.school()
        group = factories.class_group(school, grade=7, name="7A1")
        learners = factories.learners(group, 3)
        found = {
            "clerk": factories.account("clerk", school),
            "principal": factories.account("principal", school),
            "homeroom_teacher": factories.homeroom_teacher(group),
            "subject_teacher": factories.teacher(school, group, "toan"),
            "province_officer": factories.account("province_officer", factories.province()),
            "commune_officer": factories.account("commune_officer", factories.province()),
            "guardian": factories.guardian(learners[0]),
        }
        return {role: account.username for role, account in found.items()}


def rooms(window):
    """Return the addresses of the side menu as this person sees it."""
    links = window.page.locator("#khue-nav a")
    return [(links.nth(at).inner_text(), links.nth(at).get_attribute("href")) for at in range(links.count())]


@pytest.mark.parametrize("role", ROLES)
def test_the_rooms_of(role, desk, phone, people):
    desk.sign_in(people[role])
    seen = rooms(desk)
    assert ("Trang chủ", "/") in seen
    phone.sign_in(people[role])
    for window in (desk, phone):
        for number, (title, address) in enumerate(seen):
            page = window.open(address)
            assert page.locator("h1").inner_text(), title
            window.check(f"room-{role}-{number}")


def test_every_menu_entry_leads_somewhere():
    for code, entry in menus.MENU.items():
        assert reverse(entry.url_name), code
