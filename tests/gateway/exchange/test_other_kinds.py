"""Classes, staff and the teaching assignment; the vnEdu layout as schools have it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from khue.gateway.exchange import services
from khue.gateway.exchange.kinds.assignments import class_list
from khue.gateway.exchange.kinds.base import Bad
from khue.gateway.exchange.models import ImportRow, What
from khue.register.people.models import Person
from khue.register.schooling.models import ClassGroup
from khue.register.staff.models import Post
from khue.school.teaching.models import Assignment
from tests import factories
from tests.gateway.exchange import books

pytestmark = pytest.mark.usefixtures("everything")

VNEDU = [
    ["GIAOVIEN", "MONVNEDU", "DSLOPDAY"],
    ["Ngô Thị Huyên (003)", "Địa lí", "10H2(2), 10AV1(2), 10VAN(3)"],
    ["Ngô Thị Huyên (003)", "GDCD", "10H2(1)"],
    ["Ngô Thị Huyên (004)", "Hóa học", "10H2(3)"],
    ["Trịnh Ngọc Ánh (102)", "Giáo dục quốc phòng và an ninh", "10AV1(2), 10AV1(2)"],
    ["Võ Văn Bảy", "Kĩ thuật NN", "10VAN(2)"],
]
EXTRA = {
    "MONVNEDU": [["MonTKB", "MonVNEDU"], ["Kĩ thuật NN", "Công nghệ"]],
    "LOPVNEDU": [["LopVNEDU", "LopTKB"], ["10 HÓA 2", "10H2"], ["10 ANH 1", "10AV1"], ["10 VĂN", "10VAN"]],
}
CLASSES = [["Tên lớp", "Khối", "GVCN"], ["10 HÓA 2", 10, ""], ["10 ANH 1", 10, ""], ["10 VĂN", "", ""]]


@pytest.fixture
def here():
    return factories.school("Trường THPT Chuyên", levels=("upper_secondary",))


@pytest.fixture
def clerk(here):
    return factories.actor_of(factories.account("clerk", here))


@pytest.fixture
def run(clerk, here, tmp_path, now):
    def go(kind, rows, *, sheets=None, name="tep.xlsx", **more):
        path = tmp_path / name
        path.write_bytes(books.xlsx(rows, name="PCGD_Mau1" if sheets else "Danh sách", sheets=sheets))
        return services.import_file(clerk, here, kind, path, now=now, school_year=factories.YEAR, **more)

    return go


def undo(clerk, batch, now):
    services.start_undo(actor=clerk, uid=batch.uid, now=now)
    services.drive(services.work.undo, batch.pk, clerk, now)


def test_vnedu_layout_imports_as_it_stands(run, clerk, here, now):
    assert run("classes", CLASSES).applied[What.NEW] == 3
    report = run("assignments", VNEDU, sheets=EXTRA, options={"create_staff": True})
    assert report.problems == [] and report.applied[What.NEW] == 5
    made = Assignment.objects.filter(school_id=here.pk)
    assert sum(made.values_list("periods", flat=True)) == 2 + 2 + 3 + 1 + 3 + 4 + 2
    assert Post.objects.filter(school=here).count() == 4  # two teachers of one name are told apart by their number
    assert made.get(periods=1).subject_code == "giao_duc_kinh_te_phap_luat" and made.get(post__person__name="Võ Văn Bảy").subject_code == "cong_nghe"
    twice = ImportRow.objects.get(batch=report.batch, number=5)
    assert twice.detail["notes"][0]["code"] == "class-twice"
    again = run("assignments", VNEDU, sheets=EXTRA, options={"create_staff": True})
    assert again.checked.get(What.UNCHANGED) == 5 and again.applied == {}
    undo(clerk, report.batch, now)
    assert not Assignment.objects.filter(valid__isempty=False).exists() and not Post.objects.filter(valid__isempty=False).exists()
    codes = set(Person.objects.filter(posts__school=here).values_list("code", flat=True))
    third = run("assignments", VNEDU, sheets=EXTRA, options={"create_staff": True})
    assert third.applied[What.NEW] == 5 and set(Person.objects.filter(posts__school=here).values_list("code", flat=True)) == codes


def test_without_leave_to_create_every_unknown_teacher_is_named(run):
    run("classes", CLASSES)
    report = run("assignments", VNEDU, sheets=EXTRA)
    assert len(report.problems) == 5 and "Ngô Thị Huyên (003)" in report.problems[0][2]


def test_unknown_class_and_subject_are_named(run, here):
    factories.post(here, "Lê Văn Tám")
    run("classes", CLASSES)
    report = run("assignments", [["Giáo viên", "Môn", "Lớp", "Số tiết"], ["Lê Văn Tám", "Toán", "10X", 3], ["Lê Văn Tám", "Ma thuật", "10 VĂN", 3],
                                 ["Lê Văn Tám", "Khoa học tự nhiên", "10 VĂN", 3], ["Lê Văn Tám", "Toán", "10 VĂN", 3]])  # fmt: skip
    reasons = " ".join(p[2] for p in report.problems)
    assert len(report.problems) == 3 and "“10X”" in reasons and "Ma thuật" in reasons and "khối 10 không có môn" in reasons
    assert report.applied[What.NEW] == 1


def test_replacing_ends_the_teacher_the_file_does_not_name(run, clerk, here, now):
    run("classes", CLASSES)
    group = ClassGroup.objects.get(name="10 VĂN")
    old, new = factories.post(here, "Lê Văn Cũ"), factories.post(here, "Lê Văn Mới")
    held = Assignment.objects.create(post=old, class_group=group, school_id=here.pk, school_year=factories.YEAR, subject_code="toan", periods=3, valid=factories.SCHOOL_YEAR)
    rows = [["Giáo viên", "Môn", "Lớp", "Số tiết"], ["Lê Văn Mới", "Toán", "10 VĂN", 3]]
    report = run("assignments", rows, options={"replace_others": True})
    held.refresh_from_db()
    assert held.valid.upper == now.date() and Assignment.objects.get(post=new).periods == 3
    undo(clerk, report.batch, now)
    held.refresh_from_db()
    assert held.valid.upper == factories.SCHOOL_YEAR.upper and Assignment.objects.get(post=new).valid.isempty


@pytest.mark.parametrize(("text", "found"), [
    ("10H2(2), 10AV1(2)", (("10H2", 2), ("10AV1", 2))), ("10A1 (3 tiết); 10A2: 4", (("10A1", 3), ("10A2", 4))), ("10 TOÁN 1(2),", (("10 TOÁN 1", 2),)),
    ("6A1, 6A2", (("6A1", None), ("6A2", None))), ("6A1(2)\n6A2(3)", (("6A1", 2), ("6A2", 3))),
])  # fmt: skip
def test_lists_of_classes(text, found):
    assert class_list(text) == found


def test_a_broken_list_of_classes_is_refused():
    for text in ("10A1(2", "10A1)2(", "10A1(2)(3"):
        with pytest.raises(Bad):
            class_list(text)


def test_classes_keep_to_the_schools_levels_and_one_homeroom_each(run, here):
    factories.post(here, "Lê Thị Lan")
    report = run("classes", [["Lớp", "Khối", "Giáo viên chủ nhiệm"], ["10A1", 10, "Lê Thị Lan"], ["10A2", 10, "Lê Thị Lan"], ["9A1", 9, ""], ["A3", "", ""],
                             ["10a1", 10, ""], ["11A1", "", "Không Có Ai"]])  # fmt: skip
    words = {row: why for row, _what, why in report.problems}
    assert report.applied[What.NEW] == 1 and ClassGroup.objects.get(name="10A1").homeroom.person.name == "Lê Thị Lan"
    assert "chủ nhiệm" in words[3] and "không dạy khối 9" in words[4] and "thuộc khối nào" in words[5] and "Trùng tên lớp với dòng 2" in words[6]
    assert "Không Có Ai" in words[7]


def test_undo_of_classes_keeps_those_in_use(run, clerk, here, now):
    report = run("classes", [["Lớp", "Khối"], ["10A1", 10], ["10A2", 10]])
    factories.learners(ClassGroup.objects.get(name="10A1"), 1)
    undo(clerk, report.batch, now)
    assert "withdrawn" not in ClassGroup.objects.get(name="10A1").facts and "withdrawn" in ClassGroup.objects.get(name="10A2").facts
    report.batch.refresh_from_db()
    assert report.batch.applied["kept"] == 1
    again = run("classes", [["Lớp", "Khối"], ["10A1", 10], ["10A2", 10]])
    assert again.applied[What.NEW] == 1 and "withdrawn" not in ClassGroup.objects.get(name="10A2").facts


def test_staff_come_in_again_change_and_go(run, clerk, here, now):
    rows = [["STT", "Họ và tên", "Ngày sinh", "Giới tính", "Chức vụ", "Môn dạy", "SĐT", "Email"],
            [1, "Trần Thị Hoa", "1/2/1980", "Nữ", "Hiệu trưởng", "", "0911000001", "HOA@truong.vn"],
            [2, "Lê Văn Nam", "3/4/1985", "Nam", "Giáo viên hạng III", "Toán", "0911000002", ""],
            [3, "Lê Văn Nam", "5/6/1990", "Nam", "Giáo viên", "Văn", "", ""], [4, "Võ Thị Sáu", "", "Nữ", "Phi công", "", "", ""]]  # fmt: skip
    report = run("staff", rows)
    assert report.applied[What.NEW] == 3 and "Phi công" in report.problems[0][2]
    assert set(Post.objects.filter(school=here).values_list("position", "subject_code")) == {("principal", ""), ("teacher", "toan"), ("teacher", "ngu_van")}
    assert run("staff", rows).checked[What.UNCHANGED] == 3
    rows[2][6] = "0911999999"
    changed = run("staff", rows)
    assert changed.applied[What.CHANGED] == 1 and Person.objects.get(born_on="1985-04-03").phone == "0911999999"
    undo(clerk, changed.batch, now)
    assert Person.objects.get(born_on="1985-04-03").phone == "0911000002"
    undo(clerk, report.batch, now)
    kept = ImportRow.objects.get(batch=report.batch, number=3)
    assert kept.detail["undone"], "a person touched by a later import counts as changed since"
    assert Post.objects.filter(school=here, valid__isempty=True).count() == 2


PUBLISHED = Path(os.environ.get("KHUE_SAMPLE_VNEDU", "/nonexistent"))


@pytest.mark.skipif(not PUBLISHED.exists(), reason="KHUE_SAMPLE_VNEDU names no published workbook here")
def test_a_published_workbook_imports_whole(clerk, here, now):
    names = ["10 ANH 1", "10 ANH 2", "10 ANH 3", "10 HÓA 1", "10 HÓA 2", "10 LÝ 1", "10 LÝ 2", "10 SINH", "10 TIN", "10 TOÁN 1", "10 TOÁN 2", "10 TOÁN 3", "10 VĂN"]
    for name in names:
        factories.class_group(here, grade=10, name=name)
    report = services.import_file(clerk, here, "assignments", PUBLISHED, now=now, school_year=factories.YEAR, options={"create_staff": True})
    assert report.problems == [] and report.applied[What.NEW] == report.applied["total"]
    made = Assignment.objects.filter(school_id=here.pk)
    assert (sum(made.values_list("periods", flat=True)), Post.objects.filter(school=here).count()) == (366, 63)
