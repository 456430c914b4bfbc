"""A learner changes class or school within the year: her marks go along, are counted once, and say where they came from."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, date, datetime
from unittest.mock import patch

import pytest
from django.utils import timezone

from khue.kernel import events, jobs, ledger
from khue.kernel.database import scope
from khue.kernel.permissions import system_actor
from khue.register.people.models import Person
from khue.register.schooling import services as schooling
from khue.school.gradebook import cells, queries, services
from khue.school.gradebook.cells import Marks
from khue.school.gradebook.models import Absence, Closing, Correction, Line, Register, Result
from khue.school.gradebook.queries.history import differences
from khue.school.gradebook.services import CellChange, ConductChange
from khue.school.gradebook.services.carrying import ACT, places
from khue.school.gradebook.services.marks import ruling
from khue.school.transcripts import building
from tests import factories
from tests.school.gradebook import books

pytestmark = pytest.mark.usefixtures("everything")
MID_TERM = books.NOW
BETWEEN = datetime(2026, 1, 20, 2, 0, tzinfo=UTC)  # the first term ended on 18 January by the ministry's framework
MAY = datetime(2026, 5, 20, 2, 0, tzinfo=UTC)
SYSTEM = system_actor("tests")


@contextmanager
def seen_by(actor):
    """Work in the row-level scope a request of this actor has."""
    with scope.opened(everything=actor.schools is None, schools=actor.schools or (), people=actor.people):
        yield actor


def principal(made: books.Book):
    if "principal" not in made.accounts:
        made.accounts["principal"] = factories.account("principal", made.school)
    return factories.actor_of(made.accounts["principal"])


def homeroom(made: books.Book):
    return factories.actor_of(made.homeroom, role="homeroom_teacher")


def move(old: books.Book, new: books.Book, place: int, *, at: datetime) -> Person:
    """Move one learner within the school, or by a transfer both schools agree to; then deliver what was announced."""
    learner, on = old.learners[place], at.date()
    if old.school == new.school:
        schooling.change_class(actor=principal(old), learner=learner, group=new.group, on=on, now=at, reason="Theo nguyện vọng")
    else:
        asked = schooling.ask_transfer(actor=principal(old), learner=learner, to_school=new.school, effective_on=on, reason="Chuyển nhà", now=at)
        schooling.agree(actor=principal(old), uid=asked.uid, now=at)
        schooling.agree(actor=principal(new), uid=asked.uid, to_class=new.group, now=at)
    deliver(at)
    return learner


def deliver(at: datetime) -> None:
    events.deliver(now=at)


def fill(made: books.Book, who: Person, *, term: int, text: str = "8,5") -> None:
    """Give every cell one learner still lacks a value, and her conduct."""
    for register in Register.objects.select_related("class_group").filter(class_group=made.group, term=term):
        line = Line.objects.filter(register=register, learner=who).first()
        if line is None:
            continue
        marks = Marks(line.regular, line.midterm, line.final, line.levels, line.comment, line.states, line.stamps)
        sheet = ruling(register)
        changes = [
            CellChange(str(who.uid), slot, text if sheet.kind == "score" else "Đ", register.ledger_seq)
            for slot in cells.missing(sheet, marks)
        ]
        saved = services.save_cells(actor=SYSTEM, register=register.uid, changes=changes, now=MID_TERM)
        assert not saved.refused, saved.refused
    rate(made, who, term)


def rate(made: books.Book, who: Person, term: int) -> None:
    change = ConductChange(str(Person.objects.values_list("uid", flat=True).get(pk=who.pk)), level="tot")
    services.save_conduct(actor=homeroom(made), class_group=made.group.uid, term=term, changes=[change], now=MID_TERM)


def close(made: books.Book, term: int, at: datetime) -> None:
    if term:
        job = services.start_close_term(actor=homeroom(made), classes=[made.group.uid], term=term, now=at)
    else:
        job = services.start_close_year(actor=principal(made), school=made.school, school_year=2025, now=at)
    with patch("django.utils.timezone.now", lambda: at):  # the job takes the time itself, set by set
        jobs.run(job.pk, clock=lambda: at)


def cells_of(register: Register, who: Person, slots: tuple[str, ...]) -> list[tuple[str, str]]:
    grid = queries.register_grid(SYSTEM, register.uid, now=MID_TERM, learner=str(who.uid))
    return [(cell.shown, cell.came_from) for cell in grid.rows[0].cells if cell.slot in slots]


@pytest.fixture(autouse=True)
def at_test_time(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: MID_TERM)


@pytest.fixture
def two():
    """Two classes of one school with open registers; the first has marks of its first learner."""
    old = books.book(terms=(1, 2), count=2)
    new = books.book(terms=(1, 2), count=2, school=old.school)
    old.save((0, "r1", "8"), (0, "r2", "6,5"), (0, "mid", "7"), (1, "r1", "5"))
    return old, new


@pytest.fixture
def apart():
    """Two classes of two schools."""
    old = books.book(terms=(1, 2), count=2)
    there = factories.school("Trường THCS Lê Lợi")
    new = books.book(terms=(1, 2), count=2, school=there)
    old.save((0, "r1", "8"), (0, "r2", "6,5"), (0, "mid", "7"))
    return old, new


def test_marks_go_along_within_a_term_and_name_the_old_class(two, now):
    old, new = two
    who = move(old, new, 0, at=MID_TERM)
    register = new.register()
    assert cells_of(register, who, ("r1", "r2", "mid", "fin")) == [
        ("8", old.group.name), ("6,5", old.group.name), ("7", old.group.name), ("", ""),
    ]  # fmt: skip
    [entry] = [one for one in ledger.history(register) if one.act == ACT]
    assert entry.document["data"]["from"]["register"] == str(old.register().uid)
    assert {cell["new"] for cell in entry.document["data"]["cells"]} == {"8", "6.5", "7"}
    assert old.group.name in entry.document["data"]["reason"]
    assert differences(register) == [] == differences(old.register())
    [change] = queries.cell_history(factories.actor_of(new.teacher), register.uid, str(who.uid), "mid", now=now)
    assert (change.old, change.new) == ("", "7") and old.group.name in change.reason
    other = Line.objects.get(register=register, learner=new.learners[0])
    assert other.carried is None


def test_bringing_twice_brings_once_and_a_new_mark_is_the_new_classs_own(two, now):
    old, new = two
    who = move(old, new, 0, at=MID_TERM)
    register = new.register()
    teacher = factories.actor_of(new.teacher)
    services.save_cells(actor=teacher, register=register.uid, changes=[CellChange(str(who.uid), "r1", "9", register.ledger_seq)], now=now)
    services.save_cells(actor=teacher, register=register.uid, changes=[CellChange(str(who.uid), "r2", "", register.ledger_seq + 1)], now=now)
    assert services.carry_marks([new.group.pk], now=now) == 0
    assert cells_of(register, who, ("r1", "r2", "mid")) == [("9", ""), ("", ""), ("7", old.group.name)]


def test_the_old_teacher_writes_no_more_and_the_old_register_keeps_what_it_had(two, now):
    old, new = two
    who = move(old, new, 0, at=MID_TERM)
    saved = old.save((0, "fin", "9"), (1, "fin", "6"))
    assert [one.code for one in saved.refused] == ["has-moved"] and len(saved.saved) == 1
    assert Line.objects.get(register=old.register(), learner=who).midterm == 70
    page = factories.client_of(old.teacher).get(f"/so-diem/{old.register().uid}/").content.decode()
    assert "đã rời lớp" in page
    gaps = [line.missing for line in queries.my_registers(factories.actor_of(old.teacher), now=now, term=1) if line.uid == str(old.register().uid)]
    sheet = ruling(old.register())
    assert gaps == [len(sheet.required) - 2]  # only the learner who stayed, with r1 and fin


def test_the_new_class_counts_what_was_brought_and_the_old_one_closes_without_her(two, now):
    old, new = two
    Absence.objects.create(class_group=old.group, learner=old.learners[0], school_id=old.school.pk, school_year=2025, term=1, on=date(2025, 10, 1), is_excused=True)
    who = move(old, new, 0, at=MID_TERM)
    Absence.objects.create(class_group=new.group, learner=who, school_id=new.school.pk, school_year=2025, term=1, on=date(2025, 12, 1), is_excused=True)
    fill(old, old.learners[1], term=1)
    for one in (*new.learners, who):
        fill(new, one, term=1)
    close(old, 1, BETWEEN)
    close(new, 1, BETWEEN)
    [result] = Result.objects.filter(learner=who)
    sheet = ruling(new.register())
    regular = [80, 65, *[85] * (sheet.regular_count - 2)]
    total = sum(regular) + 2 * 70 + 3 * 85
    assert result.class_group_id == new.group.pk
    assert result.subjects["toan"]["result"] == (2 * total + len(regular) + 5) // (2 * (len(regular) + 5))
    assert (result.absences_excused, result.absences_unexcused) == (2, 0)


def test_her_family_reads_where_a_mark_was_given(two, now):
    old, new = two
    who = move(old, new, 0, at=MID_TERM)
    guardian = factories.actor_of(factories.guardian(who))
    with seen_by(guardian):
        found = queries.child_results(guardian, who, now=now)
    by_class = {(one.term, one.class_name): {subject.code: dict(subject.cells) for subject in one.subjects} for one in found.terms}
    assert by_class[1, new.group.name]["toan"][f"Giữa kỳ (từ lớp {old.group.name})"] == "7"
    assert by_class[1, old.group.name]["toan"]["Giữa kỳ"] == "7"


def test_a_place_that_is_taken_sends_a_regular_mark_to_the_next_free_one():
    new = books.book(terms=(1,), count=1)
    sheet = ruling(new.register())
    given = Marks(regular=[80, 65], midterm=70)
    own = Marks(regular=[90], midterm=60)
    moved = places(sheet, given, own)
    assert ("r1" not in {slot for slot, _was, _value in moved}) and ("mid" not in {slot for slot, _was, _value in moved})
    assert [(was, value) for _slot, was, value in moved] == [("r1", "8"), ("r2", "6.5")] or sheet.regular_count < 3
    full = Marks(regular=[90] * sheet.regular_count)
    assert [slot for slot, _was, _value in places(sheet, given, full)] == ["mid"]
    assert places(sheet, Marks(), own) == []


def test_between_terms_the_old_class_closes_the_first_and_the_new_one_the_year(two, now):
    old, new = two
    for one in old.learners:
        fill(old, one, term=1)
    who = move(old, new, 0, at=BETWEEN)
    assert not Line.objects.filter(register__class_group=new.group, register__term=1, learner=who).exists()
    assert Line.objects.filter(register__class_group=new.group, register__term=2, learner=who).exists()
    for one in new.learners:
        fill(new, one, term=1)
    close(old, 1, BETWEEN)
    close(new, 1, BETWEEN)
    assert [one.class_group_id for one in Result.objects.filter(learner=who)] == [old.group.pk]
    _finish(old, new, who)
    year = Result.objects.get(learner=who, term=0)
    assert year.class_group_id == new.group.pk
    assert (year.subjects["toan"]["term1"], year.subjects["toan"]["term2"]) == (Result.objects.get(learner=who, term=1).subjects["toan"]["result"], 85)


def _finish(old: books.Book, new: books.Book, who: Person) -> None:
    """Close the second term of both classes and the year of the new one's school."""
    fill(old, old.learners[1], term=2)
    for one in (*new.learners, who):
        fill(new, one, term=2)
    close(old, 2, MAY)
    close(new, 2, MAY)
    close(new, 0, MAY)


