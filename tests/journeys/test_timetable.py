"""The board of a timetable by mouse and by keyboard, a day on the phone, an absence."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from khue.kernel import events, jobs
from khue.kernel.database import scope
from khue.school.timetable import problems, services
from khue.school.timetable.models import Lesson
from tests import factories
from tests.school.timetable import making


@pytest.fixture
def room(site):
    expect.set_options(timeout=15_000)
    with scope.everything():
        made = making.Room(timezone.now())
        made.week()
        made.held = made.filled()
    return made


def cell(page, place):
    return page.locator(f'td[data-place="{"-".join(map(str, place))}"]')


def test_a_lesson_is_dragged_and_taken_back(room, desk):
    with scope.everything():
        one, other = making.lesson(room.held, room.groups[0], "toan"), making.lesson(room.held, room.groups[0], "tin_hoc")
    desk.sign_in(room.account.username)
    page = desk.open(f"/thoi-khoa-bieu/ban/{room.held.uid}/?xem=lop&ai={room.groups[0].uid}")
    desk.check("timetable-board")
    start, end = problems.place_of(one), problems.place_of(other)
    data = {"dataTransfer": page.evaluate_handle("new DataTransfer()")}
    cell(page, start).locator("[data-key]").dispatch_event("dragstart", data)
    expect(cell(page, end)).to_contain_text("đổi với")
    cell(page, end).dispatch_event("dragover", data)
    cell(page, end).dispatch_event("drop", data)
    expect(cell(page, end)).to_contain_text("Toán")
    expect(cell(page, start)).to_contain_text("Tin học")
    page.get_by_role("button", name="Hoàn tác lần sửa cuối").click()
    expect(cell(page, start)).to_contain_text("Toán")


def test_a_lesson_is_moved_by_keyboard_and_every_slot_says_what_it_means(room, desk):
    with scope.everything():
        one, other = making.lesson(room.held, room.groups[0], "toan"), making.lesson(room.held, room.groups[0], "tin_hoc")
    desk.sign_in(room.account.username)
    page = desk.open(f"/thoi-khoa-bieu/ban/{room.held.uid}/?xem=lop&ai={room.groups[0].uid}")
    cell(page, problems.place_of(one)).get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Chọn ô muốn chuyển tới")).to_be_visible()
    desk.check("timetable-chosen")
    cell(page, problems.place_of(other)).get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(cell(page, problems.place_of(other))).to_contain_text("Toán")


def test_pages_of_planning_are_fit_to_be_used(room, desk, phone):
    with scope.everything():
        services.add_usual_rules(actor=room.actor, school=room.school, school_year=2025, now=room.now)
    for window in (desk, phone):
        window.sign_in(room.account.username)
        for name, path in (
            ("index", ""), ("checklist", "chuan-bi/"), ("week", "khung-tuan/"), ("rooms", "phong/"), ("rules", "yeu-cau/"),
            ("rule", "yeu-cau/moi/teacher_off/"), ("board", f"ban/{room.held.uid}/"), ("chains", f"ban/{room.held.uid}/doi-cho/"),
            ("whole", f"ban/{room.held.uid}/toan-truong/"), ("publish", f"ban/{room.held.uid}/cong-bo/"), ("broken", f"ban/{room.held.uid}/dieu-chua-dat/"), ("draft", "ban-moi/"),
        ):  # fmt: skip
            window.open(f"/thoi-khoa-bieu/{path}")
            window.check(f"timetable-{name}")


def test_a_clash_is_explained_and_relaxed_by_one_button(room, desk, phone):
    with scope.everything():
        away = room.rule("teacher_off", slots=[[day, 0, n] for day in range(5) for n in range(4)], teachers=[str(room.posts["toan"].uid)])
        held = room.draft("Bản 2")
        job = services.start_solving(actor=room.actor, uid=held.uid, version=None, seconds=30, seed=1, keeps=False, now=room.now)
        jobs.run(job.pk, clock=timezone.now)
    for window in (phone, desk):
        window.sign_in(room.account.username)
        window.open(f"/thoi-khoa-bieu/ban/{held.uid}/dieu-chua-dat/")
        expect(window.page.get_by_text("nới điều này là xếp được")).to_be_visible()
        window.check("timetable-clash")
    desk.page.get_by_role("button", name="Chuyển thành mong muốn").first.click()
    expect(desk.page.get_by_role("heading", name="Bản 2")).to_be_visible()
    with scope.everything():
        away.refresh_from_db()
        assert away.weight < 100


def test_an_absence_is_covered_and_the_day_shows_it_on_a_phone(room, desk, phone):
    today = timezone.localtime(timezone.now()).date()
    monday = today + timedelta(days=-today.weekday() % 7)
    with scope.everything():
        services.publish(actor=room.actor, uid=room.held.uid, version=None, on=monday, now=room.now)
        events.deliver(now=timezone.now())
        day = monday + timedelta(days=Lesson.objects.filter(timetable=room.held, subject_code="toan").first().day)
        away = services.add_absence(actor=room.actor, post=room.posts["toan"], first=day, last=day, note="Tập huấn", now=room.now)
        teacher = factories.account("subject_teacher", room.school, who=room.posts["toan"].person)
    desk.sign_in(room.account.username)
    page = desk.open(f"/thoi-khoa-bieu/day-thay/{away.uid}/")
    desk.check("timetable-absence")
    page.locator("form.kt-cover").first.get_by_role("button").click()
    expect(page.locator("form.kt-cover").first.get_by_role("button")).to_contain_text("Đổi")
    phone.sign_in(teacher.username)
    phone.open(f"/ngay-cua-toi/?ngay={day.isoformat()}")
    expect(phone.page.get_by_text("dạy thay").or_(phone.page.get_by_text("Trông lớp")).first).to_be_visible()
    phone.check("my-day")
