"""Saving cells: merged cell by cell, in a fixed number of statements, with one ledger entry."""

from __future__ import annotations

import pytest

from khue.kernel import ledger
from khue.kernel.audit.models import Act
from khue.kernel.errors import NotAllowed, NotFound
from khue.kernel.events.models import Event
from khue.school.gradebook import queries, services
from khue.school.gradebook.errors import RegisterLocked, TooManyCells
from khue.school.gradebook.models import Line, Register
from khue.school.gradebook.services import CellChange
from tests import factories
from tests.school.gradebook import books

pytestmark = pytest.mark.usefixtures("everything")


def line(made: books.Book, place: int) -> Line:
    return Line.objects.get(register=made.register(), learner=made.learners[place])


def test_a_class_is_opened_with_its_subjects_and_learners_and_again_changes_nothing(now):
    made = books.book()
    codes = set(Register.objects.filter(class_group=made.group).values_list("subject_code", flat=True))
    assert {"toan", "ngu_van", "nghe_thuat", "giao_duc_dia_phuong"} <= codes
    assert "ngoai_ngu_2" not in codes  # an elective nobody is assigned to
    assert made.register().regular_count == 4  # more than 70 periods a year
    assert made.register("tin_hoc").regular_count == 2
    again = services.open_registers(actor=made_system(), class_group=made.group, term=1, now=now)
    assert (again.registers, again.lines) == (0, 0)
    factories.learners(made.group, 1)
    later = services.open_registers(actor=made_system(), class_group=made.group, term=1, now=now)
    assert (later.registers, later.lines) == (0, len(codes))


def made_system():
    from khue.kernel.permissions import system_actor

    return system_actor("tests")


def test_a_save_writes_marks_average_ledger_audit_and_event():
    made = books.book()
    saved = made.save((0, "r1", "8"), (0, "r2", "7,5"), (0, "r3", "9"), (0, "r4", "8"), (0, "mid", "8"), (0, "fin", "8,5"), (1, "r1", "10"))
    assert [cell.value for cell in saved.saved] == ["8", "7.5", "9", "8", "8", "8.5", "10"]
    written = line(made, 0)
    assert (written.regular, written.midterm, written.final, written.average) == ([80, 75, 90, 80], 80, 85, 82)
    assert saved.lines[0].outcome == "8,2"
    assert line(made, 1).average is None
    [entry] = ledger.history(made.register())
    assert entry.document["data"]["cells"][1] == {"learner": made.uids[0], "slot": "r2", "old": "", "new": "7.5"}
    assert Act.objects.get(act="gradebook.marks.set").facts["cells"] == 7
    assert Event.objects.get(kind="gradebook.mark-set").body["count"] == 7


def test_the_same_request_twice_writes_once():
    made = books.book()
    first = made.save((0, "r1", "8"), seen=0)
    second = made.save((0, "r1", "8"), seen=0)
    assert (first.sequence, second.sequence, second.changed) == (1, 1, 0)
    assert [cell.value for cell in second.saved] == ["8"]
    assert len(ledger.history(made.register())) == 1


def test_two_writers_of_one_cell_both_values_are_shown_and_the_other_cells_are_saved():
    made = books.book()
    made.save((0, "r1", "8"), seen=0)
    answer = made.save((0, "r1", "5"), (1, "r1", "6"), seen=0)
    [conflict] = answer.conflicts
    assert (conflict.value, conflict.mine, conflict.who, conflict.stamp) == ("8", "5", made.teacher.name, 1)
    assert [(cell.learner, cell.value) for cell in answer.saved] == [(made.uids[1], "6")]
    assert (line(made, 0).regular[0], line(made, 1).regular[0]) == (80, 60)
    chosen = made.save((0, "r1", "5"), seen=answer.sequence)
    assert not chosen.conflicts
    assert line(made, 0).regular[0] == 50


def test_a_whole_form_sent_back_keeps_what_another_changed_meanwhile():
    made = books.book()
    made.save((0, "r1", "8"), (1, "r1", "7"), seen=0)
    made.save((0, "r1", "9"), seen=1)
    answer = made.save((0, "r1", "8"), (1, "r1", "6"), seen=1)  # the form still shows 8 for the first
    assert not answer.conflicts
    assert [(cell.learner, cell.value) for cell in answer.kept] == [(made.uids[0], "9")]
    assert (line(made, 0).regular[0], line(made, 1).regular[0]) == (90, 60)


