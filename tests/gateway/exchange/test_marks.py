"""Marks of one register from a sheet, by the teacher whose register it is."""

from __future__ import annotations

import pytest

from khue.gateway.exchange import services
from khue.gateway.exchange.models import ImportRow, What
from khue.kernel.errors import DomainError
from khue.school.gradebook.models import Line, Register
from khue.school.gradebook.services import registers
from tests import factories
from tests.gateway.exchange import books

pytestmark = pytest.mark.usefixtures("everything")


@pytest.fixture
def sheet(now, tmp_path):
    here = factories.school()
    group = factories.class_group(here, name="7A1")
    learners = factories.learners(group, 3)
    account = factories.teacher(here, group, "toan")
    office = factories.actor_of(factories.account("principal", here))
    registers.open_registers(actor=office, class_group=group, term=1, now=now)
    register = Register.objects.get(class_group=group, subject_code="toan", term=1)

    def go(rows, *, actor=None, apply=True):
        path = tmp_path / "diem.xlsx"
        path.write_bytes(books.xlsx(rows))
        return services.import_file(
            actor or factories.actor_of(account), here, "marks", path, now=now, school_year=factories.YEAR, apply=apply, options={"register": str(register.uid)}
        )

    return go, learners, register, factories.actor_of(account), here


HEAD = ["STT", "Mã học sinh", "Họ và tên", "ĐGTX 1", "ĐGTX 2", "Giữa kỳ", "Cuối kỳ", "Nhận xét"]


def test_marks_come_in_and_go_back(sheet, now):
    go, learners, register, teacher, _here = sheet
    rows = [HEAD, [1, learners[0].code, "", 8, "7,5", 8.5, "9", "Chăm học"], [2, "", learners[1].name, "6", "", "", "", ""], [3, "", learners[2].name, "85", "", "", "", ""]]
    report = go(rows)
    assert report.applied[What.CHANGED] == 2 and [p[0] for p in report.problems] == [4]
    line = Line.objects.get(register=register, learner=learners[0])
    assert (line.regular[:2], line.midterm, line.final, line.comment) == ([80, 75], 85, 90, "Chăm học")
    assert go(rows).checked.get(What.UNCHANGED) == 2
    services.start_undo(actor=teacher, uid=report.batch.uid, now=now)
    services.drive(services.work.undo, report.batch.pk, teacher, now)
    line.refresh_from_db()
    assert (line.regular[:2], line.midterm, line.final, line.comment) == ([None, None], None, None, "")


def test_a_mark_changed_since_is_kept_and_named(sheet, now):
    go, learners, register, teacher, _here = sheet
    report = go([HEAD, [1, learners[0].code, "", 8, 7, "", "", ""]])
    go([HEAD, [1, learners[0].code, "", 9, "", "", "", ""]])
    services.start_undo(actor=teacher, uid=report.batch.uid, now=now)
    services.drive(services.work.undo, report.batch.pk, teacher, now)
    assert Line.objects.get(register=register, learner=learners[0]).regular[:2] == [90, None]
    assert ImportRow.objects.get(batch=report.batch).detail["undone"][0]["code"] == "changed-since"


def test_another_teacher_and_the_clerk_may_not(sheet):
    go, learners, _register, _teacher, here = sheet
    rows = [HEAD, [1, learners[0].code, "", 8, 7, "", "", ""]]
    for account in (factories.teacher(here, name="Lê Văn Khác"), factories.account("clerk", here)):
        with pytest.raises(DomainError):
            go(rows, actor=factories.actor_of(account))
    assert Line.objects.get(learner=learners[0], register__subject_code="toan", register__term=1).regular[:1] in ([], [None])
