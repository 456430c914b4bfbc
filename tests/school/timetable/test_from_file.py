"""From the teaching assignment as vnEdu lays it out to a timetable: imported by the clerk, placed by the solver."""

from datetime import date

import pytest
from django.utils import timezone

from khue.gateway.exchange import services as exchange
from khue.kernel import jobs
from khue.school.timetable import places, problems, services, work
from khue.school.timetable.models import Lesson
from tests import factories
from tests.gateway.exchange import books
from tests.school.timetable import making

CLASSES = [["Tên lớp", "Khối", "GVCN"], ["10 HÓA 2", 10, ""], ["10 ANH 1", 10, ""]]
NAMES = {"LOPVNEDU": [["LopVNEDU", "LopTKB"], ["10 HÓA 2", "10H2"], ["10 ANH 1", "10AV1"]], "MONVNEDU": [["MonTKB", "MonVNEDU"], ["Kĩ thuật NN", "Công nghệ"]]}
ASSIGNED = [
    ["GIAOVIEN", "MONVNEDU", "DSLOPDAY"],
    ["Ngô Thị Huyên (003)", "Địa lí", "10H2(2), 10AV1(2)"],
    ["Ngô Thị Huyên (003)", "GDCD", "10H2(1)"],
    ["Lê Văn Tám", "Toán", "10H2(4), 10AV1(3)"],
    ["Trần Thị Ba", "Ngữ văn", "10H2(3), 10AV1(4)"],
    ["Võ Văn Bảy", "Kĩ thuật NN", "10AV1(2)"],
    ["Đỗ Văn Chín", "Giáo dục thể chất", "10H2(2), 10AV1(2)"],
]  # fmt: skip


@pytest.fixture
def school(everything):
    return factories.school("Trường THPT Chuyên", levels=("upper_secondary",))


def test_a_vnedu_file_becomes_a_timetable(school, tmp_path, now, monkeypatch):
    clerk = factories.actor_of(factories.account("clerk", school))
    for kind, rows, sheets, options in (("classes", CLASSES, None, {}), ("assignments", ASSIGNED, NAMES, {"create_staff": True})):
        path = tmp_path / f"{kind}.xlsx"
        path.write_bytes(books.xlsx(rows, name="PCGD_Mau1" if sheets else "Danh sách", sheets=sheets))
        report = exchange.import_file(clerk, school, kind, path, now=now, school_year=factories.YEAR, options=options)
        assert report.problems == []
    services.save_week(actor=clerk, school=school, values={**making.WEEK, "flag": None, "class_hour": None}, from_day=date(2025, 8, 1), now=now)
    services.add_usual_rules(actor=clerk, school=school, school_year=factories.YEAR, now=now)
    held = services.draft(actor=clerk, school=school, school_year=factories.YEAR, title="Từ vnEdu", on=making.ON, now=now)
    assert held.lessons_count == 2 + 2 + 1 + 4 + 3 + 3 + 4 + 2 + 2 + 2
    monkeypatch.setattr(work, "PULSE", 0.05)
    job = services.start_solving(actor=clerk, uid=held.uid, version=None, seconds=5, seed=1, keeps=False, now=now)
    jobs.run(job.pk, clock=timezone.now)
    held.refresh_from_db()
    built = places.load(held)
    assert (held.placed, held.hard) == (held.lessons_count, 0)
    assert problems.score(built.problem, built.solution())[:2] == (0, 0)
    assert Lesson.objects.filter(timetable=held, post__person__name="Ngô Thị Huyên", class_group__name="10 HÓA 2").count() == 3
    assert {row.subject_code for row in Lesson.objects.filter(timetable=held, post__person__name="Võ Văn Bảy")} == {"cong_nghe"}
