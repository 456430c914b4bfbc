"""Files that are whole and wrong: of another year or school, twice, half, columns changed over, one learner three times, codes of another province.

Each is refused or asked about with its reason; nothing that was there is lost.
"""

from __future__ import annotations

import pytest

from khue.gateway.exchange import services
from khue.gateway.exchange.models import ImportBatch, ImportRow, State, What
from khue.gateway.exchange.sheets import limits
from khue.kernel import ids
from khue.register.people.models import Person
from khue.register.schooling.models import Placement
from tests import factories
from tests.gateway.exchange import books

pytestmark = pytest.mark.usefixtures("everything")
HEAD = [["SỞ GIÁO DỤC VÀ ĐÀO TẠO VĨNH LONG", "", "", "CỘNG HOÀ XÃ HỘI CHỦ NGHĨA VIỆT NAM"], ["TRƯỜNG THCS LÊ LỢI"], ["DANH SÁCH HỌC SINH LỚP 7A1"], ["Năm học 2025 – 2026"]]


@pytest.fixture
def here():
    school = factories.school("Trường Trung học cơ sở Lê Lợi")
    factories.class_group(school, name="7A1")
    return school


@pytest.fixture
def clerk(here):
    return factories.actor_of(factories.account("clerk", here))


@pytest.fixture
def run(here, clerk, tmp_path, now):
    def go(rows, name="hs.xlsx", content=None, **more):
        path = tmp_path / name
        path.write_bytes(content if content is not None else books.xlsx(rows))
        return services.import_file(clerk, here, "learners", path, now=now, school_year=factories.YEAR, **more)

    return go


def told(report):
    return [why for number, _what, why in report.problems if number == 0]


def with_line(number, text):
    return [[text] if n == number else line for n, line in enumerate(HEAD)] + books.learners(6)


def test_a_file_of_this_school_and_year_is_taken_without_a_question(run):
    report = run([*HEAD, *books.learners(6)], name="7A1 2025-2026.xlsx")
    assert report.applied[What.NEW] == 6 and report.problems == []


@pytest.mark.parametrize(
    ("line", "text", "name", "said"),
    [
        (3, "Năm học: 2024-2025", "hs.xlsx", "Tệp ghi năm học 2024–2025, còn bạn đang nhập cho năm học 2025–2026."),
        (3, "NĂM HỌC 2024 - 25", "hs.xlsx", "năm học 2024–2025"),
        (3, "", "DS lop 7A1_2023-2024.xlsx", "năm học 2023–2024"),
        (1, "TRƯỜNG THCS NGUYỄN TRÃI", "hs.xlsx", "Tệp ghi “TRƯỜNG THCS NGUYỄN TRÃI”, còn bạn đang nhập cho Trường Trung học cơ sở Lê Lợi."),
        (1, "Trường Tiểu học Lê Lợi", "hs.xlsx", "Trường Tiểu học Lê Lợi"),
    ],
)
def test_a_file_of_another_year_or_school_is_asked_about(run, clerk, now, line, text, name, said):
    report = run(with_line(line, text), name=name)
    assert report.applied == {} and report.checked[What.NEW] == 6
    assert len(told(report)) == 1 and said in told(report)[0]
    assert not Person.objects.filter(name__startswith="Nguyễn").exists()
    with pytest.raises(services.Doubtful, match="năm học|TRƯỜNG|Trường"):
        services.start_apply(actor=clerk, uid=report.batch.uid, now=now)
    assert ImportBatch.objects.get(pk=report.batch.pk).state == State.CHECKED
    assert run(with_line(line, text), name=name, is_confirmed=True).applied[What.NEW] == 6


@pytest.mark.parametrize("text", ["Danh sách chuyển từ trường cũ", "(trường điểm)", "Phòng thi số 3 trường thi", "Trường THCS Lê Lợi, xã An Hội", "trường TH&THCS Lê Lợi"])
def test_other_lines_above_the_heading_ask_nothing(run, text):
    assert told(run(with_line(2, text), apply=False)) == []


def test_school_codes_in_the_file_are_compared(run, here):
    rows = books.learners(6)
    rows = [[*rows[0], "Mã trường"], *([*row, "86999001"] for row in rows[1:])]
    assert told(run(rows)) == [f"Tệp có 6 dòng mang mã trường 86999001, không phải mã của {here.name}."]
    rows = [rows[0], *([*row[:-1], here.code] for row in rows[1:])]
    assert run(rows).problems == []


