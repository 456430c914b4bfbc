"""The pages of the timetable: what they show, what they cost in statements, who may see them."""

from datetime import date, timedelta
from io import BytesIO

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse

from khue.register.people.models import Person
from khue.school.timetable import calendars, catalogue, problems, queries, services
from khue.school.timetable.models import CalendarLink, Lesson, Room, TeacherAbsence, Timetable, TimetableRule
from tests import factories
from tests.school.timetable import making
from tests.school.timetable.making import ON


@pytest.fixture
def room(everything, now, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    made = making.Room(now)
    made.week()
    made.client = factories.client_of(made.account)
    return made


def text(answer):
    return answer.content.decode()


def test_the_way_from_nothing_to_a_published_timetable_goes_by_plain_forms(room):
    client = room.client
    assert "Đã đủ để xếp" in text(client.get("/thoi-khoa-bieu/chuan-bi/"))
    assert client.post("/thoi-khoa-bieu/phong/", {"name": "Phòng máy", "kind": "computers", "capacity": 40, "holds": 1, "is_open": "on"}).status_code == 302
    uid = str(Room.objects.get().uid)
    assert client.post("/thoi-khoa-bieu/yeu-cau/moi/room_for_subject/", {"subjects": ["tin_hoc"], "rooms": [uid], "weight": 100, "is_active": "on"}).status_code == 302
    assert client.post("/thoi-khoa-bieu/yeu-cau/moi/teacher_off/", {"slots": ["0-0-1"], "teachers": [str(room.posts["toan"].uid)], "weight": 100}).status_code == 302
    assert client.post("/thoi-khoa-bieu/yeu-cau/thuong-dung/").status_code == 302
    assert "Giáo viên không dạy vào các tiết: Giáo viên toan · Thứ Hai sáng tiết 2" in text(client.get("/thoi-khoa-bieu/yeu-cau/"))
    answer = client.post("/thoi-khoa-bieu/ban-moi/", {"title": "Học kì I", "on": "2025-11-10"})
    assert answer.status_code == 302
    held = Timetable.objects.get()
    TimetableRule.objects.all().delete()
    making.place_all(held)
    page = text(client.get(answer["Location"]))
    assert "Chào cờ" in page and "Giáo viên toan" in page
    held.refresh_from_db()
    answer = client.post(f"/thoi-khoa-bieu/ban/{held.uid}/cong-bo/", {"on": "2025-11-10", "version": held.version})
    assert answer.status_code == 302
    held.refresh_from_db()
    assert held.state == "published"


def test_a_bad_field_is_named_and_nothing_is_saved(room):
    answer = room.client.post("/thoi-khoa-bieu/yeu-cau/moi/teacher_max_gaps/", {"number": "99", "weight": "50"})
    assert answer.status_code == 422 and not TimetableRule.objects.exists()
    answer = room.client.post("/thoi-khoa-bieu/khung-tuan/", {"from_day": "2025-08-01", "minutes": 45, "morning_starts": "sáng sớm"})
    assert answer.status_code == 422 and "Không đọc được giờ" in text(answer)


def test_choosing_a_lesson_says_what_every_slot_would_mean_and_a_form_moves_it(room):
    held = room.filled()
    one = making.lesson(held, room.groups[0], "toan")
    address = reverse("timetable:board", args=[held.uid])
    page = text(room.client.get(address, {"xem": "lop", "ai": str(room.groups[0].uid), "tiet": one.key}))
    assert page.count('class="kt-option') == 25 and "Đang ở đây" in page and "đổi với" in page
    other = making.lesson(held, room.groups[0], "tin_hoc")
    place = "-".join(map(str, problems.place_of(other)))
    answer = room.client.post(
        reverse("timetable:move", args=[held.uid]), {"key": one.key, "place": place, "version": held.version, "xem": "lop", "ai": str(room.groups[0].uid)}
    )
    assert answer.status_code == 302 and "xem=lop" in answer["Location"]
    one.refresh_from_db()
    assert problems.place_of(one) == problems.place_of(other)
    held.refresh_from_db()
    assert room.client.post(reverse("timetable:undo", args=[held.uid]), {"version": held.version}).status_code == 302
    assert room.client.post(reverse("timetable:move", args=[held.uid]), {"key": one.key, "place": "x", "version": held.version}).status_code in (400, 409, 422)


def test_every_kind_has_a_form_page(room):
    for code in catalogue.KINDS:
        assert room.client.get(f"/thoi-khoa-bieu/yeu-cau/moi/{code}/").status_code == 200, code
    assert room.client.get("/thoi-khoa-bieu/yeu-cau/moi/khong_co/").status_code == 404


def test_pages_cost_at_most_six_statements(room, counted):
    services.save_room(actor=room.actor, school=room.school, values={"name": "Sân", "holds": 2}, now=room.now)
    published = room.published(on=date(2025, 11, 10))
    services.add_usual_rules(actor=room.actor, school=room.school, school_year=2025, now=room.now)
    held = room.draft("Bản 2", base=published.uid)
    key = making.lesson(held, room.groups[0], "toan").key
    away = services.add_absence(actor=room.actor, post=room.posts["toan"], first=ON, last=ON, note="", now=room.now)
    rule = TimetableRule.objects.first()
    pages = [
        "/thoi-khoa-bieu/", "/thoi-khoa-bieu/chuan-bi/", "/thoi-khoa-bieu/khung-tuan/", "/thoi-khoa-bieu/phong/", "/thoi-khoa-bieu/yeu-cau/",
        "/thoi-khoa-bieu/yeu-cau/moi/teacher_off/", "/thoi-khoa-bieu/ban-moi/", f"/thoi-khoa-bieu/ban/{held.uid}/?xem=gv",
        f"/thoi-khoa-bieu/ban/{held.uid}/?tiet={key}", f"/thoi-khoa-bieu/ban/{held.uid}/so-sanh/?voi={published.uid}",
        f"/thoi-khoa-bieu/ban/{held.uid}/doi-cho/", f"/thoi-khoa-bieu/ban/{held.uid}/cong-bo/", "/thoi-khoa-bieu/day-thay/",
        f"/thoi-khoa-bieu/day-thay/{away.uid}/", "/ngay-cua-toi/", "/thoi-khoa-bieu/lich/", f"/thoi-khoa-bieu/yeu-cau/{rule.uid}/",
        f"/thoi-khoa-bieu/ban/{held.uid}/dieu-chua-dat/", f"/thoi-khoa-bieu/ban/{held.uid}/in/lop.xlsx",
        f"/thoi-khoa-bieu/ban/{held.uid}/toan-truong/", f"/thoi-khoa-bieu/ban/{held.uid}/toan-truong/?xem=gv",
    ]  # fmt: skip
    dear = {}
    for page in pages:
        room.client.get(page)
        with counted() as count:
            assert room.client.get(page).status_code == 200, page
        if count.total > 6:
            dear[page] = (count.total, count.statements)
    assert not dear, {page: total for page, (total, _statements) in dear.items()}


def test_teachers_read_what_is_published_and_no_draft(room):
    held = room.published()
    draft = room.draft("Bản 2")
    client = factories.client_of(factories.account("subject_teacher", room.school, who=room.posts["toan"].person))
    assert client.get(f"/thoi-khoa-bieu/ban/{held.uid}/").status_code == 200
    assert client.get(f"/thoi-khoa-bieu/ban/{draft.uid}/").status_code in (403, 404)
    assert "Bản 2" not in text(client.get("/thoi-khoa-bieu/"))
    for page in ("chuan-bi", "khung-tuan", "phong", "yeu-cau", "ban-moi", "day-thay"):
        assert client.get(f"/thoi-khoa-bieu/{page}/").status_code in (403, 404), page


def test_my_day_of_a_teacher_shows_covers_and_what_falls_away(room):
    room.published()
    away = services.add_absence(actor=room.actor, post=room.posts["toan"], first=ON, last=ON + timedelta(4), note="", now=room.now)
    one = next(o for o in queries.open_lessons(room.actor, away, at=room.now) if o.lesson.subject_code == "toan")
    who = one.proposals[0].post
    services.decide_cover(actor=room.actor, absence=away.uid, lesson=one.lesson.uid, on=one.on, kind="supervise", post=who.uid, now=room.now)
    for post, words in ((who, "Trông lớp"), (room.posts["toan"], "dạy thay")):
        client = factories.client_of(factories.account("subject_teacher", room.school, who=Person.objects.get(pk=post.person_id)))
        page = text(client.get("/ngay-cua-toi/", {"ngay": one.on.isoformat()}))
        assert words in page, words


def test_a_mother_sees_the_day_of_each_child_and_no_other_class(room):
    room.published()
    learner = factories.learners(room.groups[0], 1)[0]
    client = factories.client_of(factories.guardian(learner))
    page = text(client.get("/ngay-cua-toi/"))
    assert learner.name in page and "7A1" in page and "Chào cờ" in page and "7A2" not in page
    assert client.get("/thoi-khoa-bieu/").status_code in (403, 404)


def test_wall_sheets_come_as_workbook_and_pdf(room):
    held = room.published()
    book = openpyxl.load_workbook(BytesIO(room.client.get(f"/thoi-khoa-bieu/ban/{held.uid}/in/gv.xlsx").content))
    assert "Giáo viên toan" in book.sheetnames
    assert sum("7A1" in str(cell.value) for row in book["Giáo viên toan"].iter_rows() for cell in row) >= 4
    assert room.client.get(f"/thoi-khoa-bieu/ban/{held.uid}/in/lop.doc").status_code == 404


@pytest.mark.alone
def test_the_pdf_has_a_page_a_class(room):
    held = room.published()
    body = room.client.get(f"/thoi-khoa-bieu/ban/{held.uid}/in/lop.pdf").content
    assert body.startswith(b"%PDF")
    from pypdf import PdfReader

    pages = PdfReader(BytesIO(body)).pages
    assert len(pages) == 2 and "7A1" in pages[0].extract_text() and "Chào cờ" in pages[0].extract_text()


def test_a_secret_address_gives_the_calendar_until_it_is_closed(room):
    room.published()
    post = room.posts["toan"]
    own = factories.account("subject_teacher", room.school, who=post.person)
    client = factories.client_of(own)
    assert client.post("/thoi-khoa-bieu/lich/", {"thing": f"post:{post.uid}"}).status_code == 302
    assert client.post("/thoi-khoa-bieu/lich/", {"thing": f"post:{room.posts['tin_hoc'].uid}"}).status_code in (403, 404)
    link = CalendarLink.objects.get()
    answer = Client().get(f"/lich/{link.token}.ics")
    body = answer.content.decode()
    assert answer["Content-Type"].startswith("text/calendar")
    assert body.count("BEGIN:VEVENT") == Lesson.objects.filter(post=post).count()
    assert all(len(line.encode()) <= 75 for line in body.split("\r\n"))
    assert client.post(f"/thoi-khoa-bieu/lich/{link.uid}/dong/").status_code == 302
    assert Client().get(f"/lich/{link.token}.ics").status_code == 404
    assert Client().get("/lich/khong-co.ics").status_code == 404


def test_calendar_text_is_escaped_and_folded():
    assert calendars.escaped("a,b;c\\d\ne") == "a\\,b\\;c\\\\d\\ne"
    line = "SUMMARY:" + "ộ" * 60
    pieces = list(calendars.folded(line))
    assert all(len(piece.encode()) <= 75 for piece in pieces)
    assert pieces[0] + "".join(piece[1:] for piece in pieces[1:]) == line


def test_an_absence_is_noted_and_covered_by_forms(room):
    room.published()
    answer = room.client.post("/thoi-khoa-bieu/day-thay/", {"post": str(room.posts["toan"].uid), "first": "2025-11-10", "last": "2025-11-14"})
    assert answer.status_code == 302
    away = TeacherAbsence.objects.get()
    page = text(room.client.get(answer["Location"]))
    assert "chưa giải quyết" in page
    one = queries.open_lessons(room.actor, away, at=room.now)[0]
    for choice in (f"supervise:{one.proposals[0].post.uid}", "free:"):
        again = room.client.post(answer["Location"], {"lesson": str(one.lesson.uid), "on": one.on.isoformat(), "choice": choice})
        assert again.status_code == 302, text(again)
    assert room.client.post(f"/thoi-khoa-bieu/day-thay/{away.uid}/", {"lesson": "x", "on": "y", "choice": "free:"}).status_code == 422


def test_the_whole_school_is_one_table_of_classes_or_teachers(room):
    held = room.published()
    page = text(room.client.get(f"/thoi-khoa-bieu/ban/{held.uid}/toan-truong/"))
    assert page.count("Chào cờ") == 2 and 'scope="col">7A1' in page and 'rowspan="5"' in page
    page = text(room.client.get(f"/thoi-khoa-bieu/ban/{held.uid}/toan-truong/", {"xem": "gv"}))
    assert page.count('scope="col">Giáo viên') == len(room.posts)
    one = Lesson.objects.filter(timetable=held, post=room.posts["toan"]).exclude(subject_code__in=problems.FIXED)
    assert page.count('kt-subject">Toán') == one.count()


def test_a_lesson_gets_another_room_and_the_list_says_who_is_there(room):
    lab = services.save_room(actor=room.actor, school=room.school, values={"name": "Phòng máy", "holds": 1}, now=room.now)
    held = room.filled()
    first, second = (making.lesson(held, group, "tin_hoc") for group in room.groups)
    services.move(actor=room.actor, uid=held.uid, key=second.key, place=(3, 0, 4), version=None, now=room.now)
    other = Lesson.objects.filter(timetable=held, class_group=room.groups[0], day=3, half=0, period=4).exclude(subject_code="tin_hoc").first()
    held.refresh_from_db()
    address = f"/thoi-khoa-bieu/ban/{held.uid}/"
    answer = room.client.post(f"{address}chuyen/", {"key": second.key, "place": "3-0-4", "room": str(lab.uid), "version": held.version})
    assert answer.status_code == 302
    second.refresh_from_db()
    assert second.room_id == lab.pk and problems.place_of(second) == (3, 0, 4)
    page = text(room.client.get(address, {"tiet": second.key}))
    assert f'value="{lab.uid}" selected' in page
    beside = other or first
    page = text(room.client.get(address, {"tiet": beside.key}))
    assert ("Phòng máy (đang có 7A2)" in page) == (problems.place_of(beside) == (3, 0, 4))