def test_a_transcript_is_built_over_both_classes(two, now):
    old, new = two
    for one in (*old.learners,):
        fill(old, one, term=1)
    who = move(old, new, 0, at=BETWEEN)
    for one in new.learners:
        fill(new, one, term=1)
    close(old, 1, BETWEEN)
    close(new, 1, BETWEEN)
    _finish(old, new, who)
    factories.post(new.school, "Hiệu trưởng", "principal")
    facts = building.class_facts(new.group, now=MAY)
    read = building.sources(facts, [who.pk])
    content = building.content_of(who.pk, facts=facts, read=read, uid="u", number=1, supersedes=None)
    maths = next(row for row in content["subjects"] if row["code"] == "toan")
    assert maths["term1"] and maths["term2"] == "8.5"
    assert content["learning"]["term1"]["code"] and content["conduct"]["term1"]["code"] == "tot"


def test_marks_go_along_to_another_school(apart, now):
    old, new = apart
    who = move(old, new, 0, at=MID_TERM)
    teacher = factories.actor_of(new.teacher)
    with seen_by(teacher):
        grid = queries.register_grid(teacher, new.register().uid, now=now)
        row = next(row for row in grid.rows if row.learner == str(who.uid))
        assert row.came_from == f"{old.group.name}, {old.school.name}"
        assert [cell.shown for cell in row.cells if cell.slot in ("r1", "r2", "mid")] == ["8", "6,5", "7"]
    assert row.came_from in factories.client_of(new.teacher).get(f"/so-diem/{new.register().uid}/").content.decode()
    former = factories.actor_of(old.teacher)
    with seen_by(former):
        grid = queries.register_grid(former, old.register().uid, now=now)
    assert [row.learner for row in grid.rows].count("") == 1  # her name went with her file


