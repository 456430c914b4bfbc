"""Drafts, moves, publishing and covers, and what the database refuses."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import DatabaseError

from khue.kernel.errors import Invalid, NotAllowed, NotFound, Stale
from khue.kernel.events.models import Event
from khue.school.teaching.models import Assignment
from khue.school.timetable import catalogue, covering, places, problems, queries, services
from khue.school.timetable.models import (
    ClassSheet,
    Cover,
    Lesson,
    Room,
    Timetable,
    TimetableMove,
    WeekPattern,
)
from khue.school.timetable.services import covering as cover_services
from khue.school.timetable.services import drafts, publishing, setting
from tests import factories
from tests.school.timetable import making
from tests.school.timetable.making import ON


@pytest.fixture
def room(everything, now):
    made = making.Room(now)
    made.week()
    return made


def score(held):
    built = places.load(held)
    return problems.score(built.problem, built.solution())


def stored(held):
    held.refresh_from_db()
    return held.lessons_count - held.placed, held.hard, held.cost / 100


# --- the week and the wishes --------------------------------------------------------------------------------------


def test_a_new_week_ends_the_one_before(room):
    made = services.save_week(actor=room.actor, school=room.school, values={**making.WEEK, "minutes": 40}, from_day=date(2026, 1, 5), now=room.now)
    first, second = WeekPattern.objects.order_by("pk")
    assert first.valid.upper == date(2026, 1, 5) == second.valid.lower
    assert made.minutes == 40
    with pytest.raises(setting.WeekStartsEarlier):
        room.week()


@pytest.mark.parametrize("changes", [{"mornings": [11] + [0] * 6}, {"mornings": [0] * 7}, {"flag": [6, 0, 0]}, {"class_hour": [0, 0, 0]}])
def test_an_impossible_week_is_refused(room, changes):
    with pytest.raises(Invalid):
        room.week(**changes)


def test_a_clerk_of_another_school_changes_nothing(room):
    other = factories.school("Trường THCS Lê Lợi")
    stranger = factories.actor_of(factories.account("clerk", other))
    with pytest.raises((NotAllowed, NotFound)):
        services.save_week(actor=stranger, school=room.school, values=making.WEEK, from_day=ON, now=room.now)
    teacher = factories.actor_of(factories.account("subject_teacher", room.school))
    with pytest.raises(NotAllowed):
        services.save_room(actor=teacher, school=room.school, values={"name": "P1"}, now=room.now)


def test_rooms_have_one_name_each(room):
    made = services.save_room(actor=room.actor, school=room.school, values={"name": " Phòng máy  1 ", "holds": 1}, now=room.now)
    assert made.name == "Phòng máy 1"
    with pytest.raises(setting.RoomNameTaken):
        services.save_room(actor=room.actor, school=room.school, values={"name": "Phòng máy 1"}, now=room.now)
    with pytest.raises(Stale):
        services.save_room(actor=room.actor, school=room.school, values={"name": "Khác"}, uid=str(made.uid), version=99, now=room.now)


@pytest.mark.parametrize(
    ("kind", "parameters", "field"),
    [
        ("teacher_off", {"slots": []}, "slots"),
        ("teacher_off", {"slots": [[7, 0, 0]]}, "slots"),
        ("teacher_max_gaps", {"number": "2"}, "number"),
        ("teacher_max_gaps", {"number": 99}, "number"),
        ("no_such_kind", {}, "kind"),
        ("class_no_gaps", {"secret": 1}, "kind"),
        ("subject_only", {"subjects": [1], "slots": [[0, 0, 0]]}, "subjects"),
    ],
)
def test_wishes_are_checked_against_the_catalogue(kind, parameters, field):
    with pytest.raises(Invalid) as refusal:
        catalogue.checked(kind, parameters, 100)
    assert field in refusal.value.facts["fields"]


def test_usual_wishes_come_once(room):
    assert services.add_usual_rules(actor=room.actor, school=room.school, school_year=2025, now=room.now) == len(catalogue.USUAL)
    assert services.add_usual_rules(actor=room.actor, school=room.school, school_year=2025, now=room.now) == 0


def sample(kind, room):
    values = {
        "teachers": [str(post.uid) for post in list(room.posts.values())[:2]], "classes": [str(group.uid) for group in room.groups],
        "rooms": [str(one.uid) for one in Room.objects.all()], "subjects": ["toan"], "others": ["ngu_van"], "slots": [[0, 0, 1], [4, 0, 0]],
        "number": kind.number[0] or 1,
    }  # fmt: skip
    return {name: values[name] for name in kind.parameters}


@pytest.mark.parametrize("code", list(catalogue.KINDS))
def test_every_kind_is_understood_by_builder_check_and_board(room, code):
    services.save_room(actor=room.actor, school=room.school, values={"name": "Sân tập", "holds": 2}, now=room.now)
    kind = catalogue.KINDS[code]
    held = room.rule(code, **sample(kind, room))
    version = room.draft()
    built = places.load(version)
    made = [one for one in built.problem.constraints if one.source == str(held.uid)]
    assert kind.is_structural or made
    missing, hard, cost = score(version)
    assert (missing, cost >= 0) == (version.lessons_count - 4, True)  # the flag ceremony and the class hour of two classes stand
    names = queries.choices(room.actor, school_year=2025, on=ON, at=room.now)
    assert str(kind.title) in queries.told(held, names)


# --- drafts -------------------------------------------------------------------------------------------------------


def test_a_draft_has_the_lessons_of_the_register(room):
    held = room.draft()
    assert held.lessons_count == 2 * (sum(making.SUBJECTS.values()) + 2)
    flags = Lesson.objects.filter(timetable=held, subject_code="chao_co")
    assert {(one.day, one.half, one.period) for one in flags} == {(0, 0, 0)}


def test_class_hours_are_part_of_the_homeroom_teachers_activities(room):
    group, head = room.groups[0], room.groups[0].homeroom
    Assignment.objects.create(
        post=head, class_group=group, school_id=room.school.pk, school_year=2025, subject_code="hoat_dong_trai_nghiem_huong_nghiep", periods=3,
        valid=factories.SCHOOL_YEAR,
    )  # fmt: skip
    held = room.draft()
    assert Lesson.objects.filter(timetable=held, subject_code="hoat_dong_trai_nghiem_huong_nghiep").count() == 1


def test_structural_wishes_change_what_there_is_to_place(room):
    room.rule("subject_double", subjects=["toan"], number=1, classes=[])
    room.rule("subject_joined", subjects=["giao_duc_the_chat"], classes=[str(group.uid) for group in room.groups])
    room.rule("subject_odd_weeks", subjects=["tin_hoc"], classes=[])
    held = room.draft()
    assert sorted(Lesson.objects.filter(timetable=held, class_group=room.groups[0], subject_code="toan").values_list("duration", flat=True)) == [1, 1, 2]
    joined = Lesson.objects.filter(timetable=held, subject_code="giao_duc_the_chat")
    assert joined.count() == 4 and len({one.key for one in joined}) == 2
    assert set(Lesson.objects.filter(timetable=held, subject_code="tin_hoc").values_list("weeks", flat=True)) == {1}
    making.place_all(held)
    assert score(held)[:2] == (0, 0)


def test_a_move_swaps_within_the_class_and_keeps_the_score_right(room):
    held = room.filled()
    room.rule("teacher_max_gaps", 50, number=0, teachers=[])
    assert stored(held)[:2] == (0, 0)
    places.write_score(held, score(held))
    first, second = making.lesson(held, room.groups[0], "toan"), making.lesson(held, room.groups[0], "tin_hoc")
    services.move(actor=room.actor, uid=held.uid, key=first.key, place=problems.place_of(second), version=held.version, now=room.now)
    was = problems.place_of(first)
    first.refresh_from_db()
    assert problems.place_of(first) == problems.place_of(second)
    second.refresh_from_db()
    assert problems.place_of(second) == was
    assert stored(held) == score(held)


def test_the_difference_of_a_part_is_that_of_the_whole(room):
    services.add_usual_rules(actor=room.actor, school=room.school, school_year=2025, now=room.now)
    room.rule("subject_apart", 40, subjects=["toan"], others=["ngu_van"], classes=[])
    room.rule("subject_order", 30, subjects=["toan"], others=["tin_hoc"], classes=[])
    room.rule("teacher_meeting", 70, teachers=[str(p.uid) for p in room.posts.values()], slots=[[1, 0, 0], [2, 0, 4]], number=1)
    held = room.filled()
    built = places.load(held)
    solution = built.solution()
    whole = problems.score(built.problem, solution)
    seen = set()
    for key in list(built.rows)[::5]:
        for slot in built.grid.every()[::3]:
            spots = drafts.landing(built, key, built.grid.place(slot), None)
            after = problems.score(built.problem, drafts.changed(built, solution, spots))
            part = drafts.difference(built, solution, spots)
            assert part == pytest.approx(tuple(a - b for a, b in zip(after, whole, strict=True)))
            seen.add(part)
    assert len(seen) > 5


def test_undo_takes_back_move_by_move(room):
    held = room.filled()
    before = {one.pk: places.spot(one) for one in Lesson.objects.filter(timetable=held)}
    for subject, place in (("toan", (1, 0, 2)), ("ngu_van", (3, 0, 0))):
        held = services.move(
            actor=room.actor, uid=held.uid, key=making.lesson(held, room.groups[1], subject).key, place=place, version=held.version, now=room.now
        )
    for _time in range(TimetableMove.objects.filter(timetable=held).count()):
        held = services.undo(actor=room.actor, uid=held.uid, version=held.version, now=room.now)
    assert {one.pk: places.spot(one) for one in Lesson.objects.filter(timetable=held)} == before
    assert stored(held) == score(held)
    with pytest.raises(drafts.NothingToUndo):
        services.undo(actor=room.actor, uid=held.uid, version=held.version, now=room.now)


def test_pinned_and_common_lessons_stay(room):
    held = room.filled()
    one = making.lesson(held, room.groups[0], "toan")
    held = services.pin(actor=room.actor, uid=held.uid, key=one.key, pinned=True, version=held.version, now=room.now)
    with pytest.raises(drafts.IsFixed):
        services.move(actor=room.actor, uid=held.uid, key=one.key, place=(2, 0, 2), version=held.version, now=room.now)
    flag = Lesson.objects.filter(timetable=held, subject_code="chao_co").first()
    with pytest.raises(drafts.IsFixed):
        services.move(actor=room.actor, uid=held.uid, key=flag.key, place=(2, 0, 2), version=held.version, now=room.now)


def test_stale_moves_and_places_outside_the_week_are_refused(room):
    held = room.filled()
    key = making.lesson(held, room.groups[0], "toan").key
    with pytest.raises(Stale):
        services.move(actor=room.actor, uid=held.uid, key=key, place=(2, 0, 2), version=held.version + 1, now=room.now)
    for place in ((5, 0, 0), (0, 1, 0), (0, 0, 5)):
        with pytest.raises(Invalid):
            services.move(actor=room.actor, uid=held.uid, key=key, place=place, version=held.version, now=room.now)


def test_a_draft_drawn_again_keeps_the_places_of_what_stays(room):
    held = room.filled()
    kept = making.lesson(held, room.groups[0], "ngu_van")
    Assignment.objects.filter(class_group=room.groups[0], subject_code="toan").update(periods=5)
    Assignment.objects.filter(class_group=room.groups[1], subject_code="tin_hoc").update(periods=0)
    assert services.refresh(actor=room.actor, uid=held.uid, version=held.version, on=ON, now=room.now) == (1, 1)
    held.refresh_from_db()
    assert (held.lessons_count, held.placed) == (40, 39)
    assert places.spot(Lesson.objects.get(pk=kept.pk)) == places.spot(kept)


def test_the_checklist_names_what_is_missing_or_cannot_fit(room):
    def said():
        found = queries.checklist(room.actor, on=ON, school_year=2025, at=room.now)
        return " ".join(one.sentence for one in found.findings), found.is_ready

    assert said()[1]
    Assignment.objects.filter(class_group=room.groups[0], subject_code="toan").update(periods=20)
    room.rule("teacher_off", teachers=[str(room.posts["ngu_van"].uid)], slots=[[d, 0, p] for d in range(4) for p in range(5)])
    factories.class_group(room.school, name="7A9")
    sentences, ready = said()
    assert not ready
    for words in ("7A1 có 36 tiết", "Giáo viên ngu_van có 10 tiết", "7A9"):
        assert words in sentences, sentences


# --- publishing ---------------------------------------------------------------------------------------------------


def test_publishing_ends_the_version_before_and_tells_those_whose_week_changes(room):
    first = room.published()
    second = room.draft("Bản 2", base=first.uid)
    assert second.placed == second.lessons_count
    one, other = making.lesson(second, room.groups[0], "toan"), making.lesson(second, room.groups[0], "tin_hoc")
    second = services.move(actor=room.actor, uid=second.uid, key=one.key, place=problems.place_of(other), version=second.version, now=room.now)
    if second.hard:
        pytest.fail("the swap clashes: choose another pair")
    assert len(queries.compare(room.actor, first, second, at=room.now)) == 2
    services.publish(actor=room.actor, uid=second.uid, version=second.version, on=date(2025, 11, 17), now=room.now)
    first.refresh_from_db()
    assert (first.state, first.valid.upper) == ("superseded", date(2025, 11, 17))
    body = Event.objects.filter(kind="timetable.published").order_by("pk").last().body
    assert body["classes"] == [room.groups[0].pk]
    assert sorted(body["posts"]) == sorted([one.post_id, other.post_id])
    assert ClassSheet.objects.get(timetable=first, class_group=room.groups[0]).valid.upper == date(2025, 11, 17)


def test_unfinished_versions_and_earlier_days_are_not_published(room):
    empty = room.draft()
    with pytest.raises(publishing.NotReady):
        services.publish(actor=room.actor, uid=empty.uid, version=None, on=ON, now=room.now)
    room.published(on=date(2025, 12, 1))
    later = room.filled()
    with pytest.raises(publishing.PublishedLater):
        services.publish(actor=room.actor, uid=later.uid, version=None, on=date(2025, 11, 17), now=room.now)


def test_the_database_keeps_what_is_published(room):
    held = room.published()
    with pytest.raises(DatabaseError, match="sealed"), transaction.atomic():
        Lesson.objects.filter(timetable=held).update(period=0)
    with pytest.raises(DatabaseError, match="sealed"), transaction.atomic():
        Lesson.objects.filter(timetable=held).delete()
    with pytest.raises(DatabaseError, match="sealed"), transaction.atomic():
        Timetable.objects.filter(pk=held.pk).update(title="Khác")
    with pytest.raises(drafts.NotADraft):
        services.undo(actor=room.actor, uid=held.uid, version=None, now=room.now)
    with pytest.raises(IntegrityError), transaction.atomic():
        Timetable.objects.create(school=room.school, school_year=2025, title="Chồng", pattern=held.pattern, state="published", valid=held.valid)


# --- absences -----------------------------------------------------------------------------------------------------


def test_proposals_are_free_and_put_the_subject_then_the_fewest_covers_first(room):
    second = factories.post(room.school, "Giáo viên Toán khác")
    Assignment.objects.create(
        post=second, class_group=room.groups[0], school_id=room.school.pk, school_year=2025, subject_code="toan", periods=1,
        valid=factories.SCHOOL_YEAR,
    )  # fmt: skip
    room.published()
    away = services.add_absence(actor=room.actor, post=room.posts["toan"], first=ON, last=ON + timedelta(6), note="", now=room.now)
    found = queries.open_lessons(room.actor, away, at=room.now)
    assert len(found) == Lesson.objects.filter(post=room.posts["toan"]).count()
    for one in found:
        busy = set(
            Lesson.objects.filter(day=one.lesson.day, half=one.lesson.half, period=one.lesson.period).values_list("post_id", flat=True)
        )
        assert one.proposals and not busy & {p.post.pk for p in one.proposals}
        if second.pk not in busy and one.lesson.subject_code == "toan":
            assert one.proposals[0].post.pk == second.pk


def test_a_cover_shows_on_the_sheet_and_the_same_person_is_not_asked_twice_at_once(room):
    room.published()
    post = room.posts["toan"]
    away = services.add_absence(actor=room.actor, post=post, first=ON, last=ON + timedelta(6), note="Tập huấn", now=room.now)
    one = next(o for o in queries.open_lessons(room.actor, away, at=room.now) if o.lesson.subject_code == "toan")
    who = one.proposals[0].post
    values = {"actor": room.actor, "absence": away.uid, "lesson": one.lesson.uid, "on": one.on, "now": room.now}
    cover = services.decide_cover(**values, kind="cover", post=who.uid)
    sheet = ClassSheet.objects.get(class_group=one.lesson.class_group)
    assert [change["kind"] for change in sheet.changes[one.on.isoformat()]] == ["cover"]
    busy = Lesson.objects.filter(day=one.lesson.day, period=one.lesson.period).exclude(post=post).first()
    if busy is not None and busy.post_id is not None:
        with pytest.raises(cover_services.NotFree):
            services.decide_cover(**values, kind="cover", post=busy.post.uid)
    again = services.decide_cover(**values, kind="free", post=None)
    assert again.pk == cover.pk and Cover.objects.count() == 1
    with pytest.raises(Invalid):
        services.decide_cover(**values, kind="cover", post=None)
    with pytest.raises(NotFound):
        services.decide_cover(**{**values, "on": one.on + timedelta(1)}, kind="free", post=None)
    services.withdraw_absence(actor=room.actor, uid=away.uid, now=room.now)
    sheet.refresh_from_db()
    assert sheet.changes == {}


def test_absences_of_a_teacher_do_not_overlap(room):
    post = room.posts["toan"]
    services.add_absence(actor=room.actor, post=post, first=ON, last=ON, note="", now=room.now)
    with pytest.raises(cover_services.AbsentAlready):
        services.add_absence(actor=room.actor, post=post, first=ON, last=ON + timedelta(2), note="", now=room.now)
    with pytest.raises(Invalid):
        services.add_absence(actor=room.actor, post=post, first=ON, last=ON - timedelta(1), note="", now=room.now)


def test_odd_and_even_weeks_turn_with_the_monday():
    first = date(2025, 9, 3)  # a Wednesday
    assert [covering.week_bit(day, first) for day in (first, date(2025, 9, 7), date(2025, 9, 8), date(2025, 9, 15))] == [1, 1, 2, 1]
