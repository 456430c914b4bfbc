"""Every room of every role's menu, with a small school in it: axe, width, console, at both widths."""

import pytest
from django.urls import reverse

from khue.kernel import menus
from khue.kernel.database import scope
from tests import factories
from tests.school.gradebook import books
from tests.school.gradebook.test_closing import ready

ROLES = ("clerk", "principal", "homeroom_teacher", "subject_teacher", "province_officer", "commune_officer", "guardian")


AUDITED: set[str] = set()
"""Pages axe has read in this run, at the first width: a room is the same document to whoever shares it, on any screen."""


NARROW: set[str] = set()
"""Pages seen at 360 px in this run: the first role that has a room tells whether it fits."""


@pytest.fixture
def people(site, settings):
    settings.KHUE_SECOND_FACTOR = False  # as in the demonstration
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
    desk.open("/")
    seen = rooms(desk)
    assert ("Trang chủ", "/") in seen
    phone.sign_in(people[role])
    for window in (desk, phone):
        for number, (title, address) in enumerate(seen):
            if window is phone and address != "/" and address in NARROW:
                continue
            page = window.open(address)
            assert page.locator("h1").inner_text(), title
            window.check(f"room-{role}-{number}", by_axe=address not in AUDITED or (address == "/" and window is desk))
            AUDITED.add(address)
            if window is phone:
                NARROW.add(address)


def test_every_menu_entry_leads_somewhere():
    for code, entry in menus.MENU.items():
        assert reverse(entry.url_name), code


@pytest.fixture
def lived_in(site, monkeypatch, settings):
    """A class of twelve in November, with marks and conduct; signed in as in the demonstration."""
    settings.KHUE_SECOND_FACTOR = False
    monkeypatch.setattr("django.utils.timezone.now", lambda: books.NOW)
    with scope.everything():
        made = books.book(count=12, terms=(1, 2))
        ready(made, low={"toan": "3,4"})
        clerk = factories.account("clerk", made.school)
        principal = factories.account("principal", made.school)
        guardian = factories.guardian(made.learners[0])
        register = made.register().uid
    return made, {"clerk": clerk, "principal": principal, "guardian": guardian, "homeroom": made.homeroom, "teacher": made.teacher, "register": register}


def walk(window, account, pages):
    window.sign_in(account.username)
    for name, address in pages.items():
        window.open(address)
        window.check(f"lived-{name}")


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_pages_of_a_class_that_is_lived_in(width, lived_in, request):
    window = request.getfixturevalue(width)
    made, people = lived_in
    group, first = made.group.uid, made.learners[0].uid
    walk(window, people["homeroom"], {"registers": "/so-diem/"})
    window.page.locator(".k-acting summary").click()
    window.page.get_by_role("button", name="Giáo viên chủ nhiệm").click()
    window.page.get_by_text("Đang làm việc với vai trò").wait_for()
    for name, address in {
        "homeroom-classes": "/chu-nhiem/", "homeroom": f"/chu-nhiem/{group}/", "rate": f"/chu-nhiem/{group}/?ky=2", "close": f"/chu-nhiem/{group}/khoa/",
        "attendance": f"/diem-danh/{group}/", "class": f"/lop/{group}/", "learner": f"/hoc-sinh/{first}/",
        "codes": f"/lop/{group}/ma-moi/",
    }.items():  # fmt: skip
        window.open(address)
        window.check(f"lived-{name}")
    window.page.context.clear_cookies()
    walk(window, people["teacher"], {"teacher-home": "/", "register": f"/so-diem/{people['register']}/"})
    window.page.context.clear_cookies()
    walk(window, people["principal"], {"principal-home": "/", "close-year": "/khoa-nam-hoc/", "corrections": "/sua-diem/"})
    window.page.context.clear_cookies()
    walk(window, people["clerk"], {"classes": "/lop/", "new-class": "/lop/moi/", "new-learner": f"/lop/{group}/hoc-sinh-moi/"})
    window.page.context.clear_cookies()
    walk(window, people["guardian"], {"guardian-home": "/", "child": f"/gia-dinh/{first}/"})