def test_the_page_shows_the_doubt_and_wants_a_tick(run, here, now):
    batch = run(with_line(3, "Năm học 2024-2025")).batch
    client = factories.client_of(factories.account("clerk", here))
    page = client.get(f"/nhap-du-lieu/{batch.uid}/").content.decode()
    assert "Có thể nhầm tệp hoặc nhầm cột." in page and 'name="is_confirmed"' in page
    refused = client.post(f"/nhap-du-lieu/{batch.uid}/ghi/")
    assert refused.status_code == 409 and "Tệp ghi năm học 2024–2025" in refused.content.decode()
    assert client.post(f"/nhap-du-lieu/{batch.uid}/ghi/", {"is_confirmed": "on"}).status_code == 302


def test_the_same_file_twice_writes_once(run):
    rows = [*HEAD, *books.learners(6)]
    run(rows)
    before = sorted(Person.objects.values_list("id", "version")), sorted(Placement.objects.values_list("id", "version"))
    assert run(rows).checked[What.UNCHANGED] == 6
    assert (sorted(Person.objects.values_list("id", "version")), sorted(Placement.objects.values_list("id", "version"))) == before


def test_half_a_file_is_refused_and_half_a_list_takes_nobody_away(run):
    whole = books.xlsx([*HEAD, *books.learners(6)])
    for part in (whole[: len(whole) // 2], whole[:-30]):
        with pytest.raises(limits.Damaged):
            run(None, content=part)
    run([*HEAD, *books.learners(6)])
    changed = [*HEAD, *books.learners(3)]
    changed[-1][8] = "0977000111"
    report = run(changed)
    assert report.applied[What.CHANGED] == 1 and Placement.objects.filter(valid__isempty=False).count() == 6
    assert [one["facts"] for one in report.batch.preview["parts"]] == [{"group": "7A1", "count": 6, "absent": 3}]


def test_half_a_line_at_the_end_of_a_csv_is_refused_alone(run):
    content = books.text_csv(books.learners(6))
    report = run(None, name="hs.csv", content=content[: content.rindex(b"Kinh") - 22])
    assert report.applied[What.NEW] == 5
    [(_number, what, why)] = report.problems
    assert what == What.REFUSED and why


@pytest.mark.parametrize(("one", "other", "said"), [(1, 2, "Cột Họ và tên: 6 trên 6 dòng không đọc được"), (5, 8, "Cột Số định danh cá nhân: 6 trên 6 dòng"), (1, 6, "cùng ghi “Kinh")])
def test_columns_changed_over_are_named(run, one, other, said):
    rows = [list(row) for row in books.learners(6)]
    for row in rows[1:]:
        row[one], row[other] = row[other] if row[other] != "Kinh" else "Kinh Bắc", row[one]
    report = run(rows)
    assert report.applied == {} and any(said in why for why in told(report)), (told(report), report.problems)
    assert Person.objects.filter(placements__isnull=False).count() == 0


def test_one_learner_three_times_is_taken_once(run):
    rows = books.learners(6)
    report = run([*rows, list(rows[2]), [7, *rows[2][1:5], "", *rows[2][6:]]])
    assert report.applied[What.NEW] == 6
    assert [(number, what) for number, what, _why in report.problems] == [(8, What.REFUSED), (9, What.REFUSED)]
    assert all("dòng 3" in why for _number, _what, why in report.problems)
    assert Person.objects.filter(name=rows[2][1]).count() == 1


def test_codes_of_another_province_are_asked_about(run):
    rows = books.learners(3)
    code = "010012345" + ids.check_digit("010012345")
    rows = [[*rows[0], "Mã định danh học sinh"], *([*row, code if n == 1 else ""] for n, row in enumerate(rows[1:]))]
    report = run(rows)
    assert report.applied[What.NEW] == 2
    row = ImportRow.objects.get(batch=report.batch, number=3)
    assert row.what == What.ASKED and row.detail["reasons"][0]["code"] == "code-other-province"
    kept = run(rows, options={"keep_foreign_codes": True})
    assert kept.applied[What.NEW] == 1 and Person.objects.filter(code=code).exists()


def test_a_column_sorted_by_itself_renames_nobody_unasked(run):
    rows = books.learners(8)
    run(rows)
    codes = dict(Person.objects.values_list("name", "code"))
    names = [row[1] for row in rows[1:]]
    shifted = [[*rows[0], "Mã định danh học sinh"], *([row[0], names[n - 1], *row[2:], codes[row[1]]] for n, row in enumerate(rows[1:]))]
    report = run(shifted)
    assert report.applied == {} and "8 trên 8 người" in told(report)[0]
    assert dict(Person.objects.values_list("name", "code")) == codes
