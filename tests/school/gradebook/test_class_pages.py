"""Pages of the homeroom teacher and the principal, and what a family sees."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.urls import reverse

from khue.kernel import events, jobs
from khue.kernel.database import scope
from khue.kernel.errors import NotAllowed, NotFound
from khue.kernel.jobs.models import Job
from khue.school.gradebook import judging, queries, services
from khue.school.gradebook.models import Absence, Conduct, Correction, Line, Register, Result
from regulations import assessment
from tests import factories
from tests.school.gradebook import books
from tests.school.gradebook.test_closing import SYSTEM, ask, close, homeroom, ready

pytestmark = pytest.mark.django_db


@pytest.fixture
def this_year(everything, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: books.NOW)


@pytest.fixture
def made(this_year):
    return books.book(terms=(1, 2))


def own(statements) -> list[str]:
    return [sql for sql in statements.statements if not sql.startswith(("select set_config", "select coalesce(current_setting"))]


def leader(made):
    return factories.client_of(made.homeroom, role="homeroom_teacher")


def test_the_homeroom_page_takes_conduct_and_shows_why(made):
    books.fill(made)
    client = leader(made)
    url = reverse("gradebook:homeroom", args=[made.group.uid])
    page = client.get(f"{url}?ky=1").content.decode()
    fields = {"l": re.findall(r'name="l" value="([^"]+)"', page), "v": re.findall(r'name="v" value="(\d+)"', page)}
    for place in range(3):
        fields[f"{place}-level"] = "tot"
        fields[f"{place}-comment"] = "Chăm ngoan <b>"
    answer = client.post(f"{url}danh-gia/?ky=1", fields, follow=True)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Đạt điều kiện mức Tốt" in page
    assert "điểm a khoản 2 Điều 9 Thông tư 22/2021/TT-BGDĐT" in page
    assert "<b>" not in page.split("Chăm ngoan ")[1][:20]
    assert Conduct.objects.filter(class_group=made.group, level="tot").count() == 3
    stale = client.post(f"{url}danh-gia/?ky=1", {**fields, "0-level": "dat"})
    assert stale.status_code == 409
    assert "đang ghi “Tốt”" in stale.content.decode()


def test_closing_by_the_page_says_what_is_missing_and_then_closes(made):
    client = leader(made)
    url = reverse("gradebook:close", args=[made.group.uid])
    ready(made)
    made.save((0, "fin", ""), actor=made.actor())
    page = client.get(f"{url}?ky=1").content.decode()
    assert "Còn thiếu 1 mục" in page and made.learners[0].name in page and "cuối kỳ" in page and made.teacher.name in page
    assert client.post(f"{url}?ky=1").status_code == 409
    made.save((0, "fin", "9"), actor=made.actor())
    assert "Khoá sổ học kỳ I lớp" in client.get(f"{url}?ky=1").content.decode()
    answer = client.post(f"{url}?ky=1")
    job = Job.objects.get(kind="gradebook.close_term")
    assert answer["Location"] == reverse("job", args=[job.uid])
    jobs.run(job.pk, clock=lambda: books.NOW)
    page = client.get(reverse("gradebook:homeroom", args=[made.group.uid]) + "?ky=1").content.decode()
    assert "Đã khoá." in page
    assert 'name="l"' not in page
    assert "đã khoá" in client.get(reverse("gradebook:register", args=[made.register().uid])).content.decode().lower()


def test_the_principal_closes_the_year_by_the_page(made):
    client = factories.client_of(factories.account("principal", made.school))
    url = reverse("gradebook:close-year")
    assert "1 lớp chưa khoá đủ hai học kỳ" in client.get(url).content.decode()
    assert client.post(url).status_code == 409
    for term in (1, 2):
        ready(made, term=term)
        close(made, books.NOW, term=term)
    assert client.post(url).status_code == 302
    jobs.run(Job.objects.get(kind="gradebook.close_year").pk, clock=lambda: books.NOW)
    assert "Năm học đã khoá." in client.get(url).content.decode()
    assert leader(made).get(url).status_code in (403, 404)


def test_primary_qualities_are_entered_in_a_grid(this_year):
    made = books.book(grade=2, subject="toan")
    client = leader(made)
    url = reverse("gradebook:homeroom", args=[made.group.uid])
    page = client.get(f"{url}?ky=1").content.decode()
    fields = {"l": re.findall(r'name="l" value="([^"]+)"', page), "v": re.findall(r'name="v" value="(\d+)"', page), "fill": "T"}
    for name in re.findall(r'name="(\d+-q-\w+)"', page):
        fields[name] = ""
    fields["0-q-yeu_nuoc"] = "đ"
    client.post(f"{url}danh-gia/?ky=1", fields)
    first, second = Conduct.objects.filter(class_group=made.group).order_by("learner__sort_key")[:2]
    assert (first.qualities["yeu_nuoc"], first.qualities["nhan_ai"], second.qualities["yeu_nuoc"]) == ("Đ", "T", "T")
    assert "tin_hoc" not in first.qualities  # grade 2 does not study it
    fields["0-q-yeu_nuoc"] = "X"
    assert client.post(f"{url}danh-gia/?ky=1", fields).status_code == 422


def test_attendance_in_three_taps(made):
    client = leader(made)
    url = reverse("gradebook:attendance", args=[made.group.uid])
    assert client.get(reverse("gradebook:attendance-list"))["Location"] == url
    page = client.get(url).content.decode()
    fields = {"l": re.findall(r'name="l" value="([^"]+)"', page), "1-m": "K", **{f"{place}-w": "" for place in range(3)}}
    assert client.post(f"{url}?ngay=2025-11-10&buoi=s", fields).status_code == 302
    absence = Absence.objects.get()
    assert (str(absence.learner.uid), absence.on, absence.is_excused, absence.term) == (fields["l"][1], date(2025, 11, 10), False, 1)
    page = client.get(f"{url}?ngay=2025-11-10&buoi=s").content.decode()
    assert 'name="1-m" value="K" checked' in page
    assert made.homeroom.name in page
    other = client.post(f"{url}?ngay=2025-11-10&buoi=s", {**fields, "1-m": "P"})
    assert other.status_code == 409  # the form still thought everybody present
    assert client.get(f"{url}?ngay=0001-01-01").status_code == 200


def test_a_correction_is_walked_through_by_three_people(made):
    for term in (1, 2):
        ready(made, term=term)
        close(made, books.NOW, term=term)
    teacher, principal = factories.client_of(made.teacher), factories.client_of(factories.account("principal", made.school))
    line = reverse("gradebook:line", args=[made.register().uid, made.uids[0]])
    assert "Gửi đề nghị cho chủ nhiệm" in teacher.get(line).content.decode()
    assert teacher.post(f"{line}de-nghi-sua/", {"slot": "fin", "value": "3", "reason": "Nhập nhầm\x00 điểm"}).status_code == 302
    assert teacher.post(f"{line}de-nghi-sua/", {"slot": "fin", "value": "3", "reason": "Nhập nhầm điểm"}).status_code == 409
    uid = Correction.objects.get().uid
    listing = reverse("gradebook:corrections")
    assert "Đã đối chiếu với bài" in leader(made).get(listing).content.decode()
    assert "Duyệt sửa" not in principal.get(listing).content.decode()
    assert leader(made).post(reverse("gradebook:check-correction", args=[uid])).status_code == 302
    assert "Duyệt sửa" in principal.get(listing).content.decode()
    assert principal.post(reverse("gradebook:decide-correction", args=[uid]), {"decision": "approve"}).status_code == 302
    assert "Đã sửa sau khi khoá; trước là 8,5" in teacher.get(reverse("gradebook:register", args=[made.register().uid])).content.decode()


@pytest.mark.parametrize("count", [10, 45])
def test_pages_cost_the_same_statements_whatever_the_class(count, this_year, counted):
    made = books.book(count=count)
    books.fill(made)
    client = leader(made)
    for url, most in (
        (reverse("gradebook:homeroom", args=[made.group.uid]) + "?ky=1", 6),
        (reverse("gradebook:close", args=[made.group.uid]) + "?ky=1", 7),
        (reverse("gradebook:attendance", args=[made.group.uid]), 7),
        (reverse("gradebook:classes"), 4),
        (reverse("gradebook:corrections"), 4),
    ):
        client.get(url)
        with counted() as statements:
            assert client.get(url).status_code == 200
        assert len(own(statements)) <= most, (url, own(statements))


def test_only_the_classes_people_reach_its_pages(made):
    other = books.book()
    for name in ("homeroom", "close", "attendance"):
        url = reverse(f"gradebook:{name}", args=[made.group.uid])
        expected = {
            made.homeroom: 200, factories.account("principal", made.school): 200, made.teacher: 403, other.homeroom: 404,
            factories.account("principal", other.school): 404, factories.guardian(made.learners[0]): 404,
        }  # fmt: skip
        for account, status in expected.items():
            role = "homeroom_teacher" if account in (made.homeroom, other.homeroom) else None
            assert factories.client_of(account, role=role).get(url).status_code == status, (name, account.username)
        assert factories.client_of(made.homeroom).get(url).status_code in (403, 200)


def test_a_learner_placed_later_gets_her_lines_by_the_event(made):
    before = Line.objects.filter(register__class_group=made.group).count()
    registers = before // 3
    [new] = factories.learners(made.group, 1)
    for listener in events.LISTENERS["schooling.learner-placed"]:
        for _twice in range(2):
            listener({"learner_id": new.pk, "school_id": made.school.pk, "class_group_id": made.group.pk, "on": "2025-11-10"})
    assert Line.objects.filter(learner=new).count() == registers


# --- families -------------------------------------------------------------------------------------


def test_a_guardian_sees_her_child_only_and_who_changed_what(made):
    made.save((0, "r1", "8"), (1, "r1", "3"), actor=made.actor())
    made.save((0, "r1", "9"), actor=made.actor())
    for term in (1, 2):
        ready(made, term=term)
    close(made, books.NOW)
    correction = ask(made, books.NOW)
    services.check_correction(actor=homeroom(made), correction=correction.uid, now=books.NOW)
    services.decide_correction(actor=factories.actor_of(factories.account("principal", made.school)), correction=correction.uid, approve=True, now=books.NOW)
    guardian = factories.actor_of(factories.guardian(made.learners[0]))
    with scope.opened(people=guardian.people):
        found = queries.child_results(guardian, made.learners[0], now=books.NOW)
        with pytest.raises((NotAllowed, NotFound)):
            queries.child_results(guardian, made.learners[1], now=books.NOW)
    maths = next(one for one in found.terms[0].subjects if one.code == "toan")
    assert dict(maths.cells)["Cuối kỳ"] == "3"
    [result] = found.results
    assert (result.title, result.revision, dict(result.subjects)["Toán"]) == ("Học kỳ I", 2, "6,7")
    assert result.why
    first = [one for one in found.changes if one.subject == "Toán" and one.cell == "thường xuyên 1"]
    assert ("8", "9", made.teacher.name) in [(one.old, one.new, one.who) for one in first]
    assert any(one.reason == "Nhập nhầm điểm cuối kỳ" for one in found.changes)
    assert made.learners[1].name not in repr(found)


def test_the_system_opens_nothing_for_a_stranger(made):
    stranger = factories.actor_of(factories.account("guardian"))
    with pytest.raises((NotAllowed, NotFound)):
        queries.child_results(stranger, made.learners[0], now=books.NOW)
    assert queries.learner_results(SYSTEM, made.learners[0].pk, now=books.NOW) == []


def test_conduct_of_the_year_is_entered_where_the_circular_leaves_it_to_the_homeroom_teacher(this_year, now, monkeypatch):
    """Circular 58/2011, Art. 4: the homeroom teacher rates the whole year; no table makes it of the terms."""
    rules = assessment.rule_set("secondary.tt58-2011+tt26-2020")
    monkeypatch.setattr(judging, "rules_in_force", lambda grade, year, is_continuing=False: rules)
    made = books.book(grade=9, terms=(1, 2), count=2)
    Register.objects.filter(class_group=made.group).update(rule_set=rules.id)
    client = leader(made)
    url = f"/chu-nhiem/{made.group.uid}/"
    form = {"l": made.uids, "v": ["0"] * 2, "0-level": "kha", "1-level": "yeu", "0-comment": "", "1-comment": ""}
    for term in (1, 2):
        books.fill(made, term=term)
        page = client.get(f"{url}?ky={term}").content.decode()
        assert "Hạnh kiểm" in page and 'value="trung_binh"' in page and 'value="chua_dat"' not in page
        assert client.post(f"{url}danh-gia/?ky={term}", form).status_code == 302
        close(made, now, term=term)
    page = client.get(f"{url}?ky=0").content.decode()
    assert "Thông tư 58/2011" in page and page.count("-level") == 2 and "Căn cứ danh hiệu" not in page
    assert client.post(f"{url}danh-gia/?ky=0", {**form, "0-level": "tot"}).status_code == 302
    page = client.get(f"{url}?ky=0").content.decode()
    assert page.count(" selected") == 2 and assessment.label("hoc_sinh_gioi") in page
    assert client.post(f"{url}danh-gia/?ky=0", {**form, "v": ["1"] * 2, "0-level": "dat"}).status_code == 422
    close(made, now, term=0)
    page = client.get(f"{url}?ky=0").content.decode()
    assert "Đã khoá." in page and "-level" not in page
    assert dict(Result.objects.filter(term=0).values_list("learner_id", "conduct")) == dict(
        zip([one.pk for one in made.learners], ("tot", "yeu"), strict=True)
    )


def test_conduct_of_the_year_is_not_entered_where_a_table_makes_it_of_the_terms(made, now):
    client = leader(made)
    url = f"/chu-nhiem/{made.group.uid}/"
    page = client.get(f"{url}?ky=0").content.decode()
    assert "-level" not in page and "Thông tư 58/2011" not in page
    answer = client.post(f"{url}danh-gia/?ky=0", {"l": made.uids[:1], "v": ["0"], "0-level": "tot"})
    assert answer.status_code == 422 and "tính từ hai học kỳ" in answer.content.decode()
