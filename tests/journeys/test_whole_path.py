"""The spine from end to end in one school's year: the eight things a person can do, in their order, in Chromium.

Officer, clerk, teacher, homeroom teacher, principal, receiving school, mother. What is tried by itself elsewhere
(tests of each room) is only walked here; what is checked is that one person's work is the next one's ground.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from khue.kernel import events, jobs
from khue.kernel.database import scope
from khue.kernel.jobs.models import Job
from khue.kernel.ledger.signing import checkpoint
from khue.register.orgs import reform, services
from khue.register.orgs.models import Unit
from khue.register.orgs.services import UnitDraft
from khue.register.people.models import Person
from khue.register.schooling.models import ClassGroup, Placement
from khue.register.staff.models import Post
from khue.school.gradebook import services as gradebook
from khue.school.gradebook.models import Line, Register, Result
from khue.school.gradebook.services import CellChange
from khue.school.gradebook.services.marks import ruling
from khue.school.transcripts.models import State, Transcript
from tests import factories
from tests.gateway.exchange import books as sheets
from tests.journeys.test_transcripts import act_as
from tests.register.orgs.test_reform import OLD, SYSTEM, carry_out

pytestmark = pytest.mark.timeout(900)
SEPTEMBER = datetime(2025, 9, 8, 2, 0, tzinfo=UTC)
JANUARY = datetime(2026, 1, 12, 2, 0, tzinfo=UTC)
MAY = datetime(2026, 5, 20, 2, 0, tzinfo=UTC)
MOTHERS_WORDS = "con-ngoan-hoc-gioi"
SCHOOL = "Trường THCS Nguyễn Huệ"
REASON = "Quyết định 45/QĐ-UBND ngày 20/8/2025"


class Year:
    """The school year as it goes by: the clock, and what the worker does meanwhile."""

    def __init__(self) -> None:
        self.now = SEPTEMBER

    def work(self) -> None:
        """Deliver events, run the jobs that wait, let the ledger leave the machine."""
        with scope.everything():
            events.deliver(now=self.now)
            waiting = list(Job.objects.filter(finished_at=None).order_by("pk").values_list("pk", flat=True))
        for job in waiting:
            jobs.run(job, clock=lambda: self.now)
        with scope.everything():
            events.deliver(now=self.now)
            checkpoint(self.now)

    def go_to(self, moment: datetime) -> None:
        """Let time pass; sessions end with it."""
        self.now = moment
        with scope.everything():
            checkpoint(moment)


@pytest.fixture
def year(site, monkeypatch, settings, tmp_path) -> Year:
    """The province before its officer does anything, reformed in July, in the first week of September."""
    settings.KHUE_SECOND_FACTOR = False  # as in the demonstration; test_second_factor walks that way
    settings.KHUE_HOME, settings.KHUE_KEYS, settings.KHUE_WITNESSES = tmp_path, tmp_path / "keys", [tmp_path / "witness"]
    made = Year()
    monkeypatch.setattr("django.utils.timezone.now", lambda: made.now)
    with scope.everything():
        reform.load_old_tree(actor=SYSTEM, provinces=OLD, now=made.now)
        carry_out(made.now)
        factories.account("province_officer", Unit.objects.get(kind="province", code="86"), username="so")
    return made


def sign_in(window, username: str, role: str = "") -> None:
    """Sign somebody in at this window, whoever was there before."""
    window.page.context.clear_cookies()
    window.sign_in(username)
    if role:
        act_as(window, role)


def upload(window, year: Year, tmp_path, kind: str, rows, *, name: str = "Danh sách", options=(), extra=None):
    """Bring a spreadsheet up to its dry run; returns the page."""
    path = tmp_path / f"{kind}.xlsx"
    path.write_bytes(sheets.xlsx(rows, name=name, sheets=extra))
    page = window.open(f"/nhap-du-lieu/?loai={kind}")
    page.select_option("#id_kind", kind)
    page.fill("#id_school_year", "2025")
    page.set_input_files("input[type=file]", str(path))
    page.get_by_role("button", name="Tải lên và xem các cột").click()
    page.wait_for_url("**/ghep-cot/")
    for option in options:
        page.check(f"[name={option}]")
    page.get_by_role("button", name="Kiểm tra tệp, chưa ghi gì").click()
    page.wait_for_url(lambda url: "ghep-cot" not in url)
    year.work()
    page.reload()
    return page


def write(page, year: Year) -> None:
    """Write what the dry run showed."""
    with page.expect_navigation():
        page.get_by_role("button", name=re.compile(r"Ghi \d+ dòng vào sổ")).click()
    year.work()
    page.reload()


def fill_up(group: ClassGroup, term: int, now: datetime) -> None:
    """Give every cell that still is empty a value, as the other teachers of the class do meanwhile."""
    from khue.school.gradebook.cells import Marks, missing

    for register in Register.objects.select_related("class_group").filter(class_group=group, term=term):
        sheet, changes = ruling(register), []
        for line in Line.objects.filter(register=register).select_related("learner"):
            marks = Marks(line.regular, line.midterm, line.final, line.levels, line.comment, line.states, line.stamps)
            text = "8,5" if sheet.kind == "score" else "Đ"
            changes += [CellChange(str(line.learner.uid), slot, text, register.ledger_seq) for slot in missing(sheet, marks)]
        gradebook.save_cells(actor=SYSTEM, register=register.uid, changes=changes, now=now)


def test_a_school_year_from_the_tree_to_the_family(year, desk, phone, tmp_path) -> None:
    commune = the_officer_sees_the_tree_and_opens_a_school(year, desk)
    there = another_school(commune, year.now)
    group = the_clerk_imports_everything(year, desk, tmp_path)
    mother = a_mother_is_invited_and_comes(desk, phone, group)
    the_teacher_enters_marks(year, desk, phone, group)
    the_homeroom_teacher_and_the_principal_close(year, desk, phone, group)
    transcript = three_people_sign(year, desk, phone, group)
    the_officer_gets_the_ministrys_file(year, desk)
    the_mother_reads(phone, mother, transcript)
    a_learner_changes_school(year, desk, there, transcript)


# 1 -- the province officer ---------------------------------------------------------------------------------


def the_officer_sees_the_tree_and_opens_a_school(year: Year, desk) -> Unit:
    sign_in(desk, "so")
    page = desk.open("/don-vi/?ngay=2025-06-30")
    for old in ("Tỉnh Bến Tre", "Tỉnh Trà Vinh", "Tỉnh Vĩnh Long"):
        assert page.get_by_role("link", name=old, exact=True).is_visible()
    page = desk.open("/don-vi/?ngay=2025-07-01")
    assert page.get_by_role("link", name="Tỉnh Bến Tre", exact=True).count() == 0
    with scope.everything():
        top = Unit.objects.get(kind="province", code="86")
        communes = Unit.objects.on(date(2025, 7, 1)).filter(kind="commune", parent_ties__parent=top)
        assert communes.distinct().count() == 124
        commune = communes.order_by("code").first()
    page = desk.open(f"/don-vi/{commune.uid}/")
    page.get_by_role("link", name="Lập đơn vị trực thuộc").click()
    page.select_option("#id_kind", "school")
    page.get_by_label("Tên", exact=True).fill(SCHOOL)
    page.get_by_label("Trung học cơ sở").check()
    page.get_by_label("Từ ngày").fill("01/09/2025")
    page.get_by_label("Căn cứ, lý do").fill(REASON)
    desk.check("path-unit-open")
    page.get_by_role("button", name="Lập đơn vị").click()
    page.get_by_role("heading", name=SCHOOL).wait_for()
    desk.check("path-unit")
    page = desk.open("/don-vi/so-lieu/")
    assert "khác" not in page.locator("main .alert-danger").all_inner_texts()
    desk.check("path-counts")
    return commune


def another_school(commune: Unit, now: datetime) -> Unit:
    """Make the school that will receive a learner, with its principal."""
    with scope.everything():
        draft = UnitDraft("school", "Trường THCS Lê Lợi", parent=commune, levels=("lower_secondary",))
        made = services.create_unit(actor=SYSTEM, draft=draft, on=date(2025, 7, 1), now=now)
        factories.class_group(made, grade=7, name="7B")
        factories.account("principal", made, username="ht-leloi")
    return made


# 2 -- the clerk --------------------------------------------------------------------------------------------


def the_clerk_imports_everything(year: Year, desk, tmp_path) -> ClassGroup:
    with scope.everything():
        here = Unit.objects.get(name=SCHOOL)
        for role in ("clerk", "principal"):
            who = factories.post(here, {"clerk": "Ngô Thị Sáu", "principal": "Trần Văn Đại"}[role], role)
            factories.account(role, here, who=who.person, username=role)
    sign_in(desk, "clerk")
    page = upload(desk, year, tmp_path, "classes", [["Tên lớp", "Khối"], ["7A1", 7]])
    write(page, year)
    rows = sheets.learners(5)
    rows[3][2] = "31/02/2013"
    page = upload(desk, year, tmp_path, "learners", rows)
    assert "31/02/2013" in page.content()
    desk.check("path-import-dry-run")
    write(page, year)
    page = upload(desk, year, tmp_path, "learners", rows)
    assert page.get_by_role("button", name=re.compile(r"Ghi \d+ dòng vào sổ")).count() == 0  # the same file changes nothing
    assignment = [["GIAOVIEN", "MONVNEDU", "DSLOPDAY"], ["Lê Thị Thu Hà (001)", "Toán", "7A1(4)"], ["Phạm Văn Minh (002)", "Ngữ văn", "7A1(4)"]]
    page = upload(desk, year, tmp_path, "assignments", assignment, name="PCGD_Mau1", options=("create_staff",))
    write(page, year)
    desk.open("/phan-cong/?nam=2025")
    desk.check("path-assignment")
    with scope.everything():
        group = ClassGroup.objects.get(school=here, name="7A1")
        assert Placement.objects.filter(class_group=group).count() == 4
        for name, username in (("Lê Thị Thu Hà", "gv-toan"), ("Phạm Văn Minh", "gv-chu-nhiem")):
            post = Post.objects.select_related("person").get(school=here, person__name=name)
            account = factories.account("subject_teacher", here, who=post.person, username=username)
            if username == "gv-chu-nhiem":
                factories.grant(account, "homeroom_teacher", here)
                ClassGroup.objects.filter(pk=group.pk).update(homeroom=post)
    return group


def a_mother_is_invited_and_comes(desk, phone, group: ClassGroup) -> str:
    """Invite a mother on paper, and let her open her account with the code; returns the name she signs in with."""
    page = desk.open(f"/lop/{group.uid}/")
    page.get_by_role("link", name="Nguyễn Thị An").click()
    page.get_by_role("link", name="Mời phụ huynh").click()
    page.get_by_label("Họ và tên phụ huynh").fill("Võ Thị Mai")
    page.select_option("#id_relation", "mother")
    with desk.coming():
        page.get_by_role("button", name="Cấp mã mời").click()
    desk.check("path-slip")
    code = page.locator(".k-code").inner_text()
    username = page.get_by_text("Tên đăng nhập").inner_text().partition(":")[2].strip()
    page = phone.open("/kich-hoat/")
    page.get_by_label("Mã trên phiếu mời").fill(code)
    page.get_by_label("Mật khẩu tự chọn").fill(MOTHERS_WORDS)
    page.get_by_label("Nhập lại mật khẩu").fill(MOTHERS_WORDS)
    phone.check("path-activation")
    page.get_by_role("button", name="Kích hoạt và đăng nhập").click()
    page.get_by_role("heading", name="Chào").wait_for()
    phone.check("path-mother-home")
    return username


# 3 -- the teacher ------------------------------------------------------------------------------------------


def the_teacher_enters_marks(year: Year, desk, phone, group: ClassGroup) -> None:
    sign_in(desk, "principal")
    page = desk.open("/chu-nhiem/")
    page.get_by_role("button", name="Mở sổ cho các lớp của trường").click()
    page.get_by_text("Đã mở thêm").wait_for()
    sign_in(desk, "gv-toan")
    page = desk.open("/so-diem/?ky=1")
    page.get_by_role("link", name="7A1 · Toán").click()
    page.locator('[name="0-r1"]').click()
    for typed in ("8", "7,5", "9.5", "10"):
        page.keyboard.type(typed)
        page.keyboard.press("Enter")
    page.get_by_text("Đã lưu lúc").wait_for()
    assert page.get_by_role("link", name="Nhập từ tệp").get_attribute("href").startswith("/nhap-du-lieu/?loai=marks&so=")
    desk.check("path-register")
    sign_in(phone, "gv-toan")
    small = phone.open(page.url.removeprefix(desk.site))
    small.locator('[name="0-mid"]').fill("7")
    small.locator('[name="0-mid"]').press("Enter")
    small.get_by_text("Đã lưu lúc").wait_for()
    phone.check("path-register")
    with scope.everything():
        register = Register.objects.get(class_group=group, subject_code="toan", term=1)
        lines = Line.objects.filter(register=register).order_by("learner__sort_key", "learner_id")
        assert [line.regular[0] for line in lines] == [80, 75, 95, 100] and lines[0].midterm == 70


# 4 -- the homeroom teacher and the principal ---------------------------------------------------------------


def the_homeroom_teacher_and_the_principal_close(year: Year, desk, phone, group: ClassGroup) -> None:
    for term, moment in ((1, JANUARY), (2, MAY)):
        year.go_to(moment)
        with scope.everything():
            fill_up(group, term, moment)
        sign_in(desk, "gv-chu-nhiem", "chủ nhiệm")
        page = desk.open(f"/chu-nhiem/{group.uid}/?ky={term}")
        for number in range(4):
            page.select_option(f'[name="{number}-level"]', "tot")
        page.get_by_role("button", name="Lưu đánh giá").click()
        page.get_by_text("Đã lưu đánh giá của 4 em").wait_for()
        page.locator("details.kg-why summary").first.click()
        page.get_by_text("Vì sao").first.wait_for()
        assert "Điều 9" in page.locator("details.kg-why").first.inner_text()
        desk.check(f"path-results-{term}")
        with desk.coming():
            page.get_by_role("link", name=re.compile("Khoá sổ học kỳ")).click()
        desk.check("path-close")
        page.get_by_role("button", name=re.compile("Khoá sổ học kỳ")).click()
        page.wait_for_url("**/viec/**")
        year.work()
        page.reload()
        page.get_by_text("Đã khoá 1 lớp").wait_for()
    sign_in(desk, "principal")
    page = desk.open("/khoa-nam-hoc/")
    desk.check("path-close-year")
    page.get_by_role("button", name=re.compile("Khoá năm học")).click()
    page.wait_for_url("**/viec/**")
    year.work()
    with scope.everything():
        assert Result.objects.filter(class_group=group, term=0, promotion="len_lop", frozen_at__isnull=False).count() == 4
    sign_in(phone, "gv-chu-nhiem", "chủ nhiệm")
    phone.open(f"/chu-nhiem/{group.uid}/?ky=0")
    phone.check("path-results-year")


# 5 -- transcripts ------------------------------------------------------------------------------------------


def three_people_sign(year: Year, desk, phone, group: ClassGroup) -> Transcript:
    address = f"/hoc-ba/lop/{group.uid}/"
    for username, role, button in (
        ("gv-chu-nhiem", "chủ nhiệm", "Ký với tư cách chủ nhiệm"), ("principal", "", "Phê duyệt và ký"), ("clerk", "", "Đóng dấu của trường"),
    ):  # fmt: skip
        sign_in(desk, username, role)
        page = desk.open(address)
        if role:
            page.get_by_role("button", name="Lập học bạ").click()
            page.get_by_text("Đã lập 4 học bạ mới").wait_for()
        page.get_by_role("link", name=button).click()
        page.get_by_role("button", name=button).click()
        page.wait_for_url("**/viec/**")
        year.work()
    desk.open(address)
    desk.check("path-transcripts")
    with scope.everything():
        made = list(Transcript.objects.filter(class_group=group).select_related("learner").order_by("learner__sort_key"))
        assert {one.state for one in made} == {State.SEALED}
    with desk.page.expect_download() as download:
        desk.page.get_by_role("link", name="PDF học bạ của Nguyễn Thị An").click()
    assert download.value.suggested_filename.endswith(".pdf")
    phone.page.context.clear_cookies()
    first = next(one for one in made if one.learner.name == "Nguyễn Thị An")
    page = phone.open(f"/xac-minh/{first.token}/")
    page.get_by_text("Học bạ thật, đang có hiệu lực").wait_for()
    phone.check("path-verify")
    return first


# 6 -- the ministry's file ----------------------------------------------------------------------------------


def the_officer_gets_the_ministrys_file(year: Year, desk) -> None:
    sign_in(desk, "so")
    page = desk.open("/xuat-bo/")
    page.get_by_label("Năm học bắt đầu").fill("2025")
    page.get_by_role("button", name="Tạo tệp và báo cáo").click()
    page.get_by_text("Đang chờ").first.wait_for()
    year.work()
    page.reload()
    desk.check("path-ministry")
    with page.expect_download() as download:
        page.get_by_role("link", name="Tải gói tệp (ZIP)").click()
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as package:
        names = {row["HO_TEN"] if "HO_TEN" in row else str(row) for row in json.loads(package.read("lower_secondary/learner.json"))}
    assert any("Nguyễn Thị An" in name for name in names)


# 7 -- a learner changes school -----------------------------------------------------------------------------


def a_learner_changes_school(year: Year, desk, there: Unit, transcript: Transcript) -> None:
    with scope.everything():
        learner = Person.objects.get(pk=transcript.learner_id)
    sign_in(desk, "ht-leloi")
    assert desk.page.request.get(f"{desk.site}/hoc-sinh/{learner.uid}/").status == 404
    page = desk.open("/chuyen-truong/")
    page.get_by_role("link", name="Tiếp nhận học sinh chuyển đến").click()
    page.get_by_label("Mã định danh của học sinh").fill(learner.code)
    page.get_by_label("Ngày sinh").fill(f"{learner.born_on:%d/%m/%Y}")
    page.get_by_role("button", name="Tìm và gửi đề nghị").click()
    page.get_by_role("heading", name="Trả lời của trường mình").wait_for()
    page.locator("#id_to_class").select_option(label="7B")
    desk.check("path-transfer")
    page.get_by_role("button", name="Đồng ý chuyển trường").click()
    page.get_by_text("Trường mới đồng ý").first.wait_for()
    sign_in(desk, "principal")
    page = desk.open("/chuyen-truong/")
    page.get_by_role("link", name=learner.name).click()
    page.get_by_role("button", name="Đồng ý chuyển trường").click()
    page.get_by_text("Đã chuyển").first.wait_for()
    year.work()
    sign_in(desk, "ht-leloi")
    page = desk.open(f"/hoc-sinh/{learner.uid}/")
    assert page.get_by_text(learner.code).first.is_visible() and page.get_by_text("7A1").first.is_visible()
    desk.check("path-file-there")
    page = desk.open(f"/hoc-ba/{transcript.uid}/")
    page.get_by_role("heading", name="Chữ ký số").wait_for()
    with scope.everything():
        moved = Placement.objects.filter(learner=learner).order_by("valid")
        assert [(one.closed, one.school_id) for one in moved][-1] == ("", there.pk)
        assert Person.objects.get(pk=learner.pk).code == learner.code


# 8 -- the mother -------------------------------------------------------------------------------------------


def the_mother_reads(phone, username: str, transcript: Transcript) -> None:
    phone.page.context.clear_cookies()
    page = phone.sign_in_by_hand(username, MOTHERS_WORDS)
    page.get_by_role("link", name=re.compile("Nguyễn Thị An|Xem kết quả")).first.click()
    page.get_by_role("heading", name="Nguyễn Thị An").wait_for()
    shown = page.locator("main").inner_text()
    assert "Toán" in shown and "Lên lớp" in shown and "Lê Thị Thu Hà" in shown  # marks, results, who entered them
    assert "Ngô Thị Sáu" in shown  # the clerk opened the file: who looked is there without asking
    assert "xếp hạng" not in shown.lower() and "Trần Văn An" not in shown  # no rank, no other child (TT 15/2026)
    phone.check("path-mother-child")
    page = phone.open(f"/hoc-ba/{transcript.uid}/")
    page.get_by_role("heading", name="Chữ ký số").wait_for()