def test_the_old_school_may_still_close_the_term_she_ended_there(apart, now):
    old, new = apart
    fill(old, old.learners[1], term=1)
    who = move(old, new, 0, at=BETWEEN)
    for one in new.learners:
        fill(new, one, term=1)
    former = factories.actor_of(old.teacher)
    with seen_by(former):
        grid = queries.register_grid(former, old.register().uid, now=BETWEEN)
        assert str(who.uid) in [row.learner for row in grid.rows]  # hers to assess, so by name
    fill(old, who, term=1)
    leader = homeroom(old)
    with seen_by(leader):
        rows = queries.class_results(leader, old.group.uid, term=1, now=BETWEEN).rows
        assert {row.uid for row in rows} == {str(one.uid) for one in old.learners} and all(row.name for row in rows)
        close(old, 1, BETWEEN)
    with seen_by(former):
        names = [row.learner for row in queries.register_grid(former, old.register().uid, now=BETWEEN).rows]
    assert str(who.uid) not in names  # closed: her name is the new school's alone
    assert ledger.history(_closing(old))[-1].document["data"]["results"].keys() == set(old.uids)
    leader = homeroom(new)
    with seen_by(leader):
        close(new, 1, BETWEEN)
        fill_all = [*new.learners, who]
    for one in fill_all:
        fill(new, one, term=2)
    with seen_by(leader):
        close(new, 2, MAY)
    head = principal(new)
    with seen_by(head):
        close(new, 0, MAY)
        year = Result.objects.get(learner=who, term=0)
        assert year.class_group_id == new.group.pk and year.subjects["toan"]["term1"]
        facts = building.class_facts(new.group, now=MAY)
        read = building.sources(facts, [who.pk])
        assert set(read.results[who.pk]) == {0, 1, 2}


