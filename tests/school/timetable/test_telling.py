"""Whoever's week changes reads it in words on her day's page: teachers, homeroom teachers, families; once."""

from datetime import date, timedelta

import pytest

from khue.kernel import events
from khue.kernel.events.models import Event
from khue.school.timetable import problems, services, telling
from khue.school.timetable.models import ClassSheet, WeekChange
from tests import factories
from tests.school.timetable import making

FIRST, NEXT = date(2025, 11, 3), date(2025, 11, 17)


@pytest.fixture
def room(everything, now, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    made = making.Room(now)
    made.week()
    return made


def told():
    """Give every waiting event to the listeners, as the worker does."""
    for event in Event.objects.filter(delivered_at=None).order_by("id"):
        for listener in events.LISTENERS.get(event.kind, []):
            listener(event.body)


def page_of(account, day):
    return factories.client_of(account).get("/ngay-cua-toi/", {"ngay": day.isoformat()}).content.decode()


def second_version(room):
    """Publish a second version in which 7A1's first mathematics and informatics lessons have changed places."""
    base = room.published(FIRST)
    told()
    held = room.draft("Bản 2", base=base.uid)
    one, other = making.lesson(held, room.groups[0], "toan"), making.lesson(held, room.groups[0], "tin_hoc")
    places = problems.place_of(one), problems.place_of(other)
    services.move(actor=room.actor, uid=held.uid, key=one.key, place=places[1], version=None, now=room.now)
    held.refresh_from_db()
    assert not held.hard
    services.publish(actor=room.actor, uid=held.uid, version=None, on=NEXT, now=room.now)
    told()
    return held, places


def test_the_first_version_is_announced_and_the_second_says_what_moved(room):
    held, (was, now_) = second_version(room)
    change = WeekChange.objects.get(timetable=held, post=room.posts["toan"])
    line = next(one for one in change.news["lines"] if one["subject"] == "toan")
    assert (line["was"]["place"], line["now"]["place"]) == (list(was), list(now_))
    assert not WeekChange.objects.filter(timetable=held, post=room.posts["ngu_van"]).exists(), "her week did not change"
    assert set(ClassSheet.objects.filter(timetable=held).exclude(news={}).values_list("class_group__name", flat=True)) == {"7A1"}
    assert ClassSheet.objects.filter(timetable__title="Bản 1", news__first=True).count() == 2


def test_the_listener_may_be_called_again(room):
    held, _places = second_version(room)
    before = list(WeekChange.objects.order_by("pk").values("pk", "news")), list(ClassSheet.objects.order_by("pk").values("pk", "news"))
    told()
    told()
    assert before == (list(WeekChange.objects.order_by("pk").values("pk", "news")), list(ClassSheet.objects.order_by("pk").values("pk", "news")))
    telling.tell({"timetable_id": held.pk + 1000, "on": NEXT.isoformat(), "posts": [], "classes": []})


def test_teacher_homeroom_and_family_read_it_and_nobody_else(room):
    _held, (was, now_) = second_version(room)
    from khue.school.timetable import weeks

    words = f"từ {weeks.place_name(was)} sang {weeks.place_name(now_)}"
    day = NEXT - timedelta(days=3)
    teacher = factories.account("subject_teacher", room.school, who=room.posts["toan"].person)
    page = page_of(teacher, day)
    assert f"Toán 7A1: {words}" in page and "Tuần dạy của tôi: thời khoá biểu mới từ ngày 17/11/2025" in page
    other = factories.account("subject_teacher", room.school, who=room.posts["giao_duc_the_chat"].person)
    assert words not in page_of(other, day)
    mother = factories.guardian(factories.learners(room.groups[0], 1)[0])
    page = page_of(mother, day)
    assert f"Toán: {words}" in page and "7A2" not in page
    far = factories.guardian(factories.learners(room.groups[1], 1)[0])
    assert words not in page_of(far, day)
    assert words not in page_of(teacher, NEXT + timedelta(days=30)), "old news is over"


def test_the_page_stays_within_its_statements(room, counted):
    second_version(room)
    client = factories.client_of(factories.account("subject_teacher", room.school, who=room.posts["toan"].person))
    client.get("/ngay-cua-toi/")
    with counted() as count:
        assert client.get("/ngay-cua-toi/").status_code == 200
    assert count.total <= 6, count.statements


def test_words_of_every_kind_of_change():
    base = {"place": [0, 0, 1], "weeks": 3, "teacher": "Lan", "room": ""}
    line = {"subject": "toan", "group": "7A1", "was": base, "now": base | {"teacher": "Minh", "room": "P1"}}
    assert "giáo viên Minh thay Lan" in telling.words(line, with_group=True) and "phòng P1" in telling.words(line, with_group=True)
    assert "thêm Thứ Hai sáng tiết 2" in telling.words(line | {"was": None}, with_group=False)
    assert "không còn học Thứ Hai sáng tiết 2" in telling.words(line | {"now": None}, with_group=False)
    assert "tuần lẻ" in telling.words(line | {"now": base | {"weeks": 1}}, with_group=False)


def test_the_first_timetable_is_told_to_teachers_and_families(room):
    room.published(FIRST)
    told()
    teacher = factories.account("subject_teacher", room.school, who=room.posts["toan"].person)
    page = page_of(teacher, FIRST + timedelta(days=2))
    assert "Tuần dạy của tôi: thời khoá biểu mới từ ngày 03/11/2025" in page and "Thời khoá biểu đầu tiên" in page
    assert "Lớp chủ nhiệm 7A1" in page
    mother = factories.guardian(factories.learners(room.groups[0], 1)[0])
    assert "7A1: thời khoá biểu mới từ ngày 03/11/2025" in page_of(mother, FIRST)