def test_cells_that_do_not_fit_are_named_and_the_others_saved():
    made = books.book()
    answer = made.save((0, "r1", "85"), (1, "r1", "8,5"), (2, "r9", "8"), (2, "r1", "<script>"), seen=0)
    assert [(one.slot, one.code) for one in answer.refused] == [("r1", "comma-missing"), ("r9", "no-such-cell"), ("r1", "not-a-mark")]
    assert answer.refused[0].suggestion == "8,5"
    assert line(made, 1).regular[0] == 85
    stranger = services.save_cells(
        actor=made.actor(), register=made.register().uid, now=books.NOW, changes=[CellChange("not-a-uid", "r1", "8")]
    )
    assert stranger.refused[0].code == "not-in-register"


def test_a_mark_can_be_withdrawn_and_its_history_says_so(now):
    made = books.book()
    made.save((0, "r1", "8"))
    made.save((0, "r1", ""))
    changes = queries.cell_history(made.actor(), made.register().uid, made.uids[0], "r1", now=now)
    assert [(one.old, one.new, one.who) for one in changes] == [("", "8", made.teacher.name), ("8", "", made.teacher.name)]
    assert line(made, 0).regular[0] is None


@pytest.mark.parametrize("count", [10, 45])
def test_a_save_costs_the_same_statements_whatever_its_size(count, counted):
    made = books.book(count=count)
    actor, register = made.actor(), made.register()
    with counted() as few:
        books.Book.save(made, *[(place, "r1", "8,5") for place in range(count)], actor=actor, register=register)
    assert few.total <= 8, few.statements


def test_only_who_teaches_the_subject_to_the_class_writes(now):
    made = books.book()
    change = [CellChange(made.uids[0], "r1", "8")]
    other_subject = factories.teacher(made.school, made.group, "ngu_van")
    for account, role in ((made.homeroom, "homeroom_teacher"), (made.homeroom, "subject_teacher"), (other_subject, None)):
        with pytest.raises(NotAllowed):
            services.save_cells(actor=factories.actor_of(account, role=role), register=made.register().uid, changes=change, now=now)
    for role in ("principal", "clerk", "guardian"):
        account = factories.account(role, made.school if role != "guardian" else None)
        with pytest.raises((NotAllowed, NotFound)):
            services.save_cells(actor=factories.actor_of(account), register=made.register().uid, changes=change, now=now)
    elsewhere = factories.teacher(factories.school(), made.group, "toan")
    with pytest.raises(NotFound):
        services.save_cells(actor=factories.actor_of(elsewhere), register=made.register().uid, changes=change, now=now)
    assert line(made, 0).regular in ([], [None] * 4)


def test_a_closed_register_refuses(now):
    made = books.book()
    Register.objects.filter(pk=made.register().pk).update(locked_at=now)
    with pytest.raises(RegisterLocked):
        made.save((0, "r1", "8"))


def test_a_save_has_a_most(now):
    made = books.book()
    with pytest.raises(TooManyCells):
        services.save_cells(
            actor=made.actor(), register=made.register().uid, now=now,
            changes=[CellChange(made.uids[0], "r1", str(number)) for number in range(2001)],
        )  # fmt: skip


def test_primary_registers_hold_levels_tests_and_comments():
    made = books.book(grade=4, subject="toan")
    answer = made.save((0, "mid", "T"), (0, "mid_test", "9"), (0, "fin", "h"), (0, "fin_test", "8"), (0, "comment", "Em tính nhanh."), (1, "fin_test", "0"))
    assert [one.code for one in answer.refused] == ["not-a-test-mark"]
    written = line(made, 0)
    assert (written.level, written.midterm, written.final, written.comment) == ("H", 90, 80, "Em tính nhanh.")


def test_a_mark_changed_by_hand_is_named_by_the_ledger():
    made = books.book()
    made.save((0, "r1", "5"), (1, "r1", "6"))
    assert queries.differences(made.register()) == []
    Line.objects.filter(register=made.register(), learner=made.learners[0]).update(regular=[100])
    [found] = queries.differences(made.register())
    assert (found.learner, found.slot, found.recorded, found.found) == (made.uids[0], "r1", "5", "10")


def test_an_exemption_is_the_leaders_decision_and_takes_the_subject_out(now):
    made = books.book()
    principal = factories.actor_of(factories.account("principal", made.school))
    services.exempt(actor=principal, register=made.register().uid, learner=made.uids[0], is_exempt=True, reason="Kế hoạch cá nhân", now=now)
    answer = made.save((0, "r1", "8"))
    assert answer.refused[0].code == "exempt"
    with pytest.raises(NotAllowed):
        services.exempt(actor=made.actor(), register=made.register().uid, learner=made.uids[1], is_exempt=True, reason="x", now=now)