def _closing(made: books.Book):
    return Closing.objects.get(class_group=made.group, term=1)


def test_a_class_that_had_closed_before_she_came_leaves_her_term_to_the_old_one(two, now):
    old, new = two
    for one in new.learners:
        fill(new, one, term=1)
    close(new, 1, MID_TERM)
    who = move(old, new, 0, at=datetime(2025, 12, 1, 2, 0, tzinfo=UTC))
    assert not Line.objects.filter(register__class_group=new.group, register__term=1, learner=who).exists()
    for one in old.learners:
        fill(old, one, term=1)
    close(old, 1, BETWEEN)
    assert Result.objects.get(learner=who, term=1).class_group_id == old.group.pk


def test_a_correction_in_the_old_class_reaches_the_year_of_the_new_one(two, now):
    old, new = two
    for one in old.learners:
        fill(old, one, term=1)
    who = move(old, new, 0, at=BETWEEN)
    for one in new.learners:
        fill(new, one, term=1)
    close(old, 1, BETWEEN)
    close(new, 1, BETWEEN)
    _finish(old, new, who)
    before = Result.objects.get(learner=who, term=0, is_current=True)
    asked = services.ask_correction(
        actor=old.actor(), register=old.register().uid, learner=str(who.uid), slot="fin", value="3", reason="Nhập nhầm điểm cuối kỳ", now=MAY
    )
    services.check_correction(actor=homeroom(old), correction=asked.uid, now=MAY)
    services.decide_correction(actor=principal(old), correction=asked.uid, approve=True, now=MAY)
    assert Correction.objects.get(pk=asked.pk).state == "done"
    first, year = (Result.objects.get(learner=who, term=term, is_current=True) for term in (1, 0))
    assert (first.revision, first.class_group_id) == (2, old.group.pk)
    assert (year.revision, year.class_group_id) == (2, new.group.pk)
    assert year.subjects["toan"]["year"] < before.subjects["toan"]["year"]


def test_registers_opened_after_she_came_get_her_marks_too(now):
    old = books.book(terms=(1,), count=1)
    new = books.book(terms=(), count=1, school=old.school)
    old.save((0, "r1", "8"))
    who = move(old, new, 0, at=MID_TERM)
    services.open_registers_of_classes(actor=SYSTEM, classes=[new.group], terms=(1,), now=now)
    assert cells_of(new.register(), who, ("r1",)) == [("8", old.group.name)]


def test_an_exemption_is_the_schools_own(two, apart, now):
    for (old, new), stays in ((two, True), (apart, False)):
        services.exempt(actor=principal(old), register=old.register().uid, learner=old.uids[0], is_exempt=True, reason="Theo kế hoạch cá nhân", now=now)
        who = move(old, new, 0, at=MID_TERM)
        assert Line.objects.get(register=new.register(), learner=who).is_exempt is stays
